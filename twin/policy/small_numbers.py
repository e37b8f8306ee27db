"""Which counts of people may be told together, so that nobody can work out a small one; pure.

A count under `k` is never told, nor are those told by whose difference it could be worked out (complementary
suppression). What adds up to what is given as lines: (whole, parts). The areas of a line are a fixed hierarchy.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Line = tuple[Key, Sequence[Key]]
K = 10


def told(counts: Mapping[Key, int], lines: Iterable[Line[Key]] = (), k: int = K) -> frozenset[Key]:
    """Give the keys of `counts` that may be told.

    In every line that is told in part, the untold parts are two or more and together `k` people or more, so that
    what the line gives away by subtraction is itself no small number. The smallest part is given up for it first,
    and where there is none left the whole is.
    """
    hidden = {key for key, n in counts.items() if n < k}
    given = list(lines)
    while extra := next((e for line in given if (e := _to_hide(counts, line, hidden, k)) is not None), None):
        hidden.add(extra[0])
    return frozenset(counts.keys() - hidden)


def _to_hide(counts: Mapping[Key, int], line: Line[Key], hidden: set[Key], k: int) -> tuple[Key] | None:
    """Give one more key that has to be hidden for a line to be safe, None where it is."""
    whole, parts = line
    untold = [p for p in parts if p in hidden]
    if whole in hidden:
        return None
    if not untold or (len(untold) > 1 and sum(counts[p] for p in untold) >= k):
        return None
    shown = sorted((p for p in parts if p not in hidden), key=lambda p: (counts[p], str(p)))
    return (shown[0],) if shown else (whole,)


def groups(counts: Mapping[str, int], k: int = K) -> tuple[bool, frozenset[str]]:
    """Give whether the whole may be told, and which of its groups, for one table of groups that add up."""
    whole = ("",)
    cells: dict[tuple[str, ...], int] = {whole: sum(counts.values()), **{("", g): n for g, n in counts.items()}}
    kept = told(cells, [(whole, [("", g) for g in counts])], k)
    return whole in kept, frozenset(g for g in counts if ("", g) in kept)
