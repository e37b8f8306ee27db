"""How much continuous ground a person or key has been given in a year, in cells of one fixed grid; pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from twin.errors import Refused

if TYPE_CHECKING:
    from twin.model import Bbox

Cell = tuple[int, int]
"""(column, row) of the grid, counted east from 180° W and north from the South Pole."""

RADIUS_M = 6_371_007.181
"""The authalic radius of GRS 80: a sphere of the ellipsoid's area."""
SIDE_M = 100.0
CELL_KM2 = SIDE_M * SIDE_M / 1e6
YEAR = timedelta(days=365)
DETAIL_ZOOM = 17
"""From here a pixel of a 256-pixel tile is under 1.2 m at the equator: on a screen of 0.5 mm pixels about 1:2,000."""
LIMIT_KM2 = 25.0
"""Beyond this much continuous ground, detailed surveying data is a matter for the surveying department."""
MOST_CELLS = 200_000
"""Cells of one delivery that are counted one by one; more is over every sensible limit, and said to be."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One cell that one subject was given, and when."""

    cell: Cell
    at: datetime


def is_detailed(zoom: float) -> bool:
    """Say whether what is drawn at `zoom` (Web Mercator, 256-pixel tiles) is as detailed as 1:2,000."""
    return zoom >= DETAIL_ZOOM


def cell_of(lon: float, lat: float) -> Cell:
    """Give the cell of a place in degrees: Lambert's cylindrical equal-area projection, cut into squares of SIDE_M².

    x = R·λ, y = R·sin φ keeps areas, so that every cell is the same ground (Snyder 1987, eq. 10-1, 10-2, φs = 0).
    """
    x = math.radians(lon + 180.0) * RADIUS_M
    y = (math.sin(math.radians(max(-90.0, min(90.0, lat)))) + 1.0) * RADIUS_M
    return int(x // SIDE_M), int(y // SIDE_M)


def cells(bbox: Bbox) -> Iterator[Cell]:
    """Give every cell that a box (west, south, east, north; degrees) touches."""
    (x0, y0), (x1, y1) = cell_of(bbox[0], bbox[1]), cell_of(bbox[2], bbox[3])
    for x in range(x0, x1 + 1):
        for y in range(y0, y1 + 1):
            yield x, y


def count_of(bbox: Bbox) -> int:
    """Give how many cells a box touches, without making them."""
    (x0, y0), (x1, y1) = cell_of(bbox[0], bbox[1]), cell_of(bbox[2], bbox[3])
    return max(0, x1 - x0 + 1) * max(0, y1 - y0 + 1)


def km2(some: Collection[Cell]) -> float:
    """Give the ground of distinct cells in km²."""
    return round(len(set(some)) * CELL_KM2, 6)


def held(deliveries: Iterable[Delivery], now: datetime) -> frozenset[Cell]:
    """Give the cells that count at `now`: the union of what was delivered in the year before."""
    since = now - YEAR
    return frozenset(d.cell for d in deliveries if since < d.at <= now)


def new_cells(
    before: Collection[Cell], boxes: Iterable[Bbox], *, limit_km2: float, ask: tuple[str, str]
) -> frozenset[Cell]:
    """Give the cells of `boxes` that are not `before`; raises Refused where together they pass `limit_km2`.

    `ask` is whom to turn to, in zh and en. What was delivered already may be delivered again.
    """
    wanted: set[Cell] = set()
    for box in boxes:
        if count_of(box) > MOST_CELLS:
            raise _refused(limit_km2, count_of(box) * CELL_KM2, ask)
        wanted.update(cells(box))
    fresh = frozenset(wanted.difference(before))
    total = km2({*before, *fresh})
    if fresh and total > limit_km2:
        raise _refused(limit_km2, total, ask)
    return fresh


def _refused(limit_km2: float, total: float, ask: tuple[str, str]) -> Refused:
    return Refused(
        f"一年内提供的连续范围不得超过 {limit_km2:g} 平方公里(此次将达 {total:.2f});请联系{ask[0]}",
        f"No more than {limit_km2:g} km² may be delivered in a year (this would make {total:.2f}): ask {ask[1]}",
        limit_km2=limit_km2,
    )
