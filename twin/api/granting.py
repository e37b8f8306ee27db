"""The security administrator's page of grants: who sees what, and the one form that changes it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.accounts import Account, people
from twin.api import adopted
from twin.api.arriving import common
from twin.api.forms import form, go, page, who_of
from twin.api.lapsed import typed_before
from twin.api.offices import event, noted, office, policy_of
from twin.api.views import GrantsView
from twin.errors import BadRequest, NotFound, PublishConflict
from twin.policy import ROLES, sight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.rooms import Rooms

router = APIRouter(dependencies=[Depends(office)])
Form = Annotated[Any, Depends(form)]
VERSION = re.compile(r"^version\s*=\s*\d+", re.MULTILINE)


@router.get("/grants")
async def grants_page(request: Request, done: str = "") -> Response:
    """Show who sees a thing, or what a person sees; with `edit`, the text, as it is or as a version had it."""
    try:
        typed = await asyncio.to_thread(_typed, request)
        view = await asyncio.to_thread(_view, request, request.query_params, done=done[:20], **typed)
    except NotFound as error:
        view = await asyncio.to_thread(_view, request, {}, error=error)
    return page(request, view)


@router.post("/grants/change")
async def change(request: Request, given: Form) -> Response:
    """Prove a text of grants and let it hold once that is recorded; else show what is wrong with it."""
    text = given.get("text", "").replace("\r\n", "\n")
    note = given.get("note", "").strip()[:400]
    rooms: Rooms = request.app.state.rooms
    held = policy_of(request).grants.version
    told = {"from": held, "to": held + 1, "why": note, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    entry = event(request, "grants.changed", resource="grants", detail=told)
    try:
        await asyncio.to_thread(lambda: adopted.adopt(rooms, who_of(request), text, note=note, entry=entry))
    except (BadRequest, PublishConflict) as error:
        faults = error.faults if isinstance(error, adopted.Unproved) else ()
        await noted(request, "grants.changed", "refused", resource="grants", detail={"faults": len(faults)})
        more: dict[str, Any] = {"error": error, "faults": faults, "text": text, "note": note, "edits": True}
        return page(request, await asyncio.to_thread(_view, request, given, **more))
    return go("/grants", lang="en" if given.get("lang") == "en" else "", done="changed")


def _typed(request: Request) -> dict[str, Any]:
    """Give the text that was being changed when the session ran out, for the form it stood in."""
    known = who_of(request).known(request.scope)
    _, given = typed_before(request, known.account if known else None, "/grants/change")
    if not given:
        return {}
    text = given.get("text", "").replace("\r\n", "\n")
    return {"typed": True, "edits": True, "text": text, "note": given.get("note", "")[:400]}


def _view(request: Request, given: Mapping[str, str], **more: Any) -> GrantsView:
    who, rooms = who_of(request), request.app.state.rooms
    adopted.hold_newer(rooms, who)
    accounts = tuple(a for a in people.listed(who.accounts.ops) if a.disabled_at is None)
    known = adopted.versions(who.accounts.ops)
    asked = _asked(request, given, accounts)
    edits = bool(given.get("edit"))
    text = _to_edit(rooms, known, given.get("edit", "")) if edits else ""
    values: dict[str, Any] = {"edits": edits, "text": text, **asked, **more}
    return GrantsView(
        **common(request, given, who.known(request.scope)),
        roles=rooms.policy.grants.roles,
        layers=tuple((x.id, x.title) for x in rooms.onemap.layers),
        tables=tuple((r.id, r.title) for r in rooms.onemap.resources),
        people=accounts,
        version=rooms.policy.grants.version,
        versions=known,
        **values,
    )


def _asked(request: Request, given: Mapping[str, str], accounts: tuple[Account, ...]) -> dict[str, Any]:
    """Answer what is asked; raises NotFound for a layer, table, role or account there is not."""
    rooms, what = request.app.state.rooms, given.get("what", "")[:120]
    by = "person" if given.get("by") == "person" else "thing"
    if not what:
        return {"by": by}
    if by == "thing":
        return {"by": by, "what": what, "thing": sight.who_sees(rooms.onemap, rooms.policy, what)}
    account = next((a for a in accounts if a.id == what), None)
    if account is None and what not in ROLES:
        raise NotFound("没有这个角色或账号", "There is no such role or account")
    subject = people.subject(account, demo=who_of(request).settings.demo) if account else None
    asked = subject or sight.of_role(rooms.onemap, what)
    return {"by": by, "what": what, "person": sight.what_sees(rooms.onemap, rooms.policy, asked)}


def _to_edit(rooms: Rooms, known: tuple[adopted.Version, ...], wanted: str) -> str:
    """Give the text to begin from, with the number the next version must have."""
    older = next((v.content for v in known if str(v.version) == wanted), None)
    text = older if older is not None else adopted.standing(rooms, known)
    return VERSION.sub(f"version = {rooms.policy.grants.version + 1}", text, count=1)
