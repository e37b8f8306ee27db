"""What is watched at a point: gauges, sewage terminals, air, bins and old trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etl.demo.frame import chance
from etl.demo.layout import HAMLETS
from etl.demo.spots import at_point, find, numbered
from etl.demo.terrain import RESERVOIR_LEVEL_M

if TYPE_CHECKING:
    from etl.demo.layout import Layout
    from etl.demo.spots import Spot
    from etl.demo.terrain import Terrain

Row = dict[str, Any]
# name, kind, level, alarm level (metres), quality class, where
_GAUGES: tuple[tuple[str, str, float, float, str, Spot], ...] = (
    ("溪口桥站", "水位", 2.31, 3.6, "Ⅲ", ("示溪", 1450, 0)),
    ("上塘入境断面", "水质", 1.42, 3.2, "Ⅱ", ("示溪", 345, 0)),
    ("东坞出境断面", "水质", 1.98, 3.4, "Ⅲ", ("示溪", 2690, 0)),
    ("石坞溪口站", "雨量水位", 0.66, 1.8, "Ⅱ", ("溪口路", 2200, 6)),
)
# hamlet, tonnes a day, state, where
_TERMINALS: tuple[tuple[str, int, str, Spot], ...] = (
    ("溪口", 60, "正常", ("溪口路", 1788, -16)),
    ("上塘", 30, "正常", ("溪口路", 318, -36)),
    ("东坞", 30, "正常", ("溪口路", 2300, -16)),
    ("前山", 30, "正常", ("环村路", 1520, 14)),
    ("石埠", 30, "停运检修", ("环村路", 640, 14)),
)
_AIR: tuple[tuple[str, float, float, int, Spot], ...] = (
    ("溪口空气微站", 31.0, 88.0, 45, ("谷", 1470, 236)),
    ("上塘水库生态站", 18.0, 96.0, 40, ("谷", 1010, 330)),
)
_TOILETS: tuple[tuple[str, Spot], ...] = (
    ("溪口公厕", ("溪口路", 1470, 46)),
    ("上塘公厕", ("溪口路", 680, 10)),
    ("前山公厕", ("环村路", 1054, -10)),
    ("东坞公厕", ("溪口路", 2258, 10)),
)
_TREES: tuple[tuple[str, int, float, float], ...] = (
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


def gauges(layout: Layout, terrain: Terrain) -> list[Row]:
    """Return gauging and quality stations on river, streams and reservoir."""
    lake, dam = np.array(layout.reservoir.centroid.coords[0]), terrain.dam.mean(axis=0)
    places = [(*facts, find(spot, layout, terrain)) for *facts, spot in _GAUGES]
    by_the_dam = ("上塘水库站", "水位", 84.92, RESERVOIR_LEVEL_M, "Ⅱ", at_point(dam + (lake - dam) * 0.15))
    names = ("name", "kind", "water_level_m", "alarm_level_m", "quality", "geometry")
    return numbered("SZ", "station_id", [dict(zip(names, place, strict=True)) for place in (by_the_dam, *places)])


def sewage_terminals(layout: Layout, terrain: Terrain) -> list[Row]:
    """Return the hamlets' sewage terminals."""
    rows = [
        {
            "name": f"{name}农村生活污水处理终端",
            "capacity_t_d": capacity,
            "process": "A/O+人工湿地",
            "state": state,
            "geometry": find(spot, layout, terrain),
        }
        for name, capacity, state, spot in _TERMINALS
    ]
    return numbered("WS", "terminal_id", rows)


def air(layout: Layout, terrain: Terrain) -> list[Row]:
    """Return the air stations with their latest values."""
    rows = [
        {"name": name, "pm2_5_ug_m3": pm, "o3_ug_m3": o3, "aqi": aqi, "geometry": find(spot, layout, terrain)}
        for name, pm, o3, aqi, spot in _AIR
    ]
    return numbered("KQ", "station_id", rows)


def sanitation(layout: Layout, terrain: Terrain, seed: int) -> list[Row]:
    """Return bins along the hamlets' roads, toilets and the sorting depot."""
    rng, rows = chance(seed, "environment"), []
    for hamlet in HAMLETS:
        for s in np.arange(hamlet.s0 + 40, hamlet.s1, 118):
            name, state = f"{hamlet.name}{len(rows) + 1}号投放点", "正常" if rng.random() < 0.9 else "满溢"
            rows.append((name, "分类投放点", state, (hamlet.road, float(s), hamlet.side * 6.4)))
    rows += [(name, "公厕", "正常", spot) for name, spot in _TOILETS]
    rows.append(("前山垃圾分拣中心", "分拣中心", "正常", "前山垃圾分拣中心"))
    return numbered(
        "HW",
        "point_id",
        [
            {"name": name, "kind": kind, "state": state, "geometry": find(spot, layout, terrain)}
            for name, kind, state, spot in rows
        ],
    )


def ancient_trees(layout: Layout, terrain: Terrain, seed: int) -> list[Row]:
    """Return protected old trees; 500 years and more are grade 1, 300 and more grade 2."""
    rng = chance(seed, "trees")
    rows = [
        {
            "species": species,
            "age_years": age,
            "grade": "一级" if age >= 500 else "二级" if age >= 300 else "三级",
            "height_m": round(float(rng.uniform(13, 27)), 1),
            "girth_cm": int(rng.integers(180, 520)),
            "guardian_name": f"第{k % 9 + 1}村民小组",
            "geometry": find(("谷", s, d), layout, terrain),
        }
        for k, (species, age, s, d) in enumerate(_TREES)
    ]
    return numbered("GS", "tree_id", rows)
