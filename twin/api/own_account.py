"""One's own account: its page, password, second factor and sessions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.accounts import Known, second_factor
from twin.api.answers import gate
from twin.api.arriving import asked, came, common, slowed
from twin.api.forms import form, go, inside, page, who_of
from twin.api.lapsed import lead_back, typed_before
from twin.api.purpose import own_office
from twin.api.views import AccountView
from twin.errors import SignInRefused, TwinError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

router = APIRouter(dependencies=[Depends(gate)])
Form = Annotated[Any, Depends(form)]


@router.get("/account")
async def account_page(request: Request, done: str = "", next: str = "") -> Response:  # noqa: A002 - its name there
    """Show one's own account, its sessions, and what may be changed."""
    known = await asyncio.to_thread(who_of(request).known, request.scope)
    if known is None:
        return await _first_sign_in(request)
    onward = inside(next) if next else ""
    return page(request, await asyncio.to_thread(account_view, request, known, done=done[:20], next=onward))


@router.post("/account/password")
async def change_password(request: Request, given: Form) -> Response:
    """Change one's password; every other session of the account ends."""
    known = await asyncio.to_thread(who_of(request).known, request.scope)
    if known is None:
        return await _first_sign_in(request, given)
    if given.get("password") != given.get("again"):
        error = SignInRefused("两次输入的新密码不同", "The two new passwords differ")
        return await _again(request, given, known, error)
    who, keep = who_of(request), known.session.id_hash
    before, after = given.get("before", ""), given.get("password", "")

    async def change() -> None:
        await who.hashed(lambda: who.accounts.change_password(known.account, before, after, keep=keep))

    return await _changed(request, given, known, "password", change)


@router.post("/account/second-factor")
async def enrol(request: Request, given: Form) -> Response:
    """Take a second factor once its first code was shown."""
    known = await asyncio.to_thread(who_of(request).known, request.scope)
    if known is None:
        return await _first_sign_in(request, given)
    sealed, code = given.get("offered", ""), given.get("code", "")

    async def change() -> None:
        if known.account.totp_secret:
            raise SignInRefused(
                "已有第二因素，请联系管理员重置", "There is one already; ask the administrator to reset it"
            )
        enrol = who_of(request).accounts.enrol
        await asyncio.to_thread(enrol, known.account, sealed, code, keep=known.session.id_hash)

    return await _changed(request, given, known, "second_factor", change)


@router.post("/account/sessions/end")
async def end_session(request: Request, given: Form) -> Response:
    """End one of one's own sessions, or all but this one."""
    known = await asyncio.to_thread(who_of(request).known, request.scope)
    if known is None:
        return await _first_sign_in(request, given)
    accounts = who_of(request).accounts
    wanted = given.get("session", "")
    if wanted == "others":
        await asyncio.to_thread(accounts.end_all, known.account.id, known.session.id_hash)
    else:
        await asyncio.to_thread(accounts.end_session, known.account.id, wanted)
    await who_of(request).record(request.scope, "session_end", "ok", account=known.account)
    return go("/account", lang=asked(given), done="session")


async def _first_sign_in(request: Request, given: Mapping[str, str] | None = None) -> Response:
    """Lead to the sign-in and back to the account; raises Lapsed where a session ran out while the page was open."""
    await lead_back(request, lambda _: True)
    return go("/signin", next="/account", lang=asked(given or request.query_params))


async def _again(request: Request, given: Mapping[str, str], known: Known, error: TwinError) -> Response:
    view = await asyncio.to_thread(account_view, request, known, given, error=error)
    return page(request, view)


async def _changed(
    request: Request, given: Mapping[str, str], known: Known, what: str, change: Callable[[], Awaitable[None]]
) -> Response:
    """Try to change one's own password or factor, no faster than a sign-in is tried, and record how it went."""
    try:
        slowed(request, known.account.name)
        await change()
    except TwinError as error:
        await who_of(request).record(request.scope, what, "refused", account=known.account)
        return await _again(request, given, known, error)
    return await _renewed(request, given, known, what)


async def _renewed(request: Request, given: Mapping[str, str], known: Known, done: str) -> Response:
    """Give the session a new token after what it may do has changed, and go back to the account."""
    who = who_of(request)
    await who.record(request.scope, done, "ok", account=known.account)
    signed = await asyncio.to_thread(who.accounts.admit, known.account, came(request))
    return go("/account", who.cookies(signed.session_token, signed.csrf), lang=asked(given), done=done)


def account_view(request: Request, known: Known, given: Mapping[str, str] | None = None, **more: Any) -> AccountView:
    """Give what the page of one's own account shows: sessions, a second factor on offer, offices."""
    who = who_of(request)
    account, accounts = known.account, who.accounts
    offered = {}
    if given is None:
        given = typed_before(request, account, "/account/second-factor")[1]
        more = {"typed": bool(given), **more}
    owes = account.owes(demo=who.settings.demo)
    if not account.totp_secret and not account.federated and account.password_hash and owes != "password":
        kept = (given or {}).get("offered", "")
        factor = accounts.offered(account, kept) if kept else None
        if factor is None:
            factor, kept = accounts.offer_factor(account)
        offered = {"offered": kept, "secret": factor.secret, "address": second_factor.address(factor, account.name)}
    return AccountView(
        **common(request, given, known),
        sessions=tuple(accounts.sessions(account.id)),
        here=known.session.id_hash,
        owes=owes,
        **own_office(request, known),
        **offered,
        **more,
    )
