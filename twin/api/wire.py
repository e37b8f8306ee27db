"""How a connection is listened to: broken HTTP is refused in our words, and half a request is not waited for long."""

from __future__ import annotations

import asyncio
import enum
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from twin.api import problems
from twin.api.guard import DATA_CSP, FIXED

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from twin.api.tile_answers import Ready

HEAD_S = 15.0
"""How long the first line and the headers of a request may take, from the connection or their first byte."""
BODY_S = 60.0
"""How long its body may take: a megabyte by a slow telephone."""
MOST_HEAD, MOST_HEADERS = 64 << 10, 100
"""Bytes that are heard while a head does not end, and headers it may have."""
TWICE = (
    "Content-Length can't be present with Transfer-Encoding",
    "Transfer-Encoding can't be present with Content-Length",
)
"""What the parser says of a request that names the end of its body twice."""


MORE = frozenset({b"content-length", b"transfer-encoding", b"expect"})
"""Headers of a request that is more than its head."""


class Part(enum.Enum):
    """What is heard of a connection now."""

    NOTHING = "nothing yet, or no more after an answer"
    HEAD = "a head that has begun"
    BODY = "a body"
    WHOLE = "a request has been heard to its end"
    OVER = "whatever comes is not listened to"


class Broken(Exception):
    """A head that the parser takes and we do not."""


class Wire(HttpToolsProtocol):
    """One connection; uvicorn itself would wait for the rest of a request for ever."""

    head_s = HEAD_S
    body_s = BODY_S
    _part = Part.NOTHING
    _heard = 0
    _due: float | None = None
    _alarm: asyncio.TimerHandle | None = None
    parser: Any
    """The parser, which uvicorn forgets when the connection is gone."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._known: Callable[[Scope], Ready | None] | None = getattr(self.config.app, "at_once", None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._part, self._due = Part.OVER, None
        if self._alarm is not None:
            self._alarm.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; each part of a request has its time in all, however it drips."""
        if self._part is Part.OVER:
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._over()  # no other protocol is spoken, and what follows is none of ours
        except httptools.HttpParserError as error:
            self._refuse(400, "framing" if str(error) in TWICE else "wire")
        else:
            self._heard = self._heard + len(data) if self._part is Part.HEAD else 0
            if self._heard > MOST_HEAD:
                self._refuse(400, "wire")

    def on_message_begin(self) -> None:
        """Hear the first byte of a request."""
        super().on_message_begin()
        self._begin(Part.HEAD, self.head_s)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Hear a header; what comes after a body is not one, whatever it calls itself."""
        if self._part is not Part.HEAD:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Begin to answer, at once where the answer is known; raises Broken."""
        names = [name for name, _ in self.headers]
        self._check(names)
        self._begin(Part.BODY, self.body_s)
        if self._known is None or not self._is_plain(names) or not self._told_at_once(self._known):
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hear a part of a body."""
        if self._part is Part.BODY:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Hear the end of a request."""
        if self._part is Part.BODY:
            super().on_message_complete()
            self._begin(Part.WHOLE, None)

    def _should_upgrade_to_ws(self) -> bool:
        return False

    def _check(self, names: list[bytes]) -> None:
        """Refuse what may be read in two ways: whoever stands before us may believe the other one."""
        if names.count(b"host") != 1 or len(names) > MOST_HEADERS:
            raise Broken
        if b"transfer-encoding" in names:
            encoding = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
            if encoding != [b"chunked"]:
                raise Broken

    def _is_plain(self, names: list[bytes]) -> bool:
        """Say whether a request says all in its head, and nothing before it is still being answered."""
        url, parser = self.url, self.parser
        return (
            parser.get_method() == b"GET"
            and url[:1] == b"/"
            and b"%" not in url
            and b"#" not in url
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.flow.write_paused
            and (self.cycle is None or self.cycle.response_complete)
            and MORE.isdisjoint(names)
        )

    def _told_at_once(self, known: Callable[[Scope], Ready | None]) -> bool:
        """Send the answer where it is known without waiting; say whether it was."""
        path, _, query = self.url.partition(b"?")
        self.scope.update(method="GET", path=path.decode("ascii"), raw_path=path, query_string=query)
        scope: Any = self.scope
        ready = known(scope)
        if ready is None:
            return False
        default = [name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers]
        self.transport.writelines((b"".join((STATUS_LINE[ready.status], *default, ready.head, b"\r\n")), ready.body))
        self.server_state.total_requests += 1
        self._begin(Part.NOTHING, self.timeout_keep_alive)
        return True

    def _begin(self, part: Part, wait_s: float | None) -> None:
        """Go on to hear `part`, for `wait_s` seconds at most."""
        self._part = part
        self._wait(wait_s)

    def _wait(self, wait_s: float | None) -> None:
        """Let the alarm go off after `wait_s`; one that is set already looks again when it does."""
        self._due = None if wait_s is None else self.loop.time() + wait_s
        if self._due is not None and (self._alarm is None or self._alarm.when() > self._due):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self.loop.call_at(self._due, self._rung)

    def _rung(self) -> None:
        self._alarm = None
        if self._due is None:
            return
        if self.loop.time() < self._due:
            self._alarm = self.loop.call_at(self._due, self._rung)
        else:
            self._refuse(408, "late")

    def _over(self) -> None:
        """Listen no more; what is being answered is answered."""
        self._begin(Part.OVER, None)
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _refuse(self, status: int, code: str) -> None:
        """Say why and close; where an answer has begun, or nobody has said anything, only close."""
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        silent = status == 408 and self._part is Part.NOTHING
        self._over()
        if not (begun or silent or self.transport.is_closing()):
            self.transport.write(_answer(status, code))
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _answer(status: int, code: str) -> bytes:
    """Write a whole refusal, after which the connection is over, where there is no request that could be answered."""
    body = problems.document(status, code=code)
    headers = (
        *FIXED,
        (b"content-security-policy", DATA_CSP.encode()),
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    )
    return STATUS_LINE[status] + b"".join(k + b": " + v + b"\r\n" for k, v in headers) + b"\r\n" + body
