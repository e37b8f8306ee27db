"""Lines of the run ledger → runs and where resources stand; each line is taken up once, however often it is asked for.

The ledger stays the truth: what a kill leaves untaken is taken up the next time somebody looks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from twin import freshness, ops
from twin.ops import run_tables as tables
from twin.runs import standing
from twin.runs.standing import Rules

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("fetched", "read", "checked", "published")
COUNTS = ("read", "published", "quarantined", "duplicates", "repaired")
DETAILS = ("rules", "warnings", "repairs", "notes", "holds", "nulls")
CURRENT = (*freshness.GOOD, "rolled_back")
"""Ends of runs that name the version which is current then."""
HEAD_BYTES = 200
_RUN = tables.run


def take_up(connection: ops.Connection, ledger: Path, rules: Rules, *, clock: datetime | None = None) -> int:
    """Take up what the ledger at `ledger` says beyond what was taken up before; gives how many runs were new.

    `clock` is a demo's standing now: what ran after it counts as of then.
    """
    upto, known_head = _place(connection)
    if not ledger.exists():
        return 0
    with ledger.open("rb") as file:
        head = hashlib.sha256(file.readline(HEAD_BYTES)).hexdigest()
        if head != known_head:
            upto = 0
        file.seek(upto)
        data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    if not whole:
        return 0
    new = _insert(connection, list(_lines(whole)))
    first = not known_head
    _stand(connection, new, rules, clock)
    if first:
        connection.execute(ops.delete(tables.notice))
    _note(connection, upto + len(whole), head, first=first)
    return len(new)


def behind(connection: ops.Connection, ledger: Path) -> bool:
    """Say whether the ledger holds more than was taken up."""
    return ledger.exists() and ledger.stat().st_size != _place(connection)[0]


def _place(connection: ops.Connection) -> tuple[int, str]:
    row = connection.execute(ops.select(tables.ledger_read)).one_or_none()
    return (row.upto, row.head) if row else (0, "")


def _note(connection: ops.Connection, upto: int, head: str, *, first: bool) -> None:
    values = {"id": 1, "upto": upto, "head": head}
    statement = ops.insert(tables.ledger_read) if first else ops.update(tables.ledger_read)
    connection.execute(statement, values)


def _lines(data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give (hash, content) of each line that can be read; one torn by a crash is passed over."""
    for text in data.splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and {"resource", "status", "started_at", "finished_at"} <= line.keys():
            yield hashlib.sha256(text).hexdigest()[:32], line


def _insert(connection: ops.Connection, lines: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    new: list[dict[str, Any]] = []
    for name, line in lines:
        if connection.execute(ops.select(_RUN.c.id).where(_RUN.c.id == name)).first():
            continue
        row = _row(name, line)
        row["rows_delta"] = _delta(connection, row)
        connection.execute(ops.insert(_RUN), row)
        _hold(connection, row, line)
        new.append(row)
    return new


def _row(name: str, line: Mapping[str, Any]) -> dict[str, Any]:
    counts, stages = line.get("ledger") or {}, line.get("stages") or {}
    return {
        "id": name,
        "run": line.get("run", ""),
        "tick_id": line.get("tick", ""),
        "resource": line["resource"],
        "status": line["status"],
        "started_at": datetime.fromisoformat(line["started_at"]),
        "finished_at": datetime.fromisoformat(line["finished_at"]),
        **{f"{s}_at": datetime.fromisoformat(stages[s]) if stages.get(s) else None for s in STAGES},
        **{f"rows_{c}": counts.get(c) for c in COUNTS},
        "version": line.get("version", ""),
        "as_of": standing.of(line.get("as_of")),
        "log": line.get("log", ""),
        "reason_zh": line.get("reason_zh", ""),
        "reason_en": line.get("reason_en", ""),
        "details": {k: line[k] for k in DETAILS if line.get(k)},
    }


def _delta(connection: ops.Connection, row: Mapping[str, Any]) -> int | None:
    """Give how many rows more were published than by the good run before, None where there is nothing to compare."""
    if row["status"] not in CURRENT or row["rows_published"] is None:
        return None
    before = (
        ops.select(_RUN.c.rows_published)
        .where(_RUN.c.resource == row["resource"], _RUN.c.status.in_(CURRENT), _RUN.c.rows_published.is_not(None))
        .order_by(_RUN.c.finished_at.desc())
        .limit(1)
    )
    found = connection.execute(before).scalar_one_or_none()
    return None if found is None else row["rows_published"] - found


def _hold(connection: ops.Connection, row: Mapping[str, Any], line: Mapping[str, Any]) -> None:
    """Open a hold where the run was held; whatever ran overtakes the holds of its resource that still wait."""
    h = tables.hold
    waiting = ops.and_(h.c.resource == row["resource"], h.c.decision == "")
    connection.execute(ops.update(h).where(waiting), {"decision": "overtaken", "decided_at": row["finished_at"]})
    if row["status"] != "held":
        return
    known = connection.execute(ops.select(h.c.run).where(h.c.run == row["run"])).first()
    before = connection.execute(
        ops.select(tables.standing.c.rows).where(tables.standing.c.resource == row["resource"])
    ).scalar_one_or_none()
    if not known:
        opened = {
            "run": row["run"],
            "resource": row["resource"],
            "opened_at": row["finished_at"],
            "reason_zh": row["reason_zh"],
            "reason_en": row["reason_en"],
            "guards": list(line.get("holds") or [{"zh": row["reason_zh"], "en": row["reason_en"]}]),
            "rows_old": before,
            "rows_new": row["rows_published"],
            "version": row["version"],
            "delivery": line.get("delivery", ""),
        }
        connection.execute(ops.insert(h), opened)


def _stand(connection: ops.Connection, new: list[dict[str, Any]], rules: Rules, clock: datetime | None) -> None:
    """Fold the new runs of each resource into its row, then judge it once."""
    folded: dict[str, dict[str, Any]] = {}
    for row in new:
        folded.setdefault(row["resource"], {}).update(_facts(row, clock))
    for resource, facts in folded.items():
        standing.reported(connection, resource, facts, rules, clock or facts["last_at"])


def _facts(row: Mapping[str, Any], clock: datetime | None) -> dict[str, Any]:
    ended = min(row["finished_at"], clock) if clock else row["finished_at"]
    facts: dict[str, Any] = {
        "last_at": ended,
        "last_run": row["run"],
        "last_status": row["status"],
        "seconds": max(0.0, (row["finished_at"] - row["started_at"]).total_seconds()),
        "reason_zh": row["reason_zh"],
        "reason_en": row["reason_en"],
    }
    if row["status"] in freshness.GOOD:
        facts |= {"good_at": ended}
    if row["status"] in freshness.GOOD or (row["status"] in CURRENT and row["rows_published"] is not None):
        facts |= {"as_of": row["as_of"], "version": row["version"]}
        facts |= {k: row[k] for k in ("rows_delta", "rows_quarantined")} | {"rows": row["rows_published"]}
    return facts
