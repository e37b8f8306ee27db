"""The auditor's page: the record read, checked and handed out signed; every look at it stands in it."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.api.arriving import common
from twin.api.forms import form, page, who_of
from twin.api.lapsed import typed_before
from twin.api.offices import may, noted, office
from twin.api.views import Chain, RecordView
from twin.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.audit import Audit

router = APIRouter(dependencies=[Depends(office)])
Form = Annotated[Any, Depends(form)]
PAGE = 50
CHECKED_UNASKED = 20_000
"""A record of so many entries is checked when its page is first opened; a longer one when the button is pressed."""
EQUAL = ("subject", "action", "resource", "outcome")
DATES = ("since", "until")
_CHECKING = threading.Lock()


@router.get("/record")
async def record_page(request: Request) -> Response:
    """Show entries, newest first, as the query's filters and `before` have it."""
    return await _shown(request, request.query_params)


@router.post("/record/verify")
async def verify(request: Request, given: Form) -> Response:
    """Check the whole record now."""
    chain = await asyncio.to_thread(_check, request)
    told = {"faults": chain.faults, "to": chain.last, "first": chain.broken, "kind": chain.kind}
    await noted(request, "record.verified", "broken" if chain.faults else "ok", resource="record", detail=told)
    return await _shown(request, given, done="checked")


@router.post("/record/export")
async def export(request: Request, given: Form) -> Response:
    """Hand entries out in a signed file, once that is recorded."""
    try:
        first, last = _number(given, "first") or 1, _number(given, "last")
        await noted(request, "record.exported", resource="record", detail={"first": first, "last": last})
        name, body = await asyncio.to_thread(_exported, who_of(request).audit, first, last)
    except BadRequest as error:
        return await _shown(request, {}, error=error)
    told = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(body, headers=told, media_type="application/x-ndjson")


def _exported(audit: Audit, first: int, last: int | None) -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        written = audit.export(Path(folder) / "audit.jsonl", first=first, last=last)
        return f"audit-{written.first}-{written.last}.jsonl", written.path.read_bytes()


def _number(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise BadRequest("序号应为正整数", "An entry's number is a positive whole number", field=name)
    return int(text)


async def _shown(request: Request, given: Mapping[str, str], **more: Any) -> Response:
    """Draw the page of what `given` asks for; the look is recorded before it is answered."""
    try:
        asked = await asyncio.to_thread(_read, request, given)
    except BadRequest as error:
        asked, more = await asyncio.to_thread(_read, request, {}), {"error": error}
    by = [n for n in (*EQUAL, *DATES) if asked["values"].get(n)]
    await noted(request, "record.read", resource="record", detail={"by": by, "before": asked["before"]})
    view = await asyncio.to_thread(_view, request, given, asked, {**await asyncio.to_thread(_typed, request), **more})
    return page(request, view)


def _typed(request: Request) -> dict[str, Any]:
    """Give the numbers that were typed for an export when the session ran out."""
    known = who_of(request).known(request.scope)
    _, given = typed_before(request, known.account if known else None, "/record/export")
    if not given:
        return {}
    return {"typed": True, "wanted": (given.get("first", "")[:15], given.get("last", "")[:15])}


def _read(request: Request, given: Mapping[str, str]) -> dict[str, Any]:
    values = {n: given.get(n, "").strip()[:200] for n in (*EQUAL, *DATES)}
    equal = {n: v for n in EQUAL if (v := values[n])}
    zone = request.app.state.rooms.onemap.village.time_zone
    before = _number(given, "before")
    found = who_of(request).audit.entries(
        before=before,
        limit=PAGE + 1,
        since=_day(values["since"], zone),
        until=_day(values["until"], zone, after=1),
        **equal,
    )
    return {"values": values, "before": before, "entries": tuple(found[:PAGE]), "more": len(found) > PAGE}


def _day(text: str, zone: str, *, after: int = 0) -> datetime | None:
    """Give the beginning of a day (or of the one `after` it) on the village's clock."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date() + timedelta(days=after)  # noqa: DTZ007 - a day, no moment
    except (ValueError, OverflowError) as wrong:
        raise BadRequest("日期应写作 2025-11-21", "A date is written 2025-11-21", field="since") from wrong
    return datetime.combine(day, time(), ZoneInfo(zone))


def _check(request: Request) -> Chain:
    """Check the record, one such check at a time, and keep what came of it."""
    who = who_of(request)
    with _CHECKING:
        newest = who.audit.entries(limit=1)
        faults = who.audit.verify()
        chain = Chain(
            last=newest[0]["seq"] if newest else 0,
            at=who.accounts.now(),
            faults=len(faults),
            broken=faults[0].seq if faults else 0,
            kind=faults[0].kind if faults else "",
        )
        request.app.state.chain = chain
    return chain


def _chain(request: Request) -> Chain | None:
    known = getattr(request.app.state, "chain", None)
    if known is None and who_of(request).audit.count() <= CHECKED_UNASKED:
        return _check(request)
    return known


def _view(request: Request, given: Mapping[str, str], asked: dict[str, Any], more: dict[str, Any]) -> RecordView:
    who, rooms = who_of(request), request.app.state.rooms
    named = (*rooms.onemap.layers, *rooms.onemap.resources, *rooms.policy.grants.purposes)
    return RecordView(
        **common(request, given, who.known(request.scope)),
        **asked,
        chain=_chain(request),
        public_key=who.audit.public_key,
        titles={x.id: x.title for x in named},
        exports=may(request, "audit.export"),
        **more,
    )
