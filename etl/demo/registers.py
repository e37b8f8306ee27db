"""What is read off parcels and land form: plan zones, controls, crops, stands, ponds, terraces, grids, contours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter

from etl.demo.frame import X0, Y0, YEARS, chance
from etl.demo.lines import level_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from etl.demo.terrain import Terrain

Row = dict[str, Any]
# land class of 三调 → plan class of 用地用海分类 (2023)
PLAN_CODES = {
    "0101": "0101",
    "0102": "0102",
    "0103": "0103",
    "0201": "0201",
    "0202": "0202",
    "0301": "0301",
    "0302": "0302",
    "0305": "0303",
    "0307": "0304",
    "0404": "0403",
    "05H1": "0901",
    "0601": "1001",
    "0702": "0703",
    "0809": "1302",
    "0810": "1401",
    "08H1": "0801",
    "08H2": "0804",
    "1003": "1202",
    "1006": "0601",
    "1101": "1701",
    "1103": "1703",
    "1104": "1704",
    "1106": "0506",
    "1107": "1705",
    "1109": "1312",
    "1202": "0602",
}
_CROPS = {
    "0101": (("水稻", 0.82), ("油菜", 0.1), ("莲藕", 0.08)),
    "0102": (("蔬菜", 0.8), ("草莓", 0.2)),
    "0103": (("番薯", 0.4), ("玉米", 0.35), ("大豆", 0.25)),
    "0201": (("黄桃", 0.35), ("杨梅", 0.3), ("梨", 0.2), ("枇杷", 0.15)),
    "0202": (("莫干黄芽茶", 1.0),),
}


def plan_zones(parcels: Sequence[Row]) -> list[Row]:
    """Unite neighbouring parcels of one plan class within a grid into zones, for each year."""
    rows, known = [], {}
    for year in YEARS:
        bins: dict[tuple[str, str], list] = {}
        for row in parcels:
            if row["year"] == year:
                bins.setdefault((row["plan_code"], row["grid_code"]), []).append(row["geometry"])
        for (code, grid), members in sorted(bins.items()):
            for polygon in shapely.get_parts(shapely.union_all(members)):
                key = polygon.normalize().wkb
                zone_id = known.setdefault(key, f"GH{len(known) + 1:04d}")
                rows.append(
                    {
                        "zone_id": zone_id,
                        "year": year,
                        "plan_code": code,
                        "grid_code": grid,
                        "approval_number": "德自然资规〔2024〕18号" if year == 2025 else "德土资〔2019〕7号",
                        "plan_status": "已批复",
                        "geometry": polygon,
                    }
                )
    return rows


def land_registers(parcels: Sequence[Row], households: Sequence[Row], seed: int) -> dict[str, list[Row]]:
    """Return crops, fish ponds, greenhouse works and forest stands, one row a parcel and year."""
    rng = chance(seed, "registers")
    tables: dict[str, list[Row]] = {"crops": [], "fish_ponds": [], "facilities": [], "forest_stands": []}
    plots: dict[str, str] = {}
    for row in parcels:
        code = row["sandiao"]
        base = {
            "parcel_id": row["parcel_id"],
            "year": row["year"],
            "grid_code": row["grid_code"],
            "area_m2": row["area_m2"],
            "geometry": row["geometry"],
        }
        luck = np.random.default_rng(int(row["parcel_id"][-8:]) + seed).random(4)
        home = households[int(luck[3] * len(households))]
        if code in _CROPS:
            plot = plots.setdefault(row["parcel_id"], f"CB{len(plots) + 1:05d}")
            tables["crops"].append(
                {
                    "plot_code": plot,
                    **base,
                    "crop_name": _pick(_CROPS[code], luck[0]),
                    "contractor_name": home["head_name"],
                    "household_id": home["household_id"],
                    "transfer": ("流转" if luck[1] < (0.2 if row["year"] == 2020 else 0.46) else "自营"),
                    "is_high_standard": bool(code == "0101" and luck[2] < 0.7),
                }
            )
        elif code == "1104" and row["zone"] != "pond":
            tables["fish_ponds"].append(
                {
                    "pond_id": f"YT{row['parcel_id'][-4:]}",
                    **base,
                    "name": row["name"] or f"{row['parcel_id'][-4:]}号塘",
                    "species": ("青虾", "鲈鱼", "草鱼", "甲鱼")[int(luck[0] * 4)],
                    "dissolved_oxygen_mg_l": round(4.2 + 4 * luck[1], 1),
                    "contractor_name": home["head_name"],
                }
            )
        elif code == "1202":
            tables["facilities"].append(
                {
                    "facility_id": f"SS{row['parcel_id'][-4:]}",
                    **base,
                    "kind": ("玻璃温室", "连栋大棚", "单体大棚")[int(luck[0] * 3)],
                    "crop_name": ("草莓", "蔬菜", "葡萄")[int(luck[1] * 3)],
                    "contractor_name": home["head_name"],
                }
            )
        elif code[:2] == "03":
            tables["forest_stands"].append(
                {
                    "stand_id": f"XB{row['parcel_id'][-4:]}",
                    **base,
                    "species": {
                        "0301": ("马尾松", "杉木", "青冈")[int(luck[0] * 3)],
                        "0302": "毛竹",
                        "0305": "灌木",
                    }.get(code, "阔叶混交"),
                    "age_years": int(8 + 40 * luck[1]),
                    "is_public_welfare": bool(luck[2] < 0.55),
                }
            )
    del rng
    return tables


def _pick(choices: tuple[tuple[str, float], ...], luck: float) -> str:
    for name, share in choices:
        if luck < share:
            return name
        luck -= share
    return choices[-1][0]


def controls(parcels: Sequence[Row], boundary: shapely.Polygon) -> tuple[list[Row], list[Row]]:
    """Return red lines (basic farmland, ecology, water protection, relics) and the plan's control lines."""
    now = [row for row in parcels if row["year"] == 2025]

    def united(codes: tuple[str, ...], least: float, grow: float = 0.0) -> list[shapely.Polygon]:
        whole = shapely.union_all(
            [row["geometry"].buffer(grow) for row in now if row["sandiao"] in codes]
        ).intersection(boundary)
        return [
            part
            for part in shapely.get_parts(shapely.set_precision(whole.buffer(-grow), 0.001))
            if part.geom_type == "Polygon" and part.area > least
        ]

    lines: list[tuple[str, str, str, str, BaseGeometry]] = [
        ("永久基本农田", "永久基本农田", "不得占用建设、挖塘、种树", "自然资源和规划局", part)
        for part in united(("0101",), 8000)
    ]
    forest = shapely.set_precision(
        shapely.union_all(
            [row["geometry"] for row in now if row["sandiao"] in ("0301", "0307") and row["elevation_m"] > 120]
        ),
        0.001,
    )
    lines += [
        ("生态保护红线", "示溪源水源涵养", "不得开发建设和开垦", "自然资源和规划局", part)
        for part in shapely.get_parts(forest)
        if part.area > 30000
    ]
    lake = shapely.set_precision(
        shapely.union_all([r["geometry"] for r in now if r["sandiao"] == "1103"]).buffer(60).intersection(boundary),
        0.001,
    )
    lines.append(("水源保护", "上塘水库保护范围", "不得养殖、排污、垦种", "水利局", lake))
    red = [
        {
            "line_id": f"DX{k + 1:03d}",
            "control_type": kind,
            "control_name": name,
            "forbidden": forbidden,
            "contact": unit,
            "geometry": part,
        }
        for k, (kind, name, forbidden, unit, part) in enumerate(lines)
    ]
    settled = united(("0702", "08H1", "08H2", "05H1", "0810", "0601", "0809"), 4000, 9)
    plan = [
        {
            "control_id": f"GK{k + 1:03d}",
            "control_type": "村庄建设边界",
            "control_name": f"村庄建设边界 {k + 1}",
            "geometry": shapely.LineString(part.exterior.coords),
        }
        for k, part in enumerate(settled)
    ]
    river = (
        shapely.union_all([r["geometry"] for r in now if r["sandiao"] in ("1101", "1106")])
        .buffer(12)
        .intersection(boundary)
    )
    plan.append(
        {
            "control_id": f"GK{len(plan) + 1:03d}",
            "control_type": "河道管理范围线",
            "control_name": "示溪河道管理范围线",
            "geometry": shapely.LineString(shapely.get_parts(river)[0].exterior.coords),
        }
    )
    return red, plan


def terraces(parcels: Sequence[Row]) -> list[Row]:
    """Return the terraced slopes: united sloping fields of the present year."""
    fields = [
        row["geometry"]
        for row in parcels
        if row["year"] == 2025 and row["zone"] == "terrace" and row["sandiao"] in ("0103", "0201", "0202")
    ]
    parts = [part for part in shapely.get_parts(shapely.union_all(fields)) if part.area > 6000]
    return [
        {"terrace_id": f"TT{k + 1:03d}", "name": f"{k + 1}号梯田", "step_m": 2.75, "geometry": part}
        for k, part in enumerate(parts)
    ]


def contours(terrain: Terrain, boundary: shapely.Polygon) -> list[Row]:
    """Return 5 m contours of the undisturbed land form within the village."""
    field, rows = gaussian_filter(terrain.z, 0.8), []
    for level in np.arange(5 * np.ceil(field.min() / 5), field.max(), 5.0):
        inside = shapely.intersection(
            np.array([line.simplify(0.6) for line in level_lines(field, level)], dtype=object), boundary
        )
        parts = [part for part in shapely.get_parts(inside) if part.geom_type == "LineString" and part.length > 30]
        rows += [
            {"elevation_m": float(level), "is_index": level % 25 == 0, "geometry": shapely.set_precision(part, 0.001)}
            for part in parts
        ]
    return [{"contour_id": f"DG{k + 1:04d}", **row} for k, row in enumerate(rows)]


def summits(terrain: Terrain, boundary: shapely.Polygon) -> list[tuple[str, np.ndarray, float]]:
    """Return the named hills: the highest ground of four quarters of the village, inside its border."""
    n = terrain.z.shape[0]
    axis = np.arange(n) * 10.0
    x, y = np.meshgrid(axis + X0, axis + Y0)
    inside = shapely.contains_xy(boundary.buffer(-60), x, y)
    found = []
    for name, u0, u1, north in (
        ("塘岭", 900, 2000, True),
        ("大前山", 900, 2000, False),
        ("石坞尖", 2000, 3000, True),
        ("乌石岗", 0, 900, True),
        ("狮子头", 2000, 3000, False),
        ("茶山", 0, 900, False),
    ):
        here = inside & (x - X0 > u0) & (x - X0 < u1) & ((terrain.d > 350) if north else (terrain.d < -350))
        k = np.argmax(np.where(here, terrain.z, -1))
        found.append((name, np.array([x.ravel()[k], y.ravel()[k]]), float(terrain.z.ravel()[k])))
    return found
