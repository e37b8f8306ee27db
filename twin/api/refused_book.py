"""The workbook of the quarantine desk over HTTP: sent back to its department, and taken when it returns corrected."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin import ops
from twin.api import multipart, refused_view
from twin.api.forms import form, proved
from twin.api.offices import office
from twin.api.refused_doing import Deed, Faulty, answered, back, do, shown
from twin.errors import BadRequest, NotFound, TwinError
from twin.model import Text
from twin.quarantine import acts, book, listing, proving
from twin.spreadsheet import XLSX
from twin.text import t
from twin.uploads import kinds, remaking

if TYPE_CHECKING:
    from twin.api.refused_view import Desk, Told
    from twin.quarantine.acts import Act

router = APIRouter(dependencies=[Depends(office)])
Form = Annotated[Any, Depends(form)]
SENDABLE = ("waiting", "sent")
"""Rows nobody has decided about yet."""


@router.post("/data/quarantine/send")
async def send(request: Request, given: Form) -> Response:
    """Give the rows found of one department as a workbook, and write down that they left and why."""
    try:
        content, name = await asyncio.to_thread(_sent, request, given)
    except TwinError as error:
        return await shown(request, {**back(given), "lang": given.get("lang", "")}, error=error)
    named = f"attachment; filename=\"quarantine.xlsx\"; filename*=UTF-8''{quote(name)}"
    return Response(content, headers={"cache-control": "no-store", "content-disposition": named}, media_type=XLSX)


def _sent(request: Request, given: Mapping[str, str]) -> tuple[bytes, str]:
    language = "en" if given.get("lang") == "en" else "zh-CN"
    made: list[tuple[bytes, str]] = []

    def plan(here: Desk, held: Sequence[Act]) -> Deed:
        rows, department = _chosen(here, held, given)
        why, number = acts.reason(given.get("why", "")), f"{ops.now():%Y%m%dT%H%M%S}-{department}"[:40]
        refused_view.note(request, here, rows)
        title = next(d.title for d in here.onemap.departments if d.id == department)
        told = {"village": str(here.onemap.village.name.in_(language)), "number": number, "why": why}
        cover = {t(f"page.refused.cover_{k}", language): v for k, v in {**told, "rows": str(len(rows))}.items()}
        made.append((book.write(_sheets(rows), title, language, cover), f"{title.in_(language)}-{number[:8]}.xlsx"))
        return Deed(
            resources=tuple(dict.fromkeys(r.resource.id for r in rows)),
            why=why,
            detail={"department": department, "rows": len(rows)},
            writes=tuple((r.stands.row.named, "send", {}) for r in rows),
            book=number,
        )

    do(request, "send", plan, now=False)
    return made[0]


def _chosen(here: Desk, held: Sequence[Act], given: Mapping[str, str]) -> tuple[list[Told], str]:
    """Give the rows of one department that the page showed and nobody decided about; raises NotFound, BadRequest."""
    department = given.get("department", "")
    if not any(r.department == department for r, _ in here.resources.values()):
        raise NotFound("没有这个部门", "There is no such department")
    wanted = refused_view.wanted({**back(given), "department": department}, count=book.MOST_ROWS)
    found = listing.listed(listing.stands(here.tables(), held), wanted).found
    some = [s for s in found if s.state in SENDABLE and s.row.kept]
    if not 1 <= len(some) <= book.MOST_ROWS:
        raise BadRequest(
            f"可退回的有 {len(some)} 行;一次退回 1 至 {book.MOST_ROWS} 行,请调整筛选",
            f"{len(some)} rows can be sent back; 1 to {book.MOST_ROWS} go at once: choose with the filters",
        )
    return here.told(some), department


def _sheets(rows: Sequence[Told]) -> list[book.Sheet]:
    by: dict[str, list[Told]] = {}
    for one in rows:
        by.setdefault(one.resource.id, []).append(one)
    return [book.Sheet(resource=some[0].resource, rows=tuple((x.whole, x.cells) for x in some)) for some in by.values()]


@router.post("/data/quarantine/return")
async def returned(request: Request) -> Response:
    """Take a workbook that comes back: made anew in the cage, its changed cells proved; all of it is taken, or none."""
    sent = multipart.read(request.headers.get("content-type", ""), await request.body())
    proved(request, sent.fields)
    making = request.app.state.sending.making
    content = await asyncio.get_running_loop().run_in_executor(making, _plain, sent.file)
    if isinstance(content, TwinError):
        given = {**back(sent.fields), "lang": sent.fields.get("lang", "")}
        return await shown(request, given, error=content)
    return await answered(
        request, sent.fields, "return", lambda here, held: _returning(here, held, content, sent.fields)
    )


def _plain(content: bytes) -> bytes | TwinError:
    """Make a workbook anew in a process of its own; gives its bytes, or why it is not taken."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.flush()
            kind = remaking.kind_of(file, len(content))
            if kind != "workbook":
                raise kinds.refusal("not_a_book")
            return remaking.remake(file, kind).content
    except TwinError as error:
        return error


def _returning(here: Desk, held: Sequence[Act], content: bytes, given: Mapping[str, str]) -> Deed:
    rows = {x.stands.row.name: x for x in here.told(listing.stands(here.tables(), held)) if x.stands.row.kept}
    came = book.read(content, {name: (x.whole, x.cells) for name, x in rows.items()})
    faults = [*came.faults, *_unfit(came, rows, here)]
    changed = {name: changes for name, changes in came.changes.items() if changes}
    if faults:
        raise Faulty.of(faults)
    if not changed:
        raise BadRequest(f"工作簿里的 {came.rows} 行没有改动", f"Of {came.rows} rows in the workbook none was changed")
    return Deed(
        resources=tuple(sorted({rows[name].resource.id for name in changed})),
        why=acts.reason(given.get("why", "")),
        detail={"rows": len(changed)},
        writes=tuple((rows[name].stands.row.named, "correct", changes) for name, changes in changed.items()),
        book=f"{ops.now():%Y%m%dT%H%M%S}-return",
    )


def _unfit(came: book.Returned, rows: Mapping[str, Told], here: Desk) -> list[Text]:
    """Prove every changed cell; give what is wrong, by row and column."""
    found = []
    for name, changes in came.changes.items():
        at = rows[name].stands.row.named
        for heading, wrong in proving.prove(rows[name].resource, changes, here.systems).items():
            zh = f"{at.source} 第 {at.row} 行“{heading}”:{wrong.zh}"
            found.append(Text(zh, f"{at.source}, row {at.row}, {heading!r}: {wrong.en}"))
    return found
