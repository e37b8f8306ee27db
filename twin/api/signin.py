"""Signing in and out, one's own account, and the demo's role switcher: forms in, pages and cookies out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.accounts import Came, Known, SignedIn, demo, people, second_factor, tokens
from twin.accounts.people import tidy
from twin.api.answers import gate
from twin.api.forms import form, go, inside, language, page, who_of
from twin.api.lapsed import Lapsed, lead_back, typed_before
from twin.api.limits import retry_after
from twin.api.purpose import own_office
from twin.api.views import AccountView, SignInView
from twin.errors import NotFound, ProviderDown, SignInRefused, TooMany, TwinError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

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
        _slowed(request, name)
        came = _came(request)
        accounts = await asyncio.to_thread(lambda: who.accounts)
        password, code = given.get("password", ""), given.get("code", "")
        signed = await who.hashed(lambda: accounts.sign_in(name, password, code, came))
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
        _slowed(request)
        account, onward = await asyncio.to_thread(
            provider.finish, request.cookies.get(BEGUN, ""), dict(request.query_params)
        )
        signed = await asyncio.to_thread(who.accounts.admit, account, _came(request))
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
    signed = await asyncio.to_thread(who.accounts.admit, wanted, _came(request))
    await who.record(request.scope, "sign_in", "ok", account=wanted)
    return _welcome(request, signed, given)


@router.post("/signout")
async def sign_out(request: Request, given: Form) -> Response:
    """End the session and everything the browser keeps of it."""
    who = who_of(request)
    await asyncio.to_thread(who.accounts.end, who.token(request.scope))
    await who.record(request.scope, "sign_out", "ok")
    answer = go("/signin", who.no_cookies(), lang=_asked(given), ended="out")
    if not who.settings.demo:
        answer.headers["clear-site-data"] = FORGET
    return answer


@router.get("/account")
async def account_page(request: Request, done: str = "", next: str = "") -> Response:  # noqa: A002 - its name there
    """Show one's own account, its sessions, and what may be changed."""
    known = await asyncio.to_thread(who_of(request).known, request.scope)
    if known is None:
        return await _first_sign_in(request)
    onward = inside(next) if next else ""
    return page(request, await asyncio.to_thread(_account_view, request, known, done=done[:20], next=onward))


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
    return go("/account", lang=_asked(given), done="session")


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
    return page(request, await asyncio.to_thread(_account_view, request, known, error=error))


def _asked(given: Mapping[str, str]) -> str:
    return "en" if given.get("lang") == "en" else ""


def _came(request: Request) -> Came:
    who = who_of(request)
    agent = request.headers.get("user-agent", "")
    return Came(address=who.address(request.scope), agent=agent, old=who.token(request.scope))


def _slowed(request: Request, name: str = "") -> None:
    """Take one try out of the buckets of this name, if there is one, and this address; raises TooMany."""
    who = who_of(request)
    by_name = who.limits.take("sign_in", tidy(name)) if name else 0
    by_address = who.limits.take("sign_in_address", who.address(request.scope))
    wait = max(by_name, by_address)
    if wait:
        seconds = retry_after(wait)
        raise TooMany(f"请求过于频繁，请 {seconds} 秒后再试", f"Too many tries; wait {seconds} seconds", wait_s=seconds)


def _welcome(request: Request, signed: SignedIn, given: Mapping[str, str]) -> Response:
    who = who_of(request)
    owes = signed.account.owes(demo=who.settings.demo)
    onward = inside(given.get("next", "/"))
    if owes or (onward == "/" and not _sees_a_map(request, signed.account)):
        onward = "/account"
    return go(onward, who.cookies(signed.session_token, signed.csrf), lang=_asked(given))


def _sees_a_map(request: Request, account: Account) -> bool:
    """Say whether the map's page would show this account anything."""
    rooms = request.app.state.rooms
    asked = people.subject(account, demo=who_of(request).settings.demo)
    return any(rooms.policy.layers(asked))


async def _first_sign_in(request: Request, given: Mapping[str, str] | None = None) -> Response:
    """Lead to the sign-in and back to the account; raises Lapsed where a session ran out while the page was open."""
    await lead_back(request, lambda _: True)
    return go("/signin", next="/account", lang=_asked(given or request.query_params))


async def _again(request: Request, given: Mapping[str, str], known: Known, error: TwinError) -> Response:
    view = await asyncio.to_thread(_account_view, request, known, given, error=error)
    return page(request, view)


async def _changed(
    request: Request, given: Mapping[str, str], known: Known, what: str, change: Callable[[], Awaitable[None]]
) -> Response:
    """Try to change one's own password or factor, no faster than a sign-in is tried, and record how it went."""
    try:
        _slowed(request, known.account.name)
        await change()
    except TwinError as error:
        await who_of(request).record(request.scope, what, "refused", account=known.account)
        return await _again(request, given, known, error)
    return await _renewed(request, given, known, what)


async def _renewed(request: Request, given: Mapping[str, str], known: Known, done: str) -> Response:
    """Give the session a new token after what it may do has changed, and go back to the account."""
    who = who_of(request)
    await who.record(request.scope, done, "ok", account=known.account)
    signed = await asyncio.to_thread(who.accounts.admit, known.account, _came(request))
    return go("/account", who.cookies(signed.session_token, signed.csrf), lang=_asked(given), done=done)


def common(request: Request, given: Mapping[str, str] | None, known: Known | None) -> dict[str, Any]:
    """Give what every page of signing in knows."""
    who, village = who_of(request), request.app.state.rooms.onemap.village
    token = who.token(request.scope)
    return {
        "language": language(request, given),
        "village": village.name,
        "demo": who.settings.demo,
        "zone": village.time_zone,
        "csrf": tokens.csrf_of(token) if token else "",
        "account": known.account if known else None,
        "places": {village.code: village.name, village.county_code: village.county},
    }


def _sign_in_view(request: Request, given: Mapping[str, str] | None = None, **more: Any) -> SignInView:
    who = who_of(request)
    known = who.known(request.scope)
    roles: tuple[Account, ...] = demo.accounts(who.accounts, who.place) if who.settings.demo else ()
    return SignInView(**common(request, given, known), roles=roles, provider=bool(who.settings.oidc_issuer), **more)


def _account_view(request: Request, known: Known, given: Mapping[str, str] | None = None, **more: Any) -> AccountView:
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
