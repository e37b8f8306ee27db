"""Where a published COG lies on the web's grid: block = tile at full resolution, so the two share one arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rasterio.transform import from_origin

from twin.web_mercator_quad import HALF_M, TILE_PIXELS, Bounds, corner, pixel_m, side_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    import rasterio

ALIGNED = 2
"""Overviews whose blocks are the web's tiles too; below them the few tiles there are get cut from pixels."""
NODATA = -32768.0
"""The nodata value of a published terrain."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The zoom of full resolution, the first tile, and the size in tiles."""

    zoom: int
    x: int
    y: int
    columns: int
    rows: int

    @property
    def resolution(self) -> float:
        """Give EPSG:3857 metres per pixel."""
        return pixel_m(self.zoom)

    @property
    def transform(self) -> rasterio.Affine:
        """Give the pixel → EPSG:3857 transform."""
        return from_origin(*corner(self.zoom, self.x, self.y), self.resolution, self.resolution)

    @property
    def bounds(self) -> Bounds:
        """Give the rectangle in EPSG:3857."""
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (self.columns * TILE_PIXELS, self.rows * TILE_PIXELS)
        return west, south, east, north


def around(boxes: Sequence[Bounds], finest_m: float) -> Grid:
    """Give the aligned grid that holds `boxes` (EPSG:3857), at the zoom whose pixels are nearest `finest_m`."""
    zoom = min(22, max(ALIGNED, round(math.log2(pixel_m(0) / finest_m))))
    scale = 2**ALIGNED
    side = side_m(zoom) * scale
    left = math.floor((min(b[0] for b in boxes) + HALF_M) / side)
    right = math.ceil((max(b[2] for b in boxes) + HALF_M) / side)
    top = math.floor((HALF_M - max(b[3] for b in boxes)) / side)
    bottom = math.ceil((HALF_M - min(b[1] for b in boxes)) / side)
    return Grid(zoom=zoom, x=left * scale, y=top * scale, columns=(right - left) * scale, rows=(bottom - top) * scale)
