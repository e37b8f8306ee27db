"""The twelve grids of the village, who works in them, and which grid a thing lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter

from etl.demo.frame import VILLAGE_CODE, Y0, chance
from etl.demo.people import telephone
from etl.demo.tiling import faces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from etl.demo.terrain import Terrain

Row = dict[str, Any]
_WORKERS = (
    "李国强",
    "沈秀珍",
    "陈海根",
    "姚美琴",
    "徐建平",
    "蔡玉英",
    "朱伟民",
    "章丽芳",
    "费林福",
    "钱雅萍",
    "吴志明",
    "周月娟",
)


def make_grids(terrain: Terrain, boundary: shapely.Polygon, seed: int) -> list[Row]:
    """Divide the village into twelve grids, six north and six south of the river, numbered west to east."""
    rng, valley = chance(seed, "grids"), terrain.valley
    s = np.arange(-150, 3250, 10.0)
    cuts = [shapely.LineString(valley.at(s, valley.river(s)))]
    west, _, east, _ = boundary.bounds
    at = west + (east - west) * np.array([0.185, 0.36, 0.515, 0.665, 0.80])
    y = np.arange(Y0, Y0 + 3001, 50.0)
    for x in at:
        wiggle = gaussian_filter(rng.standard_normal(len(y)), 4) * 70
        cuts.append(shapely.LineString(np.column_stack([x + wiggle, y])))
    faces = faces_of(boundary, cuts)
    middles = shapely.get_coordinates(shapely.centroid(faces))
    south = terrain.sample(terrain.d, middles) < 0
    order = np.lexsort((middles[:, 0], south))
    return [
        {
            "grid_code": f"{VILLAGE_CODE}{k + 1:03d}",
            "grid_name": f"第 {k + 1:02d} 网格",
            "worker_name": _WORKERS[k % 12],
            "worker_phone": telephone(101 + k),
            "geometry": faces[n],
        }
        for k, n in enumerate(order)
    ]


def grid_of(geometries: Sequence[BaseGeometry], grids: Sequence[Row]) -> list[str]:
    """Return the grid code of each geometry's inner point."""
    tree = shapely.STRtree([row["geometry"] for row in grids])
    nearest = tree.nearest(shapely.point_on_surface(np.array(geometries, dtype=object)))
    return [grids[k]["grid_code"] for k in nearest]
