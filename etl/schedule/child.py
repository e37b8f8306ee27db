"""One run in a process of its own, which ends with its worker, tells its stages, and works only when there is room.

Waiting for a source costs nobody anything; reading and judging does, so that needs one of the machine's few places. The
kernel frees a killed run's place and its lock.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl import rollback as returning
from etl import run as one
from etl.tasks import Errand
from twin import durable
from twin.errors import PublishConflict, TwinError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from etl.catalog import Catalog
    from twin.model import Resource
    from twin.settings import Settings

LOG = logging.getLogger("onemap.schedule.run")
PLACES = 2
"""Runs of this machine that read and judge at a time: one a core."""
LOOK_SECONDS = 0.05
SEEN_SECONDS = 0.5
"""How often a run tells how many rows it has read."""
BUSY = "busy"
WAITING, WORKING = "waiting", "working"


@dataclass(frozen=True, kw_only=True)
class Back:
    """A rollback that somebody asked for: to which version, who (an account's id) and why."""

    version: str
    by: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a child is to run: `tick` and `log` as the ledger names them, `doubtful` where the last run went wrong.

    With `back` nothing is received: the table goes back to that version.
    """

    resource: Resource
    catalog: Catalog
    settings: Settings
    tick: str
    log: str
    accept: bool
    force: bool
    approved: str
    back: Back | None = None
    doubtful: bool = False
    places: int = PLACES


def folder(data: Path) -> Path:
    """Give where locks, places and logs of runs lie."""
    return data / "run" / "schedule"


def main(order: Order, talk: Connection, lifeline: Connection) -> None:
    """Run one resource and tell about it: ("stage", name) …, then ("ended", status), or ("busy",)."""
    os.setsid()
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    home = folder(order.settings.data)
    _log_to(order.settings.data / order.log)
    try:
        with durable.lock(home / "locks" / f"{order.resource.id}.lock", seconds=0):
            if order.back:
                _go_back(order, order.back, talk)
            else:
                _run(order, talk, home)
    except PublishConflict:
        talk.send((BUSY,))


def _go_back(order: Order, back: Back, talk: Connection) -> None:
    errand = Errand(tick=order.tick, log=order.log)
    try:
        now = returning.rollback(
            order.settings, order.resource.id, to=back.version, by=back.by, reason=back.why, errand=errand
        )
    except TwinError as error:
        talk.send(("ended", "refused", "", error.zh, error.en))
        return
    LOG.info("rolled back to %s", now.version)
    talk.send(("ended", "rolled_back", "", "", ""))


def _run(order: Order, talk: Connection, home: Path) -> None:
    with contextlib.ExitStack() as place:

        def reached(stage: str) -> None:
            LOG.info("%s", stage)
            talk.send(("stage", stage))
            if stage == "fetched":
                talk.send(("stage", WAITING))
                _take_place(place, home, order)
                talk.send(("stage", WORKING))

        errand = Errand(tick=order.tick, log=order.log, approved=order.approved, reached=reached)
        seen = _Seen(talk)
        report = one.run(
            order.resource,
            order.catalog,
            order.settings,
            accept=order.accept,
            force=order.force,
            progress=seen,
            errand=errand,
        )
    LOG.info("%s %s", report.status, report.reason_en)
    talk.send(("ended", report.status, report.run, report.reason_zh, report.reason_en))


class _Seen:
    """Tells how many rows were read so far, a few times a second at most."""

    def __init__(self, talk: Connection) -> None:
        self._talk = talk
        self._told = -SEEN_SECONDS

    def __call__(self, _resource: str, rows: int) -> None:
        now = time.monotonic()
        if now - self._told >= SEEN_SECONDS:
            self._told = now
            self._talk.send(("rows", rows))


def _take_place(stack: contextlib.ExitStack, home: Path, order: Order) -> None:
    """Wait for a place; a resource whose last run went wrong waits for the first place only, the others stay free."""
    mine = range(1 if order.doubtful else order.places)
    while True:
        for number in mine:
            try:
                stack.enter_context(durable.lock(home / "places" / str(number), seconds=0))
            except PublishConflict:
                continue
            return
        time.sleep(LOOK_SECONDS)


def _end_with(lifeline: Connection) -> None:
    """Kill this run and all it started when its worker is gone."""
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _log_to(path: Path) -> None:
    """Write what this run logs, and what its libraries print, into its own file."""
    durable.make_directory(path.parent)
    with path.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True, stream=sys.stderr
    )
