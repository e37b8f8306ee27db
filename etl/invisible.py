"""Which characters nobody sees: what changes nothing is taken out, what belongs to no text refuses the row."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_INVISIBLE = "[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
"""Widthless and direction-turning; not the joiners U+200C and U+200D, which emoji and some scripts are written with."""
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_NONE = np.zeros(0, dtype=bool)


def cleaned(column: pa.Array) -> tuple[pa.Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Give a string column without its invisible characters, which rows had some, and which hold control characters.

    Both masks are empty where no row is concerned, which is told from the bytes alone.
    """
    seen = _bytes(column)
    if not len(seen):
        return column, _NONE, _NONE
    control = _rows(column, _CONTROL) if (seen < 0x20).any() or (seen == 0x7F).any() else _NONE
    if not ((seen == 0xE2).any() or (seen == 0xEF).any()):
        return column, _NONE, control
    hidden = _rows(column, _INVISIBLE)
    return (pc.replace_substring_regex(column, _INVISIBLE, "") if len(hidden) else column), hidden, control


def _rows(column: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found = pc.fill_null(pc.match_substring_regex(column, pattern), fill_value=False)
    mask = np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
    return mask if mask.any() else _NONE


def _bytes(column: pa.Array) -> NDArray[np.uint8]:
    """Give the bytes of all texts of a column, without copying them."""
    if not len(column):
        return np.zeros(0, dtype=np.uint8)
    wide = "int64" if pa.types.is_large_string(column.type) else "int32"
    _, offsets, data = column.buffers()
    if data is None or offsets is None:
        return np.zeros(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=wide, count=len(column) + 1, offset=column.offset * np.dtype(wide).itemsize)
    return np.frombuffer(data, dtype=np.uint8, count=int(ends[-1] - ends[0]), offset=int(ends[0]))
