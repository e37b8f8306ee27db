"""What the run ledger says of each department's deliveries within a period: on time, late, failed, rows that passed."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from twin import freshness

if TYPE_CHECKING:
    from pathlib import Path

    from twin.model import OneMap, Resource
    from twin.reports.period import Period

Line = dict[str, Any]


def by_department(onemap: OneMap, ledger: Path, period: Period, now: datetime) -> list[Line]:
    """Give a line a department, worst first: resources by state at the end of the period, rows of its last runs.

    Derived tables are nobody's delivery and are left out, as is what is not to be shared. `passed_ratio` is published
    rows of those read.
    """
    zone = ZoneInfo(onemap.village.time_zone)
    end = min(datetime.combine(period.last, time.max, zone), now)
    last = freshness.read(ledger)
    found = []
    for department in onemap.departments:
        received = [r for r in department.resources if not r.inputs and r.share_type != "none"]
        if received:
            found.append(_line(department.title.zh, received, last, end))
    return sorted(found, key=lambda x: (-(x["failed"] + x["never"]), -x["late"], x["passed_ratio"] or 1.0))


def _line(title: str, resources: list[Resource], last: dict[str, freshness.LastRun], end: datetime) -> Line:
    states = [freshness.status(last.get(r.id), r.cadence_seconds, end).state for r in resources]
    ledgers = [run.ledger or {} for r in resources if (run := last.get(r.id))]
    sums = {k: sum(int(x.get(k, 0)) for x in ledgers) for k in ("read", "published", "quarantined")}
    return {
        "department": title,
        "resources": len(resources),
        "on_time": states.count("fresh"),
        "late": states.count("stale"),
        "failed": states.count("failed") + states.count("held"),
        "never": states.count("never"),
        **sums,
        "passed_ratio": round(sums["published"] / sums["read"], 4) if sums["read"] else None,
    }
