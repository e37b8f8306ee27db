"""The two offices of a person's request: one looks, hands out, asks for erasing; the other approves, and it is done."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.accounts import people
from twin.api.arriving import asked, common
from twin.api.carrying import Carrying
from twin.api.forms import form, go, page, who_of
from twin.api.lapsed import typed_before
from twin.api.offices import office
from twin.api.views import Found, PersonsView, Standing
from twin.api.who import subject
from twin.errors import BadRequest, NotFound, TwinError
from twin.retention import answering, erasing, requests
from twin.retention import persons as named

if TYPE_CHECKING:
    from twin.model import OneMap
    from twin.retention.answering import Desk
    from twin.retention.finding import Hit
    from twin.retention.persons import Person

router = APIRouter(dependencies=[Depends(office)])
Form = Annotated[Any, Depends(form)]
BASES = ("in_person", "letter", "proxy", "relative", "authority")
"""Why an officer looks for a person, as the record keeps it."""
MOST_QUESTIONS = 12
"""Rows known by a name alone that are offered to be made sure of."""
SPLIT = re.compile(r"[,,、;;\n\r]+")
SURE, PLACES = ("number", "row", "name"), ("store", "quarantine", "upload", "account")
"""In what order it is told where a person's data lies."""
ROW = re.compile(r"row\d{1,2}")
ONE = ThreadPoolExecutor(1, thread_name_prefix="person")
"""Looking for a person reads every version of every table: one at a time, whoever asks."""


@router.get("/persons")
async def persons_page(request: Request, done: str = "") -> Response:
    """Ask who it is about, and list the requests that were made."""
    return page(
        request, await asyncio.to_thread(_view, request, request.query_params, done=done[:20], **_typed(request))
    )


@router.post("/persons/find")
async def find(request: Request, given: Form) -> Response:
    """Show where a person's data lies: counts by place, no value."""
    try:
        person, basis = _person(given), _basis(given)
        desk = _desk(request)
        hits = await _alone(lambda: answering.find(desk, person, basis=basis))
    except (BadRequest, NotFound) as error:
        return page(request, await asyncio.to_thread(_view, request, given, error=error))
    found = _counted(request.app.state.rooms.onemap, hits)
    return page(request, await asyncio.to_thread(_view, request, given, found=found))


@router.post("/persons/export")
async def export(request: Request, given: Form) -> Response:
    """Hand out what is surely the person's, once that is recorded with the reason."""
    try:
        person, basis = _person(given), _basis(given)
        desk = _desk(request)
        content, _ = await _alone(lambda: answering.hand_out(desk, person, basis=basis))
    except (BadRequest, NotFound) as error:
        return page(request, await asyncio.to_thread(_view, request, given, error=error))
    name = f"person-{who_of(request).accounts.now():%Y%m%dT%H%M%SZ}.zip"
    told = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, headers=told, media_type="application/zip")


@router.post("/persons/erase")
async def erase(request: Request, given: Form) -> Response:
    """Ask for a person to be erased; another officer approves."""
    try:
        person, basis = _person(given), _basis(given)
        _sure(given)
        desk = _desk(request)
        await _alone(lambda: answering.ask(desk, person, basis=basis))
    except (BadRequest, NotFound) as error:
        return page(request, await asyncio.to_thread(_view, request, given, error=error))
    return go("/persons", lang=asked(given), done="asked")


@router.post("/persons/withdraw")
async def withdraw(request: Request, given: Form) -> Response:
    """Take back one's own request."""
    try:
        desk = _desk(request)
        await asyncio.to_thread(answering.withdraw, desk, given.get("request", "")[:40])
    except TwinError as error:
        return page(request, await asyncio.to_thread(_view, request, {"lang": given.get("lang", "")}, error=error))
    return go("/persons", lang=asked(given), done="withdrawn")


@router.get("/erasures")
async def erasures_page(request: Request, done: str = "") -> Response:
    """List what was asked, to be approved, and what was done."""
    return page(request, await asyncio.to_thread(_view, request, request.query_params, done=done[:20]))


@router.post("/erasures/approve")
async def approve(request: Request, given: Form) -> Response:
    """Approve what another officer asked and begin to carry it out; or go on with one that was interrupted."""
    try:
        _sure(given)
        desk = _desk(request)
        approved = await asyncio.to_thread(answering.approve, desk, given.get("request", "")[:40])
    except TwinError as error:
        return page(request, await asyncio.to_thread(_view, request, {"lang": given.get("lang", "")}, error=error))
    if approved.state != "done":
        carrying: Carrying = request.app.state.carrying
        carrying.start(approved.id, lambda say: answering.carry_out(desk, approved, say))
    return go("/erasures", lang=asked(given), done="approved")


@router.get("/persons/certificate")
@router.get("/erasures/certificate")
async def certificate(request: Request, of: str = "") -> Response:
    """Hand out the certificate of an erasure that was done; it holds nothing of the person."""
    made = await asyncio.to_thread(requests.get, who_of(request).settings.data, of[:40])
    body = await asyncio.to_thread(_certificate, request, made.id)
    if made.state != "done" or body is None:
        raise NotFound("没有找到", "Not found")
    told = {"content-disposition": f'attachment; filename="erasure-{made.id}.json"', "cache-control": "no-store"}
    return Response(body, headers=told, media_type="application/json")


async def _alone(work: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(ONE, work)


def _desk(request: Request) -> Desk:
    who, acts = who_of(request), subject(request)
    return answering.Desk(
        officer=acts.id,
        role=acts.role,
        via=acts.via,
        address=who.address(request.scope),
        audit=who.audit,
        ground=answering.ground_of(who.settings, who.accounts.ops, None),
        settings=who.settings,
    )


def _person(given: Mapping[str, str]) -> Person:
    """Read whom a form is about; raises BadRequest."""
    told = {k: [t for t in SPLIT.split(given.get(k, "")[:2000]) if t.strip()] for k in ("numbers", "names")}
    rows = [v for k, v in given.items() if ROW.fullmatch(k)]
    return named.of({**told, **({"rows": rows} if rows else {})})


def _basis(given: Mapping[str, str]) -> str:
    basis = given.get("basis", "")
    if basis not in BASES:
        raise BadRequest("请选择办理依据", "Choose what the request rests on", field="basis")
    return basis


def _sure(given: Mapping[str, str]) -> None:
    if given.get("sure") != "yes":
        raise BadRequest("请先勾选确认", "Tick first that you have checked it", field="sure")


def _counted(onemap: OneMap, hits: list[Hit]) -> tuple[Found, ...]:
    """Count hits by place, table and how they are known; rows that are a question are named, to be made sure of."""
    titles = {r.id: r.title for r in onemap.resources}
    groups: dict[tuple[str, str, str], list[Hit]] = {}
    for hit in hits:
        groups.setdefault((hit.place, hit.table, hit.sure), []).append(hit)
    left, found = MOST_QUESTIONS, []
    for (place, table, sure), some in groups.items():
        current = [h for h in some if h.current]
        rows = tuple(f"{table}:{h.key}" for h in current)[:left] if sure != "number" else ()
        left -= len(rows)
        told = {"current": len(current), "old": len(some) - len(current), "rows": rows}
        found.append(Found(place=place, table=table, title=titles.get(table), sure=sure, **told))
    return tuple(sorted(found, key=lambda f: (SURE.index(f.sure), PLACES.index(f.place), f.table)))


def _typed(request: Request) -> dict[str, Any]:
    known = who_of(request).known(request.scope)
    _, given = typed_before(request, known.account if known else None, "/persons/find")
    return {"typed": True, "values": _values(given)} if given else {}


def _values(given: Mapping[str, str]) -> dict[str, str]:
    kept = {k: given.get(k, "")[:2000] for k in ("numbers", "names", "basis")}
    return {**kept, **{k: v[:200] for k, v in given.items() if ROW.fullmatch(k)}}


def _certificate(request: Request, name: str) -> bytes | None:
    path = who_of(request).settings.data / "run" / erasing.FOLDER / f"{name}.json"
    return path.read_bytes() if path.is_file() else None


def _view(request: Request, given: Mapping[str, str], **more: Any) -> PersonsView:
    who, carrying = who_of(request), request.app.state.carrying
    called = {a.id: a.called for a in people.listed(who.accounts.ops)}
    listed = []
    for one in reversed(requests.read(who.settings.data)):
        body = _certificate(request, one.id) if one.state in ("approved", "done") else None
        listed.append(
            Standing(
                request=one,
                asked_by=called.get(one.asked_by, one.asked_by),
                approved_by=called.get(one.approved_by, one.approved_by),
                own=one.asked_by == subject(request).id,
                doing=carrying.doing(one.id),
                failed=carrying.failed(one.id),
                certificate=json.loads(body) if body else None,
            )
        )
    values = {"approves": request.url.path.startswith("/erasures"), "bases": BASES, "values": _values(given), **more}
    return PersonsView(**common(request, given, who.known(request.scope)), standing=tuple(listed), **values)
