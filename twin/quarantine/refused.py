"""The refused rows as they lie beside the published tables: which there are, why, and each as it was delivered.

What is light of a version (names, reasons) is kept in memory for as long as it is the current one; values are read for
the rows that are shown, and kept nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from twin.errors import NotFound, StoreBroken
from twin.model import Text
from twin.quarantine.acts import Named
from twin.quarantine.naming import fingerprint, row_name
from twin.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from twin.model import Resource
    from twin.store import Snapshot

PART = "part.parquet"
MOST_HELD = 400_000
"""Light rows kept in memory at a time, of all tables."""
BATCH = 4096


@dataclass(frozen=True, kw_only=True)
class Refused:
    """One refused row, without its values: how it is named, why it was refused, and where it lies in its version."""

    named: Named
    year: int | None
    number: int
    has_shape: bool
    kept: bool
    """Whether the row as delivered is still there: after some time only the reasons are."""

    @property
    def name(self) -> str:
        """Give the word it goes by."""
        return self.named.name


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One reason in words, with its remedy."""

    rule: str
    column: str
    said: Text
    remedy: Text


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A refused row with what was delivered: its columns by their headings as sent, its shape in WKB, its CRS."""

    row: Refused
    raw: Mapping[str, Any]
    shape: bytes | None
    crs: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The refused rows of one resource's last run, and what became of the acts that held then, by number."""

    resource: str
    version: str
    run: str
    rows: tuple[Refused, ...]
    became: Mapping[int, str] = field(default_factory=dict)


class Quarantine:
    """The refused rows below the store; safe to share between threads."""

    def __init__(self, root: Path) -> None:
        self._store = Store(root / "_quarantine")
        self._held: dict[str, Table] = {}
        self._lock = Lock()

    def table(self, resource: Resource) -> Table | None:
        """Give the refused rows of a resource, None where no run ever told of any."""
        snapshot = self._snapshot(resource.id)
        if snapshot is None:
            return None
        held = self._held.get(resource.id)
        if held is None or held.version != snapshot.version:
            held = _light(snapshot, resource)
            with self._lock:
                if sum(len(t.rows) for t in self._held.values()) > MOST_HELD:
                    self._held.clear()
                self._held[resource.id] = held
        return held

    def whole(self, resource: Resource, wanted: Iterable[Refused]) -> list[Whole]:
        """Give rows of one resource with what was delivered; raises NotFound where another run has come meanwhile."""
        rows = sorted(wanted, key=lambda r: r.number)
        snapshot = self._snapshot(resource.id)
        if snapshot is None or not rows:
            return []
        declared = {s.location: s.crs for s in resource.sources if s.crs}
        crs = {**declared, **(snapshot.manifest.get("crs") or {})}
        found = list(_read(snapshot, [r.number for r in rows]))
        if len(found) != len(rows):
            raise NotFound("隔离区刚刚更新,请重新打开", "The quarantine has just changed; open it again")
        return [_whole(r, values, crs) for r, values in zip(rows, found, strict=True)]

    def _snapshot(self, table: str) -> Snapshot | None:
        try:
            return self._store.current(table)
        except (NotFound, StoreBroken):
            return None


def _light(snapshot: Snapshot, resource: Resource) -> Table:
    manifest = snapshot.manifest
    rows: list[Refused] = []
    if manifest.get("rows"):
        with pq.ParquetFile(snapshot.file(PART)) as file:
            for batch in file.iter_batches(BATCH):
                rows += [_refused(r, n, resource) for n, r in enumerate(batch.to_pylist(), len(rows))]
    return Table(
        resource=resource.id,
        version=snapshot.version,
        run=str(manifest.get("run", "")),
        rows=tuple(rows),
        became={int(k): str(v) for k, v in (manifest.get("acts") or {}).items()},
    )


def _refused(row: Mapping[str, Any], number: int, resource: Resource) -> Refused:
    mark = fingerprint(row["raw"] or "", row["geometry"])
    key, source, place = row["id"] or "", row["_source"] or "", row["_row"] or ""
    named = Named(
        resource=resource.id,
        department=resource.department,
        name=row_name(resource.id, source, key, place, mark),
        source=source,
        key=key,
        row=place,
        fingerprint=mark,
        rules=tuple(f"{r['rule']}|{r['column']}" if r["column"] else r["rule"] for r in row["reasons"] or ()),
    )
    shaped = row["geometry"] is not None
    return Refused(named=named, year=row["year"], number=number, has_shape=shaped, kept=bool(row["raw"]))


def _read(snapshot: Snapshot, numbers: Sequence[int]) -> Iterable[Mapping[str, Any]]:
    wanted, first = set(numbers), 0
    with pq.ParquetFile(snapshot.file(PART)) as file:
        for batch in file.iter_batches(BATCH, columns=["raw", "geometry", "reasons"]):
            here = sorted(n - first for n in wanted if first <= n < first + batch.num_rows)
            yield from batch.take(here).to_pylist() if here else ()
            first += batch.num_rows


def _whole(row: Refused, values: Mapping[str, Any], crs: Mapping[str, str]) -> Whole:
    reasons = tuple(
        Reason(
            rule=r["rule"],
            column=r["column"],
            said=Text(r["zh"], r["en"]),
            remedy=Text(r["remedy_zh"], r["remedy_en"]),
        )
        for r in values["reasons"] or ()
    )
    raw = json.loads(values["raw"]) if values["raw"] else {}
    return Whole(row=row, raw=raw, shape=values["geometry"], crs=crs.get(row.named.source, ""), reasons=reasons)
