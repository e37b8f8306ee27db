"""What is read off parcels and land form: plan zones, controls, crops, stands, ponds, terraces, grids, contours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.frame import YEARS

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    tables: dict[str, list[Row]] = {"crops": [], "fish_ponds": [], "facilities": [], "forest_stands": []}
    ponds = _pond_names(parcels)
    for row in parcels:
        code = row["sandiao"]
        luck = np.random.default_rng(int(row["parcel_id"][-8:]) + seed).random(4).tolist()
        base = {key: row[key] for key in ("parcel_id", "year", "grid_code", "area_m2", "geometry")}
        holder = households[int(luck[3] * len(households))]
        if code in _CROPS:
            tables["crops"].append(base | _crop(row, luck, holder))
        elif code == "1104" and row["zone"] != "pond":
            tables["fish_ponds"].append(base | _fish_pond(row, ponds[row["parcel_id"]], luck, holder))
        elif code == "1202":
            tables["facilities"].append(base | _greenhouse(row, luck, holder))
        elif code[:2] == "03":
            tables["forest_stands"].append(base | _stand(row, luck))
    return tables


def _pond_names(parcels: Sequence[Row]) -> dict[str, int]:
    """Return the ponds' numbers from west to east; a pond keeps its number over the years."""
    ponds = {row["parcel_id"]: row["geometry"].centroid.x for row in parcels if row["sandiao"] == "1104"}
    return {parcel_id: k + 1 for k, parcel_id in enumerate(sorted(ponds, key=lambda one: ponds[one]))}


def _crop(row: Row, luck: list[float], holder: Row) -> Row:
    let = 0.2 if row["year"] == 2020 else 0.46
    return {
        "plot_code": f"CB{row['parcel_id'][-5:]}",
        "crop_name": _pick(_CROPS[row["sandiao"]], luck[0]),
        "contractor_name": holder["head_name"],
        "household_id": holder["household_id"],
        "transfer": "流转" if luck[1] < let else "自营",
        "is_high_standard": row["sandiao"] == "0101" and luck[2] < 0.7,
    }


def _fish_pond(row: Row, number: int, luck: list[float], holder: Row) -> Row:
    return {
        "pond_id": f"YT{row['parcel_id'][-4:]}",
        "name": f"{number}号塘",
        "species": ("青虾", "鲈鱼", "草鱼", "甲鱼")[int(luck[0] * 4)],
        "dissolved_oxygen_mg_l": 4.6 if number == 3 else round(5.2 + 3 * luck[1], 1),
        "contractor_name": holder["head_name"],
    }


def _greenhouse(row: Row, luck: list[float], holder: Row) -> Row:
    return {
        "facility_id": f"SS{row['parcel_id'][-4:]}",
        "kind": ("玻璃温室", "连栋大棚", "单体大棚")[int(luck[0] * 3)],
        "crop_name": ("草莓", "蔬菜", "葡萄")[int(luck[1] * 3)],
        "contractor_name": holder["head_name"],
    }


def _stand(row: Row, luck: list[float]) -> Row:
    arbor = ("马尾松", "杉木", "青冈")[int(luck[0] * 3)]
    return {
        "stand_id": f"XB{row['parcel_id'][-4:]}",
        "species": {"0301": arbor, "0302": "毛竹", "0305": "灌木"}.get(row["sandiao"], "阔叶混交"),
        "age_years": int(8 + 40 * luck[1]),
        "is_public_welfare": luck[2] < 0.55,
    }


def _pick(choices: tuple[tuple[str, float], ...], luck: float) -> str:
    for name, share in choices:
        if luck < share:
            return name
        luck -= share
    return choices[-1][0]
