"""How the tests read one delivered file through the sandbox."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl import sandbox
from twin.model import Kind, Resource, Source, Text

if TYPE_CHECKING:
    from pathlib import Path

NAME = Text("测试", "Test")


def resource(reader: str = "vector", kind: Kind = "polygon") -> Resource:
    """Give a resource of which only the reader and the kind matter."""
    return Resource(
        id="t", code="1", title=NAME, department="d", class_path=(), abstract=NAME, format="", reader=reader, kind=kind,
        sources=(), key="id", fields=(), share_type="none", share_condition="", share_method="", open_attr="",
        update_cycle="", cadence_seconds=1, published=dt.date(2025, 1, 1), theme="base", layers=(),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """All that one file gave."""

    table: pa.Table
    crs: str
    report: dict[str, Any]
    files: sandbox.FileSet
    batches: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def notes(self) -> list[str | None]:
        return self.table.column("_note").to_pylist()


def deliver(
    path: Path, reader: str = "vector", kind: Kind = "polygon", *, accepted=None, limits=None, raw=None, **source: Any
) -> Delivery:
    """Read `path` as the only source of a resource; raises as the sandbox does."""
    root = raw or path.parent
    where = Source(location=path.relative_to(root).as_posix(), **source)
    with sandbox.read(resource(reader, kind), where, root, accepted=accepted, limits=limits) as reading:
        batches = list(reading.batches())
        table = pa.Table.from_batches(batches, schema=reading.schema)
        return Delivery(
            table=table, crs=reading.crs, report=reading.report, files=reading.files, batches=len(batches),
            rows=table.to_pylist(),
        )  # fmt: skip
