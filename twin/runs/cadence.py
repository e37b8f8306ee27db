"""When a resource is due: cron with a time zone, working days, on arrival, after its inputs; the only APScheduler.

A cadence is written in parts joined by ";":
`cron 30 6 * * 1-5` (crontab's five fields, weekday 0 and 7 = Sunday) · `workdays 06:30` (every working day) ·
`workday 3 09:00` (the 3rd working day of each month; -1 is the last) · `arrival` (its delivered files changed) ·
`after a b` (a table it is made of was published) · `once` (never again).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from twin.errors import BadRequest
from twin.freshness import GRACE_RATIO
from twin.runs.calendar import PLAIN, Calendar

if TYPE_CHECKING:
    from twin.model import Resource

Kind = Literal["cron", "workdays", "workday", "arrival", "after", "once"]
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
NIGHT = (1, 5)
"""Hours in which what is due by a derived cadence is spread."""
LONGEST_SEARCH = 800
"""Days looked ahead for a working day."""
HOUR, DAY = 3600, 86400


@dataclass(frozen=True, kw_only=True)
class Part:
    """One way of becoming due; `fields` are crontab's five, `n` the working day, `at` its time, `inputs` tables."""

    kind: Kind
    fields: tuple[str, ...] = ()
    n: int = 0
    at: time = time(0)
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """A cadence that was read: its text, its parts, and the time zone its times are in."""

    text: str
    parts: tuple[Part, ...]
    zone: str

    @property
    def arrival(self) -> bool:
        """Say whether it is due when its delivered files have changed."""
        return any(p.kind == "arrival" for p in self.parts)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Give the tables after which it is due."""
        return tuple(name for p in self.parts for name in p.inputs)

    @property
    def timed(self) -> bool:
        """Say whether it is ever due by the clock alone."""
        return any(p.kind in ("cron", "workdays", "workday") for p in self.parts)


@lru_cache(maxsize=4096)
def parse(text: str, zone: str) -> Cadence:
    """Read a cadence; `zone` is the village's time zone. Raises BadRequest saying which part is wrong, and how to."""
    parts = tuple(_part(p.strip(), zone) for p in text.split(";"))
    return Cadence(text="; ".join(p.strip() for p in text.split(";")), parts=parts, zone=zone)


def derived(resource: Resource) -> str:
    """Give the cadence of a resource that declares none: by its promised `cadence_seconds`, at night, and on arrival.

    The rarest is taken that keeps the promise with its grace. Hour and minute are spread by the resource's name, so
    that not everything is due at once. A table worked out from others is due after those.
    """
    seconds, spread = resource.cadence_seconds, zlib.crc32(resource.id.encode())
    hour, minute = NIGHT[0] + spread % (NIGHT[1] - NIGHT[0]), spread // 7 % 60
    at = f"{minute} {hour}"
    if resource.inputs:
        return f"after {' '.join(resource.inputs)}"
    if seconds <= 0:
        return "arrival"
    for gap, text in (
        (DAY * 366, f"cron {at} 15 1 *"),
        (DAY * 184, f"cron {at} 15 1,7 *"),
        (DAY * 92, f"cron {at} 10 1,4,7,10 *"),
        (DAY * 38, f"workday 3 {hour:02}:{minute:02}"),
        (DAY * 7, f"cron {at} * * 1"),
        (DAY, f"cron {at} * * *"),
        (HOUR, f"cron {minute} * * * *"),
    ):
        if gap <= seconds * (1 + GRACE_RATIO):
            return f"{text}; arrival"
    return "cron */5 * * * *; arrival"


def next_fire(cadence: Cadence, after: datetime, calendar: Calendar = PLAIN) -> datetime | None:
    """Give the first moment (aware, UTC) strictly after `after` at which the clock makes it due, None where none."""
    found = [_next(p, after, ZoneInfo(cadence.zone), calendar) for p in cadence.parts]
    return min((f.astimezone(UTC) for f in found if f), default=None)


def fires(cadence: Cadence, after: datetime, until: datetime, calendar: Calendar = PLAIN) -> Iterator[datetime]:
    """Give every moment in (after, until], the oldest first."""
    moment = next_fire(cadence, after, calendar)
    while moment is not None and moment <= until:
        yield moment
        moment = next_fire(cadence, moment, calendar)


def interval(cadence: Cadence, at: datetime, calendar: Calendar = PLAIN) -> timedelta | None:
    """Give the length of time between the two moments after `at`."""
    first = next_fire(cadence, at, calendar)
    second = next_fire(cadence, first, calendar) if first else None
    return second - first if first and second else None


def _next(part: Part, after: datetime, zone: ZoneInfo, calendar: Calendar) -> datetime | None:
    if part.kind == "cron":
        return _trigger(part.fields, zone.key).get_next_fire_time(None, after + timedelta(microseconds=1))
    if part.kind == "workdays":
        day = after.astimezone(zone).date()
        for days in range(LONGEST_SEARCH):
            moment = datetime.combine(day + timedelta(days=days), part.at, zone)
            if moment > after and calendar.works(moment.date()):
                return moment
    if part.kind == "workday":
        begun = after.astimezone(zone)
        for months in range(LONGEST_SEARCH // 30):
            year, month = divmod(begun.year * 12 + begun.month - 1 + months, 12)
            day = calendar.nth(year, month + 1, part.n)
            if day and (moment := datetime.combine(day, part.at, zone)) > after:
                return moment
    return None


@lru_cache(maxsize=4096)
def _trigger(fields: tuple[str, ...], zone: str) -> CronTrigger:
    minute, hour, day, month, weekday = fields
    names = weekday if weekday == "*" else ",".join(WEEKDAYS[n] for n in sorted(_weekdays(weekday)))
    return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=names, timezone=ZoneInfo(zone))


def _weekdays(text: str) -> set[int]:
    """Read crontab's weekday field, of which APScheduler counts the numbers from Monday."""
    found: set[int] = set()
    for one in text.lower().split(","):
        span, _, step = one.partition("/")
        first, dash, last = span.partition("-")
        low = 0 if first == "*" else _weekday(first)
        high = 6 if first == "*" else _weekday(last) if dash else low
        found |= {n % 7 for n in range(low, high + 1, int(step or 1))}
    if not found:
        raise ValueError(text)
    return found


def _weekday(text: str) -> int:
    number = int(text) if text.isdigit() else WEEKDAYS.index(text)
    if number > 7:
        raise ValueError(text)
    return number


def _part(text: str, zone: str) -> Part:
    kind, *rest = text.split() or [""]
    try:
        if kind in ("arrival", "once") and not rest:
            return Part(kind=kind)
        if kind == "after" and rest:
            return Part(kind="after", inputs=tuple(rest))
        if kind == "workdays" and len(rest) == 1:
            return Part(kind="workdays", at=_time(rest[0]))
        if kind == "workday" and len(rest) == 2 and 1 <= abs(int(rest[0])) <= 20:
            return Part(kind="workday", n=int(rest[0]), at=_time(rest[1]))
        if kind == "cron" and len(rest) == 5:
            return _cron(tuple(rest), zone)
    except (ValueError, IndexError) as error:
        raise _wrong(text) from error
    raise _wrong(text)


def _cron(fields: tuple[str, ...], zone: str) -> Part:
    if fields[2] != "*" and fields[4] != "*":
        raise BadRequest(
            f"周期 cron {' '.join(fields)} 同时限定了日期和星期,请只用其一",
            f"cron {' '.join(fields)} limits both the day of the month and the weekday; use one of them",
        )
    if _trigger(fields, zone).get_next_fire_time(None, datetime.now(UTC)) is None:
        raise ValueError(fields)
    return Part(kind="cron", fields=fields)


def _time(text: str) -> time:
    found = TIME.fullmatch(text)
    if not found:
        raise ValueError(text)
    return time(int(found[1]), int(found[2]))


def _wrong(text: str) -> BadRequest:
    ways = "cron 30 6 * * 1-5 · workdays 06:30 · workday 3 09:00 · arrival · after a b · once"
    return BadRequest(
        f"看不懂周期“{text[:80]}”;可以写:{ways}", f"The cadence “{text[:80]}” cannot be read; write one of: {ways}"
    )
