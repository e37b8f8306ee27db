"""A new source in four steps: brought, looked at, answered for, tried and let in by another person; all recorded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin import durable, ops
from twin.accounts import people
from twin.api import forms, multipart
from twin.api.arriving import common
from twin.api.data_desk import HEADERS
from twin.api.data_view import own_departments
from twin.api.forms import go, page, who_of
from twin.api.newcomer_view import NewView
from twin.api.offices import event, may, office
from twin.api.who import subject
from twin.errors import BadRequest, NotFound, TwinError
from twin.runs import newcomers

if TYPE_CHECKING:
    from twin.runs.newcomers import Newcomer

router = APIRouter(dependencies=[Depends(office)])
FIELDS = 600
"""A form carries some fields for every column of a table."""
SUFFIXES = (
    ".xlsx", ".xls", ".csv", ".zip", ".gpkg", ".geojson", ".json", ".kml", ".dxf", ".shp", ".et", ".txt", ".tsv",
)  # fmt: skip
COLUMN = re.compile(r"(class|type|skip|codes)-(\d{1,3})")
PLAIN = (
    "department", "id", "title_zh", "title_en", "theme", "share_type", "share_condition", "open_attr", "update_cycle",
    "legal_basis", "contact_person", "contact_phone", "class", "rest",
)  # fmt: skip
FOUND = ("crs", "key", "kind", "year")
CLASSES = ("public", "internal", "personal", "sensitive", "state-secret")
_UNPLAIN = re.compile(r"[^A-Za-z0-9\u4e00-\u9fff._()（）-]+")
Act = Callable[[ops.Connection], None]


@router.get("/data/new")
async def shown(request: Request, done: str = "") -> Response:
    """Show the step a source is at, or the first step and what is on its way."""
    return await _shown(request, request.query_params, done=done[:20])


@router.post("/data/new/file")
async def brought(request: Request) -> Response:
    """Take a file as the form has it, laid aside unopened, and ask that it be looked at."""
    given = multipart.read(request.headers.get("content-type", ""), await request.body())
    forms.proved(request, given.fields)
    try:
        number = await asyncio.to_thread(_keep, request, given)
    except TwinError as error:
        return await _shown(request, given.fields, error=error)
    return _to(given.fields, number)


def _keep(request: Request, given: multipart.Sent) -> str:
    """Lay the file down before anybody is told of it; a name is only what it is called."""
    name = _UNPLAIN.sub("_", PurePosixPath(given.called.replace("\\", "/")).name).lstrip(".")[-120:]
    if not name or not given.file:
        raise BadRequest("请先选择文件", "Choose a file first", field="file")
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        listed = "、".join(s.lstrip(".") for s in SUFFIXES)
        raise BadRequest(
            f"不收这种文件;可收 {listed}(Shapefile 请打成 zip)", f"Not taken; these are: {listed}", field="file"
        )
    who, number = who_of(request), newcomers.new_id()
    folder = who.settings.data / newcomers.FOLDER / number
    durable.make_directory(folder)
    durable.write(folder / name, given.file)

    def ask(connection: ops.Connection) -> None:
        newcomers.start(connection, name, {"file": name}, by=subject(request).id, at=ops.now(), number=number)

    try:
        _record(request, "brought", name, ask, bytes=len(given.file))
    except TwinError:
        durable.remove_tree(folder)
        raise
    return number


@router.post("/data/new/connection")
async def named(request: Request) -> Response:
    """Ask that a part of a named connection be looked at."""
    given = await forms.form(request)
    connection, part = given.get("connection", "").strip()[:80], given.get("part", "").strip()[:160]
    number = newcomers.new_id()

    def ask(store: ops.Connection) -> None:
        if not connection or not part:
            raise BadRequest("请写明连接和表(或图层)", "Name the connection and its table or layer", field="connection")
        origin = {"connection": connection, "part": part, "key": given.get("key", "").strip()[:80]}
        newcomers.start(store, f"{connection}:{part}", origin, by=subject(request).id, at=ops.now(), number=number)

    return await _done(request, given, "brought", ask, number=number, what=f"{connection}:{part}")


@router.post("/data/new/look")
async def look_again(request: Request) -> Response:
    """Ask for another look: at another part, or with other rows as heading."""
    given = await forms.form(request)
    number = given.get("entry", "")

    def ask(store: ops.Connection) -> None:
        one = _own(request, store, number)
        changed = {"part": given.get("part", "")[:160], "header_rows": given.get("header_rows", "").strip()[:20]}
        if not re.fullmatch(r"|\d{1,3}(-\d{1,3})?", changed["header_rows"]):
            raise BadRequest("表头行写作 3 或 3-4", "Write heading rows as 3 or 3-4", field="header_rows")
        newcomers.look_again(store, number, {**one.origin, **{k: v for k, v in changed.items() if v}}, ops.now())

    return await _done(request, given, "looked", ask, number=number)


@router.post("/data/new/found")
async def found(request: Request) -> Response:
    """Keep what was corrected of the findings, and go on to what the machine cannot know."""
    given = await forms.read(request, FIELDS)
    number = given.get("entry", "")

    def ask(store: ops.Connection) -> None:
        one = _own(request, store, number)
        answers = {**one.answers, **{k: given[k].strip()[:120] for k in FOUND if given.get(k)}}
        answers["columns"] = _columns(one, given, ("type", "skip", "codes"))
        newcomers.answer(store, number, answers, ops.now(), ready=False)

    return await _done(request, given, "found", ask, number=number, step="3")


@router.post("/data/new/answers")
async def answered(request: Request) -> Response:
    """Keep what only people know, and ask for a preview."""
    given = await forms.read(request, FIELDS)
    number = given.get("entry", "")

    def ask(store: ops.Connection) -> None:
        one = _own(request, store, number)
        answers = {**one.answers, **{k: given.get(k, "").strip()[:200] for k in PLAIN}}
        answers["columns"] = _columns(one, given, ("class",), answers.get("rest", ""))
        answers |= _usual(request, answers)
        if given.get("sure") != "yes":
            raise BadRequest(
                "请勾选:已逐列核对个人信息", "Tick that every column was checked for personal data", field="sure"
            )
        newcomers.answer(store, number, answers, ops.now(), ready=True)

    return await _done(request, given, "answered", ask, number=number, step="3")


def _usual(request: Request, answers: Mapping[str, Any]) -> dict[str, str]:
    """Give whom the department's other resources name, where nobody is named."""
    office_ = request.app.state.rooms.onemap.department(str(answers.get("department", "")))
    known = [r for r in office_.resources if r.contact_person] if office_ else []
    if not known:
        return {}
    usual = {"contact_person": known[0].contact_person, "contact_phone": known[0].contact_phone}
    return {k: str(answers.get(k) or v) for k, v in usual.items()}


def _columns(one: Newcomer, given: Mapping[str, str], kinds: tuple[str, ...], rest: str = "") -> dict[str, Any]:
    """Read what was said of each column, by its number; `rest` is the class of those of which nothing was said."""
    columns = [str(c["source"]) for c in one.found.get("columns", ())]
    said: dict[str, dict[str, Any]] = {c: dict(one.answers.get("columns", {}).get(c, {})) for c in columns}
    told = {(m[1], int(m[2])): v for k, v in given.items() if (m := COLUMN.fullmatch(k))}
    for number, column in enumerate(columns):
        if "class" in kinds:
            chosen = told.get(("class", number), "") or rest
            said[column]["sensitivity"] = chosen if chosen in CLASSES else ""
        if "type" in kinds:
            said[column]["type"] = told.get(("type", number), "")[:12]
            said[column]["skip"] = ("skip", number) in told
            said[column]["no_codes"] = ("codes", number) in told
    return said


@router.post("/data/new/offer")
async def offered(request: Request) -> Response:
    """Ask another person to let the source in."""
    given = await forms.form(request)
    number = given.get("entry", "")

    def ask(store: ops.Connection) -> None:
        _own(request, store, number)
        newcomers.offer(store, number, ops.now())

    return await _done(request, given, "offered", ask, number=number)


@router.post("/data/new/drop")
async def dropped(request: Request) -> Response:
    """Give a source up; its file goes."""
    given = await forms.form(request)
    number = given.get("entry", "")

    def ask(store: ops.Connection) -> None:
        _own(request, store, number)
        newcomers.drop(store, number, ops.now())

    answer = await _done(request, given, "dropped", ask, number="", what=number)
    folder = who_of(request).settings.data / newcomers.FOLDER / number
    if answer.status_code == 303 and re.fullmatch(r"[0-9a-f]{32}", number) and folder.is_dir():
        await asyncio.to_thread(durable.remove_tree, folder)
    return answer


@router.post("/data/new/decide")
async def decided(request: Request) -> Response:
    """Let a source in that another person brought, or send it back, with the reason."""
    given = await forms.form(request)
    number, why, act = given.get("entry", ""), given.get("why", "").strip(), given.get("act", "")

    def ask(store: ops.Connection) -> None:
        one = newcomers.one(store, number)
        _open_to(request, one)
        if act == "approve":
            newcomers.approve(store, number, by=subject(request).id, why=why, at=ops.now())
        elif act == "back":
            newcomers.send_back(store, number, by=subject(request).id, why=why, at=ops.now())
        else:
            raise BadRequest("没有这种操作", "There is no such act")

    return await _done(request, given, "approved" if act == "approve" else "returned", ask, number=number)


def _own(request: Request, store: ops.Connection, number: str) -> Newcomer:
    """Give a source that whoever asks has brought; raises NotFound for another's, the same as for none."""
    one = newcomers.one(store, number)
    if one.account_id != subject(request).id:
        raise NotFound("没有这个数据源", "There is no such source")
    return one


def _open_to(request: Request, one: Newcomer) -> None:
    """Raise NotFound for a source of another department than one's own."""
    own = own_departments(request)
    mine = one.account_id == subject(request).id
    if not mine and own is not None and one.department not in own:
        raise NotFound("没有这个数据源", "There is no such source")


def _record(request: Request, act: str, what: str, ask: Act, **told: Any) -> None:
    entry = event(request, f"newcomer.{act}", resource="data", detail={"source": what[:80], **told})
    with who_of(request).audit.doing(entry) as connection:
        ask(connection)


async def _done(
    request: Request, given: Mapping[str, str], act: str, ask: Act, *, number: str, what: str = "", step: str = ""
) -> Response:
    """Do what is asked and record it in the one transaction, and go on; or show why it was refused."""
    try:
        await asyncio.to_thread(_record, request, act, what or number, ask)
    except TwinError as error:
        return await _shown(request, {**given, "step": step or given.get("step", "")}, error=error, typed=dict(given))
    return _to(given, number, step=step if act == "found" else "", done=act)


def _to(given: Mapping[str, str], number: str, **more: str) -> Response:
    asked = {"entry": number, "lang": given.get("lang", "")[:5], **more}
    return go("/data/new?" + urlencode({k: v for k, v in asked.items() if v}))


async def _shown(request: Request, given: Mapping[str, str], **more: Any) -> Response:
    view = await asyncio.to_thread(_view, request, given, **more)
    return page(request, view, **HEADERS)


def _view(
    request: Request, given: Mapping[str, str], *, typed: Mapping[str, str] | None = None, **more: Any
) -> NewView:
    who, onemap = who_of(request), request.app.state.rooms.onemap
    number, asks = given.get("entry", ""), subject(request)
    with who.accounts.ops.read() as connection:
        one = newcomers.one(connection, number) if number else None
        listed = newcomers.listed(connection)
        called = people.called(connection, (n.account_id for n in listed))
    if one is not None:
        _open_to(request, one)
    own = own_departments(request)
    seen = [n for n in listed if n.account_id == asks.id or own is None or n.department in own]
    return NewView(
        **common(request, given, who.known(request.scope)),
        source=one,
        step=given.get("step", "") if given.get("step", "") in ("2", "3", "4") else "",
        listed=tuple(seen),
        called=called,
        departments={d.id: d.title for d in onemap.departments},
        themes={t.id: t.title for t in onemap.themes},
        layers=tuple(x.id for x in onemap.layers),
        systems=tuple(onemap.village.accepted_crs),
        bbox=onemap.village.bbox,
        mine=one is not None and one.account_id == asks.id,
        starts=may(request, "runs.start"),
        decides=may(request, "publishes.approve"),
        given=dict(typed or {}),
        **more,
    )
