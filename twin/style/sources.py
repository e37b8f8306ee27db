"""Where the map gets what it draws: one vector source a layer, rasters, terrain, and Tianditu where there is a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.policy import DEEPEST, VECTOR_TYPES
from twin.style.sheet import Json, Sheet

if TYPE_CHECKING:
    from twin.model import Draw, Layer, OneMap

RASTER_MAXZOOM = 19
TERRAIN_MAXZOOM = 15
TIANDITU = {"tianditu-vector": ("vec", "cva"), "tianditu-imagery": ("img", "cia")}


def source(onemap: OneMap, sheet: Sheet, layer: Layer, draw: Draw) -> Json:
    """Give the sources one draw needs, by name."""
    bounds = list(onemap.village.bbox)
    if draw.type == "hillshade":
        return {"terrain": _terrain(sheet, bounds), "hillshade": _terrain(sheet, bounds)}
    attribution = onemap.village.attribution.in_(sheet.language)
    if draw.type == "raster":
        tiles = [sheet.url(layer.id, "png")]
        made = {"type": "raster", "tiles": tiles, "tileSize": 256, "minzoom": 8, "maxzoom": RASTER_MAXZOOM}
        return {source_id(layer, draw): {**made, "bounds": bounds, "attribution": attribution}}
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


def source_id(layer: Layer, draw: Draw) -> str:
    """Name the source a draw reads."""
    if draw.type == "hillshade":
        return "hillshade"
    return f"{layer.id}-{draw.table}" if draw.type == "raster" else layer.id


def tianditu(sheet: Sheet) -> Json:
    """Give the sources of both foreign base maps, which come through the server's own proxy."""
    attribution = "天地图" if sheet.language != "en" else "Tianditu"
    return {
        f"tianditu-{name}": {
            "type": "raster",
            "tiles": [f"{sheet.base}{sheet.below}/tiles/tianditu/{name}/{{z}}/{{x}}/{{y}}"],
            "tileSize": 256,
            "minzoom": 1,
            "maxzoom": 18,
            "attribution": attribution,
        }
        for names in TIANDITU.values()
        for name in names
    }


def _terrain(sheet: Sheet, bounds: list[float]) -> Json:
    tiles = [f"{sheet.base}{sheet.below}/tiles/terrain/{{z}}/{{x}}/{{y}}.png"]
    made = {"type": "raster-dem", "encoding": "mapbox", "tiles": tiles, "tileSize": 256}
    return {**made, "minzoom": 8, "maxzoom": TERRAIN_MAXZOOM, "bounds": bounds}
