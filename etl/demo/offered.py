"""What each department's server has to give: the demo's own files as tables and objects, behind invented secrets."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely

from etl.demo.servers import Town
from etl.demo.shaped import Feature
from etl.fetch.connections import DATABASES, Connection
from twin.duck import literal, quote
from twin.model import Resource, Source

TYPES: Mapping[str, Mapping[str, str]] = {
    "postgis": {"INTEGER": "bigint", "REAL": "double precision", "DATE": "date", "TIMESTAMP": "timestamp"},
    "mysql": {"INTEGER": "bigint", "REAL": "double", "DATE": "date", "TIMESTAMP": "datetime"},
}
"""Type of a column of the SQLite stand-in → that of the database; all others are text."""
ROOTS: Mapping[str, str] = {
    "wfs": "wfs", "features": "oapif", "arcgis": "arcgis", "json": "json", "web": "files", "s3": "s3/demo",
}  # fmt: skip
"""Kind of a connection → where below its server its address begins."""
MOST = 1000


def sources(resources: Sequence[Resource], connection: str) -> Iterator[tuple[Resource, Source]]:
    """Give what of `resources` comes over a connection."""
    for resource in resources:
        for source in resource.sources:
            if source.connection == connection:
                yield resource, source


def towns(
    resources: Sequence[Resource], known: Mapping[str, Connection], raw: Path, *, beginning: str = "demo"
) -> dict[str, Town]:
    """Give the server of every connection that is asked over HTTP, by its id, with what lies below `raw`.

    Each answers whoever knows its own secret, `beginning`-<connection>.
    """
    return {
        one.id: town
        for one in known.values()
        if one.kind not in DATABASES
        and (town := _town(one, list(sources(resources, one.id)), raw, f"{beginning}-{one.id}"))
    }


def _town(connection: Connection, offered: Sequence[tuple[Resource, Source]], raw: Path, secret: str) -> Town | None:
    if not offered:
        return None
    who: dict[str, Any] = {
        "user": "demo" if connection.user_env else "",
        "password": secret if connection.password_env else "",
    }
    if connection.kind == "s3":
        who = {"access_key": "demo", "secret_key": secret}
    town = Town(token=secret if connection.token_env else "", most=MOST, **who)
    for resource, source in offered:
        if connection.kind in ("web", "s3"):
            town.files |= _objects(raw / source.location, source)
            continue
        town.tables[source.part] = features(raw / source.location, source, resource)
        town.systems[source.part] = source.crs.removeprefix("EPSG:")
        town.watermark = source.watermark or town.watermark
        town.style = source.options.get("paging", "none") if connection.kind == "json" else ""
    return town


def _objects(path: Path, source: Source) -> dict[str, bytes | Path]:
    beside = source.options.get("companions", "").split()
    parts = [path, *(path.with_suffix(f".{suffix}") for suffix in beside)]
    return {(Path(source.part).parent / p.name).as_posix(): p for p in parts}


def features(path: Path, source: Source, resource: Resource) -> list[Feature]:
    """Give the rows of a stand-in file as a service gives them, in the file's order."""
    rows = {".sqlite": _of_sqlite, ".geojson": _of_geojson}.get(path.suffix, _of_vector)(path, source)
    return [
        Feature(id=f"{resource.id}.{number}", number=number, columns=columns, shape=shape)
        for number, (columns, shape) in enumerate(rows, 1)
    ]


_Rows = Iterator[tuple[dict[str, Any], Any]]


def _of_sqlite(path: Path, source: Source) -> _Rows:
    names, _, rows = _sqlite(path, source)
    return ((dict(zip(names, row, strict=True)), None) for row in rows)


def _of_geojson(path: Path, _source: Source) -> _Rows:
    found = json.loads(path.read_text("utf-8"))["features"]
    return ((f["properties"], shapely.from_geojson(json.dumps(f["geometry"]))) for f in found)


def _of_vector(path: Path, source: Source) -> _Rows:
    meta, _, shapes, values = pyogrio.raw.read(
        path, encoding=source.encoding or None, layer=source.options.get("layer")
    )
    places = shapely.from_wkb(shapes)
    for number, shape in enumerate(places):
        row = {str(n): _plain(column[number]) for n, column in zip(meta["fields"], values, strict=True)}
        yield row, shape


def _plain(value: Any) -> Any:
    found = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(found, float) and np.isnan(found) else found


def _sqlite(path: Path, source: Source) -> tuple[list[str], list[str], list[tuple[Any, ...]]]:
    name = source.options.get("layer", source.part)
    with contextlib.closing(sqlite3.connect(path)) as made:
        columns = made.execute("SELECT name, type FROM pragma_table_info(?)", [name]).fetchall()
        rows = made.execute(f"SELECT * FROM {quote(name)} ORDER BY rowid").fetchall()
    return [n for n, _ in columns], [t for _, t in columns], rows


def statements(kind: str, source: Source, raw: Path) -> list[str]:
    """Give the SQL that makes the table `source.part` of a database as its stand-in below `raw` has it."""
    names, kinds, rows = _sqlite(raw / source.location, source)
    system = source.crs.removeprefix("EPSG:") or "0"
    types = {**TYPES[kind], "GEOMETRY": f"geometry(Geometry, {system})" if kind == "postgis" else "geometry"}
    table = _name(kind, source.part)
    listed = ", ".join(f"{_name(kind, n)} {types.get(t, 'text')}" for n, t in zip(names, kinds, strict=True))
    made = [f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} ({listed})"]
    for row in rows:
        values = ", ".join(_value(kind, v, system) for v in row)
        made.append(f"INSERT INTO {table} VALUES ({values})")
    return made


def _name(kind: str, name: str) -> str:
    return quote(name) if kind == "postgis" else "`" + name.replace("`", "``") + "`"


def _value(kind: str, value: Any, system: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        known = f"'\\x{value.hex()}'::bytea" if kind == "postgis" else f"X'{value.hex()}'"
        return f"ST_GeomFromWKB({known}, {system})"
    return repr(value) if isinstance(value, (int, float)) else literal(value)


def environment(known: Mapping[str, Connection], served: Mapping[str, Town], address: str) -> dict[str, str]:
    """Give the variables that arm the connections which are served at `address`."""
    found: dict[str, str] = {}
    for name, town in served.items():
        one = known[name]
        found[one.address_env] = f"{address}/{name}/{ROOTS[one.kind]}"
        told = {
            one.user_env: town.user or town.access_key,
            one.password_env: town.password or town.secret_key,
            one.token_env: town.token,
        }
        found |= {variable: value for variable, value in told.items() if variable}
    return found
