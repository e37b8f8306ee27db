"""Where a person's data lies: rows of every version and quarantine, accounts; the only one to read rows for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from twin import ops
from twin.ops import tables
from twin.retention import applying, sifting

if TYPE_CHECKING:
    from twin.retention.persons import Person, Sure
    from twin.store import Snapshot

ACCOUNT = "account"
"""What an account's row is called where rows are named."""
GEOMETRY = ("geometry", "bbox")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One row of the person: where it lies, whose it is, how sure that is, and its values (`facts`: the version's)."""

    place: str
    """"store", "quarantine" or "account"."""
    table: str
    version: str
    current: bool
    key: str
    sure: Sure
    values: Mapping[str, Any] = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)


def find(root: Path, store: ops.Ops | None, person: Person) -> Iterator[Hit]:
    """Give every row of the person: versions of tables, current first, quarantines, then accounts."""
    for name, opened in applying.stores(root).items():
        for table in opened.tables():
            for index, snapshot in enumerate(applying.whole(opened, table)):
                if snapshot.has(sifting.PART):
                    yield from _rows(name, snapshot, person, current=index == 0)
    if store is not None:
        yield from accounts(store, person)


def _rows(place: str, snapshot: Snapshot, person: Person, *, current: bool) -> Iterator[Hit]:
    raw = snapshot.manifest.get("kind") == sifting.QUARANTINE
    looked = sifting.personal(snapshot.manifest)
    if not (raw or looked):
        return
    with pq.ParquetFile(snapshot.file(sifting.PART)) as file:
        names = [n for n in file.schema_arrow.names if n not in GEOMETRY]
        for batch in file.iter_batches(8192, columns=names):
            for row in batch.to_pylist():
                values = _raw(row) if raw else [row.get(n) for n in looked]
                if sure := person.known_in(snapshot.table, row["id"], values):
                    yield Hit(
                        place=place,
                        table=snapshot.table,
                        version=snapshot.version,
                        current=current,
                        key=str(row["id"]),
                        sure=sure,
                        values={k: v for k, v in row.items() if v is not None},
                        facts=snapshot.manifest,
                    )


def _raw(row: Mapping[str, Any]) -> list[Any]:
    return [row["id"], *sifting.leaves(json.loads(row["raw"]))] if row.get("raw") else [row["id"]]


def accounts(store: ops.Ops, person: Person) -> Iterator[Hit]:
    """Give the accounts of the person: by a number that is a sign-in name, or by a name and a row."""
    table = tables.account
    shown = ("id", "name", "display_name", "role", "prefix", "grid", "department", "created_at", "disabled_at")
    with store.read() as connection:
        found = [dict(r) for r in connection.execute(table.select().order_by(table.c.name)).mappings()]
    for row in found:
        if sure := person.known_in(ACCOUNT, row["id"], (row["name"], row["display_name"])):
            values = {k: row[k] for k in shown if row[k] not in (None, "")}
            yield Hit(
                place=ACCOUNT,
                table=ACCOUNT,
                version="",
                current=True,
                key=row["id"],
                sure=sure,
                values=values,
                facts={},
            )
