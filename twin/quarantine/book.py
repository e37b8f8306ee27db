"""The workbook in which refused rows go back to a department and come back corrected; the only one to know its form.

Every cell is a text that stays one. On its return the workbook has been made anew in the cage; what was not changed, or
only covered, changes nothing, and whatever is not as it was sent is refused by name.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from twin import spreadsheet
from twin.errors import BadRequest
from twin.model import Text
from twin.policy.masks import HIDDEN
from twin.quarantine.seen import written
from twin.text import in_, t

if TYPE_CHECKING:
    from twin.model import Resource
    from twin.quarantine.refused import Whole
    from twin.quarantine.seen import Cell

    Sent = Mapping[str, tuple[Whole, Sequence[Cell]]]

HEADS = ("name", "source", "row", "reason", "remedy")
"""The columns before those that were sent: what they hold must come back as it went."""
SURE = 3
"""How many of them identify the row."""
MOST_ROWS = 2_000
MOST_FAULTS = 50
GREY, AMBER = "EEF1F4", "FFF3D6"
WIDTHS = (22, 30, 14, 36, 30)
BAD_IN_TITLE = str.maketrans(dict.fromkeys('\\*?:/[]"', "_"))


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One resource's rows as they are sent: each with its cells as whoever sends them may see them."""

    resource: Resource
    rows: tuple[tuple[Whole, tuple[Cell, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What came back: by the name of a row, heading → text of the cells that were changed; and what is wrong."""

    changes: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    faults: tuple[Text, ...] = ()
    rows: int = 0


def write(sheets: Sequence[Sheet], department: Text, language: str, told: Mapping[str, str]) -> bytes:
    """Give the workbook: a sheet that explains it (`told`: label → text), then one for each resource."""
    book = openpyxl.Workbook()
    cover = book.worksheets[0]
    cover.title = t("page.refused.book_cover", language)
    lines = [(str(in_(department, language)), ""), *told.items()]
    lines += [("", ""), *((t(f"page.refused.book_how{n}", language), "") for n in (1, 2, 3, 4))]
    for number, (label, text) in enumerate(lines, 1):
        spreadsheet.put(cover.cell(number, 1), label)
        spreadsheet.put(cover.cell(number, 2), text)
    cover.cell(1, 1).font = Font(bold=True, size=14)
    cover.column_dimensions["A"].width, cover.column_dimensions["B"].width = 40, 60
    for one in sheets:
        _sheet(book, one, language)
    book.properties.creator = ""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(book: Any, one: Sheet, language: str) -> None:
    title = str(one.resource.title.in_(language)).translate(BAD_IN_TITLE)[:28]
    sheet = book.create_sheet(title if title not in book.sheetnames else f"{title[:20]}-{len(book.sheetnames)}")
    headings = headings_of(one)
    for column, head in enumerate([*(t(f"page.refused.book_{h}", language) for h in HEADS), *headings], 1):
        cell = sheet.cell(1, column)
        spreadsheet.put(cell, head)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor=GREY)
        width = WIDTHS[column - 1] if column <= len(HEADS) else 16
        sheet.column_dimensions[get_column_letter(column)].width = width
    for number, (row, cells) in enumerate(one.rows, 2):
        _row(Line(sheet=sheet, headings=headings, language=language), number, row, {c.heading: c for c in cells})
    sheet.freeze_panes = sheet.cell(2, len(HEADS) + 1)


@dataclass(frozen=True, kw_only=True)
class Line:
    """What every row of one sheet is written by."""

    sheet: Any
    headings: Sequence[str]
    language: str


def headings_of(one: Sheet) -> list[str]:
    """Give the columns as they were sent, each once, in their order."""
    return list(dict.fromkeys(c.heading for _, cells in one.rows for c in cells))


def _row(line: Line, number: int, row: Whole, cells: Mapping[str, Cell]) -> None:
    sheet, headings, language = line.sheet, line.headings, line.language
    named = row.row.named
    reasons = ";".join(str(r.said.in_(language)) for r in row.reasons)
    remedies = ";".join(dict.fromkeys(str(r.remedy.in_(language)) for r in row.reasons))
    for column, text in enumerate((named.name, named.source, named.row, reasons, remedies), 1):
        cell = sheet.cell(number, column)
        spreadsheet.put(cell, text)
        cell.fill, cell.alignment = PatternFill("solid", fgColor=GREY), Alignment(wrap_text=True, vertical="top")
    blamed = {r.column for r in row.reasons}
    for column, heading in enumerate(headings, len(HEADS) + 1):
        cell, one = sheet.cell(number, column), cells.get(heading)
        spreadsheet.put(cell, (one.shown or "") if one else "")
        if one and one.column and one.column in blamed:
            cell.fill = PatternFill("solid", fgColor=AMBER)


# ---- its return


def read(content: bytes, sent: Sent) -> Returned:
    """Read a workbook that the cage made anew; `sent` are the rows that wait, by name. Raises BadRequest for none."""
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    changes: dict[str, Mapping[str, str]] = {}
    faults: list[Text] = []
    seen = 0
    for sheet in book.worksheets[1:]:
        rows = sheet.iter_rows(values_only=True)
        head = [_text(v) for v in next(rows, ())]
        if head[:SURE] not in _heads():
            faults.append(_fault(sheet.title, 1, "表头前三列已改动", "the first three headings were changed"))
            continue
        for number, values in enumerate(rows, 2):
            if any(_text(v) for v in values):
                seen += 1
                _take(_Row(sheet.title, number, head, [_text(v) for v in values]), sent, changes, faults)
            if len(faults) >= MOST_FAULTS:
                return Returned(faults=tuple(faults), rows=seen)
    if not seen and not faults:
        raise BadRequest("工作簿里没有退回的行", "The workbook holds no rows that were sent back")
    return Returned(changes=changes if not faults else {}, faults=tuple(faults), rows=seen)


@dataclass(frozen=True)
class _Row:
    sheet: str
    number: int
    head: list[str]
    values: list[str]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Give heading and text of each cell that is no part of the row's identity."""
        texts = [*self.values, *([""] * (len(self.head) - len(self.values)))]
        yield from zip(self.head[len(HEADS) :], texts[len(HEADS) :], strict=False)


def _take(row: _Row, sent: Sent, changes: dict[str, Mapping[str, str]], faults: list[Text]) -> None:
    """Take one row's changed cells, or say what is wrong with the row."""
    name, source, place = [*row.values, "", "", ""][:SURE]
    found = sent.get(name)
    if found is None:
        zh = f"行标识“{name[:40]}”不在隔离区(可能已重新入库、已有新报送,或不属于本部门)"
        faults.append(_fault(row.sheet, row.number, zh, f"no refused row {name[:40]!r} (any more, or not yours)"))
        return
    whole, cells = found
    if (source, place) != (whole.row.named.source, whole.row.named.row) or name in changes:
        zh, en = "文件或行号与行标识不符,或同一行出现两次", "file or row do not belong to this row, or it stands twice"
        faults.append(_fault(row.sheet, row.number, zh, en))
        return
    known = {c.heading: c for c in cells}
    changed: dict[str, str] = {}
    for heading, text in row.pairs():
        cell = known.get(heading)
        if cell is None and (heading or text):
            zh = f"没有退回过“{heading[:40]}”这一列"
            faults.append(_fault(row.sheet, row.number, zh, f"no column {heading[:40]!r} was sent"))
        elif cell is not None and not _same(text, cell):
            changed[heading] = text
    changes[name] = changed


def _same(text: str, cell: Cell) -> bool:
    """Say whether a cell came back as it was: also where only what covers its value differs."""
    if text == (cell.shown or "") or _value(text) == _value(cell.shown or ""):
        return True
    return cell.covered and (HIDDEN in text or "**" in text or text.startswith("t_") or not text)


def _value(text: str) -> object:
    """Give what a spreadsheet may have made of a text without changing its meaning: 01 stays 01, 1.50 is 1.5."""
    if text.startswith("0") and not text.startswith("0."):
        return text
    try:
        return float(text) if len(text) <= 15 else text
    except ValueError:
        return text


def _text(value: Any) -> str:
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    return written(value).strip()


def _heads() -> list[list[str]]:
    return [[t(f"page.refused.book_{h}", lang) for h in HEADS[:SURE]] for lang in ("zh-CN", "en")]


def _fault(sheet: str, row: int, zh: str, en: str) -> Text:
    return Text(f"“{sheet}”第 {row} 行:{zh}", f"{sheet!r}, row {row}: {en}")
