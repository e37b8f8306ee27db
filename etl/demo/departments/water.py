"""生态环境分局 and 水利局: stations, terminals, rivers with their chiefs, waters, and flash flood zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from etl.demo.departments import vectors
from etl.demo.departments.coordinates import DEGREES, in_crs, lon_lat
from etl.demo.departments.sheets import Sheet, full_width, table, workbook

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.defects import Planter
    from etl.demo.village import Truth

Row = dict[str, Any]
ECOLOGY, WATER = "03_ecology", "04_water_resources"
GRADES = ((50, "优"), (100, "良"), (150, "轻度污染"))


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write both bureaus' deliveries."""
    _terminals(truth, raw / ECOLOGY / "农村生活污水终端.xlsx", planter)
    _air(truth, raw / ECOLOGY / "空气站最新读数.csv")
    _rivers(truth, raw / WATER / "河道名录.gpkg")
    bodies = [
        {
            "SYBH": r["water_id"],
            "SYMC": r["name"],
            "SYLX": r["kind"],
            "SYMJ": round(r["geometry"].area, 1),
            "geometry": r["geometry"],
        }
        for r in truth.tables["water_bodies"]
    ]
    vectors.shapefile(raw / WATER / "水域调查.shp", bodies, truth.crs, encoding="UTF-8", cpg="UTF-8")
    _stations(truth, raw / WATER / "水情最新.csv")
    _zones(truth, raw / WATER / "山洪危险区.geojson", planter)


def nearest_counts(points: list[shapely.Point], homes: list[Row]) -> list[int]:
    """Count, for each point, the households nearest to it."""
    nearest = shapely.STRtree(points).nearest([r["geometry"] for r in homes]).tolist()
    return [nearest.count(k) for k in range(len(points))]


def _terminals(truth: Truth, path: Path, planter: Planter) -> None:
    terminals = truth.tables["sewage_terminals"]
    homes = nearest_counts([r["geometry"] for r in terminals], truth.tables["households"])
    rows: list[Row] = [
        {
            "终端编号": r["terminal_id"],
            "终端名称": r["name"],
            "设计处理量(吨每日)": full_width(r["capacity_t_d"]) if k == 1 else r["capacity_t_d"],
            "接入户数": count,
            "运行状态": r["state"],
            "运维单位": "示范镇农污运维有限公司",
            "横坐标Y": round(r["geometry"].x, 2),
            "纵坐标X": round(r["geometry"].y, 2),
        }
        for k, (r, count) in enumerate(zip(terminals, homes, strict=True))
    ]
    rows.append(
        {"终端编号": "合计", "设计处理量(吨每日)": sum(r["capacity_t_d"] for r in terminals), "接入户数": sum(homes)}
    )
    planter.count("totals_row", "sewage_terminal", 1)
    workbook(path, Sheet(name="终端台账", title=["农村生活污水处理终端一览表(2025年10月)"], rows=rows))


def _air(truth: Truth, path: Path) -> None:
    stations = truth.tables["air_stations"]
    rows = [
        {
            "station_id": r["station_id"],
            "站点名称": r["name"],
            "lon": lon,
            "lat": lat,
            "PM2.5": r["pm2_5_ug_m3"],
            "AQI": r["aqi"],
            "等级": next(word for limit, word in GRADES if r["aqi"] <= limit),
            "监测时间": "2025-11-21 10:00",
        }
        for r, (lon, lat) in zip(stations, lon_lat([r["geometry"] for r in stations]), strict=True)
    ]
    table(path, rows, "utf-8-sig")


def _rivers(truth: Truth, path: Path) -> None:
    path.unlink(missing_ok=True)
    rivers = truth.tables["rivers"]
    rows = [
        {
            "河道编码": r["river_id"],
            "河道名称": r["name"],
            "河道等级": r["level"],
            "河长": r["river_chief_name"],
            "河长电话": r["river_chief_phone"],
            "平均宽度": 26.0 if r["level"] == "镇级" else 3.0,
            "geometry": shape,
        }
        for r, shape in zip(rivers, in_crs([r["geometry"] for r in rivers], DEGREES), strict=True)
    ]
    vectors.geopackage(path, "河道中心线", rows, DEGREES)


def _stations(truth: Truth, path: Path) -> None:
    stations = truth.tables["water_stations"]
    rows = [
        {
            "站码": r["station_id"],
            "站名": r["name"],
            "站类": r["kind"],
            "经度": lon,
            "纬度": lat,
            "水位": r["water_level_m"],
            "警戒水位": r["alarm_level_m"],
            "水质类别": r["quality"],
            "状态": "超警戒" if r["water_level_m"] > r["alarm_level_m"] else "正常",
            "采集时间": "2025/11/21 10:15",
        }
        for r, (lon, lat) in zip(stations, lon_lat([r["geometry"] for r in stations]), strict=True)
    ]
    table(path, rows, "gb18030")


def _zones(truth: Truth, path: Path, planter: Planter) -> None:
    zones = truth.tables["hazard_zones"]
    rows = [
        {
            "wxqbh": r["zone_id"],
            "wxqmc": r["name"].replace("隐患点", "危险区"),
            "fxdj": r["warning"],
            "zyhs": r["households"],
            "zyrs": r["households"] * 3,
            "zrr": r["patrol_name"],
            "zrrdh": r["patrol_phone"],
            "geometry": shape,
        }
        for r, shape in zip(zones, in_crs([r["geometry"] for r in zones], DEGREES), strict=True)
    ]
    vectors.geojson(path, rows, unclosed=planter.some("ring_unclosed", "hazard_zone", rows))
