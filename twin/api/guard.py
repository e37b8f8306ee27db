"""The wall around every answer: host, origin, who asks and how often, body size, security headers, content policy."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING

from twin.api import problems
from twin.api.limits import retry_after
from twin.errors import TooMany, TwinError
from twin.policy import ROUTES, noted, of_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from twin.api.who import Who

DATA_CSP = "default-src 'none'; frame-ancestors 'none'"
SCRIPT_CSP = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "img-src 'self' data: blob:; worker-src 'self' blob:; frame-ancestors 'none'"
)
"""A worker lives under the policy of its own script's answer: MapLibre's must be allowed to fetch tiles."""
FIXED: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(self), camera=(), microphone=()"),
    (b"x-frame-options", b"DENY"),
)
STRICT = (b"strict-transport-security", b"max-age=31536000")
"""Outside the demo only: the browser comes by TLS for a year, whatever it is told."""
TOLD = frozenset({b"server", b"x-powered-by"})
"""Headers that would tell what runs here."""
SLACK = 4096
"""Bytes of body that any request may send, used or not."""
CALLBACKS = "/_dash-update-component"
SUITES = "/_dash-component-suites/"
LOADED = (".js", ".css")
"""What a page loads of Dash's packages; their source maps, lists of parts and versions lie beside it."""
FORMS = ("/signin", "/signout", "/account", "/record", "/grants", "/persons", "/erasures", "/uploads", "/data")
"""Where forms go, which show their session's token among their fields; `twin.api.forms` looks."""
DRAWN = (*FORMS, "/_dash-layout", "/_dash-dependencies")
"""Pages that are drawn anew for each that asks, beside the map's own."""
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BODY_BYTES = {(k.split(" ")[0], k.split(" ")[1]): row.body_bytes for k, row in ROUTES.items()}


def page_csp(hashes: Iterable[str] = ()) -> str:
    """Give the content policy of a page whose inline scripts have these hashes ("'sha256-…'")."""
    listed = " ".join(dict.fromkeys(hashes))
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {listed}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def script_hash(text: str) -> str:
    """Give the CSP source of one inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def body_limit(method: str, path: str) -> int:
    """Give the most bytes a request may send here."""
    known = BODY_BYTES.get((method, path))
    if known is not None:
        return known
    page = of_page(method, path)
    return page.body_bytes if page else 0


class Guard:
    """Wrap an ASGI application; `csp` may be replaced once the pages are known."""

    def __init__(self, app: ASGIApp, who: Who) -> None:
        self._app = app
        self._who = who
        self._transport = [] if who.settings.demo else [STRICT]
        self.csp = page_csp()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it before anything looks at it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        noted.drain()  # an answer accounts for what it takes up itself, and for nothing that lay there before
        headers = dict(scope["headers"])
        guarded = self._sender(scope, send)
        refused = self._refused_by_form(scope, headers)
        if refused is None:
            try:
                scope["state"]["subject"] = await self._who.of(scope)
                refused = self._refused_by_asker(scope, headers)
            except TwinError as error:
                refused = problems.of(error)
        if refused is not None:
            await problems.answer(*refused)(scope, receive, guarded)
            return
        limit = max(body_limit(scope["method"], scope["path"]), SLACK)
        await self._app(scope, *_limited(scope, receive, guarded, limit))

    def _refused_by_form(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[int, bytes] | None:
        """Give the problem of a request that nobody may send, whoever they are; None for one that may be looked at."""
        host = headers.get(b"host", b"")
        if not self._who.is_ours(host):
            return 421, problems.document(421, code="host")
        if scope["method"] in UNSAFE and not _same_origin(host, headers):
            return 403, problems.document(403, "请求来自别的网站", "The request comes from another site", code="origin")
        length = headers.get(b"content-length", b"0")
        if (
            not length.isdigit()
            or len(length) > 12
            or int(length) > max(body_limit(scope["method"], scope["path"]), SLACK)
        ):
            return 413, problems.document(413, code="body")
        return None

    def _refused_by_asker(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[int, bytes] | None:
        """Give the problem of a script that does not show its session's token; raises TooMany for one asker's flood."""
        subject = scope["state"]["subject"]
        path = scope["path"]
        kind = _kind(path)
        wait = self._who.wait(scope, subject, kind) if kind else 0
        if wait:
            scope["state"]["retry_after"] = str(retry_after(wait)).encode()
            raise too_many(wait)
        is_script = scope["method"] in UNSAFE and not path.startswith(FORMS)
        if is_script and subject.via == "session" and not self._who.csrf_right(scope, headers):
            words = ("页面已过期，请刷新后重试", "The page is out of date; reload it")
            return 403, problems.document(403, *words, code="csrf")
        return None

    def _sender(self, scope: Scope, send: Send) -> Send:
        request_id = secrets.token_hex(8).encode()
        scope.setdefault("state", {})["request_id"] = request_id.decode()

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(k, v) for k, v in message["headers"] if k.lower() not in TOLD]
                csp = self._csp_of(next((v for k, v in kept if k.lower() == b"content-type"), b""))
                named = {k.lower() for k, _ in kept}
                always = [*FIXED, (b"content-security-policy", csp.encode()), *self._transport]
                extra = [(k, v) for k, v in always if k not in named] + [(b"x-request-id", request_id)]
                wait = scope["state"].get("retry_after")
                extra += [(b"retry-after", wait)] if wait else []
                message = {**message, "headers": [*kept, *extra]}
            await send(message)

        return guarded

    def _csp_of(self, content_type: bytes) -> str:
        if content_type.startswith(b"text/html"):
            return self.csp
        return SCRIPT_CSP if b"javascript" in content_type else DATA_CSP


class PageGate:
    """Let through to the pages only what the policy has a row for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, 404 where no page is declared."""
        path = scope["path"]
        if of_page(scope["method"], path) is None or (path.startswith(SUITES) and not path.endswith(LOADED)):
            await problems.response(404, code="not_found")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _kind(path: str) -> str:
    """Name the bucket a request is taken from; files that lie there ready cost nobody anything."""
    if path == CALLBACKS:
        return "callbacks"
    if path.startswith("/api/v1/reports/"):
        return "reports"
    if path.startswith("/api/"):
        return "answers"
    return "pages" if path == "/" or path.startswith(DRAWN) else ""


def too_many(wait_s: float) -> TooMany:
    """Give the refusal of one asker's flood, with the seconds after which it may go on."""
    seconds = retry_after(wait_s)
    return TooMany(f"请求过于频繁，请 {seconds} 秒后再试", f"Too many requests; wait {seconds} seconds", wait_s=seconds)


def _same_origin(host: bytes, headers: Mapping[bytes, bytes]) -> bool:
    site = headers.get(b"sec-fetch-site")
    if site is not None and site not in (b"same-origin", b"none"):
        return False
    origin = headers.get(b"origin")
    return origin is None or origin in (b"http://" + host, b"https://" + host)


def _limited(scope: Scope, receive: Receive, send: Send, limit: int) -> tuple[Receive, Send]:
    """Give a channel that answers 413 by itself once the body passes `limit`, and then hears and says nothing."""
    seen = 0
    over = False

    async def limited() -> Message:
        nonlocal seen, over
        message = await receive()
        seen += len(message.get("body", b""))
        if seen <= limit:
            return message
        if not over:
            over = True
            await problems.answer(413, problems.document(413, code="body"))(scope, receive, send)
        return {"type": "http.disconnect"}

    async def unless_over(message: Message) -> None:
        if not over:
            await send(message)

    return limited, unless_over
