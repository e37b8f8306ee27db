"""文旅局 and 市场监管局: homestays picked on Baidu's map, enterprises picked on AutoNavi's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from etl.demo.departments import vectors
from etl.demo.departments.coordinates import bd09, gcj02
from etl.demo.departments.sheets import table

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.defects import Planter
    from etl.demo.village import Truth

Row = dict[str, Any]
FAR_AWAY_M = 8_000.0
COMPANIES = frozenset({"制造", "加工"})


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write the homestays and the enterprises."""
    _homestays(truth, raw / "11_culture_tourism" / "民宿名录.geojson")
    _enterprises(truth, raw / "12_market" / "市场主体导出.csv", planter)


def _owners(truth: Truth) -> dict[str, str]:
    return {r["address"]: r["head_name"] for r in truth.tables["households"]}


def _homestays(truth: Truth, path: Path) -> None:
    stays, owners = truth.tables["homestays"], _owners(truth)
    rows = [
        {
            "djbh": r["homestay_id"],
            "mc": r["name"],
            "dj": r["star"] or "未评级",
            "kfs": r["rooms"],
            "cws": r["rooms"] * 2,
            "jyz": owners.get(r["address"], "示范村股份经济合作社"),
            "yddh": r["phone"],
            "fwbh": r["building_id"],
            "geometry": shapely.Point(at),
        }
        for r, at in zip(stays, bd09([r["geometry"] for r in stays]), strict=True)
    ]
    vectors.geojson(path, rows)


def _enterprises(truth: Truth, path: Path, planter: Planter) -> None:
    owners = _owners(truth)
    firms = [dict(r) for r in truth.tables["enterprises"]]
    for k in range(2):
        stray: Row = dict(firms[-1 - k]) | {"name": f"邻镇第{k + 1}百货店", "credit_code": f"9233059909{k:07d}X"}
        stray["geometry"] = shapely.Point(stray["geometry"].x + FAR_AWAY_M, stray["geometry"].y + k * 500)
        firms.append(stray)
        planter.count("outside_village", "enterprise", 1)
    strays = {r["credit_code"] for r in firms[-2:]}
    rows = [
        {
            "统一社会信用代码": r["credit_code"],
            "名称": r["name"],
            "主体类型": _kind(r),
            "行业": r["kind"],
            "法定代表人": owners.get(r["address"], "陈建国"),
            "成立日期": f"20{10 + k % 15}年{1 + k % 12}月",
            "从业人数": r["employees"],
            "经度": lon,
            "纬度": lat,
        }
        for k, (r, (lon, lat)) in enumerate(zip(firms, gcj02([r["geometry"] for r in firms]), strict=True))
    ]
    planter.repeat("enterprise", rows, fit=lambda r: r["统一社会信用代码"] not in strays)
    table(path, rows, "gb18030")


def _kind(firm: Row) -> str:
    if firm["kind"] in COMPANIES:
        return "企业"
    return "农民专业合作社" if firm["kind"] in ("粮油加工坊", "竹编工坊") else "个体工商户"
