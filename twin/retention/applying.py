"""What is marked is taken out of everything that keeps rows: published versions, quarantines, deliveries, accounts.

It may be done again at any time and ends the same: a killed run is done again, a restored backup is done over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twin.errors import StoreBroken
from twin.retention import sifting
from twin.store import Snapshot, Store

if TYPE_CHECKING:
    from twin.retention.marks import Marks
    from twin.store.replacing import Fill

Say = Callable[[str], None]
STORE, QUARANTINED = "store", "quarantine"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was taken out of one thing: where (a version or a file), how many rows, and the hashes of its bytes."""

    where: str
    rows: int
    how: str
    """"rows" (they are gone), "values" (emptied), "file" (a delivered file is gone), "account"."""
    before_sha256: str = ""
    after_sha256: str = ""


def stores(root: Path) -> dict[str, Store]:
    """Give the store of published tables and that of the quarantine, by how their places are told."""
    return {STORE: Store(root), QUARANTINED: Store(root / "_quarantine")}


def apply_to_store(root: Path, marks: Marks, say: Say = lambda _: None, *, only: str = "") -> list[Taken]:
    """Write every version that holds a marked row anew, tables and quarantines; gives what was taken out of each.

    The ledger of a run is counted again in its table and in its quarantine: read = published + quarantined + duplicates
    + erased holds in both. Raises StoreFull, PublishConflict; then it is done again.
    """
    opened = stores(root)
    taken: list[Taken] = []
    for table in sorted({t for s in opened.values() for t in s.tables()}):
        if only in ("", table):
            say(table)
            taken += _of_table(opened, table, marks)
    return taken


def _of_table(opened: Mapping[str, Store], table: str, marks: Marks) -> list[Taken]:
    held = {n: [s for s in whole(store, table) if s.has(sifting.PART)] for n, store in opened.items()}
    looked = {(n, s.version): sifting.look(s, marks) for n, some in held.items() for s in some}
    ledgers = _counted(held, looked)
    taken: list[Taken] = []
    for name, store in opened.items():
        if table not in store.tables():
            continue
        due = [s for s in held[name] if looked[name, s.version].rows or ledgers[_run(s)] != s.manifest.get("ledger")]
        changes: dict[str, Fill | None] = {s.version: sifting.fill(s, marks, ledgers[_run(s)]) for s in due}
        store.change(table, {**dict.fromkeys(_lost(store, table)), **changes}, "erasure")
        taken += [_told(name, store, s, looked[name, s.version]) for s in due if looked[name, s.version].rows]
    return taken


def _run(snapshot: Snapshot) -> str:
    return str(snapshot.manifest.get("run") or snapshot.version)


def whole(store: Store, table: str) -> list[Snapshot]:
    """Give the versions of the chain that are whole, the current one first."""
    found: list[Snapshot] = []
    for version in store.versions(table) if table in store.tables() else ():
        with contextlib.suppress(StoreBroken):
            found.append(store.at(table, version.version))
    return found


def _lost(store: Store, table: str) -> list[str]:
    """Give the versions before the current one that are damaged: nobody can say whom they hold, so they go."""
    good = {s.version for s in whole(store, table)}
    return [v.version for v in store.versions(table)[1:] if v.version not in good]


def _counted(
    held: Mapping[str, list[Snapshot]], looked: Mapping[tuple[str, str], sifting.Sifted]
) -> dict[str, Mapping[str, int]]:
    """Count each run's ledger again from what its table and quarantine will hold, so that to do it twice is once."""
    ledgers: dict[str, Mapping[str, int]] = {}
    for snapshot in (s for some in held.values() for s in some):
        ledgers.setdefault(_run(snapshot), snapshot.manifest.get("ledger") or {})
    for run, before in ledgers.items():
        if "read" in before:
            now = dict(before)
            for name, key in ((STORE, "published"), (QUARANTINED, "quarantined")):
                for snapshot in (s for s in held[name] if _run(s) == run):
                    seen = looked[name, snapshot.version]
                    now[key] = int(snapshot.manifest["rows"]) - (seen.rows if seen.whole else 0)
                    emptied = int((snapshot.manifest.get("ledger") or {}).get("emptied", 0))
                    more = 0 if seen.whole else seen.rows
                    now["emptied"] = max(now.get("emptied", 0), emptied + more)
            now["erased"] = now["read"] - now["published"] - now["quarantined"] - now["duplicates"]
            ledgers[run] = {k: v for k, v in now.items() if v or k not in ("erased", "emptied")}
    return ledgers


def _told(name: str, store: Store, before: Snapshot, seen: sifting.Sifted) -> Taken:
    entry = str(before.manifest["files"][sifting.PART]["sha256"])
    after = next(
        (s for s in whole(store, before.table) if s.manifest.get("anew", {}).get("before") == before.version), None
    )
    return Taken(
        where=f"{name}/{before.table}/v={before.version}",
        rows=seen.rows,
        how="rows" if seen.whole else "values",
        before_sha256=entry,
        after_sha256=str(after.manifest["files"][sifting.PART]["sha256"]) if after else "",
    )


def holds(snapshot: Snapshot, marks: Marks) -> bool:
    """Say whether a version holds a marked row."""
    return snapshot.has(sifting.PART) and sifting.look(snapshot, marks).rows > 0
