"""What the signs of a layer mean, in words and colours, as the map draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.style import dark
from twin.style.sheet import COLOUR_OF, Json
from twin.style.signs import Sign, signs

if TYPE_CHECKING:
    from twin.model import Draw, Layer, OneMap


def legend(onemap: OneMap, layer: Layer, language: str = "zh-CN", theme: str = "light") -> list[Json]:
    """Give what a layer's signs mean, one group per draw: {draw, table, type, title, column, digits, items}."""
    return [_group(onemap, draw, language, theme) for draw in layer.draws if draw.in_legend]


def _group(onemap: OneMap, draw: Draw, language: str, theme: str) -> Json:
    classes = draw.classes
    return {
        "draw": draw.id,
        "table": draw.table,
        "type": draw.type,
        "title": draw.title.in_(language),
        "column": classes.column if classes else "",
        "digits": classes.digits if classes else 0,
        "items": [_item(s, language) for s in signs(onemap, draw, theme)] or [_plain(draw, language, theme)],
    }


def _item(sign: Sign, language: str) -> Json:
    return {
        "value": sign.value,
        "title": sign.title.in_(language),
        "colour": sign.colour,
        "pattern": sign.hatch,
        "icon": sign.icon,
    }


def _plain(draw: Draw, language: str, theme: str) -> Json:
    colour = dark.paint(theme, draw).get(COLOUR_OF.get(draw.type, ""), "")
    fixed = colour if isinstance(colour, str) else ""
    return {"value": "", "title": draw.title.in_(language), "colour": fixed, "pattern": "", "icon": ""}
