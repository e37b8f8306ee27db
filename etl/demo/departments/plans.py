"""自然资源和规划局, what is planned: zones in a GeoPackage, lines in a DXF, red lines with a zone in x."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.demo.defects import Planter, small_loop
from etl.demo.departments import vectors
from etl.demo.departments.coordinates import DEGREES, in_crs, place
from etl.demo.departments.land import FOLDER, ZONE_40
from etl.demo.departments.names import title_of
from etl.demo.frame import YEARS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.village import Truth

_UNKNOWN = ("070303", "0105")
_ABOLISHED = ("0603", "1313")


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write the plan database of both years, the plan drawing and the red lines."""
    folder = raw / FOLDER
    (folder / "村庄规划数据库.gpkg").unlink(missing_ok=True)
    for year in YEARS:
        _zones(truth, folder / "村庄规划数据库.gpkg", year, planter)
    lines = [{"Layer": r["control_type"], "geometry": r["geometry"]} for r in truth.tables["plan_controls"]]
    vectors.dxf(folder / "村庄规划成果图.dxf", lines)
    _red_lines(truth, folder / "三区三线.shp")


def _zones(truth: Truth, path: Path, year: int, planter: Planter) -> None:
    rows = [
        {
            "GHTBBH": r["zone_id"],
            "GHDLBM": r["plan_code"],
            "GHDLMC": title_of("ydyh@2023", r["plan_code"]),
            "PFWH": r["approval_number"],
            "GHZT": r["plan_status"],
            "GHTBMJ": round(r["geometry"].area, 2),
            "geometry": r["geometry"],
        }
        for r in truth.tables["plan_zones"]
        if r["year"] == year
    ]
    if year == YEARS[-1]:
        for row in planter.some("small_loop", "plan_zone", rows, lambda r: r["GHTBMJ"] > 3000):
            row["geometry"] = small_loop(row["geometry"])
        for row, code in zip(planter.some("code_unknown", "plan_zone", rows), _UNKNOWN, strict=True):
            row["GHDLBM"] = code
        for row, code in zip(planter.some("code_abolished", "plan_zone", rows), _ABOLISHED, strict=True):
            row["GHDLBM"] = code
    place(rows, DEGREES)
    vectors.geopackage(path, f"GHDLTB_{year}", rows, DEGREES)


def _red_lines(truth: Truth, path: Path) -> None:
    """Write the red lines in zone 40's eastings; the .prj was lost on the way, only the catalogue knows."""
    shapes = in_crs([r["geometry"] for r in truth.tables["red_lines"]], ZONE_40)
    rows = [
        {
            "GKBH": r["line_id"],
            "GKLX": r["control_type"],
            "GKMC": r["control_name"],
            "JZSX": r["forbidden"],
            "ZXDH": f"{r['contact']} 139 0000 0105",
            "MJ": round(r["geometry"].area, 2),
            "geometry": shape,
        }
        for r, shape in zip(truth.tables["red_lines"], shapes, strict=True)
    ]
    vectors.shapefile(path, rows, ZONE_40, prj=False)
