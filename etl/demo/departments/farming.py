"""农业农村局: contracted plots whose .cpg lies, fish ponds with open rings, and farm facilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl.demo.defects import Planter, bow_tie, in_scientific_notation
from etl.demo.departments import vectors
from etl.demo.departments.coordinates import DEGREES, in_crs, place
from etl.demo.frame import YEARS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.village import Truth

Row = dict[str, Any]
FOLDER = "02_agriculture"
MU_M2 = 2000 / 3
YES = {True: "是", False: "否"}


def write(truth: Truth, raw: Path, planter: Planter) -> None:
    """Write the plots of both years, the ponds and the facilities of the last one."""
    folder = raw / FOLDER
    cards = {r["household_id"]: r["id_card"] for r in truth.tables["households"]}
    for year in YEARS:
        _plots(truth, folder / f"承包地块{year}.shp", year, cards, planter)
    _ponds(truth, folder / "养殖塘.geojson", planter)
    _facilities(truth, folder / "设施农业用地.gpkg", planter)


def in_mu(area_m2: float) -> float:
    """Give an area in mu as contracts state it: two decimals, four where the plot is tiny."""
    mu = area_m2 / MU_M2
    return round(mu, 2 if mu > 1 else 4)


def _plots(truth: Truth, path: Path, year: int, cards: dict[str, str], planter: Planter) -> None:
    rows = [
        {
            "DKBM": r["plot_code"],
            "CBFMC": r["contractor_name"],
            "ZJHM": cards[r["household_id"]],
            "ZZZW": r["crop_name"],
            "SFLZ": "是" if r["transfer"] == "流转" else "否",
            "GBZNT": YES[r["is_high_standard"]],
            "HTMJM": in_mu(r["area_m2"]),
            "geometry": r["geometry"],
        }
        for r in truth.tables["crops"]
        if r["year"] == year
    ]
    if year == YEARS[-1]:
        _spoil(rows, planter)
    place(rows, DEGREES)
    vectors.shapefile(path, rows, DEGREES, cpg="UTF-8")


def _spoil(rows: list[Row], planter: Planter) -> None:
    def large(row: Row) -> bool:
        return row["HTMJM"] > 1

    for row in planter.some("bow_tie", "farm_contract", rows, large):
        row["geometry"] = bow_tie(row["geometry"])
    for row, crop in zip(planter.some("code_unknown", "farm_contract", rows), ("水稻", "单季稻", "茶"), strict=True):
        row["ZZZW"] = crop + "(待定)"
    for row, factor in zip(
        planter.some("area_mismatch", "farm_contract", rows, large), (1.5, 0.5, 1.3, 0.7), strict=True
    ):
        row["HTMJM"] = round(row["HTMJM"] * factor, 2)
    for row in planter.some("area_not_positive", "farm_contract", rows):
        row["HTMJM"] = 0.0
    for row in planter.some("id_damaged", "farm_contract", rows):
        row["ZJHM"] = in_scientific_notation(row["ZJHM"])
    planter.repeat("farm_contract", rows)


def _ponds(truth: Truth, path: Path, planter: Planter) -> None:
    ponds = [r for r in truth.tables["fish_ponds"] if r["year"] == YEARS[-1]]
    rows = [
        {
            "塘编号": r["pond_id"],
            "塘名": r["name"],
            "养殖品种": r["species"],
            "溶解氧": float(r["dissolved_oxygen_mg_l"]),
            "尾水治理": YES[k % 3 != 1],
            "经营者": r["contractor_name"],
            "水面面积亩": in_mu(r["area_m2"]),
            "geometry": shape,
        }
        for k, (r, shape) in enumerate(zip(ponds, in_crs([r["geometry"] for r in ponds], DEGREES), strict=True))
    ]
    vectors.geojson(path, rows, unclosed=planter.some("ring_unclosed", "pond", rows))


def _facilities(truth: Truth, path: Path, planter: Planter) -> None:
    path.unlink(missing_ok=True)
    rows = [
        {
            "babh": r["facility_id"],
            "xmmc": f"{r['contractor_name'][0]}家{r['crop_name']}{r['kind'][-2:]}",
            "sslx": r["kind"],
            "jyz": r["contractor_name"],
            "bamj": round(r["area_m2"], 1),
            "geometry": r["geometry"],
        }
        for r in truth.tables["facilities"]
        if r["year"] == YEARS[-1]
    ]
    for row in planter.some("area_not_positive", "facility_farm", rows):
        row["bamj"] = -row["bamj"]
    vectors.geopackage(path, "ssny", rows, truth.crs)
