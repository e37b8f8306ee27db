"""What is past its time, and its end: a list first, then each thing by itself; the only one that removes by age."""

from __future__ import annotations

import functools
import itertools
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from twin import durable, ops
from twin.ops import tables
from twin.retention import applying, copies, sifting, thinning
from twin.retention.rules import CLASSES
from twin.uploads import shelf as shelves

if TYPE_CHECKING:
    from twin.retention.erasing import Ground
    from twin.retention.rules import Rules
    from twin.store import Snapshot, Store

Kind = Literal[
    "version", "quarantine", "delivery", "backup", "session", "attempt", "archive", "ground", "upload", "thinned"
]
ARCHIVE = "audit-to-*.jsonl"
STRICTEST = CLASSES[-1]


@dataclass(frozen=True, kw_only=True)
class Due:
    """One thing past its time: what, where, since when its time is over, how much; `end` ends it."""

    kind: Kind
    where: str
    over_since: datetime
    count: int
    sha256: str = ""
    end: Callable[[], object] = field(repr=False, compare=False)

    def facts(self) -> dict[str, Any]:
        """Give what is kept of it as proof."""
        since = self.over_since.date().isoformat()
        return {
            "kind": self.kind,
            "where": self.where,
            "over_since": since,
            "count": self.count,
            "sha256": self.sha256,
        }


def due(ground: Ground, rules: Rules, now: datetime) -> list[Due]:
    """List everything that is past its time at `now`; nothing is changed."""
    found: list[Due] = []
    stores = applying.stores(ground.data / "store")
    pinned = thinning.pinned(ground.store)
    kind_of = functools.cache(functools.partial(class_of, stores[applying.STORE]))
    for name, store in stores.items():
        for table in store.tables():
            kept = rules.days("superseded" if name == applying.STORE else "quarantined", kind_of(table))
            over = list(_versions(name, store, table, now, kept)) if kept else []
            found += over
            pins = {*pinned.get(table, ()), *(d.where.rpartition("=")[2] for d in over)}
            found += _thinned((name, table), store, rules, now, pins)
    found += _deliveries(ground.data, rules, now, kind_of)
    found += _copies(ground, rules, now)
    found += _archives(ground.data, rules, now)
    found += _uploads(ground.data, rules, now)
    return found + (_rows(ground.store, rules, now) if ground.store else [])


def class_of(store: Store, table: str) -> str:
    """Give the strictest class of a table's columns; the strictest of all where nobody can say."""
    whole = applying.whole(store, table)
    if not whole:
        return STRICTEST
    held = {c.get("sensitivity") for s in whole for c in s.manifest.get("columns", ())}
    known = [CLASSES.index(c) for c in held if c in CLASSES]
    return CLASSES[max(known)] if known else CLASSES[0]


def _versions(name: str, store: Store, table: str, now: datetime, kept: timedelta) -> Iterator[Due]:
    """Give superseded versions, and the current quarantine whose rows as received are too old."""
    for after, version in itertools.pairwise(store.versions(table)):
        over = datetime.fromisoformat(after.created_at) + kept
        if over < now:
            yield Due(
                kind="version",
                where=f"{name}/{table}/v={version.version}",
                over_since=over,
                count=1,
                sha256=version.manifest_sha256,
                end=lambda v=version.version: store.change(table, {v: None}, "retention"),
            )
    if name == applying.QUARANTINED:
        yield from _quarantine(store, table, now, kept)


def _thinned(place: tuple[str, str], store: Store, rules: Rules, now: datetime, pins: Collection[str]) -> Iterator[Due]:
    """Give the versions of which fewer are kept the older they are."""
    name, table = place
    held_all = store.history(table)
    over = set(thinning.superfluous(held_all, rules, now, pins))
    for held in held_all:
        if held.version in over:
            yield Due(
                kind="thinned",
                where=f"{name}/{table}/v={held.version}",
                over_since=held.since,
                count=1,
                end=lambda v=held.version: store.collect(table, [v]),
            )


def _quarantine(store: Store, table: str, now: datetime, kept: timedelta) -> Iterator[Due]:
    version = store.versions(table)[0]
    over = datetime.fromisoformat(version.created_at) + kept
    whole = [s for s in applying.whole(store, table) if s.version == version.version]
    if over < now and whole and whole[0].has(sifting.PART) and (rows := _as_received(whole[0])):
        yield Due(
            kind="quarantine",
            where=f"{applying.QUARANTINED}/{table}/v={version.version}",
            over_since=over,
            count=rows,
            sha256=version.manifest_sha256,
            end=lambda: store.change(table, {version.version: _without_raw(whole[0])}, "retention"),
        )


def _as_received(snapshot: Snapshot) -> int:
    table = pq.read_table(snapshot.file(sifting.PART), columns=["raw"])
    return table.num_rows - table.column("raw").null_count


def _without_raw(snapshot: Snapshot) -> Callable[[Path], Mapping[str, Any]]:
    """Give what writes a quarantine anew: which rows, and why, but not what was in them."""

    def write(directory: Path) -> Mapping[str, Any]:
        table = pq.read_table(snapshot.file(sifting.PART))
        for name in ("id", "raw", "geometry"):
            index = table.schema.get_field_index(name)
            table = table.set_column(index, name, pa.nulls(table.num_rows, table.schema.field(index).type))
        pq.write_table(table, directory / sifting.PART, compression="zstd")
        return {**snapshot.manifest, "raw_removed": True}

    return write


def _deliveries(data: Path, rules: Rules, now: datetime, kind_of: Callable[[str], str]) -> Iterator[Due]:
    for table, files in copies.published(data):
        kept = rules.days("deliveries", kind_of(table))
        newest = max((p.stat().st_mtime for p in files), default=0.0)
        over = datetime.fromtimestamp(newest, UTC) + kept if kept else None
        if over and over < now:
            for path in sorted(files):
                yield Due(
                    kind="delivery",
                    where=path.relative_to(data).as_posix(),
                    over_since=over,
                    count=1,
                    sha256=durable.sha256(path),
                    end=lambda p=path: p.unlink(missing_ok=True),
                )


def _copies(ground: Ground, rules: Rules, now: datetime) -> Iterator[Due]:
    for left in copies.kept(ground.data, ground.village, ground.backups, rules.backups):
        if left.until < now:
            end = (lambda p=left.path: shutil.rmtree(p)) if left.path.is_dir() else left.path.unlink
            yield Due(kind="backup", where=left.path.as_posix(), over_since=left.until, count=1, end=end)


def _archives(data: Path, rules: Rules, now: datetime) -> Iterator[Due]:
    for path in sorted((data / "run" / "audit").glob(ARCHIVE)) if rules.archives else ():
        over = datetime.fromtimestamp(path.stat().st_mtime, UTC) + timedelta(days=rules.archives)
        if over < now:
            where = path.relative_to(data).as_posix()
            yield Due(
                kind="archive", where=where, over_since=over, count=1, sha256=durable.sha256(path), end=path.unlink
            )


def _uploads(data: Path, rules: Rules, now: datetime) -> Iterator[Due]:
    shelf = shelves.Shelf(data=data)
    for upload, over in shelves.past(shelf.all(), rules.uploads, now):
        where = f"{shelves.FOLDER}/{upload.owner}/{upload.id}"
        end = lambda u=upload: shelf.remove(u)  # noqa: E731 - one line, as its neighbours
        yield Due(kind="upload", where=where, over_since=over, count=1, sha256=upload.sha256, end=end)


def _rows(store: ops.Ops, rules: Rules, now: datetime) -> list[Due]:
    """Give the rows of the operational store that are past their time, one thing a table."""
    session, attempt, ground = tables.session, tables.attempt, tables.delivery
    ended, tried, told = (now - timedelta(days=d) for d in (rules.sessions, rules.attempts, rules.ground))
    past: tuple[tuple[Kind, Any, Any, datetime], ...] = (
        ("session", session, ops.or_(session.c.expires_at < ended, session.c.ended_at < ended), ended),
        ("attempt", attempt, attempt.c.at < tried, tried),
        ("ground", ground, ground.c.day < told.date(), told),
    )
    with store.read() as connection:
        counted: list[tuple[Kind, Any, Any, datetime, int]] = [
            (kind, table, old, since, connection.execute(ops.select(ops.func.count()).where(old)).scalar_one())
            for kind, table, old, since in past
        ]
    return [
        Due(
            kind=kind,
            where=f"ops/{table.name}",
            over_since=since,
            count=count,
            end=lambda t=table, o=old: _delete(store, t, o),
        )
        for kind, table, old, since, count in counted
        if count
    ]


def _delete(store: ops.Ops, table: Any, old: Any) -> None:
    with store.begin() as connection:
        connection.execute(table.delete().where(old))
