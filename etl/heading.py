"""How the heading of a clerk's table is found and named, and which of its rows are not data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl.transforms.parse import to_half_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Merged = tuple[tuple[int, int], tuple[int, int]]
"""A merged range: (first row, first column), (last row, last column), 0-based and inclusive."""

AGAIN = "#"
"""Between a heading that stands twice and the number of its repetition: "面积#2"."""
_SCAN = 25
_TOTALS = "合计|小计|总计|累计|填表人|填报人|制表人|审核人"
_SPACES = re.compile(r"\s+")
_ROWS = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")
_NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class Heading:
    """Column names, the 0-based number of the first row below them, and of the first row they stand in."""

    names: tuple[str, ...]
    first_row: int
    top: int = 0


def find(rows: Sequence[Sequence[str | None]], merged: Sequence[Merged], stated: str) -> Heading:
    """Give the heading of a grid of texts: the rows `stated` ("3" or "3-4", 1-based), else those just above the data.

    Two rows are joined with "/" ("占地面积/批准"); a heading merged downwards is its own text once. Columns without a
    heading are named by their letter. Raises ValueError where no heading can be told.
    """
    filled = _spread(rows, merged)
    first, last = _stated(stated, len(filled)) if stated else _guess(filled)
    width = max(len(r) for r in filled[: last + 1])
    names: list[str] = []
    for column in range(width):
        parts: list[str] = []
        for row in filled[first : last + 1]:
            word = clean(row[column]) if column < len(row) else ""
            if word and word not in parts:
                parts.append(word)
        names.append("/".join(parts) or f"列{letter(column)}")
    return Heading(names=_distinct(names), first_row=last + 1, top=first)


def is_totals(row: Sequence[str | None], words: str) -> bool:
    """Tell whether the first filled cell of a row starts with one of `words` ("合计|小计"), ignoring spaces."""
    first = next((c for c in row if c and c.strip()), "")
    return bool(re.match(words or _TOTALS, _SPACES.sub("", to_half_width(first))))


def letter(column: int) -> str:
    """Give a spreadsheet's letter of a 0-based column (0 → A, 26 → AA)."""
    out = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        out = chr(65 + rest) + out
    return out


def options_totals(options: Mapping[str, str]) -> str:
    """Give the declared totals words, each taken literally, as a pattern; "" where none are declared."""
    return "|".join(re.escape(w) for w in options.get("totals", "").split("|") if w)


def clean(cell: str | None) -> str:
    """Give a heading's text without the spaces and line ends that clerks set Chinese words apart with."""
    return _SPACES.sub("", cell) if cell and not cell.isascii() else (cell or "").strip()


def _spread(rows: Sequence[Sequence[str | None]], merged: Sequence[Merged]) -> list[list[str | None]]:
    """Give the first rows with each merged range's text in every one of its cells."""
    out = [list(r) for r in rows[:_SCAN]]
    for (top, left), (bottom, right) in merged:
        if top >= len(out) or left >= len(out[top]):
            continue
        word = out[top][left]
        for row in out[top : bottom + 1]:
            row[left : right + 1] = [word] * len(row[left : right + 1])
    return out


def _stated(stated: str, rows: int) -> tuple[int, int]:
    found = _ROWS.fullmatch(stated.strip())
    if found is None:
        raise ValueError(stated)
    first, last = int(found[1]) - 1, int(found[2] or found[1]) - 1
    if not 0 <= first <= last < rows:
        raise ValueError(stated)
    return first, last


def _guess(rows: Sequence[Sequence[str | None]]) -> tuple[int, int]:
    """Take the row above the first that looks like data, and the one above it where that is part of the heading."""
    data = next((i for i, r in enumerate(rows) if i and _looks_like_data(r)), min(1, len(rows) - 1))
    last = data - 1
    if last < 0:
        raise ValueError("no heading")
    first = last
    if last > 0 and _fill(rows[last - 1]) >= 0.6 and _variety(rows[last - 1]) >= 2:
        first = last - 1
    return first, last


def _looks_like_data(row: Sequence[str | None]) -> bool:
    filled = [c for c in row if c]
    return len(filled) >= max(2, len(row) // 2) and any(_NUMBER.fullmatch(to_half_width(c)) for c in filled)


def _fill(row: Sequence[str | None]) -> float:
    return sum(1 for c in row if c) / max(1, len(row))


def _variety(row: Sequence[str | None]) -> int:
    return len({c for c in row if c})


def _distinct(names: list[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    out: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}{AGAIN}{seen[name]}")
    return tuple(out)
