"""Things that stand at a point: services, stops, stations, trees, shelters, hazards, businesses, and place names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.frame import chance
from etl.demo.layout import Layout, main_road, ring_road
from etl.demo.people import telephone
from etl.demo.terrain import RESERVOIR_LEVEL_M, Terrain

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]


def at_point(xy: np.ndarray) -> shapely.Point:
    """Return a point on the millimetre grid."""
    return shapely.Point(np.round(np.asarray(xy, float).reshape(-1)[:2], 3))


def numbered(prefix: str, key: str, rows: Sequence[Row]) -> list[Row]:
    """Return the rows with identifiers counted from 001."""
    return [{key: f"{prefix}{k + 1:03d}", **row} for k, row in enumerate(rows)]


def yard_middle(layout: Layout, name: str) -> shapely.Point:
    """Return the middle of a named yard."""
    plot = next(plot for plot in layout.plots if plot.name == name)
    return at_point(shapely.get_coordinates(plot.polygon.centroid))


def public_facilities(layout: Layout, terrain: Terrain) -> list[Row]:
    """Return public services with their kind, hours and telephone."""
    hall = yard_middle(layout, "示范村村民委员会")
    rows = [
        ("示范村便民服务中心", "政务服务", hall, "08:30-17:00"),
        ("示范村文化礼堂", "文化", shapely.Point(hall.x + 18, hall.y + 6), "08:00-20:30"),
        ("示范村小学", "教育", yard_middle(layout, "示范村小学"), "07:30-16:30"),
        ("示范村卫生室", "卫生", yard_middle(layout, "示范村卫生室"), "08:00-17:30"),
        ("居家养老服务照料中心", "养老", yard_middle(layout, "居家养老服务照料中心"), "08:00-18:00"),
        ("溪口文化广场", "文体", yard_middle(layout, "溪口文化广场"), "全天"),
        ("溪口农贸市场", "商业", yard_middle(layout, "溪口商业街"), "05:30-18:00"),
        ("上塘文体活动点", "文体", at_point(terrain.valley.at(455, main_road(455) + 14)), "全天"),
        ("东坞文体活动点", "文体", at_point(terrain.valley.at(2440, main_road(2440) + 14)), "全天"),
        ("前山健身点", "文体", at_point(terrain.valley.at(1480, ring_road(1480) - 12)), "全天"),
        ("溪口邮政服务点", "邮政", at_point(terrain.valley.at(1540, main_road(1540) - 14)), "09:00-16:00"),
        ("示范村农商行服务点", "金融", at_point(terrain.valley.at(1548, main_road(1548) - 16)), "08:30-16:30"),
    ]
    return numbered(
        "GF",
        "facility_id",
        [
            {
                "name": name,
                "kind": kind,
                "opening_hours": hours,
                "phone": telephone(200 + k),
                "geometry": at_point(shapely.get_coordinates(at)),
            }
            for k, (name, kind, at, hours) in enumerate(rows)
        ],
    )


def health(layout: Layout) -> tuple[list[Row], list[Row]]:
    """Return the clinic and the defibrillators."""
    clinic = yard_middle(layout, "示范村卫生室")
    clinics = [
        {
            "clinic_id": "WS001",
            "name": "示范村卫生室",
            "doctors": 2,
            "beds": 4,
            "opening_hours": "08:00-17:30",
            "phone": telephone(203),
            "geometry": clinic,
        }
    ]
    spots = ("示范村村民委员会", "示范村小学", "溪口文化广场", "居家养老服务照料中心", "前山民宿")
    aeds = [
        {
            "name": f"{name}AED",
            "place": f"{name}门厅",
            "access": "全天" if k == 2 else "08:00-20:00",
            "checked_date": f"2025-10-1{k}",
            "geometry": yard_middle(layout, name),
        }
        for k, name in enumerate(spots)
    ]
    return clinics, numbered("AED", "aed_id", aeds)


def transport(terrain: Terrain) -> tuple[list[Row], list[Row]]:
    """Return bus stops on the roads and transformers beside them."""
    valley, stops = terrain.valley, []
    for name, s, road in (
        ("上塘站", 440, main_road),
        ("上塘水库路口站", 990, main_road),
        ("溪口站", 1410, main_road),
        ("小学站", 1632, main_road),
        ("石坞站", 2120, main_road),
        ("东坞站", 2450, main_road),
        ("前山站", 1420, ring_road),
        ("石埠站", 610, ring_road),
    ):
        stops.append(
            {
                "name": name,
                "routes": "313路" if road is main_road else "313路支线",
                "headway_min": 30,
                "has_shelter": s in (1410, 440, 2450, 1420),
                "geometry": at_point(valley.at(s, float(road(s)) + (4.6 if road is main_road else 3.4))),
            }
        )
    power = []
    for name, s, road, side in (
        ("上塘1#", 330, main_road, 12),
        ("上塘2#", 600, main_road, 104),
        ("溪口1#", 1160, main_road, 12),
        ("溪口2#", 1330, main_road, 100),
        ("溪口3#", 1560, main_road, -60),
        ("溪口4#", 1800, main_road, 12),
        ("石坞1#", 2090, main_road, 10),
        ("东坞1#", 2300, main_road, 102),
        ("东坞2#", 2640, main_road, 10),
        ("前山1#", 1200, ring_road, -104),
        ("前山2#", 1700, ring_road, -104),
        ("石埠1#", 560, ring_road, -80),
        ("鱼塘1#", 2310, ring_road, 8),
    ):
        power.append(
            {
                "name": f"{name}公变",
                "capacity_kva": 200 if "鱼塘" in name else 400,
                "households": 0,
                "geometry": at_point(valley.at(s, float(road(s)) + side)),
            }
        )
    return numbered("BS", "stop_id", stops), numbered("TB", "transformer_id", power)


def businesses(layout: Layout, houses: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """Return registered enterprises and homestays, most of them in ordinary houses."""
    rng = chance(seed, "business")
    homes = [row for row in houses if row["year"] == 2025 and row["use"] == "住宅"]
    picked = [homes[k] for k in sorted(rng.permutation(len(homes))[:34])]
    kinds = (
        "小卖部",
        "农家乐",
        "农资店",
        "早餐店",
        "理发店",
        "电商服务站",
        "竹编工坊",
        "粮油加工坊",
        "修理铺",
        "快递代收点",
    )
    enterprises = [
        {
            "name": name,
            "kind": kind,
            "credit_code": f"9133059900{k:07d}X",
            "employees": people,
            "geometry": yard_middle(layout, name),
            "address": "",
        }
        for k, (name, kind, people) in enumerate((("石坞竹制品厂", "制造", 46), ("示范村茶叶加工厂", "加工", 18)))
    ]
    for k, row in enumerate(picked[:22]):
        kind = kinds[k % len(kinds)]
        enterprises.append(
            {
                "name": f"{row['hamlet']}{('惠民', '溪源', '山里', '永兴', '好邻居')[k % 5]}{kind}",
                "kind": kind,
                "credit_code": f"9233059900{k:07d}X",
                "employees": int(rng.integers(1, 6)),
                "address": row["address"],
                "geometry": row["geometry"].centroid,
            }
        )
    stays = [
        {
            "name": f"{('云水', '竹里', '溪畔', '听泉', '半山', '望塘')[k % 6]}{('小院', '山居', '民宿')[k % 3]}",
            "rooms": int(rng.integers(3, 14)),
            "star": ("白金宿", "金宿", "银宿", "")[k % 4],
            "address": row["address"],
            "building_id": row["building_id"],
            "phone": telephone(500 + k),
            "geometry": row["geometry"].centroid,
        }
        for k, row in enumerate(picked[22:])
    ]
    return numbered("QY", "enterprise_id", enterprises), numbered("MS", "homestay_id", stays)


def places(layout: Layout, terrain: Terrain, summits: Sequence[tuple[str, np.ndarray, float]]) -> list[Row]:
    """Return place names: hamlets, hills with their heights, waters, bridges and valleys."""
    valley = terrain.valley
    rows = [
        {"name": h, "kind": "自然村", "rank": rank, "elevation_m": None, "geometry": at_point(valley.at(s, d))}
        for h, s, d, rank in (
            ("溪口", 1420, 300, 1),
            ("上塘", 450, 236, 2),
            ("前山", 1440, -268, 2),
            ("东坞", 2450, 256, 2),
            ("南坞", 2420, -232, 3),
            ("石埠", 620, -236, 3),
        )
    ]
    rows += [
        {"name": name, "kind": "山峰", "rank": 2, "elevation_m": round(height, 1), "geometry": at_point(xy)}
        for name, xy, height in summits
    ]
    rows += [
        {
            "name": "上塘水库",
            "kind": "水库",
            "rank": 2,
            "elevation_m": RESERVOIR_LEVEL_M,
            "geometry": at_point(shapely.get_coordinates(layout.reservoir.point_on_surface())),
        },
        {"name": "月塘", "kind": "水塘", "rank": 3, "elevation_m": None, "geometry": yard_middle(layout, "月塘")},
        {
            "name": "示溪",
            "kind": "河流",
            "rank": 2,
            "elevation_m": None,
            "geometry": at_point(valley.at(1900, valley.river(1900))),
        },
    ]
    rows += [
        {
            "name": name,
            "kind": "桥梁",
            "rank": 4,
            "elevation_m": None,
            "geometry": at_point(valley.at(s, valley.river(s))),
        }
        for s, name in ((350, "石埠桥"), (1455, "溪口桥"), (2640, "东坞桥"))
    ]
    for name, s, d in (
        ("上塘坞", 900, 520),
        ("石坞", 2160, 640),
        ("前山坞", 1190, -560),
        ("南坞里", 2500, -560),
        ("大畈", 900, 90),
        ("下畈", 1900, 90),
    ):
        rows.append(
            {"name": name, "kind": "地片", "rank": 4, "elevation_m": None, "geometry": at_point(valley.at(s, d))}
        )
    return numbered("DM", "place_id", rows)
