"""How much ground a person or key has been given in a year, in cells of one fixed grid; pure arithmetic.

Maps of 1:500 to 1:2,000 are surveying results that only stay outside secrecy while the ground they cover is small, so
what counts is ground told as exactly as such a map tells it, wherever it is told: tile, image, card, list, find.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.model import Bbox

Cell = tuple[int, int]
"""(column, row) of the grid, counted east from 180° W and north from the South Pole."""

RADIUS_M = 6_371_007.181
"""The authalic radius of GRS 80: a sphere of the ellipsoid's area."""
SIDE_M = 100.0
CELL_KM2 = SIDE_M * SIDE_M / 1e6
YEAR = timedelta(days=365)
DETAIL_M = 1.2
"""Places told more coarsely than this are not those of a map of 1:2,000, which shows a metre as half a millimetre."""
DETAIL_ZOOM = 17
"""From here a pixel of a 256-pixel tile is under 1.2 m at the equator."""
IMAGE_PIXELS = 256
VECTOR_PIXELS = 4096
"""The steps a tile's side is told in: an image's pixels, a vector tile's units."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Ground that counts now: how much of it, and the day the oldest of it was last delivered (None: there is none)."""

    km2: float = 0.0
    since: date | None = None


def is_detailed(zoom: float, pixels: int = IMAGE_PIXELS) -> bool:
    """Say whether a tile of `zoom` (Web Mercator) told in `pixels` steps a side is as detailed as 1:2,000."""
    return zoom + math.log2(pixels / IMAGE_PIXELS) >= DETAIL_ZOOM


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


def along(bbox: Bbox) -> Iterator[Cell]:
    """Give every cell that the outline of a box touches: whoever is told a box is told of its four sides only."""
    (x0, y0), (x1, y1) = cell_of(bbox[0], bbox[1]), cell_of(bbox[2], bbox[3])
    for x in range(x0, x1 + 1):
        inside = x0 < x < x1
        yield from ((x, y) for y in ({y0, y1} if inside else range(y0, y1 + 1)))


def common(one: Bbox, other: Bbox) -> Bbox | None:
    """Give what two boxes share, None where that is nothing."""
    west, south = max(one[0], other[0]), max(one[1], other[1])
    east, north = min(one[2], other[2]), min(one[3], other[3])
    return (west, south, east, north) if west <= east and south <= north else None


def km2(some: Collection[Cell]) -> float:
    """Give the ground of distinct cells in km²."""
    return round(len(some) * CELL_KM2, 6)


def first_day(today: date) -> date:
    """Give the first day that counts: whatever was delivered on it was delivered a year ago at most."""
    return today - YEAR


def usage(held: Mapping[Cell, date], today: date) -> Usage:
    """Give the ground of `held` (cell → the day it was last delivered) that counts on `today`, each cell once."""
    days = [day for day in held.values() if day >= first_day(today)]
    return Usage(km2=round(len(days) * CELL_KM2, 6), since=min(days, default=None))


def passes(held: Mapping[Cell, date], wanted: Collection[Cell], today: date, limit_km2: float) -> float | None:
    """Give the km² that delivering `wanted` as well would make where that is over the limit, else None.

    Ground that counts already may be delivered again, whatever the limit has become since.
    """
    counts = {cell for cell, day in held.items() if day >= first_day(today)}
    fresh = set(wanted) - counts
    total = round((len(counts) + len(fresh)) * CELL_KM2, 6)
    return total if fresh and total > limit_km2 else None
