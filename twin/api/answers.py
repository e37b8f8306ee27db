"""How an answer leaves the house: recorded, as JSON, with an ETag and the caching its route's policy row allows."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from twin.api import packing
from twin.api.recording import record
from twin.errors import Refused
from twin.policy import ROUTES, RoutePolicy

SMALL = 1024
"""Answers below are not worth packing."""
CACHING = {
    "immutable": "private, max-age=31536000, immutable",
    "revalidate": "private, no-cache",
    "no-store": "no-store",
}


def gate(request: Request) -> RoutePolicy:
    """Give the policy row of the route being answered; raises Refused for a route without one."""
    key = f"{request.method} {request.scope['route'].path}"
    row = ROUTES.get(key)
    if row is None:
        raise Refused("此地址没有访问规则", "This address has no policy row", route=key)
    return row


def encode(data: Any) -> bytes:
    """Give JSON with dates in ISO 8601 and decimals as numbers."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def answer(request: Request, data: Any) -> Response:
    """Give `data` as JSON under the caching of its route, 304 where the client has these very bytes.

    Raises AuditDown where it tells of people and that cannot be recorded.
    """
    row = gate(request)
    record(request.scope)
    body = encode(data)
    encoding = packing.chosen(request.headers.get("accept-encoding", "").encode()) if len(body) > SMALL else b""
    headers = {"cache-control": CACHING[row.keep], "vary": "accept-encoding", **_moment(request)}
    if row.keep != "no-store":
        tag = f'"{hashlib.blake2b(encoding + body, digest_size=9).hexdigest()}"'
        headers["etag"] = tag
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
    if encoding:
        headers["content-encoding"] = encoding.decode()
        body = packing.QUICK[encoding](body)
    return Response(body, headers=headers, media_type="application/json")


def _moment(request: Request) -> dict[str, str]:
    """Say in an answer from the past of when it is."""
    rooms = getattr(request.state, "rooms", None)
    return {"onemap-as-of": rooms.as_of.isoformat()} if rooms and rooms.as_of else {}


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
