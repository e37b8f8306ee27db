"""Signing in and out, and the demo's role switcher: forms in, pages and cookies out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.accounts import SignedIn, demo, people
from twin.api.answers import gate
from twin.api.arriving import asked, came, common, slowed
from twin.api.forms import form, go, inside, language, page, who_of
from twin.api.lapsed import Lapsed
from twin.api.own_account import account_view
from twin.api.views import SignInView
from twin.errors import NotFound, ProviderDown, SignInRefused, TooMany

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.accounts import Account

router = APIRouter(dependencies=[Depends(gate)], include_in_schema=True)
BEGUN = "__Host-onemap_begun"
"""What is kept, sealed, while somebody is at the provider."""
FORGET = '"cache", "storage"'
"""What is kept in a browser others use next: drawn rows, and starred things by name. "cookies" would be every cookie of
the county's domain, other services' too; ours are ended one by one."""
Form = Annotated[Any, Depends(form)]


@router.get("/signin")
async def sign_in_page(request: Request, next: str = "/", ended: str = "") -> Response:  # noqa: A002 - its name in the address
    """Ask who it is; in the demo, offer its roles."""
    view = await asyncio.to_thread(_sign_in_view, request, next=inside(next), ended=ended[:8])
    return page(request, view)


@router.post("/signin")
async def sign_in(request: Request, given: Form) -> Response:
    """Sign a person in by name, password and, where they have one, a code; the cookie is a new one."""
    who = who_of(request)
    name = given.get("name", "")
    try:
        slowed(request, name)
        accounts = await asyncio.to_thread(lambda: who.accounts)
        password, code = given.get("password", ""), given.get("code", "")
        signed = await who.hashed(lambda: accounts.sign_in(name, password, code, came(request)))
    except (SignInRefused, TooMany) as error:
        await who.record(request.scope, "sign_in", "refused", name=name)
        view = await asyncio.to_thread(
            _sign_in_view, request, given, next=inside(given.get("next", "/")), name=name[:120], error=error
        )
        return page(request, view)
    await who.record(request.scope, "sign_in", "ok", account=signed.account)
    return _welcome(request, signed, given)


@router.get("/signin/provider")
async def to_provider(request: Request, next: str = "/") -> Response:  # noqa: A002 - its name in the address
    """Lead to the declared provider; there is no such address where none is declared."""
    who = who_of(request)
    provider = await asyncio.to_thread(lambda: who.provider)
    if provider is None:
        raise NotFound("没有找到", "Not found")
    try:
        begun = await asyncio.to_thread(provider.begin, inside(next))
    except ProviderDown as error:
        return page(request, await asyncio.to_thread(_sign_in_view, request, error=error))
    return go(
        begun.address, [("set-cookie", f"{BEGUN}={begun.kept}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")]
    )


@router.get("/signin/back")
async def from_provider(request: Request) -> Response:
    """Take the provider's answer, once; the session is a new one."""
    who = who_of(request)
    provider = await asyncio.to_thread(lambda: who.provider)
    if provider is None:
        raise NotFound("没有找到", "Not found")
    forget = ("set-cookie", f"{BEGUN}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure")
    try:
        slowed(request)
        account, onward = await asyncio.to_thread(
            provider.finish, request.cookies.get(BEGUN, ""), dict(request.query_params)
        )
        signed = await asyncio.to_thread(who.accounts.admit, account, came(request))
    except (SignInRefused, ProviderDown, TooMany) as error:
        await who.record(request.scope, "sign_in", "refused", by="provider")
        answer = page(request, await asyncio.to_thread(_sign_in_view, request, error=error))
        answer.headers.append(*forget)
        return answer
    await who.record(request.scope, "sign_in", "ok", account=account, by="provider")
    return go(inside(onward), [forget, *who.cookies(signed.session_token, signed.csrf)])


@router.post("/signin/demo")
async def switch_role(request: Request, given: Form) -> Response:
    """Take one of the demo's roles; there is no such address outside the demo."""
    who = who_of(request)
    if not who.settings.demo:
        raise NotFound("没有找到", "Not found")
    accounts = await asyncio.to_thread(demo.accounts, who.accounts, who.place)
    wanted = next((a for a in accounts if a.role == given.get("role")), None)
    if wanted is None:
        raise NotFound("没有这个角色", "There is no such role")
    signed = await asyncio.to_thread(who.accounts.admit, wanted, came(request))
    await who.record(request.scope, "sign_in", "ok", account=wanted)
    return _welcome(request, signed, given)


@router.post("/signout")
async def sign_out(request: Request, given: Form) -> Response:
    """End the session and everything the browser keeps of it."""
    who = who_of(request)
    await asyncio.to_thread(who.accounts.end, who.token(request.scope))
    await who.record(request.scope, "sign_out", "ok")
    answer = go("/signin", who.no_cookies(), lang=asked(given), ended="out")
    if not who.settings.demo:
        answer.headers["clear-site-data"] = FORGET
    return answer


async def not_ours(request: Request, error: Any) -> Response:
    """Show the page anew, with today's token and why, to whoever sent a form from a page that is out of date.

    Whose session ran out is led to the sign-in, and from there back.
    """
    if isinstance(error, Lapsed):
        ended = "typed" if error.typed else "over"
        return go("/signin", next=error.onward, lang="en" if language(request) == "en" else "", ended=ended)
    known = await asyncio.to_thread(who_of(request).known, request.scope)
    if known is None or request.url.path.startswith("/signin"):
        return page(request, await asyncio.to_thread(_sign_in_view, request, error=error))
    return page(request, await asyncio.to_thread(account_view, request, known, error=error))


def _welcome(request: Request, signed: SignedIn, given: Mapping[str, str]) -> Response:
    who = who_of(request)
    owes = signed.account.owes(demo=who.settings.demo)
    onward = inside(given.get("next", "/"))
    if owes or (onward == "/" and not _sees_a_map(request, signed.account)):
        onward = "/account"
    return go(onward, who.cookies(signed.session_token, signed.csrf), lang=asked(given))


def _sees_a_map(request: Request, account: Account) -> bool:
    """Say whether the map's page would show this account anything."""
    rooms = request.app.state.rooms
    asked = people.subject(account, demo=who_of(request).settings.demo)
    return any(rooms.policy.layers(asked))


def _sign_in_view(request: Request, given: Mapping[str, str] | None = None, **more: Any) -> SignInView:
    who = who_of(request)
    known = who.known(request.scope)
    roles: tuple[Account, ...] = demo.accounts(who.accounts, who.place) if who.settings.demo else ()
    return SignInView(**common(request, given, known), roles=roles, provider=bool(who.settings.oidc_issuer), **more)
