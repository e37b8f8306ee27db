"""How long the next sign-in must wait after failures, by name and by address; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Failures that cost nothing, the first wait, the longest, how long one counts; each one more doubles the wait."""

    free: int
    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)
    remembered: timedelta = timedelta(hours=24)


BY_NAME = Rule(free=5)
BY_ADDRESS = Rule(free=30, longest=timedelta(minutes=5), remembered=timedelta(hours=1))
"""A whole office may sit behind one address; a success does not clear it, or one's own account would."""


def wait(failures: Sequence[datetime], now: datetime, rule: Rule) -> timedelta:
    """Give how long from `now` the next try must wait, given the failures that count, oldest first."""
    recent = [at for at in failures if now - at < rule.remembered]
    over = len(recent) - rule.free
    if over < 0 or not recent:
        return timedelta()
    pause = min(rule.first * 2 ** min(over, 16), rule.longest)
    return max(recent[-1] + pause - now, timedelta())
