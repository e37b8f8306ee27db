"""A day of 58 sources in simulated time: the real tick ledger and the real waits, with sources that take as long as said."""

from __future__ import annotations

import heapq
import random
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from etl.schedule import child, retries, slots, worker
from tests.running_runs import NOON, resource
from twin import ops
from twin.runs import ticks
from twin.runs.ticks import Due

SOURCES = 58
KINDS = ("hung", "slow", "garbage", "hung")
"""What the bad ones do, by turns."""
FETCH = {"good": (0.5, 4.0), "slow": (120.0, 280.0), "garbage": (0.5, 4.0)}
WORK = {"good": (2.0, 20.0), "slow": (2.0, 20.0), "garbage": (0.2, 2.0)}
"""Seconds, from and to."""


@dataclass(order=True)
class Event:
    at: float
    number: int
    what: str = field(compare=False)
    tick: ticks.Tick | None = field(compare=False, default=None)


@dataclass(kw_only=True)
class Day:
    """The simulated crew: two workers' room and the machine's places."""

    store: ops.Ops
    kinds: dict[str, str]
    hours: int
    events: list[Event] = field(default_factory=list)
    queue: list[ticks.Tick] = field(default_factory=list)
    places: set[int] = field(default_factory=lambda: set(range(child.PLACES)))
    held: dict[str, int] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    late: dict[str, list[float]] = field(default_factory=dict)
    now: float = 0.0
    running: int = 0


def simulate(store: ops.Ops, *, bad: int, present: bool, hours: int = 24) -> list[float]:
    """Give the lateness in seconds of every delivery of the good sources; `present` says whether the bad ones are there."""
    names = [f"s{n}" for n in range(SOURCES)]
    kinds = {n: KINDS[i % len(KINDS)] if i < bad else "good" for i, n in enumerate(names)}
    day = Day(store=store, kinds={n: k for n, k in kinds.items() if present or k == "good"}, hours=hours)
    for name in day.kinds:
        minute = zlib.crc32(name.encode()) % 60
        for hour in range(hours):
            _at(day, (hour * 60 + minute) * 60.0, f"due:{name}")
    while day.events:
        event = heapq.heappop(day.events)
        day.now = event.at
        _happen(day, event)
        _claim(day)
    return [seconds for name, found in day.late.items() if day.kinds[name] == "good" for seconds in found]


def moment(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _at(day: Day, seconds: float, what: str, tick: ticks.Tick | None = None) -> None:
    heapq.heappush(day.events, Event(seconds, len(day.events) + int(day.now * 1000), what, tick))


def _happen(day: Day, event: Event) -> None:
    what, _, name = event.what.partition(":")
    if what == "due":
        due = Due(resource=name, department=f"d_{name}", due_at=moment(event.at), why="cadence")
        with day.store.begin() as connection:
            ticks.plan(connection, [due], moment(day.now))
    if event.tick is None:
        return
    if what == "fetched":
        day.queue.append(event.tick)
    elif what == "worked":
        day.places.add(day.held.pop(event.tick.id))
        _end(day, event.tick, "refused" if day.kinds[event.tick.resource] == "garbage" else "published")
    elif what == "deadline":
        _end(day, event.tick, "failed")
    _seat(day)


def _end(day: Day, tick: ticks.Tick, status: str) -> None:
    day.running -= 1
    if status == "published":
        day.late.setdefault(tick.resource, []).append(day.now - (tick.due_at - NOON).total_seconds())
        day.doubtful.discard(tick.resource)
    else:
        day.doubtful.add(tick.resource)
    with day.store.begin() as connection:
        if retries.again(status, resource(tick.resource), tick.attempt):
            wait = retries.wait(tick.attempt, tick.id)
            ticks.again(connection, tick, moment(day.now) + wait, reason=("", ""))
            _at(day, day.now + wait.total_seconds(), "look")
        else:
            ticks.close(connection, tick, done=status == "published", run="", at=moment(day.now))
            ticks.skip_older(connection, tick)


def _seat(day: Day) -> None:
    """Give free places to who waits; the doubtful take the first place only."""
    for tick in list(day.queue):
        mine = {0} if tick.resource in day.doubtful else set(range(child.PLACES))
        free = sorted(day.places & mine, reverse=True)
        if free:
            day.queue.remove(tick)
            day.places.remove(free[0])
            day.held[tick.id] = free[0]
            _at(day, day.now + _lasts(tick, WORK[day.kinds[tick.resource]]), "worked", tick)


def _claim(day: Day) -> None:
    room = 2 * worker.ROOM - day.running
    lease = timedelta(days=1)
    with day.store.begin() as connection:
        found = ticks.claim(connection, "w", moment(day.now), most=room, lease=lease)
    for tick in found:
        day.running += 1
        kind = day.kinds[tick.resource]
        if kind == "hung":
            _at(day, day.now + slots.FETCH_SECONDS, "deadline", tick)
        else:
            _at(day, day.now + _lasts(tick, FETCH[kind]), "fetched", tick)


def _lasts(tick: ticks.Tick, span: tuple[float, float]) -> float:
    """Give how long something takes: the same for the same tick, whoever is beside it."""
    return random.Random(f"{tick.id}{span}").uniform(*span)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
