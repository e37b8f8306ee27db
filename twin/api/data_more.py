"""The data page's further presses: go back to a version, backfill a period, what a cadence comes to, what changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from twin import ops
from twin.api import data_view, history
from twin.api.answers import answer
from twin.api.arriving import common
from twin.api.data_desk import HEADERS, Form, done, why_of
from twin.api.data_views import DiffView
from twin.api.forms import language, number, page, who_of
from twin.api.offices import may, office
from twin.api.recording import record
from twin.api.who import subject
from twin.errors import BadRequest, TwinError
from twin.runs import asking
from twin.store.diff import HOWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.rooms import Rooms

router = APIRouter(dependencies=[Depends(office)])


@router.post("/data/rollback")
async def rollback(request: Request, given: Form) -> Response:
    """Ask that a table go back to an earlier version, for a reason."""
    name, version, why = given.get("resource", ""), given.get("version", "")[:80], why_of(given)

    def ask(connection: ops.Connection) -> None:
        kept = {line.version for line in data_view.versions_of(request, name) if line.state == "kept"}
        if version not in kept:
            raise BadRequest("请选择一个仍保留的旧版本", "Choose an earlier version that is kept")
        asking.rollback(connection, name, version, by=subject(request).id, why=why, at=ops.now())

    return await done(request, given, "rollback", name, ask, why=why, version=version)


@router.post("/data/backfill")
async def backfill(request: Request, given: Form) -> Response:
    """Ask that what was due in a period be received, for a reason."""
    name, why = given.get("resource", ""), why_of(given)
    days = given.get("first_day", "")[:10], given.get("last_day", "")[:10]

    def ask(connection: ops.Connection) -> None:
        period = _day(days[0]), _day(days[1])
        if period[1] > data_view.now_of(request).date():
            raise BadRequest("补采时段不能在今天之后", "A period to backfill cannot lie after today")
        asking.backfill(connection, name, period, by=subject(request).id, why=why, at=ops.now())

    return await done(request, given, "backfill", name, ask, why=why, period=" – ".join(days))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise BadRequest(f"日期“{text}”写法不对,例:2025-11-21", f"{text!r} is no date, e.g. 2025-11-21") from wrong


@router.get("/data/cadence")
async def meant(request: Request, cadence: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Give what a cadence means, in words, and the next five dates; or why it cannot be read."""
    lang = language(request)
    try:
        said, dates = data_view.coming(cadence, request)
    except BadRequest as wrong:
        return answer(request, {"wrong": wrong.en if lang == "en" else wrong.zh})
    return answer(request, {"said": said.in_(lang), "next": [f"{d:%Y-%m-%d %H:%M}" for d in dates]})


@router.get("/data/diff")
async def diff_page(request: Request) -> Response:
    """Show what changed in a table between two versions: counts, fields, rows with both values, on the map."""
    view = await asyncio.to_thread(_diff, request, request.query_params)
    return page(request, view, **HEADERS)


def _diff(request: Request, given: Mapping[str, str]) -> DiffView:
    rooms: Rooms = request.app.state.rooms
    table = given.get("table", "")[:80]
    data_view.open_to(request, table)
    lang = language(request, given)
    changes: dict[str, history.Change] = {how: how for how in HOWS}
    change = changes.get(given.get("change", ""), "")
    asked, told, error = None, None, None
    try:
        named = given.get("from", "")[:80], given.get("to", "")[:80]
        asked = history.wanted(request, table, *named, change, "en" if lang == "en" else "zh-CN")
        asked = replace(asked, page=number(given, "page"))
        told = rooms.changes.told(subject(request), asked)
        record(request.scope)
    except TwinError as wrong:
        error = wrong
    declared = rooms.onemap.resource(table)
    assert declared is not None  # noqa: S101 - open_to has raised for one that is not there
    return DiffView(
        **common(request, given, who_of(request).known(request.scope)),
        table=table,
        title=declared.title,
        versions=data_view.versions_of(request, table),
        before=asked.before.version if asked else given.get("from", "")[:80],
        after=asked.after.version if asked else given.get("to", "")[:80],
        change=change,
        told=told,
        mapped=declared.kind in ("point", "line", "polygon"),
        decides=may(request, "publishes.approve"),
        ground=data_view.ground_of(request),
        error=error,
    )
