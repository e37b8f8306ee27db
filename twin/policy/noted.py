"""Which personal data an answer being made has taken up; it stands in the record before the answer leaves."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
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
    """Give what has been taken up since this was last asked, and forget it; ask before an answer is begun and after."""
    taken = _TAKEN.get()
    _TAKEN.set(None)
    return tuple(taken.values()) if taken else ()
