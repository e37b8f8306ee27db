"""Whether a value that a person writes fits what its department declared: type, limits, pattern, code list; pure.

The receiving side judges again when the row is staged: what passes here and not there stays refused, with its reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from twin.model import Text
from twin.quarantine.naming import EXCHANGED, GEOMETRY

if TYPE_CHECKING:
    from twin.model import CodeSystem, Field, Resource

NOTHING = frozenset({"", "无", "—", "-", "--", "/", "\uff0f", "NULL", "null", "None", "nan", "NaN", "N/A", "<Null>"})
YES_NO = frozenset({
    "是", "有", "1", "Y", "y", "yes", "Yes", "YES", "T", "true", "True", "TRUE", "√",
    "否", "无", "0", "N", "n", "no", "No", "NO", "F", "false", "False", "FALSE", "×",
})  # fmt: skip
DAYS = (r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", r"(\d{4})(\d{2})(\d{2})", r"(\d{4})[-/.年](\d{1,2})月?")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
LONGEST = 2000
MOST_DIGITS = 2.0**53
KINDS = {
    "integer": Text("整数", "an integer"),
    "number": Text("数字", "a number"),
    "boolean": Text("是/否", "yes or no"),
    "date": Text("日期", "a date"),
    "datetime": Text("时刻", "a time"),
}


def correctable(resource: Resource) -> dict[str, Field | None]:
    """Give the headings a correction may name: the declared ones, and those of coordinates (None)."""
    places = {h: None for s in resource.sources for h in (s.x, s.y) if h}
    return {**places, **{f.source: f for f in resource.fields}}


def prove(resource: Resource, changes: Mapping[str, str], systems: Mapping[str, CodeSystem]) -> dict[str, Text]:
    """Give what is wrong with each corrected value, by heading; empty where all may be taken."""
    known = correctable(resource)
    wrong: dict[str, Text] = {}
    for heading, text in changes.items():
        if heading == GEOMETRY:
            found = None if text == EXCHANGED else Text("只能对调坐标", "Coordinates can only be exchanged")
        elif heading not in known:
            found = Text("没有申报这一列,不能更正", "This column is not declared and cannot be corrected")
        else:
            found = _wrong(known[heading], text, resource, systems)
        if found is not None:
            wrong[heading] = found
    return wrong


def _wrong(item: Field | None, text: str, resource: Resource, systems: Mapping[str, CodeSystem]) -> Text | None:
    if len(text) > LONGEST or any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        return Text("内容过长,或含有不可见字符", "It is too long, or holds invisible characters")
    if item is None:
        return None if _number(text) is not None else Text("坐标应为数字", "A coordinate is a number")
    if text.strip() == "" or (item.type != "string" and text.strip() in NOTHING):
        needed = item.required or item.name == resource.key
        return Text("此项必填", "It must be filled in") if needed else None
    return _unreadable(item, text) or _beyond(item, text) or _unfit(item, text, systems)


def _unreadable(item: Field, text: str) -> Text | None:
    plain = _plain(text)
    good = {
        "string": lambda: True,
        "number": lambda: _number(text) is not None,
        "integer": lambda: (n := _number(text)) is not None and n == int(n) and abs(n) < MOST_DIGITS,
        "boolean": lambda: plain in YES_NO,
        "date": lambda: _is_day(plain),
        "datetime": lambda: _is_time(plain),
    }[item.type]()
    kind = KINDS.get(item.type)
    return None if good or kind is None else Text(f"应写成{kind.zh}", f"Write {kind.en}")


def _beyond(item: Field, text: str) -> Text | None:
    if item.type not in ("number", "integer"):
        return None
    value = (_number(text) or 0.0) * (item.scale if item.type == "number" else 1)
    if item.minimum is not None and value < item.minimum:
        return Text(f"小于下限 {item.minimum:g}", f"Below the least, {item.minimum:g}")
    if item.maximum is not None and value > item.maximum:
        return Text(f"大于上限 {item.maximum:g}", f"Above the most, {item.maximum:g}")
    if item.above is not None and value <= item.above:
        return Text(f"应大于 {item.above:g}", f"It must exceed {item.above:g}")
    return None


def _unfit(item: Field, text: str, systems: Mapping[str, CodeSystem]) -> Text | None:
    value = text.strip()
    if item.type == "string" and item.length is not None and len(value) > item.length:
        return Text(f"超过 {item.length} 字", f"Longer than {item.length} characters")
    if item.pattern == "@gb11643":
        return None if is_id_card(value) else Text("不是有效的身份证号", "Not a valid identity number")
    if item.pattern and not item.pattern.startswith("@") and not _matches(item.pattern, value):
        return Text(f"不合格式 {item.pattern}", f"Does not match {item.pattern}")
    if item.code_system and (system := systems.get(item.code_system)) is not None:
        code = system.find(value)
        if code is None:
            return Text(f"不在代码表 {system.title.zh} 中", f"Not in the code list {system.title.en}")
        if code.abolished:
            return Text("这个代码已废止", "This code is abolished")
    return None


def _matches(pattern: str, value: str) -> bool:
    """Match as the contract does (RE2); a pattern only RE2 knows is left to it."""
    try:
        return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value) is not None
    except re.error:
        return True


def is_id_card(text: str) -> bool:
    """Say whether `text` is a resident identity number with the right check character (GB 11643-1999)."""
    number = text.strip().upper()
    if re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number, re.ASCII) is None:
        return False
    return "10X98765432"[sum(int(d) * w for d, w in zip(number, WEIGHTS, strict=False)) % 11] == number[17]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _number(text: str) -> float | None:
    bare = _plain(text).replace(",", "")
    found = re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", bare, re.ASCII)
    value = float(bare) if found else float("inf")
    return value if abs(value) < float("inf") else None


def _is_day(text: str) -> bool:
    bare = re.sub(r"[T ]\s*00:00(:00(\.0+)?)?$", "", text)
    if re.fullmatch(r"[1-9]\d{3}\s*年?", bare, re.ASCII):
        return True
    for form in DAYS:
        found = re.fullmatch(form, bare.replace(" ", ""), re.ASCII)
        if found:
            parts = [int(p) for p in found.groups()]
            try:
                date(parts[0], parts[1], parts[2] if len(parts) > 2 else 1)
            except ValueError:
                return False
            return True
    return False


def _is_time(text: str) -> bool:
    bare = re.sub("日", "", re.sub(r"[/.年月]", "-", text)).replace("T", " ")
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            datetime.strptime(bare, form)  # noqa: DTZ007 - only whether it can be read
        except ValueError:
            continue
        return True
    return False
