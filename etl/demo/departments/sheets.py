"""Tables as departments make them: workbooks with titles and merged headings, and CSV in the encoding of the day."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

Row = dict[str, Any]
FIXED_TIME = dt.datetime(2025, 11, 20, 17, 30)  # noqa: DTZ001 - a file's own wall clock
SAVED_AT = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
TITLE_FONT, HEAD_FONT = Font(size=16, bold=True), Font(bold=True)
CENTRE = Alignment(horizontal="center", vertical="center")
FULL_WIDTH = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "0123456789."})


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet: title rows, and rows by heading; a heading "上/下" stands in two rows under a merged upper cell."""

    name: str
    title: Sequence[str]
    rows: Sequence[Row]


def full_width(value: object) -> str:
    """Give digits as a Chinese input method left in full width types them (U+FF10 and on)."""
    return str(value).translate(FULL_WIDTH)


def workbook(path: Path, *sheets: Sheet) -> None:
    """Write sheets with merged titles and headings, as a department's office does; same content, same bytes."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator, book.properties.created, book.properties.modified = "办公室", FIXED_TIME, FIXED_TIME
    for sheet in sheets:
        _fill(book.create_sheet(sheet.name), sheet)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    book.save(buffer)
    path.write_bytes(_without_clock(buffer.getvalue()))


def table(path: Path, rows: Sequence[Row], encoding: str) -> None:
    """Write CSV with a heading row in `encoding`, lines ended as Windows does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)


def _fill(page: Worksheet, sheet: Sheet) -> None:
    headings = list(sheet.rows[0])
    for line in sheet.title:
        page.append([line])
        page.merge_cells(start_row=page.max_row, end_row=page.max_row, start_column=1, end_column=len(headings))
        page.cell(page.max_row, 1).font, page.cell(page.max_row, 1).alignment = TITLE_FONT, CENTRE
    _head(page, headings)
    for row in sheet.rows:
        page.append([row.get(heading) for heading in headings])


def _head(page: Worksheet, headings: Sequence[str]) -> None:
    top = page.max_row + 1 if page.max_row > 1 or page.cell(1, 1).value is not None else 1
    parts = [heading.split("/", 1) for heading in headings]
    deep = any(len(part) > 1 for part in parts)
    for column, part in enumerate(parts, 1):
        upper = page.cell(top, column, part[0] if column == 1 or parts[column - 2][0] != part[0] else None)
        upper.font, upper.alignment = HEAD_FONT, CENTRE
        if deep and len(part) > 1:
            page.cell(top + 1, column, part[1]).font = HEAD_FONT
        elif deep:
            page.merge_cells(start_row=top, end_row=top + 1, start_column=column, end_column=column)
    if deep:
        _merge_groups(page, top, [part[0] for part in parts])


def _merge_groups(page: Worksheet, row: int, names: Sequence[str]) -> None:
    start = 0
    for end in range(1, len(names) + 1):
        if end == len(names) or names[end] != names[start]:
            if end - start > 1:
                page.merge_cells(start_row=row, end_row=row, start_column=start + 1, end_column=end)
            start = end


def _without_clock(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            stamped = zipfile.ZipInfo(item.filename, FIXED_TIME.timetuple()[:6])
            stamped.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(stamped, SAVED_AT.sub(rb"\g<1>2025-11-20T17:30:00Z\g<2>", old.read(item)))
    return out.getvalue()
