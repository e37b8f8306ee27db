"""A tile as it is told: its bytes in each packing, its name, and the answer written once for all who get it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.api.guard import DATA_CSP, FIXED

if TYPE_CHECKING:
    from twin.api.tile_address import Wanted
    from twin.api.tile_versions import Version

FOR_EVER = b"private, max-age=31536000, immutable"
ASK_AGAIN = b"private, no-cache"
NOT_KEPT = b"no-store"
VARY = (b"vary", b"accept-encoding")
BASE: tuple[tuple[bytes, bytes], ...] = (*FIXED, (b"content-security-policy", DATA_CSP.encode()))

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Ready:
    """A whole answer: its headers, and the same as they stand on the wire."""

    status: int
    headers: Headers
    head: bytes
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Made:
    """One tile's bytes in the encodings asked for so far, b"" for none; empty bytes mean 204.

    `ready` keeps the answers they were sent in, by encoding, how long they may be kept, and status.
    """

    media_type: bytes
    bodies: dict[bytes, bytes] = field(default_factory=dict)
    ready: dict[tuple[bytes, bytes, bool], Ready] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Give the bytes this costs the cache."""
        return 1536 + sum(len(b) for b in self.bodies.values())


def cache_key(wanted: Wanted, token: str) -> tuple[object, ...]:
    """Give what the bytes of a tile are remembered by."""
    return (wanted.kind, wanted.name, wanted.path, wanted.at, wanted.theme, token)


def told_key(wanted: Wanted, version: Version) -> tuple[object, ...]:
    """Give what the ground that a tile tells is remembered by."""
    return (wanted.kind, wanted.name, wanted.path, wanted.at, version.token, *(p.digest for p in version.counts))


def answer(wanted: Wanted, version: Version, made: Made, encoding: bytes, unless: bytes) -> Ready:
    """Give the answer that tells `made`, written once; without a body where its tag stands in `unless`."""
    keep = NOT_KEPT if not version.is_open else FOR_EVER if wanted.version == version.token else ASK_AGAIN
    known = made.ready.get((encoding, keep, False))
    if known is not None and not unless:
        return known
    named = tag(wanted, version.token, encoding)
    same = named in unless
    known = made.ready.get((encoding, keep, same))
    if known is None:
        known = _written(made, encoding, [*BASE, (b"etag", named), (b"cache-control", keep), VARY], same=same)
        made.ready[encoding, keep, same] = known
    return known


def _written(made: Made, encoding: bytes, headers: Headers, *, same: bool) -> Ready:
    body = b"" if same else made.bodies[encoding]
    if body:
        headers += [(b"content-type", made.media_type), (b"content-length", str(len(body)).encode())]
        if encoding and body is not made.bodies.get(b""):
            headers.append((b"content-encoding", encoding))
    head = b"".join(k + b": " + v + b"\r\n" for k, v in headers)
    return Ready(304 if same else 200 if body else 204, headers, head, body)


def tag(wanted: Wanted, token: str, encoding: bytes) -> bytes:
    """Name these very bytes: MapLibre keeps what it shows where a tile of another year comes under the same tag."""
    at = wanted.at
    parts = (token, f"{at.z}-{at.x}-{at.y}", str(at.year or ""), wanted.theme, encoding.decode())
    return f'"{".".join(parts)}"'.encode()
