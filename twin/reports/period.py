"""The time a report tells of: a day, a month or a year, as asked or as it is now."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from twin.errors import BadRequest

if TYPE_CHECKING:
    from twin.reports.form import Span

FORMS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
WORDS = {"year": "{0.year} 年", "month": "{0.year} 年 {0.month} 月", "day": "{0.year} 年 {0.month} 月 {0.day} 日"}
EXAMPLES = {"year": "2025", "month": "2025-10", "day": "2025-11-21"}


@dataclass(frozen=True, kw_only=True)
class Period:
    """From the first day to the last, both in it, in the village's own time."""

    span: Span
    first: date
    last: date

    @property
    def zh(self) -> str:
        """Give it in words: 2025 年 10 月."""
        return WORDS[self.span].format(self.first)


def of(span: Span, text: str, now: datetime) -> Period:
    """Give the period `text` ("2025", "2025-10", "2025-11-21"); "" is the one `now` lies in.

    A report by year asked for a month is of that month's year, and so on; raises BadRequest for what is no time.
    """
    if not text:
        return _of(span, now.date())
    for form in FORMS.values():
        try:
            asked = datetime.strptime(text, form)  # noqa: DTZ007 - a day of the calendar has no zone
        except ValueError:
            continue
        if text == asked.strftime(form):
            return _of(span, asked.date())
    raise BadRequest(
        f"期间“{text[:20]}”写法不对,例:{EXAMPLES[span]}", f"{text[:20]!r} is no period; write e.g. {EXAMPLES[span]}"
    )


def _of(span: Span, day: date) -> Period:
    if span == "day":
        return Period(span=span, first=day, last=day)
    if span == "month":
        last = calendar.monthrange(day.year, day.month)[1]
        return Period(span=span, first=day.replace(day=1), last=day.replace(day=last))
    return Period(span=span, first=date(day.year, 1, 1), last=date(day.year, 12, 31))
