"""A table of a named connection, or a service, looked at: pulled as always, read in the cage, then told like a file."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from etl import fetch, sandbox
from etl.fetch import connections
from etl.fetch.connections import DATABASES
from etl.looking import look, taking
from twin.errors import BadRequest
from twin.model import Field, Source, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl.catalog import Catalog
    from etl.looking.values import Look
    from twin.settings import Settings

FORMATS = {
    "postgis": "PostGIS",
    "mysql": "MySQL",
    "wfs": "WFS",
    "features": "OAPIF",
    "arcgis": "ArcGIS",
    "json": "JSON",
}

READERS = {"postgis": "database", "mysql": "database", "json": "table"}
"""By kind of connection, the reader that is declared; what was pulled as pages is read as such whatever it says."""


def named(settings: Settings) -> Mapping[str, connections.Connection]:
    """Give the connections that can be looked at; what gives files is looked at as a file."""
    return {k: c for k, c in connections.read(settings.village).items() if c.kind in FORMATS}


def is_connection(settings: Settings, name: str) -> bool:
    """Say whether `name` is a connection that can be looked at."""
    return name in named(settings)


def at(connection: str, part: str, known: Catalog, settings: Settings, *, key: str = "") -> Look:
    """Look at `part` (table, type name, collection, layer, path) of a connection; `key` names its identifying column.

    A database or a JSON service needs one; services with ids of their own do not. Raises SourceError, SettingError,
    BadRequest.
    """
    to = named(settings).get(connection)
    if to is None:
        listed = "、".join(named(settings)) or "-"
        raise BadRequest(
            f"没有连接 {connection[:40]};有 {listed}", f"No connection {connection[:40]}; there are {listed}"
        )
    if not key and to.kind in (*DATABASES, "json"):
        zh, en = "数据库表和 JSON 接口须写明主键列(--key)", "A table of a database or a JSON service needs --key"
        raise BadRequest(zh, en, field="key")
    kind = "none" if to.kind == "json" else "point"
    source = Source(location=f"new/{connection}.missing", connection=connection, part=part, options={})
    item = Field(name="key", title=Text(key, key), type="string", source=key)
    resource = dataclasses.replace(taking.probe("pulled", source, kind), fields=(item,), key="key")
    with tempfile.TemporaryDirectory(prefix="onemap-look-") as folder:
        raw = Path(folder)
        arranged = fetch.arranged(resource, raw, settings.village, None, whole=True, still=False)
        if not arranged:
            zh, en = (
                f"连接 {connection} 未启用:环境变量未设置",
                f"The connection {connection} is not armed: its variables are not set",
            )
            raise BadRequest(zh, en, field="connection")
        files = fetch.fetch(arranged[0], raw, pause=lambda _: None)
        reader = fetch.reads(arranged[0], raw)
        with sandbox.read_files(
            taking.probe(reader or "pulled", arranged[0]), arranged[0], files, reader=reader
        ) as reading:
            sample = taking.gathered(reading)
    found = look.of_sample(sample, known, name=f"{connection}:{part}", store=settings.store, form=FORMATS[to.kind])
    return dataclasses.replace(
        found,
        connection=connection,
        part=part,
        main=source.location,
        sha256=files.sha256,
        reader=READERS.get(to.kind, "vector"),
    )
