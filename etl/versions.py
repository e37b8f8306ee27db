"""The versions of a table on the command line: compare two, go back to the one before, let old ones go."""

from __future__ import annotations

import contextlib
import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from etl import rollback as returning
from etl import tasks
from etl.words import Language, say
from twin import duck, ops
from twin.errors import BadRequest, NotFound
from twin.retention import rules as declared
from twin.retention import thinning
from twin.store import Store
from twin.store import diff as differing
from twin.store.diff import HOWS, Found

if TYPE_CHECKING:
    import argparse

    from twin.settings import Settings
    from twin.store import Snapshot
    from twin.store.diff import Change

GOOD = 0
LEAST_REASON = 2
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def rollback(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Return a table, and its quarantine, to the version before; who and why stand in the ledger."""
    reason = options.reason.strip()
    if len(reason) < LEAST_REASON:
        raise BadRequest(say("rollback.why", "zh"), say("rollback.why", "en"))
    by = options.by or getpass.getuser()
    snapshot = returning.rollback(settings, options.table, to=options.to, by=by, reason=reason)
    rows = snapshot.manifest.get("rows")
    print(say("rollback.done", language, table=options.table, version=snapshot.version, rows=rows))
    return GOOD


def diff(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Print what changed between two versions: counts, fields, and rows with what they were and are."""
    store = Store(settings.store)
    before, after = _two(store, options.table, options.before, options.after)
    with duck.connect(threads=2, memory=differing.MEMORY) as connection:
        sides, columns = differing.of_files(connection, before, after)
        with Found(connection, sides) as found:
            told = {"table": options.table, "before": before.version, "after": after.version}
            print(say("diff.head", language, **told))
            counts = found.counts()
            print(say("diff.counts", language, **{k: f"{v:,}" for k, v in counts.items()}))
            for name, rows in found.by_field().items():
                print(say("diff.field", language, field=name, rows=f"{rows:,}"))
            if columns:
                print(say("diff.only", language, columns=", ".join(columns)))
            personal = _personal(after)
            for change in found.rows(HOWS, limit=max(0, options.limit)):
                print(_line(change, personal))
            if sum(counts.values()) > options.limit:
                print(say("diff.more", language, rows=sum(counts.values()) - options.limit))
    return GOOD


def _two(store: Store, table: str, before: str, after: str) -> tuple[Snapshot, Snapshot]:
    new = store.at(table, after) if after else store.current(table)
    if before:
        return store.at(table, before), new
    chain = [v.version for v in store.versions(table)]
    older = chain[chain.index(new.version) + 1 :]
    if not older:
        raise NotFound(say("diff.none", "zh", table=table), say("diff.none", "en", table=table), table=table)
    return store.at(table, older[0]), new


def _personal(snapshot: Snapshot) -> set[str]:
    """Give the columns of which no value is printed: personal ones, and those nobody has classed."""
    columns = snapshot.manifest.get("columns") or ()
    return {c["name"] for c in columns if c.get("sensitivity") not in ("public", "internal")}


def _line(change: Change, personal: set[str]) -> str:
    """Write one row in one line; of a shape only how far it moved, of what is personal only that it changed."""
    key = change.id if change.year is None else f"{change.id} {change.year}"
    if change.how != "changed":
        return f"{SIGNS[change.how]} {key}"
    told = {n: (change.before[n], v) for n, v in change.after.items() if n != differing.GEOMETRY}
    fields = [f"{n}: ●" if n in personal else f"{n}: {b!r} → {a!r}" for n, (b, a) in told.items()]
    moved = [f"↔ {change.moved:,.1f}"] if change.moved else []
    return f"{SIGNS[change.how]} {key}  {'; '.join([*fields, *moved])}"


def gc(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """List the versions that the rules of retention let go and, with --do, let them go; tables and quarantines."""
    kept, now = declared.read(settings.village), datetime.now(UTC)
    pins = _pinned(settings)
    count = 0
    for store in (Store(settings.store), tasks.quarantine(settings)):
        for table in options.tables or store.tables():
            if table in store.tables():
                count += _of_table(store, table, (kept, now, pins.get(table, set())), language, do=options.do)
    print(say("gc.done" if options.do else "gc.dry", language, count=count))
    return GOOD


def _of_table(
    store: Store, table: str, by: tuple[declared.Rules, datetime, set[str]], language: Language, *, do: bool
) -> int:
    rules, now, pins = by
    over = thinning.superfluous(store.history(table), rules, now, pins)
    gone = store.collect(table, over) if do and over else tuple(over)
    for version in gone:
        print(say("gc.gone", language, table=table, version=version))
    if len(gone) < len(over):
        print(say("gc.read", language, table=table, count=len(over) - len(gone)))
    return len(gone)


def _pinned(settings: Settings) -> dict[str, set[str]]:
    """Give what waits for a decision; where nobody has ever asked anything, nothing does."""
    path = settings.data / "run" / ops.FILE
    if not settings.ops_url and not path.exists():
        return {}
    with contextlib.closing(ops.Ops(settings.ops_url or f"sqlite:///{path.resolve()}")) as store:
        return thinning.pinned(store)
