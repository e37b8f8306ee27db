"""A small still map of a few shapes, drawn without a script: tiles as pictures below, the shapes as lines and dots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from twin.pages.markup import el
from twin.text import words
from twin.web_mercator_quad import TILE_PIXELS

if TYPE_CHECKING:
    from twin.api.newcomer_view import NewView
    from twin.pages.markup import Node

WIDTH, HEIGHT = 720, 420
NEAREST, FARTHEST = 17, 9
EDGE = 40
"""Pixels kept free around the shapes."""


def small_map(view: NewView, shapes: list[list[Any]]) -> Node:
    """Draw shapes given as [good, [[lon, lat] …]] over the village's land; what lies far off is not in the picture."""
    good = [p for is_good, line in shapes if is_good for p in line]
    places = good or [p for _, line in shapes for p in line]
    zoom = _zoom(places)
    xs, ys = zip(*(_pixel(lon, lat, zoom) for lon, lat in places), strict=True)
    left = (min(xs) + max(xs)) / 2 - WIDTH / 2
    top = (min(ys) + max(ys)) / 2 - HEIGHT / 2
    drawn = [_shape(good, [_pixel(lon, lat, zoom) for lon, lat in line], left, top) for good, line in shapes]
    return el(
        "svg",
        _tiles(view, zoom, left, top),
        drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=words("page.new.map"),
        class_="small-map",
    )


def _zoom(places: list[Any]) -> int:
    for zoom in range(NEAREST, FARTHEST, -1):
        xs, ys = zip(*(_pixel(lon, lat, zoom) for lon, lat in places), strict=True)
        if max(xs) - min(xs) <= WIDTH - 2 * EDGE and max(ys) - min(ys) <= HEIGHT - 2 * EDGE:
            return zoom
    return FARTHEST


def _pixel(lon: float, lat: float, zoom: int) -> tuple[float, float]:
    """Give world pixels of Web Mercator (OGC 17-083r4, annex D.1)."""
    side = TILE_PIXELS * 2**zoom
    clipped = max(-85.05, min(85.05, lat))
    north = math.asinh(math.tan(math.radians(clipped)))
    return (lon + 180) / 360 * side, (1 - north / math.pi) / 2 * side


def _tiles(view: NewView, zoom: int, left: float, top: float) -> list[Node]:
    if not view.layers:
        return []
    west, south, east, north = view.bbox  # beyond the village no tile holds anything, and an empty one is no picture
    (least_x, least_y), (most_x, most_y) = _pixel(west, north, zoom), _pixel(east, south, zoom)
    first, last = int(max(left, least_x) // TILE_PIXELS), int(min(left + WIDTH, most_x) // TILE_PIXELS)
    upper, lower = int(max(top, least_y) // TILE_PIXELS), int(min(top + HEIGHT, most_y) // TILE_PIXELS)
    return [
        el(
            "image",
            href=f"/tiles/drawn/{view.layers[0]}/{zoom}/{x}/{y}.png",
            x=f"{x * TILE_PIXELS - left:.1f}",
            y=f"{y * TILE_PIXELS - top:.1f}",
            width=TILE_PIXELS,
            height=TILE_PIXELS,
        )
        for x in range(first, last + 1)
        for y in range(upper, lower + 1)
    ]


def _shape(good: bool, pixels: list[tuple[float, float]], left: float, top: float) -> Node:  # noqa: FBT001 - one caller
    kind = "good" if good else "bad"
    points = [(x - left, y - top) for x, y in pixels]
    if len(points) > 1:
        return el("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=kind)
    x, y = points[0]
    if good:
        return el("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="6", class_=kind)
    return el("path", d=f"M{x - 6:.1f} {y - 6:.1f}l12 12m0-12l-12 12", class_=kind)
