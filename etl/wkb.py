"""Which geometry bytes are safe to parse, and what is wrong with those that are not; knows hostile WKB.

Deeply nested collections crash GEOS by its recursion, so nesting is walked here, in a loop, before anything is parsed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from pyarrow import compute

if TYPE_CHECKING:
    from numpy.typing import NDArray

pc: Any = compute  # its functions are made at run time

MAX_DEPTH = 8
MAX_VERTICES = 1_000_000
LARGEST_COORDINATE = 1e9
_SMALL = 4096
"""Bytes in which no nesting deep enough to hurt a stack fits (9 bytes a level)."""

_NAMES = {
    1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon",
    7: "GeometryCollection", 8: "CircularString", 9: "CompoundCurve", 10: "CurvePolygon", 11: "MultiCurve",
    12: "MultiSurface", 13: "Curve", 14: "Surface", 15: "PolyhedralSurface", 16: "TIN", 17: "Triangle",
}  # fmt: skip


class TooManyVertices(Exception):
    """One geometry is larger than any real one; `row` is its index in the column."""

    def __init__(self, row: int, size: int) -> None:
        super().__init__(f"row {row}: {size} bytes")
        self.row = row


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A column of WKB made safe (2D unless z is kept, rings closed, unreadable ones null), and each row's note."""

    geometry: pa.Array
    notes: list[str | None] | None
    shapes: NDArray[np.object_]


def examine(column: pa.Array, *, keep_z: bool = False) -> Examined:
    """Check a binary array of WKB; raises TooManyVertices where one geometry is too large to be true."""
    raw = np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    notes: dict[int, list[str]] = {}
    lengths = _lengths(column)
    if lengths.size and int(lengths.max()) > MAX_VERTICES * 16:
        row = int(lengths.argmax())
        raise TooManyVertices(row, int(lengths[row]))
    kinds = _kinds(column)
    raw = _without_the_odd(raw, kinds, lengths, notes)
    shapes = shapely.from_wkb(raw, on_invalid="ignore")
    changed = _close(raw, shapes, notes)
    changed |= raw.size > 0 and bool(notes)
    if not keep_z:
        deep = shapely.has_z(shapes)
        if deep.any():
            shapes[deep] = shapely.force_2d(shapes[deep])
            _note(notes, np.flatnonzero(deep), "z_dropped")
            changed = True
    _flag_coordinates(shapes, notes)
    geometry = pa.array(shapely.to_wkb(shapes), pa.binary()) if changed else column.cast(pa.binary())
    return Examined(geometry=geometry, notes=_lines(notes, len(raw)), shapes=shapes)


def _lengths(column: pa.Array) -> NDArray[np.int64]:
    lengths = pc.fill_null(pc.binary_length(column), 0)
    return lengths.to_numpy(zero_copy_only=False).astype(np.int64)


def _kinds(column: pa.Array) -> NDArray[np.int64]:
    """Give each row's WKB geometry type (1 Point … 17 Triangle), 0 for null, -1 for what is no WKB header."""
    heads = pc.binary_slice(column, 0, 5).fill_null(b"")
    out = np.full(len(column), -1, np.int64)
    encoded = heads.cast(pa.binary()).dictionary_encode()
    table = np.array([_kind(h) for h in encoded.dictionary.to_pylist()] or [0], np.int64)
    out[:] = table[encoded.indices.to_numpy(zero_copy_only=False)] if len(column) else out
    return out


def _kind(head: bytes) -> int:
    if not head:
        return 0
    if len(head) < 5 or head[0] not in (0, 1):
        return -1
    code = struct.unpack("<I" if head[0] else ">I", head[1:5])[0] & 0x0FFFFFFF
    kind = code % 1000
    return kind if kind in _NAMES and code < 4000 else -1


def _without_the_odd(
    raw: NDArray[np.object_], kinds: NDArray[np.int64], lengths: NDArray[np.int64], notes: dict[int, list[str]]
) -> NDArray[np.object_]:
    """Null what must not be parsed: no header, kinds no map draws, nests too deep."""
    suspects = np.flatnonzero((kinds < 0) | (kinds >= 7) | ((kinds >= 4) & (lengths > _SMALL)))
    if suspects.size == 0:
        return raw
    raw = raw.copy()
    for row in suspects:
        kind = int(kinds[row])
        if kind < 0:
            word = "unreadable_geometry"
        elif kind > 7:
            word = f"unsupported_geometry:{_NAMES[kind]}"
        elif (found := _walk(raw[row])) == "":
            continue
        else:
            word = found
        _note(notes, [int(row)], word)
        raw[row] = None
    return raw


def _walk(blob: bytes) -> str:
    """Walk a WKB without recursion; give "" or what is wrong with it."""
    at, open_counts = 0, [1]
    try:
        while open_counts:
            if open_counts[-1] == 0:
                open_counts.pop()
                continue
            open_counts[-1] -= 1
            if len(open_counts) > MAX_DEPTH:
                return "nested_geometry"
            at, members = _step(blob, at)
            if members:
                open_counts.append(members)
    except (struct.error, KeyError, OverflowError):
        return "unreadable_geometry"
    return ""


def _step(blob: bytes, at: int) -> tuple[int, int]:
    """Pass one geometry header (and a simple one's coordinates); give the next offset and the number of members."""
    order = "<" if blob[at : at + 1] == b"\x01" else ">"
    (code,) = struct.unpack_from(order + "I", blob, at + 1)
    at += 5 + (4 if code & 0x20000000 else 0)
    plain = code & 0x0FFFFFFF
    size = 8 * (2 + _extra(code, plain))
    kind = plain % 1000
    if kind == 1:
        return _within(blob, at + size), 0
    (count,) = struct.unpack_from(order + "I", blob, at)
    at += 4
    if kind == 2:
        return _within(blob, at + count * size), 0
    if kind == 3:
        for _ in range(count):
            (points,) = struct.unpack_from(order + "I", blob, at)
            at = _within(blob, at + 4 + points * size)
        return at, 0
    if kind not in (4, 5, 6, 7):
        raise KeyError(kind)
    if count * 5 > len(blob) - at:
        raise OverflowError(count)
    return at, count


def _extra(code: int, plain: int) -> int:
    iso = {0: 0, 1: 1, 2: 1, 3: 2}[plain // 1000]
    return iso or int(bool(code & 0x80000000)) + int(bool(code & 0x40000000))


def _within(blob: bytes, at: int) -> int:
    if at > len(blob):
        raise OverflowError(at)
    return at


def _close(raw: NDArray[np.object_], shapes: NDArray[np.object_], notes: dict[int, list[str]]) -> bool:
    """Read again, closing rings, what could not be read as it is; `shapes` is completed in place."""
    missing = np.flatnonzero((shapes == None) & (raw != None))  # noqa: E711 - elementwise
    if missing.size == 0:
        return False
    fixed = shapely.from_wkb(raw[missing], on_invalid="fix")
    shapes[missing] = fixed
    readable = fixed != None  # noqa: E711 - elementwise
    _note(notes, missing[readable], "unclosed_ring")
    _note(notes, missing[~readable], "unreadable_geometry")
    return True


def _flag_coordinates(shapes: NDArray[np.object_], notes: dict[int, list[str]]) -> None:
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    if xy.size == 0:
        return
    low, high = xy.min(), xy.max()
    if low >= -LARGEST_COORDINATE and high <= LARGEST_COORDINATE:
        return
    bad = ~(np.abs(xy) <= LARGEST_COORDINATE).all(axis=1)
    _note(notes, np.unique(owner[bad]), "not_finite")


def _note(notes: dict[int, list[str]], rows: object, word: str) -> None:
    for row in np.atleast_1d(np.asarray(rows)).tolist():
        notes.setdefault(int(row), []).append(word)


def _lines(notes: dict[int, list[str]], size: int) -> list[str | None] | None:
    if not notes:
        return None
    return [",".join(notes[i]) if i in notes else None for i in range(size)]
