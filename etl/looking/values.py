"""What was found out about a source, as values that become data: every fact with its evidence and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Sure = Literal["sure", "likely", "guess", "unknown"]
Said = tuple[str, str]
"""The same sentence in Chinese and in English."""
SHAPES: Mapping[str, str] = {"sure": "●", "likely": "◐", "guess": "○", "unknown": "?"}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing found out: `what` of the declaration it fills, the value, how sure, and why; a value "" is a question.

    `others` are values that cannot be ruled out.
    """

    what: str
    value: str
    sure: Sure
    why: Said
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Column:
    """One delivered column: what it would be declared as, and why; examples of personal values are masked."""

    source: str
    name: str
    title: Said
    type: str
    sure: Sure
    unit: str = ""
    scale: float = 1.0
    code_system: str = ""
    meaning: str = ""
    sensitivity: str = ""
    pattern: str = ""
    required: bool = False
    written: int = 0
    distinct: int = 0
    examples: tuple[str, ...] = ()
    why: tuple[Said, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Look:
    """All that was found out about one source: facts about the whole, columns, and the other parts it has."""

    name: str
    reader: str
    format: str
    kind: str
    part: str
    rows: int
    facts: tuple[Fact, ...]
    columns: tuple[Column, ...]
    parts: tuple[tuple[str, int], ...] = ()
    heading: tuple[tuple[str, ...], ...] = ()
    keys: tuple[str, ...] = ()
    sha256: str = ""
    main: str = ""
    connection: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    def fact(self, what: str) -> Fact | None:
        """Give the fact called `what`, or None."""
        return next((f for f in self.facts if f.what == what), None)

    def value(self, what: str) -> str:
        """Give the value found for `what`, "" where none was."""
        found = self.fact(what)
        return found.value if found else ""

    def told(self) -> dict[str, Any]:
        """Give it as data that JSON holds."""
        return asdict(self)


def of(told: Mapping[str, Any]) -> Look:
    """Read what `Look.told` gave, through JSON or not."""
    plain = dict(told)
    plain["facts"] = tuple(Fact(**{**f, "why": tuple(f["why"]), "others": tuple(f["others"])}) for f in told["facts"])
    plain["columns"] = tuple(_column(c) for c in told["columns"])
    plain["parts"] = tuple((str(n), int(r or 0)) for n, r in told["parts"])
    plain["heading"] = tuple(tuple(r) for r in told["heading"])
    plain["keys"] = tuple(told["keys"])
    return Look(**plain)


def _column(told: Mapping[str, Any]) -> Column:
    why = tuple((zh, en) for zh, en in told["why"])
    return Column(**{**told, "title": tuple(told["title"]), "examples": tuple(told["examples"]), "why": why})
