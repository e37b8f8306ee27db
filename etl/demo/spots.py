"""How a place in the village is said ("溪口路 at 440 m, 5 m left of it") and how it becomes a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.layout import ROADS_AT, Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.demo.terrain import Terrain

Row = dict[str, Any]
Spot = tuple[str, float, float] | str
"""A yard's or pond's name, or (what, metres along the valley, metres left of it): a road, 示溪, or 谷, the axis."""


def at_point(xy: np.ndarray) -> shapely.Point:
    """Return a point on the millimetre grid."""
    return shapely.Point(np.round(np.asarray(xy, float).reshape(-1)[:2], 3))


def find(spot: Spot, layout: Layout, terrain: Terrain) -> shapely.Point:
    """Return where a spot is."""
    if isinstance(spot, str):
        plot = next(plot for plot in layout.plots if plot.name == spot)
        return at_point(shapely.get_coordinates(plot.polygon.centroid))
    what, s, left = spot
    base = {**ROADS_AT, "示溪": terrain.valley.river}.get(what, lambda _s: 0.0)(s)
    return at_point(terrain.valley.at(s, float(base) + left))


def numbered(prefix: str, key: str, rows: Sequence[Row]) -> list[Row]:
    """Return the rows with identifiers counted from 001."""
    return [{key: f"{prefix}{k + 1:03d}", **row} for k, row in enumerate(rows)]
