"""What a clerk's text means as a number, a date, a truth or an angle; pure, and refuses rather than guesses."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import compute

if TYPE_CHECKING:
    from collections.abc import Callable

pc: Any = compute  # its functions are made at run time

_FULL = {c: chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0xA0: " "}
_INVISIBLE = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_NOTHING = frozenset({"", "无", "—", "-", "--", "/", "\\", "NULL", "null", "None", "N/A", "n/a", "暂无", "空"})
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_TRUE = frozenset({"是", "1", "y", "yes", "true", "t", "有", "√", "✓", "1.0"})
_FALSE = frozenset({"否", "0", "n", "no", "false", "f", "×", "✗", "0.0"})
_EXCEL_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a wall-clock count without a zone
_YEARS = range(1900, 2101)

_DATE = re.compile(
    r"(?P<y>\d{4})\s*(?:[-./年])\s*(?P<m>\d{1,2})(?:\s*(?:[-./月])\s*(?:(?P<d>\d{1,2})\s*日?)?)?"
    r"(?:(?:[T\s]+|(?<=日))(?P<H>\d{1,2})[::时](?P<M>\d{1,2})(?:[::分](?P<S>\d{1,2})(?:\.\d+)?秒?)?分?)?"
)
_COMPACT = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})")
_YEAR = re.compile(r"(?P<y>\d{4})\s*年?")

_DMS = re.compile(
    r"(?:(?P<h1>[NSEW]|东经|西经|北纬|南纬|[东西南北])\s*)?"
    r"(?P<d>[-+]?\d{1,3})\s*(?:°|º|˚|度|d|:|\s)\s*"
    r"(?:(?P<m>\d{1,2}(?:\.\d+)?)\s*(?:′|'|‘|’|分|:|m|\s|$)\s*)?"
    r"(?:(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:″|\"|“|”|''|′′|’’|秒|s)?\s*)?"
    r"(?P<h2>[NSEW]|[东西南北])?",
    re.IGNORECASE,
)


def to_half_width(text: str) -> str:
    """Give `text` with full-width ASCII (０-９ Ａ-Ｚ ．，：) half-width, invisible characters gone, trimmed."""
    return text.translate(_FULL).translate(_INVISIBLE).strip()


def parse_number(text: str) -> float | None:
    """Read a decimal number: full-width digits, thousands commas and exponents allowed; None for an empty cell.

    Raises ValueError for anything else, units and infinities included.
    """
    plain = to_half_width(text)
    if plain in _NOTHING:
        return None
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _PLAIN.fullmatch(plain):
        raise ValueError(text)
    value = float(plain)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def parse_datetime(text: str) -> dt.datetime | None:
    """Read a local date and time without zone: ISO, `2021年9月3日 08:30`, `2021.9`, `2021/9/3`, `20210903`, a year.

    A month alone means its first day, a year alone its first of January; an Excel serial (1982-2100) is recognised.
    None for an empty cell; raises ValueError for what is no date (2024.2.30).
    """
    plain = to_half_width(text)
    if plain in _NOTHING:
        return None
    for pattern in (_DATE, _COMPACT, _YEAR):
        found = pattern.fullmatch(plain)
        if found:
            return _moment(found.groupdict(), text)
    serial = float(plain) if _PLAIN.fullmatch(plain) else math.nan
    if not 30_000 <= serial < 73_051:
        raise ValueError(text)
    return _EXCEL_EPOCH + dt.timedelta(seconds=round(serial * 86400))


def parse_date(text: str) -> dt.date | None:
    """Read a date as `parse_datetime` does, and give its day."""
    moment = parse_datetime(text)
    return None if moment is None else moment.date()


def parse_boolean(text: str) -> bool | None:
    """Read 是/否, 1/0, Y/N, true/false; None for an empty cell; raises ValueError otherwise."""
    plain = to_half_width(text).lower()
    if plain in _TRUE:
        return True
    if plain in _FALSE:
        return False
    if plain in _NOTHING:
        return None
    raise ValueError(text)


def parse_dms(text: str, limit: float) -> float:
    """Read an angle in degrees, decimal or degree-minute-second in any usual spelling, within ± `limit`.

    `119.91`, `119°54′36.5″E`, `119度54分36.5秒`, `东经119°54′36.5″`, `119 54 36.5`, `119:54:36.5`, full-width digits.
    Raises ValueError where minutes or seconds reach 60, or the angle is out of range (11954365).
    """
    plain = to_half_width(text).replace("＇", "'").replace("＂", '"')
    value = float(plain) if _PLAIN.fullmatch(plain) else _angle(_DMS.fullmatch(plain), text)
    if not -limit <= value <= limit:
        raise ValueError(text)
    return value


def is_dms(text: str) -> bool:
    """Tell whether `text` is written as an angle rather than as a decimal number."""
    return not _PLAIN.fullmatch(to_half_width(text))


def numbers(strings: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read a string array by `parse_number`: (float64 with nulls, bool ok); a null cell is ok."""
    plain = pc.utf8_trim_whitespace(strings)
    simple = pc.match_substring_regex(plain, r"^[+-]?[0-9]+(\.[0-9]*)?$")
    if pc.all(pc.fill_null(simple, fill_value=True)).as_py() is not False:
        return pc.cast(plain, pa.float64()), pa.array([True] * len(strings), pa.bool_())
    return _each(strings, parse_number, pa.float64())


def dates(strings: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read a string array by `parse_date`: (date32 with nulls, bool ok)."""
    return _each(strings, parse_date, pa.date32())


def datetimes(strings: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read a string array by `parse_datetime`: (timestamp[us] without zone, with nulls; bool ok)."""
    return _each(strings, parse_datetime, pa.timestamp("us"))


def booleans(strings: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read a string array by `parse_boolean`: (bool with nulls, bool ok)."""
    return _each(strings, parse_boolean, pa.bool_())


def text(strings: pa.Array) -> pa.Array:
    """Give a string array half-width and trimmed; an empty cell becomes null."""
    encoded = _dictionary(strings)
    words = [to_half_width(w) or None for w in encoded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(encoded.indices)


def _each(strings: pa.Array, parse: Callable[[str], Any], kind: pa.DataType) -> tuple[pa.Array, pa.Array]:
    """Parse each distinct text once; clerks repeat themselves."""
    encoded = _dictionary(strings)
    values: list[Any] = []
    good: list[bool] = []
    for word in encoded.dictionary.to_pylist():
        try:
            values.append(parse(word))
            good.append(True)
        except ValueError:
            values.append(None)
            good.append(False)
    return (
        pa.array(values, kind).take(encoded.indices),
        pc.fill_null(pa.array(good, pa.bool_()).take(encoded.indices), fill_value=True),
    )


def _dictionary(strings: pa.Array) -> pa.DictionaryArray:
    flat = strings.combine_chunks() if isinstance(strings, pa.ChunkedArray) else strings
    return flat.cast(pa.string()).dictionary_encode()


def _moment(parts: dict[str, str | None], text: str) -> dt.datetime:
    year = int(parts["y"] or 0)
    if year not in _YEARS:
        raise ValueError(text)
    month, day = int(parts.get("m") or 1), int(parts.get("d") or 1)
    hour, minute, second = (int(parts.get(k) or 0) for k in ("H", "M", "S"))
    return dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the clerk's wall clock


def _angle(found: re.Match[str] | None, text: str) -> float:
    if found is None:
        raise ValueError(text)
    degrees, minutes, seconds = float(found["d"]), float(found["m"] or 0), float(found["s"] or 0)
    if minutes >= 60 or seconds >= 60 or (found["s"] and not found["m"]):
        raise ValueError(text)
    side = (found["h1"] or found["h2"] or "").upper()[:1]
    negative = found["d"].startswith("-") or side in ("S", "W", "南", "西")
    return (-1 if negative else 1) * (abs(degrees) + minutes / 60 + seconds / 3600)
