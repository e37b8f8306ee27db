"""Two columns of text → points, however their numbers or angles were written."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely

from etl.transforms import parse


def points(x: pa.Array, y: pa.Array, notes: list[str]) -> tuple[pa.Array, list[str]]:
    """Give WKB points of two text columns, null where either cannot be read, and the notes with what was met."""
    px, x_words = _angles(x, 180.0)
    py, y_words = _angles(y, 90.0)
    known = np.isfinite(px) & np.isfinite(py)
    shapes = np.full(len(px), None, object)
    shapes[known] = shapely.points(px[known], py[known])
    for i in range(len(notes)):
        words = [w for w in {x_words[i]: 0, y_words[i]: 0} if w and "totals_row" not in notes[i]]
        notes[i] = ",".join([n for n in (notes[i], *words) if n])
    return pa.array(shapely.to_wkb(shapes), pa.binary()), notes


def _angles(column: pa.Array, limit: float) -> tuple[np.ndarray, list[str]]:
    """Read coordinates: decimals of any size, or angles within ± limit; NaN and a word where unreadable."""
    encoded = column.dictionary_encode()
    read_once = [_angle(t, limit) for t in encoded.dictionary.to_pylist()]
    values = np.full(len(column), np.nan)
    words = [""] * len(column)
    for i, k in enumerate(encoded.indices.to_pylist()):
        if k is not None:
            values[i], words[i] = read_once[k]
    return values, words


def _angle(text: str, limit: float) -> tuple[float, str]:
    try:
        if parse.is_dms(text):
            return parse.parse_dms(text, limit), "dms"
        number = parse.parse_number(text)
    except ValueError:
        return float("nan"), "unreadable_coordinate"
    return (float("nan"), "") if number is None else (number, "")
