"""The security administrator's page: accounts and keys of systems, each change recorded before it is answered."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.accounts import administration, demo
from twin.api.answers import gate
from twin.api.arriving import common
from twin.api.forms import form, go, page, who_of
from twin.api.lapsed import lead_back, typed_before
from twin.api.views import PeopleView
from twin.api.who import subject
from twin.errors import BadRequest, NotFound, TwinError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.accounts import Account

DAYS = 365
NUMBER = re.compile(r"[0-9]{1,3}")


async def administrator(request: Request) -> None:
    """Raise NotFound for everyone the page is not for: to them there is no such page."""
    roles = gate(request).roles
    if subject(request).role not in roles:
        await lead_back(request, lambda account: account.role in roles)
        raise NotFound("没有找到", "Not found")


router = APIRouter(dependencies=[Depends(administrator)])
Form = Annotated[Any, Depends(form)]


@router.get("/accounts")
async def people_page(request: Request, done: str = "") -> Response:
    """Show all accounts and keys."""
    return page(request, await asyncio.to_thread(_typed_view, request, done=done[:20]))


@router.post("/accounts/add")
async def add(request: Request, given: Form) -> Response:
    """Make an account; its one-time password stands in this answer and nowhere else."""
    who = who_of(request)
    try:
        made, password = await who.hashed(lambda: administration.add(who.accounts, given))
    except BadRequest as error:
        return page(request, await asyncio.to_thread(_view, request, given, error=error))
    await who.record(request.scope, "account_add", "ok", of=made.id, given=made.role)
    return page(request, await asyncio.to_thread(_view, request, done="added", password=password))


@router.post("/accounts/change")
async def change(request: Request, given: Form) -> Response:
    """Shut an account, open it again, reset it, or end its sessions; never one's own."""
    who, act = who_of(request), given.get("act", "")
    try:
        account = await asyncio.to_thread(administration.find, who.accounts, given.get("id", ""))
        _may_change(request, account, act)
        await who.record(request.scope, f"account_{act}", "ok", of=account.id)
        password = await who.hashed(lambda: ACTS[act](who.accounts, account.id))
    except TwinError as error:
        return page(request, await asyncio.to_thread(_view, request, given, error=error))
    once = password if isinstance(password, str) else ""
    return page(request, await asyncio.to_thread(_view, request, done=DONE[act], password=once))


def _may_change(request: Request, account: Account, act: str) -> None:
    """Raise BadRequest for a change there is not, of oneself, or of the demo's accounts."""
    if act not in ACTS:
        raise BadRequest("没有这种操作", "There is no such change")
    if account.id == subject(request).id:
        raise BadRequest("不能更改自己的账号，请由另一位管理员操作", "Not one's own account: another administrator may")
    if account.name.startswith(demo.PREFIX):
        raise BadRequest("演示账号不能更改", "The demo's accounts stay as they are")


@router.post("/accounts/keys/add")
async def add_key(request: Request, given: Form) -> Response:
    """Make a key; its text stands in this answer and nowhere else."""
    who = who_of(request)
    try:
        key, text = await asyncio.to_thread(_made, request, given)
    except BadRequest as error:
        return page(request, await asyncio.to_thread(_view, request, given, error=error))
    await who.record(request.scope, "key_add", "ok", of=key.id)
    return page(request, await asyncio.to_thread(_view, request, done="key", key=text))


def _made(request: Request, given: Mapping[str, str]) -> Any:
    accounts = who_of(request).accounts
    days = given.get("days", "")
    if not NUMBER.fullmatch(days) or not 1 <= int(days) <= DAYS:
        raise BadRequest(f"有效天数应为 1 到 {DAYS}", f"A key lives 1 to {DAYS} days", field="days")
    return accounts.keys.make(
        client=given.get("client", "")[:120],
        scopes=given.get("scopes", "").split(),
        networks=given.get("networks", "").split(),
        prefix=given.get("prefix", "").strip(),
        expires_at=accounts.now() + timedelta(days=int(days)),
    )


@router.post("/accounts/keys/revoke")
async def revoke_key(request: Request, given: Form) -> Response:
    """End a key at once."""
    who = who_of(request)
    await who.record(request.scope, "key_revoke", "ok", of=given.get("id", "")[:8])
    await asyncio.to_thread(who.accounts.keys.revoke, given.get("id", ""))
    return go("/accounts", lang="en" if given.get("lang") == "en" else "", done="revoked")


ACTS = {
    "disable": lambda accounts, account: accounts.disable(account),
    "enable": lambda accounts, account: accounts.enable(account),
    "end": lambda accounts, account: accounts.end_all(account),
    "reset": administration.reset,
}
DONE = {"disable": "disabled", "enable": "enabled", "end": "ended", "reset": "reset"}


def _typed_view(request: Request, done: str) -> PeopleView:
    """Give the page with what was typed into one of its forms when the session ran out."""
    known = who_of(request).known(request.scope)
    _, values = typed_before(request, known.account if known else None, "/accounts/add", "/accounts/keys/add")
    return _view(request, done=done, typed=bool(values), values=values)


def _view(request: Request, given: Mapping[str, str] | None = None, **more: Any) -> PeopleView:
    who = who_of(request)
    accounts, sessions = administration.listed(who.accounts)
    return PeopleView(
        **common(request, given, who.known(request.scope)),
        accounts=accounts,
        sessions=sessions,
        keys=tuple(who.accounts.keys.listed()),
        ground=who.ledger.usage(),
        now=who.accounts.now(),
        **{"values": dict(given or {}), **more},
    )
