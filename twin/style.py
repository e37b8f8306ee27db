"""The layers as a MapLibre style and as legends, from the same values; the only writer of style expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twin import classes as classing
from twin.errors import DeclarationError
from twin.policy import ANONYMOUS_LOCAL, DEEPEST, VECTOR_TYPES, Policy, Subject, drawn_columns

if TYPE_CHECKING:
    from twin.model import ClassItem, Draw, Layer, OneMap

Json = dict[str, Any]
Expression = list[Any]

COLOUR_OF: Mapping[str, str] = {
    "fill": "fill-color",
    "line": "line-color",
    "circle": "circle-color",
    "symbol": "text-color",
    "fill-extrusion": "fill-extrusion-color",
}
"""The paint property that carries the class colour, by draw type."""
LAND_SYSTEMS = frozenset({"sandiao", "ydyh"})
"""Code systems whose digits collide: a layer coloured by one must say which, and of which year."""
SELECTION = "#00E5FF"
RASTER_MAXZOOM = 19
TERRAIN_MAXZOOM = 15
ANTIALIAS: Expression = ["step", ["zoom"], False, 14, True]
"""Edges of fills are smoothed only from z14: below it costs half the frame on a machine without a GPU."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours of one variant that no layer declares: ground, words and their halo."""

    ground: str
    text: str
    halo: str


THEMES: Mapping[str, Theme] = {
    "light": Theme(ground="#EEF1EC", text="#1B2A2F", halo="#FFFFFF"),
    "dark": Theme(ground="#0E1A1F", text="#EAF2F0", halo="#0E1A1F"),
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What one style is made for: language, where tiles are, variant, year ("{year}" is left to the map), versions.

    `versions` gives a token per layer id: a tile URL carries it as `v` and may then be kept for ever.
    """

    language: str = "zh-CN"
    base: str = ""
    theme: str = "light"
    year: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    tianditu: bool = False

    def url(self, layer: str, ending: str) -> str:
        """Give the tile URL template of a layer."""
        version = f"&v={self.versions[layer]}" if layer in self.versions else ""
        return f"{self.base}/tiles/{layer}/{{z}}/{{x}}/{{y}}.{ending}?year={self.year or '{year}'}{version}"


def check(onemap: OneMap) -> list[DeclarationError]:
    """List every draw that cannot be proved: a land layer without its code system, a class system that is not there."""
    return [fault for layer in onemap.layers for draw in layer.draws for fault in _faults(onemap, layer, draw)]


def style(
    onemap: OneMap,
    language: str = "zh-CN",
    base: str = "",
    *,
    sheet: Sheet | None = None,
    policy: Policy | None = None,
    subject: Subject = ANONYMOUS_LOCAL,
) -> Json:
    """Give the MapLibre style of every layer `subject` may see, bottom first; raises DeclarationError.

    Vector sources are named by layer id with one source-layer per table and `promoteId` "id"; raster sources
    `<layer>-<table>`; terrain is the source "terrain". There are no glyphs and no sprite: the map draws its own.
    """
    sheet = sheet or Sheet(language=language, base=base)
    faults = check(onemap)
    if faults:
        raise faults[0]
    policy = policy or Policy(onemap)
    sources: Json = {}
    layers: list[Json] = [_ground(sheet)]
    scenes: list[Json] = []
    if sheet.tianditu:
        _add_tianditu(sheet, sources, layers)
    for layer in policy.layers(subject):
        for draw in layer.draws:
            if not policy.sees(subject, draw.table):
                continue
            if draw.type == "scene":
                scenes.append(_scene(sheet, layer, draw))
                continue
            sources.update(_source(onemap, sheet, layer, draw))
            layers += _layers(onemap, sheet, layer, draw)
    return {
        "version": 8,
        "name": onemap.village.name.in_(sheet.language),
        "center": list(onemap.village.center),
        "zoom": onemap.village.zoom,
        "metadata": {"onemap:scenes": scenes, "onemap:theme": sheet.theme, "onemap:selection": SELECTION},
        "sources": sources,
        "layers": layers,
    }


def legend(onemap: OneMap, layer: Layer, language: str = "zh-CN") -> list[Json]:
    """Give what a layer's signs mean, one group per draw: {draw, table, type, title, column, digits, items}."""
    return [_legend(onemap, draw, language) for draw in layer.draws if draw.in_legend]


def colour_expression(onemap: OneMap, draw: Draw) -> Expression | str | None:
    """Give the `match` expression of a draw's class colours, None where it has no classes."""
    if draw.classes is None:
        return None
    return _match(draw, {i.value: i.colour for i in classing.items(onemap, draw.classes)}, draw.classes.other)


def image(kind: str, name: str, colour: str) -> str:
    """Give the name of a drawn image, e.g. hatch-diagonal-b3261e; the map component draws it from its name."""
    full = name if name.startswith(f"{kind}-") else f"{kind}-{name}"
    return full if full.count("-") >= 2 else f"{full}-{colour.lstrip('#').lower()}"


def _class_value(draw: Draw) -> Expression:
    assert draw.classes is not None  # noqa: S101 - callers have looked
    text: Expression = ["to-string", ["get", draw.classes.column]]
    return ["slice", text, 0, draw.classes.digits] if draw.classes.digits else text


def _match(draw: Draw, values: Mapping[str, str], other: str) -> Expression | str:
    """Give value → output as one `match`, inputs of the same output gathered."""
    gathered: dict[str, list[str]] = {}
    for value, output in values.items():
        gathered.setdefault(output, []).append(value)
    gathered.pop(other, None)
    if not gathered:
        return other
    branches: list[Any] = []
    for output, inputs in gathered.items():
        branches += [inputs, output]
    return ["match", _class_value(draw), *branches, other]


def _faults(onemap: OneMap, layer: Layer, draw: Draw) -> list[DeclarationError]:
    if draw.classes is None or not draw.classes.system:
        return []
    system = draw.classes.system
    where = {"layer": layer.id, "draw": draw.id}
    if onemap.code_system(system) is None:
        return [DeclarationError(f"没有分类标准 {system}", f"There is no code system {system}", **where)]
    name, _, year = system.partition("@")
    if name in LAND_SYSTEMS and (not year or not layer.code_system):
        return [
            DeclarationError(
                f"土地类图层 {layer.id} 必须写明 code_system 及版本(同一数字在两套标准中含义不同)",
                f"Land layer {layer.id} must state its code_system and version: the same digits differ between the two",
                **where,
            )
        ]
    return []


def _source(onemap: OneMap, sheet: Sheet, layer: Layer, draw: Draw) -> Json:
    bounds = list(onemap.village.bbox)
    if draw.type == "hillshade":
        return {"terrain": _terrain(sheet, bounds), "hillshade": _terrain(sheet, bounds)}
    attribution = onemap.village.attribution.in_(sheet.language)
    if draw.type == "raster":
        tiles = [sheet.url(layer.id, "png")]
        source = {"type": "raster", "tiles": tiles, "tileSize": 256, "minzoom": 8, "maxzoom": RASTER_MAXZOOM}
        return {f"{layer.id}-{draw.table}": {**source, "bounds": bounds, "attribution": attribution}}
    drawn = [d for d in layer.draws if d.type in VECTOR_TYPES]
    return {
        layer.id: {
            "type": "vector",
            "tiles": [sheet.url(layer.id, "mvt")],
            "minzoom": min(DEEPEST, *(d.minzoom for d in drawn)),
            "maxzoom": DEEPEST,
            "promoteId": "id",
            "bounds": bounds,
            "attribution": attribution,
        }
    }


def _terrain(sheet: Sheet, bounds: list[float]) -> Json:
    tiles = [f"{sheet.base}/tiles/terrain/{{z}}/{{x}}/{{y}}.png"]
    source = {"type": "raster-dem", "encoding": "mapbox", "tiles": tiles, "tileSize": 256}
    return {**source, "minzoom": 8, "maxzoom": TERRAIN_MAXZOOM, "bounds": bounds}


def _layers(onemap: OneMap, sheet: Sheet, layer: Layer, draw: Draw) -> list[Json]:
    """Give the style layers of one draw: itself, and hatches and icons of its classes above it."""
    drawn = _drawn(onemap, sheet, layer, draw)
    return [drawn, *_hatches(onemap, draw, drawn), *_icons(onemap, draw, drawn)]


def _drawn(onemap: OneMap, sheet: Sheet, layer: Layer, draw: Draw) -> Json:
    found: Json = {
        "id": f"{layer.id}.{draw.id}",
        "type": draw.type,
        "source": _source_id(layer, draw),
        "minzoom": draw.minzoom,
        "maxzoom": draw.maxzoom,
        "paint": _paint(onemap, sheet, draw),
        "layout": {"visibility": "visible" if layer.default_on else "none", **draw.layout},
        "metadata": _metadata(onemap, layer, draw),
    }
    if draw.type in VECTOR_TYPES:
        found["source-layer"] = draw.table
    resource = onemap.resource(draw.table)
    if resource is not None and resource.kind == "polygon" and classing.names_areas(draw):
        found["source-layer"] = classing.label_source(draw.table)
        found["metadata"]["onemap:interactive"] = False
    if draw.filter:
        found["filter"] = _listed(draw.filter)
    return found


def _source_id(layer: Layer, draw: Draw) -> str:
    if draw.type == "hillshade":
        return "hillshade"
    return f"{layer.id}-{draw.table}" if draw.type == "raster" else layer.id


def _paint(onemap: OneMap, sheet: Sheet, draw: Draw) -> Json:
    theme = THEMES[sheet.theme]
    paint: Json = {}
    if draw.type == "symbol":
        paint = {"text-color": theme.text, "text-halo-color": theme.halo, "text-halo-width": 1.5}
    if draw.type == "fill":
        paint = {"fill-antialias": ANTIALIAS}
    colours = colour_expression(onemap, draw)
    classed = {COLOUR_OF[draw.type]: colours} if colours is not None and draw.type in COLOUR_OF else {}
    return {**paint, **{k: _listed(v) for k, v in draw.paint.items()}, **classed}


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


def _hatches(onemap: OneMap, draw: Draw, drawn: Json) -> list[Json]:
    """Give the fill-pattern layer of the classes that have one: the standard colour stays below its hatch."""
    if draw.type != "fill" or draw.classes is None:
        return []
    marked = {i.value: image("hatch", i.pattern, i.colour) for i in classing.items(onemap, draw.classes) if i.pattern}
    if not marked:
        return []
    paint = {"fill-pattern": _match(draw, marked, ""), "fill-opacity": draw.paint.get("fill-opacity", 1)}
    return [_above(draw, drawn, "hatch", type="fill", paint=paint, marked=marked)]


def _icons(onemap: OneMap, draw: Draw, drawn: Json) -> list[Json]:
    """Give the symbol layer of the classes that have an icon, above their circles."""
    if draw.type != "circle" or draw.classes is None:
        return []
    marked = {i.value: image("icon", i.icon, i.colour) for i in classing.items(onemap, draw.classes) if i.icon}
    if not marked:
        return []
    layout = {"icon-image": _match(draw, marked, ""), "icon-allow-overlap": True, "icon-size": 1}
    return [_above(draw, drawn, "icon", type="symbol", layout=layout, marked=marked)]


def _above(draw: Draw, drawn: Json, ending: str, *, marked: Mapping[str, str], **changed: Any) -> Json:
    only: Expression = ["in", _class_value(draw), ["literal", list(marked)]]
    layout = {"visibility": drawn["layout"]["visibility"], **changed.pop("layout", {})}
    kept = {k: v for k, v in drawn.items() if k not in ("paint", "layout", "filter")}
    filters = ["all", drawn["filter"], only] if "filter" in drawn else only
    return {**kept, "paint": {}, "layout": layout, "filter": filters, **changed, "id": f"{drawn['id']}~{ending}"}


def _scene(sheet: Sheet, layer: Layer, draw: Draw) -> Json:
    url = f"{sheet.base}/tiles/scene/{draw.table}/tileset.json"
    return {
        "layer": layer.id,
        "draw": draw.id,
        "table": draw.table,
        "url": url,
        "title": draw.title.in_(sheet.language),
    }


def _ground(sheet: Sheet) -> Json:
    return {"id": "ground", "type": "background", "paint": {"background-color": THEMES[sheet.theme].ground}}


def _add_tianditu(sheet: Sheet, sources: Json, layers: list[Json]) -> None:
    for base, names in {"tianditu-vector": ("vec", "cva"), "tianditu-imagery": ("img", "cia")}.items():
        for name in names:
            tiles = [f"{sheet.base}/tiles/tianditu/{name}/{{z}}/{{x}}/{{y}}"]
            source = {"type": "raster", "tiles": tiles, "tileSize": 256, "minzoom": 1, "maxzoom": 18}
            sources[f"tianditu-{name}"] = {**source, "attribution": "天地图" if sheet.language != "en" else "Tianditu"}
            drawn = {"id": f"tianditu-{name}", "type": "raster", "source": f"tianditu-{name}"}
            layers.append({**drawn, "metadata": {"onemap:base": base}})


def _legend(onemap: OneMap, draw: Draw, language: str) -> Json:
    classes = draw.classes
    listed = classing.items(onemap, classes) if classes else ()
    return {
        "draw": draw.id,
        "table": draw.table,
        "type": draw.type,
        "title": draw.title.in_(language),
        "column": classes.column if classes else "",
        "digits": classes.digits if classes else 0,
        "items": [_item(i, language) for i in listed] or [_plain(draw, language)],
    }


def _item(item: ClassItem, language: str) -> Json:
    return {
        "value": item.value,
        "title": item.title.in_(language),
        "colour": item.colour,
        "pattern": image("hatch", item.pattern, item.colour) if item.pattern else "",
        "icon": image("icon", item.icon, item.colour) if item.icon else "",
    }


def _plain(draw: Draw, language: str) -> Json:
    colour = draw.paint.get(COLOUR_OF.get(draw.type, ""), "")
    fixed = colour if isinstance(colour, str) else ""
    return {"value": "", "title": draw.title.in_(language), "colour": fixed, "pattern": "", "icon": ""}


def _listed(value: Any) -> Any:
    """Give tuples as the lists JSON has."""
    if isinstance(value, Mapping):
        return {k: _listed(v) for k, v in value.items()}
    return [_listed(v) for v in value] if isinstance(value, (list, tuple)) else value
