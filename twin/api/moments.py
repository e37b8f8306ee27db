"""`as_of` as it stands in an address → the moment meant, and the rooms that answer as of it; the one door to the past.

A day is meant to its end, on the village's clock. What whoever asks may see is decided by the policy that holds now.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from twin.api import problems
from twin.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from twin.api.rooms import Rooms

NAME = "as_of"
"""What it is called in a query."""
MOST = 8
"""Moments kept ready at a time."""
LINGER_SECONDS = 60.0
"""How long a moment that made way for another stays, for whoever is still being answered from it."""
BELOW = re.compile(r"/at/([0-9]{8}T[0-9]{6}Z)(/.*)")
"""An address below a moment: all that a page of the past asks for lies there, what is found relative to it too."""
_WRITTEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(Z?))?", re.ASCII)
_STAMP = "%Y%m%dT%H%M%SZ"


def read(text: str, zone: str, now: datetime) -> datetime | None:
    """Give the moment (UTC) that `text` names, None for ""; raises BadRequest for what is none or has yet to come."""
    if not text:
        return None
    try:
        at = _parsed(text, ZoneInfo(zone))
    except (ValueError, OverflowError) as wrong:
        raise BadRequest(
            "as_of 应写作 2026-11-20 或 2026-11-20T18:00(村所在时区,加 Z 为 UTC)",
            "Write as_of as 2026-11-20 or 2026-11-20T18:00 (the village's clock; with a Z, UTC)",
            as_of=text[:40],
        ) from wrong
    if at > now + timedelta(days=1) or (at > now and not _may_be_ahead(text)):
        raise BadRequest("as_of 尚未到来", "as_of has yet to come", as_of=text[:40])
    return at


def _parsed(text: str, zone: ZoneInfo) -> datetime:
    if BELOW.fullmatch(f"/at/{text}/"):
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, clock, is_utc = found.groups()
    if clock is None:
        return (datetime.fromisoformat(f"{day}T23:59:59").replace(tzinfo=zone)).astimezone(UTC)
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC if is_utc else zone).astimezone(UTC)


def _may_be_ahead(text: str) -> bool:
    """Say whether a text names a day, or is a page's stamp of one: today's end has yet to come, today may be asked."""
    return len(text) == len("2026-11-20") or BELOW.fullmatch(f"/at/{text}/") is not None


def stamp(at: datetime) -> str:
    """Write a moment as it stands in the path of an address."""
    return at.astimezone(UTC).strftime(_STAMP)


def below(at: datetime | None) -> str:
    """Give what the paths of all that a page of this moment asks for begin with, "" for the present."""
    return f"/at/{stamp(at)}" if at else ""


def asked(query: bytes) -> str:
    """Give what a query says of the moment, "" where it says nothing."""
    if NAME.encode() not in query:
        return ""
    return dict(parse_qsl(query.decode("latin-1"))).get(NAME, "")


def lifted(scope: Scope) -> Scope:
    """Give the request for an address below a moment as one that names the moment in its query; others as they are."""
    if not scope["path"].startswith("/at/"):
        return scope
    found = BELOW.fullmatch(scope["path"])
    if found is None:
        return scope
    text, path = found.groups()
    query = f"{NAME}={text}".encode()
    more = b"&" + scope["query_string"] if scope["query_string"] else b""
    return {**scope, "path": path, "raw_path": path.encode(), "query_string": query + more}


class Asked:
    """Stand before the pages: what names no moment is refused here, and is not shown as today."""

    def __init__(self, app: ASGIApp, rooms: Callable[[], Rooms]) -> None:
        self._app = app
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        text = asked(scope["query_string"])
        try:
            if text:
                self._rooms().at(text)
        except BadRequest as error:
            await problems.answer(*problems.of(error))(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Moments:
    """The rooms as of the moments asked for lately; safe among threads."""

    def __init__(self, make: Callable[[datetime], Rooms]) -> None:
        self._make = make
        self._kept: OrderedDict[datetime, Rooms] = OrderedDict()
        self._leaving: list[tuple[float, Rooms]] = []
        self._lock = threading.Lock()

    def at(self, at: datetime) -> Rooms:
        """Give the rooms as of the moment `at`, to the second."""
        at = at.replace(microsecond=0)
        with self._lock:
            found = self._kept.get(at)
            if found is None:
                found = self._kept[at] = self._make(at)
            self._kept.move_to_end(at)
            self._make_way()
        return found

    def _make_way(self) -> None:
        now = time.monotonic()
        while len(self._kept) > MOST:
            self._leaving.append((now + LINGER_SECONDS, self._kept.popitem(last=False)[1]))
        while self._leaving and self._leaving[0][0] <= now:
            self._leaving.pop(0)[1].serving.leave()
