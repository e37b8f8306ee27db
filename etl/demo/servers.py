"""The demo departments' servers on the loopback (JSON, OGC, ArcGIS, files, a bucket); they misbehave on command.

`python -m etl.demo.servers --port 8300` serves one small table in all of them, `python -m etl demo --serve` what the
demo has, each department below its connection. POST /_misbehave?what=html&at=2&times=1 (with &who=CONNECTION)
makes the second answer from then on a login page. Everything served is invented.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from etl.demo.served import MODIFIED, Query, Row, answered
from etl.demo.shaped import Feature

HTML = b"<!DOCTYPE html><html><head><title>login</title></head><body><form>user</form></body></html>"
PIECE = 1 << 20


@dataclass(kw_only=True)
class Town:
    """What is served: rows with `id`, columns, `lon` and `lat`; files by name; who may ask; what goes wrong next.

    `tables` are served in place of `rows` where there are any, each under its name, in EPSG `systems`; `style` is then
    how JSON is paged, `watermark` the column that grows with every change. A `tagless` town tells files by `modified`.
    """

    rows: list[Row] = field(default_factory=list)
    files: dict[str, bytes | Path] = field(default_factory=dict)
    tables: dict[str, list[Feature]] = field(default_factory=dict)
    systems: dict[str, str] = field(default_factory=dict)
    style: str = ""
    watermark: str = ""
    modified: str = MODIFIED
    tagless: bool = False
    token: str = ""
    user: str = ""
    password: str = ""
    access_key: str = ""
    secret_key: str = ""
    expires_after: int = 0
    most: int = 1000
    other: str = "http://localhost:9/"
    faults: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    next_row: Callable[[int], Row] | None = None

    def misbehave(self, what: str, *, at: int = 1, times: int = 1_000_000) -> None:
        """Answer wrongly from the `at`-th request on (counted from now), `times` times."""
        self.faults.append({"what": what, "after": len(self.asked) + at - 1, "times": times})

    def fault(self) -> str:
        """Give what goes wrong with the request just counted, "" for nothing."""
        for one in self.faults:
            if len(self.asked) > one["after"] and one["times"] > 0:
                one["times"] -= 1
                return one["what"]
        return ""

    def change(self, what: str) -> None:
        """Change the rows while they are being read: insert at the front, delete there, or delete and append."""
        if what in ("delete", "churn"):
            del self.rows[0]
        if what in ("insert", "churn"):
            number = 900_000 + len(self.asked)
            made = {**self.rows[-1], "id": f"N{number}"} if self.next_row is None else self.next_row(number)
            self.rows.insert(0 if what == "insert" else len(self.rows), made)


@contextlib.contextmanager
def serving(town: Town | Mapping[str, Town], port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve `town` at `host` while the block runs, of several each below its name; gives the address."""
    towns = {"": town} if isinstance(town, Town) else town
    server = ThreadingHTTPServer((host, port), type("Bound", (_Handler,), {"towns": towns}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    towns: Mapping[str, Town]

    @property
    def place(self) -> tuple[str, str]:
        """Give (the town that is asked, "" where there is one only; the path within it)."""
        path = urlsplit(self.path).path
        first, _, rest = path[1:].partition("/")
        return ("", path) if "" in self.towns else (first, f"/{rest}")

    @property
    def town(self) -> Town:
        """Give the town that is asked; one that has nothing where there is none of that name."""
        return self.towns.get(self.place[0]) or Town()

    def do_GET(self) -> None:
        town, parts = self.town, urlsplit(self.path)
        name, path = self.place
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        town.asked.append(self.path)
        what = town.fault()
        if what in ("insert", "delete", "churn"):
            town.change(what)
        if what in _SPECIAL:
            _SPECIAL[what](self)
            return
        refused = self._stranger(path, query)
        if refused:
            self.answer(refused, b'{"error": "credentials"}')
            return
        host = f"http://{self.headers['Host']}" + (f"/{name}" if name else "")
        found = answered(town, path, query, dict(self.headers), what, host)
        if found is None:
            self.answer(404, b'{"error": "no such thing"}')
            return
        body, headers = found
        self.answer(304 if body is None else 200, body or b"", headers, what)

    def do_PUT(self) -> None:
        path = self.place[1]
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.town.asked.append(self.path)
        what = self.town.fault()
        if what in _SPECIAL:
            _SPECIAL[what](self)
        elif self._stranger(path, {}) or hashlib.sha256(body).hexdigest() != self.headers["x-amz-content-sha256"]:
            self.answer(403, b"")
        else:
            name = unquote(path.removeprefix("/s3/")).partition("/")[2]
            self.town.files[name] = body
            self.answer(200, b"")

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if parts.path == "/_misbehave":
            query = dict(parse_qsl(parts.query))
            at, times = int(query.get("at", 1)), int(query.get("times", 1_000_000))
            blamed = self.towns.get(query.get("who", ""))
            if blamed:
                blamed.misbehave(query["what"], at=at, times=times)
            self.answer(200 if blamed else 404, b"{}")
            return
        form = dict(parse_qsl(body))
        if (form.get("username"), form.get("password")) != (self.town.user, self.town.password):
            self.answer(401, b'{"error": "user"}')
            return
        token = f"t{len(self.town.tokens)}-{hashlib.sha256(self.town.password.encode()).hexdigest()[:12]}"
        self.town.tokens[token] = 0
        self.answer(200, json.dumps({"access_token": token}).encode())

    def _stranger(self, path: str, query: Query) -> int:
        town, said = self.town, self.headers.get("Authorization", "")
        if path.startswith("/s3/") and town.secret_key:
            return 0 if _signed(self, town) else 403
        if town.user and path.startswith("/json"):
            token = said.removeprefix("Bearer ")
            town.tokens[token] = town.tokens.get(token, town.expires_after + 1 if town.expires_after else 0) + 1
            return 401 if town.expires_after and town.tokens[token] > town.expires_after else 0
        if town.user and not path.startswith("/s3/"):
            both = base64.b64encode(f"{town.user}:{town.password}".encode()).decode()
            return 0 if said == f"Basic {both}" else 401
        allowed = (*query.values(), self.headers.get("X-Key"))
        return 401 if town.token and said != f"Bearer {town.token}" and town.token not in allowed else 0

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, what: str = "") -> None:
        """Send an answer, wrongly where `what` says so."""
        length = {"short_length": len(body) // 2, "long_length": len(body) + 50, "cut": len(body)}.get(what, len(body))
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": length, **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if what == "drip":
            self._drip(body)
        else:
            self.wfile.write(body[: len(body) // 2] if what == "cut" else body)
        if what in ("cut", "long_length", "short_length"):
            self.close_connection = True

    def _drip(self, body: bytes) -> None:
        with contextlib.suppress(OSError):
            for byte in body:
                self.wfile.write(bytes((byte,)))
                self.wfile.flush()
                time.sleep(0.05)

    def bomb(self) -> None:
        """Send 1 GiB of spaces in a megabyte of gzip."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join(packer.compress(b" " * PIECE) for _ in range(256)) + packer.flush()
        with contextlib.suppress(OSError):
            self.answer(200, body, {"Content-Encoding": "gzip"})

    def log_message(self, *_: object) -> None:
        """Say nothing."""


_SPECIAL: Mapping[str, Callable[[_Handler], None]] = {
    "error_body": lambda h: h.answer(200, b'{"error": {"code": 500, "message": "connection pool exhausted"}}'),
    "exception": lambda h: h.answer(200, b"<ows:ExceptionReport xmlns:ows='http://www.opengis.net/ows/1.1'/>"),
    "500": lambda h: h.answer(500, b"oops"),
    "429": lambda h: h.answer(429, b"", {"Retry-After": "1"}),
    "401": lambda h: h.answer(401, b"{}"),
    "html": lambda h: h.answer(200, HTML, {"Content-Type": "text/html"}),
    "redirect": lambda h: h.answer(302, b"", {"Location": h.town.other}),
    "around": lambda h: h.answer(302, b"", {"Location": h.path}),
    "bomb": lambda h: h.bomb(),
    "hang": lambda _: time.sleep(30),
}


def _signed(request: _Handler, town: Town) -> bool:
    """Reckon Signature Version 4 by its specification, from what was received, and compare."""
    said = request.headers.get("Authorization", "")
    parts = dict(p.strip().split("=", 1) for p in said.partition(" ")[2].split(",") if "=" in p)
    scope = parts.get("Credential", "").split("/")
    if not said.startswith("AWS4-HMAC-SHA256") or len(scope) != 5 or scope[0] != town.access_key:
        return False
    url = urlsplit(request.path)
    pairs = sorted(
        (quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(url.query, keep_blank_values=True)
    )
    names = parts["SignedHeaders"].split(";")
    lines = "".join(f"{n}:{(request.headers.get(n) or '').strip()}\n" for n in names)
    canonical = "\n".join(
        (
            request.command,
            url.path,
            "&".join(f"{k}={v}" for k, v in pairs),
            lines,
            parts["SignedHeaders"],
            request.headers["x-amz-content-sha256"],
        )
    )
    day, region, service, last = scope[1:]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{day}/{region}/{service}/{last}\n{digest}"
    key = f"AWS4{town.secret_key}".encode()
    for word in (day, region, service, last):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), parts.get("Signature", ""))


def poles(count: int) -> list[Row]:
    """Give `count` invented lamp posts within the demo village."""
    return [
        {
            "id": f"P{n:05d}",
            "number": n,
            "名称": f"路灯{n}",
            "功率": 30 + n % 7 * 10.5,
            "updated_at": f"2025-11-{1 + n % 20:02d}T08:00:00+08:00",
            "lon": round(119.955 + n % 100 * 3e-4, 6),
            "lat": round(30.52 + n // 100 * 5e-4, 6),
        }
        for n in range(1, count + 1)
    ]


def main() -> None:
    """Serve 250 lamp posts until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m etl.demo.servers")
    parser.add_argument("--port", type=int, default=8300)
    with serving(Town(rows=poles(250)), parser.parse_args().port) as address:
        print(address, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
