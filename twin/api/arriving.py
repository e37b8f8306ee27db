"""Whoever comes to a page of signing in: from where, how often they may try, and what every such page knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.accounts import Came, tokens
from twin.accounts.people import tidy
from twin.api.forms import language, who_of
from twin.api.limits import retry_after
from twin.errors import TooMany

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from twin.accounts import Known


def asked(given: Mapping[str, str]) -> str:
    """Give the language to go on in, as an address says it."""
    return "en" if given.get("lang") == "en" else ""


def came(request: Request) -> Came:
    """Give where a request comes from, and the session it came with."""
    who = who_of(request)
    agent = request.headers.get("user-agent", "")
    return Came(address=who.address(request.scope), agent=agent, old=who.token(request.scope))


def slowed(request: Request, name: str = "") -> None:
    """Take one try out of the buckets of this name, if there is one, and this address; raises TooMany."""
    who = who_of(request)
    by_name = who.limits.take("sign_in", tidy(name)) if name else 0
    by_address = who.limits.take("sign_in_address", who.address(request.scope))
    wait = max(by_name, by_address)
    if wait:
        seconds = retry_after(wait)
        raise TooMany(f"请求过于频繁，请 {seconds} 秒后再试", f"Too many tries; wait {seconds} seconds", wait_s=seconds)


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
