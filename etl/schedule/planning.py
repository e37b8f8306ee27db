"""What is due now: by the clock, by files that arrived, by inputs that were published, by what people asked.

It only reads and reckons; the tick ledger makes twice planned once planned.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from etl.schedule import arrivals
from etl.schedule.child import Back
from twin import ops
from twin.ops import run_tables as tables
from twin.runs import asking, cadence, standing, ticks
from twin.runs.ticks import Due

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from twin.model import Resource
    from twin.runs.standing import Rules
    from twin.runs.values import Request

WINDOWS = (timedelta(days=1), timedelta(days=40), timedelta(days=800))
LATE_PLANNING = timedelta(minutes=10)
"""What is planned later than this after it was due is being caught up with."""
MOST_CAUGHT_UP = 1_000
EVERY = "all"
"""The value of a resource's option `catch_up` by which everything missed is run, not the last of it only."""
_S, _H, _R, _Q = tables.standing, tables.hold, tables.run, tables.run_request


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What planning looks at: the resources by name, where their files lie, the rules of time, and now.

    `now` is the village's (a demo's stands still), `machine_now` the clock that files and leases go by.
    """

    resources: Mapping[str, Resource]
    raw: Path
    rules: Rules
    now: datetime
    machine_now: datetime


def look(connection: ops.Connection, scene: Scene, *, at_files: bool = True) -> tuple[list[Due], bool]:
    """Give what files and inputs make due and is not planned yet, and whether the clock or people want anything.

    It only reads: whoever looks in vain keeps nobody from writing.
    """
    found = [*by_inputs(connection, scene), *(by_arrival(connection, scene) if at_files else ())]
    known = ticks.known(connection, [d.id for d in found])
    by_time = ops.select(_S.c.resource).where(*_timely(scene)).limit(1)
    asked = ops.select(_Q.c.id).where(_Q.c.state == "asked").limit(1)
    wanted = connection.execute(by_time).first() or connection.execute(asked).first()
    return [d for d in found if d.id not in known], wanted is not None


def plan(connection: ops.Connection, scene: Scene, found: Iterable[Due] | None = None) -> int:
    """Plan everything that is due, with what `look` found (or all of it); gives how many ticks are new."""
    dues = [_asked(connection, scene, request) for request in asking.taken(connection)]
    dues += by_clock(connection, scene)
    dues += look(connection, scene)[0] if found is None else found
    return ticks.plan(connection, [d for d in dues if d], scene.machine_now)


def _timely(scene: Scene) -> tuple[Any, ...]:
    by_clock = ops.or_(_S.c.cadence.contains("cron"), _S.c.cadence.contains("workday"))
    return (by_clock, _S.c.paused.is_(False), ops.or_(_S.c.next_run_at.is_(None), _S.c.next_run_at <= scene.now))


def by_clock(connection: ops.Connection, scene: Scene) -> Iterator[Due]:
    """Give what the clock makes due, and note when each resource is next looked for."""
    rows = connection.execute(ops.select(_S.c.resource, _S.c.cadence, _S.c.last_at).where(*_timely(scene))).all()
    planned = ticks.last_due(connection) if rows else {}
    for row in rows:
        resource, rule = scene.resources.get(row.resource), cadence.parse(row.cadence, scene.rules.zone)
        if resource is None or not rule.timed:
            continue
        since = planned.get(row.resource) or row.last_at
        for due_at in missed(rule, since, scene, every=resource.options.get("catch_up") == EVERY):
            late = scene.now - due_at > LATE_PLANNING
            yield Due(
                resource=resource.id,
                department=resource.department,
                due_at=due_at,
                why="catchup" if late else "cadence",
            )
        standing.next_run(connection, resource.id, cadence.next_fire(rule, scene.now, scene.rules.calendar))


def missed(rule: cadence.Cadence, since: datetime | None, scene: Scene, *, every: bool = False) -> list[datetime]:
    """Give the moments after `since` up to now that are to be run: the last one only, or with `every` all of them.

    `since` None is a resource that was never looked for: it is due for the last moment there was.
    """
    for window in WINDOWS:
        begin = max(since, scene.now - window) if since else scene.now - window
        found = list(cadence.fires(rule, begin, scene.now, scene.rules.calendar))
        if found and not every:
            return found[-1:]
        if since and since >= scene.now - window:
            return found[-MOST_CAUGHT_UP:]
    return []


def by_arrival(connection: ops.Connection, scene: Scene) -> Iterator[Due]:
    """Give the resources whose files changed since they were last received."""
    rows = connection.execute(ops.select(_S.c.resource, _S.c.cadence).where(_S.c.paused.is_(False))).all()
    received = {row.resource: row.at for row in connection.execute(_last_runs())}
    for row in rows:
        resource = scene.resources.get(row.resource)
        if resource is None or not cadence.parse(row.cadence, scene.rules.zone).arrival:
            continue
        there = arrivals.lying(resource, scene.raw, scene.machine_now)
        if there is None or (row.resource in received and received[row.resource] > there.changed_at):
            continue
        yield Due(
            resource=resource.id,
            department=resource.department,
            due_at=there.changed_at,
            why="arrival",
            mark=there.mark,
        )


def _last_runs() -> Any:
    return ops.select(_R.c.resource, ops.func.max(_R.c.started_at).label("at")).group_by(_R.c.resource)


def by_inputs(connection: ops.Connection, scene: Scene) -> Iterator[Due]:
    """Give the resources one of whose inputs was published since they were last received."""
    versions: dict[str, tuple[str, datetime | None]] = {}
    rows = connection.execute(ops.select(_S.c.resource, _S.c.cadence, _S.c.paused, _S.c.version, _S.c.good_at)).all()
    for row in rows:
        versions[row.resource] = (row.version, row.good_at)
    for row in rows:
        resource = scene.resources.get(row.resource)
        inputs = cadence.parse(row.cadence, scene.rules.zone).inputs if not row.paused else ()
        known = [versions[name] for name in inputs if versions.get(name, ("", None))[0]]
        if resource is None or not known:
            continue
        newest = max(at for _, at in known if at)
        if row.good_at and row.good_at > newest:
            continue
        mark = hashlib.sha256(repr(known).encode()).hexdigest()[:16]
        yield Due(resource=resource.id, department=resource.department, due_at=newest, why="inputs", mark=mark)


def _asked(connection: ops.Connection, scene: Scene, request: Request) -> Due | None:
    resource = scene.resources.get(request.resource)
    if resource is None:
        told = ("目录中已没有这个资源", "The catalogue no longer has this resource")
        asking.answer(connection, [request.id], done=False, at=scene.machine_now, reason=told)
        return None
    return Due(
        resource=resource.id,
        department=resource.department,
        due_at=request.at,
        why="backfill" if request.kind == "backfill" else "request",
        force=request.kind in ("force", "backfill"),
        period=request.period,
        request_id=request.id,
    )


def rolled_back(connection: ops.Connection, request_id: int | None) -> Back | None:
    """Give the rollback that a request asks for, None where it asks for none."""
    if request_id is None:
        return None
    query = ops.select(_Q.c.version, _Q.c.account_id, _Q.c.why).where(_Q.c.id == request_id, _Q.c.kind == "rollback")
    row = connection.execute(query).one_or_none()
    return Back(version=row.version, by=row.account_id, why=row.why) if row else None


def approved(connection: ops.Connection, request_id: int | None) -> str:
    """Give the delivery that a request approves, "" where it approves none."""
    if request_id is None:
        return ""
    q = tables.run_request
    query = ops.select(_H.c.delivery).join_from(q, _H, q.c.held_run == _H.c.run)
    found = connection.execute(query.where(q.c.id == request_id, q.c.kind == "approve")).scalar_one_or_none()
    return found or ""
