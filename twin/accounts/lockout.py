"""How long the next sign-in must wait after failures, by name and by address; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Failures that cost nothing, the first wait, and the longest; each failure in between doubles the wait."""

    free: int
    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)


BY_NAME = Rule(free=5)
BY_ADDRESS = Rule(free=20)
"""A whole office may sit behind one address."""
REMEMBERED = timedelta(hours=24)
"""Failures older than this are forgotten."""


def wait(failures: Sequence[datetime], now: datetime, rule: Rule) -> timedelta:
    """Give how long from `now` the next try must wait, given the failures since the last success, oldest first."""
    recent = [at for at in failures if now - at < REMEMBERED]
    over = len(recent) - rule.free
    if over < 0 or not recent:
        return timedelta()
    pause = min(rule.first * 2 ** min(over, 16), rule.longest)
    return max(recent[-1] + pause - now, timedelta())
