"""Where a subject holds, as conditions on the administrative or grid code of rows; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from twin.model import Resource
    from twin.policy.subject import Subject

Reach = Literal["store", "prefix", "grid", "scopes"]
"""How far a class is granted: everything of the store, the holder's area, his grid, or the areas of a key."""
Held = tuple[str, ...] | None
"""The codes held, of which any may match; None is everything, () is nothing."""
Rows = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Conditions that all hold: (column, "prefix", codes of which one begins the column's value)."""

_CODE = re.compile(r"\d{6}(?:\d{3}){0,2}", re.ASCII)
_GRID = re.compile(r"\d{15}", re.ASCII)
AREA_SCOPE = "area:"


def held(subject: Subject, reach: Reach) -> Held:
    """Give the codes `subject` holds at `reach`; a code of no known form holds nothing."""
    if reach == "store":
        return None
    if subject.prefix and not is_code(subject.prefix):
        return ()
    if reach == "grid":
        return _grid(subject)
    named = [s.removeprefix(AREA_SCOPE) for s in subject.scopes if s.startswith(AREA_SCOPE)]
    if reach == "scopes" and named:
        return tuple(sorted({code for code in named if is_code(code) and code.startswith(subject.prefix)}))
    return (subject.prefix,) if subject.prefix else None


def _grid(subject: Subject) -> Held:
    inside = _GRID.fullmatch(subject.grid) and subject.grid.startswith(subject.prefix)
    return (subject.grid,) if inside else ()


def is_code(code: str) -> bool:
    """Say whether `code` is an administrative code of 6, 9 or 12 digits."""
    return _CODE.fullmatch(code) is not None


def rows(codes: Held, resource: Resource, village: str) -> Rows | None:
    """Give the condition of the rows of `resource` that lie in `codes`: () all of them, None not one.

    A resource without an area field belongs as a whole to the village whose code is `village`.
    """
    if codes is None:
        return ()
    if not codes:
        return None
    if resource.area_field:
        return ((resource.area_field, "prefix", codes),)
    return () if village.startswith(codes) else None
