"""A made-up village of squares for the map component: tiles, rasters, terrain, and a switch that breaks them."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dash
import flask
import mapbox_vector_tile
import numpy as np
from dash import Input, Output, html
from PIL import Image, ImageDraw
from shapely.geometry import box, shape

import twin.map
from tests.browser.harness import CSP

PHOTOMESH = Path(__file__).resolve().parents[3] / "shared" / "data" / "tiles3d" / "photomesh_tileset"
LON, LAT = 119.97, 30.53
STEP = 0.001
SIDE = 10
CODES = ("0101", "0201", "0301", "0702")
COLOURS = {"01": "#F5F8DC", "02": "#BFE9AA", "03": "#68B167", "07": "#FFD380"}
LINE_M = 1000.0
METRES_PER_DEGREE_LAT = 110_858.0
"""Of a meridian at 30.53 N on the CGCS2000 ellipsoid; the test asks pyproj again."""


NO_MORE = json.dumps(
    {"status": 403, "code": "area_limit", "zh": "地图到此为止:请联系某局", "en": "The map stops here: ask us"}
)


@dataclass
class Weather:
    """What the server does wrong: `broken` holds the layers that answer 503; `asked` every tile asked for.

    `limited` are the layers of which no more ground is given.
    """

    broken: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)
    limited: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)


def mercator(lon: float, lat: float) -> tuple[float, float]:
    radius = 6378137.0
    return radius * math.radians(lon), radius * math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))


def tile_bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    half = math.pi * 6378137.0
    size = 2 * half / 2**z
    return -half + x * size, half - (y + 1) * size, -half + (x + 1) * size, half - y * size


def square(lon: float, lat: float, width: float, height: float) -> dict[str, Any]:
    ring = [(lon, lat), (lon + width, lat), (lon + width, lat + height), (lon, lat + height), (lon, lat)]
    return {"type": "Polygon", "coordinates": [[mercator(*p) for p in ring]]}


def cells() -> Iterator[tuple[int, int, float, float]]:
    for i in range(SIDE):
        for j in range(SIDE):
            yield i, j, LON - 0.005 + i * STEP, LAT - 0.005 + j * STEP


def features(table: str, year: int) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for i, j, lon, lat in cells():
        key = f"{i:02d}{j:02d}"
        if table == "land":
            code = CODES[(i // 3 + j // 2 + (year == 2020)) % len(CODES)]
            out.append(row(square(lon, lat, STEP, STEP), id=f"P{key}", land_class=code, land_name=f"地块{key}"))
        elif table == "building" and (i + j) % 2 == 0:
            shape = square(lon + STEP * 0.3, lat + STEP * 0.3, STEP * 0.4, STEP * 0.4)
            out.append(row(shape, id=f"B{key}", height_m=4.0 + 3 * (i % 4), address=f"溪口 {i * 10 + j} 号"))
        elif table == "post" and i % 3 == 1 and j % 3 == 1:
            kind = ("clinic", "school", "hazard")[(i // 3) % 3]
            point = {"type": "Point", "coordinates": mercator(lon + STEP / 2, lat + STEP / 2)}
            out.append(row(point, id=f"F{key}", kind=kind, name=f"设施{key}"))
    if table == "road":
        line = [(LON, LAT - LINE_M / METRES_PER_DEGREE_LAT / 2), (LON, LAT + LINE_M / METRES_PER_DEGREE_LAT / 2)]
        out.append(row({"type": "LineString", "coordinates": [mercator(*p) for p in line]}, id="R1", name="示溪路"))
    return out


def row(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"geometry": geometry, "properties": properties}


TABLES = {"L06": ("land",), "L16": ("building",), "L13": ("post",), "L14": ("road",)}


def clipped(rows: list[dict[str, Any]], frame: Any) -> Iterator[dict[str, Any]]:
    for each in rows:
        geometry = shape(each["geometry"]).intersection(frame)
        if not geometry.is_empty:
            yield {**each, "geometry": geometry}


def vector_tile(layer: str, z: int, x: int, y: int, year: int) -> bytes:
    bounds = tile_bounds(z, x, y)
    west, south, east, north = bounds
    room = (east - west) / 64
    frame = box(west - room, south - room, east + room, north + room)
    layers = [{"name": table, "features": [*clipped(features(table, year), frame)]} for table in TABLES[layer]]
    return mapbox_vector_tile.encode(layers, default_options={"quantize_bounds": bounds, "extents": 4096})


def picture(colour: tuple[int, int, int, int], words: str) -> bytes:
    image = Image.new("RGBA", (256, 256), colour)
    ImageDraw.Draw(image).rectangle((0, 0, 255, 255), outline=(255, 255, 255, 90))
    ImageDraw.Draw(image).text((8, 8), words, fill=(255, 255, 255, 255))
    body = io.BytesIO()
    image.save(body, "PNG")
    return body.getvalue()


def terrain_tile(z: int, x: int, y: int) -> bytes:
    west, south, east, north = tile_bounds(z, x, y)
    cx, cy = mercator(LON, LAT)
    xs, ys = np.meshgrid(np.linspace(west, east, 256), np.linspace(north, south, 256))
    height = 160 * np.exp(-((xs - cx - 700) ** 2 + (ys - cy - 700) ** 2) / 400_000)
    value = np.round((height + 10000) * 10).astype(np.uint32)
    rgb = np.stack([value >> 16 & 255, value >> 8 & 255, value & 255], axis=-1).astype(np.uint8)
    body = io.BytesIO()
    Image.fromarray(rgb).save(body, "PNG")
    return body.getvalue()


def map_layer(
    layer: str, table: str, kind: str, paint: dict[str, Any], *, name: str = "", **more: Any
) -> dict[str, Any]:
    metadata = {"onemap:layer": layer, "onemap:draw": name or table, **more.pop("metadata", {})}
    return {
        "id": f"{layer}.{name or table}",
        "type": kind,
        "source": layer,
        "source-layer": table,
        "paint": paint,
        "metadata": metadata,
        **more,
    }


def style() -> dict[str, Any]:
    value = ["slice", ["to-string", ["get", "land_class"]], 0, 2]
    match = ["match", value, *[v for pair in COLOURS.items() for v in pair], "#9AA3A8"]
    classes = {"onemap:class": {"column": "land_class", "digits": 2}, "onemap:title": "land_name"}
    sources: dict[str, Any] = {
        layer: {
            "type": "vector",
            "tiles": [f"/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt?year={{year}}"],
            "minzoom": 12,
            "maxzoom": 15,
            "promoteId": "id",
        }
        for layer in TABLES
    }
    sources["L02-imagery"] = {
        "type": "raster",
        "tiles": ["/tiles/L02/{z}/{x}/{y}.png?year={year}"],
        "tileSize": 256,
        "maxzoom": 18,
    }
    kinds = {"clinic": "icon-aid-1b6e3c", "school": "icon-school-0b5cad", "hazard": "icon-slope-b3261e"}
    icon = ["match", ["get", "kind"], *[v for pair in kinds.items() for v in pair], ""]
    return {
        "version": 8,
        "sources": sources,
        "layers": [
            {"id": "ground", "type": "background", "paint": {"background-color": "#E8EDE6"}},
            {"id": "L02.imagery", "type": "raster", "source": "L02-imagery", "metadata": {"onemap:layer": "L02", "onemap:draw": "imagery"}},
            map_layer("L06", "land", "fill", {"fill-color": match, "fill-outline-color": "#555555"}, metadata=classes),
            map_layer("L06", "land", "fill", {"fill-pattern": "hatch-diagonal-c8102e"}, name="hatch", filter=["==", value, "07"], metadata=classes),
            map_layer("L14", "road", "line", {"line-color": "#FFFFFF", "line-width": 6}, metadata={"onemap:title": "name"}),
            map_layer("L16", "building", "fill", {"fill-color": "#B9AFA2"}, metadata={"onemap:title": "address"}),
            map_layer("L16", "building", "fill-extrusion", {"fill-extrusion-color": "#D8CFC2", "fill-extrusion-height": ["get", "height_m"]}, name="solid"),
            map_layer("L13", "post", "symbol", {}, layout={"icon-image": icon, "icon-allow-overlap": True}, name="icon", metadata={"onemap:class": "kind"}),
            map_layer("L13", "post", "symbol", {"text-halo-color": "#FFFFFF", "text-halo-width": 1.5}, name="label", layout={"text-field": ["get", "name"], "text-size": 14, "text-offset": [0, 1.4]}),
        ],
    }  # fmt: skip


LAYERS = [{"id": i, "visible": i != "L02", "opacity": 1, "hidden": []} for i in ("L13", "L16", "L14", "L06", "L02")]
ECHOED = (
    "click",
    "viewState",
    "drawn",
    "measured",
    "ready",
    "error",
    "inView",
    "compare",
    "threeD",
    "tool",
    "selection",
)


def add_tiles(server: flask.Flask, weather: Weather) -> None:
    @server.get("/tiles/<layer>/<int:z>/<int:x>/<int:y>.<ending>")
    def tile(layer: str, z: int, x: int, y: int, ending: str) -> flask.Response:
        weather.asked.append(flask.request.full_path)
        if layer in weather.broken:
            return flask.Response('{"status": 503}', 503, mimetype="application/problem+json")
        if layer in weather.limited:
            return flask.Response(NO_MORE, 403, mimetype="application/problem+json")
        year = int(flask.request.args.get("year") or 2025)
        if layer in weather.empty:
            return flask.Response("", 204)
        body, media = tile_body(layer, z, x, y, year, ending)
        return (
            flask.Response(body, mimetype=media, headers={"Cache-Control": "max-age=300"})
            if body
            else flask.Response("", 204)
        )

    @server.get("/tiles/drawn/<layer>/<int:z>/<int:x>/<int:y>.png")
    def drawn(layer: str, z: int, x: int, y: int) -> flask.Response:
        weather.asked.append(flask.request.full_path)
        if "drawn" in weather.broken:
            return flask.Response("", 503)
        if "drawn" in weather.limited:
            return flask.Response(NO_MORE, 403, mimetype="application/problem+json")
        if (x + y) % 5 == 0:
            return flask.Response("", 204)
        return flask.Response(
            picture((120, 160, 120, 200), f"{layer} {flask.request.args['year']}"), mimetype="image/png"
        )


def add_scene(server: flask.Flask) -> None:
    """Serve the photogrammetry tileset of the shared data, where it is."""

    @server.get("/tiles/scene/photomesh/<path:path>")
    def scene(path: str) -> flask.Response:
        return flask.send_from_directory(PHOTOMESH, path)


def tile_body(layer: str, z: int, x: int, y: int, year: int, ending: str) -> tuple[bytes, str]:
    if layer == "terrain":
        return terrain_tile(z, x, y), "image/png"
    if ending == "png":
        colour = (96, 122, 74, 255) if year == 2020 else (128, 108, 80, 255)
        return picture(colour, f"{year}"), "image/png"
    return vector_tile(layer, z, x, y, year), "application/vnd.mapbox-vector-tile"


def start() -> dict[str, Any]:
    """Give the props every test begins with."""
    return {
        "mapStyle": style(), "layers": LAYERS, "year": 2025, "years": [2020, 2025], "theme": "light",
        "view": {"center": [LON, LAT], "zoom": 15}, "home": {"bbox": [LON - 0.005, LAT - 0.005, LON + 0.005, LAT + 0.005]},
        "threeD": {"on": False, "terrain": True, "exaggeration": 1.2}, "attribution": "CGCS2000 · 测试数据",
        "words": twin.map.words("zh-CN"), "compare": None, "selection": None, "tool": None, "drawn": None, "padding": {},
    }  # fmt: skip


def create(weather: Weather, *, echoed: tuple[str, ...] = ECHOED, **props: Any) -> dash.Dash:
    """Make the app: one map, and a <pre> that echoes each prop out after a trip through the server."""
    app = dash.Dash("map_stub", enable_mcp=False)
    twin.map.attach(app)
    given = {"id": "map", **start(), **props}
    app.layout = html.Main(
        [
            html.H1("地图", className="om-hidden"),
            html.Div(
                twin.map.OneMapView(**given), id="place", style={"position": "absolute", "inset": 0, "height": "100vh"}
            ),
        ]
        + [html.Pre(id=f"echo-{name}", hidden=True) for name in echoed]
    )
    for name in echoed:
        app.callback(Output(f"echo-{name}", "children"), Input("map", name), prevent_initial_call=True)(_echo)
    add_tiles(app.server, weather)
    add_scene(app.server)
    app.index_string = dash.dash._default_index.replace("<html>", '<html lang="zh-CN">').replace(
        "<title>{%title%}</title>", "<title>地图</title>"
    )
    hashes = " ".join(f"'{h}'" if not h.startswith("'") else h for h in app.csp_hashes())

    @app.server.after_request
    def guard(answer: flask.Response) -> flask.Response:
        answer.headers["Content-Security-Policy"] = CSP.format(hashes=hashes)
        return answer

    return app


def _echo(value: Any) -> str:
    return flask.json.dumps(value, ensure_ascii=False)
