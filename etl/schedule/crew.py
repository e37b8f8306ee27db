"""The crew: so many workers, each a process, begun again when one dies; and whoever sends the notices."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from etl import catalog
from etl.looking import answering
from etl.schedule import channels, child, telling, worker
from twin import durable, ops
from twin.errors import OpsDown
from twin.runs import calendar, standing, ticks
from twin.runs.standing import Rules
from twin.runs.ticks import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from etl.catalog import Catalog
    from twin.settings import Settings

LOG = logging.getLogger("onemap.schedule")
LOOK_SECONDS = 0.5
NOTICE_SECONDS = 2.0
LATER_SECONDS = 15.0
"""How long the page is left alone as it starts."""
POLITE = 10
"""How much the crew gives way to the page (nice)."""
LONGEST_REST = 30.0
"""Seconds before a worker that keeps dying is begun again."""
TIDY_SECONDS = 3600.0
KEPT_TICKS, KEPT_LOGS = timedelta(days=90), timedelta(days=30)
WORKERS = 2
ENTRY = (sys.executable, "-m", "etl", "schedule", "worker")


@dataclass(kw_only=True)
class Crew:
    """The workers that are wanted, those that live, and how often each place died."""

    workers: int
    living: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    deaths: dict[int, int] = field(default_factory=dict)
    rest: dict[int, float] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)


def open_store(settings: Settings) -> ops.Ops:
    """Open the operational store with the newest schema."""
    url = settings.ops_url or f"sqlite:///{settings.data / 'run' / ops.FILE}"
    ops.upgrade(url)
    return ops.Ops(url)


def rules(settings: Settings, known: Catalog) -> Rules:
    """Give the rules of time of the village."""
    return Rules(zone=known.village.time_zone, calendar=calendar.read(settings.village))


def declare(store: ops.Ops, settings: Settings, known: Catalog) -> None:
    """Lay out the folders of runs, and keep a row for each catalogued resource."""
    for name in ("locks", "places", "logs"):
        durable.make_directory(child.folder(settings.data) / name)
    with store.begin() as connection:
        standing.declare(connection, known.whole, rules(settings, known), ops.now())


def lead(settings: Settings, workers: int, *, beside: bool = False) -> None:
    """Keep `workers` workers going, and notices sent, until asked to stop.

    `beside` the page: begin a little later, give way to it, and end when whoever started both is gone.
    """
    crew = Crew(workers=workers)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: crew.stopping.set())
    parent = os.getppid() if beside else None
    if beside:
        os.nice(POLITE)
        crew.stopping.wait(LATER_SECONDS)
    known = catalog.read(settings.village)
    store = open_store(settings)
    declare(store, settings, known)
    post = telling.Post(channels=channels.read(settings.village), resources=known.tables)
    teller = threading.Thread(target=_tell, args=(crew, store, post, settings.data), daemon=True)
    teller.start()
    while not crew.stopping.wait(LOOK_SECONDS) and parent in (None, os.getppid()):
        look_after(crew)
    crew.stopping.set()
    for person in crew.living.values():
        person.terminate()
    for person in crew.living.values():
        _wait_for(person)
    teller.join(telling.SECONDS)
    store.close()


def look_after(crew: Crew) -> None:
    """Begin the workers that are not there; one that keeps dying rests longer each time."""
    for place in range(crew.workers):
        person = crew.living.get(place)
        if person is not None and person.poll() is None:
            continue
        if person is not None:
            crew.deaths[place] = crew.deaths.get(place, 0) + 1
            LOG.warning("worker %s ended with %s; another takes its place", person.pid, person.returncode)
            crew.rest[place] = time.monotonic() + min(LONGEST_REST, 0.25 * 2 ** min(crew.deaths[place], 10))
            del crew.living[place]
        if time.monotonic() >= crew.rest.get(place, 0.0):
            crew.living[place] = subprocess.Popen(ENTRY)


def _wait_for(person: subprocess.Popen[bytes]) -> None:
    try:
        person.wait(worker.PARTING_SECONDS + 5)
    except subprocess.TimeoutExpired:
        person.kill()
        person.wait()


def tidy(store: ops.Ops, data: Path, now: datetime) -> None:
    """Remove ticks and logs whose time is over; runs stay, they are the history."""
    with store.begin() as connection:
        ticks.forget(connection, now - KEPT_TICKS)
    for log in (child.folder(data) / "logs").glob("*/*.log"):
        if datetime.fromtimestamp(log.stat().st_mtime, UTC) < now - KEPT_LOGS:
            log.unlink(missing_ok=True)


def _tell(crew: Crew, store: ops.Ops, post: telling.Post, data: Path) -> None:
    tidied = -TIDY_SECONDS
    while not crew.stopping.wait(NOTICE_SECONDS):
        try:
            telling.tell(store, post, datetime.now(UTC))
            if time.monotonic() - tidied >= TIDY_SECONDS:
                tidied = time.monotonic()
                tidy(store, data, datetime.now(UTC))
        except OpsDown as error:
            LOG.warning("%s", error.en)


def serve(settings: Settings, *, until_idle: bool = False, workers: int = WORKERS) -> None:
    """Be one worker until asked to stop, or with `until_idle` until there is nothing to do."""
    known = catalog.read(settings.village)
    store = open_store(settings)
    declare(store, settings, known)
    stopping = threading.Event()
    me = worker.Worker(
        store=store,
        catalog=known,
        settings=settings,
        rules=rules(settings, known),
        name=worker.named(),
        limits=Limits(),
        places=workers,
    )
    beside = threading.Thread(target=answering.keep, args=(store, settings, me.name, stopping), daemon=True)
    if until_idle:
        while answering.answer(store, settings, me.name):
            pass
    else:
        beside.start()
    worker.work(me, until_idle=until_idle)
    stopping.set()
    if beside.is_alive():
        beside.join(worker.PARTING_SECONDS)
    store.close()
