"""Sources that hang, are slow or send garbage, for runs that are otherwise real: the child of a worker, changed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from etl import run as real
from etl.ledger import Report, record
from etl.schedule import child
from twin.errors import SourceError

FOREVER = 3600.0
RUN = real.run


def run(resource: Any, known: Any, settings: Any, *, errand: Any, **flags: Any) -> Report:
    """Do what the name of the resource says before it is fetched; else run it."""
    kind = resource.id.partition("_")[0]
    if kind == "hung":
        time.sleep(FOREVER)
    if kind == "slow":
        time.sleep(5)
    if kind == "garbage":
        return _refused(resource, settings, errand)
    return RUN(resource, known, settings, errand=errand, **flags)


def _refused(resource: Any, settings: Any, errand: Any) -> Report:
    errand.reached("fetched")
    now, error = datetime.now(UTC), SourceError("乱码", "garbage")
    facts = {"reason_zh": error.zh, "reason_en": error.en, "tick": errand.tick}
    report = Report(
        resource=resource.id, run=f"g{now:%H%M%S%f}", status="refused", started_at=now, finished_at=now, **facts
    )
    record(settings.data, report)
    return report


def main(order: child.Order, talk: Any, lifeline: Any) -> None:
    """Run as a child does, with those sources."""
    child.one.run = run
    child.main(order, talk, lifeline)
