"""Rasters as files for the web, COG and terrain, and their tiles; the only importer of rasterio."""

from twin.rasters.build import to_terrain_cog, to_web_cog, write_geotiff
from twin.rasters.grid import Grid
from twin.rasters.read import grid_of, sample, terrain_tile, tile
from twin.web_mercator_quad import Bounds

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
