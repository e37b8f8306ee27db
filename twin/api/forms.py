"""How a form arrives and a page leaves: read once, proved to be our own, answered with HTML or a redirect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from twin.api.problems import status_of
from twin.api.who import subject
from twin.errors import BadRequest, Refused

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from twin.api.views import Common
    from twin.api.who import Who

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""No script runs on a page where a password is typed."""
HEADERS = {"cache-control": "no-store", "content-security-policy": CSP, "referrer-policy": "same-origin"}
"""Under `no-referrer` a browser sends `Origin: null` with a form, which would be nobody's."""
FORM = "application/x-www-form-urlencoded"
FIELDS = 20
INSIDE = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")
"""An address on this service: one slash, and nothing a browser would read as another host."""


class NotOurs(Refused):
    """A form that our own page did not send just now: a stranger's, or one left open since before a sign-in."""


def who_of(request: Request) -> Who:
    """Give the askers of the service."""
    return request.app.state.who


async def form(request: Request) -> Mapping[str, str]:
    """Read a form of our own page; raises BadRequest for another body, NotOurs where it comes from elsewhere."""
    return await read(request, FIELDS)


async def read(request: Request, most: int) -> Mapping[str, str]:
    """Read a form of at most so many fields, otherwise as `form`."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
        raise BadRequest("需要表单内容", "A form is wanted")
    text = (await request.body()).decode("utf-8", "replace")
    try:
        values = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=most))
    except ValueError as wrong:
        raise BadRequest("表单内容过多", "The form has too many fields") from wrong
    proved(request, values)
    sender = subject(request)
    if sender.via == "session":
        who_of(request).accounts.drafts.drop(sender.id, request.url.path)
    return values


def proved(request: Request, values: Mapping[str, str]) -> None:
    """Raise NotOurs for a form that was not sent from our own page."""
    if not is_own(request) or not who_of(request).csrf_right(request.scope, values.get("csrf", "")):
        raise NotOurs(
            "表单不是从本站页面提交的，请刷新页面后重试", "The form was not sent from our page; reload it and try again"
        )


def is_own(request: Request) -> bool:
    """Say whether a browser vouches that this form was sent from our own page (the guard refuses those that do not)."""
    return request.headers.get("sec-fetch-site") == "same-origin" or request.headers.get("origin", "") not in {
        "",
        "null",
    }


def number(values: Mapping[str, str], name: str) -> int:
    """Read a count that an address says; anything else is 0."""
    text = values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def several(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Read the values that an address joins by commas."""
    return tuple(v for v in values.get(name, "")[:400].split(",") if v)


def back(values: Mapping[str, str], names: Container[str]) -> dict[str, str]:
    """Give what the page was asked when a form was sent, as the form carries it: of those `names` a page knows."""
    return {k[5:]: v for k, v in values.items() if k.startswith("back-") and k[5:] in names and v}


def inside(address: str) -> str:
    """Give an address to go on to if it lies in this service, else the map's."""
    return address if INSIDE.fullmatch(address) else "/"


def language(request: Request, values: Mapping[str, str] | None = None) -> str:
    """Give the language a page is wanted in: what was asked for, else the browser's, else Chinese."""
    asked = (values or {}).get("lang") or request.query_params.get("lang", "")
    if not asked:
        asked = request.headers.get("accept-language", "zh")
    return "en" if asked.lower().startswith("en") else "zh-CN"


def page(request: Request, view: Common, **headers: str) -> Response:
    """Draw a page; its status is that of the refusal it shows."""
    status = status_of(view.error) if view.error else 200
    wait = view.error.where.get("wait_s") if view.error else None
    more: dict[str, Any] = {**HEADERS, **headers, **({"retry-after": wait} if wait else {})}
    if wait:
        status = 429
    return Response(request.app.state.draw(view), status, more, media_type="text/html")


def go(address: str, cookies: list[tuple[str, str]] | None = None, **query: str) -> Response:
    """Send the browser on to `address` by GET, with cookies set or cleared."""
    asked = urlencode({k: v for k, v in query.items() if v})
    joined = address + (("&" if "?" in address else "?") + asked if asked else "")
    answer = Response(status_code=303, headers={"location": joined, "cache-control": "no-store"})
    for name, value in cookies or []:
        answer.headers.append(name, value)
    return answer
