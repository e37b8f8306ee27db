"""What a workbook (.xlsx, .xls) says, cell by cell, as a clerk typed it; the only user of calamine."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import python_calamine as calamine

from etl import archive
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etl.heading import Merged
    from etl.job import Job

MAX_CELLS = 30_000_000
_DIGITS_KEPT = 15


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet as texts: `rows` from the sheet's first row, `lost` the cells Excel kept as too long a number."""

    name: str
    rows: list[list[str | None]]
    merged: Sequence[Merged]
    lost: set[tuple[int, int]]


def read(job: Job, magic: bytes) -> Sheet:
    """Read the sheet `job.part` (or the first); raises SourceError where it cannot be opened or is too large."""
    book = _open(job, magic)
    return _sheet(job, book, _sheet_name(job, list(book.sheet_names)))


def sheets(job: Job, magic: bytes, most: int) -> Iterator[tuple[str, Sheet]]:
    """Read the first `most` sheets by name, as they stand in the book; raises SourceError as `read` does."""
    book = _open(job, magic)
    for name in book.sheet_names[:most]:
        yield name, _sheet(job, book, name)


def _open(job: Job, magic: bytes) -> calamine.CalamineWorkbook:
    if magic.startswith(b"PK"):
        archive.check(job.main, job.name)
    try:
        return calamine.CalamineWorkbook.from_path(job.path)
    except calamine.PasswordError as wrong:
        raise _refused(job, "有密码保护，请去掉密码", "it is protected by a password; remove it") from wrong
    except (calamine.CalamineError, calamine.ZipError, calamine.XmlError, OSError) as wrong:
        raise _refused(job, "不是有效的工作簿", "it is not a valid workbook") from wrong


def _sheet(job: Job, book: calamine.CalamineWorkbook, name: str) -> Sheet:
    try:
        sheet = book.get_sheet_by_name(name)
        if sheet.total_height * sheet.total_width > MAX_CELLS:
            raise _refused(
                job, "使用区域过大(多为空白格式)，请删除多余行列", "its used range is too large; delete empty rows"
            )
        cells: list[list[Any]] = sheet.to_python(skip_empty_area=False)
        merged = list(sheet.merged_cell_ranges or ())
    except (calamine.CalamineError, calamine.XmlError, calamine.ZipError, calamine.WorksheetNotFound) as wrong:
        raise _refused(job, f"工作表“{name}”损坏", f"its sheet “{name}” is damaged") from wrong
    lost: set[tuple[int, int]] = set()
    rows = [[_text(c, i, j, lost) for j, c in enumerate(row)] for i, row in enumerate(cells)]
    return Sheet(name=name, rows=rows, merged=merged, lost=lost)


def _sheet_name(job: Job, names: list[str]) -> str:
    if job.part in names:
        return job.part
    if not job.part and names:
        return names[0]
    shown = "、".join(names[:12])
    raise SourceError(
        f"“{job.name}”中没有工作表“{job.part}”，只有：{shown}。请在目录该来源的 part 中写明工作表名。",
        f"“{job.name}” has no sheet “{job.part}”, only: {shown}. Name one of them as part in the catalogue.",
        file=job.name,
        sheet=job.part,
    )


def _text(cell: Any, row: int, column: int, lost: set[tuple[int, int]]) -> str | None:
    """Give a cell as text: numbers without ".0", dates in ISO form, None for empty."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (int, float)):
        if abs(cell) >= 10.0**_DIGITS_KEPT:
            lost.add((row, column))
            return f"{cell:.14E}"  # as Excel shows it: no digit is made up
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
    return None if cell is None else str(cell)


def _refused(job: Job, zh: str, en: str) -> SourceError:
    return SourceError(
        f"“{job.name}”不能读取：{zh}后重报。",
        f"“{job.name}” cannot be read: {en}, and deliver it again.",
        file=job.name,
    )
