"""Shelters, geological hazard points at steep feet of slopes, and the zones they threaten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.people import telephone
from etl.demo.spots import at_point, find, numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.demo.layout import Layout
    from etl.demo.terrain import Terrain

Row = dict[str, Any]
_SHELTERS = (("文化礼堂", "示范村村民委员会", 260), ("小学", "示范村小学", 400), ("前山", "居家养老服务照料中心", 80))
# name, kind, metres along the valley, side, grade, warning colour, who patrols
_HAZARDS = (
    ("上塘后山", "滑坡", 520, 1, "中", "黄", "陈国强"),
    ("溪口后山", "崩塌", 1240, 1, "低", "蓝", "沈建平"),
    ("石坞口", "泥石流", 2150, 1, "高", "橙", "姚志明"),
    ("东坞后山", "滑坡", 2520, 1, "中", "蓝", "蔡伟民"),
    ("前山脚", "滑坡", 1480, -1, "低", "蓝", "徐海根"),
    ("石埠", "崩塌", 600, -1, "低", "蓝", "朱水林"),
)


def shelters(layout: Layout, terrain: Terrain) -> list[Row]:
    """Return the places people are moved to."""
    rows = [
        {
            "name": f"{name}避灾安置点",
            "capacity_persons": capacity,
            "phone": telephone(300 + k),
            "geometry": find(place, layout, terrain),
        }
        for k, (name, place, capacity) in enumerate(_SHELTERS)
    ]
    return numbered("BZ", "shelter_id", rows)


def hazards(terrain: Terrain, houses: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return hazard points and the zones below them, with how many households a zone touches."""
    points, zones = [], []
    for k, (name, kind, s, side, grade, warning, patrol) in enumerate(_HAZARDS):
        spot, below = _steep_foot(terrain, s, side)
        zone = shapely.set_precision(shapely.LineString([spot, below]).buffer(46, quad_segs=5), 0.001)
        facts = {
            "name": f"{name}{kind}隐患点",
            "kind": kind,
            "grade": grade,
            "warning": warning,
            "households": _threatened(zone, houses),
            "patrol_name": patrol,
            "patrol_phone": telephone(400 + k),
        }
        points.append({"hazard_id": f"DZ{k + 1:03d}", **facts, "geometry": at_point(spot)})
        zones.append({"zone_id": f"FX{k + 1:03d}", "hazard_id": f"DZ{k + 1:03d}", **facts, "geometry": zone})
    return points, zones


def _steep_foot(terrain: Terrain, s: float, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first steep place of the slope behind the houses, and a place on the flat below it."""
    ray = terrain.valley.at(s, np.arange(215, 620, 6.0) * side)
    steep = int(np.argmax(terrain.sample(terrain.slope, ray) > 0.24)) or 20
    return ray[min(steep + 3, len(ray) - 1)], ray[max(steep - 14, 0)]


def _threatened(zone: shapely.Polygon, houses: Sequence[Row]) -> int:
    now = [row for row in houses if row["year"] == 2025 and row["household_id"]]
    return len({row["household_id"] for row in now if zone.intersects(row["geometry"])})
