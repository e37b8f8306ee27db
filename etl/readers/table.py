"""Tables people typed (.xlsx, .xls, .csv): each cell stays the text it was; headings, totals, coordinates are found."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl import coordinates, delimited, disguises, heading, sheet_marks, workbook
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from etl.job import Job

_XLSX, _XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_SCAN = 25
_Row = tuple[str, "Sequence[str | None]", str]
"""(where a clerk finds it, its cells, notes so far)"""


def read(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Read one sheet or text file: a string column for each heading, `_row`, `_geometry` from job.x and job.y, `_note`.

    Raises SourceError where the file is no table, its heading cannot be told, or a coordinate column is not there.
    """
    head, rows = _open(job, report)
    names = list(head.names)
    at = _coordinates(job, names)
    empty = True
    while chunk := list(islice(rows, job.batch_rows)):
        empty = False
        yield _batch(names, chunk, at)
    if empty:
        yield _batch(names, [], at)


def _open(job: Job, report: dict[str, Any]) -> tuple[heading.Heading, Iterator[_Row]]:
    with job.main.open("rb") as file:
        magic = file.read(512)
    suffix = job.main.suffix.lower()
    if magic[:4] == _XLS and disguises.encrypted(job):
        raise disguises.protected(job)
    if magic[:4] == _XLSX and not disguises.is_workbook(job.main):
        raise disguises.no_table(job)
    if suffix in (".xlsx", ".xls", ".et") and magic[:4] in (_XLSX, _XLS):
        return _from_workbook(job, magic, report)
    if suffix in (".csv", ".txt", ".tsv") and magic[:4] not in (_XLSX, _XLS):
        return _from_text(job, report)
    raise disguises.no_table(job)


def _from_workbook(job: Job, magic: bytes, report: dict[str, Any]) -> tuple[heading.Heading, Iterator[_Row]]:
    sheet = workbook.read(job, magic)
    head = _heading(job, sheet.rows, sheet.merged)
    report.update(
        driver="workbook", sheet=sheet.name, heading_rows=head.first_row, encoding="", how="format", declared=""
    )
    marks = sheet_marks.read(job.main, sheet.name) if magic[:4] == _XLSX else sheet_marks.Marks()
    filled = _filled(sheet, head.first_row)
    report.setdefault("notes", []).extend(_hidden(job, marks, sheet, head.first_row))
    words = heading.options_totals(job.options)

    def rows() -> Iterator[_Row]:
        for i, cells in enumerate(sheet.rows[head.first_row :], head.first_row):
            odd = (("number_cell", sheet.lost), ("formula_empty", marks.unsolved), ("cell_error", marks.failed))
            names = [f"{word}:{n}" for word, of in odd if of for c, n in enumerate(head.names) if (i, c) in of]
            if any(cells) or names:
                names += ["merged_filled"] if i in filled else []
                yield f"{sheet.name}!{i + 1}", cells, _notes(cells, words, names)

    return head, rows()


def _filled(sheet: workbook.Sheet, first_row: int) -> set[int]:
    """Write the text of each cell that was merged downwards into every row it stands for; give those rows."""
    filled: set[int] = set()
    for (top, left), (bottom, right) in sheet.merged:
        if left != right or bottom <= top or top < first_row or top >= len(sheet.rows):
            continue
        for i in range(top + 1, min(bottom + 1, len(sheet.rows))):
            if left < len(sheet.rows[i]) and not sheet.rows[i][left]:
                sheet.rows[i][left] = sheet.rows[top][left]
                filled.add(i)
    return filled


def _hidden(job: Job, marks: sheet_marks.Marks, sheet: workbook.Sheet, first_row: int) -> list[dict[str, str]]:
    """Say what a person who opens the workbook does not see, and what was left out of it."""
    said: list[dict[str, str]] = []
    rows = sorted(i + 1 for i in marks.hidden if first_row <= i < len(sheet.rows))
    if rows:
        shown = f"{len(rows)} ({'、'.join(map(str, rows[:5]))}{'…' if len(rows) > 5 else ''})"
        zh, en = f"有 {shown} 个隐藏行,已照常接收", f"has {shown} hidden rows, taken as any other"
        said.append({"zh": f"“{job.name}”{zh}", "en": f"“{job.name}” {en}"})
    others = [n for n in marks.hidden_sheets if n != sheet.name]
    if others:
        shown = "、".join(others[:5])
        said.append(
            {
                "zh": f"“{job.name}”的隐藏工作表未接收:{shown}",
                "en": f"Hidden sheets of “{job.name}” were left out: {shown}",
            }
        )
    if marks.linked:
        said.append(
            {
                "zh": f"“{job.name}”引用了外部工作簿,只取其中存下的值",
                "en": f"“{job.name}” refers to other workbooks; only the values kept in it were read",
            }
        )
    return said


def _from_text(job: Job, report: dict[str, Any]) -> tuple[heading.Heading, Iterator[_Row]]:
    strange: set[int] = set()
    source = delimited.rows(job, report, strange)
    first = list(islice(source, _SCAN))
    head = _heading(job, [r for _, r in first], (), default="1")
    report.update(driver="csv", heading_rows=head.first_row)
    words = heading.options_totals(job.options)

    def every() -> Iterable[tuple[int, list[str]]]:
        yield from first[head.first_row :]
        yield from source

    def rows() -> Iterator[_Row]:
        for line, cells in every():
            if any(cells):
                odd = ["mixed_encoding"] if line in strange else []
                ragged = ["ragged_row"] if _ragged(cells, len(head.names)) else []
                yield str(line), cells, _notes(cells, words, odd + ragged)

    return head, rows()


def _ragged(cells: Sequence[str | None], width: int) -> bool:
    """Tell whether a row has fewer cells than the heading, or something written beyond it."""
    return len(cells) < width or any(cells[width:])


def _heading(
    job: Job, rows: Sequence[Sequence[str | None]], merged: Sequence[heading.Merged], default: str = ""
) -> heading.Heading:
    try:
        return heading.find(rows, merged, job.options.get("header_rows") or _declared(job, rows) or default)
    except ValueError as wrong:
        raise SourceError(
            f'“{job.name}”中找不到表头。请在目录 options 中写明 header_rows("3" 或 "3-4")，或核对是否为空表。',
            f'No heading can be found in “{job.name}”. Declare header_rows ("3" or "3-4"), or see if it is empty.',
            file=job.name,
        ) from wrong


def _declared(job: Job, rows: Sequence[Sequence[str | None]]) -> str:
    """Give the number of the row in which every declared heading stands, "" where there is none."""
    wanted = set(job.headings)
    found = (i for i, row in enumerate(rows[:_SCAN], 1) if wanted and wanted <= {heading.clean(c) for c in row})
    return str(next(found, ""))


def _notes(cells: Sequence[str | None], words: str, others: list[str]) -> str:
    return ",".join([*(["totals_row"] if heading.is_totals(cells, words) else []), *others])


def _coordinates(job: Job, names: list[str]) -> tuple[int, int] | None:
    if not job.x and not job.y:
        return None
    missing = [n for n in (job.x, job.y) if n not in names]
    if missing:
        shown = "、".join(names[:20])
        raise SourceError(
            f"“{job.name}”中没有坐标列 {'、'.join(missing)}，表头为：{shown}。请核对目录中的 x、y 或请报送单位补列。",
            f"“{job.name}” has no coordinate column {', '.join(missing)}; its headings are {shown}. Correct x and y.",
            file=job.name,
        )
    return names.index(job.x), names.index(job.y)


def _batch(names: list[str], rows: list[_Row], at: tuple[int, int] | None) -> pa.RecordBatch:
    width = len(names)
    cells = [_fit(r, width) for _, r, _ in rows]
    columns = [pa.array([r[j] for r in cells], pa.string()) for j in range(width)]
    notes = [n for _, _, n in rows]
    geometry = pa.nulls(len(rows), pa.binary())
    if at is not None:
        geometry, notes = coordinates.points(columns[at[0]], columns[at[1]], notes)
    tail = [pa.array([w for w, _, _ in rows], pa.string()), geometry, pa.array([n or None for n in notes], pa.string())]
    return pa.RecordBatch.from_arrays([*columns, *tail], names=[*names, "_row", "_geometry", "_note"])


def _fit(cells: Sequence[str | None], width: int) -> list[str | None]:
    """Give exactly `width` cells; what stands beyond the last heading is kept, joined to the last cell."""
    out = [c or None for c in cells[:width]]
    beyond = [c for c in cells[width:] if c]
    if beyond and out:
        out[-1] = "|".join([out[-1] or "", *beyond])
    return out + [None] * (width - len(out))
