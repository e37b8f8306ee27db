"""Delivered columns → declared columns: found by heading, read as their type, scaled to their unit."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl import invisible, moments, quantities
from etl.heading import AGAIN
from etl.reasons import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.model import Field, FieldType, Resource

RESERVED = ("_row", "_geometry", "_note")
"""Columns a reader adds to the delivered ones."""
ARROW: dict[FieldType, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
}
EMPTY = ("", "无", "—", "-", "--", "/", "／", "NULL", "null", "None", "nan", "NaN", "N/A", "<Null>")
"""What people write where there is nothing; in text columns only the empty string is nothing."""
TRUE = ("是", "有", "1", "Y", "y", "yes", "Yes", "YES", "T", "true", "True", "TRUE", "√", "1.0")
FALSE = ("否", "无", "0", "N", "n", "no", "No", "NO", "F", "false", "False", "FALSE", "×", "0.0")
_EXACT = 1e15
"""Beyond it a number no longer has the digits it was written with."""
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How a delivery's headings differ from the declared ones."""

    missing: tuple[Field, ...] = ()
    added: tuple[str, ...] = ()
    renamed: tuple[tuple[Field, str], ...] = ()


@dataclass(kw_only=True)
class Typed:
    """Declared columns of one batch, why rows cannot be published, and what was rewritten in them."""

    arrays: dict[str, pa.Array]
    reasons: dict[int, list[str]] = field(default_factory=dict)
    repairs: dict[int, list[str]] = field(default_factory=dict)


def drift(fields: Sequence[Field], headings: Sequence[str], others: Sequence[str] = ()) -> Drift:
    """Compare the declared headings with the delivered ones; `renamed` are the likely pairs of old and new.

    `others` are headings that are declared without being fields (coordinates).
    """
    declared = {*(f.source for f in fields), *others}
    missing = [f for f in fields if f.source not in headings]
    added = [h for h in headings if h not in declared and h not in RESERVED]
    renamed = [(f, new) for f in missing if (new := _likely(f, added, alone=len(missing) == 1))]
    return Drift(missing=tuple(missing), added=tuple(added), renamed=tuple(renamed))


def _likely(item: Field, added: Sequence[str], *, alone: bool) -> str:
    words = (item.source, item.title.zh, item.title.en, item.name)
    near = [(max(difflib.SequenceMatcher(None, w.lower(), h.lower()).ratio() for w in words), h) for h in added]
    best = max(near, default=(0.0, ""))
    return best[1] if best[0] >= 0.5 or (alone and len(added) == 1) else ""


def typed(batch: pa.RecordBatch, resource: Resource, time_zone: str) -> Typed:
    """Read the declared columns of `batch`; a heading that is not there gives nulls (`drift` tells of it).

    Times without an offset are of `time_zone`; they come out in UTC, without a zone.
    """
    result = Typed(arrays={})
    for item in resource.fields:
        index = batch.schema.get_field_index(item.source)
        if index < 0:
            result.arrays[item.name] = pa.nulls(batch.num_rows, ARROW[item.type])
            continue
        column = _cleaned(result, batch.column(index), item)
        array = _quantities(result, column, item) if _is_written(column, item) else _read(column, item, time_zone)
        result.arrays[item.name] = _scaled(array, item)
        _note_unread(result, column, array, item)
    return result


def as_text(column: pa.Array) -> pa.Array:
    """Give a delivered column as the text it would be kept as; the empty string is nothing."""
    return _string(column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column)


def as_number(column: pa.Array) -> np.ndarray:
    """Give a delivered column as floats, NaN where there is no number."""
    plain = column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
    return _number(plain).to_numpy(zero_copy_only=False)


def reads_as(column: pa.Array, kind: FieldType, time_zone: str) -> tuple[int, int]:
    """Count the values written in a column, and those of them that can be read as `kind`."""
    text = as_text(column)
    written = pc.and_(text.is_valid(), pc.invert(pc.is_in(text, value_set=pa.array(EMPTY))))
    read = _datetime(text, time_zone) if kind == "datetime" else _READERS[kind](text)
    return int(pc.sum(written).as_py() or 0), int(pc.sum(pc.and_(written, read.is_valid())).as_py() or 0)


def repeated(fields: Sequence[Field], headings: Sequence[str]) -> list[str]:
    """Give the declared headings that stand twice in a delivery: which of them is meant, nobody can tell."""
    return [f.source for f in fields if f"{f.source}{AGAIN}2" in headings]


def _cleaned(result: Typed, column: pa.Array, item: Field) -> pa.Array:
    """Give a text column without invisible characters; rows that hold others that are no text are refused."""
    if pa.types.is_floating(column.type) and item.type == "string":
        lost = pc.fill_null(pc.greater_equal(pc.abs(column), _EXACT), fill_value=False)
        _note(result.reasons, lost.to_numpy(zero_copy_only=False), f"id_damaged{SEPARATOR}{item.name}")
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    column, hidden, control = invisible.cleaned(column)
    _note(result.repairs, hidden, "invisible_removed")
    _note(result.reasons, control, f"control_character{SEPARATOR}{item.name}")
    return column


def _is_written(column: pa.Array, item: Field) -> bool:
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return item.type in ("number", "integer") and text


def _quantities(result: Typed, column: pa.Array, item: Field) -> pa.Array:
    numbers, rewritten = quantities.numbers(column.cast(pa.string()), item)
    _note(result.repairs, rewritten.to_numpy(zero_copy_only=False), "number_rewritten")
    return _whole(_finite(numbers)) if item.type == "integer" else _finite(numbers)


def _note(places: dict[int, list[str]], rows: np.ndarray, word: str) -> None:
    for row in np.flatnonzero(rows):
        found = places.setdefault(int(row), [])
        found.extend([] if word in found else [word])


def _note_unread(result: Typed, column: pa.Array, array: pa.Array, item: Field) -> None:
    if array.null_count == column.null_count:
        return
    written = pc.and_(column.is_valid(), pc.invert(array.is_valid()))
    if item.type != "string":
        text = pc.utf8_trim_whitespace(_text(column))
        written = pc.and_(written, pc.invert(pc.is_in(text, value_set=pa.array(EMPTY))))
    else:
        return
    for row in np.flatnonzero(written.to_numpy(zero_copy_only=False)):
        result.reasons.setdefault(int(row), []).append(f"type_unreadable{SEPARATOR}{item.name}")


def _scaled(array: pa.Array, item: Field) -> pa.Array:
    if item.scale == 1.0 or item.type != "number":
        return array
    return pc.multiply(array, pa.scalar(item.scale))


def _read(column: pa.Array, item: Field, time_zone: str) -> pa.Array:
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    if item.type == "datetime":
        return _datetime(column, time_zone)
    return _READERS[item.type](column)


def _text(column: pa.Array) -> pa.Array:
    """Give any column as text; a whole float is written without its fraction (a code column read as numbers)."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        whole = pc.and_kleene(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), 1e15))
        if pc.all(whole, min_count=0).as_py() is not False:
            return pc.cast(pc.cast(column, pa.int64(), safe=False), pa.string())
        return pc.if_else(
            whole, pc.cast(pc.cast(column, pa.int64(), safe=False), pa.string()), column.cast(pa.string())
        )
    return column.cast(pa.string())


def _string(column: pa.Array) -> pa.Array:
    text = pc.utf8_trim_whitespace(_text(column))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _number(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _finite(column.cast(pa.float64(), safe=False))
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    text = pc.replace_substring(_plain(column), ",", "")
    good = pc.match_substring_regex(text, _NUMBER)
    return _finite(pc.if_else(good, text, pa.scalar(None, pa.string())).cast(pa.float64()))


def _finite(numbers: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def _plain(column: pa.Array) -> pa.Array:
    """Give text with full-width digits and signs as ASCII, and no white space about it."""
    return pc.utf8_trim_whitespace(pc.utf8_normalize(_text(column), form="NFKC"))


def _integer(column: pa.Array) -> pa.Array:
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64(), safe=False)
    return _whole(_number(column))


def _whole(numbers: pa.Array) -> pa.Array:
    whole = pc.and_kleene(pc.equal(numbers, pc.floor(numbers)), pc.less(pc.abs(numbers), 2.0**53))
    return pc.if_else(whole, numbers, pa.scalar(None, pa.float64())).cast(pa.int64())


def _boolean(column: pa.Array) -> pa.Array:
    if pa.types.is_boolean(column.type):
        return column
    text = _plain(column)
    yes, no = pc.is_in(text, value_set=pa.array(TRUE)), pc.is_in(text, value_set=pa.array(FALSE))
    return pc.if_else(yes, pa.scalar(value=True), pc.if_else(no, pa.scalar(value=False), pa.scalar(None, pa.bool_())))


def _date(column: pa.Array) -> pa.Array:
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return column.cast(pa.date32(), safe=False)
    return moments.days(_plain(column))


def _datetime(column: pa.Array, time_zone: str) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return moments.instants(column.cast(pa.timestamp("us", tz=column.type.tz), safe=False), time_zone)
    return moments.written(_plain(column), time_zone)


_READERS = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
}
