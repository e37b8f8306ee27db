"""Classes 31-54 of the table: shapes and their coordinates, vector files that are others, and columns in containers."""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely

from tests import test_hostile as hostile
from tests.corpus.items import OUTSIDE, Class, File, Make
from tests.hostile import corpus as more
from tests.receiving import square

X, Y = 497_000.0, 3_379_000.0
FEW = [(X, Y), (X + 100, Y), (X + 100, Y + 100)]
SQUARE = [*FEW, (X, Y + 100), FEW[0]]
Points = Sequence[tuple[float, float]]


def geojson(*geometries: Mapping[str, Any] | None, crs: str = "EPSG::4490", text: str = "") -> Make:
    """Give what writes a GeoJSON of features A1, A2, …; `text` replaces the word HERE in it."""
    features = [
        {"type": "Feature", "properties": {"编号": f"A{i}"}, "geometry": shape} for i, shape in enumerate(geometries, 1)
    ]
    named = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{crs}"}}
    body = json.dumps({"type": "FeatureCollection", "crs": named, "features": features}).replace('"HERE"', text)
    return lambda path: path.write_text(body, "utf-8")


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [list(map(list, r)) for r in rings]}


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return polygon([(west, south), (east, south), (east, north), (west, north), (west, south)])


def gpkg(*blobs: bytes | None) -> Make:
    """Give what writes a GeoPackage of features A1, A2, … whose geometries are `blobs` of WKB, as they are."""

    def make(path: Path) -> None:
        point = shapely.to_wkb(np.array([shapely.Point(X, Y)] * len(blobs), object))
        keys = np.array([f"A{i}" for i in range(1, len(blobs) + 1)], object)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pyogrio.raw.write(
                str(path), geometry=point, field_data=[keys], fields=["编号"], driver="GPKG",
                geometry_type="Unknown", crs="EPSG:4549", layer="t", SPATIAL_INDEX="NO",
            )  # fmt: skip
        with sqlite3.connect(path) as base:
            head = b"GP\0\x01" + struct.pack("<i", 4549)
            for i, blob in enumerate(blobs, 1):
                base.execute("UPDATE t SET geom = ? WHERE fid = ?", (None if blob is None else head + blob, i))
        base.close()

    return make


def shapefile(
    rows: int = 3, crs: str = "EPSG:4549", without: str = "", add: Mapping[str, str | bytes] | None = None
) -> Make:
    """Give what writes a shapefile of `rows` squares, without one of its parts, with others added or replaced."""

    def make(path: Path) -> None:
        shapes = [shapely.Polygon([(x + 200 * i, y) for x, y in SQUARE]) for i in range(rows)]
        pyogrio.raw.write(
            str(path), geometry=shapely.to_wkb(np.array(shapes, object)), driver="ESRI Shapefile", crs=crs,
            field_data=[np.array([f"A{i}" for i in range(1, rows + 1)], object)], fields=["编号"],
            geometry_type="Polygon", encoding="UTF-8",
        )  # fmt: skip
        if without:
            path.with_suffix(without).unlink()
        for suffix, content in (add or {}).items():
            path.with_suffix(suffix).write_bytes(content if isinstance(content, bytes) else content.encode())

    return make


def outside(maker: Callable[[Path, Path, int], Path]) -> Make:
    """Give what writes a delivery that reaches for the canary and the listener."""

    def make(path: Path) -> None:
        folder = path.parent / f"{path.stem}.made"
        folder.mkdir()
        found = maker(folder, OUTSIDE["canary"], OUTSIDE["port"])
        for part in folder.iterdir():
            part.rename(path.parent / (path.name if part == found else part.name))

    return make


ring = hostile.ring
GOOD = ring(SQUARE)
FIELDS = ("number",)
_SPIKE = [*square(3)[:2], [square(3)[1][0] + 0.001, square(3)[1][1]], *square(3)[1:]]
_LOOP = [[119.96, 30.52], [119.9605, 30.52], [119.9605, 30.5205], [119.96025, 30.5205], [119.960251, 30.520501], [119.960249, 30.520501], [119.96025, 30.520499], [119.96, 30.5205], [119.96, 30.52]]  # fmt: skip
_BOW = [square(9)[i] for i in (0, 2, 1, 3, 0)]


def _class(number: int, title: str, *files: File, kind: str = "polygon", crs: str = "") -> Class:
    return Class(number=number, title=title, files=files, fields=FIELDS, reader="vector", kind=kind, crs=crs)


CROSSING = _class(
    31, "self-intersection, bow-tie, spikes",
    File(name="good", suffix=".geojson", outcome="N", make=geojson(polygon(square(0))), published=1),
    File(name="bow-tie", suffix=".geojson", outcome="Q", make=geojson(polygon(square(0)), polygon(_BOW)), published=1, rows={"2": "geometry_repair_area"}),
    File(name="spike", suffix=".geojson", outcome="N", make=geojson(polygon(_SPIKE), polygon(_LOOP)), published=2, repairs={"self_intersection": 1}),
)  # fmt: skip
RINGS = _class(
    32, "unclosed ring, < 4 points, zero area, empty, NULL",
    File(name="unclosed", suffix=".gpkg", outcome="N", make=gpkg(ring(SQUARE[:-1])), published=1, repairs={"ring_unclosed": 1}),
    File(name="nothing", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, None, shapely.to_wkb(shapely.Polygon())), published=1, rows={"2": "geometry_missing", "3": "geometry_missing"}),
    File(name="no-area", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, ring([FEW[0], FEW[1], FEW[0]]), ring([FEW[0]] * 4), ring([FEW[0], FEW[1], FEW[1], FEW[0]])), published=1, rows={str(n): "geometry_repair_area" for n in (2, 3, 4)}),
    File(name="null-geojson", suffix=".geojson", outcome="Q", make=geojson(polygon(square(0)), None, {"type": "Polygon", "coordinates": []}), published=1, rows={"2": "geometry_missing", "3": "geometry_missing"}),
)  # fmt: skip
WINDING = _class(
    33, "wrong winding, holes outside shell, duplicate points",
    File(name="clockwise", suffix=".geojson", outcome="N", make=geojson(polygon(square(0)[::-1])), published=1),
    File(name="doubled", suffix=".geojson", outcome="N", make=geojson(polygon([p for p in square(0) for _ in range(3)])), published=1),
    File(name="hole-outside", suffix=".geojson", outcome="Q", make=geojson(polygon(square(0)), polygon(square(1), square(5))), published=1, rows={"2": "geometry_repair_area"}),
)  # fmt: skip
INFINITE = _class(
    34, "NaN/Inf/±1e308 coordinates",
    File(name="nan", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, ring([*SQUARE[:2], (math.nan, 0.0), SQUARE[0]])), published=1, rows={"2": "geometry_not_finite"}),
    File(name="infinite", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, ring([*SQUARE[:2], (math.inf, 0.0), SQUARE[0]])), published=1, rows={"2": "geometry_not_finite"}),
    File(name="huge", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, ring([*SQUARE[:2], (1e308, -1e308), SQUARE[0]])), published=1, rows={"2": "geometry_not_finite"}),
)  # fmt: skip
_SWAPPED = [polygon([(y, x) for x, y in square(i)]) for i in range(6)]
SWAPPED = _class(
    35, "swapped lat/lon (30,120)",
    File(name="one", suffix=".geojson", outcome="Q", make=geojson(polygon(square(0)), polygon(square(1)), _SWAPPED[2]), published=2, rows={"3": "axes_swapped"}),
    File(name="metres", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, ring([(y, x) for x, y in SQUARE])), published=1, rows={"2": "axes_swapped"}),
    File(name="all", suffix=".geojson", outcome="R", make=geojson(*_SWAPPED), says="axes are exchanged"),
)  # fmt: skip
_PRJ_39 = 'PROJCS["CGCS2000_3_Degree_GK_Zone_39",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",40500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",117.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'  # fmt: skip
SYSTEMS = _class(
    36, "wrong CRS: zone 39 vs 40, metres in degrees",
    File(name="zone", suffix=".shp", outcome="R", make=shapefile(add={".prj": _PRJ_39}), says="contradicts"),
    File(name="against-declared", suffix=".shp", outcome="R", make=shapefile(crs="EPSG:4549"), source={"crs": "EPSG:4490"}, says="another coordinate system"),
    File(name="metres-in-degrees", suffix=".geojson", outcome="R", make=geojson(*(box(X + i, Y, X + i + 9, Y + 9) for i in range(6))), says="coordinate system"),
    File(name="none", suffix=".shp", outcome="R", make=shapefile(without=".prj"), says=".prj"),
)  # fmt: skip
PARTS = _class(
    37, "missing .prj/.shx/.dbf, mixed case, .cpg lies",
    File(name="no-shx", suffix=".shp", outcome="R", make=shapefile(without=".shx"), says="no-shx.shx"),
    File(name="no-dbf", suffix=".shp", outcome="R", make=shapefile(without=".dbf"), says="no-dbf.dbf"),
    File(name="cpg-lies", suffix=".shp", outcome="N", make=shapefile(add={".cpg": "ISO-8859-1"}), published=3, says="UTF-8"),
    File(name="good", suffix=".shp", outcome="N", make=shapefile(), published=3),
)  # fmt: skip


def _written(path: Path, keys: list[str], columns: Mapping[str, list[str]]) -> None:
    values = [np.array(v, object) for v in (keys, *columns.values())]
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb(np.array([shapely.Polygon(SQUARE)] * len(keys), object)), crs="EPSG:4549",
        driver="ESRI Shapefile", field_data=values, fields=["编号", *columns], geometry_type="Polygon", encoding="UTF-8",
    )  # fmt: skip


def _long_names(path: Path) -> None:
    _written(path, ["A1", "A2"], {"名称": ["长" * 100, "短"]})


def _named(path: Path) -> None:
    _written(path, ["A1"], {"名称": ["短"]})


def _colliding(path: Path) -> None:
    _written(path, ["A1"], {"permanent_farmland": ["1"], "permanent_forest": ["2"]})


WIDTHS = Class(
    number=38, title="shapefile: > 254 bytes, 10-byte names collide", reader="vector", kind="polygon", fields=("number", "label"),
    files=(
        File(name="cut-text", suffix=".shp", outcome="N", make=_long_names, published=2, values={"A1": {"label": "长" * 84}, "A2": {"label": "短"}}, repairs={"text_cut": 1}),
        File(name="colliding", suffix=".shp", outcome="R", make=_colliding, held=True, says="名称"),
        File(name="named", suffix=".shp", outcome="N", make=_named, published=1),
    ),
)  # fmt: skip


NESTED = _class(
    39, "nested GEOMETRYCOLLECTION depth 20 000",
    File(name="shallow", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, hostile.nest(1)), published=1, rows={"2": "geometry_kind"}),
    File(name="boundary", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, hostile.nest(9)), published=1, rows={"2": "geometry_unreadable"}),
    File(name="hostile", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, hostile.nest(20_000)), published=1, rows={"2": "geometry_unreadable"}),
)  # fmt: skip
COUNTS = _class(
    40, "WKB count 0x7fffffff, wrong byte order, EWKB SRID",
    File(name="ewkb", suffix=".gpkg", outcome="N", make=gpkg(shapely.to_wkb(shapely.set_srid(shapely.Polygon(SQUARE), 4326), include_srid=True), shapely.to_wkb(shapely.Polygon(SQUARE), byte_order=0)), published=2),
    File(name="counts", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, struct.pack("<BII", 1, 3, 0x7FFFFFFF), struct.pack("<BIII", 1, 3, 1, 0x7FFFFFFF)), published=1, rows={"2": "geometry_unreadable", "3": "geometry_unreadable"}),
    File(name="order", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, b"\x07" + GOOD[1:], struct.pack("<BIdd", 1, 99, 1, 1)), published=1, rows={"2": "geometry_unreadable", "3": "geometry_unreadable"}),
)  # fmt: skip


def turning(points: int) -> bytes:
    turn = np.linspace(0, 2 * np.pi, points)
    return shapely.to_wkb(shapely.Polygon(np.column_stack([X + 50 * np.cos(turn), Y + 50 * np.sin(turn)])))


VERTICES = _class(
    41, "10-million-vertex polygon",
    File(name="small", suffix=".gpkg", outcome="N", make=gpkg(turning(1000)), published=1),
    File(name="boundary", suffix=".gpkg", outcome="N", make=gpkg(turning(100_000)), published=1),
    File(name="hostile", suffix=".gpkg", outcome="R", make=gpkg(GOOD, turning(1_000_100)), says="vertices"),
)  # fmt: skip
WORLD = _class(
    42, "polygon of the whole world / of another province",
    File(name="county", suffix=".geojson", outcome="N", make=geojson(box(119.76, 30.44, 120.35, 30.70)), published=1),
    File(name="world", suffix=".geojson", outcome="Q", make=geojson(polygon(square(0)), polygon(square(1)), box(-180, -90, 180, 90)), published=2, rows={"3": "geometry_too_large"}),
    File(name="province", suffix=".geojson", outcome="Q", make=geojson(polygon(square(0)), polygon(square(1)), box(118, 27, 123, 31.2), box(100, 25, 101, 26)), published=2, rows={"3": "geometry_too_large", "4": "outside_plausible"}),
)  # fmt: skip
_Z = shapely.force_3d(shapely.Polygon(SQUARE), 5.0)
ODD = _class(
    43, "Z/M/curves/TIN/measured",
    File(name="heights", suffix=".gpkg", outcome="N", make=gpkg(shapely.to_wkb(_Z), GOOD), published=2, repairs={"z_dropped": 1}),
    File(name="curves", suffix=".gpkg", outcome="Q", make=gpkg(GOOD, struct.pack("<BII", 1, 16, 0), struct.pack("<BIIdddddd", 1, 8, 3, X, Y, X + 1, Y + 1, X + 2, Y)), published=1, rows={"2": "geometry_unsupported", "3": "geometry_unsupported"}),
    File(name="measured", suffix=".gpkg", outcome="N", make=gpkg(shapely.to_wkb(shapely.from_wkt(f"POLYGON M (({', '.join(f'{x} {y} 1' for x, y in SQUARE)}))"), flavor="iso")), published=1),
)  # fmt: skip
MIXED = _class(
    44, "mixed geometry types in a layer",
    File(name="point", suffix=".geojson", outcome="Q", make=geojson(polygon(square(0)), {"type": "Point", "coordinates": square(1)[0]}), published=1, rows={"2": "geometry_kind"}),
    File(name="multi", suffix=".geojson", outcome="N", make=geojson({"type": "MultiPolygon", "coordinates": [[square(1)], [square(3)]]}), published=1),
    File(name="collection", suffix=".geojson", outcome="Q", make=geojson(polygon(square(0)), {"type": "GeometryCollection", "geometries": [polygon(square(1)), {"type": "Point", "coordinates": square(1)[0]}]}), published=1, rows={"2": "geometry_kind"}),
)  # fmt: skip
_DISGUISED = {
    "vrt-geojson": ".geojson", "vrt-gpkg": ".gpkg", "vrt-in-zip": ".zip", "vrt-in-zip-as-shp": ".shp", "vrt": ".vrt", "gti": ".geojson", "tab-view": ".tab",
}  # fmt: skip
DISGUISED = _class(
    45, "VRT renamed, VRT in zip, /vsicurl/, <OGRVRT… inline",
    *(File(name=name, suffix=suffix, outcome="R", make=outside(hostile.VECTOR[name])) for name, suffix in _DISGUISED.items()),
    *(File(name=name, suffix=".shp", outcome="R", make=outside(more.VECTORS[name].make)) for name in ("prj-vsicurl", "prj-path", "prj-grids-in-wkt")),
)  # fmt: skip


def _changed(*statements: str) -> Make:
    """Give what writes a GeoPackage and changes it by SQL, its schema too."""

    def make(path: Path) -> None:
        gpkg(GOOD)(path)
        with sqlite3.connect(path) as link:
            link.execute("PRAGMA writable_schema = 1")
            for statement in statements:
                link.execute(statement)
        link.close()

    return make


_VIEW = "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('v', 'attributes', 'v')"
DATABASES = _class(
    46, "GPKG/SQLite with triggers, views, load_extension",
    File(name="trigger", suffix=".gpkg", outcome="N", make=_changed("CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM t; END"), published=1),
    File(name="extension", suffix=".gpkg", outcome="R", make=_changed("CREATE VIEW v AS SELECT 1 AS fid, load_extension('/tmp/x') AS x", _VIEW), source={"part": "v"}),
    File(name="virtual", suffix=".gpkg", outcome="R", make=_changed("DELETE FROM sqlite_master WHERE name = 't'", more.schema("CREATE VIRTUAL TABLE t USING VirtualShape('/etc/passwd', 'UTF-8', 4326)")), source={"part": "t"}),
    File(name="loop", suffix=".gpkg", outcome="R", make=_changed(more.schema("CREATE VIEW v AS SELECT * FROM w", "v", "view"), more.schema("CREATE VIEW w AS SELECT * FROM v", "w", "view"), _VIEW), source={"part": "v"}),
)  # fmt: skip


def _numbered(*keys: str) -> Make:
    def make(path: Path) -> None:
        geojson(*(polygon(square(i)) for i in range(len(keys) - 1)), polygon(square(0)))(path)
        body = json.loads(path.read_text("utf-8"))
        for feature, key in zip(body["features"], keys, strict=True):
            feature["properties"]["编号"] = key
        path.write_text(json.dumps(body), "utf-8")

    return make


TWICE = _class(
    47, "duplicate ids (overlap and gap: see the village-plan rules)",
    File(name="good", suffix=".geojson", outcome="N", make=_numbered("A1", "A2"), published=2),
    File(name="conflicting", suffix=".geojson", outcome="Q", make=_numbered("A1", "A2", "A2"), published=2, rows={"3": "duplicate_key|number"}),
    File(name="identical", suffix=".geojson", outcome="N", make=_numbered("A1", "A2", "A1"), published=2, duplicates=1),
)  # fmt: skip


def _bytes(content: bytes) -> Make:
    return lambda path: path.write_bytes(content)


def _refused(number: int, title: str, **made: tuple[str, Make]) -> Class:
    """Give a class whose files are all refused as no kind of file that is taken."""
    files = tuple(
        File(name=name.replace("_", "-"), suffix=suffix, outcome="R", make=make, says="not a vector format we take")
        for name, (suffix, make) in made.items()
    )
    return _class(number, title, *files, crs="EPSG:4490")


_LYING = b"PAR1" + bytes(99) + b"\xff\xff\xff\x7fPAR1"
PARQUET = _refused(49, "Parquet: bad magic, truncated footer, footer offset overflow", magic=(".parquet", _bytes(b"XXXX")), footer=(".parquet", _bytes(_LYING[:-6])), overflow=(".parquet", _bytes(_LYING)))  # fmt: skip
GEOPARQUET = _refused(50, "GeoParquet without geo, wrong crs/bbox/covering", bare=(".parquet", _bytes(_LYING)), renamed=(".geoparquet", _bytes(_LYING)), zipped=(".zip", _bytes(b"PK\x03\x04" + _LYING)))  # fmt: skip
DICTIONARY = _refused(51, "Parquet: dictionary index out of range, 1e9 rows declared", index=(".parquet", _bytes(_LYING)), rows=(".parquet", _bytes(b"PAR1" + b"\xff" * 4096 + b"PAR1")), offsets=(".pq", _bytes(_LYING)))  # fmt: skip
ARROW = _refused(52, "Arrow IPC offsets out of bounds", file=(".arrow", _bytes(b"ARROW1\0\0" + b"\xff" * 64)), stream=(".ipc", _bytes(b"\xff\xff\xff\xff" * 9)), feather=(".feather", _bytes(b"ARROW1\0\0" + bytes(99))))  # fmt: skip
TILES = _refused(53, "PMTiles directory loop, offset > size, zoom 255", loop=(".pmtiles", _bytes(b"PMTiles\3" + b"\xff" * 127)), short=(".pmtiles", _bytes(b"PMTiles\3")), mbtiles=(".mbtiles", _bytes(b"SQLite format 3\0")))  # fmt: skip
METADATA = _refused(54, "Parquet: key-value metadata 100 MB, KMS url", large=(".parquet", _bytes(b"PAR1" + b"k" * (9 << 20) + b"PAR1")), encrypted=(".parquet", _bytes(b"PARE" + bytes(99) + b"PARE")), kms=(".parquet", _bytes(b"PAR1http://127.0.0.1:9/kms" + _LYING)))  # fmt: skip
CLASSES = (
    CROSSING, RINGS, WINDING, INFINITE, SWAPPED, SYSTEMS, PARTS, WIDTHS, NESTED, COUNTS, VERTICES, WORLD, ODD, MIXED,
    DISGUISED, DATABASES, TWICE, PARQUET, GEOPARQUET, DICTIONARY, ARROW, TILES, METADATA,
)  # fmt: skip
