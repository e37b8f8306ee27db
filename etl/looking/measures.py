"""Which delivered numbers are the shapes' own areas, and in which unit: told by measuring the shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from etl import columns as delivered
from twin import geodesy

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from etl.looking.values import Column
    from twin.model import Village

UNITS: Mapping[str, float] = {"m²": 1.0, "亩": geodesy.MU_M2, "公顷": 10_000.0}
NEAR, MOST_OFF = 0.05, 0.2
ENOUGH = 0.7
MOST = 5_000


def areas(table: pa.Table, columns: tuple[Column, ...], crs: str, village: Village) -> tuple[Column, ...]:
    """Give the columns, with unit and scale where one states the shapes' area; m² of the village's metric system."""
    if not crs:
        return columns
    measured = _measured(table.slice(0, MOST), crs, village)
    return tuple(_told(c, table.slice(0, MOST), measured) if c.type in ("number", "integer") else c for c in columns)


def _measured(table: pa.Table, crs: str, village: Village) -> NDArray[np.float64]:
    shapes = shapely.from_wkb(np.array(table.column("_geometry").to_pylist(), object))
    accepted = village.accepted_crs
    return shapely.area(geodesy.transform_geometry(shapes, crs, village.metric_crs, accepted=accepted))


def _told(column: Column, table: pa.Table, measured: NDArray[np.float64]) -> Column:
    values = delivered.as_number(table.column(column.source).combine_chunks())
    known = np.isfinite(values) & (values > 0) & np.isfinite(measured) & (measured > 0)
    if known.sum() < 3:
        return column
    ratio = measured[known] / values[known]
    middle = float(np.median(ratio))
    for unit, scale in UNITS.items():
        near = float(np.mean(np.abs(ratio / scale - 1) < MOST_OFF))
        if abs(middle / scale - 1) < NEAR and near >= ENOUGH:
            zh = f"{near:.0%} 的行与图形面积相符,单位是 {unit}"
            en = f"in {near:.0%} of the rows it is the shape's area in {unit}"
            kept = tuple(w for w in column.why if "单位" not in w[0])
            return replace(column, unit="m²", scale=round(scale, 4), type="number", sure="sure", why=(*kept, (zh, en)))
    return column
