"""The whole style of a village for one subject, and what makes it impossible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.errors import DeclarationError
from twin.policy import ANONYMOUS_LOCAL, Policy, Subject
from twin.style import drawn, sources
from twin.style.dark import layout, paint
from twin.style.sheet import SELECTION, Json, Sheet
from twin.style.signs import colour_expression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.model import Draw, Layer, OneMap

LAND_SYSTEMS = frozenset({"sandiao", "ydyh"})
"""Code systems whose digits collide: a layer coloured by one must say which, and of which year."""


def check(onemap: OneMap) -> list[DeclarationError]:
    """List every draw that cannot be proved: a land layer without its code system, no such system, no such colour."""
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
    seen = [(x, d) for x in policy.layers(subject) for d in x.draws if policy.sees(subject, d.table)]
    listed = [(layer, draw) for layer, draw in seen if draw.type != "scene"]
    foreign = drawn.tianditu(sheet) if sheet.tianditu else []
    return {
        "version": 8,
        "name": onemap.village.name.in_(sheet.language),
        "center": list(onemap.village.center),
        "zoom": onemap.village.zoom,
        "metadata": {
            "onemap:scenes": [drawn.scene(sheet, layer, draw) for layer, draw in seen if draw.type == "scene"],
            "onemap:theme": sheet.theme,
            "onemap:selection": SELECTION,
            **_below(sheet),
        },
        "sources": _sources(onemap, sheet, listed),
        "layers": [
            drawn.ground(sheet),
            *foreign,
            *(made for layer, draw in listed for made in drawn.layers(onemap, sheet, layer, draw)),
        ],
    }


def _sources(onemap: OneMap, sheet: Sheet, listed: Sequence[tuple[Layer, Draw]]) -> Json:
    found = sources.tianditu(sheet) if sheet.tianditu else {}
    for layer, draw in listed:
        found |= sources.source(onemap, sheet, layer, draw)
    return found


def _below(sheet: Sheet) -> Json:
    """Tell the map that makes its own addresses what those of a past moment begin with."""
    return {"onemap:below": sheet.below} if sheet.below else {}


def _faults(onemap: OneMap, layer: Layer, draw: Draw) -> list[DeclarationError]:
    where = {"layer": layer.id, "draw": draw.id}
    system = draw.classes.system if draw.classes else ""
    if system and onemap.code_system(system) is None:
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
    return _colourless(onemap, layer, draw)


def _colourless(onemap: OneMap, layer: Layer, draw: Draw) -> list[DeclarationError]:
    """List what the dark map cannot be mixed from: it is said before anybody asks for it."""
    try:
        paint("dark", draw)
        layout("dark", draw)
        colour_expression(onemap, draw, "dark")
    except DeclarationError as error:
        return [DeclarationError(error.zh, error.en, **{**error.where, "layer": layer.id})]
    return []
