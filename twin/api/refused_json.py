"""The quarantine desk as JSON: the same rows, counts and acts as the page, for whoever may see the page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from twin.api import refused_view
from twin.api.answers import answer
from twin.api.forms import who_of
from twin.api.offices import office
from twin.quarantine import acts, listing

if TYPE_CHECKING:
    from twin.api.refused_view import ActTold, Told
    from twin.model import Text

router = APIRouter(dependencies=[Depends(office)])
Named = Annotated[str, Query(max_length=400, description="One or more, separated by commas; empty for all")]


@router.get("/api/v1/quarantine")
async def rows(  # noqa: PLR0917 - a route's parameters are its query
    request: Request,
    state: Named = "",
    resource: Named = "",
    rule: Named = "",
    department: Named = "",
    q: Annotated[str, Query(max_length=80)] = "",
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """List refused rows with reasons, values as they may be shown, place and state; counts of every filter beside."""
    asked = {"state": state, "resource": resource, "rule": rule, "department": department, "q": q, "first": str(first)}
    return await asyncio.to_thread(_rows, request, asked)


def _rows(request: Request, asked: dict[str, str]) -> Response:
    here = refused_view.desk(request)
    with who_of(request).accounts.ops.read() as connection:
        held = acts.of(connection, here.resources, holding=True)
    found = listing.listed(listing.stands(here.tables(), held), refused_view.wanted(asked))
    told = here.told(found.page)
    refused_view.note(request, here, told)
    facts = {"total": len(found.found), "page": refused_view.PAGE, "counts": found.counts}
    return answer(request, {**facts, "rows": [_row(x) for x in told]})


@router.get("/api/v1/quarantine/acts")
async def decided(request: Request) -> Response:
    """List what was decided about refused rows, the newest first, with what became of it."""
    return await asyncio.to_thread(_decided, request)


def _decided(request: Request) -> Response:
    here = refused_view.desk(request)
    with who_of(request).accounts.ops.read() as connection:
        held = acts.of(connection, here.resources)
        called = refused_view.called_of(connection, held)
    listed = refused_view.act_list(here, here.tables(), held, called)
    return answer(request, {"acts": [_act(a) for a in listed[: refused_view.MOST_ACTS]]})


def _row(one: Told) -> dict[str, Any]:
    named = one.stands.row.named
    place = one.place
    return {
        "row": named.name,
        "resource": named.resource,
        "department": named.department,
        "state": one.stands.state,
        "tried": one.stands.tried,
        "source": named.source,
        "place_in_source": named.row,
        "year": one.stands.row.year,
        "reasons": [
            {"rule": r.rule, "column": r.column, "said": _text(r.said), "remedy": _text(r.remedy)}
            for r in one.whole.reasons
        ],
        "acceptable": list(one.accepts),
        "values": [
            {"heading": c.heading, "column": c.column, "title": _text(c.title), "value": c.shown, "masked": c.covered}
            for c in one.cells
        ],
        "place": {"lon": place.lon, "lat": place.lat, "how": place.how} if place else None,
    }


def _act(one: ActTold) -> dict[str, Any]:
    act = one.act
    return {
        "act": act.id,
        "kind": act.kind,
        "outcome": one.outcome,
        "row": act.on.name,
        "resource": act.on.resource,
        "source": act.on.source,
        "place_in_source": act.on.row,
        "columns": sorted(act.changes),
        "rules": list(act.on.rules) if act.kind == "accept" else [],
        "at": act.at.isoformat(),
        "by": one.by,
        "why": act.why,
        "withdrawn_at": act.withdrawn_at.isoformat() if act.withdrawn_at else None,
    }


def _text(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
