"""Tables people typed (.xlsx, .xls, .csv): each cell stays the text it was; headings, totals, coordinates are found."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl import coordinates, delimited, heading, workbook
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
    if suffix in (".xlsx", ".xls", ".et") and magic[:4] in (_XLSX, _XLS):
        return _from_workbook(job, magic, report)
    if suffix in (".csv", ".txt", ".tsv") and magic[:4] not in (_XLSX, _XLS):
        return _from_text(job, report)
    raise SourceError(
        f"“{job.name}”的内容不是可接收的表格(.xlsx/.xls/.csv)，"
        "可能是改名的网页或其他文件。请用表格软件另存为 .xlsx 后重报。",
        f"“{job.name}” is not a table we take (.xlsx, .xls, .csv); a renamed web page perhaps. Save it as .xlsx.",
        file=job.name,
    )


def _from_workbook(job: Job, magic: bytes, report: dict[str, Any]) -> tuple[heading.Heading, Iterator[_Row]]:
    sheet = workbook.read(job, magic)
    head = _heading(job, sheet.rows, sheet.merged)
    report.update(
        driver="workbook", sheet=sheet.name, heading_rows=head.first_row, encoding="", how="format", declared=""
    )
    lost: dict[int, list[int]] = {}
    for row, column in sheet.lost:
        lost.setdefault(row, []).append(column)
    words = heading.options_totals(job.options)

    def rows() -> Iterator[_Row]:
        for i, cells in enumerate(sheet.rows[head.first_row :], head.first_row):
            if any(cells):
                names = [f"number_cell:{head.names[c]}" for c in sorted(lost.get(i, ())) if c < len(head.names)]
                yield f"{sheet.name}!{i + 1}", cells, _notes(cells, words, names)

    return head, rows()


def _from_text(job: Job, report: dict[str, Any]) -> tuple[heading.Heading, Iterator[_Row]]:
    source = delimited.rows(job, report)
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
                ragged = ["ragged_row"] if len(cells) != len(head.names) else []
                yield str(line), cells, _notes(cells, words, ragged)

    return head, rows()


def _heading(
    job: Job, rows: Sequence[Sequence[str | None]], merged: Sequence[heading.Merged], default: str = ""
) -> heading.Heading:
    try:
        return heading.find(rows, merged, job.options.get("header_rows", default))
    except ValueError as wrong:
        raise SourceError(
            f'“{job.name}”中找不到表头。请在目录 options 中写明 header_rows("3" 或 "3-4")，或核对是否为空表。',
            f'No heading can be found in “{job.name}”. Declare header_rows ("3" or "3-4"), or see if it is empty.',
            file=job.name,
        ) from wrong


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
