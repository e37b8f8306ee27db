"""Things that are watched at a point: gauges, air, bins, old trees, shelters and hazards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.frame import chance
from etl.demo.layout import HAMLETS, Layout, main_road, ring_road
from etl.demo.people import telephone
from etl.demo.points import at_point, numbered, yard_middle
from etl.demo.terrain import RESERVOIR_LEVEL_M, Terrain

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]


def water_points(layout: Layout, terrain: Terrain) -> tuple[list[Row], list[Row]]:
    """Return gauging and quality stations on river, streams and reservoir, and village sewage terminals."""
    valley = terrain.valley
    lake = shapely.get_coordinates(layout.reservoir.centroid)[0]
    dam = terrain.dam.mean(axis=0)
    stations = [
        {
            "name": "上塘水库站",
            "kind": "水位",
            "water_level_m": 84.92,
            "alarm_level_m": RESERVOIR_LEVEL_M,
            "quality": "Ⅱ",
            "geometry": at_point(dam + (lake - dam) * 0.15),
        },
        {
            "name": "溪口桥站",
            "kind": "水位",
            "water_level_m": 2.31,
            "alarm_level_m": 3.6,
            "quality": "Ⅲ",
            "geometry": at_point(valley.at(1450, valley.river(1450))),
        },
        {
            "name": "上塘入境断面",
            "kind": "水质",
            "water_level_m": 1.42,
            "alarm_level_m": 3.2,
            "quality": "Ⅱ",
            "geometry": at_point(valley.at(345, valley.river(345))),
        },
        {
            "name": "东坞出境断面",
            "kind": "水质",
            "water_level_m": 1.98,
            "alarm_level_m": 3.4,
            "quality": "Ⅲ",
            "geometry": at_point(valley.at(2690, valley.river(2690))),
        },
        {
            "name": "石坞溪口站",
            "kind": "雨量水位",
            "water_level_m": 0.66,
            "alarm_level_m": 1.8,
            "quality": "Ⅱ",
            "geometry": at_point(valley.at(2200, main_road(2200) + 6)),
        },
    ]
    places = (
        ("溪口", 1788, main_road, -16),
        ("上塘", 318, main_road, -36),
        ("东坞", 2300, main_road, -16),
        ("前山", 1520, ring_road, 14),
        ("石埠", 640, ring_road, 14),
    )
    sewage = [
        {
            "name": f"{name}农村生活污水处理终端",
            "capacity_t_d": 60 if name == "溪口" else 30,
            "households": 0,
            "process": "A/O+人工湿地",
            "state": "停运检修" if name == "石埠" else "正常",
            "geometry": at_point(valley.at(s, float(road(s)) + side)),
        }
        for name, s, road, side in places
    ]
    return numbered("SZ", "station_id", stations), numbered("WS", "terminal_id", sewage)


def environment(layout: Layout, terrain: Terrain, seed: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Return air stations, sanitation points and ancient trees."""
    rng, valley = chance(seed, "environment"), terrain.valley
    air = [
        {"name": name, "pm2_5_ug_m3": pm, "o3_ug_m3": o3, "aqi": aqi, "geometry": at_point(valley.at(s, d))}
        for name, pm, o3, aqi, s, d in (
            ("溪口空气微站", 31.0, 88.0, 45, 1470, 236),
            ("上塘水库生态站", 18.0, 96.0, 40, 1010, 330),
        )
    ]
    bins = []
    for hamlet in HAMLETS:
        road = main_road if hamlet.road == "溪口路" else ring_road
        for s in np.arange(hamlet.s0 + 40, hamlet.s1, 118):
            bins.append(
                {
                    "name": f"{hamlet.name}{len(bins) + 1}号投放点",
                    "kind": "分类投放点",
                    "state": "正常" if rng.random() < 0.9 else "满溢",
                    "geometry": at_point(valley.at(s, float(road(s)) + hamlet.side * 6.4)),
                }
            )
    for name, s, road, side in (
        ("溪口公厕", 1470, main_road, 46),
        ("上塘公厕", 680, main_road, 10),
        ("前山公厕", 1054, ring_road, -10),
        ("东坞公厕", 2258, main_road, 10),
    ):
        bins.append(
            {"name": name, "kind": "公厕", "state": "正常", "geometry": at_point(valley.at(s, float(road(s)) + side))}
        )
    bins.append(
        {
            "name": "前山垃圾分拣中心",
            "kind": "分拣中心",
            "state": "正常",
            "geometry": yard_middle(layout, "前山垃圾分拣中心"),
        }
    )
    trees = []
    for k, (species, age, s, d) in enumerate(
        (
            ("香樟", 320, 1310, 292),
            ("银杏", 510, 1290, 300),
            ("枫香", 260, 640, 312),
            ("香樟", 180, 420, 246),
            ("苦槠", 410, 2200, 420),
            ("银杏", 230, 2480, 322),
            ("枫香", 150, 1120, -330),
            ("香榧", 620, 2420, -470),
            ("香樟", 210, 1760, -292),
            ("榉树", 130, 560, -292),
            ("樟树", 115, 1470, 190),
            ("麻栎", 300, 900, 560),
        )
    ):
        trees.append(
            {
                "species": species,
                "age_years": age,
                "grade": "一级" if age >= 500 else "二级" if age >= 300 else "三级",
                "height_m": round(float(rng.uniform(13, 27)), 1),
                "girth_cm": int(rng.integers(180, 520)),
                "guardian_name": f"第{k % 9 + 1}村民小组",
                "geometry": at_point(valley.at(s, d)),
            }
        )
    return numbered("KQ", "station_id", air), numbered("HW", "point_id", bins), numbered("GS", "tree_id", trees)


def safety(layout: Layout, terrain: Terrain, houses: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """Return shelters, geological hazard points at steep feet above houses, and the hazard zones around them."""
    shelters = [
        {
            "name": f"{name}避灾安置点",
            "capacity_persons": capacity,
            "phone": telephone(300 + k),
            "geometry": yard_middle(layout, place),
        }
        for k, (name, place, capacity) in enumerate(
            (("文化礼堂", "示范村村民委员会", 260), ("小学", "示范村小学", 400), ("前山", "居家养老服务照料中心", 80))
        )
    ]
    points, zones = [], []
    for k, (name, kind, s, side) in enumerate(
        (
            ("上塘后山", "滑坡", 520, 1),
            ("溪口后山", "崩塌", 1240, 1),
            ("石坞口", "泥石流", 2150, 1),
            ("东坞后山", "滑坡", 2520, 1),
            ("前山脚", "滑坡", 1480, -1),
            ("石埠", "崩塌", 600, -1),
        )
    ):
        d = np.arange(215, 620, 6.0) * side
        ray = terrain.valley.at(s, d)
        steep = int(np.argmax(terrain.sample(terrain.slope, ray) > 0.24)) or 20
        spot, below = ray[min(steep + 3, len(ray) - 1)], ray[max(steep - 14, 0)]
        zone = shapely.set_precision(shapely.LineString([spot, below]).buffer(46, quad_segs=5), 0.001)
        near = {
            row["household_id"]
            for row in houses
            if row["year"] == 2025 and row["household_id"] and zone.intersects(row["geometry"])
        }
        facts = {
            "name": f"{name}{kind}隐患点",
            "kind": kind,
            "grade": ("中", "低", "高", "中", "低", "低")[k],
            "warning": ("黄", "蓝", "橙", "蓝", "蓝", "蓝")[k],
            "households": len(near),
            "patrol_name": ("陈国强", "沈建平", "姚志明", "蔡伟民", "徐海根", "朱水林")[k],
            "patrol_phone": telephone(400 + k),
        }
        points.append({"hazard_id": f"DZ{k + 1:03d}", **facts, "geometry": at_point(spot)})
        zones.append({"zone_id": f"FX{k + 1:03d}", "hazard_id": f"DZ{k + 1:03d}", **facts, "geometry": zone})
    return numbered("BZ", "shelter_id", shelters), points, zones
