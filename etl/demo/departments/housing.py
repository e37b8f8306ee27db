"""住建局 and 不动产登记中心: buildings, dwelling safety, pipes nobody can place, and homesteads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from etl.demo.defects import Planter, bow_tie, in_scientific_notation, rounded_number
from etl.demo.departments import vectors
from etl.demo.departments.sheets import Sheet, full_width, workbook
from etl.demo.frame import YEARS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.village import Truth

Row = dict[str, Any]
HOUSING, ESTATE = "10_housing", "54_real_estate"
USES = {
    **dict.fromkeys(("学校", "行政办公", "文化礼堂", "医疗卫生", "养老服务"), "公共建筑"),
    **dict.fromkeys(("商业", "农贸市场", "民宿"), "商业"),
    **dict.fromkeys(("厂房", "厂房办公"), "厂房"),
}
REPAIRS = {"A": "无需整治", "B": "无需整治", "C": "加固中", "D": "已腾空待拆"}


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write buildings and homesteads of both years, the safety register and the pipes."""
    survey = raw / HOUSING / "农村房屋调查.gpkg"
    survey.unlink(missing_ok=True)
    for year in YEARS:
        _buildings(truth, survey, year, planter)
        _homesteads(truth, raw / ESTATE / f"宅基地宗地{year}.shp", year, planter)
    _safety(truth, raw / HOUSING / "农村房屋安全鉴定台账.xlsx", planter)
    _pipes(truth, raw / HOUSING / "污水管网竣工图.shp", planter)


def _buildings(truth: Truth, path: Path, year: int, planter: Planter) -> None:
    rows = [
        {
            "FWBH": r["building_id"],
            "FWMC": r["address"] or r["name"] + ("" if r["use"] in r["name"] else r["use"]),
            "CS": r["storeys"],
            "GD": r["height_m"],
            "JGLX": r["structure"],
            "FWYT": USES.get(r["use"], r["use"]),
            "JCND": r["built_year"],
            "ZDDM": r["homestead_id"] or None,
            "geometry": r["geometry"],
        }
        for r in truth.tables["buildings"]
        if r["year"] == year
    ]
    if year == YEARS[-1]:
        for row in planter.some("bow_tie", "building", rows, lambda r: r["FWYT"] == "附属用房"):
            row["geometry"] = bow_tie(row["geometry"])
    vectors.geopackage(path, f"房屋{year}", rows, truth.crs)


def _homesteads(truth: Truth, path: Path, year: int, planter: Planter) -> None:
    homes = {r["household_id"]: r for r in truth.tables["households"]}
    rows = [
        {
            "ZDDM": r["parcel_id"],
            "QLRMC": homes[r["household_id"]]["head_name"],
            "ZJHM": homes[r["household_id"]]["id_card"],
            "HBH": r["household_id"],
            "ZL": f"示范村{r['address']}",
            "PZMJ": r["approved_area_m2"],
            "CZMJ": _over(r["area_m2"], r["approved_area_m2"]),
            "ZDMJ": round(r["area_m2"], 1),
            "geometry": r["geometry"],
        }
        for r in truth.tables["homesteads"]
        if r["year"] == year
    ]
    if year == YEARS[-1]:
        for row, factor in zip(planter.some("area_mismatch", "homestead", rows), (1.25, 0.8, 1.6), strict=True):
            row["ZDMJ"] = round(row["ZDMJ"] * factor, 1)
        planter.repeat("homestead", rows, lambda row: row | {"ZDMJ": round(row["ZDMJ"] + 4.2, 1)})
    vectors.shapefile(path, rows, truth.crs)


def _over(area_m2: float, approved_m2: float) -> float:
    """Give what a homestead takes beyond its approval, m²; under half a square metre is measuring."""
    over = round(area_m2 - approved_m2, 1)
    return over if over > 0.5 else 0.0


def _safety(truth: Truth, path: Path, planter: Planter) -> None:
    owners = {r["homestead_id"]: r for r in truth.tables["households"]}
    houses = {r["building_id"]: r for r in truth.tables["buildings"] if r["year"] == YEARS[-1]}
    rows: list[Row] = []
    for k, r in enumerate(truth.tables["house_surveys"]):
        house, owner = houses[r["building_id"]], owners[houses[r["building_id"]]["homestead_id"]]
        year, month, day = r["survey_date"].split("-")
        rows.append({
            "序号": k + 1,
            "房屋编号": r["building_id"],
            "户主/姓名": owner["head_name"],
            "户主/身份证号": owner["id_card"],
            "鉴定/等级": r["danger_grade"],
            "鉴定/日期": f"{year}年{int(month)}月" if k % 3 else f"{year}.{int(month)}.{int(day)}",
            "建筑面积(㎡)": _floor_area(house, k),
            "整治情况": REPAIRS[r["danger_grade"]],
        })  # fmt: skip
    for row in planter.some("code_unknown", "house_survey", rows):
        row["鉴定/等级"] = "E"
    for k, row in enumerate(planter.some("id_damaged", "house_survey", rows)):
        number = row["户主/身份证号"]
        row["户主/身份证号"] = in_scientific_notation(number) if k % 2 else rounded_number(number)
    planter.repeat(
        "house_survey", rows, lambda row: row | {"序号": f"补{row['序号']}", "鉴定/等级": "C", "整治情况": "加固中"}
    )
    rows.append({"序号": "合计", "建筑面积(㎡)": f"{len(rows) * 268:,}"})
    planter.count("totals_row", "house_survey", 1)
    workbook(path, Sheet(name="鉴定台账", title=["农村房屋安全鉴定台账(2025年)"], rows=rows))


def _floor_area(house: Row, k: int) -> float | str:
    area = round(house["geometry"].area * house["storeys"], 1)
    return full_width(area) if k % 17 == 5 else area


def _pipes(truth: Truth, path: Path, planter: Planter) -> None:
    """Write pipes along the village roads in the designer's own metres, with nothing that says where they lie."""
    roads = [r for r in truth.tables["roads"] if r["class"] in ("乡道", "村道")]
    corner = (truth.bounds[0], truth.bounds[1])
    rows = [
        {
            "GXBH": f"WS{k + 1:03d}",
            "GXLX": "污水主管" if r["class"] == "乡道" else "污水支管",
            "GJ": 300.0 if r["class"] == "乡道" else 200.0,
            "geometry": shapely.transform(r["geometry"], lambda xy: xy - corner),
        }
        for k, r in enumerate(roads)
    ]
    vectors.shapefile(path, rows, truth.crs, prj=False)
    planter.count("crs_absent", "sewer_pipe", 1)
