"""What each column of a sample is: type, date form, unit, code list, personal or not, each with its evidence."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from etl import columns as delivered
from etl.looking import lexicon, personal
from etl.looking.values import Column, Said
from twin.policy.masks import mask

if TYPE_CHECKING:
    from etl.looking.lexicon import Lexicon
    from etl.looking.values import Sure
    from twin.model import FieldType

CODES = 0.8
ENOUGH = 0.85
MOST_DISTINCT = 2_000
EXAMPLES = 3
_LABEL = re.compile(r"编号|编码|代码|号$|号码|序号|code|_id$|^id$|bh$|bm$|dm$", re.IGNORECASE)
_YES_NO = frozenset({"是", "否", "有", "无", "Y", "N", "√", "×", "true", "false", "True", "False", "TRUE", "FALSE"})
_MEASURED = re.compile(r"面积|长度|宽度|高度|容量|重量|水位|流量|[(（](?:㎡|m²|亩|米|公里|吨|kva|kw)", re.IGNORECASE)
"""Headings of what is measured rather than counted, whole though the numbers may be so far."""
_YEAR = re.compile(r"(19|20)\d\d")
_STAMP = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_FORMS = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "2025-01-31"), (r"\d{4}/\d{1,2}/\d{1,2}", "2025/1/31"),
    (r"\d{4}\.\d{1,2}(\.\d{1,2})?", "2025.1.31"), (r"\d{4}年\d{1,2}月(\d{1,2}日)?", "2025年1月31日"),
    (r"\d{8}", "20250131"), (r"\d{4}年?", "2025"), (r".*\d:\d\d.*", "2025-01-31 08:30"),
)  # fmt: skip


def columns(table: pa.Table, words: Lexicon, time_zone: str, left_out: Sequence[str] = ()) -> tuple[Column, ...]:
    """Tell every delivered column of a sample but those `left_out` (coordinates)."""
    found: list[Column] = []
    taken: set[str] = set()
    for name in table.schema.names:
        if name in delivered.RESERVED or name in left_out:
            continue
        told = _column(name, table.column(name).combine_chunks(), words, time_zone, taken)
        taken.add(told.name)
        found.append(told)
    return tuple(found)


def _column(heading: str, column: pa.Array, words: Lexicon, time_zone: str, taken: set[str]) -> Column:
    text = delivered.as_text(column)
    distinct = pc.unique(text.drop_null())
    values = [v for v in distinct.slice(0, MOST_DISTINCT).to_pylist() if v not in delivered.EMPTY]
    kind, sure, why = _type(heading, column, values, time_zone)
    known = words.field(heading)
    told = personal.tell(lexicon.tail(heading), values)
    reasons: list[Said] = [why]
    draft = Column(
        source=heading,
        name=_named(heading, known, taken),
        title=(known[0].title.zh, known[0].title.en) if known else (lexicon.bare(heading), lexicon.bare(heading)),
        type=kind,
        sure=sure,
        written=len(text) - text.null_count,
        distinct=len(distinct),
    )
    if known:
        reasons.append((f"目录中 {known[1]} 项资源这样申报该表头", f"{known[1]} resources declare this heading so"))
    draft = _with_codes(draft, values, words, reasons)
    draft = _with_unit(draft, known[0] if known else None, reasons)
    if told:
        kept = "string" if told.meaning != "other" else draft.type
        draft = replace(draft, meaning=told.meaning, sensitivity=told.sensitivity, type=kept, code_system="")
        reasons.append(told.why)
    if told and told.meaning == "id_card" and told.sure == "sure":
        draft = replace(draft, pattern="@gb11643")
    shown = (v if len(v) <= 24 else v[:23] + "…" for v in values[:EXAMPLES])
    examples = tuple(str(mask(draft.name, v, told.meaning)) if told else v for v in shown)  # type: ignore[arg-type]
    return replace(draft, examples=examples, why=tuple(reasons))


def _named(heading: str, known: tuple[object, int] | None, taken: set[str]) -> str:
    name = getattr(known[0], "name", "") if known else ""
    return name if name and name not in taken else lexicon.column_name(heading, taken)


def _type(heading: str, column: pa.Array, values: Sequence[str], time_zone: str) -> tuple[FieldType, Sure, Said]:
    stated = _stated(column.type)
    if stated and not (stated in ("integer", "number") and _LABEL.search(lexicon.tail(heading))):
        return stated, "sure", (f"文件写明为 {column.type}", f"the file says {column.type}")
    if not values:
        return "string", "unknown", ("整列为空,类型无从判断", "the column is empty: its type cannot be told")
    if set(values) <= _YES_NO or (set(values) <= {"0", "1"} and "是否" in heading):
        return "boolean", "likely", (f"只有 {'、'.join(values[:4])}", f"only {', '.join(values[:4])}")
    for tried in ("datetime", "date", "integer", "number"):
        found = _tried(tried, heading, column, values, time_zone)
        if found:
            return found
    return "string", "likely", ("不是数、日期或是非", "neither numbers nor dates nor yes and no")


def _stated(kind: pa.DataType) -> FieldType | None:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_date(kind):
        return "date"
    return "datetime" if pa.types.is_timestamp(kind) else None


def _tried(
    kind: FieldType, heading: str, column: pa.Array, values: Sequence[str], time_zone: str
) -> tuple[FieldType, Sure, Said] | None:
    if not _MAY[kind](heading, values):
        return None
    written, read = delivered.reads_as(column, kind, time_zone)
    if not written or read < ENOUGH * written:
        return None
    sure: Sure = "sure" if read == written else "likely"
    counted = (f"{read}/{written} 行可读作", f"{read} of {written} rows read as")
    if kind in ("date", "datetime"):
        form = next((shown for pattern, shown in _FORMS if re.fullmatch(pattern, values[0])), values[0][:24])
        mixed = len({next((s for p, s in _FORMS if re.fullmatch(p, v)), "") for v in values}) > 1
        more = ("等多种写法", " and other forms") if mixed else ("", "")
        zh, en = f"{counted[0]}日期,写法 {form}{more[0]}", f"{counted[1]} dates, written {form}{more[1]}"
        return kind, sure, (zh, en)
    word = ("整数", "whole numbers") if kind == "integer" else ("数", "numbers")
    return kind, sure, (f"{counted[0]}{word[0]}", f"{counted[1]} {word[1]}")


def _dated(heading: str, values: Sequence[str]) -> bool:
    """Say whether values may be dates at all: plain numbers are only where they are whole stamps."""
    if all(_YEAR.fullmatch(v) for v in values):
        return False
    numbers = [v for v in values if v.isdigit()]
    return all(_STAMP.fullmatch(v) or _YEAR.fullmatch(v) for v in numbers) and not _LABEL.search(heading)


def _is_label(heading: str, values: Sequence[str]) -> bool:
    """Say whether digits are a name rather than a number: by heading, leading zeros, or length."""
    if any(re.match(r"0\d", v) for v in values) or any(len(v.lstrip("-")) >= 12 and v.isdigit() for v in values):
        return True
    return _LABEL.search(lexicon.bare(lexicon.tail(heading))) is not None and "序号" not in heading


_MAY: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "datetime": lambda _, values: all(":" in v for v in values),
    "date": _dated,
    "integer": lambda heading, values: (
        not (_is_label(heading, values) or any("." in v for v in values) or _MEASURED.search(heading))
    ),
    "number": lambda heading, values: not _is_label(heading, values),
}
"""Whether values under a heading may be of a type at all, before they are read as it."""


def _with_codes(draft: Column, values: Sequence[str], words: Lexicon, reasons: list[Said]) -> Column:
    """Name the code list the values belong to, where one holds nearly all of them."""
    if len(values) < 2 or draft.type not in ("string", "integer", "boolean"):
        return draft
    fitting = []
    for system in words.systems:
        codes = {c.code for c in system.codes}
        share = sum(v in codes for v in values) / len(values)
        if share >= CODES:
            fitting.append((share, -len(codes), system))
    if not fitting:
        return draft
    _, _, best = max(fitting, key=lambda f: f[:2])
    others = [s.id for _, _, s in fitting if s is not best]
    codes = {c.code for c in best.codes}
    within = sum(v in codes for v in values)
    zh = f"{len(values)} 个不同取值中 {within} 个在代码表 {best.id} 中"
    en = f"{within} of its {len(values)} values stand in {best.id}"
    if others:
        zh, en = f"{zh};也可能是 {'、'.join(others)},请确认", f"{en}; it may be {', '.join(others)} too: confirm"
    reasons.append((zh, en))
    return replace(draft, code_system=best.id, type="string")


def _with_unit(draft: Column, known: object, reasons: list[Said]) -> Column:
    if draft.type not in ("number", "integer"):
        return draft
    told = lexicon.unit(draft.source)
    if told:
        written, unit, scale = told
        reasons.append((f"表头写明单位 {written}", f"its heading gives the unit {written}"))
        kind = "number" if scale != 1.0 else draft.type
        return replace(draft, unit=unit, scale=scale, type=kind)
    unit = getattr(known, "unit", "")
    if unit:
        scale = float(getattr(known, "scale", 1.0))
        reasons.append((f"单位 {unit} 取自目录中的同名项", f"the unit {unit} is that of the catalogue's item"))
        kind = "number" if scale != 1.0 else draft.type
        return replace(draft, unit=unit, scale=scale, type=kind)
    return draft
