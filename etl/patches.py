"""How warped pixels pass from the throw-away process: one chunk of the grid a batch, believed only as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from etl import sentences
from twin.rasters import FORMS, Form, Grid, Patch

SCHEMA = pa.schema([("column", pa.int64()), ("row", pa.int64()), ("pixels", pa.large_binary())])
_GRID = ("zoom", "x", "y", "columns", "rows")


def options(grid: Grid, form: Form) -> dict[str, str]:
    """Give a grid and a form as the options of a job."""
    return {"form": form.name, **{name: str(getattr(grid, name)) for name in _GRID}}


def asked(options: dict[str, str]) -> tuple[Grid, Form]:
    """Read what `options` wrote."""
    values: dict[str, Any] = {name: int(options[name]) for name in _GRID}
    return Grid(**values), FORMS[options["form"]]


def to_batch(patch: Patch) -> pa.RecordBatch:
    """Give a patch as a batch of one row."""
    pixels = np.ascontiguousarray(patch.pixels)
    offsets = pa.py_buffer(np.array([0, pixels.nbytes], np.int64))
    packed = pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(pixels)])
    return pa.RecordBatch.from_arrays([pa.array([patch.column]), pa.array([patch.row]), packed], schema=SCHEMA)


def from_batch(batch: pa.RecordBatch, grid: Grid, form: Form, name: str) -> Patch:
    """Give the patch of a batch; raises SourceError where it is none of `grid` in `form`: the child was not itself."""
    if batch.schema != SCHEMA or len(batch) != 1 or any(c.null_count for c in batch.columns):
        raise sentences.astray(name)
    column, row, packed = (c[0] for c in batch.columns)
    at = column.as_py(), row.as_py()
    if at not in set(grid.chunks(grid.bounds)):
        raise sentences.astray(name)
    shape = (form.bands, *grid.shape(*at))
    pixels = np.frombuffer(packed.as_buffer(), form.dtype)
    if pixels.size != np.prod(shape):
        raise sentences.astray(name)
    return Patch(column=at[0], row=at[1], pixels=pixels.reshape(shape))
