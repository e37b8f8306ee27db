"""A Chromium that can reach the loopback and nothing else, and tells everything a page asked for and complained about."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

CHROMIUM = Path(os.environ.get("ONEMAP_CHROMIUM", "/usr/bin/chromium"))
ARGS = (
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # Everything but the loopback goes to a proxy that is not there; routing in Playwright would switch the cache off.
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=127.0.0.1;localhost;[::1]",
)
FLAT_ARGS = ("--disable-3d-apis",)
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
SCHEMES_INSIDE = frozenset({"data", "blob", "about"})
CSP = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self'; font-src 'self' data:; object-src 'none'"
)


def need_chromium() -> None:
    """Skip, saying so, where Chromium is not installed; fail in CI, where it must be."""
    if CHROMIUM.exists():
        return
    reason = f"browser tests need Chromium at {CHROMIUM}: apt-get install chromium fonts-noto-cjk"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in SCHEMES_INSIDE and parts.hostname not in LOCAL


@dataclass(kw_only=True)
class Visit:
    """One open page and all that it did: `asked` urls, `outside` those beyond the loopback, `complaints` of the console."""

    page: Page
    context: BrowserContext
    asked: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"pageerror: {error}"))

    def _on_request(self, request: Request) -> None:
        self.asked.append(request.url)
        if is_outside(request.url):
            self.outside.append(request.url)

    def _on_response(self, response: Response) -> None:
        self.answers.append((response.status, response.url))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "GPU stall due to ReadPixels" not in message.text:
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def until(self, expression: str, arg: Any = None, timeout: float = 20_000) -> Any:
        """Wait until a JavaScript expression is true; give its value.

        Asked from outside: Playwright's own wait evaluates strings inside the page, which the CSP rightly forbids.
        """
        deadline = time.monotonic() + timeout / 1000
        while not (value := self.page.evaluate(expression, arg)):
            if time.monotonic() > deadline:
                pytest.fail(f"not true within {timeout / 1000:.0f} s: {expression}; complaints: {self.complaints}")
            self.page.wait_for_timeout(40)
        return value

    def idle(self, timeout: float = 30_000) -> None:
        """Wait until every map on the page has drawn all it has to draw."""
        self.until("window.__onemap && window.__onemap.maps.length && window.__onemap.idle", timeout=timeout)

    def act(self, act: Callable[[], Any]) -> None:
        """Do something and wait until the map has taken it up and is idle again."""
        act()
        self.page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        self.idle()

    def asked_while(self, act: Callable[[], Any]) -> list[str]:
        """Give what the page asked for from `act` until the map is idle again."""
        before = len(self.asked)
        self.act(act)
        return self.asked[before:]


class Silent(WSGIRequestHandler):
    """A server's answers are recorded by the visit; the log would only bury a failure."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        pass


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve a WSGI app on a free loopback port; give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def open_page(
    browser: Browser, url: str, *, width: int = 1366, height: int = 768, wait: str = "load", **options: Any
) -> Visit:
    """Open `url` in a fresh context of this size; `options` are Playwright's context options."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai", **options
    )
    visit = Visit(page=context.new_page(), context=context)
    visit.listen()
    visit.page.goto(url, wait_until=wait)  # type: ignore[arg-type]
    return visit
