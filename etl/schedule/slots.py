"""The children of one worker: started, listened to, and killed at their deadline."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection as pipes
from typing import TYPE_CHECKING, Any

from etl.schedule import child

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from multiprocessing.connection import Connection

    from twin.runs.values import Tick

Main = Callable[["child.Order", "Connection", "Connection"], None]
FETCH_SECONDS = 300.0
"""How long a source may take until everything it sends is here."""
WORK_SECONDS = 3600.0
"""How long reading, judging and publishing may take."""
DEADLINES = ("fetch_seconds", "work_seconds")
"""The options by which a resource sets its own."""


@dataclass(kw_only=True)
class Slot:
    """One child at work; `until` (monotonic) is its deadline in this stage, None while it waits for a place.

    `told` is what was last written down of its stage and rows.
    """

    tick: Tick
    order: child.Order
    until: float | None
    work_seconds: float
    talk: Connection
    lifeline: Connection
    person: Any
    stage: str = ""
    rows: int | None = None
    told: tuple[str, int | None] = ("", None)
    ended: tuple[str, ...] = ()
    late: bool = False
    lost: bool = field(default=False)


def context() -> Any:
    """Give the way children are begun: forked from a server that has loaded everything once and runs no thread."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["etl.schedule.child"])
    return found


def start(tick: Tick, order: child.Order, way: Any, main: Main = child.main) -> Slot:
    """Begin a child for a tick, which runs `main`."""
    fetch, work = _seconds(order.resource.options)
    talk, its_talk = way.Pipe(duplex=False)
    its_lifeline, lifeline = way.Pipe(duplex=False)
    person = way.Process(target=main, args=(order, its_talk, its_lifeline), name=tick.id)
    person.start()
    its_talk.close()
    its_lifeline.close()
    until = time.monotonic() + fetch
    return Slot(tick=tick, order=order, until=until, work_seconds=work, talk=talk, lifeline=lifeline, person=person)


def _seconds(options: Mapping[str, str]) -> tuple[float, float]:
    plain = (FETCH_SECONDS, WORK_SECONDS)
    fetch, work = (float(options.get(name, value)) for name, value in zip(DEADLINES, plain, strict=True))
    return fetch, work


def listen(slots: list[Slot], seconds: float) -> Iterator[Slot]:
    """Wait for news up to `seconds`, and give each slot that has ended: told so, died, or was killed as late."""
    heard = set(pipes.wait([s.talk for s in slots], timeout=seconds)) if slots else set()
    for slot in slots:
        if slot.talk in heard and _hear(slot):
            yield slot
        elif slot.until is not None and time.monotonic() > slot.until:
            slot.late = True
            kill(slot)
            yield slot


def _hear(slot: Slot) -> bool:
    """Take one message; gives whether the child has ended."""
    try:
        kind, *rest = slot.talk.recv()
    except (EOFError, OSError):
        return True
    if kind == "rows":
        slot.rows = rest[0]
        return False
    if kind != "stage":
        slot.ended = (kind, *rest)
        return True
    slot.stage = rest[0]
    if slot.stage == child.WAITING:
        slot.until = None
    if slot.stage == child.WORKING:
        slot.until = time.monotonic() + slot.work_seconds
    return False


def kill(slot: Slot) -> None:
    """Kill a child and everything it started."""
    if slot.person.pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(slot.person.pid, signal.SIGKILL)
    slot.person.kill()


def close(slot: Slot) -> None:
    """Let go of an ended child."""
    slot.person.join(5)
    if slot.person.exitcode is None:
        kill(slot)
        slot.person.join()
    slot.talk.close()
    slot.lifeline.close()
    slot.person.close()
