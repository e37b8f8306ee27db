"""Static files of the pages packed once and kept; everything else of the pages packed as it goes."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin import durable
from twin.api import packing, problems
from twin.kept import Kept

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = ("/_dash-component-suites/", "/assets/")
"""Paths whose bytes depend on the URL alone while the process lives (their URLs carry a fingerprint or an mtime)."""
PACKABLE = (b"text/", b"application/json", b"application/javascript", b"image/svg", b"application/xml")
SMALL = 1024
MOST = 64 << 20
"""Bytes kept in memory; all there are come to a fifth of it in each packing."""
LARGE, MOST_PACKED = 256 << 10, 2 << 20
"""Bytes of an answer whose packing is remembered (a layout, which many are sent alike), and of all remembered."""
FOR_EVER = b"private, max-age=31536000, immutable"


@dataclass(kw_only=True)
class Reply:
    """A whole answer, gathered before it is sent."""

    status: int = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        """Give the value of a header, b"" where there is none."""
        return next((v for k, v in self.headers if k.lower() == name), b"")


class Packed:
    """Wrap the pages: brotli or gzip, remembered for static files in memory and in `folder`."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._folder = folder
        self._kept: Kept[tuple[str, bool, bytes], Reply] = Kept(MOST)
        self._packed: Kept[tuple[bytes, bytes], bytes] = Kept(MOST_PACKED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        encoding = packing.chosen(headers.get(b"accept-encoding", b""))
        path = scope["path"]
        still = scope["method"] == "GET" and path.startswith(STATIC)
        key = (path, _is_named(scope), encoding)
        reply = self._kept.get(key) if still else None
        if reply is None:
            reply = await self._fresh(scope, receive, encoding, still=still)
            if still and reply.status == 200:
                self._kept.put(key, reply, len(reply.body))  # strangers may write any fingerprint into an address
        tag = reply.header(b"etag")
        if still and tag and tag in headers.get(b"if-none-match", b""):
            reply = Reply(status=304, headers=tuple(h for h in reply.headers if h[0] in KEPT_AT_304))
        await send({"type": "http.response.start", "status": reply.status, "headers": list(reply.headers)})
        await send({"type": "http.response.body", "body": reply.body})

    async def _fresh(self, scope: Scope, receive: Receive, encoding: bytes, *, still: bool) -> Reply:
        reply = await _gather(self._app, scope, receive)
        if reply.status >= 400:
            return _refusal(404 if still else reply.status)  # Dash raises for a path that is no part of a package
        if still and reply.status == 200:
            reply = _still(reply, scope, encoding)
        if not encoding or reply.header(b"content-encoding") or not _worth(reply):
            return reply
        body = await asyncio.to_thread(self._pack, reply.body, encoding, still)
        return Reply(status=reply.status, headers=_packed_headers(reply, encoding, len(body)), body=body)

    def _pack(self, body: bytes, encoding: bytes, keep: bool) -> bytes:  # noqa: FBT001 - to_thread passes by position
        if not keep:
            return self._quickly(body, encoding)
        path = self._folder / f"{hashlib.sha256(body).hexdigest()}.{encoding.decode()}"
        if path.is_file():
            return path.read_bytes()
        packed = packing.WELL[encoding](body)
        durable.make_directory(self._folder)
        durable.write(path, packed)
        return packed

    def _quickly(self, body: bytes, encoding: bytes) -> bytes:
        """Pack the very bytes of a large answer once, whoever is answered with them."""
        if len(body) < LARGE:
            return packing.QUICK[encoding](body)
        key = (hashlib.sha256(body).digest(), encoding)
        packed = self._packed.get(key)
        if packed is None:
            packed = packing.QUICK[encoding](body)
            self._packed.put(key, packed, len(packed))
        return packed


KEPT_AT_304 = frozenset({b"etag", b"cache-control", b"vary"})


def _refusal(status: int) -> Reply:
    """Give our own words for what Flask and Dash say in theirs."""
    body = problems.document(status, code={404: "not_found", 500: "internal"}.get(status, "http"))
    headers = ((b"content-type", problems.MEDIA_TYPE.encode()), (b"cache-control", b"no-store"))
    return Reply(status=status, headers=(*headers, (b"content-length", str(len(body)).encode())), body=body)


def _worth(reply: Reply) -> bool:
    return len(reply.body) >= SMALL and reply.header(b"content-type").startswith(PACKABLE)


def _packed_headers(reply: Reply, encoding: bytes, length: int) -> tuple[tuple[bytes, bytes], ...]:
    kept = [(k, v) for k, v in reply.headers if k.lower() not in (b"content-length", b"vary")]
    more = [(b"content-encoding", encoding), (b"vary", b"accept-encoding"), (b"content-length", str(length).encode())]
    return (*kept, *more)


def _is_named(scope: Scope) -> bool:
    """Say whether an address names the very bytes: the fingerprint in a suite's path, a file's time in the query."""
    return scope["path"].startswith("/_dash-component-suites/") or b"m=" in scope["query_string"]


def _still(reply: Reply, scope: Scope, encoding: bytes) -> Reply:
    """Give a static answer a strong ETag of its bytes and encoding, and let fingerprinted ones be kept for ever."""
    tag = f'"{hashlib.blake2b(reply.body, digest_size=9).hexdigest()}{"." + encoding.decode() if encoding else ""}"'
    caching = FOR_EVER if _is_named(scope) else b"private, no-cache"
    dropped = (b"etag", b"cache-control", b"last-modified", b"expires", b"set-cookie")
    kept = [(k, v) for k, v in reply.headers if k.lower() not in dropped]
    return Reply(
        status=reply.status,
        headers=(*kept, (b"etag", tag.encode()), (b"cache-control", caching)),
        body=reply.body,
    )


async def _gather(app: ASGIApp, scope: Scope, receive: Receive) -> Reply:
    reply = Reply()
    parts: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = tuple((bytes(k).lower(), bytes(v)) for k, v in message["headers"])
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    quiet = {
        **scope,
        "headers": [(k, v) for k, v in scope["headers"] if k not in (b"if-none-match", b"if-modified-since")],
    }
    await app(quiet, receive, keep)
    reply.body = b"".join(parts)
    return reply
