"""WebMercatorQuad, the OGC tile matrix set every web map shares: the square of EPSG:3857, cut in four at each zoom.

Pure arithmetic with no projection library behind it; the only place that knows the side of the square.
Source: OGC 17-083r4, annex D.1 (WebMercatorQuad); columns run east, rows run south from the north-west corner.
"""

from __future__ import annotations

CRS = "EPSG:3857"
HALF_M = 20037508.342789244
"""Half the side of the square, metres: π · 6378137."""
TILE_PIXELS = 256
"""The side of a tile of pixels."""

Bounds = tuple[float, float, float, float]
"""(min x, min y, max x, max y), in metres of EPSG:3857 where no other system is named."""


def side_m(zoom: float) -> float:
    """Give the side of a tile of `zoom` in EPSG:3857 metres."""
    return 2 * HALF_M / 2**zoom


def pixel_m(zoom: float) -> float:
    """Give the side of a pixel of `zoom` in EPSG:3857 metres, at 256 pixels a tile."""
    return side_m(zoom) / TILE_PIXELS


def corner(z: int, x: int, y: int) -> tuple[float, float]:
    """Give the north-west corner (x, y) of a tile in EPSG:3857 metres."""
    side = side_m(z)
    return -HALF_M + x * side, HALF_M - y * side


def bounds(z: int, x: int, y: int, buffer: float = 0.0) -> Bounds:
    """Give the rectangle of a tile in EPSG:3857 metres, widened on each side by `buffer` of its own side."""
    side = side_m(z)
    west, north = corner(z, x, y)
    edge = side * buffer
    return west - edge, north - side - edge, west + side + edge, north + edge
