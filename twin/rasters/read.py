"""Tiles and heights out of published COGs; a tile of imagery is, where it can be, the very bytes of one block."""

from __future__ import annotations

import io
import math
import os
import threading
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import scipy
from PIL import Image
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.windows import Window

from twin.errors import StoreBroken
from twin.rasters.form import NODATA
from twin.rasters.grid import ALIGNED, Grid
from twin.web_mercator_quad import HALF_M, TILE_PIXELS, bounds, pixel_m, side_m

if TYPE_CHECKING:
    from pathlib import Path

OPEN_PER_THREAD = 16
COARSE = 256
"""The most pixels a side of the overview from which unknown heights are filled."""
_local = threading.local()


def grid_of(path: Path) -> Grid:
    """Read from a published COG where it lies on the web's grid; raises StoreBroken where it cannot be read."""
    dataset = _dataset(path)
    zoom = round(math.log2(pixel_m(0) / dataset.transform.a))
    side = side_m(zoom)
    x = round((dataset.transform.c + HALF_M) / side)
    y = round((HALF_M - dataset.transform.f) / side)
    return Grid(zoom=zoom, x=x, y=y, columns=dataset.width // TILE_PIXELS, rows=dataset.height // TILE_PIXELS)


def tile(path: Path, z: int, x: int, y: int) -> bytes | None:
    """Give the 256 px WebP of a web tile, transparent beyond the coverage; None where nothing is covered.

    Raises StoreBroken where the file cannot be read.
    """
    grid = grid_of(path)
    level = grid.zoom - z
    if 0 <= level <= ALIGNED:
        return _block(path, level, x - (grid.x >> level), y - (grid.y >> level))
    pixels = _pixels(path, grid, z, x, y)
    if pixels is None or not pixels[3].any():
        return None
    return _encode(np.moveaxis(pixels, 0, -1), "WEBP", quality=82, method=2)


def terrain_tile(path: Path, z: int, x: int, y: int) -> bytes | None:
    """Give the 256 px terrain-RGB PNG (height = -10000 m + 0.1 m · RGB as one number); None beyond the grid.

    Beyond the coverage, but on the COG's grid, heights go on from the nearest known ones, so that no cliff stands at
    the edge. Raises StoreBroken where the file cannot be read.
    """
    pixels = _pixels(path, grid_of(path), z, x, y)
    if pixels is None:
        return None
    heights = pixels[0].astype(float)  # at 10000 m single precision is down to millimetres
    unknown = heights == NODATA
    if unknown.any():
        heights[unknown] = _beyond(path, z, x, y)[unknown]
    steps = np.clip(np.rint((heights + 10000.0) * 10.0), 0, 2**24 - 1).astype(np.uint32)
    rgb = np.stack([steps >> 16, (steps >> 8) & 255, steps & 255], axis=-1).astype(np.uint8)
    return _encode(rgb, "PNG", compress_level=4)


def sample(path: Path, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Give the heights in metres at EPSG:3857 `x`, `y` from a terrain COG (nearest pixel); NaN where unknown."""
    dataset = _dataset(path)
    try:
        values = np.array([v[0] for v in dataset.sample(zip(x, y, strict=True))], dtype=float)
    except RasterioError as error:
        raise _unreadable(path) from error
    values[values == NODATA] = np.nan
    box = dataset.bounds
    return np.where((x >= box.left) & (x < box.right) & (y > box.bottom) & (y <= box.top), values, np.nan)


# pixels


def _block(path: Path, level: int, column: int, row: int) -> bytes | None:
    dataset = _dataset(path)
    across, down = -(-dataset.width // TILE_PIXELS >> level), -(-dataset.height // TILE_PIXELS >> level)
    if not (0 <= column < across and 0 <= row < down):
        return None
    where: dict[str, Any] = {"dm": "TIFF", "bidx": 1} | ({"ovr": level - 1} if level else {})
    offset = dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", **where)
    if offset is None:
        return None
    size = int(dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", **where))
    with path.open("rb") as file:
        return os.pread(file.fileno(), size, int(offset))


def _pixels(path: Path, grid: Grid, z: int, x: int, y: int) -> np.ndarray | None:
    """Read one web tile as (bands, 256, 256), padded beyond the grid; None where it misses the grid."""
    west, south, east, north = bounds(z, x, y)
    left, top = ~grid.transform @ (west, north)
    right, bottom = ~grid.transform @ (east, south)
    dataset = _dataset(path)
    if right <= 0 or bottom <= 0 or left >= dataset.width or top >= dataset.height:
        return None
    window = Window.from_slices((top, bottom), (left, right), boundless=True)
    try:
        return dataset.read(
            window=window,
            out_shape=(dataset.count, TILE_PIXELS, TILE_PIXELS),
            boundless=left < 0 or top < 0 or right > dataset.width or bottom > dataset.height,
            fill_value=dataset.nodata or 0,
            resampling=Resampling.bilinear,
        )
    except RasterioError as error:
        raise _unreadable(path) from error


def _beyond(path: Path, z: int, x: int, y: int) -> np.ndarray:
    """Give (256, 256) heights that continue the known ones outwards, falling smoothly to their mean."""
    coarse, grid = _coarse(path, path.stat().st_mtime_ns), grid_of(path)
    west, south, east, north = bounds(z, x, y)
    box = grid.bounds
    columns = np.linspace(west, east, TILE_PIXELS, endpoint=False) + (east - west) / TILE_PIXELS / 2
    rows = np.linspace(north, south, TILE_PIXELS, endpoint=False) - (north - south) / TILE_PIXELS / 2
    at_column = (columns - box[0]) / (box[2] - box[0]) * coarse.shape[1] - 0.5
    at_row = (box[3] - rows) / (box[3] - box[1]) * coarse.shape[0] - 0.5
    mesh = np.meshgrid(at_row, at_column, indexing="ij")
    return scipy.ndimage.map_coordinates(coarse, mesh, order=1, mode="nearest")


@lru_cache(maxsize=8)
def _coarse(path: Path, _mtime: int) -> np.ndarray:
    dataset = _dataset(path)
    shrink = max(1, math.ceil(max(dataset.width, dataset.height) / COARSE))
    shape = (1, math.ceil(dataset.height / shrink), math.ceil(dataset.width / shrink))
    heights = dataset.read(out_shape=shape, resampling=Resampling.nearest)[0].astype(float)
    unknown = heights == NODATA
    if unknown.all():
        return np.zeros(shape[1:])
    nearest: Any = scipy.ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    filled = heights[nearest[0], nearest[1]]
    soft = scipy.ndimage.gaussian_filter(filled, 4.0)
    return np.where(unknown, soft, filled)


def _encode(pixels: np.ndarray, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


# files


def _dataset(path: Path) -> rasterio.DatasetReader:
    """Give this thread's open dataset of `path` (datasets are not thread-safe); published files never change."""
    opened: OrderedDict[Path, rasterio.DatasetReader] = _local.__dict__.setdefault("opened", OrderedDict())
    if path in opened:
        opened.move_to_end(path)
        return opened[path]
    try:
        opened[path] = rasterio.open(path, driver="GTiff")
    except RasterioError as error:
        raise _unreadable(path) from error
    while len(opened) > OPEN_PER_THREAD:
        opened.popitem(last=False)[1].close()
    return opened[path]


def _unreadable(path: Path) -> StoreBroken:
    return StoreBroken(
        f"栅格文件无法读取:{path.name},请重新发布该资源",
        f"The raster {path.name} cannot be read: publish its resource again",
        file=path,
    )
