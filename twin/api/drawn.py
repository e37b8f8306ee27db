"""A layer drawn to an image on the server, from its vector tile and its style, for browsers without WebGL; pure."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageColor, ImageDraw

from twin import style
from twin.api.expressions import evaluate
from twin.api.mvt import LINE, POINT, POLYGON, Shape, decode

if TYPE_CHECKING:
    from twin.model import Draw, Layer, OneMap
    from twin.tiles import Address

SIDE = 256
FINER = 2
"""Drawn this much larger and reduced: the edges become smooth."""
COLOUR = "#9AA3A8"
Points = list[tuple[float, float]]


def png(onemap: OneMap, layer: Layer, tile: bytes, at: Address, theme: str = "light") -> bytes:
    """Give the PNG (256 × 256, transparent) of one tile in `theme`, b"" where nothing is drawn."""
    shapes = decode(tile)
    sheet = Image.new("RGBA", (SIDE * FINER, SIDE * FINER))
    drawn = False
    for draw in layer.draws:
        if draw.table in shapes and draw.minzoom <= at.z < draw.maxzoom:
            extent, features = shapes[draw.table]
            over = _draw(onemap, draw, features, extent=extent, zoom=at.z, theme=theme)
            if over is not None:
                sheet.alpha_composite(over)
                drawn = True
    if not drawn:
        return b""
    out = io.BytesIO()
    sheet.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()


def _draw(
    onemap: OneMap, draw: Draw, features: list[Shape], *, extent: int, zoom: int, theme: str
) -> Image.Image | None:
    """Give one draw as a transparent image, None where it draws nothing."""
    kinds = {"fill": (POLYGON,), "fill-extrusion": (POLYGON,), "line": (LINE, POLYGON), "circle": (POINT,)}
    wanted = kinds.get(draw.type, ())
    colours = style.colour_expression(onemap, draw, theme)
    paint = {
        **style.painted(theme, draw),
        **({style.COLOUR_OF[draw.type]: colours} if colours and draw.type in style.COLOUR_OF else {}),
    }
    image: Image.Image | None = None
    for shape in features:
        if shape.kind not in wanted or (draw.filter and not evaluate(draw.filter, shape.properties, zoom)):
            continue
        values = {k: evaluate(v, shape.properties, zoom) for k, v in paint.items()}
        if image is None:
            image = Image.new("RGBA", (SIDE * FINER, SIDE * FINER))
        parts = [[(x / extent * SIDE * FINER, y / extent * SIDE * FINER) for x, y in p] for p in shape.parts]
        PENS[draw.type](image, parts, values)
    return image


def _ink(values: dict[str, Any], kind: str) -> tuple[int, int, int, int]:
    """Give the colour of a shape with its opacity."""
    named = values.get(f"{kind}-color")
    try:
        red, green, blue, *_ = ImageColor.getrgb(named if isinstance(named, str) else COLOUR)
    except ValueError:
        red, green, blue = ImageColor.getrgb(COLOUR)[:3]
    opacity = values.get(f"{kind}-opacity", 1)
    return red, green, blue, round(255 * (opacity if isinstance(opacity, (int, float)) else 1))


def _fill(image: Image.Image, parts: list[Points], values: dict[str, Any], kind: str = "fill") -> None:
    """Fill rings: exteriors are clockwise on the screen, holes the other way."""
    pen = ImageDraw.Draw(image)
    rings = [ring for ring in parts if len(ring) > 2]
    if all(_area(ring) > 0 for ring in rings):
        for ring in rings:
            pen.polygon(ring, fill=_ink(values, kind))
    else:
        image.paste(_ink(values, kind), mask=_with_holes(rings, image.size))
    edge = values.get(f"{kind}-outline-color")
    if isinstance(edge, str):
        for ring in parts:
            pen.line(ring, fill=ImageColor.getrgb(edge), width=FINER)


def _with_holes(rings: list[Points], size: tuple[int, int]) -> Image.Image:
    """Give where rings leave ink: a hole shows what lies there already, another shape's among it."""
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    for ring in rings:
        pen.polygon(ring, fill=255 if _area(ring) > 0 else 0)
    return mask


def _extruded(image: Image.Image, parts: list[Points], values: dict[str, Any]) -> None:
    _fill(image, parts, values, "fill-extrusion")


def _line(image: Image.Image, parts: list[Points], values: dict[str, Any]) -> None:
    pen = ImageDraw.Draw(image)
    width = values.get("line-width", 1)
    thick = max(1, round((width if isinstance(width, (int, float)) else 1) * FINER))
    for part in parts:
        if len(part) > 1:
            pen.line(part, fill=_ink(values, "line"), width=thick, joint="curve")


def _circle(image: Image.Image, parts: list[Points], values: dict[str, Any]) -> None:
    pen = ImageDraw.Draw(image)
    radius = values.get("circle-radius", 5)
    size = (radius if isinstance(radius, (int, float)) else 5) * FINER
    rim = values.get("circle-stroke-width", 0)
    edge = values.get("circle-stroke-color")
    for part in parts:
        for x, y in part:
            pen.ellipse(
                (x - size, y - size, x + size, y + size),
                fill=_ink(values, "circle"),
                outline=edge if isinstance(edge, str) else None,
                width=round(rim * FINER) if isinstance(rim, (int, float)) else 0,
            )


def _area(ring: Points) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) / 2


PENS = {"fill": _fill, "fill-extrusion": _extruded, "line": _line, "circle": _circle}
