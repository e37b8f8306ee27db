"""What an answer being made has taken up, to be accounted for before it leaves: personal data, and exact ground."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from twin.policy import delivered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twin.policy.judging import Permit
    from twin.policy.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Rows of one table that hold personal data: how they were seen, for what purpose, and how many."""

    table: str
    seen: Literal["read", "unmask"]
    purpose: str
    rows: int


_TAKEN: ContextVar[dict[tuple[str, str], Taken] | None] = ContextVar("onemap_taken", default=None)


def take(subject: Subject, permit: Permit, rows: int) -> None:
    """Note that `rows` rows of the table of `permit` go into the answer being made; nothing where none is personal."""
    if permit.audit == "none" or not rows:
        return
    taken = _TAKEN.get()
    if taken is None:
        taken = {}
        _TAKEN.set(taken)
    key = (permit.resource, permit.audit)
    before = taken[key].rows if key in taken else 0
    taken[key] = Taken(table=permit.resource, seen=permit.audit, purpose=subject.purpose, rows=before + rows)


def drain() -> tuple[Taken, ...]:
    """Give what has been taken up since this was last asked, and forget it and the ground told.

    Ask before an answer is begun and after it is made, then for `places` first.
    """
    taken = _TAKEN.get()
    _TAKEN.set(None)
    _TOLD.set(None)
    return tuple(taken.values()) if taken else ()


@dataclass(frozen=True, kw_only=True)
class Told:
    """Ground of one table that is told as exactly as a survey has it, and how much of it in a year is too much."""

    table: str
    limit_km2: float
    cells: frozenset[delivered.Cell]


_TOLD: ContextVar[list[Told] | None] = ContextVar("onemap_told", default=None)


def place(permit: Permit, boxes: Iterable[Sequence[float] | None]) -> None:
    """Note that boxes (degrees) of things of the table of `permit` go into the answer being made, where they count."""
    if not permit.counts:
        return
    cells = frozenset(cell for b in boxes if b is not None for cell in delivered.along((b[0], b[1], b[2], b[3])))
    if not cells:
        return
    told = _TOLD.get()
    if told is None:
        told = []
        _TOLD.set(told)
    told.append(Told(table=permit.resource, limit_km2=permit.max_km2, cells=cells))


def places() -> tuple[Told, ...]:
    """Give the ground that has been told since this was last asked, and forget it."""
    told = _TOLD.get()
    _TOLD.set(None)
    return tuple(told) if told else ()
