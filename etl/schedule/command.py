"""What `python -m etl schedule` does and prints."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from etl import catalog, ledger
from etl.progress import table
from etl.schedule import crew
from etl.words import say
from twin import freshness
from twin.runs import reading, standing, taking

if TYPE_CHECKING:
    import argparse

    from etl.words import Language
    from twin.runs.values import Standing
    from twin.settings import Settings

GOOD = 0


def schedule(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Start workers, be one, or show what is due and what is owed."""
    if options.what == "status":
        return status(settings, language)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for library in ("httpx", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
    if options.what == "worker" or options.once:
        crew.serve(settings, until_idle=options.once, workers=options.workers)
    else:
        crew.lead(settings, options.workers, beside=options.beside)
    return GOOD


def status(settings: Settings, language: Language) -> int:
    """Print where every resource stands, what runs, and which department owes what."""
    known = catalog.read(settings.village)
    store, rules, now = crew.open_store(settings), crew.rules(settings, known), datetime.now(UTC)
    with store.begin() as connection:
        standing.declare(connection, known.whole, rules, now)
        taking.take_up(connection, ledger.path(settings.data), rules, clock=known.village.clock)
        standing.settle(connection, known.village.clock or now)
    with store.read() as connection:
        owing = reading.owing(connection, known.village.clock or now)
        page = reading.page(connection, reading.Wanted(count=reading.MOST), known.village.clock or now)
        running = reading.running(connection)
    store.close()
    zone = ZoneInfo(known.village.time_zone)
    head = [say(f"head.{k}", language) for k in ("status", "resource", "cadence", "next", "reason")]
    print(table(head, [_row(row, zone, language) for row in page.rows]))
    counts = Counter(page.counts["state"])
    print("\n" + "  ".join(f"{say(s, language)} {counts[s]}" for s in freshness.SHAPES if counts[s]))
    for tick in running:
        print(say("schedule.running", language, tick=tick.id, state=tick.state, attempt=tick.attempt))
    print(_owed(owing, language))
    return GOOD


def _row(row: Standing, zone: ZoneInfo, language: Language) -> list[str]:
    next_at = f"{row.next_run_at.astimezone(zone):%m-%d %H:%M}" if row.next_run_at else ""
    cadence = say("schedule.paused", language) if row.paused else row.cadence
    return [say(row.state, language), row.title.in_(_full(language)), cadence, next_at, row.reason.in_(_full(language))]


def _owed(owing: list[Standing], language: Language) -> str:
    """Name the departments that owe something, and what."""
    lines: list[str] = []
    for title, rows in groupby(owing, key=_department(language)):
        named = [f"{freshness.SHAPES[r.state]} {r.title.in_(_full(language))}" for r in rows]
        lines.append(say("schedule.owes", language, department=title, what=", ".join(named)))
    return "\n".join(lines)


def _department(language: Language) -> Any:
    return lambda row: row.department_title.in_(_full(language))


def _full(language: Language) -> str:
    return "en" if language == "en" else "zh-CN"
