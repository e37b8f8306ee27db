"""自然资源和规划局, what is there: land cover in GBK shapefiles, change suspects, contours, hazards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.defects import Planter, bow_tie, small_loop
from etl.demo.departments import vectors
from etl.demo.departments.coordinates import DEGREES, dms, in_crs, lon_lat, place
from etl.demo.departments.names import title_of
from etl.demo.departments.sheets import Sheet, full_width, workbook
from etl.demo.frame import YEARS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.village import Truth

Row = dict[str, Any]
FOLDER = "01_natural_resources"
ZONE_40 = "EPSG:4528"
FAR_AWAY_M = 9_000.0
_UNKNOWN = ("011", "013", "0709", "1O01")
_ABOLISHED = ("0803", "0805", "0506")


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write land cover of both years, the change suspects, the boundary, the contours and the hazard register."""
    folder = raw / FOLDER
    for year in YEARS:
        _land_cover(truth, folder / f"DLTB{year}.shp", year, planter)
    _change_spots(truth, folder / "变化图斑2025Q3.geojson", planter)
    village = truth.tables["village"][0]
    shape = in_crs([village["geometry"]], DEGREES)[0]
    row = {"XZQDM": village["village_code"], "XZQMC": village["name"], "geometry": shapely.set_precision(shape, 1e-8)}
    vectors.geojson(folder / "CJDCQ.geojson", [row])
    lines = [
        {"BSM": r["contour_id"], "GC": r["elevation_m"], "geometry": r["geometry"]} for r in truth.tables["contours"]
    ]
    vectors.shapefile(folder / "DGX.shp", lines, truth.crs, encoding="UTF-8", cpg="UTF-8")
    _hazards(truth, folder / "地质灾害隐患点台账.xlsx", planter)


def _land_cover(truth: Truth, path: Path, year: int, planter: Planter) -> None:
    rows = [
        {
            "BSM": r["parcel_id"],
            "DLBM": r["sandiao"],
            "DLMC": title_of("sandiao@2019", r["sandiao"]),
            "QSDWMC": r["owner_unit_name"],
            "TBMJ": round(r["area_m2"], 2),
            "geometry": r["geometry"],
        }
        for r in truth.tables["parcels"]
        if r["year"] == year
    ]
    if year == YEARS[-1]:
        _spoil(rows, planter)
    place(rows, ZONE_40)
    vectors.shapefile(path, rows, ZONE_40)


def _spoil(rows: list[Row], planter: Planter) -> None:
    def whole(row: Row) -> bool:
        return row["TBMJ"] > 600 and not row["geometry"].interiors and len(row["geometry"].exterior.coords) > 5

    for row in planter.some("bow_tie", "land_cover", rows, whole):
        row["geometry"] = bow_tie(row["geometry"])
    for row in planter.some("small_loop", "land_cover", rows, whole):
        row["geometry"] = small_loop(row["geometry"])
    for row, code in zip(planter.some("code_unknown", "land_cover", rows), _UNKNOWN, strict=True):
        row["DLBM"] = code
    for row, code in zip(planter.some("code_abolished", "land_cover", rows), _ABOLISHED, strict=True):
        row["DLBM"] = code
    for row, factor in zip(
        planter.some("area_mismatch", "land_cover", rows, whole), (1.4, 0.6, 1.2, 0.85, 2.0), strict=True
    ):
        row["TBMJ"] = round(row["TBMJ"] * factor, 2)
    for row, area in zip(planter.some("area_not_positive", "land_cover", rows), (0.0, -1.0, 0.0), strict=True):
        row["TBMJ"] = area
    planter.repeat("land_cover", rows)


def _change_spots(truth: Truth, path: Path, planter: Planter) -> None:
    """Report where the land class of 2025 is not that of 2020 at the same place, parcels over 200 m²."""
    before = [r for r in truth.tables["parcels"] if r["year"] == YEARS[0]]
    after = [r for r in truth.tables["parcels"] if r["year"] == YEARS[-1]]
    inner = shapely.point_on_surface(np.array([r["geometry"] for r in after], dtype=object))
    at, there = shapely.STRtree([r["geometry"] for r in before]).query(inner, predicate="within")
    changed = [
        (after[a], before[b])
        for a, b in sorted(zip(at.tolist(), there.tolist(), strict=True))
        if after[a]["sandiao"] != before[b]["sandiao"] and after[a]["area_m2"] > 200
    ]
    shapes = in_crs([now["geometry"] for now, _ in changed], DEGREES)
    rows = [
        {
            "TBBH": f"BH2025{k + 1:03d}",
            "QDL": old["sandiao"],
            "HDL": now["sandiao"],
            "HCZT": ("合法", "待核查", "合法", "违法待整改", "合法")[k % 5],
            "MJ": round(now["area_m2"], 1),
            "geometry": shape,
        }
        for k, ((now, old), shape) in enumerate(zip(changed, shapes, strict=True))
    ]
    vectors.geojson(path, rows, unclosed=planter.some("ring_unclosed", "change_spot", rows))


def _hazards(truth: Truth, path: Path, planter: Planter) -> None:
    rows: list[Row] = []
    register = [dict(r) for r in truth.tables["geohazards"]]
    stray: Row = dict(register[-1]) | {"hazard_id": "DZ090", "name": "邻村竹岭滑坡隐患点"}
    stray["geometry"] = shapely.Point(stray["geometry"].x + FAR_AWAY_M, stray["geometry"].y)
    planter.count("outside_village", "geohazard", 1)
    register.append(stray)
    for k, (r, (lon, lat)) in enumerate(zip(register, lon_lat([r["geometry"] for r in register]), strict=True)):
        rows.append({
            "序号": k + 1,
            "隐患点编号": r["hazard_id"],
            "隐患点名称": r["name"],
            "灾害类型": r["kind"],
            "风险等级": r["warning"],
            "经度": dms(lon, fancy=k % 2 == 0),
            "纬度": dms(lat, fancy=k % 2 == 0),
            "威胁户数": full_width(r["households"]) if k == 1 else r["households"],
            "威胁人数": r["households"] * 3,
            "责任人": r["patrol_name"],
            "责任人电话": r["patrol_phone"],
            "最近巡查日期": f"2025年9月{k + 3}日",
        })  # fmt: skip
    rows.append(
        {
            "序号": "合计",
            "威胁户数": sum(r["households"] for r in register),
            "威胁人数": 3 * sum(r["households"] for r in register),
        }
    )
    planter.count("totals_row", "geohazard", 1)
    workbook(path, Sheet(name="隐患点", title=["示范村地质灾害隐患点台账"], rows=rows))
