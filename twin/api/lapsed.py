"""The way back for whoever's session ran out over a page or a form: to the sign-in, and on to what was typed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from twin.api.forms import NotOurs, form, who_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi import Request

    from twin.accounts import Account

STANDS: Mapping[str, str] = {
    "/accounts/add": "/accounts",
    "/accounts/keys/add": "/accounts",
    "/grants/change": "/grants",
    "/record/export": "/record",
    "/persons/find": "/persons",
    "/account/second-factor": "/account",
}
"""The forms that are typed into, and the page each stands on."""


class Lapsed(NotOurs):
    """The session ran out; `onward` is where to go on to once signed in again, `typed` whether a form is kept."""

    onward: str = "/"
    typed: bool = False


async def lead_back(request: Request, may: Callable[[Account], bool]) -> None:
    """Raise Lapsed for whoever would get in had their session not run out, keeping what they typed; else do nothing.

    Raises NotOurs where a form comes from elsewhere.
    """
    who = who_of(request)
    token = who.token(request.scope)
    account = await asyncio.to_thread(who.accounts.lapsed, token) if token else None
    if account is None or not may(account):
        return
    action = request.url.path
    over = Lapsed("登录已超时，请重新登录", "The session has run out; sign in again")
    over.onward = STANDS.get(action) or _page(request)
    if action in STANDS and request.method == "POST":
        who.accounts.drafts.keep(account.id, action, await form(request), who.accounts.now())
        over.typed = True
    raise over


def _page(request: Request) -> str:
    """Give the page itself with what was asked of it, or of a press on it the page it stands on."""
    if request.method == "GET":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/" + request.url.path.split("/")[1]


def typed_before(request: Request, account: Account | None, *actions: str) -> tuple[str, Mapping[str, str]]:
    """Give (form, what `account` had typed into it when its session ran out) for the first such form, else ("", {})."""
    if account is None:
        return "", {}
    accounts = who_of(request).accounts
    found = ((a, accounts.drafts.of(account.id, a, accounts.now())) for a in actions)
    return next(((a, values) for a, values in found if values is not None), ("", {}))
