"""Parcel numbers that survive five years, and the rows of the land register."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from etl.demo.frame import VILLAGE_CODE

if TYPE_CHECKING:
    from etl.demo.parcels import Tiling
    from etl.demo.terrain import Terrain


def numbers(polygons: np.ndarray) -> np.ndarray:
    """Return parcel numbers from 1: in bands from north to south, west to east within a band."""
    xy = shapely.get_coordinates(shapely.centroid(polygons))
    order = np.lexsort((xy[:, 0], -(xy[:, 1] // 150)))
    found = np.empty(len(polygons), int)
    found[order] = np.arange(1, len(polygons) + 1)
    return found


def renumbered(before: np.ndarray, after: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Keep the number of a parcel whose shape did not change; give new numbers to the others."""
    old = numbers(before)
    same = np.isclose(shapely.area(after), shapely.area(before)[origin], atol=0.01)
    found = np.where(same, old[origin], 0)
    found[~same] = len(before) + 1 + np.arange((~same).sum())
    return found


def rows(tiling: Tiling, terrain: Terrain, year: int, number: np.ndarray) -> list[dict]:
    """Return parcel rows of one year."""
    xy = shapely.get_coordinates(shapely.point_on_surface(tiling.polygons))
    slope, z = terrain.sample(terrain.slope, xy), terrain.sample(terrain.z, xy)
    owner, area = terrain.sample(terrain.s, xy), shapely.area(tiling.polygons)
    found = []
    for k in np.argsort(number):
        group = f"示范村第{int(np.clip(owner[k] // 330, 0, 8)) + 1}村民小组"
        common = tiling.classes[k][:2] in ("10", "11", "08") or tiling.kinds[k] in ("yard", "works", "shops")
        found.append(
            {
                "parcel_id": f"{VILLAGE_CODE}{number[k]:08d}",
                "year": year,
                "sandiao": tiling.classes[k],
                "owner_unit_name": "示范村股份经济合作社" if common else group,
                "slope": round(float(slope[k]), 3),
                "elevation_m": round(float(z[k]), 1),
                "zone": str(tiling.kinds[k]),
                "name": "",
                "area_m2": round(float(area[k]), 2),
                "geometry": tiling.polygons[k],
            }
        )
    return found
