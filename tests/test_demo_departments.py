"""What the departments send is as messy as they send it, and every planted defect is counted in one table."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ezdxf
import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
from PIL import Image

from etl import catalog
from etl.demo import departments, imagery, people, village
from etl.demo.defects import (
    DEFECTS,
    PLANTED,
    DefectTable,
    Planter,
    bow_tie,
    in_scientific_notation,
    rounded_number,
    small_loop,
)
from etl.demo.departments import coordinates, images
from twin import geodesy

if TYPE_CHECKING:
    from etl.demo.village import Truth
    from twin.model import Resource

ROOT = Path(__file__).resolve().parents[1]
NEVER = "weather_station"
HERE = (119.953, 30.5185, 119.9865, 30.5475)


@pytest.fixture(scope="module")
def truth() -> Truth:
    return village.build()


def write(truth: Truth, raw: Path) -> DefectTable:
    """Write everything but the pictures, which take longest and hold no rows."""
    planter = Planter()
    for _, writer in departments.WRITERS:
        if writer is not images.write:
            writer(truth, raw, planter)
    others = [r for r in catalog.read(ROOT / "data").resources if r.id not in departments.BY_HAND]
    departments.declared.write(truth, raw, planter, others)
    return planter.table


@pytest.fixture(scope="module")
def delivered(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DefectTable]:
    raw = tmp_path_factory.mktemp("raw")
    return raw, write(truth, raw)


@pytest.fixture(scope="module")
def raw(delivered: tuple[Path, DefectTable]) -> Path:
    return delivered[0]


@pytest.fixture(scope="module")
def resources() -> dict[str, Resource]:
    return {r.id: r for d in catalog.read(ROOT / "data").departments for r in d.resources}


def sheet(path: Path, name: str | None = None) -> Any:
    book = openpyxl.load_workbook(path)
    return book[name] if name else book.worksheets[0]


def rows_of(path: Path, header: int) -> list[dict[str, Any]]:
    """Give a sheet's rows by the lowest heading, `header` being the row it stands in."""
    page = sheet(path)
    tops = [page.cell(header - 1, c + 1).value if header > 2 else None for c in range(page.max_column)]
    names = [cell.value if cell.value is not None else top for cell, top in zip(page[header], tops, strict=True)]
    return [dict(zip(names, row, strict=True)) for row in page.iter_rows(min_row=header + 1, values_only=True)]


def test_the_planted_defects_are_exactly_those_of_the_table(delivered: tuple[Path, DefectTable]) -> None:
    assert delivered[1] == {kind: dict(where) for kind, where in PLANTED.items()}


def test_every_kind_of_defect_says_what_becomes_of_it() -> None:
    assert PLANTED.keys() == DEFECTS.keys()
    assert sum(sum(where.values()) for where in PLANTED.values()) == 125
    for kind, defect in DEFECTS.items():
        assert defect.rule or defect.outcome == "duplicate", kind


def test_every_kind_the_issue_names_is_planted() -> None:
    for kind in (
        "bow_tie", "ring_unclosed", "duplicate_identical", "duplicate_conflicting", "code_unknown", "code_abolished",
        "axes_swapped", "area_mismatch", "area_not_positive", "outside_village", "totals_row", "id_damaged",
    ):  # fmt: skip
        assert sum(PLANTED[kind].values()) > 0


def test_every_declared_file_is_delivered_but_one_and_nothing_else(raw: Path, resources: dict[str, Resource]) -> None:
    declared = {s.location: r for r in resources.values() for s in r.sources}
    missing = {r.id for location, r in declared.items() if not (raw / location).exists() and r.kind != "raster"}
    assert missing == {NEVER}
    stems = {Path(location).with_suffix("") for location in declared}
    for path in raw.rglob("*"):
        inside_gdb = any(part.suffix == ".gdb" for part in path.parents)
        if path.is_file() and not inside_gdb:
            assert path.relative_to(raw).with_suffix("") in stems, path


def _layer(source: Any) -> str | None:
    """Give the layer or sheet of the file: where a connection is named, `part` is what it is asked for."""
    return (source.options.get("layer") if source.connection else source.part) or None


def headings(path: Path, source: Any) -> set[str]:
    """Give what a delivered file calls its columns."""
    if path.suffix == ".csv":
        encoding = "utf-8-sig" if source.encoding == "UTF-8" else source.encoding
        return set(next(csv.reader(path.open(encoding=encoding))))
    if path.suffix == ".sqlite":
        with contextlib.closing(sqlite3.connect(path)) as made:
            (name,) = made.execute("SELECT name FROM sqlite_master").fetchone()
            assert name == source.options.get("layer", source.part)
            return {row[1] for row in made.execute(f'PRAGMA table_info("{name}")')}
    if path.suffix == ".kml":
        return {"Name"} | set(re.findall(r'<Data name="([^"]+)"', path.read_text("utf-8")))
    if path.suffix != ".xlsx":
        return set(pyogrio.read_info(path, layer=_layer(source))["fields"])
    page = sheet(path, _layer(source))
    at = [int(n) for n in source.options["header_rows"].split("-")]
    upper, found = "", set()
    for column in range(1, page.max_column + 1):
        upper = page.cell(at[0], column).value or upper
        lower = page.cell(at[-1], column).value if len(at) > 1 else None
        found.add(f"{upper}/{lower}" if lower else upper)
    return found


def test_every_declared_column_is_in_the_file_under_the_declared_heading(
    raw: Path, resources: dict[str, Resource]
) -> None:
    for resource in resources.values():
        if resource.id == NEVER or resource.kind == "raster":
            continue
        for source in resource.sources:
            found = headings(raw / source.location, source)
            wanted = {f.source for f in resource.fields} | {source.x, source.y} - {""}
            assert wanted <= found, (resource.id, wanted - found)


def test_the_same_village_gives_the_same_bytes(truth: Truth, raw: Path, tmp_path: Path) -> None:
    write(truth, tmp_path)
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file() and ".gdb" not in str(path):
            assert path.read_bytes() == (raw / path.relative_to(tmp_path)).read_bytes(), path.name


# ------------------------------------------------------------------------------------------------ encodings


@pytest.mark.parametrize("year", [2020, 2025])
def test_land_cover_is_gbk_and_has_no_cpg(raw: Path, year: int) -> None:
    path = raw / f"01_natural_resources/DLTB{year}.dbf"
    body = path.read_bytes()
    assert not path.with_suffix(".cpg").exists()
    assert body[29] == 0, "the dbf itself does not say either"
    assert "水田".encode("gbk") in body
    assert "水田".encode() not in body
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")


@pytest.mark.parametrize("year", [2020, 2025])
def test_the_cpg_of_the_contracted_plots_lies(raw: Path, year: int) -> None:
    path = raw / f"02_agriculture/承包地块{year}.dbf"
    assert path.with_suffix(".cpg").read_text() == "UTF-8"
    assert "水稻".encode("gbk") in path.read_bytes()
    assert "水稻".encode() not in path.read_bytes()


def test_the_cpg_of_the_water_survey_is_true(raw: Path) -> None:
    path = raw / "04_water_resources/水域调查.dbf"
    assert path.with_suffix(".cpg").read_text() == "UTF-8"
    assert "示溪".encode() in path.read_bytes()


def test_field_names_of_shapefiles_fit_ten_bytes(raw: Path) -> None:
    for path in raw.rglob("*.shp"):
        for name in pyogrio.read_info(path)["fields"]:
            assert len(name.encode("gbk")) <= 10, (path.name, name)


@pytest.mark.parametrize(
    "name", ["12_market/市场主体导出.csv", "04_water_resources/水情最新.csv", "48_power/台区清单.csv"]
)
def test_csv_is_gb18030_and_not_utf8(raw: Path, name: str) -> None:
    body = (raw / name).read_bytes()
    body.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")


# ------------------------------------------------------------------------------------------------ coordinates


def test_red_lines_have_the_zone_in_their_eastings_and_no_prj(raw: Path, resources: dict[str, Resource]) -> None:
    path = raw / "01_natural_resources/三区三线.shp"
    assert not path.with_suffix(".prj").exists()
    west, south, east, _ = pyogrio.read_info(path, force_total_bounds=True)["total_bounds"]
    assert 40_490_000 < west < east < 40_500_000
    assert south > 3_370_000
    assert resources["red_line"].sources[0].crs == "EPSG:4528"


def test_the_plan_database_is_in_degrees_of_cgcs2000(raw: Path) -> None:
    path = raw / "01_natural_resources/村庄规划数据库.gpkg"
    assert {str(n) for n in pyogrio.list_layers(path)[:, 0]} == {"GHDLTB_2020", "GHDLTB_2025"}
    info = pyogrio.read_info(path, layer="GHDLTB_2025", force_total_bounds=True)
    assert info["crs"] == "EPSG:4490"
    assert HERE[0] < info["total_bounds"][0] < info["total_bounds"][2] < HERE[2]


def _off(picked: tuple[float, float], true: tuple[float, float]) -> float:
    return float(np.hypot((picked[0] - true[0]) * 95_900, (picked[1] - true[1]) * 110_850))


def test_enterprises_lie_half_a_kilometre_off_until_gcj02_is_undone(truth: Truth, raw: Path) -> None:
    rows = list(csv.DictReader((raw / "12_market/市场主体导出.csv").open(encoding="gb18030")))
    first = truth.tables["enterprises"][0]
    true = coordinates.lon_lat([first["geometry"]])[0]
    picked = (float(rows[0]["经度"]), float(rows[0]["纬度"]))
    assert 400 < _off(picked, true) < 700
    lon, lat = geodesy.gcj02_to_wgs84(np.array([picked[0]]), np.array([picked[1]]))
    assert _off((float(lon[0]), float(lat[0])), true) < 0.5


def test_homestays_lie_farther_off_until_bd09_is_undone(truth: Truth, raw: Path) -> None:
    features = json.loads((raw / "11_culture_tourism/民宿名录.geojson").read_text("utf-8"))["features"]
    true = coordinates.lon_lat([truth.tables["homestays"][0]["geometry"]])[0]
    picked = tuple(features[0]["geometry"]["coordinates"])
    assert 700 < _off(picked, true) < 1600
    lon, lat = geodesy.bd09_to_wgs84(np.array([picked[0]]), np.array([picked[1]]))
    assert _off((float(lon[0]), float(lat[0])), true) < 0.5


def test_hazards_and_trees_are_in_degrees_minutes_and_seconds(raw: Path) -> None:
    pattern = re.compile(r"1?\d\d°\d\d[′']\d\d\.\d\d[″\"]")
    hazards = rows_of(raw / "01_natural_resources/地质灾害隐患点台账.xlsx", 2)
    trees = rows_of(raw / "40_forestry/古树名木.xlsx", 2)
    texts = [r["经度"] for r in hazards if r["经度"]] + [r["东经"] for r in trees] + [r["北纬"] for r in trees]
    assert len(texts) == 7 + 2 * 12
    assert all(pattern.fullmatch(text) for text in texts)
    assert any("′" in text for text in texts)
    assert any("'" in text for text in texts)


def test_degrees_minutes_seconds_carry_over() -> None:
    assert coordinates.dms(119.9999999, fancy=True) == "120°00′00.00″"
    assert coordinates.dms(30.5041667, fancy=False) == "30°30'15.00\""


def test_the_plan_drawing_states_no_crs_and_names_its_lines_by_drawing_layer(raw: Path) -> None:
    path = raw / "01_natural_resources/村庄规划成果图.dxf"
    assert pyogrio.read_info(path)["crs"] is None
    drawn = ezdxf.readfile(path).modelspace()
    assert {line.dxf.layer for line in drawn} == {"村庄建设边界", "河道管理范围线"}
    assert all(line.closed for line in drawn)


def test_the_pipes_cannot_be_placed_by_anybody(raw: Path, resources: dict[str, Resource]) -> None:
    path = raw / resources["sewer_pipe"].sources[0].location
    assert not path.with_suffix(".prj").exists()
    assert resources["sewer_pipe"].sources[0].crs == ""
    assert max(pyogrio.read_info(path, force_total_bounds=True)["total_bounds"]) < 4_000


# ------------------------------------------------------------------------------------------------ workbooks


def test_two_row_headings_are_merged_both_ways_under_a_title(raw: Path) -> None:
    page = sheet(raw / "58_town_village/垃圾分类户评.xlsx")
    merged = {str(area) for area in page.merged_cells.ranges}
    assert {"A1:I1", "A2:I2", "A3:A4", "B3:C3", "E3:G3"} <= merged
    assert page["A1"].value.startswith("示范村生活垃圾分类户评")
    assert [page["B3"].value, page["C3"].value, page["B4"].value, page["C4"].value] == [
        "户主",
        None,
        "姓名",
        "身份证号",
    ]


def test_the_hotline_export_has_its_eighteen_columns_first(raw: Path) -> None:
    page = sheet(raw / "32_social_work/12345工单导出.xlsx")
    assert [page.cell(2, k).value for k in range(1, 19)] == [
        "序号", "办件编号", "办件来源", "市级编号", "诉求主题", "诉求内容", "办理单位", "办理科室", "诉求人", "诉求人电话",
        "处理结果", "事项大类", "事项小类", "派发时间", "承诺完成时间", "办件状态", "派单员", "预警状态",
    ]  # fmt: skip


def test_digits_come_in_full_width_and_dates_in_the_clerks_ways(raw: Path) -> None:
    scores = rows_of(raw / "58_town_village/垃圾分类户评.xlsx", 4)
    assert any(isinstance(r["得分"], str) and re.fullmatch(r"[\uff10-\uff19]+", r["得分"]) for r in scores)
    assert {r["日期"] for r in scores if r["日期"]} == {"2025年10月26日", "2025.10.26"}
    opened = [r["启用日期"] for r in rows_of(raw / "08_emergency/避灾安置场所.xlsx", 2)]
    assert "2021年9月" in opened


def test_totals_stand_among_the_rows(raw: Path) -> None:
    scores = rows_of(raw / "58_town_village/垃圾分类户评.xlsx", 4)
    first = Counter(str(r["户编号"])[:2] for r in scores)
    assert (first["小计"], first["合计"]) == (9, 1)
    assert len(scores) == 512 + 10


def test_resident_numbers_lost_their_digits_as_spreadsheets_lose_them(raw: Path) -> None:
    for name, header in (("58_town_village/垃圾分类户评.xlsx", 4), ("10_housing/农村房屋安全鉴定台账.xlsx", 3)):
        numbers = [r["身份证号"] for r in rows_of(raw / name, header) if r["身份证号"]]
        assert any(isinstance(n, (int, float)) for n in numbers)
        assert any(isinstance(n, str) and n.endswith("E+17") for n in numbers)


def test_lost_digits_are_the_last_three() -> None:
    assert rounded_number("330599196501011234") == 330599196501011000
    assert in_scientific_notation("330599196501011234") == "3.30599E+17"


def test_resident_numbers_are_right_in_form_and_belong_to_no_county(truth: Truth) -> None:
    for home in truth.tables["households"]:
        number = home["id_card"]
        assert number.startswith(people.NOWHERE)
        assert people.check_digit(number[:17]) == number[17]


# ------------------------------------------------------------------------------------------------ geometry


def test_an_hourglass_has_no_area_of_its_own() -> None:
    crossed = bow_tie(shapely.box(0, 0, 30, 20))
    assert not crossed.is_valid
    assert crossed.area == pytest.approx(0)


def test_a_small_loop_is_invalid_but_changes_the_area_by_less_than_a_percent() -> None:
    plot = shapely.Polygon([(0, 0), (40, 2), (38, 25), (5, 22)], [[(10, 10), (12, 10), (12, 12), (10, 12)]])
    looped = small_loop(plot)
    assert not looped.is_valid
    mended = shapely.make_valid(looped, method="structure", keep_collapsed=False)
    assert mended.area == pytest.approx(plot.area, rel=0.01)
    assert mended.area != plot.area


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("02_agriculture/养殖塘.geojson", "pond"),
        ("04_water_resources/山洪危险区.geojson", "hazard_zone"),
        ("01_natural_resources/变化图斑2025Q3.geojson", "change_spot"),
    ],
)
def test_some_rings_are_left_open(raw: Path, name: str, resource: str) -> None:
    features = json.loads((raw / name).read_text("utf-8"))["features"]
    rings = [f["geometry"]["coordinates"][0] for f in features]
    assert sum(ring[0] != ring[-1] for ring in rings) == PLANTED["ring_unclosed"][resource]


def test_invalid_polygons_in_land_cover_are_the_planted_ones(raw: Path) -> None:
    _, _, shapes, _ = pyogrio.raw.read(raw / "01_natural_resources/DLTB2025.shp", columns=[])
    invalid = int((~shapely.is_valid(shapely.from_wkb(shapes))).sum())
    assert invalid == PLANTED["bow_tie"]["land_cover"] + PLANTED["small_loop"]["land_cover"]


def test_pictures_are_plain_strips_and_no_cogs(truth: Truth, tmp_path: Path) -> None:
    imagery.write_heights(truth.dem, truth, tmp_path / "DEM.tif")
    with Image.open(tmp_path / "DEM.tif") as image:
        tags = image.tag_v2
        assert 273 in tags, "strip offsets"
        assert 324 not in tags, "tile offsets"
        assert image.n_frames == 1, "no overviews"


def test_care_numbers_under_five_are_withheld(raw: Path) -> None:
    features = json.loads((raw / "05_civil_affairs/关爱对象网格汇总.geojson").read_text("utf-8"))["features"]
    numbers = [f["properties"][k] for f in features for k in ("八十岁以上", "独居老人", "十四岁以下")]
    assert all(n is None or n >= 5 for n in numbers)
    assert any(n is None for n in numbers)


# ------------------------------------------------------------------------------------------------ outcomes


@pytest.mark.soak
def test_receiving_makes_of_every_planted_defect_what_the_table_says(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").symlink_to(raw)
    command = [sys.executable, "-m", "etl", "run", "--all"]
    settings = {**os.environ, "ONEMAP_DATA": str(tmp_path), "ONEMAP_VILLAGE": str(ROOT / "data")}
    subprocess.run(command, cwd=ROOT, env=settings, check=False, capture_output=True, timeout=600)
    lines = [json.loads(line) for line in (tmp_path / "run" / "ledger.jsonl").read_text("utf-8").splitlines()]
    found = {line["resource"]: line for line in lines}
    assert found["sewer_pipe"]["status"] == "refused"
    assert NEVER not in found
    for resource in {r for where in PLANTED.values() for r in where} - {"sewer_pipe"}:
        line = found[resource]
        assert line["status"] == "published", (resource, line["reason_en"])
        ledger = line["ledger"]
        for outcome, counted in (("quarantined", "quarantined"), ("duplicate", "duplicates"), ("repaired", "repaired")):
            assert ledger[counted] == sum(planted(resource, outcome).values()), (resource, outcome)
        assert ledger["read"] == ledger["published"] + ledger["quarantined"] + ledger["duplicates"], resource
        assert line["rules"] == planted(resource, "quarantined"), resource
        assert line["repairs"] == planted(resource, "repaired"), resource
        assert line["warnings"] == planted(resource, "published"), resource


def planted(resource: str, outcome: str) -> dict[str, int]:
    """Give rule → number of rows planted in a resource that come to `outcome`."""
    rules: Counter[str] = Counter()
    for kind, where in PLANTED.items():
        if DEFECTS[kind].outcome == outcome and resource in where:
            rules[DEFECTS[kind].rule] += where[resource]
    return dict(rules)


# a source that nobody declared

SHAPED = (
    "farm_contract",
    "plan_zone",
    "pond",
    "sanitation_point",
    "case_order",
    "enterprise",
    "forest_stand",
    "red_line",
)
"""One of each kind: SHP, GPKG of two layers, GeoJSON, KML, XLSX, CSV, GDB, SHP without .prj."""


def looked_at(raw: Path, known: catalog.Catalog, names: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Look at every source of the named resources as though nobody had declared it; count what agrees, fact by fact."""
    from etl.looking import look

    counted: dict[str, list[bool]] = {}
    for resource in (r for r in known.resources if r.id in names):
        for source in (s for s in resource.sources if (raw / s.location).exists()):
            part = source.part if resource.reader == "vector" and not source.connection else ""
            found = look.at(raw / source.location, known, part=part, alone=resource.id)
            told = {c.source: c for c in found.columns}
            key = next(f.source for f in resource.fields if f.name == resource.key)
            agrees = {
                "kind": found.kind == resource.kind,
                "key": key in [c.source for c in found.columns if c.name in found.keys],
            }
            agrees |= {"encoding": found.value("encoding") == source.encoding.upper()} if source.encoding else {}
            agrees |= {"crs": found.value("crs") == source.crs} if source.crs.startswith("EPSG") else {}
            agrees |= {"x": (found.value("x"), found.value("y")) == (source.x, source.y)} if source.x else {}
            stated = source.options.get("header_rows")
            agrees |= {"header": found.value("header_rows") == stated} if stated else {}
            agrees |= {"year": found.value("year") == str(source.year)} if source.year else {}
            for name, good in agrees.items():
                counted.setdefault(name, []).append(good)
            for item in (f for f in resource.fields if f.source in told):
                column = told[item.source]
                counted.setdefault("type", []).append(column.type == item.type)
                counted.setdefault("codes", []).append(column.code_system == item.code_system)
                if item.sensitivity in ("personal", "sensitive"):
                    counted.setdefault("personal", []).append(bool(column.sensitivity))
    return {name: (sum(good), len(good)) for name, good in counted.items()}


def test_one_file_of_each_kind_gives_back_what_its_department_declared(raw: Path) -> None:
    found = looked_at(raw, catalog.read(ROOT / "data"), SHAPED)
    assert {k: v for k, v in found.items() if k != "type" and v[0] != v[1]} == {}
    right, of = found["type"]
    assert right >= of - 1
    assert set(found) == {"kind", "key", "encoding", "crs", "x", "header", "year", "type", "codes", "personal"}


@pytest.mark.soak
def test_every_source_of_the_drawn_layers_gives_back_what_its_department_declared(raw: Path) -> None:
    known = catalog.read(ROOT / "data")
    drawn = tuple(r.id for r in known.resources if r.layers and r.reader in ("vector", "table"))
    found = looked_at(raw, known, drawn)
    wrong = {name: of - right for name, (right, of) in found.items()}
    assert {k: v for k, v in wrong.items() if k not in ("crs", "type")} == dict.fromkeys(
        wrong.keys() - {"crs", "type"}, 0
    )
    assert wrong["type"] <= 3
    assert wrong["crs"] <= 1
