"""How delivered rasters become COGs on the web's grid: warped once, merged, so that serving never reprojects."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.shutil import copy as copy_raster
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from twin.errors import SourceError
from twin.rasters.grid import NODATA, Grid, around
from twin.web_mercator_quad import CRS, TILE_PIXELS, Bounds

CHUNK = 8 * TILE_PIXELS
"""The side in pixels of what is warped at once."""
BANDS = (3, 4)
"""RGB and RGBA."""
IMAGERY = {"COMPRESS": "WEBP", "QUALITY": "82", "OVERVIEW_QUALITY": "82", "OVERVIEW_RESAMPLING": "AVERAGE"}
TERRAIN = {"COMPRESS": "DEFLATE", "PREDICTOR": "3", "OVERVIEW_RESAMPLING": "AVERAGE"}
THREADS = "2"

Merge = Callable[[np.ndarray, np.ndarray], None]


def write_geotiff(path: Path, array: np.ndarray, bounds: Bounds, crs: str, *, nodata: float | None = None) -> None:
    """Write `array` (rows, columns) or (bands, rows, columns), north up, as a plain GeoTIFF covering `bounds` of `crs`.

    An empty `crs` writes a file that does not state one.
    """
    bands = array if array.ndim == 3 else array[np.newaxis]
    count, height, width = bands.shape
    profile = {
        "driver": "GTiff",
        "count": count,
        "height": height,
        "width": width,
        "dtype": bands.dtype,
        "crs": crs or None,
        "transform": from_bounds(*bounds, width, height),
        "nodata": nodata,
    }
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(bands)


def to_web_cog(sources: Sequence[Path], out: Path, *, crs: str) -> Grid:
    """Warp and merge `sources` (RGB or RGBA of 8 bits, in `crs`) into one EPSG:3857 COG of WebP blocks with alpha.

    Where sources overlap the later one is on top. The caller has proved `crs`; a file's own statement is not asked.
    Raises SourceError for a file that is not 8-bit RGB.
    """
    for path in sources:
        with rasterio.open(path) as dataset:
            if dataset.count not in BANDS or set(dataset.dtypes) != {"uint8"}:
                raise SourceError("影像应为 8 位 RGB", "An orthophoto must be 8-bit RGB", file=path.name)
    profile = {"count": 4, "dtype": "uint8", "photometric": "RGB", "alpha": "YES"}
    return _build(sources, out, crs, profile=profile, form=IMAGERY, merge=_on_top)


def to_terrain_cog(sources: Sequence[Path], out: Path, *, crs: str) -> Grid:
    """Warp and merge elevation `sources` (metres, one band, nodata as stated in the file) into one float32 COG.

    Where sources overlap the later one counts; beyond all of them is nodata. Raises SourceError for several bands.
    """
    for path in sources:
        with rasterio.open(path) as dataset:
            if dataset.count != 1:
                raise SourceError("高程应为单波段", "An elevation model must have one band", file=path.name)
    profile = {"count": 1, "dtype": "float32", "nodata": NODATA}
    return _build(sources, out, crs, profile=profile, form=TERRAIN, merge=_known)


def _on_top(below: np.ndarray, above: np.ndarray) -> None:
    opaque = above[3] >= 128
    below[:, opaque] = above[:, opaque]
    below[3, opaque] = 255


def _known(below: np.ndarray, above: np.ndarray) -> None:
    known = above != NODATA
    below[known] = above[known]


def _build(
    sources: Sequence[Path], out: Path, crs: str, *, profile: Mapping[str, Any], form: Mapping[str, str], merge: Merge
) -> Grid:
    with ExitStack() as stack:
        opened = [stack.enter_context(rasterio.open(path)) for path in sources]
        boxes = [transform_bounds(crs, CRS, *d.bounds) for d in opened]
        grid = around(boxes, min(_pixel_m(d, b) for d, b in zip(opened, boxes, strict=True)))
        warped = [stack.enter_context(_warped(d, crs, grid)) for d in opened]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=out.parent, prefix=".warp-")))
        size = {
            "width": grid.columns * TILE_PIXELS,
            "height": grid.rows * TILE_PIXELS,
            "crs": CRS,
            "transform": grid.transform,
        }
        layout = {
            "driver": "GTiff",
            "tiled": True,
            "blockxsize": TILE_PIXELS,
            "blockysize": TILE_PIXELS,
            "sparse_ok": True,
        }
        with rasterio.open(folder / "warped.tif", "w", **layout, **size, **profile, BIGTIFF="IF_SAFER") as target:
            for window in _windows(grid, boxes):
                target.write(_merged(warped, window, profile, merge), window=window)
        _copy(folder / "warped.tif", out, form)
    return grid


def _pixel_m(dataset: rasterio.DatasetReader, box: Bounds) -> float:
    return math.sqrt((box[2] - box[0]) / dataset.width * (box[3] - box[1]) / dataset.height)


def _warped(dataset: rasterio.DatasetReader, crs: str, grid: Grid) -> WarpedVRT:
    options = {"nodata": NODATA} if dataset.count == 1 else {"add_alpha": dataset.count == BANDS[0]}
    return WarpedVRT(
        dataset,
        src_crs=crs,
        crs=CRS,
        transform=grid.transform,
        width=grid.columns * TILE_PIXELS,
        height=grid.rows * TILE_PIXELS,
        resampling=Resampling.bilinear,
        warp_mem_limit=256,
        warp_extras={"NUM_THREADS": THREADS},
        **options,
    )


def _windows(grid: Grid, boxes: Sequence[Bounds]) -> Iterator[Window]:
    """Give the chunks of the grid that any source touches."""
    width, height = grid.columns * TILE_PIXELS, grid.rows * TILE_PIXELS
    for row in range(0, height, CHUNK):
        for column in range(0, width, CHUNK):
            window = Window.from_slices((row, min(row + CHUNK, height)), (column, min(column + CHUNK, width)))
            west, north = grid.transform @ (column, row)
            east, south = grid.transform @ (column + window.width, row + window.height)
            if any(b[0] < east and b[2] > west and b[1] < north and b[3] > south for b in boxes):
                yield window


def _merged(warped: Sequence[WarpedVRT], window: Window, profile: Mapping[str, Any], merge: Merge) -> np.ndarray:
    shape = (profile["count"], int(window.height), int(window.width))
    merged = np.full(shape, profile.get("nodata", 0), profile["dtype"])
    for source in warped:
        merge(merged, source.read(window=window, out_dtype=profile["dtype"]))
    return merged


def _copy(warped: Path, out: Path, form: Mapping[str, str]) -> None:
    options = {"BLOCKSIZE": str(TILE_PIXELS), "NUM_THREADS": THREADS, "SPARSE_OK": "TRUE", "BIGTIFF": "IF_SAFER"}
    with rasterio.Env(GDAL_NUM_THREADS=THREADS):
        copy_raster(warped, out, driver="COG", **options, **form)
