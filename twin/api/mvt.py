"""Mapbox Vector Tiles read back, for drawing on the server: layers of shapes in tile units; pure.

After the Mapbox Vector Tile Specification 2.1 (protocol buffers of layers, features, command integers).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Ring = list[tuple[int, int]]
POINT, LINE, POLYGON = 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One feature: its kind (1 point, 2 line, 3 polygon), its parts in tile units (y down), its properties."""

    kind: int
    parts: list[Ring]
    properties: dict[str, Any]


@dataclass(kw_only=True)
class _Raw:
    name: str = ""
    extent: int = 4096
    keys: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    features: list[bytes] = field(default_factory=list)


def decode(tile: bytes) -> dict[str, tuple[int, list[Shape]]]:
    """Give {layer: (extent, shapes)}; raises ValueError for bytes that are no tile."""
    found: dict[str, tuple[int, list[Shape]]] = {}
    try:
        for number, data in _fields(tile):
            if number == 3:
                raw = _layer(data)
                found[raw.name] = (raw.extent, [_shape(f, raw) for f in raw.features])
    except (IndexError, TypeError, struct.error, UnicodeDecodeError) as wrong:
        raise ValueError("not a vector tile") from wrong
    return found


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Give (field number, value) of a protocol buffer message: int for varints, bytes for the rest."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _layer(data: bytes) -> _Raw:
    raw = _Raw()
    for number, value in _fields(data):
        if number == 1:
            raw.name = value.decode()
        elif number == 2:
            raw.features.append(value)
        elif number == 3:
            raw.keys.append(value.decode())
        elif number == 4:
            raw.values.append(_value(value))
        elif number == 5:
            raw.extent = value
    return raw


def _value(data: bytes) -> Any:
    number, value = next(_fields(data))
    if number == 1:
        return value.decode()
    if number in (2, 3):
        return struct.unpack("<f" if number == 2 else "<d", value)[0]
    if number == 6:
        return _zigzag(value)
    if number == 7:
        return bool(value)
    return value - (1 << 64) if number == 4 and value >= 1 << 63 else value


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _shape(data: bytes, raw: _Raw) -> Shape:
    kind, tags, commands = 0, b"", b""
    for number, value in _fields(data):
        if number == 2:
            tags = value
        elif number == 3:
            kind = value
        elif number == 4:
            commands = value
    numbers = _packed(tags)
    pairs = zip(numbers[::2], numbers[1::2], strict=False)
    return Shape(kind=kind, parts=_parts(_packed(commands)), properties={raw.keys[k]: raw.values[v] for k, v in pairs})


def _packed(data: bytes) -> list[int]:
    found: list[int] = []
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _parts(commands: list[int]) -> list[Ring]:
    parts: list[Ring] = []
    x = y = at = 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        if command == 7:
            parts[-1].append(parts[-1][0])
            continue
        for _ in range(count):
            x, y = x + _zigzag(commands[at]), y + _zigzag(commands[at + 1])
            at += 2
            if command == 1:
                parts.append([(x, y)])
            else:
                parts[-1].append((x, y))
    return parts
