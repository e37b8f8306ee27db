"""What was met on the way to a row → the reasons that refuse it and the repairs that are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from etl.reasons import SEPARATOR

if TYPE_CHECKING:
    from etl.columns import Typed
    from etl.geometry import Placed
    from twin.model import Resource


def notes(batch: pa.RecordBatch, typed: Typed, placed: Placed | None, resource: Resource) -> tuple[pa.Array, pa.Array]:
    """Give (_note, _repair): what was met while reading, as rule|column; both null in the common case."""
    reasons = {row: list(rules) for row, rules in typed.reasons.items()}
    repairs = {row: list(words) for row, words in typed.repairs.items()}
    for row, words in (placed.repairs if placed else {}).items():
        repairs.setdefault(row, []).extend(words)
    for row, rules in (placed.reasons if placed else {}).items():
        reasons.setdefault(row, []).extend(rules)
    noted = batch.column("_note")
    if noted.null_count < len(noted):
        for row in np.flatnonzero(noted.is_valid().to_numpy(zero_copy_only=False)):
            _take(noted[int(row)].as_py(), int(row), resource, reasons, repairs)
    count = batch.num_rows
    note = pa.array([reasons.get(i) for i in range(count)] if reasons else [None] * count, pa.list_(pa.string()))
    words = [",".join(sorted(set(repairs[i]))) if i in repairs else None for i in range(count)] if repairs else None
    return note, pa.array(words or [None] * count, pa.string())


UNDRAWN = {
    "not_finite": "geometry_not_finite",
    "unreadable_geometry": "geometry_unreadable",
    "nested_geometry": "geometry_unreadable",
    "unsupported_geometry": "geometry_unsupported",
    "unreadable_coordinate": "coordinate_unreadable",
}
"""Why a row has no geometry, by the reader's word for it."""
NOWHERE = ("geometry_missing", "outside_plausible", "outside_village", "axes_swapped")
"""What would be said of a place that could not be read."""
WHOLE_ROW = {"totals_row": "totals_row", "ragged_row": "row_ragged", "mixed_encoding": "mixed_encoding"}
"""What a reader met that makes a row unfit, whatever stands in its columns."""

CELLS = {"number_cell": "id_damaged", "formula_empty": "formula_empty", "cell_error": "cell_error"}
"""What a reader met in one cell, of which nothing can be made."""


def _take(
    words: str, row: int, resource: Resource, reasons: dict[int, list[str]], repairs: dict[int, list[str]]
) -> None:
    """Take a reader's remarks on a row: some refuse it, some tell of a repair, the rest is of no consequence."""
    for word in words.split(","):
        name, _, heading = word.partition(":")
        if name in WHOLE_ROW:
            reasons[row] = [*(r for r in reasons.get(row, ()) if r in WHOLE_ROW.values()), WHOLE_ROW[name]]
        elif name in UNDRAWN and resource.kind != "none":
            found = reasons.setdefault(row, [])
            kept = [r for r in found if r not in (*NOWHERE, UNDRAWN[name])]
            found[:] = [*kept, UNDRAWN[name]]
        elif name == "unclosed_ring" and "ring_unclosed" not in repairs.get(row, ()):
            repairs.setdefault(row, []).append("ring_unclosed")
        elif name in ("merged_filled", "text_cut", "z_dropped"):
            repairs.setdefault(row, []).append(name)
        elif name in CELLS:
            for item in resource.fields:
                if item.source == heading and (item.type == "string" or name != "number_cell"):
                    reasons.setdefault(row, []).append(f"{CELLS[name]}{SEPARATOR}{item.name}")
