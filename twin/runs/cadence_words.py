"""How a cadence is said to people: 每个工作日 06:30, on the 3rd working day of each month at 09:00."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.model import Text
from twin.runs.cadence import parse
from twin.text import t

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.runs.cadence import Part

LANGUAGES = ("zh-CN", "en")
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def words(text: str, zone: str, titles: Mapping[str, Text] | None = None) -> Text:
    """Say a cadence in words; `titles` name the tables it waits for. Raises BadRequest where it cannot be read."""
    parts = parse(text, zone).parts
    zh, en = ([_part(p, language, titles or {}) for p in parts] for language in LANGUAGES)
    return Text(";".join(zh), "; ".join(en))


def _part(part: Part, language: str, titles: Mapping[str, Text]) -> str:
    clock = f"{part.at:%H:%M}"
    if part.kind == "after":
        named = [titles[i].in_(language) if i in titles else i for i in part.inputs]
        return t("runs.cadence.after", language, inputs=_and(named, language))
    if part.kind == "workday":
        which = "workday" if part.n > 0 else "workday_last" if part.n == -1 else "workday_from_end"
        return t(f"runs.cadence.{which}", language, n=_nth(abs(part.n), language), at=clock)
    if part.kind == "cron":
        return _cron(part.fields, language)
    return t(f"runs.cadence.{part.kind}", language, at=clock)


def _cron(fields: Sequence[str], language: str) -> str:
    """Say crontab's five fields; what is no clock time, or mixes lists and steps, is shown as it is written."""
    minute, hour, day, month, weekday = fields
    rest = (day, month, weekday) == ("*", "*", "*")
    if hour == "*" and rest and minute.startswith("*/") and minute[2:].isdigit():
        return t("runs.cadence.minutes", language, n=int(minute[2:]))
    if hour == "*" and rest and minute.isdigit():
        return t("runs.cadence.hourly", language, n=f"{int(minute):02}")
    at = _clock(minute, hour, language)
    days, months, week = _listed(day, 31), _listed(month, 12), _listed(weekday, 7)
    if at and week and (day, month) == ("*", "*"):
        return t("runs.cadence.weekly", language, days=_weekdays(week, language), at=at)
    if at and rest:
        return t("runs.cadence.daily", language, at=at)
    if at and days and months is not None and weekday == "*":
        said = _and([_nth(d, language) for d in days], language)
        kind = "dated" if months else "monthly"
        return t(f"runs.cadence.{kind}", language, days=said, months=_months(months, language), at=at)
    return t("runs.cadence.cron", language, fields=" ".join(fields))


def _clock(minute: str, hour: str, language: str) -> str:
    hours = _listed(hour, 23)
    if not minute.isdigit() or not hours:
        return ""
    return _and([f"{h:02}:{int(minute):02}" for h in hours], language)


def _listed(field: str, most: int) -> list[int] | None:
    """Read numbers and spans of a field, [] for every one; None for what is neither."""
    if field == "*":
        return []
    found: list[int] = []
    for one in field.split(","):
        first, _, last = one.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            return None
        found += range(int(first), int(last or first) + 1)
    return sorted(set(found)) if found and max(found) <= most else None


def _weekdays(days: list[int], language: str) -> str:
    """Say days of the week, of which Sunday is 0 or 7, from Monday on."""
    order = sorted({(d - 1) % 7 for d in days})
    if order == list(range(5)):
        return t("runs.cadence.monday_to_friday", language)
    return _and([t(f"runs.cadence.day_{d}", language) for d in order], language)


def _months(months: list[int], language: str) -> str:
    return (
        _and([MONTHS_EN[m - 1] for m in months], language)
        if language == "en"
        else _and(list(map(str, months)), language)
    )


def _nth(n: int, language: str) -> str:
    if language != "en":
        return str(n)
    suffix = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"


def _and(named: Sequence[str], language: str) -> str:
    if language != "en":
        return "、".join(named)
    return " and ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))
