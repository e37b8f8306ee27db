"""Rasters as files for the web, COG and terrain, and their tiles; the only importer of rasterio."""

from twin.rasters.build import to_terrain_cog, to_web_cog, write_geotiff
from twin.rasters.grid import Bounds, Grid
from twin.rasters.read import grid_of, sample, terrain_tile, tile

__all__ = [
    "Bounds",
    "Grid",
    "grid_of",
    "sample",
    "terrain_tile",
    "tile",
    "to_terrain_cog",
    "to_web_cog",
    "write_geotiff",
]
