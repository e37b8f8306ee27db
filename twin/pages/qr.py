"""An address drawn as a QR code for a telephone's camera; the only segno."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import segno

from twin.pages.markup import el

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twin.model import Text
    from twin.pages.markup import Node

QUIET = 4
"""Light modules around the code (ISO/IEC 18004:2015, 6.3.8)."""


def code(address: str, label: Text) -> Node:
    """Draw `address` dark on light whatever the page's colours are: cameras read no other."""
    rows = segno.make(address, error="m", micro=False).matrix
    side = len(rows) + 2 * QUIET
    drawn = [
        el("rect", width=side, height=side, fill="#fff"),
        el("path", d="".join(_dark(rows)), fill="#000"),
    ]
    return el("svg", drawn, viewBox=f"0 0 {side} {side}", class_="qr", role="img", aria_label=label)


def _dark(rows: Sequence[Sequence[int]]) -> Iterator[str]:
    """Give a path over the dark modules, a run of them at a time."""
    for y, row in enumerate(rows):
        x = 0
        for value, run in groupby(row):
            length = len(list(run))
            if value:
                yield f"M{x + QUIET} {y + QUIET}h{length}v1h-{length}z"
            x += length
