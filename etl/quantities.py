"""What a clerk's quantity means as a number: separators, full-width digits, 万 and 亿, units of area."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from etl.transforms.parse import parse_number, to_half_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.model import Field

PLAIN = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
MULTIPLES: Mapping[str, float] = {"万": 1e4, "亿": 1e8, "千": 1e3, "百": 1e2}
MU = 10_000 / 15
"""Square metres of a 亩."""
AREAS: Mapping[str, float] = {
    "亩": MU, "公顷": 1e4, "ha": 1e4, "hm2": 1e4, "平方公里": 1e6, "平方千米": 1e6, "km2": 1e6,
    "平方米": 1.0, "平米": 1.0, "m2": 1.0, "㎡": 1.0,
}  # fmt: skip
"""What one of each unit is in square metres; a value that names one is of that unit whatever its column is in."""
_QUANTITY = re.compile(r"([-+]?[\d.,]+(?:[eE][-+]?\d+)?)\s*([万亿千百]?)\s*([^\d\s]{0,4}2?)")


def numbers(column: pa.Array, item: Field) -> tuple[pa.Array, pa.Array]:
    """Read a text column: (float64 in the column's own unit, null where nothing or nothing sure; bool rewritten).

    A row is rewritten where its number had to be made out: separators, full-width digits, 万, a unit of its own.
    """
    text = pc.utf8_trim_whitespace(column)
    plain = pc.match_substring_regex(text, PLAIN)
    values = pc.if_else(plain, text, pa.scalar(None, pa.string())).cast(pa.float64())
    odd = pc.fill_null(pc.invert(plain), fill_value=False)
    if not pc.any(odd, min_count=0).as_py():
        return values, odd
    encoded = pc.filter(text, odd).dictionary_encode()
    made = [_quantity(word, item) for word in encoded.dictionary.to_pylist()]
    found = pa.array(made, pa.float64()).take(encoded.indices)
    values = pc.replace_with_mask(values, odd, found)
    return values, pc.and_(odd, values.is_valid())


def _quantity(word: str, item: Field) -> float | None:
    """Give one written quantity in the column's own unit, None where it cannot be told for sure."""
    if word == "":
        return None
    try:
        return parse_number(word)
    except ValueError:
        found = _QUANTITY.fullmatch(to_half_width(word).replace("²", "2"))
    if found is None:
        return None
    factor = MULTIPLES.get(found[2], 1.0) * _unit(found[3], item)
    try:
        number = parse_number(found[1])
    except ValueError:
        return None
    return None if number is None or not factor else number * factor


def _unit(unit: str, item: Field) -> float:
    """Give what one of `unit` is in the column's own unit, which `scale` makes the stored one of; 0 where unknown."""
    stored = AREAS.get(item.unit.replace("²", "2"), 0.0)
    if not unit:
        return 1.0
    if unit.lower() in AREAS and stored:
        return AREAS[unit.lower()] / stored / item.scale
    return 1.0 if unit == item.unit else 0.0
