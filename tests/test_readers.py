"""What is true of the readers: formats, encodings, headings, coordinates; each file through the real sandbox."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import struct
from pathlib import Path

import ezdxf
import numpy as np
import openpyxl
import pyarrow as pa
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl import delimited, heading, scenes
from etl.job import Job
from etl.transforms import parse
from tests.reading import deliver
from twin import rasters
from twin.errors import CrsError, SourceError

DATA = Path(__file__).parents[2] / "shared/data"
ACCEPTED = {"EPSG:27700": 5.0}
SQUARE = shapely.box(497_000, 3_379_000, 497_100, 3_379_100)
NAMES = ["㐂字村", "龙泉村", "Ascii"]


def write(
    path: Path, driver: str, crs: str | None = "EPSG:4549", encoding: str = "UTF-8", n: int = 3, **options
) -> Path:
    """Write n squares with the columns 名称 (text), BSM (text), 面积 (number)."""
    shapes = [shapely.transform(SQUARE, lambda xy, i=i: xy + i * 200) for i in range(n)]
    if crs in ("EPSG:4326", "EPSG:4490"):
        shapes = [shapely.transform(s, lambda xy: (xy - [497_000, 3_379_000]) / 1e5 + [119.97, 30.53]) for s in shapes]
    columns = {
        "名称": np.array([NAMES[i % 3] for i in range(n)], object),
        "BSM": np.array([f"33052119920100{i:06d}" for i in range(n)], object),
        "面积": np.arange(n) + 0.5,
    }
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb(np.array(shapes, object)), field_data=list(columns.values()), fields=list(columns),
        driver=driver, geometry_type="Polygon", crs=crs, encoding=encoding, **options,
    )  # fmt: skip
    return path


# vector formats


@pytest.mark.parametrize(
    ("name", "driver", "crs"),
    [
        ("a.gpkg", "GPKG", "EPSG:4490"),
        ("a.fgb", "FlatGeobuf", "EPSG:4528"),
        ("a.geojson", "GeoJSON", "EPSG:4326"),
        ("a.gml", "GML", "EPSG:4549"),
        ("a.kml", "KML", "EPSG:4326"),
    ],
)
def test_a_vector_file_gives_its_own_columns_rows_and_wkb(tmp_path, name, driver, crs):
    if driver == "KML":
        (tmp_path / name).write_text(kml(), "utf-8")
    else:
        write(tmp_path / name, driver, crs, **({"SPATIAL_INDEX": "NO"} if driver == "FlatGeobuf" else {}))
    got = deliver(tmp_path / name)
    assert (got.crs, got.report["driver"], got.table.num_rows) == (crs, driver, 3)
    assert got.table.column_names[-3:] == ["_row", "_geometry", "_note"]
    assert [r["名称"] for r in got.rows] == NAMES
    assert [r["_row"] for r in got.rows] == ["1", "2", "3"]
    assert shapely.from_wkb(got.rows[0]["_geometry"]).geom_type == "Polygon"
    assert got.notes == [None, None, None]


def test_a_mapinfo_table_in_gbk_is_read_by_its_charset(tmp_path):
    mif = 'Version 300\nCharset "WindowsSimpChinese"\nDelimiter ","\nColumns 1\n  名称 Char(20)\nData\n\nPoint 119.97 30.53\n'
    (tmp_path / "a.mif").write_bytes(mif.encode("gb18030"))
    (tmp_path / "a.mid").write_bytes('"龙泉村"\n'.encode("gb18030"))
    assert deliver(tmp_path / "a.mif", kind="point", crs="EPSG:4490").rows[0]["名称"] == "龙泉村"


def test_a_kml_gives_its_own_values_folders_and_closed_rings(tmp_path):
    (tmp_path / "a.kml").write_text(kml().replace(" 119.97,30.53<", "<"), "utf-8")
    got = deliver(tmp_path / "a.kml")
    assert got.table.column_names[:2] == ["Name", "名称"]
    assert got.notes == ["unclosed_ring"] * 3
    assert shapely.from_wkb(got.rows[0]["_geometry"]).is_valid
    foldered = (
        kml().replace("<Document>", "<Document><Folder><name>甲</name>").replace("</Document>", "</Folder></Document>")
    )
    (tmp_path / "a.kml").write_text(foldered, "utf-8")
    assert deliver(tmp_path / "a.kml", part="甲").table.num_rows == 3
    assert deliver(tmp_path / "a.kml", part="乙").table.num_rows == 0


def kml() -> str:
    marks = "".join(
        f"<Placemark><name>{n}</name><ExtendedData><Data name='名称'><value>{n}</value></Data></ExtendedData><Polygon>"
        f"<outerBoundaryIs><LinearRing><coordinates>119.97,30.53 119.98,30.53 119.98,30.54 119.97,30.53</coordinates>"
        f"</LinearRing></outerBoundaryIs></Polygon></Placemark>"
        for n in NAMES
    )
    return f"<?xml version='1.0' encoding='UTF-8'?><kml xmlns='http://www.opengis.net/kml/2.2'><Document>{marks}</Document></kml>"


@pytest.mark.parametrize("encoding", ["UTF-8", "GB18030", "BIG5"])
@pytest.mark.parametrize("cpg", [None, "UTF-8", "ISO-8859-1", "nonsense"])
def test_a_shapefiles_text_is_decided_by_its_bytes_whatever_its_cpg_says(tmp_path, encoding, cpg):
    names = ["龍泉村", "東山"] if encoding == "BIG5" else ["㐂字村", "龙泉村"]
    shp = tmp_path / "地块.shp"
    dbase(shp, names, encoding)
    shp.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg:
        shp.with_suffix(".cpg").write_text(cpg)
    got = deliver(shp)
    assert got.table.column(0).to_pylist() == names
    assert (got.report["encoding"], got.report["declared"]) == (encoding.lower(), cpg or "")


def dbase(shp: Path, names: list[str], encoding: str, width: int = 20) -> None:
    """Write a shapefile whose .dbf holds `names` in `encoding`, byte by byte."""
    write(shp, "ESRI Shapefile", n=len(names), encoding="UTF-8")
    head = struct.pack("<B3BIHH20x", 3, 125, 1, 1, len(names), 32 + 32 + 1, 1 + width)
    field = (
        ("名称" if encoding != "BIG5" else "名稱").encode(encoding)[:10].ljust(11, b"\0")
        + b"C"
        + bytes(4)
        + bytes([width, 0])
        + bytes(14)
    )
    rows = b"".join(b" " + n.encode(encoding)[:width].ljust(width) for n in names)
    shp.with_suffix(".dbf").write_bytes(head + field + b"\r" + rows + b"\x1a")


def test_a_last_character_cut_by_the_fields_width_is_no_reason_to_refuse(tmp_path):
    dbase(tmp_path / "a.shp", ["龙泉村委会"], "GB18030", width=9)
    assert [r["名称"] for r in deliver(tmp_path / "a.shp").rows] == ["龙泉村委"]


def test_mixed_encodings_are_refused_not_guessed(tmp_path):
    dbase(tmp_path / "a.shp", ["xxxx", "yyyy"], "ascii" if False else "GB18030")
    dbf = tmp_path / "a.dbf"
    dbf.write_bytes(dbf.read_bytes().replace(b"xxxx", b"\xff\xff\xff\xff"))
    with pytest.raises(SourceError, match="decodes in none"):
        deliver(tmp_path / "a.shp")


@pytest.mark.parametrize("suffix", [".shx", ".dbf", ".prj"])
def test_a_shapefile_without_a_part_is_refused_by_the_parts_name(tmp_path, suffix):
    write(tmp_path / "dltb.shp", "ESRI Shapefile")
    (tmp_path / f"dltb{suffix}").unlink()
    with pytest.raises(SourceError) as refused:
        deliver(tmp_path / "dltb.shp")
    assert f"dltb{suffix}" in refused.value.zh
    assert refused.value.where["file"] == f"dltb{suffix}"


def test_a_declared_system_stands_in_for_a_missing_prj(tmp_path):
    write(tmp_path / "a.shp", "ESRI Shapefile")
    (tmp_path / "a.prj").unlink()
    assert deliver(tmp_path / "a.shp", crs="EPSG:4528").crs == "EPSG:4528"


def test_suffixes_in_any_case_belong_to_one_shapefile(tmp_path):
    write(tmp_path / "a.shp", "ESRI Shapefile")
    for old, new in ((".shp", ".Shp"), (".dbf", ".DBF"), (".shx", ".sHx"), (".prj", ".Prj")):
        shutil.move(tmp_path / f"a{old}", tmp_path / f"a{new}")
    assert deliver(tmp_path / "a.Shp").table.num_rows == 3


def test_a_prj_that_contradicts_itself_or_the_declaration_is_refused(tmp_path):
    write(tmp_path / "a.shp", "ESRI Shapefile", "EPSG:4528")
    with pytest.raises(CrsError, match="another coordinate system"):
        deliver(tmp_path / "a.shp", crs="EPSG:4527")
    prj = tmp_path / "a.prj"
    prj.write_text(prj.read_text().replace("40500000", "39500000"))
    with pytest.raises(CrsError, match="contradicts"):
        deliver(tmp_path / "a.shp")


def test_ten_byte_names_that_collide_are_kept_apart(tmp_path):
    pyogrio.raw.write(
        str(tmp_path / "a.gpkg"), geometry=shapely.to_wkb(np.array([SQUARE], object)), driver="GPKG", crs="EPSG:4549",
        field_data=[np.array(["1"], object), np.array(["2"], object)], fields=["permanent_farmland", "permanent_forest"],
        geometry_type="Polygon",
    )  # fmt: skip
    pyogrio.raw.write(
        str(tmp_path / "a.shp"), geometry=shapely.to_wkb(np.array([SQUARE], object)), driver="ESRI Shapefile",
        crs="EPSG:4549", field_data=[np.array(["1"], object), np.array(["2"], object)],
        fields=["permanent_farmland", "permanent_forest"], geometry_type="Polygon",
    )  # fmt: skip
    row = deliver(tmp_path / "a.shp").rows[0]
    assert sorted(v for k, v in row.items() if k.startswith("perm")) == ["1", "2"]


def test_a_geojson_says_nothing_of_its_system_so_the_declaration_does(tmp_path):
    write(tmp_path / "a.geojson", "GeoJSON", "EPSG:4326")
    assert deliver(tmp_path / "a.geojson").crs == "EPSG:4326"
    assert deliver(tmp_path / "a.geojson", crs="bd09").crs == "bd09"
    text = json.loads((tmp_path / "a.geojson").read_text("utf-8"))
    text["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    (tmp_path / "a.geojson").write_text(json.dumps(text), "utf-8")
    with pytest.raises(CrsError):
        deliver(tmp_path / "a.geojson", crs="EPSG:4528")


def test_a_geojson_in_gb18030_is_refused_with_the_remedy(tmp_path):
    write(tmp_path / "a.geojson", "GeoJSON", "EPSG:4326")
    text = (tmp_path / "a.geojson").read_text("utf-8")
    (tmp_path / "a.geojson").write_bytes(text.encode("gb18030"))
    with pytest.raises(SourceError, match="UTF-8"):
        deliver(tmp_path / "a.geojson")


def test_a_container_of_several_layers_wants_one_named(tmp_path):
    write(tmp_path / "a.gpkg", "GPKG", layer="地块")
    write(tmp_path / "a.gpkg", "GPKG", layer="道路", append=True)
    with pytest.raises(SourceError, match="地块、道路"):
        deliver(tmp_path / "a.gpkg")
    assert deliver(tmp_path / "a.gpkg", part="道路").table.num_rows == 3


def test_a_layer_without_rows_is_a_table_without_rows(tmp_path):
    write(tmp_path / "a.gpkg", "GPKG", n=0)
    got = deliver(tmp_path / "a.gpkg")
    assert got.table.num_rows == 0
    assert {"名称", "_row", "_geometry", "_note"} <= set(got.table.column_names)


def test_rows_are_numbered_on_through_the_batches(tmp_path):
    write(tmp_path / "a.gpkg", "GPKG", n=70_000)
    got = deliver(tmp_path / "a.gpkg")
    assert got.batches >= 2
    assert got.table.column("_row").to_pylist() == [str(i) for i in range(1, 70_001)]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("version", ["R2000", "R2010"])
def test_a_drawing_gives_layer_text_height_and_block_attributes(tmp_path, encoding, version):
    drawing = ezdxf.new(version)
    space = drawing.modelspace()
    drawing.blocks.new("BAMP").add_circle((0, 0), 1)
    space.add_polyline3d([(0, 0, 12.5), (10, 0, 12.5), (10, 10, 12.5)], dxfattribs={"layer": "DGX"})
    space.add_text("龙泉村", dxfattribs={"layer": "ZJ"}).set_placement((5, 5))
    space.add_blockref("BAMP", (1, 1), dxfattribs={"layer": "JZD"}).add_attrib("编号", "J-01", (1, 1))
    path = tmp_path / "a.dxf"
    drawing.saveas(path)
    text = path.read_bytes().decode("utf-8" if version == "R2010" else "cp1252", "replace")
    text = text.replace("\\U+9F99\\U+6CC9\\U+6751", "龙泉村").replace("\\U+7F16\\U+53F7", "编号")
    path.write_bytes(text.encode(encoding))
    with pytest.raises(CrsError, match="no coordinate system"):
        deliver(path, kind="line")
    got = deliver(path, kind="line", crs="EPSG:4549")
    by = {r["Layer"]: r for r in got.rows}
    assert by["DGX"]["Elevation"] == 12.5
    assert not shapely.from_wkb(by["DGX"]["_geometry"]).has_z
    assert by["ZJ"]["Text"] == "龙泉村"
    assert by["JZD"]["BlockAttr:编号"] == "J-01"
    assert [r["Layer"] for r in deliver(path, kind="line", crs="EPSG:4549", part="DGX").rows] == ["DGX"]


# tables


def workbook(path: Path, rows: list[list], merges: tuple[str, ...] = (), title: str = "农户") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for merge in merges:
        sheet.merge_cells(merge)
    book.save(path)
    return path


MESSY = [
    ["龙泉村农户统计表（2025年）"],
    ["填报单位：民政局", None, None, "日期", "2025-03-01"],
    ["序号", "户主\n姓名", "身份证号", "位置", None],
    [None, None, None, "经度", "纬度"],
    [1, "张三", "330521199001011234", "119°58′12.3″E", "30°31′48″N"],
    [2, "李四", 330521199001011234, 119.97, 30.53],
    [None, None, None, None, None],
    [3.5, "王五", "33052119900101123X", "东经119度58分", "x"],
    ["合 计", 3],
    ["填表人：赵六"],
]
MERGES = ("A1:E1", "A3:A4", "B3:B4", "C3:C4", "D3:E3")


@pytest.mark.parametrize("options", [{}, {"header_rows": "3-4", "totals": "合计|填表人", "angle": "dms"}])
def test_a_clerks_workbook_is_read_as_it_was_meant(tmp_path, options):
    workbook(tmp_path / "a.xlsx", MESSY, MERGES)
    got = deliver(
        tmp_path / "a.xlsx", "table", "point", x="位置/经度", y="位置/纬度", crs="gcj02", options=options
    )  # fmt: skip
    assert got.table.column_names[:5] == ["序号", "户主姓名", "身份证号", "位置/经度", "位置/纬度"]
    assert [r["_row"] for r in got.rows] == [f"农户!{n}" for n in (5, 6, 8, 9, 10)]
    assert got.notes == ["dms", "number_cell:身份证号", "dms,unreadable_coordinate", "totals_row", "totals_row"]
    assert [r["序号"] for r in got.rows[:3]] == ["1", "2", "3.5"]
    assert got.rows[0]["身份证号"] == "330521199001011234"
    assert got.rows[1]["身份证号"] == "3.30521199001011E+17"
    point = shapely.from_wkb(got.rows[0]["_geometry"])
    assert (point.x, point.y) == pytest.approx((119.9700833333, 30.53))
    assert got.rows[2]["_geometry"] is None
    assert got.crs == "gcj02"


def test_dates_in_cells_come_as_iso_text(tmp_path):
    workbook(tmp_path / "a.xlsx", [["编号", "日期"], [1, dt.datetime(2021, 9, 3)], [2, dt.datetime(2021, 9, 3, 8, 30)]])
    assert [r["日期"] for r in deliver(tmp_path / "a.xlsx", "table", "none").rows] == [
        "2021-09-03",
        "2021-09-03 08:30:00",
    ]


def test_a_sheet_or_coordinate_column_that_is_not_there_is_named(tmp_path):
    workbook(tmp_path / "a.xlsx", [["编号", "经度"], [1, 2]])
    with pytest.raises(SourceError, match="农户"):
        deliver(tmp_path / "a.xlsx", "table", "none", part="表2")
    with pytest.raises(SourceError, match="纬度"):
        deliver(tmp_path / "a.xlsx", "table", "point", x="经度", y="纬度", crs="EPSG:4490")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_text_table_is_decoded_strictly_and_cut_where_it_says(tmp_path, encoding, delimiter):
    rows = [["编号", "名称", "备注"], ["007", "㐂字村", '"引\n号"'], ["8", "a", ""]]
    (tmp_path / "a.csv").write_text("\r\n".join(delimiter.join(r) for r in rows), encoding)
    got = deliver(tmp_path / "a.csv", "table", "none")
    assert [(r["编号"], r["名称"], r["备注"], r["_row"]) for r in got.rows] == [
        ("007", "㐂字村", "引\n号", "2"), ("8", "a", None, "4"),
    ]  # fmt: skip


def test_ragged_rows_are_noted_and_nothing_in_them_is_lost(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n1\n1,2,3\n", "utf-8")
    got = deliver(tmp_path / "a.csv", "table", "none")
    assert [(r["a"], r["b"]) for r in got.rows] == [("1", "2"), ("1", None), ("1", "2|3")]
    assert got.notes == [None, "ragged_row", "ragged_row"]


def test_a_text_table_in_two_encodings_is_refused_naming_the_byte(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n" + "龙".encode() + b",1\n\xff\xff,2\n")
    with pytest.raises(SourceError, match="near byte"):
        deliver(tmp_path / "a.csv", "table", "none")


@given(
    st.lists(
        st.lists(st.sampled_from(["甲", "乙", None, "12", "0.5"]), min_size=3, max_size=3), min_size=1, max_size=30
    )
)
def test_a_heading_is_found_or_refused_and_names_are_never_twice_the_same(rows):
    try:
        found = heading.find(rows, (), "")
    except ValueError:
        return
    assert len(set(found.names)) == len(found.names) == 3
    assert 1 <= found.first_row <= len(rows)


# parsing


@pytest.mark.parametrize(
    "text",
    ["119°54′36.5″E", "119度54分36.5秒", "东经119°54′36.5″", "119 54 36.5", "119:54:36.5E", "１１９°５４′３６．５″",
     "E119°54'36.5\"", "119°54’36.5”", "119.9101388888889"],
)  # fmt: skip
def test_angles_in_every_usual_spelling_are_one_angle(text):
    assert parse.parse_dms(text, 180) == pytest.approx(119.91013888889)


@pytest.mark.parametrize("text", ["119°75′00″", "11954365", "119°54′61″", "x", "", "181", "1e999", "119°54′36.5″N5"])
def test_what_is_no_angle_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        parse.parse_dms(text, 180)


@given(st.floats(-179.99, 179.99))
def test_an_angle_written_in_degrees_minutes_and_seconds_reads_back(value):
    total = abs(value)
    degrees, minutes = int(total), int((total - int(total)) * 60)
    seconds = round((total - degrees - minutes / 60) * 3600, 7)
    if seconds < 60:
        text = f"{degrees}°{minutes}′{seconds:.7f}″{'E' if value >= 0 else 'W'}"
        assert parse.parse_dms(text, 180) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "want"),
    [("2021年9月", "2021-09-01"), ("2021.9", "2021-09-01"), ("2021-09-03", "2021-09-03"), ("２０２１年９月３日", "2021-09-03"),
     ("2021/9/3", "2021-09-03"), ("20210903", "2021-09-03"), ("2021", "2021-01-01"), ("45321", "2024-01-30"),
     ("2021年9月3日08时30分", "2021-09-03"), ("2021-09-03 08:30:00", "2021-09-03"), ("无", None), ("", None)],
)  # fmt: skip
def test_dates_as_clerks_write_them(text, want):
    found = parse.parse_date(text)
    assert (found.isoformat() if found else None) == want


@pytest.mark.parametrize("text", ["2024.2.30", "去年", "1021年9月", "99", "2021-13-01", "21年9月", "农历八月"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        parse.parse_date(text)


def test_columns_are_parsed_with_a_flag_for_each_row():
    values, good = parse.numbers(pa.array(["１２．５", "1,234.5", "1,23", None, "", "12亩", "-0.5"]))
    assert values.to_pylist() == [12.5, 1234.5, None, None, None, None, -0.5]
    assert good.to_pylist() == [True, True, False, True, True, False, True]
    values, good = parse.booleans(pa.array(["是", "否", "也许", None]))
    assert (values.to_pylist(), good.to_pylist()) == ([True, False, None, None], [True, True, False, True])
    assert parse.text(pa.array([" Ａ１　", "", None, "龙"])).to_pylist() == ["A1", None, None, "龙"]


# rasters and scenes


def test_a_geotiff_is_described_where_it_lies(tmp_path):
    path = tmp_path / "dem.tif"
    rasters.write_geotiff(path, np.zeros((20, 30), "float32"), (497_000, 3_379_000, 497_060, 3_379_040), "EPSG:4549")
    got = deliver(path, "raster", "raster")
    row = got.rows[0]
    assert (got.crs, row["width"], row["height"], row["bands"], row["dtype"]) == ("EPSG:4549", 30, 20, 1, "float32")
    assert (row["xmin"], row["ymin"], row["xmax"], row["ymax"]) == (497_000, 3_379_000, 497_060, 3_379_040)


def test_a_geotiff_without_a_system_needs_a_declared_one(tmp_path):
    path = tmp_path / "dem.tif"
    rasters.write_geotiff(path, np.zeros((20, 30), "uint8"), (497_000, 3_379_000, 497_060, 3_379_040), "")
    with pytest.raises(CrsError, match="no coordinate system"):
        deliver(path, "raster", "raster")
    assert deliver(path, "raster", "raster", crs="EPSG:4549").crs == "EPSG:4549"


def test_the_photogrammetry_scene_is_taken_with_a_note_of_what_did_not_come():
    folder = DATA / "tiles3d/photomesh_tileset"
    if not folder.exists():
        pytest.skip("../shared/data is absent")
    got = deliver(folder, "scene", "scene")
    assert sum(n is None for n in got.notes) == 9
    assert sum(n == "missing_content" for n in got.notes) == 22
    assert got.report["notes"][0]["zh"]


# real files of others


@pytest.mark.parametrize(
    ("name", "kind", "rows"), [("buildings", "polygon", 401), ("roads", "line", 139), ("trees", "point", 52)]
)
def test_kingston_st_mary_is_read_as_its_declaration_says(name, kind, rows):
    path = DATA / f"kingston_st_mary_uk/{name}.shp"
    if not path.exists():
        pytest.skip("../shared/data is absent")
    got = deliver(path, kind=kind, accepted=ACCEPTED)
    assert (got.crs, got.table.num_rows) == ("EPSG:27700", rows)
    assert len(got.files.files) == 6


def test_every_layer_of_saltford_is_read():
    path = DATA / "saltford_uk/saltford_cp.gpkg"
    if not path.exists():
        pytest.skip("../shared/data is absent")
    total = 0
    for name in pyogrio.list_layers(path)[:6, 0]:
        total += deliver(path, kind="polygon", accepted=ACCEPTED, part=str(name)).table.num_rows
    assert total > 0


def test_a_file_geodatabase_is_a_folder_with_its_own_name(tmp_path):
    write(tmp_path / "林班.gdb", "OpenFileGDB", "EPSG:4490", layer="小班")
    got = deliver(tmp_path / "林班.gdb", part="小班")
    assert (got.crs, got.table.num_rows) == ("EPSG:4490", 3)


def test_the_reader_writes_a_tileset_anew_without_what_did_not_come(tmp_path):
    folder = tmp_path / "scene"
    (folder / "sub").mkdir(parents=True)
    body = b"b3dm" + struct.pack("<6I", 1, 28, 0, 0, 0, 0)
    (folder / "sub" / "a.b3dm").write_bytes(body)
    (folder / "readme.txt").write_text("x")
    volume = {"boundingVolume": {}}
    root = {
        **volume,
        "content": {"uri": "sub/lost.b3dm"},
        "children": [{**volume, "content": {"uri": "sub/more.json"}}],
    }
    (folder / "tileset.json").write_text(json.dumps({"asset": {"version": "1.1"}, "root": root}))
    several = [{"uri": "a.b3dm"}, {"uri": "gone.b3dm"}, "odd"]
    (folder / "sub" / "more.json").write_text(json.dumps({"root": {**volume, "contents": several}}))
    got = deliver(folder, "scene", "scene", raw=tmp_path)
    scenes.copy(got.files, got.rows, tmp_path / "out")
    written = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert written == {"tileset.json", "sub/more.json", "sub/a.b3dm"}
    top = json.loads((tmp_path / "out" / "tileset.json").read_text())
    assert top == {"asset": {"version": "1.1"}, "root": {**volume, "children": root["children"]}}
    assert json.loads((tmp_path / "out" / "sub" / "more.json").read_text())["root"]["contents"] == [{"uri": "a.b3dm"}]
    assert (tmp_path / "out" / "sub" / "a.b3dm").read_bytes() == body


def test_a_scene_declared_by_its_file_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "tileset.json").write_text("{}")
    with pytest.raises(SourceError, match="folder"):
        deliver(tmp_path / "tileset.json", "scene", "scene")


@pytest.mark.parametrize("declared", ["", "utf-8", "UTF-8"])
def test_a_mark_before_the_first_heading_is_no_part_of_it_whether_its_encoding_is_declared_or_not(tmp_path, declared):
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeff编号,名称\n1,甲\n".encode())
    job = Job(reader="table", path=str(path), name="a.csv", encoding=declared)
    assert [row for _, row in delimited.rows(job, {})] == [["编号", "名称"], ["1", "甲"]]
