"""How the tests make a published raster of files they have written themselves, in one process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twin import rasters
from twin.rasters.describe import describe


def cog(paths: Sequence[Path], out: Path, *, crs: str, form: rasters.Form = rasters.IMAGERY) -> rasters.Grid:
    """Warp and merge `paths` (in `crs`) into the COG `out`, later ones on top."""
    seen = [describe(path) for path in paths]
    grid = rasters.around([rasters.Extent(bounds=d.bounds, crs=crs, width=d.width, height=d.height) for d in seen])
    patches = (patch for path in paths for patch in rasters.warp(path, grid, crs=crs, form=form))
    rasters.write_cog(patches, out, grid, form)
    return grid
