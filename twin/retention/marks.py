"""Keyed hashes that stand for the people whose data was erased: they find a value again and do not tell it; pure.

A number (identity card, phone, bank card, plate) is one mark wherever it stands. A name is shared by many, so it marks
one row only: table, key and name together. The key is made of the house secret, so that whoever has the list alone
cannot try all numbers there are.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
SHORTEST = 6
"""What is shorter is no number that stands for a person."""
_GAPS = re.compile(r"[\s\-.·‐-―()]+")
_PARTS = re.compile(r"[\s、,;:/|()]+")
_RUN = re.compile(r"[0-9A-Z]+")
LENGTHS = (18, 11)
"""How long identity and mobile numbers are: where numbers run into each other, these are looked for within."""
_DIGITS = re.compile(r"\d")


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Which people are erased: the marks of their numbers, and by table those of single rows; `keys` by their id."""

    keys: Mapping[str, bytes]
    numbers: frozenset[str] = frozenset()
    rows: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def __bool__(self) -> bool:
        """Say whether anybody is marked."""
        return bool(self.numbers or self.rows)

    def holds(self, value: Any) -> bool:
        """Say whether `value`, or a part of it, is a marked number."""
        return bool(self.numbers) and any(
            mark(key, name, number) in self.numbers for number in numbers(value) for name, key in self.keys.items()
        )

    def holds_row(self, table: str, key: Any, values: Iterable[Any]) -> bool:
        """Say whether the row `key` of `table` is marked under a name that is still one of its `values`."""
        marked = self.rows.get(table)
        if not marked:
            return False
        told = [of_row(table, str(key), str(v)) for v in values if v not in (None, "")]
        return any(mark(secret, name, text) in marked for text in told for name, secret in self.keys.items())

    def together(self, other: Marks) -> Marks:
        """Give the marks of both."""
        tables = self.rows.keys() | other.rows.keys()
        rows = {t: self.rows.get(t, frozenset()) | other.rows.get(t, frozenset()) for t in tables}
        return Marks(keys={**self.keys, **other.keys}, numbers=self.numbers | other.numbers, rows=rows)


NONE = Marks(keys={})


def keys_of(secrets: Iterable[str | bytes]) -> dict[str, bytes]:
    """Give the keys of the house secrets by their ids, the present one first."""
    made: dict[str, bytes] = {}
    for secret in secrets:
        key = hmac.digest(secret.encode() if isinstance(secret, str) else secret, b"onemap:erased", "sha256")
        made[hashlib.sha256(b"id" + key).hexdigest()[:8]] = key
    return made


def mark(key: bytes, name: str, text: str) -> str:
    """Give what stands for `text`: the key's id and 128 bits."""
    return f"{name}-{hmac.digest(key, text.encode('utf-8', 'surrogatepass'), 'sha256').hex()[:32]}"


def of_row(table: str, key: str, name: str) -> str:
    """Give the one text under which a row and a name in it are marked."""
    return "\0".join(("row", table, key, plain(name)))


def plain(value: Any) -> str:
    """Give a value as one text: full-width letters as usual ones, upper case, no gaps within."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _GAPS.sub("", unicodedata.normalize("NFKC", str(value)).upper())


def numbers(value: Any) -> Iterator[str]:
    """Give every number that a value may be or hold, each in its one form."""
    if value is None or isinstance(value, bool | bytes):
        return
    whole = plain(value)
    if not _DIGITS.search(whole):
        return
    runs = _RUN.findall(whole)
    within = {r[i : i + n] for r in runs if len(r) > max(LENGTHS) for n in LENGTHS for i in range(len(r) - n + 1)}
    parts = {whole, *map(plain, _PARTS.split(unicodedata.normalize("NFKC", str(value)))), *runs}
    for part in parts | within:
        if len(part) >= SHORTEST and sum(c.isdigit() for c in part) * 2 >= len(part):
            yield _one_form(part)


def _one_form(text: str) -> str:
    """Write a mobile number without 86 before it, and an identity number of 15 digits with the 18 it became."""
    bare = text.removeprefix("+")
    if len(bare) in (13, 15) and re.fullmatch(r"(?:00)?86(1[3-9]\d{9})", bare):
        return bare[-11:]
    if len(bare) == 15 and bare.isdigit() and _is_day("19" + bare[6:12]):
        grown = f"{bare[:6]}19{bare[6:]}"
        return grown + CHECKS[sum(int(d) * w for d, w in zip(grown, WEIGHTS, strict=True)) % 11]
    return bare


def _is_day(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True
