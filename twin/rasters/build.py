"""How warped pixels become a COG on the web's grid, later ones on top; opens no file but those it writes itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import rasterio
from rasterio.shutil import copy as copy_raster
from rasterio.transform import from_bounds
from rasterio.windows import Window

from twin.rasters.form import Form
from twin.rasters.grid import Grid
from twin.rasters.warp import THREADS, Patch
from twin.web_mercator_quad import CRS, TILE_PIXELS, Bounds

CACHE_MB = 256
"""What GDAL may hold of a raster being written; without a bound it takes a twentieth of the machine's memory."""
LAYOUT = {
    "driver": "GTiff",
    "tiled": True,
    "blockxsize": TILE_PIXELS,
    "blockysize": TILE_PIXELS,
    "sparse_ok": True,
    "BIGTIFF": "IF_SAFER",
}
PACKING = {"BLOCKSIZE": str(TILE_PIXELS), "NUM_THREADS": THREADS, "SPARSE_OK": "TRUE", "BIGTIFF": "IF_SAFER"}


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


def write_cog(patches: Iterable[Patch], out: Path, grid: Grid, form: Form) -> None:
    """Write `patches` (chunks of `grid`) as one EPSG:3857 COG of `form`; where they overlap the later one counts."""
    with (
        tempfile.TemporaryDirectory(dir=out.parent, prefix=".warp-") as folder,
        rasterio.Env(GDAL_NUM_THREADS=THREADS, GDAL_CACHEMAX=CACHE_MB),
    ):
        plain = Path(folder) / "warped.tif"
        _merge(patches, plain, grid, form)
        copy_raster(plain, out, driver="COG", **PACKING, **form.packing)


def _merge(patches: Iterable[Patch], plain: Path, grid: Grid, form: Form) -> None:
    size = {"width": grid.width, "height": grid.height, "crs": CRS, "transform": grid.transform}
    pixel = {"count": form.bands, "dtype": form.dtype, **form.profile}
    written: set[tuple[int, int]] = set()
    with rasterio.open(plain, "w+", **LAYOUT, **size, **pixel) as target:
        for patch in patches:
            at = (patch.column, patch.row)
            window = Window(*at, *patch.pixels.shape[:0:-1])  # type: ignore[call-arg]
            merged = target.read(window=window) if at in written else np.full_like(patch.pixels, form.empty)
            form.merge(merged, patch.pixels)
            target.write(merged, window=window)
            written.add(at)
