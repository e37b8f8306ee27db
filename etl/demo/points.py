"""Services and businesses at a point: halls, clinic, defibrillators, bus stops, transformers, firms and homestays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl.demo.frame import chance
from etl.demo.people import telephone
from etl.demo.spots import find, numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.demo.layout import Layout
    from etl.demo.spots import Spot
    from etl.demo.terrain import Terrain

Row = dict[str, Any]
_FACILITIES: tuple[tuple[str, str, Spot, str], ...] = (
    ("示范村便民服务中心", "政务服务", "示范村村民委员会", "08:30-17:00"),
    ("示范村文化礼堂", "文化", ("溪口路", 1430, 34), "08:00-20:30"),
    ("示范村小学", "教育", "示范村小学", "07:30-16:30"),
    ("示范村卫生室", "卫生", "示范村卫生室", "08:00-17:30"),
    ("居家养老服务照料中心", "养老", "居家养老服务照料中心", "08:00-18:00"),
    ("溪口文化广场", "文体", "溪口文化广场", "全天"),
    ("溪口农贸市场", "商业", "溪口商业街", "05:30-18:00"),
    ("上塘文体活动点", "文体", ("溪口路", 455, 14), "全天"),
    ("东坞文体活动点", "文体", ("溪口路", 2440, 14), "全天"),
    ("前山健身点", "文体", ("环村路", 1480, -12), "全天"),
    ("溪口邮政服务点", "邮政", ("溪口路", 1540, -14), "09:00-16:00"),
    ("示范村农商行服务点", "金融", ("溪口路", 1548, -16), "08:30-16:30"),
)
_AEDS = ("示范村村民委员会", "示范村小学", "溪口文化广场", "居家养老服务照料中心", "前山民宿")
# name, road, metres along it, has a shelter
_STOPS = (
    ("上塘站", "溪口路", 440, True),
    ("上塘水库路口站", "溪口路", 990, False),
    ("溪口站", "溪口路", 1410, True),
    ("小学站", "溪口路", 1632, False),
    ("石坞站", "溪口路", 2120, False),
    ("东坞站", "溪口路", 2450, True),
    ("前山站", "环村路", 1420, True),
    ("石埠站", "环村路", 610, False),
)
_TRANSFORMERS: tuple[tuple[str, Spot], ...] = (
    ("上塘1#", ("溪口路", 330, 12)),
    ("上塘2#", ("溪口路", 600, 104)),
    ("溪口1#", ("溪口路", 1160, 12)),
    ("溪口2#", ("溪口路", 1330, 100)),
    ("溪口3#", ("溪口路", 1560, -60)),
    ("溪口4#", ("溪口路", 1800, 12)),
    ("石坞1#", ("溪口路", 2090, 10)),
    ("东坞1#", ("溪口路", 2300, 102)),
    ("东坞2#", ("溪口路", 2640, 10)),
    ("前山1#", ("环村路", 1200, -104)),
    ("前山2#", ("环村路", 1700, -104)),
    ("石埠1#", ("环村路", 560, -80)),
    ("鱼塘1#", ("环村路", 2310, 8)),
)
_WORKS = (("石坞竹制品厂", "制造", 46), ("示范村茶叶加工厂", "加工", 18))
_TRADES = (
    "小卖部 农家乐 农资店 早餐店 理发店 电商服务站 竹编工坊 粮油加工坊 修理铺 快递代收点".split()  # noqa: SIM905
)
_SIGNS = ("惠民", "溪源", "山里", "永兴", "好邻居")
_INNS, _INN_KINDS = ("云水", "竹里", "溪畔", "听泉", "半山", "望塘"), ("小院", "山居", "民宿")
_STARS = ("白金宿", "金宿", "银宿", "")


def public_facilities(layout: Layout, terrain: Terrain) -> list[Row]:
    """Return public services with their kind, hours and telephone."""
    rows = [
        {
            "name": name,
            "kind": kind,
            "opening_hours": hours,
            "phone": telephone(200 + k),
            "geometry": find(spot, layout, terrain),
        }
        for k, (name, kind, spot, hours) in enumerate(_FACILITIES)
    ]
    return numbered("GF", "facility_id", rows)


def health(layout: Layout, terrain: Terrain) -> tuple[list[Row], list[Row]]:
    """Return the clinic and the defibrillators."""
    clinic = {"name": "示范村卫生室", "doctors": 2, "beds": 4, "opening_hours": "08:00-17:30", "phone": telephone(203)}
    clinic["geometry"] = find("示范村卫生室", layout, terrain)
    aeds = [
        {
            "name": f"{name}AED",
            "place": f"{name}门厅",
            "access": "全天" if "广场" in name else "08:00-20:00",
            "checked_date": f"2025-10-1{k}",
            "geometry": find(name, layout, terrain),
        }
        for k, name in enumerate(_AEDS)
    ]
    return numbered("WS", "clinic_id", [clinic]), numbered("AED", "aed_id", aeds)


def transport(layout: Layout, terrain: Terrain) -> tuple[list[Row], list[Row]]:
    """Return bus stops on the roads and transformers beside them."""
    stops = [
        {
            "name": name,
            "routes": "313路" if road == "溪口路" else "313路支线",
            "headway_min": 30,
            "has_shelter": sheltered,
            "geometry": find((road, s, 4.6 if road == "溪口路" else 3.4), layout, terrain),
        }
        for name, road, s, sheltered in _STOPS
    ]
    power = [
        {
            "name": f"{name}公变",
            "capacity_kva": 200 if "鱼塘" in name else 400,
            "geometry": find(spot, layout, terrain),
        }
        for name, spot in _TRANSFORMERS
    ]
    return numbered("BS", "stop_id", stops), numbered("TB", "transformer_id", power)


def businesses(layout: Layout, terrain: Terrain, houses: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """Return registered enterprises and homestays, most of them in ordinary houses."""
    rng = chance(seed, "business")
    homes = [row for row in houses if row["year"] == 2025 and row["use"] == "住宅"]
    picked = [homes[k] for k in sorted(rng.permutation(len(homes))[:34])]
    firms = [
        {
            "name": name,
            "kind": kind,
            "credit_code": f"9133059900{k:07d}X",
            "employees": people,
            "address": "",
            "geometry": find(name, layout, terrain),
        }
        for k, (name, kind, people) in enumerate(_WORKS)
    ]
    firms += [_shop(k, row, int(rng.integers(1, 6))) for k, row in enumerate(picked[:22])]
    stays = [_homestay(k, row, int(rng.integers(3, 14))) for k, row in enumerate(picked[22:])]
    return numbered("QY", "enterprise_id", firms), numbered("MS", "homestay_id", stays)


def _shop(k: int, house: Row, people: int) -> Row:
    kind = _TRADES[k % len(_TRADES)]
    return {
        "name": f"{house['hamlet']}{_SIGNS[k % len(_SIGNS)]}{kind}",
        "kind": kind,
        "credit_code": f"9233059900{k:07d}X",
        "employees": people,
        "address": house["address"],
        "geometry": house["geometry"].centroid,
    }


def _homestay(k: int, house: Row, rooms: int) -> Row:
    return {
        "name": f"{_INNS[k % len(_INNS)]}{_INN_KINDS[k % len(_INN_KINDS)]}",
        "rooms": rooms,
        "star": _STARS[k % len(_STARS)],
        "address": house["address"],
        "building_id": house["building_id"],
        "phone": telephone(500 + k),
        "geometry": house["geometry"].centroid,
    }
