"""Where a published COG lies on the web's grid: block = tile at full resolution, so the two share one arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rasterio.transform import from_origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    import rasterio

Bounds = tuple[float, float, float, float]
"""(min x, min y, max x, max y) in the raster's own CRS."""

WEB = "EPSG:3857"
EARTH_M = 20037508.342789244
"""Half the side of the EPSG:3857 square, metres."""
TILE = 256
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
        return resolution(self.zoom)

    @property
    def transform(self) -> rasterio.Affine:
        """Give the pixel → EPSG:3857 transform."""
        side = self.resolution * TILE
        return from_origin(-EARTH_M + self.x * side, EARTH_M - self.y * side, self.resolution, self.resolution)

    @property
    def bounds(self) -> Bounds:
        """Give the rectangle in EPSG:3857."""
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (self.columns * TILE, self.rows * TILE)
        return west, south, east, north


def resolution(zoom: float) -> float:
    """Give the EPSG:3857 metres per pixel of 256 px tiles at `zoom`."""
    return 2 * EARTH_M / TILE / 2**zoom


def tile_bounds(z: int, x: int, y: int) -> Bounds:
    """Give the EPSG:3857 rectangle of a web tile."""
    side = 2 * EARTH_M / 2**z
    return -EARTH_M + x * side, EARTH_M - (y + 1) * side, -EARTH_M + (x + 1) * side, EARTH_M - y * side


def around(boxes: Sequence[Bounds], finest_m: float) -> Grid:
    """Give the aligned grid that holds `boxes` (EPSG:3857), at the zoom whose pixels are nearest `finest_m`."""
    zoom = min(22, max(ALIGNED, round(math.log2(2 * EARTH_M / TILE / finest_m))))
    scale = 2**ALIGNED
    side = resolution(zoom) * TILE * scale
    left = math.floor((min(b[0] for b in boxes) + EARTH_M) / side)
    right = math.ceil((max(b[2] for b in boxes) + EARTH_M) / side)
    top = math.floor((EARTH_M - max(b[3] for b in boxes)) / side)
    bottom = math.ceil((EARTH_M - min(b[1] for b in boxes)) / side)
    return Grid(zoom=zoom, x=left * scale, y=top * scale, columns=(right - left) * scale, rows=(bottom - top) * scale)
