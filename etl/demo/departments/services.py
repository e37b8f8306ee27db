"""卫健, 交通, 综合执法, 政务办, 红十字会, 供电: clinics, roads, stops, bins, facilities, AED, transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from etl.demo.departments import vectors
from etl.demo.departments.coordinates import DEGREES, gcj02, in_crs, lon_lat
from etl.demo.departments.sheets import Sheet, full_width, table, workbook
from etl.demo.departments.water import nearest_counts

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.defects import Planter
    from etl.demo.village import Truth

Row = dict[str, Any]
ZONE_40 = "EPSG:4528"
FAR_AWAY_M = 7_000.0


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write all seven deliveries."""
    _clinics(truth, raw / "06_health" / "村卫生室.xlsx")
    _roads(truth, raw / "09_transport" / "农村公路.shp")
    _stops(truth, raw / "09_transport" / "公交站点.geojson", planter)
    _bins(truth, raw / "13_law_enforcement" / "环卫设施.kml", planter)
    _facilities(truth, raw / "26_government_service" / "公共服务设施一览表.xlsx", planter)
    _defibrillators(truth, raw / "38_red_cross" / "AED点位.csv", planter)
    _transformers(truth, raw / "48_power" / "台区清单.csv", planter)


def _clinics(truth: Truth, path: Path) -> None:
    clinics = truth.tables["clinics"]
    rows = [
        {
            "机构代码": r["clinic_id"],
            "机构名称": r["name"],
            "机构类别": "村卫生室",
            "乡村医生数": r["doctors"],
            "服务时间": r["opening_hours"],
            "联系电话": r["phone"],
            "经度": lon,
            "纬度": lat,
        }
        for r, (lon, lat) in zip(clinics, lon_lat([r["geometry"] for r in clinics]), strict=True)
    ]
    workbook(path, Sheet(name="卫生室", title=["村卫生室一览表"], rows=rows))


def _roads(truth: Truth, path: Path) -> None:
    shapes = in_crs([r["geometry"] for r in truth.tables["roads"]], ZONE_40)
    rows = [
        {
            "LXBM": r["road_id"],
            "LXMC": r["name"],
            "JSDJ": r["class"],
            "LMKD": r["width_m"],
            "LMLX": r["surface"],
            "geometry": shape,
        }
        for r, shape in zip(truth.tables["roads"], shapes, strict=True)
    ]
    vectors.shapefile(path, rows, ZONE_40)


def _stops(truth: Truth, path: Path, planter: Planter) -> None:
    stops = [dict(r) for r in truth.tables["bus_stops"]]
    stray: Row = dict(stops[-1]) | {"stop_id": "BS090", "name": "县城汽车站"}
    stray["geometry"] = shapely.Point(stray["geometry"].x + FAR_AWAY_M, stray["geometry"].y)
    stops.append(stray)
    planter.count("outside_village", "bus_stop", 1)
    rows = [
        {
            "stop_id": r["stop_id"],
            "站名": r["name"],
            "途经线路": r["routes"],
            "发车间隔": r["headway_min"],
            "候车亭": "是" if r["has_shelter"] else "否",
            "geometry": shapely.Point(at),
        }
        for r, at in zip(stops, gcj02([r["geometry"] for r in stops]), strict=True)
    ]
    vectors.geojson(path, rows)


def _bins(truth: Truth, path: Path, planter: Planter) -> None:
    points = [dict(r) for r in truth.tables["sanitation_points"]]
    stray: Row = dict(points[-1]) | {"point_id": "HW900", "name": "导航误存点"}
    stray["geometry"] = shapely.Point(stray["geometry"].x - FAR_AWAY_M, stray["geometry"].y)
    points.append(stray)
    planter.count("outside_village", "sanitation_point", 1)
    rows = [
        {
            "Name": r["name"],
            "编号": r["point_id"],
            "类型": r["kind"],
            "桶数": 4 if r["kind"] == "分类投放点" else 0,
            "状态": r["state"],
            "geometry": shape,
        }
        for r, shape in zip(points, in_crs([r["geometry"] for r in points], DEGREES), strict=True)
    ]
    vectors.kml(path, "示范村环卫设施", rows)


def _facilities(truth: Truth, path: Path, planter: Planter) -> None:
    places = truth.tables["public_facilities"]
    rows: list[Row] = [
        {
            "编号": r["facility_id"],
            "设施名称": r["name"],
            "设施类别": r["kind"],
            "服务/开放时间": r["opening_hours"],
            "服务/联系电话": r["phone"],
            "位置/经度": lon,
            "位置/纬度": lat,
            "建成时间": f"20{12 + k}年9月",
            "建筑面积(㎡)": full_width(120 + 35 * k) if k % 3 == 0 else 120 + 35 * k,
        }
        for k, (r, (lon, lat)) in enumerate(zip(places, lon_lat([r["geometry"] for r in places]), strict=True))
    ]
    rows.append({"编号": f"合计{len(places)}处", "建筑面积(㎡)": f"{sum(120 + 35 * k for k in range(len(places))):,}"})
    planter.count("totals_row", "public_facility", 1)
    title = ["示范村公共服务设施一览表", "填报单位:县政务服务管理办公室   填报日期:2025年11月6日"]
    workbook(path, Sheet(name="设施", title=title, rows=rows))


def _defibrillators(truth: Truth, path: Path, planter: Planter) -> None:
    devices = truth.tables["aeds"]
    rows = [
        {
            "设备编号": r["aed_id"],
            "安放地点": r["place"],
            "设备类型": "AED",
            "开放时段": r["access"],
            "最近检查日期": r["checked_date"],
            "维护单位": "县红十字会",
            "经度": lon,
            "纬度": lat,
        }
        for r, (lon, lat) in zip(devices, lon_lat([r["geometry"] for r in devices]), strict=True)
    ]
    for row in planter.some("axes_swapped", "aed", rows):
        row["经度"], row["纬度"] = row["纬度"], row["经度"]
    table(path, rows, "utf-8-sig")


def _transformers(truth: Truth, path: Path, planter: Planter) -> None:
    units = truth.tables["transformers"]
    homes = nearest_counts([r["geometry"] for r in units], truth.tables["households"])
    rows = [
        {
            "台区编号": r["transformer_id"],
            "台区名称": r["name"],
            "容量(kVA)": r["capacity_kva"],
            "供电户数": count,
            "供电状态": "计划停电" if r["name"].startswith("石埠") else "正常",
            "经度": lon,
            "纬度": lat,
        }
        for r, count, (lon, lat) in zip(units, homes, lon_lat([r["geometry"] for r in units]), strict=True)
    ]
    for row in planter.some("required_missing", "transformer", rows, lambda r: r["供电状态"] == "正常"):
        row["台区编号"] = ""
    table(path, rows, "gb18030")
