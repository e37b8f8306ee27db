"""Every word a person reads, in zh-CN and English, and how numbers, areas, dates and ages are written."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.dates import format_timedelta
from babel.numbers import format_compact_decimal, format_decimal

from twin.model import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LANGUAGES = ("zh-CN", "en")
MU_M2 = 2000 / 3
"""One 亩 in m² (GB 3100: 15 亩 are one hectare)."""
BABEL = {"zh-CN": "zh_Hans_CN", "en": "en"}


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Give the flat catalogue of `language`: "page.group.word" → wording with {named} places."""
    name = "en" if language.startswith("en") else "zh-CN"
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))


def t(key: str, language: str, **values: object) -> str:
    """Give the wording of `key` in `language`, its {named} places filled; an unknown key raises KeyError.

    Where `n` is one and the catalogue has `<key>.one`, that is said: Chinese needs it nowhere.
    """
    wordings = catalogue(language)
    one = wordings.get(f"{key}.one") if str(values.get("n")) == "1" else None
    return (one or wordings[key]).format(**values)


def words(key: str, **values: object) -> Text:
    """Give the wording of `key` in both languages; a value that is a Text is taken in the same language."""
    return both(lambda language: t(key, language, **{k: in_(v, language) for k, v in values.items()}))


def in_(value: object, language: str) -> object:
    """Give `value` itself, or where it is a Text, its wording in `language`."""
    return value.in_(language) if isinstance(value, Text) else value


def both(write: Callable[[str], str]) -> Text:
    """Call `write(language)` for each language."""
    return Text(write("zh-CN"), write("en"))


def number(value: float | None, language: str, digits: int = 1) -> str:
    """Write a number with grouping and at most `digits` decimals; None is "–"."""
    if value is None:
        return "–"
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return format_decimal(round(value, digits), format=pattern, locale=BABEL[language])


def fixed(value: float | None, language: str, digits: int) -> str:
    """Write a number with grouping and exactly `digits` decimals, so that a column of them lines up."""
    if value is None:
        return "–"
    return format_decimal(value, format="#,##0" + ("." + "0" * digits if digits else ""), locale=BABEL[language])


def short(value: float | None, language: str) -> str:
    """Write a number so that it fits a chart: 1.2万 / 12K; whole numbers below ten thousand stay as they are."""
    if value is None:
        return "–"
    if abs(value) < 10_000:
        return number(value, language, 1)
    return format_compact_decimal(value, locale=BABEL[language], fraction_digits=1)


def square_metres(m2: float | None, language: str) -> str:
    """Write an area in m² ("131.2")."""
    return number(m2, language, 1 if m2 is not None and abs(m2) < 10_000 else 0)


def mu(m2: float | None, language: str) -> str:
    """Write an area given in m² as 亩: three decimals below 1 亩, two below 100, one below 1,000, else none."""
    if m2 is None:
        return "–"
    value = m2 / MU_M2
    size = abs(value)
    return fixed(value, language, 3 if size < 1 else 2 if size < 100 else 1 if size < 1000 else 0)


def day(value: date | datetime | str | None) -> str:
    """Write a date as 2025-11-21 in both languages; "–" where there is none."""
    if value is None or value == "":
        return "–"
    return str(value)[:10]


def age(seconds: float | None, language: str) -> str:
    """Write how long ago something was: 3分钟前, 2 days ago."""
    if seconds is None:
        return t("page.age.unknown", language)
    if seconds < 60:
        return t("page.age.now", language)
    return format_timedelta(-int(seconds), locale=BABEL[language], add_direction=True, threshold=1.2)


def telephone(value: str) -> str:
    """Write a mobile number in three, four and four digits; any other as it is given."""
    digits = value.replace(" ", "").replace("-", "")
    return f"{digits[:3]} {digits[3:7]} {digits[7:]}" if len(digits) == 11 and digits.startswith("1") else value


def plain(value: Any, language: str) -> str:
    """Write any value of a row for reading: numbers grouped, dates as dates, booleans as yes or no."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return t("page.value.yes" if value else "page.value.no", language)
    if isinstance(value, int):
        return number(value, language, 0)
    if isinstance(value, float):
        return number(value, language, 2)
    if isinstance(value, date | datetime):
        return day(value)
    return str(value)
