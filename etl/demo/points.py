"""Things that stand at a point: services, stops, stations, trees, shelters, hazards, businesses, and place names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from etl.demo.frame import chance
from etl.demo.layout import HAMLETS, Layout, main_road, ring_road
from etl.demo.people import telephone
from etl.demo.terrain import RESERVOIR_LEVEL_M, Terrain

Row = dict[str, Any]


def _point(xy: np.ndarray) -> shapely.Point:
    return shapely.Point(np.round(np.asarray(xy, float).reshape(-1)[:2], 3))


def _numbered(prefix: str, key: str, rows: Sequence[Row]) -> list[Row]:
    return [{key: f"{prefix}{k + 1:03d}", **row} for k, row in enumerate(rows)]


def _yard(layout: Layout, name: str) -> shapely.Point:
    plot = next(plot for plot in layout.plots if plot.name == name)
    return _point(shapely.get_coordinates(plot.polygon.centroid))


def public_facilities(layout: Layout, terrain: Terrain) -> list[Row]:
    """Return public services with their kind, hours and telephone."""
    hall = _yard(layout, "示范村村民委员会")
    rows = [
        ("示范村便民服务中心", "政务服务", hall, "08:30-17:00"),
        ("示范村文化礼堂", "文化", shapely.Point(hall.x + 18, hall.y + 6), "08:00-20:30"),
        ("示范村小学", "教育", _yard(layout, "示范村小学"), "07:30-16:30"),
        ("示范村卫生室", "卫生", _yard(layout, "示范村卫生室"), "08:00-17:30"),
        ("居家养老服务照料中心", "养老", _yard(layout, "居家养老服务照料中心"), "08:00-18:00"),
        ("溪口文化广场", "文体", _yard(layout, "溪口文化广场"), "全天"),
        ("溪口农贸市场", "商业", _yard(layout, "溪口商业街"), "05:30-18:00"),
        ("上塘文体活动点", "文体", _point(terrain.valley.at(455, main_road(455) + 14)), "全天"),
        ("东坞文体活动点", "文体", _point(terrain.valley.at(2440, main_road(2440) + 14)), "全天"),
        ("前山健身点", "文体", _point(terrain.valley.at(1480, ring_road(1480) - 12)), "全天"),
        ("溪口邮政服务点", "邮政", _point(terrain.valley.at(1540, main_road(1540) - 14)), "09:00-16:00"),
        ("示范村农商行服务点", "金融", _point(terrain.valley.at(1548, main_road(1548) - 16)), "08:30-16:30"),
    ]
    return _numbered(
        "GF",
        "facility_id",
        [
            {
                "name": name,
                "kind": kind,
                "opening_hours": hours,
                "phone": telephone(200 + k),
                "geometry": _point(shapely.get_coordinates(at)),
            }
            for k, (name, kind, at, hours) in enumerate(rows)
        ],
    )


def health(layout: Layout) -> tuple[list[Row], list[Row]]:
    """Return the clinic and the defibrillators."""
    clinic = _yard(layout, "示范村卫生室")
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
    aeds = [{"name": f"{name}AED", "place": f"{name}门厅", "access": "全天" if k == 2 else "08:00-20:00", "checked_date": "2025-10-1" + str(k),
             "geometry": _yard(layout, name)} for k, name in enumerate(spots)]  # fmt: skip
    return clinics, _numbered("AED", "aed_id", aeds)


def transport(layout: Layout, terrain: Terrain) -> tuple[list[Row], list[Row]]:
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
                "geometry": _point(valley.at(s, float(road(s)) + (4.6 if road is main_road else 3.4))),
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
                "geometry": _point(valley.at(s, float(road(s)) + side)),
            }
        )
    return _numbered("BS", "stop_id", stops), _numbered("TB", "transformer_id", power)


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
            "geometry": _point(dam + (lake - dam) * 0.15),
        },
        {
            "name": "溪口桥站",
            "kind": "水位",
            "water_level_m": 2.31,
            "alarm_level_m": 3.6,
            "quality": "Ⅲ",
            "geometry": _point(valley.at(1450, valley.river(1450))),
        },
        {
            "name": "上塘入境断面",
            "kind": "水质",
            "water_level_m": 1.42,
            "alarm_level_m": 3.2,
            "quality": "Ⅱ",
            "geometry": _point(valley.at(300, valley.river(300))),
        },
        {
            "name": "东坞出境断面",
            "kind": "水质",
            "water_level_m": 1.98,
            "alarm_level_m": 3.4,
            "quality": "Ⅲ",
            "geometry": _point(valley.at(2760, valley.river(2760))),
        },
        {
            "name": "石坞溪口站",
            "kind": "雨量水位",
            "water_level_m": 0.66,
            "alarm_level_m": 1.8,
            "quality": "Ⅱ",
            "geometry": _point(valley.at(2200, main_road(2200) + 6)),
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
            "geometry": _point(valley.at(s, float(road(s)) + side)),
        }
        for name, s, road, side in places
    ]
    return _numbered("SZ", "station_id", stations), _numbered("WS", "terminal_id", sewage)


def environment(layout: Layout, terrain: Terrain, seed: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Return air stations, sanitation points and ancient trees."""
    rng, valley = chance(seed, "environment"), terrain.valley
    air = [
        {"name": name, "pm2_5_ug_m3": pm, "o3_ug_m3": o3, "aqi": aqi, "geometry": _point(valley.at(s, d))}
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
                    "geometry": _point(valley.at(s, float(road(s)) + hamlet.side * 6.4)),
                }
            )
    for name, s, road, side in (
        ("溪口公厕", 1470, main_road, 46),
        ("上塘公厕", 680, main_road, 10),
        ("前山公厕", 1054, ring_road, -10),
        ("东坞公厕", 2258, main_road, 10),
    ):
        bins.append(
            {"name": name, "kind": "公厕", "state": "正常", "geometry": _point(valley.at(s, float(road(s)) + side))}
        )
    bins.append(
        {"name": "前山垃圾分拣中心", "kind": "分拣中心", "state": "正常", "geometry": _yard(layout, "前山垃圾分拣中心")}
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
                "geometry": _point(valley.at(s, d)),
            }
        )
    return _numbered("KQ", "station_id", air), _numbered("HW", "point_id", bins), _numbered("GS", "tree_id", trees)


def safety(layout: Layout, terrain: Terrain, houses: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """Return shelters, geological hazard points at steep feet above houses, and the hazard zones around them."""
    shelters = [
        {
            "name": f"{name}避灾安置点",
            "capacity_persons": capacity,
            "phone": telephone(300 + k),
            "geometry": _yard(layout, place),
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
        points.append({"hazard_id": f"DZ{k + 1:03d}", **facts, "geometry": _point(spot)})
        zones.append({"zone_id": f"FX{k + 1:03d}", "hazard_id": f"DZ{k + 1:03d}", **facts, "geometry": zone})
    return _numbered("BZ", "shelter_id", shelters), points, zones


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
            "geometry": _yard(layout, name),
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
    return _numbered("QY", "enterprise_id", enterprises), _numbered("MS", "homestay_id", stays)


def places(layout: Layout, terrain: Terrain, summits: Sequence[tuple[str, np.ndarray, float]]) -> list[Row]:
    """Return place names: hamlets, hills with their heights, waters, bridges and valleys."""
    valley = terrain.valley
    rows = [
        {"name": h, "kind": "自然村", "rank": rank, "elevation_m": None, "geometry": _point(valley.at(s, d))}
        for h, s, d, rank in (
            ("溪口", 1420, 300, 1),
            ("上塘", 450, 236, 2),
            ("前山", 1440, -268, 2),
            ("东坞", 2450, 256, 2),
            ("石埠", 620, -236, 3),
        )
    ]
    rows += [
        {"name": name, "kind": "山峰", "rank": 2, "elevation_m": round(height, 1), "geometry": _point(xy)}
        for name, xy, height in summits
    ]
    rows += [
        {
            "name": "上塘水库",
            "kind": "水库",
            "rank": 2,
            "elevation_m": RESERVOIR_LEVEL_M,
            "geometry": _point(shapely.get_coordinates(layout.reservoir.point_on_surface())),
        },
        {"name": "月塘", "kind": "水塘", "rank": 3, "elevation_m": None, "geometry": _yard(layout, "月塘")},
        {
            "name": "示溪",
            "kind": "河流",
            "rank": 2,
            "elevation_m": None,
            "geometry": _point(valley.at(1900, valley.river(1900))),
        },
    ]
    rows += [
        {
            "name": name,
            "kind": "桥梁",
            "rank": 4,
            "elevation_m": None,
            "geometry": _point(valley.at(s, valley.river(s))),
        }
        for s, name in ((350, "石埠桥"), (1455, "溪口桥"), (2640, "东坞桥"))
    ]
    for name, s, d in (
        ("上塘坞", 900, 520),
        ("石坞", 2160, 640),
        ("前山坞", 1190, -560),
        ("南坞", 2500, -560),
        ("大畈", 900, 90),
        ("下畈", 1900, 90),
    ):
        rows.append({"name": name, "kind": "地片", "rank": 4, "elevation_m": None, "geometry": _point(valley.at(s, d))})
    return _numbered("DM", "place_id", rows)
