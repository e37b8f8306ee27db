"""Rasters as files for the web, COG and terrain, and their tiles; the only importer of rasterio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

Bounds = tuple[float, float, float, float]
"""(min x, min y, max x, max y) in the raster's own CRS."""


def write_geotiff(path: Path, array: np.ndarray, bounds: Bounds, crs: str, *, nodata: float | None = None) -> None:
    """Write `array` (rows, columns) or (bands, rows, columns), north up, as a plain GeoTIFF covering `bounds` of `crs`."""
    raise NotImplementedError


def to_web_cog(sources: Sequence[Path], out: Path, *, crs: str) -> None:
    """Warp and merge `sources` (RGB or RGBA, in `crs`) into one EPSG:3857 COG aligned to the web's tiles."""
    raise NotImplementedError


def to_terrain_cog(sources: Sequence[Path], out: Path, *, crs: str) -> None:
    """Warp and merge elevation `sources` (metres, one band) into one float32 EPSG:3857 COG with nodata."""
    raise NotImplementedError


def tile(path: Path, z: int, x: int, y: int) -> bytes | None:
    """Give the 256 px WebP of a web tile, transparent beyond the coverage; None where nothing is covered."""
    raise NotImplementedError


def terrain_tile(path: Path, z: int, x: int, y: int) -> bytes | None:
    """Give the 256 px terrain-RGB PNG (0.1 m, base -10000 m) of a web tile; None where nothing is covered."""
    raise NotImplementedError
