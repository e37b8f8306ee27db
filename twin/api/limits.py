"""How much one person, key or address may ask in a time: token buckets in memory, each emptied by its asker only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Requests a second in the long run, and how many may come at once."""

    per_s: float
    burst: int


RATES: Mapping[str, Rate] = {
    "sign_in": Rate(per_s=5 / 60, burst=5),
    "sign_in_address": Rate(per_s=30 / 60, burst=30),
    "callbacks": Rate(per_s=20, burst=60),
    "answers": Rate(per_s=20, burst=60),
    "pages": Rate(per_s=20, burst=100),
    "tiles": Rate(per_s=100, burst=300),
    "reports": Rate(per_s=0.2, burst=12),
    "uploads": Rate(per_s=0.5, burst=20),
}
"""`sign_in` is by name, `sign_in_address` by address (an office shares one), the others by person, key, or address."""
KEPT = 50_000
"""Buckets remembered at most; the full ones are forgotten first, which changes nothing."""


class Limits:
    """The buckets of one process; used on the event loop only. `clock` gives seconds that never go back."""

    def __init__(self, rates: Mapping[str, Rate] = RATES, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, kind: str, asker: str) -> float:
        """Take one request out of an asker's bucket; give 0, or the seconds until the next one may come."""
        rate = self._rates[kind]
        now = self._clock()
        tokens, at = self._buckets.get((kind, asker), (float(rate.burst), now))
        tokens = min(rate.burst, tokens + (now - at) * rate.per_s)
        if tokens < 1:
            return (1 - tokens) / rate.per_s
        if len(self._buckets) >= KEPT:
            self._forget(now)
        self._buckets[kind, asker] = (tokens - 1, now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Forget the buckets that are full again; where none is, all of them."""
        rates = self._rates
        kept = {
            key: (tokens, at)
            for key, (tokens, at) in self._buckets.items()
            if tokens + (now - at) * rates[key[0]].per_s < rates[key[0]].burst
        }
        self._buckets = kept if len(kept) < KEPT else {}


def retry_after(seconds: float) -> int:
    """Give the whole seconds of a Retry-After header."""
    return max(1, math.ceil(seconds))
