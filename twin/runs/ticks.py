"""The tick ledger: what is due, who leased it, how often it was tried; planned twice it is planned once.

A worker claims a tick for a while and says that it lives; one whose lease ran out belongs to whoever claims it next,
and the one before can no longer close it. Time is the machine's; a lease from the future (a clock set back) is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from twin import ops
from twin.ops import run_tables as tables
from twin.runs.reading import tick_of
from twin.runs.values import Tick, Why

_T = tables.tick
LEASE = timedelta(seconds=30)
"""How long a claim holds without a sign of life."""
FARTHEST = timedelta(hours=2)
"""No wait is that long: a tick whose next try lies further ahead was set by a clock that ran wrong, and is due."""
OPEN = ("waiting", "running")


@dataclass(frozen=True, kw_only=True)
class Due:
    """Something to be received: `due_at` and `why` name it; nothing else makes two of it."""

    resource: str
    department: str
    due_at: datetime
    why: Why
    accept: bool = False
    force: bool = False
    period: tuple[date, date] | None = None
    request_id: int | None = None
    mark: str = ""
    """What names it in place of the moment: of files that arrived, of inputs that were published."""

    @property
    def id(self) -> str:
        """Give its name in the ledger; what is caught up with goes by the name it had in time."""
        why = "cadence" if self.why == "catchup" else self.why
        told = f":{self.request_id}" if self.request_id is not None else ""
        return f"{self.resource}@{self.mark or f'{self.due_at.astimezone(UTC):%Y%m%dT%H%M%S}'}:{why}{told}"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many may run at once in one department; `departments` are those that differ from `each`."""

    each: int = 1
    departments: tuple[tuple[str, int], ...] = ()


def plan(connection: ops.Connection, dues: Iterable[Due], now: datetime) -> int:
    """Write down what is due, each once; gives how many were new."""
    new = 0
    for due in dues:
        if connection.execute(ops.select(_T.c.id).where(_T.c.id == due.id)).first():
            continue
        values = {
            "id": due.id,
            "resource": due.resource,
            "department": due.department,
            "why": due.why,
            "due_at": due.due_at,
            "state": "waiting",
            "next_at": now,
            "accept": due.accept,
            "force": due.force,
            "period_from": due.period[0] if due.period else None,
            "period_to": due.period[1] if due.period else None,
            "request_id": due.request_id,
            "created_at": now,
        }
        connection.execute(ops.insert(_T), values)
        new += 1
    return new


def known(connection: ops.Connection, ids: Sequence[str]) -> set[str]:
    """Give those of the names that are planned already."""
    return set(connection.execute(ops.select(_T.c.id).where(_T.c.id.in_(ids))).scalars()) if ids else set()


def ready(connection: ops.Connection, now: datetime, *, lease: timedelta = LEASE) -> bool:
    """Say whether `claim` may find something; it only reads."""
    due = ops.and_(_T.c.state == "waiting", ops.or_(_T.c.next_at <= now, _T.c.next_at > now + FARTHEST))
    if connection.execute(ops.select(_T.c.id).where(due).limit(1)).first():
        return True
    running = connection.execute(ops.select(_T.c.lease_until).where(_T.c.state == "running")).all()
    return any(_silent(row, now, lease) for row in running)


def last_due(connection: ops.Connection) -> dict[str, datetime]:
    """Give the last moment planned by its cadence of each resource."""
    query = ops.select(_T.c.resource, ops.func.max(_T.c.due_at)).where(_T.c.why.in_(("cadence", "catchup")))
    return {row[0]: row[1] for row in connection.execute(query.group_by(_T.c.resource))}


def claim(
    connection: ops.Connection,
    owner: str,
    now: datetime,
    *,
    limits: Limits | None = None,
    lease: timedelta = LEASE,
    most: int = 1,
) -> list[Tick]:
    """Lease up to `most` ticks for `owner`: those whose try is due and those whose owner fell silent, the oldest first.

    No department runs more than its limit at once, and no resource twice.
    """
    limits = limits or Limits()
    running = connection.execute(ops.select(_T).where(_T.c.state == "running")).all()
    held = [row for row in running if not _silent(row, now, lease)]
    busy = {row.resource for row in held}
    used: dict[str, int] = {}
    for row in held:
        used[row.department] = used.get(row.department, 0) + 1
    candidates = [row for row in running if _silent(row, now, lease)] + _waiting(connection, now)
    found: list[Tick] = []
    most_of = dict(limits.departments)
    for row in candidates:
        if len(found) == most:
            break
        if row.resource in busy or used.get(row.department, 0) >= most_of.get(row.department, limits.each):
            continue
        busy.add(row.resource)
        used[row.department] = used.get(row.department, 0) + 1
        found.append(_lease(connection, row, owner, now, lease))
    return found


def _silent(row: Any, now: datetime, lease: timedelta) -> bool:
    return row.lease_until is None or row.lease_until < now or row.lease_until > now + 2 * max(lease, LEASE)


def _waiting(connection: ops.Connection, now: datetime) -> list[Any]:
    ready = ops.or_(_T.c.next_at <= now, _T.c.next_at > now + FARTHEST)
    asked_first = (_T.c.request_id.is_(None), _T.c.attempt, _T.c.due_at, _T.c.id)
    query = ops.select(_T).where(_T.c.state == "waiting", ready).order_by(*asked_first).limit(2_000)
    return list(connection.execute(query).all())


def _lease(connection: ops.Connection, row: Any, owner: str, now: datetime, lease: timedelta) -> Tick:
    values = {
        "state": "running", "lease_owner": owner, "lease_until": now + lease, "attempt": row.attempt + 1,
        "begun_at": now, "stage": "", "rows_seen": None,
    }  # fmt: skip
    connection.execute(ops.update(_T).where(_T.c.id == row.id), values)
    return tick_of(connection.execute(ops.select(_T).where(_T.c.id == row.id)).one())


def beat(connection: ops.Connection, held: Sequence[Tick], now: datetime, *, lease: timedelta = LEASE) -> list[str]:
    """Say that the owner of these ticks lives; gives the names of those that are no longer its own."""
    lost: list[str] = []
    for tick in held:
        values = {"lease_until": now + lease}
        if not connection.execute(ops.update(_T).where(_mine(tick)), values).rowcount:
            lost.append(tick.id)
    return lost


def further(connection: ops.Connection, tick: Tick, stage: str, rows: int | None) -> None:
    """Write down how far a running tick is: the stage it has reached, and rows read so far."""
    connection.execute(ops.update(_T).where(_mine(tick)), {"stage": stage, "rows_seen": rows})


def close(
    connection: ops.Connection, tick: Tick, *, done: bool, run: str, at: datetime, reason: tuple[str, str] = ("", "")
) -> bool:
    """End a tick; gives False where it is somebody else's by now."""
    values = {
        "state": "done" if done else "failed",
        "run": run,
        "ended_at": at,
        "reason_zh": reason[0],
        "reason_en": reason[1],
    }
    return bool(connection.execute(ops.update(_T).where(_mine(tick)), values).rowcount)


def again(
    connection: ops.Connection,
    tick: Tick,
    next_at: datetime,
    *,
    run: str = "",
    reason: tuple[str, str],
    tried: bool = True,
) -> bool:
    """Give a tick back, to be tried at `next_at`; not `tried` is no attempt. False where it is somebody else's."""
    values = {
        "state": "waiting",
        "next_at": next_at,
        "lease_owner": "",
        "lease_until": None,
        "run": run,
        "reason_zh": reason[0],
        "reason_en": reason[1],
        "attempt": tick.attempt if tried else tick.attempt - 1,
    }
    return bool(connection.execute(ops.update(_T).where(_mine(tick)), values).rowcount)


def skip_older(connection: ops.Connection, tick: Tick) -> int:
    """Let go of what the clock planned before `tick` for its resource and has not begun; a backfill stays."""
    by_clock = _T.c.why.in_(("cadence", "catchup", "arrival", "inputs"))
    where = (_T.c.resource == tick.resource, _T.c.state == "waiting", by_clock, _T.c.due_at < tick.due_at)
    return connection.execute(ops.update(_T).where(*where), {"state": "skipped"}).rowcount


def forget(connection: ops.Connection, before: datetime) -> int:
    """Remove ticks that ended before a moment, but for the last of each resource; gives how many."""
    last = ops.select(ops.func.max(_T.c.due_at)).where(_T.c.why.in_(("cadence", "catchup"))).group_by(_T.c.resource)
    where = (_T.c.ended_at < before, _T.c.due_at.not_in(last), _T.c.state.not_in(OPEN))
    return connection.execute(ops.delete(_T).where(*where)).rowcount


def _mine(tick: Tick) -> Any:
    return ops.and_(
        _T.c.id == tick.id,
        _T.c.state == "running",
        _T.c.lease_owner == tick.lease_owner,
        _T.c.attempt == tick.attempt,
    )
