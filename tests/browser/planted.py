"""A village every text of which is a payload: rows, titles, departments, legends, file names, the reasons of failed runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from tests.browser.payloads import PAYLOADS
from tests.serving_fixture import LAT, LON, STEP, field, point, resource
from twin import duck, geodesy
from twin.model import (
    Classes,
    ClassItem,
    Code,
    CodeSystem,
    Department,
    Draw,
    Indicator,
    Layer,
    OneMap,
    Text,
    Theme,
    Village,
)  # fmt: skip
from twin.store import Store, copy, geoparquet

if TYPE_CHECKING:
    from collections.abc import Sequence

FIELDS = 24
"""Further columns of a row, each a payload under a heading that is one."""
TABLES = 20
"""Further tables, each of its own department, for their titles."""
LAYERS = 12
LEGEND = 33
"""Classes in the legend of each layer: together all payloads and more."""
COLUMNS = tuple(f"c{n:02d}" for n in range(FIELDS))
SYSTEM = "planted@2025"
CODED = {f"K{n:03d}": p for n, p in enumerate(PAYLOADS)}
KEYED = (
    "@@=__ran=1",
    "@@=constructor.constructor('__ran=2')()",
    "@@#__ran",
    "@@type",
    "<img src=x onerror=__ran=3>",
    "\"'><svg onload=__ran=4>",
)
"""Keys of rows: they go into addresses, into deck.gl's JSON and into selectors."""


def rows() -> list[dict[str, Any]]:
    """Give a row for each payload, which is its name; the further columns hold the payloads after it."""
    return [
        {
            "id": f"N{n:03d}", "year": None, "note_id": f"N{n:03d}", "title": PAYLOADS[n], "kind": f"K{n:03d}",
            "keeper_name": PAYLOADS[-n], "keeper_phone": PAYLOADS[n],
            **{c: PAYLOADS[(n * FIELDS + k) % len(PAYLOADS)] for k, c in enumerate(COLUMNS)},
            "wkt": point((n % 20) / 4, (n // 20) / 4),
        }
        for n in range(len(PAYLOADS))
    ]  # fmt: skip


def keyed() -> list[dict[str, Any]]:
    """Give rows whose very keys are payloads."""
    return [
        {"id": k, "year": None, "mast_id": k, "height_m": "12", "sort": PAYLOADS[n], "wkt": point(n / 2, 6)}
        for n, k in enumerate(KEYED)
    ]


def _resources() -> tuple[Any, ...]:
    texts = texts_of()
    further = [replace(field(c), title=next(texts)) for c in COLUMNS]
    names = [
        field("note_id"),
        field("title"),
        field("kind", code_system=SYSTEM),
        field("keeper_name"),
        field("keeper_phone"),
    ]
    drawn = tuple(f"L{n + 1:02d}" for n in range(LAYERS))
    note = resource(
        "note",
        "point",
        "note_id",
        [*names, *further],
        title_field="title",
        title=next(texts),
        abstract=next(texts),
        layers=drawn,
        contact_person=PAYLOADS[5],
        contact_phone=PAYLOADS[6],
    )
    mast = resource(
        "mast",
        "point",
        "mast_id",
        [field("mast_id"), field("height_m", type="number", unit=PAYLOADS[7]), field("sort")],
        title=next(texts),
        department="d00",
        layers=("L01",),
    )
    return (note, mast, *(resource(f"t{n:02d}", "none", "x", [field("x")], title=next(texts), department=f"d{n:02d}") for n in range(TABLES)))  # fmt: skip


def texts_of(start: int = 0) -> Iterator[Text]:
    """Give payloads as titles, in Chinese and in English another one."""
    shifted = islice(cycle(PAYLOADS), start, None)
    other = islice(cycle(PAYLOADS), start + 196, None)
    return (Text(zh, en) for zh, en in zip(shifted, other, strict=False))


def _layer(n: int, texts: Iterator[Text]) -> Layer:
    shown = islice(cycle(enumerate(PAYLOADS)), n * LEGEND, (n + 1) * LEGEND)
    items = tuple(ClassItem(value=f"K{k:03d}", title=Text(p, p), colour="#C8102E") for k, p in shown)
    dots = Draw(
        id=f"dots{n}",
        table="note",
        type="circle",
        title=next(texts),
        classes=Classes(column="kind", items=items),
        columns=("title",),
        popup=("title", "c00"),
        minzoom=1,
    )
    words = Draw(
        id=f"words{n}",
        table="note",
        type="symbol",
        title=next(texts),
        layout={"text-field": ("get", "title")},
        columns=("title",),
        minzoom=1,
        interactive=False,
    )
    values = Draw(
        id=f"values{n}",
        table="mast",
        type="circle",
        title=next(texts),
        columns=("sort",),
        minzoom=1,
        classes=Classes(column="sort", items=(ClassItem(value=PAYLOADS[n], title=next(texts), colour="#123456"),)),
    )
    return Layer(
        id=f"L{n + 1:02d}", slug=f"l{n}", theme="planning", title=next(texts), abstract=next(texts), department=f"d{n:02d}", share="open",
        draws=(dots, words, values) if n == 0 else (dots,), keywords=(next(texts).zh,),
    )  # fmt: skip


def onemap(name: str) -> OneMap:
    """Give the village, called `name`."""
    texts = texts_of(40)
    village = Village(
        id="p", name=Text(name, name), code="330521199999", county=next(texts), county_code="330521",
        bbox=(119.95, 30.51, 119.99, 30.55), plausible_bbox=(119.7, 30.4, 120.4, 30.8), metric_crs="EPSG:4549",
        storage_crs="EPSG:4490", center=(LON + 2 * STEP, LAT + 2 * STEP), zoom=15, time_zone="Asia/Shanghai", attribution=next(texts),
    )  # fmt: skip
    numbers = (
        Indicator(id="by-name", theme="planning", title=next(texts), table="note", by="title", tone="warn"),
        Indicator(id="by-kind", theme="planning", title=next(texts), table="note", by="kind", tone="danger", where=(("c00", "!=", "x"),)),
        Indicator(id="high", theme="planning", title=next(texts), table="mast", measure="sum", column="height_m", unit=next(texts)),
    )  # fmt: skip
    themes = (Theme(id="planning", title=next(texts), indicators=numbers),)
    listed = _resources()
    departments = [("land", next(texts)), *((f"d{n:02d}", next(texts)) for n in range(TABLES))]
    made = tuple(
        Department(id=d, title=t, provider_code="x", resources=tuple(r for r in listed if r.department == d))
        for d, t in departments
    )
    system = CodeSystem(
        id=SYSTEM,
        title=next(texts),
        source="planted",
        codes=tuple(Code(code=k, title=Text(p, p)) for k, p in CODED.items()),
    )
    layers = tuple(_layer(n, texts) for n in range(LAYERS))
    return OneMap(village=village, departments=made, code_systems=(system,), themes=themes, layers=layers)


def publish(store: Store, table: str, given: Sequence[dict[str, Any]]) -> None:
    """Publish rows through the real store, from files whose names are payloads."""

    def fill(folder: Path) -> dict[str, Any]:
        with duck.connect() as connection:
            _load(connection, table, given)
            facts = geoparquet.write(
                connection, "good", folder / "part.parquet", projjson=geodesy.projjson("EPSG:4490")
            )
            copy.derive(
                connection, folder / "part.parquet", folder, tile_columns=[], class_columns=[], source_layer=table
            )
        return {
            "kind": "point", "rows": facts.rows, "bbox": list(facts.bbox or ()), "years": [], "geometry": list(facts.geometry_types),
            "as_of": "2025-06-30", "run": "r1", "resource": table,
        }  # fmt: skip

    store.publish(table, fill)


def _load(connection: duck.Connection, table: str, given: Sequence[dict[str, Any]]) -> None:
    columns = [c for c in given[0] if c != "wkt"]
    types = {"year": "INTEGER", "height_m": "DOUBLE"}
    hidden = ("_resource", "_run", "_source", "_source_sha256", "_row")
    listed = ", ".join(f'"{c}" {types.get(c, "VARCHAR")}' for c in (*columns, *hidden))
    connection.execute(f"CREATE TABLE given ({listed}, wkb BLOB)")
    marks = ", ".join("?" * (len(columns) + len(hidden) + 1))
    told = [
        (table, PAYLOADS[n % 392], PAYLOADS[n % 392].replace("/", "\u2215"), PAYLOADS[-n], str(n))
        for n in range(len(given))
    ]
    values = [
        [*(r[c] for c in columns), *more, shapely.to_wkb(shapely.from_wkt(r["wkt"]))]
        for r, more in zip(given, told, strict=True)
    ]
    connection.executemany(f"INSERT INTO given VALUES ({marks})", values)
    connection.execute("CREATE TABLE good AS SELECT * EXCLUDE (wkb), ST_GeomFromWKB(wkb) AS geometry FROM given")


def build(data: Path) -> Store:
    """Publish the rows below `data`, and write a ledger of runs whose reasons are payloads."""
    store = Store(data / "store")
    publish(store, "note", rows())
    publish(store, "mast", keyed())
    (data / "run").mkdir(parents=True, exist_ok=True)
    lines = [
        {"resource": f"t{n:02d}", "run": PAYLOADS[n], "status": "failed", "finished_at": "2025-06-30T00:00:00+00:00", "reason_zh": PAYLOADS[-n - 1], "reason_en": PAYLOADS[-n - 2]}
        for n in range(TABLES)
    ]  # fmt: skip
    failed = [
        {
            "resource": "note",
            "run": "x",
            "status": "failed",
            "finished_at": "2025-06-30T00:00:00+00:00",
            "reason_zh": PAYLOADS[90],
            "reason_en": PAYLOADS[91],
        }
    ]
    (data / "run" / "ledger.jsonl").write_text("\n".join(map(json.dumps, [*lines, *failed])), "utf-8")
    return store
