"""Place names: hamlets, hills with their heights, waters, bridges and stretches of land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.frame import X0, Y0
from etl.demo.layout import BRIDGES_S
from etl.demo.spots import at_point, find, numbered
from etl.demo.terrain import CELL_M, RESERVOIR_LEVEL_M

if TYPE_CHECKING:
    from etl.demo.layout import Layout
    from etl.demo.spots import Spot
    from etl.demo.terrain import Terrain

Row = dict[str, Any]
# name, kind, rank (1 is drawn first), where
_NAMES: tuple[tuple[str, str, int, Spot], ...] = (
    ("溪口", "自然村", 1, ("谷", 1420, 300)),
    ("上塘", "自然村", 2, ("谷", 450, 236)),
    ("前山", "自然村", 2, ("谷", 1440, -268)),
    ("东坞", "自然村", 2, ("谷", 2450, 256)),
    ("南坞", "自然村", 3, ("谷", 2420, -232)),
    ("石埠", "自然村", 3, ("谷", 620, -236)),
    ("月塘", "水塘", 3, "月塘"),
    ("示溪", "河流", 2, ("示溪", 1900, 0)),
    *((name, "桥梁", 4, ("示溪", s, 0)) for s, name in BRIDGES_S),
    ("上塘坞", "地片", 4, ("谷", 900, 520)),
    ("石坞", "地片", 4, ("谷", 2160, 640)),
    ("前山坞", "地片", 4, ("谷", 1190, -560)),
    ("南坞里", "地片", 4, ("谷", 2500, -560)),
    ("大畈", "地片", 4, ("谷", 900, 90)),
    ("下畈", "地片", 4, ("谷", 1900, 90)),
)
# name, west and east limit in metres of the window, north of the river
_HILLS = (
    ("塘岭", 900, 2000, True),
    ("大前山", 900, 2000, False),
    ("石坞尖", 2000, 3000, True),
    ("乌石岗", 0, 900, True),
    ("狮子头", 2000, 3000, False),
    ("茶山", 0, 900, False),
)


def places(layout: Layout, terrain: Terrain, boundary: shapely.Polygon) -> list[Row]:
    """Return the names with their kind, rank and, for hills and the reservoir, their height."""
    rows = [(name, kind, rank, None, find(spot, layout, terrain)) for name, kind, rank, spot in _NAMES]
    rows += [(name, "山峰", 2, height, at_point(xy)) for name, xy, height in summits(terrain, boundary)]
    lake = shapely.get_coordinates(layout.reservoir.point_on_surface())
    rows.append(("上塘水库", "水库", 2, RESERVOIR_LEVEL_M, at_point(lake)))
    columns = ("name", "kind", "rank", "elevation_m", "geometry")
    return numbered("DM", "place_id", [dict(zip(columns, row, strict=True)) for row in rows])


def summits(terrain: Terrain, boundary: shapely.Polygon) -> list[tuple[str, np.ndarray, float]]:
    """Return the named hills: the highest ground of six parts of the village, well inside its border."""
    rows, columns = np.indices(terrain.shape)
    u, v = columns * CELL_M, rows * CELL_M
    inside = shapely.contains_xy(boundary.buffer(-60), u + X0, v + Y0)
    found = []
    for name, west, east, north in _HILLS:
        here = inside & (u > west) & (u < east) & ((terrain.d > 350) if north else (terrain.d < -350))
        j, i = np.unravel_index(np.argmax(np.where(here, terrain.z, -1)), terrain.shape)
        found.append((name, np.array([u[j, i] + X0, v[j, i] + Y0]), round(float(terrain.z[j, i]), 1)))
    return found
