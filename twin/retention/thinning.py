"""Which versions of a table are kept the older they are: all of late, then a day's, a month's; pure but its end.

What is kept is what was current at the end of each day, then of each month: a day asked for has the answer it had. The
current version, the newest few, what somebody still has to decide about, and what is being read are never taken out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from twin.runs import reading
from twin.store import timeline

if TYPE_CHECKING:
    from twin import ops
    from twin.retention.rules import Rules
    from twin.store import Store
    from twin.store.timeline import Held

ALL_DAYS, DAILY_DAYS, MONTHS, LEAST = "all_days", "daily_days", "months", "least"


def superfluous(held: Sequence[Held], rules: Rules, now: datetime, pinned: Collection[str] = ()) -> list[str]:
    """Name the kept versions (of all `held`, the last published first) that the rules let go; `pinned` stay."""
    kept = [h.version for h in held if h.gone is None]
    if not kept or not rules.versions:
        return []
    since = now - timedelta(days=rules.versions[ALL_DAYS])
    needed = {*pinned, *kept[: max(1, rules.versions[LEAST])], *(h.version for h in held if h.since >= since)}
    for end in (since, *_ends(rules, now)):
        found = timeline.current_at(held, end)
        needed |= {found.version} if found else set()
    return [v for v in kept if v not in needed]


def _ends(rules: Rules, now: datetime) -> Iterator[datetime]:
    """Give the ends of the days, then of the months, whose last version is kept."""
    zone = ZoneInfo(rules.zone)
    today = now.astimezone(zone).date()
    for n in range(rules.versions[DAILY_DAYS]):
        yield _end(today - timedelta(days=n), zone)
    first = today.replace(day=1)
    for _ in range(rules.versions[MONTHS]):
        last = first - timedelta(days=1)
        yield _end(last, zone)
        first = last.replace(day=1)


def _end(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.max, tzinfo=zone).astimezone(UTC)


def pinned(store: ops.Ops | None) -> dict[str, set[str]]:
    """Give the versions, by table, that a publish waiting for somebody's decision is compared with."""
    found: dict[str, set[str]] = {}
    if store is not None:
        with store.read() as connection:
            for hold in reading.holds(connection):
                found.setdefault(hold.resource, set()).add(hold.version)
    return found


def thin(store: Store, table: str, rules: Rules, now: datetime, pins: Collection[str] = ()) -> tuple[str, ...]:
    """Take out what the rules let go of one table, but for what is being read; gives what went."""
    return store.collect(table, superfluous(store.history(table), rules, now, pins))
