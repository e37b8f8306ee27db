"""Which counts of people may be told together, so that nobody can work out a small one; pure.

A count under `k` is never told, nor are those told by whose difference it could be worked out (complementary
suppression). What adds up to what is given as lines: (whole, parts), a fixed hierarchy of areas or one of classes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Line = tuple[Key, Sequence[Key]]
K = 10


def told(counts: Mapping[Key, int], lines: Iterable[Line[Key]] = (), k: int = K) -> frozenset[Key]:
    """Give the keys of `counts` that may be told, where `lines` make a tree: nothing is part of two wholes.

    Below every whole that is told, the leaves that are not told (and lie below no other whole that is) are none, or are
    two or more and together `k` people or more: subtraction gives their sum and, in a tree, nothing else. What is
    missing to that is given up too, the smallest leaf first; where there is nothing left to give up, the whole is.
    """
    parts = dict(lines)
    hidden = {key for key, n in counts.items() if n < k}
    while (extra := _missing(counts, parts, hidden, k)) is not None:
        hidden.add(extra[0])
    return frozenset(counts.keys() - hidden)


def _missing(
    counts: Mapping[Key, int], parts: Mapping[Key, Sequence[Key]], hidden: set[Key], k: int
) -> tuple[Key] | None:
    """Give one more key that has to be hidden, None where all is safe."""
    for whole in parts:
        if whole in hidden:
            continue
        edge = list(_edge(whole, parts, hidden))
        untold = [key for key in edge if key in hidden]
        if untold and (len(untold) == 1 or sum(counts[key] for key in untold) < k):
            left = sorted((key in parts, counts[key], edge.index(key)) for key in edge if key not in hidden)
            return (edge[left[0][2]] if left else whole,)
    return None


def _edge(whole: Key, parts: Mapping[Key, Sequence[Key]], hidden: set[Key]) -> Iterator[Key]:
    """Give what a whole is the sum of: its parts, and for a part that is not told and has parts of its own, those."""
    for part in parts[whole]:
        if part in hidden and part in parts:
            yield from _edge(part, parts, hidden)
        else:
            yield part


def groups(counts: Mapping[str, int], k: int = K) -> tuple[bool, frozenset[str]]:
    """Give whether the whole may be told, and which of its groups, for one table of groups that add up."""
    whole = ("",)
    cells: dict[tuple[str, ...], int] = {whole: sum(counts.values()), **{("", g): n for g, n in counts.items()}}
    kept = told(cells, [(whole, [("", g) for g in counts])], k)
    return whole in kept, frozenset(g for g in counts if ("", g) in kept)
