"""One worker: plans, leases, runs, closes; all it knows is in the tick ledger, so it may be killed at any moment.

Every round it takes up the run ledger, plans what is due, claims what it has room for, listens to its children, and
says that it lives. What it was doing when it was killed is claimed by another as soon as its lease runs out.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from etl import catalog, ledger
from etl.schedule import arrivals, child, closing, planning, retries, slots
from etl.schedule.planning import Scene
from etl.schedule.slots import Slot
from twin import declared, freshness, ops
from twin.errors import DeclarationError, OpsDown
from twin.ops import run_tables as tables
from twin.runs import alive, standing, taking, ticks
from twin.runs.standing import Rules
from twin.runs.ticks import Limits

if TYPE_CHECKING:
    from etl.catalog import Catalog
    from twin.runs.values import Tick
    from twin.settings import Settings

LOG = logging.getLogger("onemap.schedule")
LOOK_SECONDS = 0.5
FILES_SECONDS = 10.0
ROOM = 32
"""Children of one worker at a time; most of them only wait for their source."""
BUSY_WAIT = timedelta(seconds=2)
"""When a tick is tried again whose resource somebody else was just receiving."""
PARTING_SECONDS = 20.0
"""How long children may go on when the worker is asked to stop."""


@dataclass(kw_only=True)
class Worker:
    """What one worker holds: its name, the store, the catalogue, and its children."""

    store: ops.Ops
    catalog: Catalog
    settings: Settings
    rules: Rules
    name: str
    limits: Limits
    room: int = ROOM
    places: int = child.PLACES
    lease: timedelta = ticks.LEASE
    way: Any = field(default_factory=slots.context)
    main: slots.Main = child.main
    slots: list[Slot] = field(default_factory=list)
    beaten: float = 0.0
    files_seen: float = -FILES_SECONDS
    seen: float = -alive.SECONDS
    stopping: bool = False
    seen_as: declared.Stamp = ()


def named() -> str:
    """Give a name that no other worker has: machine, process, chance."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"


def work(worker: Worker, *, until_idle: bool = False) -> None:
    """Go round until asked to stop; with `until_idle` until nothing is due and nothing runs."""
    parent = os.getppid()

    def stop(_signal: int, _frame: object) -> None:
        worker.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not worker.stopping and os.getppid() == parent:
        try:
            idle = turn(worker)
        except OpsDown as error:
            LOG.warning("%s", error.en)
            time.sleep(LOOK_SECONDS)
            idle = False
        if until_idle and idle:
            return
    part(worker)


def turn(worker: Worker) -> bool:
    """Go round once; gives whether nothing is due and nothing runs."""
    now = datetime.now(UTC)
    plan(worker, now)
    claimed = _claim(worker, now)
    for tick in claimed:
        begin(worker, tick)
    idle = not claimed and not worker.slots
    _listen(worker)
    _beat(worker)
    _tell(worker)
    return idle


def _claim(worker: Worker, now: datetime) -> list[Tick]:
    room = worker.room - len(worker.slots)
    with worker.store.read() as connection:
        if room < 1 or not ticks.ready(connection, now, lease=worker.lease):
            return []
    with worker.store.begin() as connection:
        return ticks.claim(connection, worker.name, now, limits=worker.limits, lease=worker.lease, most=room)


def follow(worker: Worker) -> None:
    """Take up declarations that changed since they were last read; one that does not hold leaves those before."""
    now = declared.stamp(worker.settings.village)
    if now == worker.seen_as:
        return
    first, worker.seen_as = not worker.seen_as, now
    if first:
        return
    try:
        worker.catalog = catalog.read(worker.settings.village)
    except DeclarationError as error:
        LOG.warning("the changed catalogue does not hold, the one before stays: %s", error.en)


def plan(worker: Worker, now: datetime) -> None:
    """Take up what ran, turn what is late, and plan what is due; what is not due keeps nobody from writing."""
    at_files = time.monotonic() - worker.files_seen >= FILES_SECONDS
    follow(worker)
    worker.files_seen = time.monotonic() if at_files else worker.files_seen
    scene = Scene(
        resources=worker.catalog.tables,
        raw=worker.settings.raw,
        rules=worker.rules,
        now=worker.catalog.village.clock or now,
        machine_now=now,
    )
    with worker.store.read() as connection:
        behind = taking.behind(connection, ledger.path(worker.settings.data))
    if behind:  # before anything is looked for: what ran elsewhere need not run again
        with worker.store.begin() as connection:
            _take_up(worker, connection)
    with worker.store.read() as connection:
        found, wanted = planning.look(connection, scene, at_files=at_files)
        if not (found or wanted or standing.unsettled(connection, scene.now)):
            return
    with worker.store.begin() as connection:
        standing.settle(connection, scene.now)
        planning.plan(connection, scene, found)


def begin(worker: Worker, tick: Tick) -> None:
    """Start a claimed tick, unless it has been run already or may not be tried again."""
    resource = worker.catalog.resource(tick.resource)
    with worker.store.begin() as connection:
        ended = closing.ended_before(connection, tick)
        back = planning.rolled_back(connection, tick.request_id)
        if resource is None or tick.attempt > retries.CLAIMS:
            ended = ended or closing.given_up()
        elif ended is None and back is None and not arrivals.anything(resource, worker.settings.raw):
            ended = closing.nothing()
        if ended is not None or resource is None:
            closing.close(connection, tick, ended or closing.given_up(), resource)
            return
        order = child.Order(
            resource=resource,
            catalog=worker.catalog,
            settings=worker.settings,
            tick=f"{tick.id}#{tick.attempt}",
            log=f"run/schedule/logs/{tick.resource}/{tick.id.partition('@')[2]}-{tick.attempt}.log",
            accept=tick.accept,
            force=tick.force,
            approved=planning.approved(connection, tick.request_id),
            back=back,
            doubtful=_doubtful(connection, tick),
            places=worker.places,
        )
    worker.slots.append(slots.start(tick, order, worker.way, worker.main))


def _doubtful(connection: ops.Connection, tick: Tick) -> bool:
    s = tables.standing
    status = connection.execute(ops.select(s.c.last_status).where(s.c.resource == tick.resource)).scalar()
    return bool(status) and status not in (*freshness.GOOD, "held")


def _listen(worker: Worker) -> None:
    ended = list(slots.listen(worker.slots, LOOK_SECONDS))
    if not worker.slots:
        time.sleep(LOOK_SECONDS)
    for slot in ended:
        worker.slots.remove(slot)
        slots.close(slot)
        finish(worker, slot)


def finish(worker: Worker, slot: Slot) -> None:
    """Close the tick of a child that ended, or plan its next try; what died unsaid is said in the run ledger."""
    told = slot.ended
    if not told:
        with worker.store.begin() as connection:
            _take_up(worker, connection)
            unsaid = closing.said(connection, slot.tick.resource, slot.order.tick) is None
        if unsaid:
            closing.say_for(worker.settings.data, slot.tick, slot.order, late=slot.late)
    with worker.store.begin() as connection:
        _take_up(worker, connection)
        if told and told[0] == child.BUSY:
            soon = datetime.now(UTC) + BUSY_WAIT
            ticks.again(connection, slot.tick, soon, reason=("", ""), tried=False)
            return
        outcome = closing.Outcome.of(told) or closing.said(connection, slot.tick.resource, slot.order.tick)
        resource = None if slot.order.back else worker.catalog.resource(slot.tick.resource)  # no second try of its own
        closing.close(connection, slot.tick, outcome or closing.given_up(), resource)


def _take_up(worker: Worker, connection: ops.Connection) -> None:
    where = ledger.path(worker.settings.data)
    taking.take_up(connection, where, worker.rules, clock=worker.catalog.village.clock)


def _beat(worker: Worker) -> None:
    """Say that we live, three times a lease; a child whose tick somebody else has is killed."""
    if not worker.slots or time.monotonic() - worker.beaten < worker.lease.total_seconds() / 3:
        return
    worker.beaten = time.monotonic()
    with worker.store.begin() as connection:
        lost = set(ticks.beat(connection, [s.tick for s in worker.slots], datetime.now(UTC), lease=worker.lease))
    for slot in [s for s in worker.slots if s.tick.id in lost]:
        worker.slots.remove(slot)
        slots.kill(slot)
        slots.close(slot)


def _tell(worker: Worker) -> None:
    """Write down how far each child is, where it has come further, and now and then that this worker lives."""
    further = [s for s in worker.slots if s.told != (s.stage, s.rows)]
    alive_now = time.monotonic() - worker.seen >= alive.SECONDS
    if not (further or alive_now):
        return
    with worker.store.begin() as connection:
        for slot in further:
            slot.told = (slot.stage, slot.rows)
            ticks.further(connection, slot.tick, slot.stage, slot.rows)
        if alive_now:
            worker.seen = time.monotonic()
            alive.say(connection, worker.name, datetime.now(UTC))


def part(worker: Worker) -> None:
    """Let children end, kill those that do not, and give their ticks back untried."""
    until = time.monotonic() + PARTING_SECONDS
    while worker.slots and time.monotonic() < until:
        _listen(worker)
    for slot in worker.slots:
        slots.kill(slot)
        slots.close(slot)
    with worker.store.begin() as connection:
        alive.gone(connection, worker.name)
        for slot in worker.slots:
            ticks.again(connection, slot.tick, datetime.now(UTC), reason=("", ""), tried=False)
    worker.slots.clear()
