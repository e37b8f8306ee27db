"""How a connection is listened to: broken HTTP is refused in our words, and half a request is not waited for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol, h11  # pyright: ignore[reportPrivateImportUsage]

from twin.api import problems
from twin.api.guard import DATA_CSP, FIXED

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

HEAD_S = 15.0
"""How long the first line and the headers of a request may take, from the connection or their first byte."""
BODY_S = 60.0
"""How long its body may take: a megabyte by a slow telephone."""
UNANSWERED = (h11.IDLE, h11.SEND_RESPONSE)


class Wire(H11Protocol):
    """One connection; uvicorn itself would wait for the rest of a request for ever."""

    head_s = HEAD_S
    body_s = BODY_S
    _late: asyncio.TimerHandle | None = None
    _phase: tuple[Any, Any] | None = None

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.app = _framed(self.app)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came; each part of a request has its time in all, however it drips."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Look at what has come meanwhile."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY or self.conn.trailing_data[0]:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._forget()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """Refuse what is no HTTP."""
        self._refuse(400, "wire")

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing in the log: anybody may ask for another protocol, as often as they like."""

    def _watch(self) -> None:
        phase = (self.conn.their_state, self.cycle)
        if phase == self._phase:
            return
        self._forget()
        self._phase = phase
        wait = {h11.IDLE: self.head_s, h11.SEND_BODY: self.body_s}.get(self.conn.their_state)
        if wait is not None and not self.transport.is_closing():
            self._late = self.loop.call_later(wait, self._refuse, 408, "late")

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, status: int, code: str) -> None:
        """Say why and close; where an answer has begun, or nobody has said anything, only close."""
        begun = self.conn.our_state not in UNANSWERED
        silent = status == 408 and self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if not (begun or silent or self.transport.is_closing()):
            self.transport.write(_answer(status, code))
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _framed(app: ASGIApp) -> ASGIApp:
    """Refuse a request that names the end of its body twice: whoever stands before us may believe the other one."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        names = [name for name, _ in scope["headers"]] if scope["type"] == "http" else []
        if b"transfer-encoding" not in names or b"content-length" not in names:
            await app(scope, receive, send)
            return
        body = problems.document(400, code="framing")
        await send({"type": "http.response.start", "status": 400, "headers": _headers(body)})
        await send({"type": "http.response.body", "body": body})

    return answer


def _headers(body: bytes) -> list[tuple[bytes, bytes]]:
    """Give the headers of a refusal after which the connection is over."""
    return [
        *FIXED,
        (b"content-security-policy", DATA_CSP.encode()),
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]


def _answer(status: int, code: str) -> bytes:
    """Write a whole refusal where there is no request that could be answered."""
    body = problems.document(status, code=code)
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\n".encode()
    return head + b"".join(k + b": " + v + b"\r\n" for k, v in _headers(body)) + b"\r\n" + body


REASONS = {400: "Bad Request", 408: "Request Timeout"}
