"""Rasters as files for the web, COG and terrain, and their tiles; the only importer of rasterio."""

from twin.rasters.build import write_cog, write_geotiff
from twin.rasters.form import FORMS, IMAGERY, TERRAIN, Form
from twin.rasters.grid import Extent, Grid, around
from twin.rasters.read import grid_of, sample, terrain_tile, tile
from twin.rasters.warp import Patch, warp
from twin.web_mercator_quad import Bounds

__all__ = [
    "FORMS",
    "IMAGERY",
    "TERRAIN",
    "Bounds",
    "Extent",
    "Form",
    "Grid",
    "Patch",
    "around",
    "grid_of",
    "sample",
    "terrain_tile",
    "tile",
    "warp",
    "write_cog",
    "write_geotiff",
]
