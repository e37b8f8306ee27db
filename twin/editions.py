"""Which edition of a table a year shows: the newest not after it; the one rule for tiles, cards, lists and sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Where = tuple[tuple[str, str, int], ...]


def shown(years: Sequence[int], year: int | None) -> int | None:
    """Give the edition of `years` that `year` shows (None: the newest); None where there was none yet."""
    known = [y for y in years if year is None or y <= year]
    return max(known, default=None)


def where(years: Sequence[int] | None, year: int | None) -> Where | None:
    """Give the row condition of `year`: () for a table without editions, None where it shows nothing at all."""
    if not years:
        return ()
    edition = shown(years, year)
    return None if edition is None else (("year", "=", edition),)
