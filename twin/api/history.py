"""The questions about a table's past: its versions, what changed between two of them, as list, map and file."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import openpyxl
from fastapi import APIRouter, Depends, Query, Request
from openpyxl.cell import WriteOnlyCell
from starlette.responses import Response

from twin.analysis.changes import Asked
from twin.api import moments
from twin.api.answers import answer, gate
from twin.api.recording import record
from twin.errors import BadRequest, NotFound
from twin.spreadsheet import XLSX, inert, plain
from twin.store.diff import HOWS
from twin.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twin.api.rooms import Rooms
    from twin.policy import Subject
    from twin.store import Snapshot

router = APIRouter(dependencies=[Depends(gate)])
Language = Literal["zh-CN", "en"]
_NAMES = "A version's name, or a day or time as in as_of"
Before = Annotated[str, Query(alias="from", max_length=80, description=_NAMES)]
After = Annotated[str, Query(alias="to", max_length=80, description=_NAMES)]
Change = Literal["", "added", "removed", "changed"]
Which = Annotated[Change, Query(description="Only these")]
HEADS = ("change", "id", "year", "field", "unit", "before", "after", "moved_m2", "moved_m")


def _rooms(request: Request) -> Rooms:
    return request.app.state.rooms


def _asker(request: Request) -> Subject:
    return request.scope["state"]["subject"]


@router.get("/api/v1/tables/{table}/versions")
def versions(request: Request, table: str) -> Response:
    """List the versions of a table, kept or gone; why one was rolled back is told to those who look after the data."""
    rooms, subject = _rooms(request), _asker(request)
    rooms.policy.resource(subject, table)
    tells = rooms.policy.may(subject, "runs.start")
    held = rooms.base.history(table)
    current = rooms.base.current(table).version
    listed = [
        {
            "version": h.version,
            "published_at": h.since,
            "state": "gone" if h.gone else "current" if h.version == current else "kept",
            **({"zh": h.gone.zh, "en": h.gone.en, "why": h.gone.why, "gone_at": h.gone.removed_at} if h.gone else {}),
            **({"by": h.gone.by, "reason": h.gone.reason} if h.gone and tells and h.gone.why == "rollback" else {}),
        }
        for h in held
    ]
    return answer(request, {"table": table, "versions": listed})


def wanted(  # noqa: PLR0917 - a route's parameters are its query
    request: Request,
    table: str,
    before: Before = "",
    after: After = "",
    change: Which = "",
    language: Language = "zh-CN",
) -> Asked:
    """Give the two versions meant: the current one and the one before it where none is named."""
    rooms, subject = _rooms(request), _asker(request)
    rooms.policy.resource(subject, table)
    new = _version(rooms, table, after) if after else rooms.base.current(table)
    old = _version(rooms, table, before) if before else _predecessor(rooms, new)
    return Asked(before=old, after=new, hows=(change,) if change else HOWS, language=language)


Wanted = Annotated[Asked, Depends(wanted)]


@router.get("/api/v1/tables/{table}/diff")  # noqa: FAST003 - wanted takes the table
def diff(request: Request, asked: Wanted, page: Annotated[int, Query(ge=0, le=10**9)] = 0) -> Response:
    """Give what changed between two versions: counts, fields, and a page of rows with both values."""
    return answer(request, _rooms(request).changes.told(_asker(request), replace(asked, page=page)))


@router.get("/api/v1/tables/{table}/diff.geojson")  # noqa: FAST003 - wanted takes the table
def diff_on_the_map(request: Request, asked: Wanted) -> Response:
    """Give the rows that changed as GeoJSON, with how they did."""
    return answer(request, _rooms(request).changes.shapes(_asker(request), asked))


@router.get("/api/v1/tables/{table}/diff.csv")
def diff_as_csv(request: Request, table: str, asked: Wanted) -> Response:
    """Give what changed as a CSV file, a line a field; no cell of it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([inert(_said(v)) for v in line] for line in _lines(request, asked))
    return _file(request, ("\ufeff" + text.getvalue()).encode(), "text/csv; charset=utf-8", f"{table}.csv")


@router.get("/api/v1/tables/{table}/diff.xlsx")
def diff_as_xlsx(request: Request, table: str, asked: Wanted) -> Response:
    """Give what changed as a workbook, a line a field; no cell of it is a formula."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(table[:31])
    for line in _lines(request, asked):
        sheet.append([_cell(sheet, v) for v in line])
    made = io.BytesIO()
    book.save(made)
    return _file(request, made.getvalue(), XLSX, f"{table}.xlsx")


def _version(rooms: Rooms, table: str, text: str) -> Snapshot:
    if any(v.version == text for v in rooms.base.versions(table)):
        return rooms.base.at(table, text)
    try:
        at = moments.read(text, rooms.onemap.village.time_zone, datetime.now(UTC))
    except BadRequest:
        return rooms.base.at(table, text)  # says that there is no such version, or why it is gone
    if at is None:
        return rooms.base.current(table)
    return rooms.base.as_of(table, at)


def _predecessor(rooms: Rooms, snapshot: Snapshot) -> Snapshot:
    chain = [v.version for v in rooms.base.versions(snapshot.table)]
    older = chain[chain.index(snapshot.version) + 1 :]
    if not older:
        table = snapshot.table
        raise NotFound(f"{table} 没有更早的版本可比较", f"{table} has no earlier version to compare with", table=table)
    return rooms.base.at(snapshot.table, older[0])


def _lines(request: Request, asked: Asked) -> Iterator[Sequence[Any]]:
    """Give the head and one line for each field that differs; a row of which only the shape differs has one."""
    _, rows = _rooms(request).changes.listed(_asker(request), asked)
    yield [words(f"page.diff.{h}").in_(asked.language) for h in HEADS]
    for row in rows:
        first = [words(f"page.diff.{row['change']}").in_(asked.language), row["id"], row["year"]]
        moved = [row.get("moved_m2"), row.get("moved_m")]
        shaped = [{"title": words("page.diff.shape").in_(asked.language), "unit": "", "before": None, "after": None}]
        for each in (*row["fields"], *(shaped if row["shape"] and row["change"] == "changed" else [])):
            at_shape = each in shaped
            values = [each["title"], each["unit"], each["before"], each["after"]]
            yield [*first, *values, *(moved if at_shape else [None, None])]


def _cell(sheet: Any, value: Any) -> Any:
    """Give a cell that is a number or a text, and never a formula."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return WriteOnlyCell(sheet, value)
    cell = WriteOnlyCell(sheet, "")
    cell.value = inert(plain(_said(value)))
    cell.data_type = "s"
    return cell


def _said(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _file(request: Request, body: bytes, media_type: str, name: str) -> Response:
    record(request.scope)
    headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="diff-{name}"'}
    return Response(body, headers=headers, media_type=media_type)
