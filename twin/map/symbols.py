"""The drawings of map symbols as SVG for legends, from the same data that the map draws from."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

NAME = re.compile(r"(icon|hatch)-([a-z]+)-([0-9a-fA-F]{6})")
STROKE = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'


INKS = ("#FFFFFF", "#0E1A1F")
LEAST = 3
"""The contrast that white must have on a plate; on lighter plates rim and strokes are dark, in both themes."""


@cache
def _drawings() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("symbols.json").read_text(encoding="utf-8"))


def ink_on(colour: str) -> str:
    """Give the ink that is seen on a plate of `colour` ("#RRGGBB"), as the map's own module chooses it (WCAG 2.2)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return INKS[0 if 1.05 / (luminance + 0.05) >= LEAST else 1]


def _icon(shape: str, colour: str) -> str:
    ink = ink_on(colour)
    plate, *strokes = _drawings()["icons"].get(shape, _drawings()["icons"]["circle"])
    ground = _drawings()["plates"][plate]
    lines = "".join(f'<path d="{d}" stroke="{ink}" stroke-width="1.7" {STROKE}/>' for d in strokes)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 26 26">'
        f'<path d="{ground}" fill="{colour}" stroke="{ink}" stroke-width="1.2"/>{lines}</svg>'
    )


def _hatch(kind: str, colour: str) -> str:
    found = _drawings()["hatches"].get(kind, _drawings()["hatches"]["diagonal"])
    size = found["size"]
    tiles = "".join(
        f'<g transform="translate({x} {y})">'
        + "".join(f'<path d="{d}" stroke="{colour}" stroke-width="{found["width"]}" {STROKE}/>' for d in found["paths"])
        + "</g>"
        for x in range(0, 24, size)
        for y in range(0, 16, size)
    )
    frame = 'viewBox="0 0 22 14" preserveAspectRatio="xMidYMid slice"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>{tiles}</svg>'


def symbol_svg(name: str) -> str:
    """Give the drawing called `name` ("icon-tree-1b6e3c", "hatch-diagonal-c8102e") as an SVG document.

    An icon is 26 × 26 units, a hatch a 22 × 14 swatch without ground; raises ValueError for a name of another form.
    """
    found = NAME.fullmatch(name)
    if found is None:
        raise ValueError(name)
    form, shape, colour = found.groups()
    return (_icon if form == "icon" else _hatch)(shape, f"#{colour}")
