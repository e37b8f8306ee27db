"""Where else the data lies: deliveries, folders put aside by a restore, backups; what cannot go has a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from twin import durable
from twin.retention import applying, decoded, sifting
from twin.retention.applying import Taken
from twin.retention.marks import Marks
from twin.store import Snapshot

ASIDE = "before-restore-*"
BACKUP = "onemap-*"


@dataclass(frozen=True, kw_only=True)
class Left:
    """A copy that is not changed: where, and the day (UTC) its time is over and it is removed whole."""

    path: Path
    until: datetime


def kept(data: Path, village: Path, backups: Path | None, days: int) -> list[Left]:
    """Give the copies below the data folder, the village's and that of backups, with their days."""
    found = {p for root in (data, data / "run", village) for p in root.glob(ASIDE)}
    found |= {p for p in backups.glob(BACKUP) if (p / "backup.json").is_file()} if backups else set()
    return [Left(path=p, until=_made(p) + timedelta(days=days)) for p in sorted(found)]


def _made(path: Path) -> datetime:
    """Give when a copy was made: its name says it, else the file system."""
    text = path.name.rpartition("-")[2]
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def remove_deliveries(data: Path, marks: Marks) -> list[Taken]:
    """Remove every delivered file that holds a marked person, with the files it belongs to; gives what went.

    A delivery is a copy, the department has its own. It holds one where a marked number stands in it, or where it is
    the very delivery of a version out of which rows were taken.
    """
    raw, sets = data / "raw", list(_sets(data))
    due: set[Path] = {path for files, erased in sets if erased for path in files}
    for seen in decoded.search([raw] if raw.is_dir() else [], marks.holds):
        if seen.found:
            whole = [files for files, _ in sets if seen.path in files]
            due |= {seen.path}.union(*whole)
    taken = []
    for path in sorted(p for p in due if p.is_file()):
        digest = durable.sha256(path)
        path.unlink()
        durable.sync(path.parent)
        taken.append(Taken(where=path.relative_to(data).as_posix(), rows=0, how="file", before_sha256=digest))
    return taken


def published(data: Path) -> Iterator[tuple[str, set[Path]]]:
    """Give each table and the files of its deliveries that lie there just as they were published."""
    opened = applying.stores(data / "store")[applying.STORE]
    for table in opened.tables():
        files = {p for snapshot in applying.whole(opened, table) for p in _delivered(data, snapshot)}
        if files:
            yield table, files


def _delivered(data: Path, snapshot: Snapshot) -> set[Path]:
    """Give the files of a version's deliveries that are still what they were."""
    found: set[Path] = set()
    for source in snapshot.manifest.get("sources", ()):
        root = data / "raw" / source["path"]
        folder = root if root.is_dir() else root.parent
        named = {folder / f["name"]: f["sha256"] for f in source.get("files", ())}
        there = {p for p in named if p.is_file()}
        if any(durable.sha256(p) == named[p] for p in there):
            found |= there
    return found


def _sets(data: Path) -> Iterator[tuple[set[Path], bool]]:
    """Give the files of each version's deliveries that are still there, and whether rows were taken out of it."""
    opened = applying.stores(data / "store")[applying.STORE]
    for table in opened.tables():
        for snapshot in applying.whole(opened, table):
            ledger = snapshot.manifest.get("ledger") or {}
            if files := _delivered(data, snapshot) if snapshot.has(sifting.PART) else set():
                yield files, bool(ledger.get("erased") or ledger.get("emptied"))


def sweep_stage(data: Path) -> None:
    """Remove the rows that a killed run of receiving left in its working folder."""
    stage = data / "run" / "stage"
    if stage.is_dir():
        with durable.lock(stage / ".lock"):
            durable.sweep(stage)
