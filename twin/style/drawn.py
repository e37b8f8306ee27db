"""One draw as MapLibre layers: itself, and the hatches and icons of its classes above it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twin import classes as classing
from twin.policy import VECTOR_TYPES, drawn_columns
from twin.style import dark
from twin.style.sheet import COLOUR_OF, THEMES, Expression, Json, Sheet, listed
from twin.style.signs import class_value, colour_expression, matched, signs
from twin.style.sources import TIANDITU, source_id

if TYPE_CHECKING:
    from twin.model import Draw, Layer, OneMap

ANTIALIAS: Expression = ["step", ["zoom"], False, 14, True]
"""Edges of fills are smoothed only from z14: below it costs half the frame on a machine without a GPU."""


def ground(sheet: Sheet) -> Json:
    """Give the background under everything."""
    return {"id": "ground", "type": "background", "paint": {"background-color": THEMES[sheet.theme].ground}}


def tianditu(sheet: Sheet) -> list[Json]:
    """Give the layers of both foreign base maps, each named by the base map it belongs to."""
    paint = dict(dark.PHOTO) if sheet.theme == "dark" else {}
    return [
        {
            "id": f"tianditu-{name}",
            "type": "raster",
            "source": f"tianditu-{name}",
            "paint": paint,
            "metadata": {"onemap:base": base},
        }
        for base, names in TIANDITU.items()
        for name in names
    ]


def layers(onemap: OneMap, sheet: Sheet, layer: Layer, draw: Draw) -> list[Json]:
    """Give the style layers of one draw, bottom first; raises DeclarationError."""
    drawn = _drawn(onemap, sheet, layer, draw)
    return [drawn, *_hatches(onemap, sheet, draw, drawn), *_icons(onemap, sheet, draw, drawn)]


def scene(sheet: Sheet, layer: Layer, draw: Draw) -> Json:
    """Give what the map has to know of a 3D Tiles set, which is no style layer."""
    return {
        "layer": layer.id,
        "draw": draw.id,
        "table": draw.table,
        "url": f"{sheet.base}{sheet.below}/tiles/scene/{draw.table}/tileset.json",
        "title": draw.title.in_(sheet.language),
    }


def _drawn(onemap: OneMap, sheet: Sheet, layer: Layer, draw: Draw) -> Json:
    shown = "visible" if layer.default_on else "none"
    found: Json = {
        "id": f"{layer.id}.{draw.id}",
        "type": draw.type,
        "source": source_id(layer, draw),
        "minzoom": draw.minzoom,
        "maxzoom": draw.maxzoom,
        "paint": _paint(onemap, sheet, draw),
        "layout": {"visibility": shown, **listed(dark.layout(sheet.theme, draw))},
        "metadata": _metadata(onemap, layer, draw),
    }
    if draw.type in VECTOR_TYPES:
        found["source-layer"] = draw.table
    resource = onemap.resource(draw.table)
    if resource is not None and resource.kind == "polygon" and classing.names_areas(draw):
        found["source-layer"] = classing.label_source(draw.table)
        found["metadata"]["onemap:interactive"] = False
    if draw.filter:
        found["filter"] = listed(draw.filter)
    return found


def _paint(onemap: OneMap, sheet: Sheet, draw: Draw) -> Json:
    theme = THEMES[sheet.theme]
    paint: Json = {}
    if draw.type == "symbol":
        paint = {"text-color": theme.text, "text-halo-color": theme.halo, "text-halo-width": 1.5}
    if draw.type == "fill":
        paint = {"fill-antialias": ANTIALIAS}
    colours = colour_expression(onemap, draw, sheet.theme)
    classed = {COLOUR_OF[draw.type]: colours} if colours is not None and draw.type in COLOUR_OF else {}
    return {**paint, **listed(dark.paint(sheet.theme, draw)), **classed}


def _metadata(onemap: OneMap, layer: Layer, draw: Draw) -> Json:
    found: Json = {"onemap:layer": layer.id, "onemap:draw": draw.id, "onemap:table": draw.table}
    if draw.classes is not None:
        found["onemap:class"] = {"column": draw.classes.column, "digits": draw.classes.digits}
    if not draw.interactive:
        found["onemap:interactive"] = False
    resource = onemap.resource(draw.table)
    if resource is not None and resource.title_field in drawn_columns(draw):
        found["onemap:title"] = resource.title_field
    return found


def _hatches(onemap: OneMap, sheet: Sheet, draw: Draw, drawn: Json) -> list[Json]:
    """Give the fill-pattern layer of the classes that have one: the standard colour stays below its hatch."""
    marked = {s.value: s.hatch for s in signs(onemap, draw, sheet.theme) if s.hatch}
    if draw.type != "fill" or not marked:
        return []
    paint = {"fill-pattern": matched(draw, marked, ""), "fill-opacity": draw.paint.get("fill-opacity", 1)}
    return [_above(draw, drawn, "hatch", type="fill", paint=paint, marked=marked)]


def _icons(onemap: OneMap, sheet: Sheet, draw: Draw, drawn: Json) -> list[Json]:
    """Give the symbol layer of the classes that have an icon, above their circles."""
    marked = {s.value: s.icon for s in signs(onemap, draw, sheet.theme) if s.icon}
    if draw.type != "circle" or not marked:
        return []
    layout = {"icon-image": matched(draw, marked, ""), "icon-allow-overlap": True, "icon-size": 1}
    return [_above(draw, drawn, "icon", type="symbol", layout=layout, marked=marked)]


def _above(draw: Draw, drawn: Json, ending: str, *, marked: Mapping[str, str], **changed: Any) -> Json:
    only: Expression = ["in", class_value(draw), ["literal", list(marked)]]
    layout = {"visibility": drawn["layout"]["visibility"], **changed.pop("layout", {})}
    kept = {k: v for k, v in drawn.items() if k not in ("paint", "layout", "filter")}
    filters = ["all", drawn["filter"], only] if "filter" in drawn else only
    return {**kept, "paint": {}, "layout": layout, "filter": filters, **changed, "id": f"{drawn['id']}~{ending}"}
