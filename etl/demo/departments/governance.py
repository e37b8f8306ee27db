"""应急局, 政法委, 社会工作部: shelters, the grids with their workers, and the hotline's export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl.demo.departments import vectors
from etl.demo.departments.coordinates import DEGREES, gcj02, in_crs, lon_lat
from etl.demo.departments.sheets import Sheet, full_width, workbook

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.defects import Planter
    from etl.demo.village import Truth

Row = dict[str, Any]
CLOSED = "办结"


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write the shelters, the grids and the cases."""
    _shelters(truth, raw / "08_emergency" / "避灾安置场所.xlsx", planter)
    _grids(truth, raw / "28_politics_law" / "网格划分.geojson")
    _cases(truth, raw / "32_social_work" / "12345工单导出.xlsx", planter)


def _shelters(truth: Truth, path: Path, planter: Planter) -> None:
    shelters = truth.tables["shelters"]
    keepers = ("王建平", "周敏", "李敏")
    rows: list[Row] = [
        {
            "编号": r["shelter_id"],
            "场所名称": r["name"],
            "场所类型": "避灾安置点",
            "可容纳人数": full_width(r["capacity_persons"]) if k == 0 else r["capacity_persons"],
            "管理员": keepers[k % 3],
            "电话": r["phone"],
            "启用日期": ("2021年9月", "2019.6", "2023年3月15日")[k % 3],
            "经度": lon,
            "纬度": lat,
        }
        for k, (r, (lon, lat)) in enumerate(zip(shelters, lon_lat([r["geometry"] for r in shelters]), strict=True))
    ]
    rows.append({"编号": "合计", "可容纳人数": sum(r["capacity_persons"] for r in shelters)})
    planter.count("totals_row", "shelter", 1)
    workbook(path, Sheet(name="避灾场所", title=["示范村避灾安置场所登记表"], rows=rows))


def _grids(truth: Truth, path: Path) -> None:
    grids = truth.tables["grids"]
    homes = [r["grid_code"] for r in truth.tables["households"]]
    rows = [
        {
            "wgbm": r["grid_code"],
            "wgmc": r["grid_name"],
            "wgy": r["worker_name"],
            "wgydh": r["worker_phone"],
            "hs": homes.count(r["grid_code"]),
            "geometry": shape,
        }
        for r, shape in zip(grids, in_crs([r["geometry"] for r in grids], DEGREES), strict=True)
    ]
    vectors.geojson(path, rows)


def _cases(truth: Truth, path: Path, planter: Planter) -> None:
    """Write the hotline's eighteen columns, then the grid and the position its clerk picked on a phone map."""
    cases = truth.tables["cases"]
    grid_of = {r["address"]: r["grid_code"] for r in truth.tables["households"]}
    names = {r["grid_code"]: r["grid_name"] for r in truth.tables["grids"]}
    rows: list[Row] = [
        _case(r, at, names.get(grid_of.get(r["address"], ""), ""))
        for r, at in zip(cases, gcj02([r["geometry"] for r in cases]), strict=True)
    ]
    for row in planter.some("required_missing", "case_order", rows, lambda r: r["办件状态"] == CLOSED):
        row["办件编号"] = None
    planter.repeat("case_order", rows)
    rows.append({"序号": "合计", "办件编号": f"{len(rows)}件"})
    planter.count("totals_row", "case_order", 1)
    workbook(path, Sheet(name="Sheet1", title=["12345政务服务便民热线办件明细(2025年9月1日至11月21日)"], rows=rows))


def _case(case: Row, at: tuple[float, float], grid: str) -> Row:
    return {
        "序号": case["sequence"],
        "办件编号": case["case_id"],
        "办件来源": case["source"],
        "市级编号": case["city_number"],
        "诉求主题": case["topic"],
        "诉求内容": case["content"],
        "办理单位": case["unit"],
        "办理科室": case["office"],
        "诉求人": case["caller_name"],
        "诉求人电话": case["caller_phone"],
        "处理结果": case["result"],
        "事项大类": case["category"],
        "事项小类": case["subcategory"],
        "派发时间": f"{case['sent_at']:%Y-%m-%d %H:%M}",
        "承诺完成时间": f"{case['due_at']:%Y-%m-%d %H:%M}",
        "办件状态": case["state"],
        "派单员": case["dispatcher"],
        "预警状态": "已办结" if case["state"] == CLOSED else case["alert"],
        "所属网格": grid,
        "发生地点/经度": at[0],
        "发生地点/纬度": at[1],
    }
