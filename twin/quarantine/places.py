"""Where a refused row lies, as far as it lies anywhere: its middle and outline in degrees, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, floor, isfinite, radians
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from twin import geodesy
from twin.errors import CrsError

if TYPE_CHECKING:
    from twin.model import Bbox, Village
    from twin.quarantine.refused import Whole

How = Literal["here", "exchanged", "away"]
DEGREE_M = 111_320.0
MOST_POINTS = 400
"""Corners of an outline that are drawn; a larger one is told by its middle."""
Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A row's middle (degrees lon, lat): "here" as delivered, "exchanged" once its coordinates are, or "away"."""

    lon: float
    lat: float
    how: How
    outline: tuple[Ring, ...] = ()


def places(rows: Sequence[Whole], village: Village, precision_m: float = 0.0) -> dict[str, Place]:
    """Give where rows lie, by their names; those without a shape, or of an unknown CRS, are not among them.

    With `precision_m` a place is the middle of a cell of that side, and has no outline.
    """
    found: dict[str, Place] = {}
    for crs in {r.crs for r in rows if r.shape is not None and r.crs}:
        some = [r for r in rows if r.crs == crs and r.shape is not None]
        try:
            shapes, turned = _moved(some, crs, village)
        except CrsError:
            continue
        for row, shape, other in zip(some, shapes, turned, strict=True):
            place = _place(shape, other, village, precision_m)
            if place is not None:
                found[row.row.name] = place
    return found


def _moved(rows: Sequence[Whole], crs: str, village: Village) -> tuple[np.ndarray, np.ndarray]:
    """Give the shapes of rows in degrees, as delivered and with their coordinates exchanged."""
    wkb = np.asarray([r.shape for r in rows], dtype=object)
    read = np.asarray(shapely.force_2d(shapely.from_wkb(wkb, on_invalid="ignore")), dtype=object)
    turned = shapely.transform(read.copy(), lambda xy: xy[:, ::-1])
    accepted = dict(village.accepted_crs)
    to = village.storage_crs
    return (
        geodesy.transform_geometry(read, crs, to, accepted=accepted),
        geodesy.transform_geometry(turned, crs, to, accepted=accepted),
    )


def _place(shape: Any, turned: Any, village: Village, precision_m: float) -> Place | None:
    ways: tuple[tuple[Any, How], ...] = ((shape, "here"), (turned, "exchanged"))
    for one, how in ways:
        middle = _middle(one)
        if middle is not None and _within(middle, village.plausible_bbox):
            return _told(one, middle, how, precision_m)
    middle = _middle(shape)
    return None if middle is None else Place(lon=middle[0], lat=middle[1], how="away")


def _told(shape: Any, middle: tuple[float, float], how: How, precision_m: float) -> Place:
    if precision_m > 0:
        lon, lat = _coarse(middle, precision_m)
        return Place(lon=lon, lat=lat, how=how)
    return Place(lon=middle[0], lat=middle[1], how=how, outline=_outline(shape))


def _coarse(middle: tuple[float, float], precision_m: float) -> tuple[float, float]:
    lat_step = precision_m / DEGREE_M
    lat = (floor(middle[1] / lat_step) + 0.5) * lat_step
    lon_step = lat_step / max(0.01, cos(radians(lat)))
    return (floor(middle[0] / lon_step) + 0.5) * lon_step, lat


def _middle(shape: Any) -> tuple[float, float] | None:
    if shape is None or shapely.is_empty(shape):
        return None
    west, south, east, north = (float(v) for v in shapely.bounds(shape))
    middle = ((west + east) / 2, (south + north) / 2)
    return middle if isfinite(middle[0]) and isfinite(middle[1]) else None


def _within(middle: tuple[float, float], box: Bbox) -> bool:
    return box[0] <= middle[0] <= box[2] and box[1] <= middle[1] <= box[3]


def _outline(shape: Any) -> tuple[Ring, ...]:
    if shapely.get_num_coordinates(shape) > MOST_POINTS or shapely.get_type_id(shape) in (0, 4):
        return ()
    rings = []
    for part in shapely.get_parts(shape):
        line = shapely.get_exterior_ring(part) if shapely.get_type_id(part) == 3 else part
        rings.append(tuple((float(x), float(y)) for x, y in shapely.get_coordinates(line)))
    return tuple(rings)
