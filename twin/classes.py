"""The classes a draw is coloured by: values, words and colours; the one source of map, legend, overlay and charts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twin.errors import DeclarationError
from twin.model import Classes, ClassItem, Code, CodeSystem, Draw, OneMap

if TYPE_CHECKING:
    from collections.abc import Mapping


def value_of(classes: Classes, raw: Any) -> str:
    """Give the class value of a stored value: its text, cut to `digits`; "" for None. Booleans are "true", "false"."""
    if raw is None:
        return ""
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    return text[: classes.digits] if classes.digits else text


def items(onemap: OneMap, classes: Classes) -> tuple[ClassItem, ...]:
    """Give the classes in legend order; raises DeclarationError where the code system is not there."""
    if not classes.system:
        return classes.items
    system = onemap.code_system(classes.system)
    if system is None:
        raise DeclarationError(
            f"没有分类标准 {classes.system},请在 codes/ 中给出",
            f"There is no code system {classes.system}: give it in codes/",
            column=classes.column,
        )
    return _of_system(system, classes.digits, classes.other)


def by_value(onemap: OneMap, classes: Classes) -> Mapping[str, ClassItem]:
    """Give the same classes keyed by their value."""
    return {i.value: i for i in items(onemap, classes)}


@lru_cache(maxsize=64)
def _of_system(system: CodeSystem, digits: int, other: str) -> tuple[ClassItem, ...]:
    found: dict[str, ClassItem] = {}
    for code in system.codes:
        value = code.code[:digits] if digits else code.code
        if code.abolished or value in found or (digits and _is_above(system, code, digits)):
            continue
        named = system.find(value) or code
        found[value] = ClassItem(value=value, title=named.title, colour=_colour(system, code, other))
    return tuple(found.values())


def _is_above(system: CodeSystem, code: Code, digits: int) -> bool:
    """Say whether `code` only heads longer codes that are classes themselves."""
    if len(code.code) >= digits:
        return False
    return any(c.code.startswith(code.code) and len(c.code) >= digits for c in system.codes)


def _colour(system: CodeSystem, code: Code, other: str) -> str:
    """Give a code's colour, or that of the nearest code above it."""
    for end in range(len(code.code), 0, -1):
        above = system.find(code.code[:end])
        if above is not None and above.colour:
            return above.colour
    return code.colour or other


def names_areas(draw: Draw) -> bool:
    """Say whether a draw writes one name on each feature (not along it), so that areas need a point for it."""
    return draw.type == "symbol" and "symbol-placement" not in draw.layout


def label_source(table: str) -> str:
    """Name the source-layer that holds one point for each area of `table`."""
    return f"{table}:label"
