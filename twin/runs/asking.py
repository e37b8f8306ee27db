"""What people ask of the receiving side: rerun, approve, reject, backfill, rollback, cadence, pause; with who and why.

The receiving side looks here every few seconds and answers; nothing is done by asking alone but what is only words.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from twin import ops
from twin.errors import BadRequest, NotFound, Refused
from twin.ops import run_tables as tables
from twin.runs import cadence, reading, standing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twin.runs.standing import Rules
    from twin.runs.values import Hold, Kind, Request

SHORTEST_WHY = 2
LONGEST_WHY = 2000
LONGEST_BACKFILL_DAYS = 3660
_Q, _S = tables.run_request, tables.standing
OPEN = ("asked", "taken")
FETCHING = ("rerun", "force", "backfill")
"""Requests by which something comes anew; an approval only lets through what had come."""


def rerun(connection: ops.Connection, resource: str, *, by: str, why: str, at: datetime, force: bool = False) -> int:
    """Ask that a resource be received now (`force`: also where nothing changed); gives the request's number.

    Asked twice before it ran, it runs once. Raises NotFound, BadRequest (no reason given).
    """
    return _ask(connection, resource, "force" if force else "rerun", by=by, why=why, at=at)


def rerun_failed(connection: ops.Connection, *, by: str, why: str, at: datetime) -> list[int]:
    """Ask that everything that failed be received again; gives the requests' numbers."""
    failed = connection.execute(ops.select(_S.c.resource).where(_S.c.state == "failed").order_by(_S.c.place))
    return [rerun(connection, name, by=by, why=why, at=at) for name in failed.scalars().all()]


def backfill(
    connection: ops.Connection, resource: str, period: tuple[date, date], *, by: str, why: str, at: datetime
) -> int:
    """Ask that what was due in `period` (both days included) be received; raises BadRequest where it is turned."""
    first, last = period
    if not first <= last or (last - first).days > LONGEST_BACKFILL_DAYS:
        raise BadRequest(f"补采时段有误:{first} 至 {last}", f"The period to backfill is wrong: {first} to {last}")
    return _ask(connection, resource, "backfill", by=by, why=why, at=at, period=period)


def approve(connection: ops.Connection, run: str, *, by: str, why: str, at: datetime) -> int:
    """Approve what a guard held: that very delivery is published.

    Whoever asked for the run does not approve what came of it: a second person looks. Raises NotFound, BadRequest
    (decided already), Refused (one's own).
    """
    if by in _askers(connection, run):
        raise Refused(
            "这次接收是您自己要求的，须由另一人批准", "You asked for this run yourself; somebody else must approve it"
        )
    held = _decide(connection, run, "approved", by=by, why=why, at=at)
    return _ask(connection, held.resource, "approve", by=by, why=why, at=at, held_run=run)


def rollback(connection: ops.Connection, resource: str, version: str, *, by: str, why: str, at: datetime) -> int:
    """Ask that a table go back to an earlier `version`; raises BadRequest where none is named."""
    if not version:
        raise BadRequest("请选择要退回的版本", "Choose the version to go back to")
    return _ask(connection, resource, "rollback", by=by, why=why, at=at, version=version)


def reject(connection: ops.Connection, run: str, *, by: str, why: str, at: datetime) -> None:
    """Send back what a guard held; the version before stays and the resource counts as failed, for this reason."""
    held = _decide(connection, run, "rejected", by=by, why=why, at=at)
    told = (f"待批的数据已退回:{why}", f"What was held was sent back: {why}")
    standing.turn(connection, held.resource, "failed", at, told=told)


def change_cadence(
    connection: ops.Connection, resource: str, text: str, rules: Rules, *, by: str, why: str, at: datetime
) -> None:
    """Change when a resource is due; "" returns to the declared cadence. Raises BadRequest where it cannot be read."""
    if text:
        text = cadence.parse(text, rules.zone).text
    row = _known(connection, resource)
    if text == row.declared:
        text = ""
    _change(connection, resource, by=by, why=why, at=at, cadence=text, paused=row.paused)
    values = {"cadence": text or row.declared, "next_run_at": None}
    connection.execute(ops.update(_S).where(_S.c.resource == resource), values)
    standing.promise(connection, resource, rules)
    _forget_planned(connection, resource)
    standing.settle(connection, at)


def pause(connection: ops.Connection, resource: str, *, by: str, why: str, at: datetime, paused: bool = True) -> None:
    """Stop looking for a resource by its schedule, or go on (`paused` False); what people ask still runs."""
    row = _known(connection, resource)
    kept = "" if row.cadence == row.declared else row.cadence
    _change(connection, resource, by=by, why=why, at=at, cadence=kept, paused=paused)
    values = {"paused": paused, "next_run_at": None}
    connection.execute(ops.update(_S).where(_S.c.resource == resource), values)
    if paused:
        _forget_planned(connection, resource)


def taken(connection: ops.Connection) -> list[Request]:
    """Take every request that was asked (the receiving side calls it in the transaction that plans them)."""
    rows = connection.execute(ops.select(_Q).where(_Q.c.state == "asked").order_by(_Q.c.id)).all()
    ids = [row.id for row in rows]
    connection.execute(ops.update(_Q).where(_Q.c.id.in_(ids)), {"state": "taken"})
    return [reading.request_of(row) for row in rows]


def answer(
    connection: ops.Connection, ids: Iterable[int], *, done: bool, at: datetime, reason: tuple[str, str] = ("", "")
) -> None:
    """Say how requests ended."""
    values = {
        "state": "done" if done else "failed",
        "ended_at": at,
        "reason_zh": reason[0],
        "reason_en": reason[1],
    }
    connection.execute(ops.update(_Q).where(_Q.c.id.in_(list(ids))), values)


def _ask(
    connection: ops.Connection,
    resource: str,
    kind: Kind,
    *,
    by: str,
    why: str,
    at: datetime,
    period: tuple[date, date] | None = None,
    held_run: str = "",
    version: str = "",
) -> int:
    _known(connection, resource)
    same: list[Any] = [_Q.c.resource == resource, _Q.c.kind == kind, _Q.c.state == "asked"]
    same += [_Q.c.period_from == (period[0] if period else None), _Q.c.period_to == (period[1] if period else None)]
    same += [_Q.c.held_run == held_run, _Q.c.version == version]
    standing_one = connection.execute(ops.select(_Q.c.id).where(*same)).scalar()
    if standing_one is not None:
        return int(standing_one)
    values = {
        "at": at,
        "resource": resource,
        "kind": kind,
        "account_id": by,
        "why": _why(why),
        "period_from": period[0] if period else None,
        "period_to": period[1] if period else None,
        "held_run": held_run,
        "version": version,
        "state": "asked",
    }
    return int(connection.execute(ops.insert(_Q).values(values).returning(_Q.c.id)).scalar_one())


def _change(
    connection: ops.Connection, resource: str, *, by: str, why: str, at: datetime, cadence: str, paused: bool
) -> None:
    values = {
        "at": at,
        "resource": resource,
        "account_id": by,
        "why": _why(why),
        "cadence": cadence,
        "paused": paused,
    }
    connection.execute(ops.insert(tables.schedule_change), values)


def _decide(connection: ops.Connection, run: str, decision: str, *, by: str, why: str, at: datetime) -> Hold:
    h = tables.hold
    row = connection.execute(ops.select(h).where(h.c.run == run)).one_or_none()
    if row is None:
        raise NotFound(f"没有待批的运行 {run[:64]}", f"No run {run[:64]} was held")
    if row.decision:
        raise BadRequest(f"运行 {run} 已不在待批", f"Run {run} no longer waits for a decision", decision=row.decision)
    values = {"decision": decision, "account_id": by, "why": _why(why), "decided_at": at}
    connection.execute(ops.update(h).where(h.c.run == run), values)
    return reading.hold_of(row)


def _askers(connection: ops.Connection, run: str) -> set[str]:
    """Give who asked that this run be made, nobody where it was due by itself."""
    r, tick = tables.run, tables.tick
    named = connection.execute(ops.select(r.c.tick_id).where(r.c.run == run)).scalars()
    ticks = {name.rpartition("#")[0] or name for name in named}  # the ledger names the attempt too
    joined = tick.join(_Q, _Q.c.id == tick.c.request_id)
    asked = ops.select(_Q.c.account_id).select_from(joined).where(tick.c.id.in_(ticks), _Q.c.kind.in_(FETCHING))
    return set(connection.execute(asked).scalars())


def _forget_planned(connection: ops.Connection, resource: str) -> None:
    """Let go of what was planned by the cadence before and has not begun."""
    tick = tables.tick
    where = (tick.c.resource == resource, tick.c.state == "waiting", tick.c.why.in_(("cadence", "catchup")))
    connection.execute(ops.update(tick).where(*where), {"state": "skipped"})


def _known(connection: ops.Connection, resource: str) -> Any:
    row = connection.execute(ops.select(_S).where(_S.c.resource == resource)).one_or_none()
    if row is None:
        raise NotFound(f"没有资源 {resource[:80]}", f"There is no resource {resource[:80]}")
    return row


def _why(text: str) -> str:
    why = " ".join(text.split())
    if not SHORTEST_WHY <= len(why) <= LONGEST_WHY:
        raise BadRequest("请写明理由", "Say why")
    return why
