"""A corpus of bad and hostile deliveries, made here: each is refused with a reason, or its rows are marked; nothing else happens."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import stat
import struct
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely

from etl import wkb
from tests.reading import deliver
from twin import rasters
from twin.errors import CrsError, SourceError, TwinError

CANARY = "canary-8f2c"


# making the corpus


def gpkg(path: Path, blobs: list[bytes | None]) -> Path:
    """Write a GeoPackage whose geometries are `blobs` of WKB, as they are."""
    point = shapely.to_wkb(np.array([shapely.Point(1, 1)] * len(blobs), object))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyogrio.raw.write(
            str(path), geometry=point, field_data=[np.array([str(i) for i in range(len(blobs))], object)], fields=["id"],
            driver="GPKG", geometry_type="Unknown", crs="EPSG:4549", layer="t", SPATIAL_INDEX="NO",
        )  # fmt: skip
    with sqlite3.connect(path) as base:
        header = b"GP\0\x01" + struct.pack("<i", 4549)
        for i, blob in enumerate(blobs, 1):
            base.execute("UPDATE t SET geom = ? WHERE fid = ?", (None if blob is None else header + blob, i))
    base.close()
    return path


def nest(depth: int) -> bytes:
    return struct.pack("<BII", 1, 7, 1) * depth + shapely.to_wkb(shapely.Point(1, 1))


def ring(points: list[tuple[float, float]]) -> bytes:
    return struct.pack("<BIII", 1, 3, 1, len(points)) + b"".join(struct.pack("<dd", *p) for p in points)


def text(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def vrt(canary: Path) -> str:
    return f'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{canary}</SrcDataSource><SrcLayer>canary</SrcLayer></OGRVRTLayer></OGRVRTDataSource>'


def xml_kml(canary: Path, port: int, body: str = "", doctype: str = "") -> str:
    return f"<?xml version='1.0'?>{doctype}<kml xmlns='http://www.opengis.net/kml/2.2'><Document><NetworkLink><Link><href>http://127.0.0.1:{port}/{CANARY}.kml</href></Link></NetworkLink><NetworkLink><Link><href>{canary}</href></Link></NetworkLink><Placemark><name>{body}</name><Style><IconStyle><Icon><href>http://127.0.0.1:{port}/i.png</href></Icon></IconStyle></Style><Point><coordinates>1,1</coordinates></Point></Placemark></Document></kml>"


GML = """<?xml version="1.0" encoding="UTF-8"?>{doctype}<ogr:FeatureCollection gml:id="c" xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://ogr.maptools.org/ {schema}"><ogr:featureMember><ogr:t gml:id="t.0"><ogr:geometryProperty><gml:Point srsName="urn:ogc:def:crs:EPSG::4549" gml:id="p"><gml:pos>3379000 497000</gml:pos></gml:Point></ogr:geometryProperty><ogr:name xlink:href="{link}">{body}</ogr:name></ogr:t></ogr:featureMember></ogr:FeatureCollection>"""

VECTOR = {
    "vrt-geojson": lambda d, c, p: text(d / "a.geojson", vrt(c)),
    "vrt-json-inside": lambda d, c, p: text(d / "a.geojson", '{"type": 1} ' + vrt(c)),
    "vrt-gpkg": lambda d, c, p: text(d / "a.gpkg", vrt(c)),
    "vrt-shp": lambda d, c, p: text(d / "a.shp", vrt(c)),
    "vrt-kml": lambda d, c, p: text(d / "a.kml", vrt(c).replace("<OGRVRTD", "<OGRVRTD", 1) + "<!-- <kml> -->"),
    "vrt-gml": lambda d, c, p: text(d / "a.gml", vrt(c) + "<!-- opengis.net/gml -->"),
    "vrt": lambda d, c, p: text(d / "a.vrt", vrt(c)),
    "vrt-in-zip": lambda d, c, p: zipped(d / "a.zip", {"a.vrt": vrt(c)}),
    "vrt-in-zip-as-shp": lambda d, c, p: zipped(d / "a.shp", {"a.vrt": vrt(c)}),
    "kmz": lambda d, c, p: zipped(d / "a.kmz", {"doc.kml": xml_kml(c, p)}),
    "gti": lambda d, c, p: text(d / "a.geojson", f'{{"type": "gdal_streamed_alg", "command_line": "gdal vector read {c}"}}'),
    "tab-view": lambda d, c, p: text(d / "a.tab", f'!table\n!version 100\nOpen Table "{c}" Hide\nCreate View a As\nSelect * From x\n'),
    "tab-picture": lambda d, c, p: text(d / "a.tab", f'!table\n!version 300\nDefinition Table\n  File "{c}"\n  Type "RASTER"\n'),
    "kml-xxe": lambda d, c, p: text(d / "a.kml", xml_kml(c, p, "&x;", f'<!DOCTYPE kml [<!ENTITY x SYSTEM "file://{c}">]>')),
    "kml-xxe-http": lambda d, c, p: text(d / "a.kml", xml_kml(c, p, "&x;", f'<!DOCTYPE kml [<!ENTITY % x SYSTEM "http://127.0.0.1:{p}/">%x;]>')),
    "kml-utf16-xxe": lambda d, c, p: text(d / "a.kml", xml_kml(c, p, "&x;", f'<!DOCTYPE kml [<!ENTITY x SYSTEM "file://{c}">]>').encode("utf-16")),
    "kml-laughs": lambda d, c, p: text(d / "a.kml", xml_kml(c, p, "&l9;", laughs("kml"))),
    "gml-xxe": lambda d, c, p: text(d / "a.gml", GML.format(doctype=f'<!DOCTYPE x [<!ENTITY x SYSTEM "file://{c}">]>', schema="x.xsd", link="#p", body="&x;")),
    "gml-laughs": lambda d, c, p: text(d / "a.gml", GML.format(doctype=laughs("x"), schema="x.xsd", link="#p", body="&l9;")),
    "empty": lambda d, c, p: text(d / "a.geojson", ""),
    "truncated-json": lambda d, c, p: text(d / "a.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Poi'),
    "deep-json": lambda d, c, p: text(d / "a.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":' + "[" * 100_000 + "]" * 100_000 + "}}]}"),
    "noise-shp": lambda d, c, p: text(d / "a.shp", b"\x00\x00\x27\x0a" + bytes(range(256)) * 40),
    "noise-gpkg": lambda d, c, p: text(d / "a.gpkg", b"SQLite format 3\x00" + bytes(52) + b"GPKG" + bytes(range(256)) * 40),
    "noise-fgb": lambda d, c, p: text(d / "a.fgb", b"fgb\x03fgb\x00" + b"\xff" * 4096),
    "noise-dxf": lambda d, c, p: text(d / "a.dxf", "0\nSECTION\n2\nENTITIES\n0\nLWPOLYLINE\n90\n2147483647\n" + "10\n1\n" * 50),
    "dwg": lambda d, c, p: text(d / "a.dwg", b"AC1032" + bytes(100)),
    "sqlite-not-gpkg": lambda d, c, p: sqlite(d / "a.gpkg"),
    "mdb": lambda d, c, p: text(d / "a.mdb", b"\x00\x01\x00\x00Standard Jet DB"),
    "csv-as-geojson": lambda d, c, p: text(d / "a.geojson", "lon,lat\n1,1\n"),
}  # fmt: skip
"""Vector deliveries that must be refused: (folder, canary file, port of a listener) → the file."""

HARMLESS = {
    "kml-links": lambda d, c, p: text(d / "a.kml", xml_kml(c, p)),
    "gml-schema-http": lambda d, c, p: text(d / "a.gml", GML.format(doctype="", schema=f"http://127.0.0.1:{p}/a.xsd", link=f"http://127.0.0.1:{p}/x", body="b")),
    "gml-schema-file": lambda d, c, p: text(d / "a.gml", GML.format(doctype="", schema=f"{c}", link=f"file://{c}#x", body="b")),
    "geojson-href": lambda d, c, p: text(d / "a.geojson", json.dumps({"type": "FeatureCollection", "links": [{"href": f"http://127.0.0.1:{p}/", "rel": "next"}], "features": [{"type": "Feature", "properties": {"u": f"/vsicurl/http://127.0.0.1:{p}/"}, "geometry": {"type": "Point", "coordinates": [1, 1]}}]})),
    "gpkg-triggers": lambda d, c, p: trigger(d / "a.gpkg", c),
    "dxf-xref": lambda d, c, p: text(d / "a.dxf", f"0\nSECTION\n2\nHEADER\n0\nENDSEC\n0\nSECTION\n2\nBLOCKS\n0\nBLOCK\n2\nX\n70\n4\n1\n{c}\n0\nENDBLK\n0\nENDSEC\n0\nSECTION\n2\nENTITIES\n0\nPOINT\n8\n0\n10\n1\n20\n1\n0\nENDSEC\n0\nEOF\n"),
}  # fmt: skip
"""Vector deliveries that may be read, but whose references must not be followed."""


def laughs(root: str) -> str:
    lines = ['<!ENTITY l0 "ha">', *(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))]
    return f"<!DOCTYPE {root} [{''.join(lines)}]>"


def zipped(path: Path, entries: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as container:
        for name, content in entries.items():
            container.writestr(name, content)
    return path


def sqlite(path: Path) -> Path:
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE t (x)")
    base.close()
    return path


def trigger(path: Path, canary: Path) -> Path:
    gpkg(path, [shapely.to_wkb(shapely.Point(1, 1))])
    with sqlite3.connect(path) as base:
        base.execute("CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM t; END")
        base.execute(f"CREATE VIEW v AS SELECT load_extension('{canary}') AS x")
        base.execute("INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('v', 'attributes', 'v')")
    base.close()
    return path


# vector


@pytest.mark.parametrize("name", VECTOR)
def test_a_hostile_vector_file_is_refused_with_a_reason(tmp_path, name):
    path = VECTOR[name](tmp_path, tmp_path / CANARY, 9)
    started = time.monotonic()
    with pytest.raises(SourceError) as refused:
        deliver(path, crs="EPSG:4549")
    assert path.name in refused.value.zh or path.stem in refused.value.zh
    assert "意外退出" not in refused.value.zh, "refused by a sentence, not by a crash"
    assert "自身出错" not in refused.value.zh
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("name", HARMLESS)
def test_links_in_a_vector_file_are_not_followed(tmp_path, name):
    path = HARMLESS[name](tmp_path, tmp_path / CANARY, 9)
    part = "t" if path.suffix == ".gpkg" else ""
    assert deliver(path, crs="EPSG:4549" if path.suffix == ".dxf" else "", part=part).table.num_rows == 1


FEW = [(497000.0, 3379000.0), (497100.0, 3379000.0), (497100.0, 3379100.0)]
SQUARE = [*FEW, (497000.0, 3379100.0)]
GEOMETRY = {
    "null": (None, None),
    "nested-20000": (nest(20_000), "nested_geometry"),
    "nested-9": (nest(9), "nested_geometry"),
    "nested-multi": (struct.pack("<BII", 1, 6, 1) * 20_000, "nested_geometry"),
    "count-0x7fffffff": (struct.pack("<BII", 1, 2, 0x7FFFFFFF), "unreadable_geometry"),
    "members-0x7fffffff": (struct.pack("<BII", 1, 7, 0x7FFFFFFF), "unreadable_geometry"),
    "rings-0xffffffff": (struct.pack("<BII", 1, 3, 0xFFFFFFFF), "unreadable_geometry"),
    "byte-order-7": (b"\x07" + shapely.to_wkb(shapely.Point(1, 1))[1:], "unreadable_geometry"),
    "type-99": (struct.pack("<BIdd", 1, 99, 1, 1), "unreadable_geometry"),
    "cut-off": (ring(SQUARE)[:-9], "unreadable_geometry"),
    "unclosed": (ring(SQUARE), "unclosed_ring"),
    "nan": (struct.pack("<BIdd", 1, 1, float("nan"), 5.0), "not_finite"),
    "infinite": (ring([*SQUARE[:2], (float("inf"), 0.0), SQUARE[0]]), "not_finite"),
    "1e308": (ring([*SQUARE[:2], (1e308, -1e308), SQUARE[0]]), "not_finite"),
    "tin": (struct.pack("<BII", 1, 16, 0), "unsupported_geometry:TIN"),
    "curve": (struct.pack("<BIIdddddd", 1, 8, 3, 0, 0, 1, 1, 2, 0), "unsupported_geometry:CircularString"),
    "z": (shapely.to_wkb(shapely.Point(1, 1, 5)), "z_dropped"),
    "m": (shapely.to_wkb(shapely.from_wkt("POINT M (1 1 5)"), flavor="iso"), None),
    "ewkb-srid": (shapely.to_wkb(shapely.set_srid(shapely.Point(1, 1), 4326), include_srid=True), None),
    "big-endian": (shapely.to_wkb(shapely.Point(1, 1), byte_order=0), None),
    "bow-tie": (ring([FEW[0], FEW[2], FEW[1], (497000.0, 3379100.0), FEW[0]]), None),
    "empty": (shapely.to_wkb(shapely.Polygon()), None),
}


def test_every_hostile_geometry_is_marked_and_its_neighbours_are_read(tmp_path):
    sound = ring([*SQUARE, SQUARE[0]])
    blobs = [b for blob, _ in GEOMETRY.values() for b in (sound, blob)]
    got = deliver(gpkg(tmp_path / "a.gpkg", blobs))
    assert got.table.num_rows == len(blobs)
    assert set(got.notes[::2]) == {None}
    marked = dict(zip(GEOMETRY, got.notes[1::2], strict=True))
    # GDAL itself already nulls, or cuts short, some of what GEOS would have choked on: then there is no geometry at all
    geometry = dict(zip(GEOMETRY, got.table.column("_geometry").to_pylist()[1::2], strict=True))
    for name, (_, want) in GEOMETRY.items():
        assert marked[name] == want or geometry[name] is None, (name, marked[name])
    everything = shapely.from_wkb(got.table.column("_geometry").to_pylist())
    assert not shapely.has_z(everything).any()


@pytest.mark.parametrize("name", GEOMETRY)
def test_the_examination_alone_marks_every_hostile_geometry(name):
    import pyarrow as pa

    blob, want = GEOMETRY[name]
    examined = wkb.examine(pa.array([blob, None], pa.binary()))
    assert (examined.notes or [None])[0] == want


def test_a_polygon_of_ten_million_vertices_is_refused_by_the_limit(tmp_path):
    turn = np.linspace(0, 2 * np.pi, 1_200_000)
    huge = shapely.Polygon(np.column_stack([497_000 + 50 * np.cos(turn), 3_379_000 + 50 * np.sin(turn)]))
    path = gpkg(tmp_path / "a.gpkg", [ring([*SQUARE, SQUARE[0]]), shapely.to_wkb(huge)])
    with pytest.raises(SourceError, match=r"Feature 2 .*vertices"):
        deliver(path)


@pytest.mark.parametrize("suffix", [".shp", ".dbf", ".shx"])
def test_a_shapefile_that_was_cut_off_is_refused_or_read_whole(tmp_path, suffix):
    square = shapely.Polygon(SQUARE)
    pyogrio.raw.write(
        str(tmp_path / "a.shp"), geometry=shapely.to_wkb(np.array([square] * 200, object)), driver="ESRI Shapefile",
        field_data=[np.array([f"n{i}" for i in range(200)], object)], fields=["id"], geometry_type="Polygon",
        crs="EPSG:4549",
    )  # fmt: skip
    part = tmp_path / f"a{suffix}"
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    try:
        got = deliver(tmp_path / "a.shp")
    except SourceError:
        return
    lost = [r for r in got.rows if r["_geometry"] is None or r["id"] is None]
    assert got.table.num_rows == 200
    assert lost, "what was cut off must show as missing geometry or values"


def test_a_declared_zone_against_the_prjs_zone_is_refused(tmp_path):
    pyogrio.raw.write(
        str(tmp_path / "a.shp"), geometry=shapely.to_wkb(np.array([shapely.Polygon(SQUARE)], object)),
        driver="ESRI Shapefile", field_data=[np.array(["1"], object)], fields=["id"], geometry_type="Polygon",
        crs="EPSG:4528",
    )  # fmt: skip
    with pytest.raises(CrsError):
        deliver(tmp_path / "a.shp", crs="EPSG:4527")


# tables


def sheet(rows: int = 2) -> dict[str, bytes]:
    book = openpyxl.Workbook()
    for i in range(rows):
        book.active.append(["编号" if i == 0 else i, "名称"])
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as container:
        return {n: container.read(n) for n in container.namelist()}


def xlsx(path: Path, changes: dict[str, bytes], **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in {**sheet(), **changes, **more}.items():
            container.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FOOT = b"</sheetData></worksheet>"


def slip(path: Path, name: str, *, link: bool = False, twice: bool = False) -> Path:
    xlsx(path, {})
    with zipfile.ZipFile(path, "a") as container, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16 if link else 0
        container.writestr(entry, "/etc/passwd")
        if twice:
            container.writestr(SHEET, b"x")
    return path


TABLES = {
    "zip-bomb": lambda d: xlsx(d / "a.xlsx", {SHEET: HEAD + b" " * (250 << 20) + FOOT}),
    "zip-bomb-in-strings": lambda d: xlsx(d / "a.xlsx", {"xl/sharedStrings.xml": b"<sst>" + b"a" * (250 << 20)}),
    "empty-styled-rows": lambda d: xlsx(d / "a.xlsx", {SHEET: HEAD + b"".join(b'<row r="%d" s="1"/>' % i for i in range(1, 1_048_577)) + FOOT}),
    "corner-cell": lambda d: xlsx(d / "a.xlsx", {SHEET: HEAD + b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' + FOOT}),
    "dtd-in-sheet": lambda d: xlsx(d / "a.xlsx", {SHEET: laughs("worksheet").encode() + HEAD + b'<row r="1"><c r="A1" t="str"><v>&l9;</v></c></row>' + FOOT}),
    "xxe-in-workbook": lambda d: xlsx(d / "a.xlsx", {"xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + sheet()["xl/workbook.xml"]}),
    "macros": lambda d: xlsx(d / "a.xlsx", {"xl/vbaProject.bin": b"x"}),
    "slip-up": lambda d: slip(d / "a.xlsx", "../../etc/x"),
    "slip-absolute": lambda d: slip(d / "a.xlsx", "/etc/x"),
    "slip-windows": lambda d: slip(d / "a.xlsx", "..\\x"),
    "slip-link": lambda d: slip(d / "a.xlsx", "xl/x", link=True),
    "twice": lambda d: slip(d / "a.xlsx", "xl/x", twice=True),
    "not-a-zip": lambda d: text(d / "a.xlsx", b"PK\x03\x04" + bytes(1000)),
    "password": lambda d: text(d / "a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)),
    "html-as-xls": lambda d: text(d / "a.xls", "<html><table><tr><td>1</td></tr></table></html>"),
    "xlsx-as-csv": lambda d: shutil.copy(xlsx(d / "b.xlsx", {}), d / "a.csv") and (d / "a.csv"),
    "et-of-another-kind": lambda d: text(d / "a.wps", b"\xd0\xcf\x11\xe0" + bytes(4096)),
    "no-sheet": lambda d: zipped(d / "a.xlsx", {"x": "y"}),
    "empty-csv": lambda d: text(d / "a.csv", ""),
    "open-quote": lambda d: text(d / "a.csv", 'a,b\n1,"never closed\n' + "x,y\n" * 10),
    "huge-field": lambda d: text(d / "a.csv", 'a,b\n1,"' + "x" * (3 << 20) + '"\n'),
    "binary-csv": lambda d: text(d / "a.csv", bytes(range(128, 256)) * 10),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_hostile_table_is_refused_quickly_with_a_reason(tmp_path, name):
    path = TABLES[name](tmp_path)
    started = time.monotonic()
    with pytest.raises(SourceError) as refused:
        deliver(path, "table", "none")
    assert "a." in refused.value.zh
    assert "意外退出" not in refused.value.zh, "refused by a sentence, not by a crash"
    assert "自身出错" not in refused.value.zh
    assert time.monotonic() - started < 10


def test_formulas_scripts_and_quotes_are_kept_as_the_text_they_are(tmp_path):
    cells = [
        "=1+1",
        "+cmd|' /C calc'!A0",
        '"; DROP TABLE t; --',
        "{{7*7}}",
        "<script>alert(1)</script>",
        "-@",
        "𠮷·吐尔逊",
    ]
    path = text(
        tmp_path / "a.csv",
        "id,值\n" + "".join('{},"{}"\n'.format(i, c.replace('"', '""')) for i, c in enumerate(cells)),
    )
    assert [r["值"] for r in deliver(path, "table", "none").rows] == cells


# rasters and scenes


def test_what_is_no_geotiff_is_refused(tmp_path):
    rows = {
        "a.tif": f"<VRTDataset rasterXSize='1' rasterYSize='1'><VRTRasterBand><SimpleSource><SourceFilename>{tmp_path}/x</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
        "b.tif": b"II*\0" + b"\xff" * 200,
        "c.jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
        "d.tif": b"",
    }
    for name, content in rows.items():
        with pytest.raises(SourceError):
            deliver(text(tmp_path / name, content), "raster", "raster")


def test_a_pixel_flood_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    rasters.write_geotiff(path, np.zeros((8, 8), "uint8"), (497_000, 3_379_000, 497_060, 3_379_060), "EPSG:4549")
    data = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, at)[0]):
        tag = struct.unpack_from("<H", data, at + 2 + 12 * i)[0]
        if tag in (256, 257):
            struct.pack_into("<HHII", data, at + 2 + 12 * i, tag, 4, 1, 60_000)
    path.write_bytes(data)
    with pytest.raises(SourceError):
        deliver(path, "raster", "raster")


TILESET = {"asset": {"version": "1.0"}, "root": {"boundingVolume": {}, "content": {"uri": "a.b3dm"}}}
B3DM = b"b3dm" + struct.pack("<6I", 1, 28, 0, 0, 0, 0)
SCENES = {
    "no-tileset": ({}, {}),
    "not-json": ({}, {"tileset.json": b"<x>"}),
    "http": ({"uri": "http://127.0.0.1:9/a.b3dm"}, {}),
    "protocol-relative": ({"uri": "//127.0.0.1/a.b3dm"}, {}),
    "absolute": ({"uri": "/etc/passwd"}, {}),
    "traversal": ({"uri": "../../etc/passwd"}, {}),
    "traversal-encoded": ({"uri": "%2e%2e/%2e%2e/etc/passwd"}, {}),
    "windows": ({"uri": "C:\\x.b3dm"}, {}),
    "nothing-came": ({"uri": "b.b3dm"}, {}),
    "wrong-magic": ({"uri": "a.b3dm"}, {"a.b3dm": b"xxxx" + bytes(24)}),
    "wrong-length": ({"uri": "a.b3dm"}, {"a.b3dm": B3DM + b"more"}),
    "script": ({"uri": "a.js"}, {"a.js": b"alert(1)"}),
    "gltf-links-out": ({"uri": "a.glb"}, {"a.glb": b""}),
    "deep": ({"deep": True}, {}),
}  # fmt: skip


def glb(uri: str) -> bytes:
    body = json.dumps({"asset": {"version": "2.0"}, "images": [{"uri": uri}]}).encode()
    body += b" " * (-len(body) % 4)
    return b"glTF" + struct.pack("<III4s", 2, 20 + len(body), len(body), b"JSON") + body


def scene(folder: Path, name: str) -> Path:
    """Write the scene of that name into `folder`."""
    content, files = SCENES[name]
    text(folder / "readme.txt", "x")
    tileset = json.loads(json.dumps(TILESET))
    if content.get("deep"):
        for _ in range(200):
            tileset["root"] = {"children": [tileset["root"]]}
    elif content:
        tileset["root"]["content"] = content
    if name != "no-tileset":
        text(folder / "tileset.json", json.dumps(tileset))
    if name == "gltf-links-out":
        files = {"a.glb": glb("http://127.0.0.1:9/x.png")}
    for file, data in files.items():
        text(folder / file, data)
    return folder


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_that_points_outside_itself_or_is_damaged_is_refused(tmp_path, name):
    with pytest.raises(SourceError):
        deliver(scene(tmp_path / "scene", name), "scene", "scene", raw=tmp_path)


def test_this_corpus_covers_the_classes_it_claims():
    """Rows of the bad-input table: 21-24, 29-34, 36-41, 43, 45, 46, 61-64, 66, 69, and 3D scenes."""
    assert len(VECTOR) + len(HARMLESS) + len(GEOMETRY) + len(TABLES) + len(SCENES) >= 90
    assert issubclass(SourceError, TwinError)
