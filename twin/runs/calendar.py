"""Which days are worked: Monday to Friday, but for days off and days made up (调休) that are declared."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from twin.errors import DeclarationError

FILE = "calendar.toml"
SATURDAY = 5
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The declared days off and days made up, and the years they are declared for.

    In a year that is not declared Monday to Friday are worked; `knows` says so.
    """

    years: frozenset[int] = frozenset()
    off: frozenset[date] = frozenset()
    made_up: frozenset[date] = frozenset()

    def knows(self, day: date) -> bool:
        """Say whether the year of `day` is declared."""
        return day.year in self.years

    def works(self, day: date) -> bool:
        """Say whether `day` is a working day."""
        return day in self.made_up or (day.weekday() < SATURDAY and day not in self.off)

    def nth(self, year: int, month: int, n: int) -> date | None:
        """Give the nth working day of a month, from its end where `n` is negative; None where there are not so many."""
        first = date(year, month, 1)
        days = [first + DAY * i for i in range(31)]
        worked = [d for d in days if d.month == month and self.works(d)]
        place = n - 1 if n > 0 else n
        return worked[place] if -len(worked) <= place < len(worked) else None


PLAIN = Calendar()
"""Monday to Friday, of no declared year."""


def read(folder: Path) -> Calendar:
    """Read `calendar.toml` in `folder`, PLAIN where there is none; raises DeclarationError where it is wrong.

    It holds [[year]] tables: year, source, off = [[first, last], …] (both included), made_up = [day, …].
    """
    path = folder / FILE
    if not path.is_file():
        return PLAIN
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("year", [])
        return _calendar(tables)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise DeclarationError(f"工作日历有误:{error}", f"The calendar is wrong: {error}", file=path) from error


def _calendar(tables: list[dict[str, Any]]) -> Calendar:
    off: set[date] = set()
    made_up: set[date] = set()
    for table in tables:
        for first, last in table["off"]:
            if not first <= last or first.year != table["year"]:
                raise ValueError(f"{first} – {last}")
            off |= {first + DAY * i for i in range((last - first).days + 1)}
        made_up |= set(table["made_up"])
    wrong = [d for d in made_up if d.weekday() < SATURDAY or d in off]
    if wrong:
        raise ValueError(f"made_up {wrong[0]}")
    return Calendar(years=frozenset(t["year"] for t in tables), off=frozenset(off), made_up=frozenset(made_up))
