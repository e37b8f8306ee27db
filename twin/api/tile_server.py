"""Tiles over HTTP with the least between socket and bytes: parse, look up, send; one cache, keyed by versions."""

from __future__ import annotations

import asyncio
import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from twin.api import drawn, packing, problems
from twin.api.guard import too_many
from twin.api.tianditu import Tianditu
from twin.api.tile_address import Wanted, parse
from twin.api.tile_answers import BASE, Headers, Made, Ready, answer, cache_key, tag, told_key
from twin.api.tile_versions import Version, told, version
from twin.errors import TwinError
from twin.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from twin.api.delivering import Delivering
    from twin.api.rooms import Rooms
    from twin.api.who import Who
    from twin.policy import Subject
    from twin.policy.noted import Told

MVT = b"application/vnd.mapbox-vector-tile"
VERSION_SECONDS = 0.5
"""How long a version token is believed before the store is asked again: a publish is seen this soon."""
MOST_PARSED, MOST_VERSIONS = 20_000, 10_000
MOST_TOLD = 200_000
"""Cells of 100 m remembered of the tiles that tell ground in detail, each tile one more: some 30 MB."""
MOST_WARM = 500
"""Answers remembered whole, for as long as their version is believed."""
SMALL = 1024
"""Bodies below are not worth packing."""
SCENE_TYPES = {"json": b"application/json", "glb": b"model/gltf-binary", "gltf": b"model/gltf+json"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Warm:
    """An answer, until when it is believed, and the ground that has to stand in the ledger before it leaves."""

    until: float
    ready: Ready
    ground: tuple[Told, ...]


class TileServer:
    """Answer `/tiles/…`: the event loop looks up and sends, `threads` workers compute."""

    def __init__(self, rooms: Rooms, who: Who, delivering: Delivering) -> None:
        self._rooms = rooms
        self._who = who
        self._delivering = delivering
        self._workers = ThreadPoolExecutor(rooms.settings.threads, thread_name_prefix="tile")
        self._cache: Kept[tuple[object, ...], Made] = Kept(rooms.settings.tile_cache_mb << 20)
        self._making: dict[tuple[object, ...], asyncio.Future[Made]] = {}
        self._parsed: Kept[tuple[str, bytes], Wanted] = Kept(MOST_PARSED)
        self._versions: Kept[tuple[object, ...], tuple[float, Version]] = Kept(MOST_VERSIONS)
        self._told: Kept[tuple[object, ...], tuple[Told, ...]] = Kept(MOST_TOLD)
        self._warm: Kept[tuple[object, ...], Warm] = Kept(MOST_WARM)
        self._tianditu = Tianditu(rooms.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Answer one request."""
        headers = dict(scope["headers"])
        method = scope["method"]
        if not self._who.is_ours(headers.get(b"host", b"")):
            await _problem(send, 421, problems.document(421, code="host"))
        elif method not in ("GET", "HEAD"):
            await _problem(send, 405, problems.document(405, code="method"))
        elif (ready := self.at_once(scope)) is not None:
            await _send(send, ready.status, ready.headers, ready.body)
        else:
            try:
                await self._answer(scope, headers, send, head=method == "HEAD")
            except TwinError as error:
                await _problem(send, *problems.of(error), wait=error.where.get("wait_s", ""))

    def at_once(self, scope: Scope) -> Ready | None:
        """Give the answer to a GET where all of it is known without waiting; None where that is not so.

        Whatever is refused is refused by `__call__`: here nothing is, and nothing is taken from anybody's bucket.
        """
        headers = dict(scope["headers"])
        if scope["method"] != "GET" or not self._who.is_ours(headers.get(b"host", b"")):
            return None
        subject = self._who.quick(scope)
        if subject is None:
            return None
        warm = self._warm_for(scope, subject, headers)
        if warm is None or (warm.ground and not self._delivering.is_counted(scope, subject, warm.ground)):
            return None
        return None if self._who.wait(scope, subject, "tiles") else warm.ready

    def _warm_for(self, scope: Scope, subject: Subject, headers: dict[bytes, bytes]) -> Warm | None:
        """Give what is believed for now to be the answer to this request from anybody who holds the same."""
        accepted, unless = headers.get(b"accept-encoding", b""), headers.get(b"if-none-match", b"")
        key = (scope["path"], scope["query_string"], accepted, unless, subject.held, self._rooms.policy.edition)
        warm = self._warm.get(key)
        if warm is None or warm.until < time.monotonic():
            wanted = self._parsed.get((scope["path"], scope["query_string"]))
            warm = self._looked_up(subject, wanted, accepted, unless) if wanted is not None else None
            if warm is not None:
                self._warm.put(key, warm)
        return warm

    def _looked_up(self, subject: Subject, wanted: Wanted, accepted: bytes, unless: bytes) -> Warm | None:
        known = self._versions.get(self._version_key(subject, wanted))
        if known is None or known[0] < time.monotonic():
            return None
        until, version = known
        encoding = _encoding(accepted, wanted)
        made = self._cache.get(cache_key(wanted, version.token))
        if made is None or encoding not in made.bodies:
            return None
        ready = answer(wanted, version, made, encoding, unless)
        ground = self._told.get(told_key(wanted, version)) if ready.body and version.counts else ()
        return None if ground is None else Warm(until, ready, ground)

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], send: Send, *, head: bool) -> None:
        subject = await self._who.of(scope)
        wait = self._who.wait(scope, subject, "tiles")
        if wait:
            raise too_many(wait)
        wanted = self._wanted(scope["path"], scope["query_string"])
        if wanted.kind == "tianditu":
            await self._foreign(wanted, send)
            return
        version = await self._version(subject, wanted)
        encoding = _encoding(headers.get(b"accept-encoding", b""), wanted)
        unless = headers.get(b"if-none-match", b"")
        if tag(wanted, version.token, encoding) in unless:
            ready = answer(wanted, version, Made(media_type=b""), encoding, unless)
        else:
            made = await self._made(subject, wanted, version.token, encoding)
            ready = answer(wanted, version, made, encoding, unless)
        if ready.body and version.counts and not head:
            await self._count(scope, subject, wanted, version)
        await _send(send, ready.status, ready.headers, b"" if head else ready.body)

    async def _count(self, scope: Scope, subject: Subject, wanted: Wanted, version: Version) -> None:
        """Let the ground the tile shows in detail stand in the ledger before the tile leaves; raises AreaLimit."""
        key = told_key(wanted, version)
        ground = self._told.get(key)
        if ground is None:
            ground = await self._in_worker(lambda: told(self._rooms.at(wanted.as_of), wanted, version.counts))
            self._told.put(key, ground, 1 + sum(len(t.cells) for t in ground))
        if not ground or self._delivering.is_counted(scope, subject, ground):
            return
        claimed = await self._in_worker(lambda: self._delivering.claim(scope, subject, ground))
        spent = await asyncio.wrap_future(claimed)
        if spent is not None:
            raise await self._in_worker(lambda: self._delivering.refusal(scope, subject, ground, spent))

    def _wanted(self, path: str, query: bytes) -> Wanted:
        found = self._parsed.get((path, query))
        if found is None:
            found = parse(path, query)
            self._parsed.put((path, query), found)
        return found

    def _version_key(self, subject: Subject, wanted: Wanted) -> tuple[object, ...]:
        return (self._rooms.policy.edition, subject.held, wanted.kind, wanted.name + wanted.path, wanted.as_of)

    async def _version(self, subject: Subject, wanted: Wanted) -> Version:
        key = self._version_key(subject, wanted)
        known = self._versions.get(key)
        now = time.monotonic()
        if known is None or known[0] < now:
            found = await self._in_worker(lambda: version(self._rooms.at(wanted.as_of), subject, wanted))
            known = (now + VERSION_SECONDS, found)
            self._versions.put(key, known)
        return known[1]

    async def _made(self, subject: Subject, wanted: Wanted, token: str, encoding: bytes) -> Made:
        """Give the body, from the cache where somebody who may see the same (`token` says so) has asked before."""
        key = cache_key(wanted, token)
        made = self._cache.get(key)
        if made is not None and encoding in made.bodies:
            return made
        waiting = self._making.get((*key, encoding))
        if waiting is None:
            waiting = asyncio.ensure_future(self._in_worker(lambda: self._make(subject, wanted, made, encoding)))
            self._making[*key, encoding] = waiting
            waiting.add_done_callback(lambda _: self._making.pop((*key, encoding), None))
        made = await asyncio.shield(waiting)
        self._cache.put(key, made, made.size)
        return made

    def _make(self, subject: Subject, wanted: Wanted, known: Made | None, encoding: bytes) -> Made:
        """Compute a tile, or pack one that is there, in a worker."""
        if known is None:
            known = self._fresh(subject, wanted, encoding)
        if encoding in known.bodies:
            return known
        body = known.bodies[b""] if b"" in known.bodies else gzip.decompress(known.bodies[b"gzip"])
        packed = body if len(body) < SMALL or not encoding else packing.QUICK[encoding](body)
        return Made(media_type=known.media_type, bodies={**known.bodies, b"": body, encoding: packed})

    def _fresh(self, subject: Subject, wanted: Wanted, encoding: bytes) -> Made:
        """Compute a tile as it is, or take one that was packed at publish time as it lies there."""
        if wanted.kind == "mvt" and encoding == b"gzip":
            layer = self._rooms.policy.layer(subject, wanted.name)
            packed = self._rooms.at(wanted.as_of).tiles.packed(subject, layer, wanted.at)
            if packed is not None:
                return Made(media_type=MVT, bodies={b"gzip": packed})
        body, media_type = self._body(subject, wanted)
        return Made(media_type=media_type, bodies={b"": body})

    def _body(self, subject: Subject, wanted: Wanted) -> tuple[bytes, bytes]:
        tiles = self._rooms.at(wanted.as_of).tiles
        if wanted.kind == "scene":
            path = tiles.scene(subject, wanted.name, wanted.path)[0]
            return path.read_bytes(), SCENE_TYPES.get(path.suffix.lstrip("."), b"application/octet-stream")
        if wanted.kind == "terrain":
            return tiles.terrain(subject, wanted.at) or b"", b"image/png"
        layer = self._rooms.policy.layer(subject, wanted.name)
        if wanted.kind == "mvt":
            return tiles.vector(subject, layer, wanted.at), MVT
        if wanted.kind == "drawn":
            tile = tiles.vector(subject, layer, wanted.at)
            return drawn.png(self._rooms.onemap, layer, tile, wanted.at, wanted.theme), b"image/png"
        image = tiles.raster(subject, layer, wanted.at) or b""
        return image, _image_type(image)

    async def _foreign(self, wanted: Wanted, send: Send) -> None:
        found = await self._tianditu.tile(wanted.name, wanted.at)
        if found is None:
            await _send(send, 204, list(BASE), b"")
            return
        more = [(b"content-type", _image_type(found)), (b"cache-control", b"private, max-age=604800")]
        await _send(send, 200, [*BASE, *more, (b"content-length", str(len(found)).encode())], found)

    async def _in_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)


def _encoding(accepted: bytes, wanted: Wanted) -> bytes:
    """Choose how to pack: what is an image already is not packed; vector tiles lie in the store as gzip."""
    if wanted.kind not in ("mvt", "scene"):
        return b""
    if wanted.kind == "mvt" and b"gzip" in accepted:
        return b"gzip"
    return packing.chosen(accepted)


def _image_type(body: bytes) -> bytes:
    if body[:4] == b"RIFF":
        return b"image/webp"
    return b"image/jpeg" if body[:2] == b"\xff\xd8" else b"image/png"


async def _problem(send: Send, status: int, body: bytes, wait: str = "") -> None:
    more = [(b"content-type", problems.MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    more += [(b"retry-after", wait.encode())] if wait else []
    await _send(send, status, [*BASE, *more, (b"cache-control", b"no-store")], body)


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
