"""How a delivered GeoTIFF becomes pixels on the web's grid, warped once, so that serving never reprojects.

Runs only where a file may do harm to nobody; what leaves are arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from twin.errors import SourceError
from twin.rasters.describe import decoding
from twin.rasters.form import IMAGERY, NODATA, TERRAIN, Form
from twin.rasters.grid import Extent, Grid
from twin.web_mercator_quad import CRS

THREADS = "2"
WARP_MB = 256
_WANTED = {
    IMAGERY.name: ("8 位 RGB 影像，请导出为 8 位真彩色 GeoTIFF", "an 8-bit RGB photograph; export it as 8-bit RGB"),
    TERRAIN.name: ("单波段高程，请导出为单波段 GeoTIFF", "a single band of heights; export one band"),
}


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Pixels (bands, rows, columns) of a form, and the pixel (column, row) of the grid where they begin."""

    column: int
    row: int
    pixels: np.ndarray


def warp(path: Path, grid: Grid, *, crs: str, form: Form) -> Iterator[Patch]:
    """Warp the GeoTIFF `path` (bilinear) onto `grid`, chunk by chunk, leaving out chunks it puts nothing into.

    The caller has proved `crs`; the file's own statement is not asked. Raises SourceError for a file that is not of
    the form, NotAGeoTiff where a block does not decode, MemoryError where it needs too much.
    """
    with decoding(), rasterio.open(path, driver="GTiff", sharing=False) as dataset:
        _fits(dataset, form, path.name)
        extent = Extent(bounds=tuple(dataset.bounds), crs=crs, width=dataset.width, height=dataset.height)
        with _warped(dataset, crs, grid, form) as warped:
            for column, row in grid.chunks(extent.web):
                rows, columns = grid.shape(column, row)
                pixels = warped.read(window=Window(column, row, columns, rows), out_dtype=form.dtype)  # type: ignore[call-arg]
                if (pixels[-1] != form.empty).any():
                    yield Patch(column=column, row=row, pixels=pixels)


def _fits(dataset: rasterio.DatasetReader, form: Form, name: str) -> None:
    if dataset.count not in form.delivered or (form is IMAGERY and set(dataset.dtypes) != {form.dtype}):
        zh, en = _WANTED[form.name]
        raise SourceError(f"“{name}”未接收：应为 {zh}后重报。", f"“{name}” is refused: it must be {en}.", file=name)


def _warped(dataset: rasterio.DatasetReader, crs: str, grid: Grid, form: Form) -> WarpedVRT:
    options = {"nodata": NODATA} if form is TERRAIN else {"add_alpha": dataset.count < form.bands}
    return WarpedVRT(
        dataset,
        src_crs=crs,
        crs=CRS,
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        resampling=Resampling.bilinear,
        warp_mem_limit=WARP_MB,
        warp_extras={"NUM_THREADS": THREADS},
        **options,
    )
