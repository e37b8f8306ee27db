"""Buildings as 3D Tiles: written from footprints and heights, and checked as others would read them."""

from twin.scenes.check import check
from twin.scenes.tileset import Solid, write_tileset

__all__ = ["Solid", "check", "write_tileset"]
