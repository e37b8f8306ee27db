"""Where a published COG lies on the web's grid: block = tile at full resolution, so the two share one arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import rasterio
from rasterio.errors import RasterioError
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds

from twin.errors import CrsError, SourceError
from twin.web_mercator_quad import CRS, HALF_M, TILE_PIXELS, Bounds, corner, pixel_m, side_m

ALIGNED = 2
"""Overviews whose blocks are the web's tiles too; below them the few tiles there are get cut from pixels."""
CHUNK = 8 * TILE_PIXELS
"""The side in pixels of what is warped, and passed on, at once."""
MAX_PIXELS = 1 << 34
"""The most pixels of one published raster: 17 thousand million, 60 km a side at half a metre."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What a delivered raster covers: its bounds in its own `crs`, its size in pixels."""

    bounds: Bounds
    crs: str
    width: int
    height: int

    @property
    def web(self) -> Bounds:
        """Give the rectangle around it in EPSG:3857; raises CrsError where it is not on the map at all."""
        try:
            box = transform_bounds(self.crs, CRS, *self.bounds)
        except RasterioError as wrong:
            raise _nowhere(self.crs) from wrong
        if not all(math.isfinite(v) and abs(v) <= HALF_M for v in box) or box[0] >= box[2] or box[1] >= box[3]:
            raise _nowhere(self.crs)
        return box

    @property
    def pixel_m(self) -> float:
        """Give the side of its pixels in EPSG:3857 metres."""
        west, south, east, north = self.web
        return math.sqrt((east - west) / self.width * (north - south) / self.height)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The zoom of full resolution, the first tile, and the size in tiles."""

    zoom: int
    x: int
    y: int
    columns: int
    rows: int

    @property
    def width(self) -> int:
        """Give the width in pixels."""
        return self.columns * TILE_PIXELS

    @property
    def height(self) -> int:
        """Give the height in pixels."""
        return self.rows * TILE_PIXELS

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
        east, south = self.transform @ (self.width, self.height)
        return west, south, east, north

    def chunks(self, box: Bounds) -> Iterator[tuple[int, int]]:
        """Give the first pixel (column, row) of each chunk that `box` (EPSG:3857) touches, row by row."""
        (left, top), (right, bottom) = ~self.transform @ (box[0], box[3]), ~self.transform @ (box[2], box[1])
        for row in range(max(0, int(top // CHUNK)) * CHUNK, min(self.height, math.ceil(bottom)), CHUNK):
            for column in range(max(0, int(left // CHUNK)) * CHUNK, min(self.width, math.ceil(right)), CHUNK):
                yield column, row

    def shape(self, column: int, row: int) -> tuple[int, int]:
        """Give the (rows, columns) of pixels of the chunk whose first pixel is (column, row)."""
        return min(CHUNK, self.height - row), min(CHUNK, self.width - column)


def around(extents: Sequence[Extent]) -> Grid:
    """Give the aligned grid that holds `extents`, at the zoom whose pixels are nearest the finest of theirs.

    Raises CrsError for what lies nowhere, SourceError for what together is too large.
    """
    boxes = [e.web for e in extents]
    finest_m = min(e.pixel_m for e in extents)
    zoom = min(22, max(ALIGNED, round(math.log2(pixel_m(0) / finest_m))))
    scale = 2**ALIGNED
    side = side_m(zoom) * scale
    left = math.floor((min(b[0] for b in boxes) + HALF_M) / side)
    right = math.ceil((max(b[2] for b in boxes) + HALF_M) / side)
    top = math.floor((HALF_M - max(b[3] for b in boxes)) / side)
    bottom = math.ceil((HALF_M - min(b[1] for b in boxes)) / side)
    grid = Grid(zoom=zoom, x=left * scale, y=top * scale, columns=(right - left) * scale, rows=(bottom - top) * scale)
    if grid.width * grid.height > MAX_PIXELS:
        raise SourceError(
            f"这一期影像合起来有 {grid.width} × {grid.height} 像素，相距太远或分辨率相差太大。请分成几个资源报送。",
            f"Together the rasters of this edition make {grid.width} × {grid.height} pixels: they lie too far apart, "
            "or their resolutions differ too much. Deliver them as several resources.",
        )
    return grid


def _nowhere(crs: str) -> CrsError:
    return CrsError(
        f"影像按坐标系 {crs} 不在地图范围内，坐标系或坐标很可能写错。请核对后重报。",
        f"In {crs} the raster lies beyond the map: its system or its coordinates are probably wrong. Check them.",
    )
