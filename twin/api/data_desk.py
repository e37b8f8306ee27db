"""The data team's page: what is received and how it stands; what is asked there is recorded with who and why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin import ops
from twin.api import data_view
from twin.api.answers import answer
from twin.api.forms import back, form, go, language, page, who_of
from twin.api.offices import event, office
from twin.api.who import subject
from twin.errors import BadRequest, NotFound, TwinError
from twin.runs import asking, reading
from twin.runs.moving import moving, said
from twin.text import t

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.runs.values import Hold

router = APIRouter(dependencies=[Depends(office)])
Form = Annotated[Any, Depends(form)]
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "worker-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No password is typed here: our own scripts may run, and ask this service only; a map's worker parses its tiles."""
HEADERS = {"content-security-policy": CSP}
WATCHED = 50


@router.get("/data")
async def data_page(request: Request, done: str = "", was: str = "") -> Response:
    """Show the table as asked, and one resource's sheet where the address names one."""
    return await shown(request, request.query_params, done=done[:20], was=was[:80])


@router.get("/data/live")
async def live(request: Request, r: str = "") -> Response:
    """Give what moves of the resources named in `r`, in the language of the page."""
    named = [x for x in r.split(",")[:WATCHED] if x]
    return answer(request, {"moving": await asyncio.to_thread(_live, request, named)})


def _live(request: Request, named: list[str]) -> dict[str, Any]:
    data_view.brought_up(request)
    lang, own = language(request), data_view.own_departments(request)
    onemap = request.app.state.rooms.onemap
    mine = [n for n in named if (x := onemap.resource(n)) and (own is None or x.department in own)]
    with who_of(request).accounts.ops.read() as connection:
        found = moving(connection, mine)
    return {
        name: {"phase": m.phase, "said": said(m, ops.now()).in_(lang), "why": m.reason.in_(lang)}
        for name, m in found.items()
    }


@router.post("/data/rerun")
async def rerun(request: Request, given: Form) -> Response:
    """Ask that a resource be received now."""
    name, why = given.get("resource", ""), why_of(given) or t("page.data.why_pressed", "zh-CN")

    def ask(connection: ops.Connection) -> None:
        asking.rerun(connection, name, by=subject(request).id, why=why, at=ops.now())

    return await done(request, given, "rerun", name, ask, why=why)


@router.post("/data/rerun-failed")
async def rerun_failed(request: Request, given: Form) -> Response:
    """Ask that everything of one's own that failed be received again."""
    why = why_of(given) or t("page.data.why_pressed", "zh-CN")

    def ask(connection: ops.Connection) -> None:
        wanted = reading.Wanted(states=("failed",), count=reading.MOST, may=data_view.own_departments(request))
        for row in reading.page(connection, wanted, data_view.now_of(request)).rows:
            asking.rerun(connection, row.resource, by=subject(request).id, why=why, at=ops.now())

    return await done(request, given, "rerun-failed", "", ask, why=why)


@router.post("/data/schedule")
async def schedule(request: Request, given: Form) -> Response:
    """Change when a resource is looked for, or pause it, or let it go on."""
    name, act, why, by = given.get("resource", ""), given.get("act", ""), why_of(given), subject(request).id
    if act == "preview":
        typed = given.get("cadence", "").strip()[:200]
        back = {**_back(given), "r": name, "lang": given.get("lang", "")}
        return await shown(request, back, typed=typed, because=why)
    if act not in ("cadence", "pause", "resume"):
        return await shown(request, _back(given), error=BadRequest("没有这种操作", "There is no such change"))
    cadence = given.get("cadence", "").strip()[:200]

    def ask(connection: ops.Connection) -> None:
        at = ops.now()
        stands = reading.one(connection, name, at)
        if act == "cadence" and (cadence != stands.cadence or not cadence):
            rules = data_view.rules_of(request)
            asking.change_cadence(connection, name, cadence, rules, by=by, why=why, at=at)
        if act != "cadence" and stands.paused != (act == "pause"):
            asking.pause(connection, name, by=by, why=why, at=at, paused=act == "pause")

    return await done(request, given, act, name, ask, why=why, cadence=cadence)


@router.post("/data/decide")
async def decide(request: Request, given: Form) -> Response:
    """Approve or reject what a guard held, for a reason."""
    name, run, act = given.get("resource", ""), given.get("run", ""), given.get("act", "")
    why, by = why_of(given), subject(request).id
    if act not in ("approve", "reject"):
        return await shown(request, _back(given), error=BadRequest("没有这种操作", "There is no such change"))
    decision = "approved" if act == "approve" else "rejected"

    def ask(connection: ops.Connection) -> None:
        held = _held(connection, name, run)
        if (held.decision, held.account_id) == (decision, by):
            return  # pressed twice
        if act == "approve":
            asking.approve(connection, run, by=by, why=why, at=ops.now())
        else:
            asking.reject(connection, run, by=by, why=why, at=ops.now())

    return await done(request, given, act, name, ask, why=why, run=run)


def _held(connection: ops.Connection, resource: str, run: str) -> Hold:
    found = next((h for h in reading.holds(connection, resource, waiting=False) if h.run == run), None)
    if found is None:
        raise NotFound("没有这次待批的运行", "No such run was held")
    return found


async def done(
    request: Request, given: Any, act: str, resource: str, ask: Callable[[ops.Connection], None], **told: str
) -> Response:
    """Do what is asked and record it in the one transaction, and go back; or show why it was refused."""

    def work() -> None:
        data_view.brought_up(request)
        if resource or act != "rerun-failed":
            data_view.open_to(request, resource)
        entry = event(request, f"data.{act}", resource=resource or "data", detail={k: v for k, v in told.items() if v})
        with who_of(request).audit.doing(entry) as connection:
            ask(connection)

    try:
        await asyncio.to_thread(work)
    except TwinError as error:
        return await shown(request, {**_back(given), "lang": given.get("lang", "")}, error=error)
    lang = {"lang": "en"} if given.get("lang") == "en" else {}
    return go("/data?" + urlencode({**_back(given), **lang, "done": act, "was": resource}))


def _back(given: Any) -> dict[str, str]:
    return back(given, data_view.KEPT)


def why_of(given: Any) -> str:
    """Give the reason that was typed."""
    return given.get("why", "").strip()[:400]


async def shown(request: Request, given: Any, **more: Any) -> Response:
    """Show the page as `given` asks."""
    view = await asyncio.to_thread(data_view.view, request, given, **more)
    return page(request, view, **HEADERS)
