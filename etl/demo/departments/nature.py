"""林业局: forest stands in a file geodatabase, ancient trees by degrees, minutes and seconds."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from etl.demo.defects import Planter, small_loop
from etl.demo.departments import vectors
from etl.demo.departments.coordinates import dms, lon_lat
from etl.demo.departments.sheets import Sheet, full_width, workbook
from etl.demo.frame import YEARS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.village import Truth

FOLDER = "40_forestry"
HECTARE_M2 = 10_000


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write the stands (areas in hectares) and the trees."""
    _stands(truth, raw / FOLDER / "林地一张图.gdb", planter)
    trees = truth.tables["ancient_trees"]
    rows = [
        {
            "古树编号": r["tree_id"],
            "树种": r["species"],
            "树龄(年)": full_width(r["age_years"]) if k % 4 == 1 else r["age_years"],
            "保护级别": r["grade"],
            "树高(米)": r["height_m"],
            "胸围(厘米)": r["girth_cm"],
            "东经": dms(lon, fancy=k % 3 != 0),
            "北纬": dms(lat, fancy=k % 3 != 0),
            "养护责任人": r["guardian_name"],
        }
        for k, (r, (lon, lat)) in enumerate(zip(trees, lon_lat([r["geometry"] for r in trees]), strict=True))
    ]
    workbook(raw / FOLDER / "古树名木.xlsx", Sheet(name="建档", title=["古树名木建档表"], rows=rows))


def _stands(truth: Truth, path: Path, planter: Planter) -> None:
    if path.exists():
        shutil.rmtree(path)
    rows = [
        {
            "XBH": r["stand_id"],
            "YSSZ": r["species"],
            "PJNL": r["age_years"],
            "LINZHONG": "公益林" if r["is_public_welfare"] else "商品林",
            "MIAN_JI": round(r["area_m2"] / HECTARE_M2, 4),
            "geometry": r["geometry"],
        }
        for r in truth.tables["forest_stands"]
        if r["year"] == YEARS[-1]
    ]
    for row in planter.some("small_loop", "forest_stand", rows, lambda r: r["MIAN_JI"] > 1):
        row["geometry"] = small_loop(row["geometry"])
    vectors.geodatabase(path, "LDXB", rows, truth.crs)
