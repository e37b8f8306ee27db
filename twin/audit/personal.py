"""What looks like personal data in a text: identity numbers, mobile numbers, bank cards, names; pure.

Numbers are told by their own arithmetic, so that codes of parcels, grids and runs pass: a resident identity number by
its birth date and check digit (GB 11643-1999, ISO 7064 MOD 11-2), a bank card by issuer (62 with 16 to 19 digits, 4 or
5 with 16) and Luhn's check digit (ISO/IEC 7812-1), a mobile number by the form of the national plan (11 digits, 13 to
19 first). The old identity number of 15 digits has no check digit and the form of a grid code; it is not told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
_GAP = r"[ \-.‐-―]?"
_ID_CARD = re.compile(rf"(?<![0-9A-Za-z])(?:\d{_GAP}){{17}}[\dXx](?![0-9A-Za-z])")
_PHONE = re.compile(rf"(?<![0-9A-Za-z])(?:(?:\+|00)?86{_GAP})?(1[3-9](?:{_GAP}\d){{9}})(?![0-9A-Za-z])")
_CARD = re.compile(rf"(?<![0-9A-Za-z])(?:6{_GAP}2(?:{_GAP}\d){{14,17}}|[45](?:{_GAP}\d){{15}})(?![0-9A-Za-z])")
_NAME = re.compile(r"[㐀-鿿]{2,4}|[㐀-鿿]{1,12}(?:·[㐀-鿿]{1,12})+")
_NAME_KEY = re.compile(r"(?:.*_)?name|.*(?:姓名|名字)", re.IGNORECASE)
ID_CARD, PHONE, BANK_CARD, NAME = "id_card", "phone", "bank_card", "name"


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where something personal stands (never what it is), and its kind."""

    where: str
    kind: str


def in_value(value: Any, where: str = "") -> Iterator[Found]:
    """Give what looks personal anywhere in a JSON value, keys included; `where` is the path to it."""
    if isinstance(value, Mapping):
        for key, held in value.items():
            yield from in_text(str(key), f"{where}.*")
            yield from in_value(held, f"{where}.{key}")
            if isinstance(held, str) and _NAME_KEY.fullmatch(str(key)) and _NAME.fullmatch(held.strip()):
                yield Found(where=f"{where}.{key}", kind=NAME)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, held in enumerate(value):
            yield from in_value(held, f"{where}[{index}]")
    elif value is not None and not isinstance(value, bool):
        yield from in_text(str(value), where)


def in_text(text: str, where: str = "") -> Iterator[Found]:
    """Give the kinds of number that look personal in a text."""
    for kind, _ in _numbers(unicodedata.normalize("NFKC", text)):
        yield Found(where=where, kind=kind)


def hidden(text: str, stand_in: Callable[[str, str], str]) -> str:
    """Give `text` with every personal number replaced by `stand_in(kind, number)`; a text without any is unchanged."""
    plain = unicodedata.normalize("NFKC", text)
    found = list(_numbers(plain))
    for kind, number in found:
        plain = plain.replace(number, stand_in(kind, re.sub(r"[^0-9A-Za-z]", "", number)))
    return plain if found else text


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    for pattern, kind, proved in ((_ID_CARD, ID_CARD, _is_id_card), (_CARD, BANK_CARD, _is_bank_card)):
        for match in pattern.finditer(text):
            if proved(re.sub(r"[^0-9Xx]", "", match.group())):
                yield kind, match.group()
    for match in _PHONE.finditer(text):
        yield PHONE, match.group()


def _is_id_card(number: str) -> bool:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
    return born.year >= 1880 and CHECKS[total % 11] == number[17].upper()


def _is_bank_card(number: str) -> bool:
    digits = [int(d) for d in number]
    doubled = [d if index % 2 == 0 else sum(divmod(2 * d, 10)) for index, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
