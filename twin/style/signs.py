"""The signs of a draw in one theme: each class with its colour, hatch and icon; map and legend both start here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin import classes as classing
from twin.style import dark
from twin.style.sheet import Expression

if TYPE_CHECKING:
    from twin.model import ClassItem, Draw, OneMap, Text


@dataclass(frozen=True, kw_only=True)
class Sign:
    """One class as it is drawn: its value, words and colour, and the names of its drawn images ("" for none)."""

    value: str
    title: Text
    colour: str
    hatch: str
    icon: str


def signs(onemap: OneMap, draw: Draw, theme: str = "light") -> tuple[Sign, ...]:
    """Give the classes of a draw in legend order, () where it has none; raises DeclarationError."""
    if draw.classes is None:
        return ()
    return tuple(_sign(draw, item, theme) for item in classing.items(onemap, draw.classes))


def _sign(draw: Draw, item: ClassItem, theme: str) -> Sign:
    return Sign(
        value=item.value,
        title=item.title,
        colour=dark.recoloured(theme, draw, item.colour),
        hatch=dark.image(theme, image("hatch", item.pattern, item.colour)) if item.pattern else "",
        icon=dark.image(theme, image("icon", item.icon, item.colour)) if item.icon else "",
    )


def colour_expression(onemap: OneMap, draw: Draw, theme: str = "light") -> Expression | str | None:
    """Give the `match` expression of a draw's class colours in `theme`, None where it has no classes."""
    if draw.classes is None:
        return None
    other = dark.recoloured(theme, draw, draw.classes.other)
    return matched(draw, {s.value: s.colour for s in signs(onemap, draw, theme)}, other)


def image(kind: str, name: str, colour: str) -> str:
    """Give the name of a drawn image, e.g. hatch-diagonal-b3261e; the map component draws it from its name."""
    full = name if name.startswith(f"{kind}-") else f"{kind}-{name}"
    return full if full.count("-") >= 2 else f"{full}-{colour.lstrip('#').lower()}"


def class_value(draw: Draw) -> Expression:
    """Give the expression of a feature's class value; the draw has classes."""
    assert draw.classes is not None  # noqa: S101 - callers have looked
    text: Expression = ["to-string", ["get", draw.classes.column]]
    return ["slice", text, 0, draw.classes.digits] if draw.classes.digits else text


def matched(draw: Draw, values: Mapping[str, str], other: str) -> Expression | str:
    """Give value → output as one `match`, inputs of the same output gathered."""
    gathered: dict[str, list[str]] = {}
    for value, output in values.items():
        gathered.setdefault(output, []).append(value)
    gathered.pop(other, None)
    if not gathered:
        return other
    branches = [part for output, inputs in gathered.items() for part in (inputs, output)]
    return ["match", class_value(draw), *branches, other]
