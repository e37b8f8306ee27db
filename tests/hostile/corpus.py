"""Which hostile deliveries there are: every class of the bad-input table that is a file, made here and never copied."""

from __future__ import annotations

import gzip
import json
import sqlite3
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely

from tests import test_hostile as first
from tests.hostile import lies, pictures
from tests.test_hostile import CANARY, GML, gpkg, ring, text, xlsx, zipped

Make = Callable[[Path, Path, int], Path]
"""(an empty folder, the canary that must not be opened, a port nobody may connect to) → the file delivered."""
SQUARE = [*first.SQUARE, first.SQUARE[0]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One delivery and how it is declared; `harmless` where it may be read as long as nothing else is."""

    make: Make
    reader: str = "vector"
    kind: str = "polygon"
    crs: str = "EPSG:4549"
    part: str = ""
    harmless: bool = False


def shapefile(folder: Path, rows: int = 3, crs: str = "EPSG:4549") -> Path:
    path = folder / "a.shp"
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb(np.array([shapely.Polygon(SQUARE)] * rows, object)), driver="ESRI Shapefile",
        field_data=[np.array([f"n{i}" for i in range(rows)], object)], fields=["id"], geometry_type="Polygon", crs=crs,
    )  # fmt: skip
    return path


def beside(folder: Path, suffix: str, content: str | bytes) -> Path:
    """Write a shapefile with one of its parts replaced or added."""
    path = shapefile(folder)
    text(folder / f"a{suffix}", content)
    return path


def patched(path: Path, at: int, value: bytes) -> Path:
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def wkt_grids(canary: Path) -> str:
    """Write a coordinate system whose datum is shifted by a grid in a file of one's choice."""
    return f'PROJCS["CGCS2000_3_Degree_GK_CM_120E",GEOGCS["x",DATUM["x",SPHEROID["x",6378137,298.257222101],EXTENSION["PROJ4_GRIDS","{canary}"]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["central_meridian",120],PARAMETER["scale_factor",1],PARAMETER["false_easting",500000],UNIT["metre",1]]'


def geojson(path: Path, crs: Any = None, geometry: Any = None, **properties: Any) -> Path:
    point = {"type": "Point", "coordinates": [497000, 3379000]}
    feature = {"type": "Feature", "properties": properties, "geometry": geometry or point}
    return text(path, json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}))


def base(path: Path, *statements: str) -> Path:
    """Write a GeoPackage and change it by SQL, its schema too."""
    gpkg(path, [ring(SQUARE)])
    with sqlite3.connect(path) as link:
        link.execute("PRAGMA writable_schema = 1")
        for statement in statements:
            link.execute(statement)
    link.close()
    return path


def schema(sql: str, name: str = "t", kind: str = "table") -> str:
    """Give the statement that puts `sql` into the schema as if it had been created."""
    return f"INSERT INTO sqlite_master VALUES ('{kind}', '{name}', '{name}', 0, '{sql.replace(chr(39), chr(39) * 2)}')"


def endless(path: Path) -> Path:
    """Write a layer that is a view without an end."""
    view = "CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS fid, (SELECT geom FROM t) AS geom FROM c"
    return base(
        path, view, "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('v', 'features', 'v', 4549)",
        "INSERT INTO gpkg_geometry_columns SELECT 'v', 'geom', geometry_type_name, srs_id, z, m FROM gpkg_geometry_columns LIMIT 1",
    )  # fmt: skip


def journal(path: Path, canary: Path) -> Path:
    """Write a GeoPackage with a hot journal that names a master journal elsewhere."""
    gpkg(path, [ring(SQUARE)])
    name = str(canary).encode()
    tail = struct.pack(">I", 1) + name + struct.pack(">II", len(name), sum(name)) + bytes.fromhex("d9d505f920a163d7")
    head = bytes.fromhex("d9d505f920a163d7") + struct.pack(">IIIII", 1, 0, 1, 512, 4096)
    text(path.parent / "a.gpkg-journal", head.ljust(512, b"\0") + tail)
    return path


def dxf(*entities: str, blocks: str = "") -> str:
    head = "0\nSECTION\n2\nHEADER\n0\nENDSEC\n" + (f"0\nSECTION\n2\nBLOCKS\n{blocks}0\nENDSEC\n" if blocks else "")
    return f"{head}0\nSECTION\n2\nENTITIES\n{''.join(entities)}0\nENDSEC\n0\nEOF\n"


def block(name: str, body: str) -> str:
    return f"0\nBLOCK\n8\n0\n2\n{name}\n70\n0\n10\n0\n20\n0\n3\n{name}\n{body}0\nENDBLK\n"


def insert(name: str, more: str = "") -> str:
    return f"0\nINSERT\n5\nAB\n100\nAcDbEntity\n8\n0\n100\nAcDbBlockReference\n2\n{name}\n10\n0\n20\n0\n{more}"


POINT = "0\nPOINT\n8\n0\n10\n497000\n20\n3379000\n"


def dxf_laughs() -> str:
    blocks = block("L0", POINT) + "".join(block(f"L{i}", insert(f"L{i - 1}") * 10) for i in range(1, 10))
    return dxf(insert("L9"), blocks=blocks)


def tab(path: Path, body: str) -> Path:
    for suffix in (".dat", ".map", ".id"):
        text(path.with_suffix(suffix), bytes(512))
    return text(path, f"!table\n!version 300\n!charset Neutral\n\n{body}")


VECTORS: Mapping[str, Item] = {
    "prj-path": Item(make=lambda d, c, p: beside(d, ".prj", str(c)), crs=""),
    "prj-url": Item(make=lambda d, c, p: beside(d, ".prj", f"http://127.0.0.1:{p}/a.prj"), crs=""),
    "prj-vsicurl": Item(make=lambda d, c, p: beside(d, ".prj", f"/vsicurl/http://127.0.0.1:{p}/a.prj"), crs=""),
    "prj-init": Item(make=lambda d, c, p: beside(d, ".prj", f"+init={c}:1"), crs=""),
    "prj-nadgrids": Item(make=lambda d, c, p: beside(d, ".prj", f"+proj=tmerc +lon_0=120 +ellps=GRS80 +nadgrids={c} +type=crs"), crs=""),
    "prj-grids-in-wkt": Item(make=lambda d, c, p: beside(d, ".prj", wkt_grids(c)), crs=""),
    "prj-deep": Item(make=lambda d, c, p: beside(d, ".prj", "PROJCS[" * 100_000), crs=""),
    "prj-long": Item(make=lambda d, c, p: beside(d, ".prj", 'PROJCS["' + "x" * (20 << 20) + '"]'), crs=""),
    "cpg-path": Item(make=lambda d, c, p: beside(d, ".cpg", str(c)), harmless=True),
    "qix-noise": Item(make=lambda d, c, p: beside(d, ".qix", b"SQT\1\1" + b"\xff" * 4096), harmless=True),
    "sbn-noise": Item(make=lambda d, c, p: beside(beside(d, ".sbn", b"\x00\x00\x27\x0a\xff\xff\xfe\x70" + b"\xff" * 4096).parent, ".sbx", b"\xff" * 4096), harmless=True),
    "shx-points-beyond": Item(make=lambda d, c, p: patched(shapefile(d).with_suffix(".shx"), 100, b"\x7f\xff\xff\xff" * 4).with_suffix(".shp")),
    "dbf-4-billion-rows": Item(make=lambda d, c, p: patched(shapefile(d).with_suffix(".dbf"), 4, b"\xff\xff\xff\xff").with_suffix(".shp"), harmless=True),
    "dbf-record-of-0": Item(make=lambda d, c, p: patched(shapefile(d).with_suffix(".dbf"), 10, b"\0\0").with_suffix(".shp")),
    "dbf-memo": Item(make=lambda d, c, p: patched(shapefile(d).with_suffix(".dbf"), 43, b"M").with_suffix(".shp"), harmless=True),
    "shp-parts-0x7fffffff": Item(make=lambda d, c, p: patched(shapefile(d), 108 + 36, b"\xff\xff\xff\x7f\xff\xff\xff\x7f"), harmless=True),
    "crs-link": Item(make=lambda d, c, p: geojson(d / "a.geojson", {"type": "link", "properties": {"href": f"http://127.0.0.1:{p}/crs", "type": "proj4"}}), crs="", harmless=True),
    "crs-link-file": Item(make=lambda d, c, p: geojson(d / "a.geojson", {"type": "link", "properties": {"href": f"file://{c}", "type": "ogcwkt"}}), crs="", harmless=True),
    "crs-name-file": Item(make=lambda d, c, p: geojson(d / "a.geojson", {"type": "name", "properties": {"name": str(c)}}), crs="", harmless=True),
    "crs-name-url": Item(make=lambda d, c, p: geojson(d / "a.geojson", {"type": "name", "properties": {"name": f"http://127.0.0.1:{p}/crs"}}), crs="", harmless=True),
    "geojson-1e999": Item(make=lambda d, c, p: text(d / "a.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1e999,-1e999]}}]}'), harmless=True),
    "geojson-a-million-keys": Item(make=lambda d, c, p: geojson(d / "a.geojson", **{f"k{i}": i for i in range(200_000)})),
    "geojson-one-object-60-mb": Item(make=lambda d, c, p: text(d / "a.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"MultiPoint","coordinates":[' + "[1,1]," * 10_000_000 + "[1,1]]}}]}")),
    "geojson-brackets": Item(make=lambda d, c, p: text(d / "a.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":' + "[" * 10_000_000)),
    "geojson-in-gzip": Item(make=lambda d, c, p: text(d / "a.geojson", gzip.compress(b'{"type":"FeatureCollection","features":[]}'))),
    "gzip-bomb": Item(make=lambda d, c, p: text(d / "a.geojson.gz", gzip.compress(b'{"type":"FeatureCollection","features":[' + bytes(200 << 20)))),
    "vsigzip-location": Item(make=lambda d, c, p: text(d / "a.shp", gzip.compress(b"\x00\x00\x27\x0a" + bytes(100 << 20)))),
    "nested-zips": Item(make=lambda d, c, p: lies.nested(d / "a.zip", 5)),
    "nested-zips-as-kmz": Item(make=lambda d, c, p: lies.nested(d / "a.kmz", 5)),
    "shz": Item(make=lambda d, c, p: zipped(d / "a.shz", {"a.shp": "x"})),
    "gpkg-zip": Item(make=lambda d, c, p: zipped(d / "a.gpkg.zip", {"a.gpkg": "x"})),
    "topojson": Item(make=lambda d, c, p: text(d / "a.json", '{"type":"Topology","objects":{},"arcs":[]}')),
    "osm-pbf": Item(make=lambda d, c, p: text(d / "a.pbf", b"\0\0\0\x0d\n\tOSMHeader\x18" + bytes(99))),
    "parquet-lying": Item(make=lambda d, c, p: text(d / "a.parquet", b"PAR1" + bytes(99) + b"\xff\xff\xff\x7fPAR1")),
    "arrow-lying": Item(make=lambda d, c, p: text(d / "a.arrow", b"ARROW1\0\0\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(99))),
    "pmtiles-loop": Item(make=lambda d, c, p: text(d / "a.pmtiles", b"PMTiles\3" + b"\xff" * 127)),
    "csv-wkt": Item(make=lambda d, c, p: text(d / "a.csv", "WKT,id\nPOINT(1 1),1\n")),
    "gpx": Item(make=lambda d, c, p: text(d / "a.gpx", f'<!DOCTYPE x SYSTEM "file://{c}"><gpx/>')),
    "svg": Item(make=lambda d, c, p: text(d / "a.svg", f'<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{c}"/></svg>')),
    "pdf": Item(make=lambda d, c, p: text(d / "a.pdf", "%PDF-1.7\n1 0 obj")),
    "xodr": Item(make=lambda d, c, p: text(d / "a.xodr", "<OpenDRIVE/>")),
    "gpkg-virtual-shape": Item(make=lambda d, c, p: base(d / "a.gpkg", "DELETE FROM sqlite_master WHERE name = 't'", schema(f"CREATE VIRTUAL TABLE t USING VirtualShape('{c}', 'UTF-8', 4326)")), part="t"),
    "gpkg-virtual-ogr": Item(make=lambda d, c, p: base(d / "a.gpkg", schema(f"CREATE VIRTUAL TABLE o USING VirtualOGR('{c}')", "o")), part="t", harmless=True),
    "gpkg-virtual-csv": Item(make=lambda d, c, p: base(d / "a.gpkg", schema(f"CREATE VIRTUAL TABLE o USING csv(filename='{c}')", "o"), "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('o', 'attributes', 'o')"), part="o"),
    "gpkg-load-extension-view": Item(make=lambda d, c, p: base(d / "a.gpkg", f"CREATE VIEW v AS SELECT 1 AS fid, load_extension('{c}') AS x", "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('v', 'attributes', 'v')"), part="v"),
    "gpkg-readfile-view": Item(make=lambda d, c, p: base(d / "a.gpkg", f"CREATE VIEW v AS SELECT 1 AS fid, ogr_geocode('x', 'geometry', 'http://127.0.0.1:{p}/') AS x", "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('v', 'attributes', 'v')"), part="v"),
    "gpkg-endless-view": Item(make=lambda d, c, p: endless(d / "a.gpkg"), part="v"),
    "gpkg-schema-loop": Item(make=lambda d, c, p: base(d / "a.gpkg", schema("CREATE VIEW a AS SELECT * FROM b", "a", "view"), schema("CREATE VIEW b AS SELECT * FROM a", "b", "view"), "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('a', 'attributes', 'a')"), part="a"),
    "gpkg-srs-grids": Item(make=lambda d, c, p: base(d / "a.gpkg", f"UPDATE gpkg_spatial_ref_sys SET organization = 'x', organization_coordsys_id = 9, definition = '{wkt_grids(c)}' WHERE srs_id = 4549"), crs="", part="t"),
    "gpkg-srs-path": Item(make=lambda d, c, p: base(d / "a.gpkg", f"UPDATE gpkg_spatial_ref_sys SET organization = 'x', organization_coordsys_id = 9, definition = '{c}' WHERE srs_id = 4549"), crs="", part="t"),
    "gpkg-hot-journal": Item(make=lambda d, c, p: journal(d / "a.gpkg", c), part="t", harmless=True),
    "gpkg-page-size-lies": Item(make=lambda d, c, p: patched(gpkg(d / "a.gpkg", [ring(SQUARE)]), 28, b"\x7f\xff\xff\xff"), part="t", harmless=True),
    "kml-utf7": Item(make=lambda d, c, p: text(d / "a.kml", f'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE kml [+ADwAIQ-ENTITY x SYSTEM "file://{c}"+AD4AXQA+-<kml>&x;</kml>')),
    "kml-ebcdic": Item(make=lambda d, c, p: text(d / "a.kml", b"<?xml version='1.0' encoding='cp037'?>" + f'<!DOCTYPE kml [<!ENTITY x SYSTEM "file://{c}">]><kml>&x;</kml>'.encode("cp037") + b"<kml")),
    "kml-deep": Item(make=lambda d, c, p: text(d / "a.kml", "<kml>" + "<Folder>" * 200_000)),
    "kml-a-million-attributes": Item(make=lambda d, c, p: text(d / "a.kml", "<kml><Document " + " ".join(f"a{i}=''" for i in range(500_000)) + "></Document></kml>"), harmless=True),
    "gml-utf7": Item(make=lambda d, c, p: text(d / "a.gml", GML.format(doctype=f'+ADwAIQ-DOCTYPE x [+ADwAIQ-ENTITY x SYSTEM "file://{c}"+AD4AXQA+-', schema="x.xsd", link="#p", body="x").replace("UTF-8", "UTF-7"))),
    "gml-srs-url": Item(make=lambda d, c, p: text(d / "a.gml", GML.format(doctype="", schema="x.xsd", link="#p", body="x").replace("urn:ogc:def:crs:EPSG::4549", f"http://127.0.0.1:{p}/crs")), harmless=True),
    "gml-srs-file": Item(make=lambda d, c, p: text(d / "a.gml", GML.format(doctype="", schema="x.xsd", link="#p", body="x").replace("urn:ogc:def:crs:EPSG::4549", f"file://{c}")), harmless=True),
    "gml-gfs-beside": Item(make=lambda d, c, p: text(d / "a.gfs", f"<!DOCTYPE x [<!ENTITY e SYSTEM 'file://{c}'>]><GMLFeatureClassList>&e;</GMLFeatureClassList>") and text(d / "a.gml", GML.format(doctype="", schema="x.xsd", link="#p", body="x")), harmless=True),
    "gml-deep": Item(make=lambda d, c, p: text(d / "a.gml", '<x xmlns:gml="http://www.opengis.net/gml/3.2">' + "<gml:featureMember>" * 200_000), harmless=True),
    "tab-view-tabs": Item(make=lambda d, c, p: tab(d / "a.tab", f'Open\tTable\t"{c}"\tHide\nCreate\tView a As\nSelect * From x\n')),
    "tab-view-far-down": Item(make=lambda d, c, p: tab(d / "a.tab", "\n" * 70_000 + f'Open Table "{c}" Hide\nCreate View a As\nSelect * From x\n')),
    "tab-file-tabs": Item(make=lambda d, c, p: tab(d / "a.tab", f'Definition Table\n\tFile\t"{c}"\n\tType\t"RASTER"\n')),
    "tab-native-elsewhere": Item(make=lambda d, c, p: tab(d / "a.tab", f'Definition Table\n  File  {c}\n  Type NATIVE Charset "Neutral"\n  Fields 1\n    id Char (9) ;\n')),
    "tab-dbf-elsewhere": Item(make=lambda d, c, p: tab(d / "a.tab", f'Definition Table\n  File\t"{c}"\n  Type DBF Charset "Neutral"\n  Fields 1\n    id Char (9) ;\n')),
    "tab-seamless": Item(make=lambda d, c, p: tab(d / "a.tab", 'Definition Table\n  Type NATIVE Charset "Neutral"\n  Fields 1\n    Table Char (99) ;\nbegin_metadata\n"\\IsReadOnly" = "FALSE"\n"\\IsSeamless" = "TRUE"\n"\\IsSeamless\\x" = "y"\nend_metadata\n')),
    "mif-0x7fffffff": Item(make=lambda d, c, p: text(d / "a.mif", 'VERSION 300\nCharset "Neutral"\nDelimiter ","\nColumns 1\n id Char(9)\nData\n\nRegion 2147483647\n 2147483647\n1 1\n') and text(d / "a.mid", '"x"\n').with_suffix(".mif"), harmless=True),
    "dxf-laughs": Item(make=lambda d, c, p: text(d / "a.dxf", dxf_laughs()), harmless=True),
    "dxf-inserts-itself": Item(make=lambda d, c, p: text(d / "a.dxf", dxf(insert("S"), blocks=block("S", insert("S") * 9 + POINT))), harmless=True),
    "dxf-array": Item(make=lambda d, c, p: text(d / "a.dxf", dxf(insert("P", "70\n32767\n71\n32767\n44\n1\n45\n1\n"), blocks=block("P", POINT))), harmless=True),
    "dxf-spline": Item(make=lambda d, c, p: text(d / "a.dxf", dxf("0\nSPLINE\n8\n0\n70\n8\n71\n2000000000\n72\n2000000000\n73\n2000000000\n10\n1\n20\n1\n10\n2\n20\n2\n")), harmless=True),
    "dxf-image-elsewhere": Item(make=lambda d, c, p: text(d / "a.dxf", dxf(POINT, f"0\nIMAGE\n8\n0\n340\n{c}\n1\n/vsicurl/http://127.0.0.1:{p}/\n")), harmless=True),
    "dxf-attributes-cut": Item(make=lambda d, c, p: text(d / "a.dxf", dxf(POINT, "0\nATTRIB\n1\nx\n0\nINSERT\n66\n1\n")), harmless=True),
    "fgb-header-lies": Item(make=lambda d, c, p: text(d / "a.fgb", b"fgb\3fgb\0\xf0\xff\xff\x7f" + bytes(999))),
    "gdb-noise": Item(make=lambda d, c, p: text(d / "a.gdb" / "a00000001.gdbtable", b"\3\0\0\0" + b"\xff" * 999).parent),
    "gdb-of-links": Item(make=lambda d, c, p: lies.link(text(d / "a.gdb" / "a00000001.gdbtable", b"x").parent, "a00000002.gdbtable", c)),
    "link": Item(make=lambda d, c, p: lies.link(d, "a.geojson", c) / "a.geojson"),
}  # fmt: skip


READ = frozenset({"a-million-styles", "two-million-delimiters-a-row"})
"""Tables that are odd, yet small enough to be read."""
TABLES: Mapping[str, Item] = {
    name: Item(make=partial(lambda build, d, c, p: build(d), build), reader="table", kind="none", harmless=name in READ)
    for name, build in {
        **first.TABLES,
        "zip-says-less-than-it-holds": lambda d: lies.understated(d / "a.xlsx"),
        "zip-of-one-block-many-times": lambda d: lies.overlapping(d / "a.xlsx"),
        "zip-of-zstd": lambda d: lies.method(d / "a.xlsx", 93),
        "one-long-string-in-every-cell": lambda d: lies.amplified(d / "a.xlsx"),
        "a-million-styles": lambda d: xlsx(d / "a.xlsx", {"xl/styles.xml": lies.styles(1_000_000)}),
        "wide-rows": lambda d: xlsx(d / "a.xlsx", {first.SHEET: first.HEAD + b'<row r="1"><c r="A1"><v>1</v></c></row><row r="2000"><c r="XFD2000"><v>1</v></c></row>' + first.FOOT}),
        "merged-a-million": lambda d: xlsx(d / "a.xlsx", {first.SHEET: first.HEAD + b'<row r="1"><c r="A1"><v>1</v></c></row></sheetData><mergeCells>' + b"".join(b'<mergeCell ref="A%d:B%d"/>' % (i, i) for i in range(1, 300_000)) + b"</mergeCells></worksheet>"}),
        "deep-xml": lambda d: xlsx(d / "a.xlsx", {first.SHEET: first.HEAD + b"<row>" * 300_000 + first.FOOT}),
        "nested-zip": lambda d: lies.nested(d / "a.xlsx", 4),
        "one-line-of-200-mb": lambda d: text(d / "a.csv", "a,b\n1," + "x" * (200 << 20)),
        "a-million-columns": lambda d: text(d / "a.csv", "a," * 2_000_000 + "b\n1\n"),
        "two-million-delimiters-a-row": lambda d: text(d / "a.csv", "a,b\n" + ("," * 500_000 + "x\n") * 40),
        "nul-bytes": lambda d: text(d / "a.csv", "a,b\n" + "\0" * (10 << 20)),
        "gzip-as-csv": lambda d: text(d / "a.csv", gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000)),
        "parquet-as-csv": lambda d: text(d / "a.csv", b"PAR1" + bytes(range(256)) * 9),
        "xls-noise": lambda d: text(d / "a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4096),
        "xls-sector-loop": lambda d: text(d / "a.xls", lies.compound()),
    }.items()
}  # fmt: skip

TABLES_READ: Mapping[str, Item] = {
    name: Item(make=make, reader="table", kind="none", harmless=True)
    for name, make in {
        "external-link": lambda d, c, p: xlsx(d / "a.xlsx", lies.external(c, p)),
        "dde": lambda d, c, p: xlsx(d / "a.xlsx", {"xl/externalLinks/externalLink1.xml": b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'}),
        "connections": lambda d, c, p: xlsx(d / "a.xlsx", {"xl/connections.xml": f'<connections><connection id="1" type="4"><webPr url="http://127.0.0.1:{p}/{c}"/></connection></connections>'.encode()}),
        "ole": lambda d, c, p: xlsx(d / "a.xlsx", {"xl/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0" + bytes(999)}),
        "formulas-that-ask": lambda d, c, p: text(d / "a.csv", f'a,b\n"=WEBSERVICE(""http://127.0.0.1:{p}/"")","=\'file://{c}\'#$x.A1"\n'),
    }.items()
}  # fmt: skip

RASTERS: Mapping[str, Item] = {
    **{name: Item(make=make, reader="raster", kind="raster") for name, make in pictures.RASTERS.items()},
    **{
        name: Item(make=make, reader="raster", kind="raster", harmless=True)
        for name, make in pictures.RASTERS_READ.items()
    },
}
SCENES: Mapping[str, Item] = {
    **{
        name: Item(make=partial(pictures.known_scene, name), reader="scene", kind="scene", crs="")
        for name in first.SCENES
    },
    **{name: Item(make=make, reader="scene", kind="scene", crs="") for name, make in pictures.SCENES.items()},
}

EVERY: Mapping[str, Item] = {
    **{
        f"vector/{name}": Item(make=make, crs="EPSG:4549", part="t" if name == "gpkg-triggers" else "", harmless=name in first.HARMLESS)
        for name, make in {**first.VECTOR, **first.HARMLESS}.items()
    },
    **{f"vector/{name}": item for name, item in VECTORS.items()},
    **{f"table/{name}": item for name, item in {**TABLES, **TABLES_READ}.items()},
    **{f"raster/{name}": item for name, item in RASTERS.items()},
    **{f"scene/{name}": item for name, item in SCENES.items()},
}  # fmt: skip
SLOW = frozenset({"vector/geojson-a-million-keys", "vector/gpkg-endless-view", "table/a-million-columns"})
"""Those that only their limit ends."""
__all__ = ["CANARY", "EVERY", "SLOW", "Item"]
