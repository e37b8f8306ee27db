"""Where the contents of a 3D Tiles scene lead: their glTF found by each container's own lengths, each address in it."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_TILES = 1000
_ADDRESSES = frozenset({"uri", "url", "href", "schemaUri"})
_FREE = "extras"
_B3DM, _I3DM, _CMPT, _GLTF1, _GLTF2 = 28, 32, 16, 20, 20


def addresses(data: bytes) -> list[str]:
    """Give every address that a b3dm, i3dm, pnts, cmpt or glb refers to; raises ValueError where its lengths lie."""
    found: list[str] = []
    waiting, seen = [data], 0
    while waiting:
        tile = waiting.pop()
        seen += 1
        if seen > _MAX_TILES or len(tile) < 12 or struct.unpack_from("<I", tile, 8)[0] != len(tile):
            raise ValueError("length")
        kind = tile[:4]
        if kind == b"cmpt":
            waiting += _parts(tile)
        elif kind == b"i3dm" and struct.unpack_from("<I", tile, 28)[0] == 0:
            found.append(_after_tables(tile, _I3DM).decode("utf-8").strip("\0 "))
        elif kind in (b"b3dm", b"i3dm"):
            model = _after_tables(tile, _B3DM if kind == b"b3dm" else _I3DM)
            found += _of_gltf(model) if model else []
        elif kind == b"glTF":
            found += _of_gltf(tile)
        elif kind != b"pnts":
            raise ValueError("kind")
    return found


def of_document(document: Any) -> Iterator[str]:
    """Give the value of every key that is an address, at any depth, but in `extras`, which nobody follows."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from (str(v) for k, v in value.items() if k in _ADDRESSES and not isinstance(v, dict | list))
            waiting += [v for k, v in value.items() if k != _FREE and isinstance(v, dict | list)]
        elif isinstance(value, list):
            waiting += [v for v in value if isinstance(v, dict | list)]


def _after_tables(tile: bytes, header: int) -> bytes:
    """Give what follows the feature and batch tables of a b3dm or i3dm."""
    if len(tile) < header:
        raise ValueError("header")
    return tile[header + sum(struct.unpack_from("<4I", tile, 12)) :]


def _parts(tile: bytes) -> list[bytes]:
    parts, at = [], _CMPT
    while at + 12 <= len(tile):
        length = struct.unpack_from("<I", tile, at + 8)[0]
        if length < 12 or at + length > len(tile):
            raise ValueError("length")
        parts.append(tile[at : at + length])
        at += length
    return parts


def _of_gltf(body: bytes) -> list[str]:
    """Give the addresses in a binary glTF 2.0, or 1.0 as older photogrammetry writes it."""
    if len(body) < _GLTF2 or body[:4] != b"glTF":
        raise ValueError("glTF")
    version, whole, length, kind = struct.unpack_from("<IIII", body, 4)
    json_kind = {1: 0, 2: 0x4E4F534A}.get(version)
    if kind != json_kind or whole > len(body) or _GLTF2 + length > len(body):
        raise ValueError("glTF")
    return list(of_document(json.loads(body[_GLTF1 : _GLTF1 + length])))
