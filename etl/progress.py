"""What a person sees of a run: a line that moves while it lasts, and tables whose columns align in Chinese too."""

from __future__ import annotations

import sys
import unicodedata
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDE = ("W", "F")
_SHAPES = "●▲✖○"


def width(text: str) -> int:
    """Give the columns `text` takes in a terminal: two for a Chinese character, one for ours."""
    return sum(2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in text)


def fit(text: str, columns: int, *, right: bool = False) -> str:
    """Pad `text` to `columns`."""
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Lay out `rows` under `head`; the columns `right` hold numbers. The last column may be as long as it likes."""
    columns = [max(width(row[i]) for row in (head, *rows)) for i in range(len(head))]
    columns[-1] = 0
    lines = [_line(head, columns, right), "  ".join("─" * max(c, width(h)) for c, h in zip(columns, head, strict=True))]
    return "\n".join(lines + [_line(row, columns, right) for row in rows])


def _line(row: Sequence[str], columns: Sequence[int], right: Sequence[int]) -> str:
    return "  ".join(fit(cell, columns[i], right=i in right) for i, cell in enumerate(row)).rstrip()


class Ticker:
    """A line on the terminal that is written over; where there is no terminal only finished lines are written."""

    def __init__(self, out: TextIO = sys.stderr) -> None:
        self._out = out
        self._live = out.isatty()
        self._shown = 0

    def tick(self, text: str) -> None:
        """Show what is going on now."""
        if self._live:
            self._out.write("\r" + fit(text, self._shown))
            self._out.flush()
            self._shown = width(text)

    def line(self, text: str) -> None:
        """Show what is finished."""
        self._out.write(("\r" + fit(text, self._shown) if self._live else text) + "\n")
        self._out.flush()
        self._shown = 0
