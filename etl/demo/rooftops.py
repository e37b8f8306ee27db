"""What stands on the ground in the orthophotos, drawn with its shadow: roofs, trees, playing field, road markings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from PIL import Image, ImageDraw

from etl.demo.buildings import yard_frame
from etl.demo.frame import chance
from etl.demo.surface import pixels
from etl.demo.textures import PIXEL_M, WIDE, sun

Row = dict[str, Any]
_TILES = ((92, 92, 96), (104, 100, 98), (134, 86, 70), (146, 98, 78), (86, 88, 94), (120, 78, 66), (110, 108, 106))
_FLAT = ((182, 178, 170), (170, 168, 162), (192, 188, 178), (160, 150, 140))
_METAL = ((96, 122, 150), (150, 160, 168), (110, 134, 158))


def _key(row: Row) -> np.random.Generator:
    return np.random.default_rng(int(row["building_id"][1:]) + 9000)


def _shift(points: np.ndarray, height: float) -> np.ndarray:
    """Move pixel points to where the sun throws something `height` metres above them."""
    east, north, up = sun()
    reach = height / up / PIXEL_M
    return points + np.array((-east * reach, north * reach))


def cast_shadows(buildings: list[Row], trees: np.ndarray) -> np.ndarray:
    """Return the picture's shadow mask (uint8, 255 = shadow) of buildings and single trees (x px, y px, radius px)."""
    mask = Image.new("L", (WIDE, WIDE), 0)
    pen = ImageDraw.Draw(mask)
    for row in buildings:
        base = np.array(pixels(row["geometry"].exterior, PIXEL_M))
        pen.polygon(_hull(np.vstack([base, _shift(base, row["height_m"])])), fill=255)
    for x, y, r in trees:
        (sx, sy), k = _shift(np.array([x, y]), r * PIXEL_M * 1.6), r * 0.95
        pen.ellipse((sx - k, sy - k, sx + k, sy + k), fill=255)
    return np.asarray(mask)


def _hull(points: np.ndarray) -> list[tuple[float, float]]:
    return [(x, y) for x, y in shapely.get_coordinates(shapely.convex_hull(shapely.MultiPoint(points))).tolist()]


def draw_roofs(pen: ImageDraw.ImageDraw, buildings: list[Row], year: int) -> None:
    """Draw every building's roof."""
    for row in buildings:
        rng = _key(row)
        corners = np.array(pixels(row["geometry"].exterior, PIXEL_M))[:4]
        {"gable": _gable, "flat": _terrace_roof, "metal": _shed_roof}[row["roof"]](pen, corners, row, rng, year)


def _shaded(colour: tuple[int, int, int], factor: float) -> tuple[int, int, int]:
    return tuple(max(0, min(255, round(c * factor))) for c in colour)  # type: ignore[return-value]


def _poly(pen: ImageDraw.ImageDraw, points: np.ndarray, colour: tuple[int, int, int]) -> None:
    pen.polygon([(x, y) for x, y in points.tolist()], fill=colour)


def _facing(side: np.ndarray) -> float:
    """Return the brightness of a roof plane that falls towards `side` (pixels, rows down) at 28 degrees."""
    east, north, up = sun()
    out = side / max(np.linalg.norm(side), 1e-6)
    light = math.sin(0.49) * (out[0] * east - out[1] * north) + math.cos(0.49) * up
    return 0.55 + 0.62 * max(light, 0)


def _gable(pen: ImageDraw.ImageDraw, c: np.ndarray, row: Row, rng: np.random.Generator, year: int) -> None:
    colour = _TILES[rng.integers(len(_TILES))] if row["use"] != "附属用房" else _TILES[0]
    if np.linalg.norm(c[1] - c[0]) < np.linalg.norm(c[2] - c[1]) * 0.8:
        c = np.roll(c, -1, axis=0)
    left, right = (c[0] + c[3]) / 2, (c[1] + c[2]) / 2
    first, second = (c[0] - left), (c[3] - left)
    _poly(pen, np.array([c[0], c[1], right, left]), _shaded(colour, _facing(first)))
    _poly(pen, np.array([left, right, c[2], c[3]]), _shaded(colour, _facing(second)))
    pen.line([tuple(left), tuple(right)], fill=_shaded(colour, 1.25), width=1)
    if year == 2025 and rng.random() < 0.16:
        south = (c[0], c[1], right, left) if first[1] > 0 else (c[3], c[2], right, left)
        _panel(pen, south, 0.16, 0.84, 0.2, 0.85)


def _panel(pen: ImageDraw.ImageDraw, quad: tuple, x0: float, x1: float, y0: float, y1: float) -> None:
    a, b, c, d = (np.asarray(p) for p in quad)

    def at(x: float, y: float) -> np.ndarray:
        return (a + (b - a) * x) * (1 - y) + (d + (c - d) * x) * y

    _poly(pen, np.array([at(x0, y0), at(x1, y0), at(x1, y1), at(x0, y1)]), (38, 48, 74))


def _terrace_roof(pen: ImageDraw.ImageDraw, c: np.ndarray, row: Row, rng: np.random.Generator, year: int) -> None:
    colour = _FLAT[rng.integers(len(_FLAT))]
    _poly(pen, c, _shaded(colour, 1.08))
    middle = c.mean(axis=0)
    _poly(pen, middle + (c - middle) * 0.9, _shaded(colour, 0.93))
    if row["use"] != "附属用房":
        x, y = rng.uniform(0.08, 0.6), rng.uniform(0.08, 0.5)
        quad = tuple(c)
        a, b, _, d = c
        tower = np.array(
            [
                a + (b - a) * x + (d - a) * y,
                a + (b - a) * (x + 0.26) + (d - a) * y,
                a + (b - a) * (x + 0.26) + (d - a) * (y + 0.3),
                a + (b - a) * x + (d - a) * (y + 0.3),
            ]
        )
        _poly(pen, _shift(tower, 2.6), _shaded(colour, 0.6))
        _poly(pen, tower, _shaded(colour, 1.12))
        if rng.random() < (0.3 if year == 2020 else 0.55):
            _panel(pen, quad, 0.62, 0.9, 0.55, 0.85)


def _shed_roof(pen: ImageDraw.ImageDraw, c: np.ndarray, row: Row, rng: np.random.Generator, year: int) -> None:
    del row, year
    colour = _METAL[rng.integers(len(_METAL))]
    for k in range(12):
        a, b = k / 12, (k + 1) / 12
        strip = np.array(
            [c[0] + (c[1] - c[0]) * a, c[0] + (c[1] - c[0]) * b, c[3] + (c[2] - c[3]) * b, c[3] + (c[2] - c[3]) * a]
        )
        _poly(pen, strip, _shaded(colour, 1.05 if k % 2 else 0.96))


def single_trees(tables: dict[str, list[Row]], year: int, seed: int) -> np.ndarray:
    """Scatter the trees that stand alone: along roads and banks, in yards and round ponds; (x px, y px, radius px)."""
    roads = [row for row in tables["roads"] if row["since_year"] <= year]
    spots = [*_along_roads(roads, seed), *_in_yards(tables["parcels"], year, seed)]
    found = [(*pixels(shapely.Point(x, y), PIXEL_M)[0], r / PIXEL_M) for x, y, r in spots]
    blocked = [row["geometry"] for row in tables["buildings"] if row["year"] == year]
    blocked += [
        row["geometry"]
        for row in tables["parcels"]
        if row["year"] == year and row["sandiao"] in ("1101", "1103", "1104", "1003")
    ]
    buildings = shapely.STRtree(blocked)
    hit = set(
        buildings.query([shapely.Point(x, y).buffer(r * 0.7) for x, y, r in spots], predicate="intersects")[0].tolist()
    )
    return np.array([tree for k, tree in enumerate(found) if k not in hit])


def _along_roads(roads: list[Row], seed: int) -> list[tuple[float, float, float]]:
    found = []
    for row in roads:
        step, chance_of, size = {"乡道": (11, 0.8, 2.6), "村道": (15, 0.55, 2.2), "机耕路": (26, 0.4, 1.7)}.get(
            row["class"], (0, 0, 0)
        )
        if not step:
            continue
        rng = chance(seed, f"trees of {row['road_id']}")
        for side in (-1, 1):
            line = row["geometry"].offset_curve(side * (row["width_m"] / 2 + 2.4))
            at = np.arange(0, line.length, step)
            kept = at[rng.random(len(at)) < chance_of] + rng.uniform(-2, 2)
            found += [
                (*xy, size * rng.uniform(0.7, 1.25))
                for xy in shapely.get_coordinates(shapely.line_interpolate_point(line, kept))
            ]
    return found


def _in_yards(parcels: list[Row], year: int, seed: int) -> list[tuple[float, float, float]]:
    density = {
        "0702": 95.0,
        "1106": 130.0,
        "08H1": 220.0,
        "08H2": 300.0,
        "0810": 150.0,
        "0404": 90.0,
        "0103": 2600.0,
        "0102": 1500.0,
    }
    found = []
    for row in parcels:
        if row["year"] != year or row["sandiao"] not in density:
            continue
        rng = chance(seed, f"trees of {row['parcel_id']}")
        west, south, east, north = row["geometry"].bounds
        n = rng.poisson(row["geometry"].area / density[row["sandiao"]])
        xy = rng.uniform((west, south), (east, north), (3 * n, 2))
        inside = xy[shapely.contains_xy(row["geometry"], xy[:, 0], xy[:, 1])][:n]
        found += [(x, y, rng.uniform(1.2, 3.0)) for x, y in inside]
    return found


def draw_trees(pen: ImageDraw.ImageDraw, trees: np.ndarray, year: int, seed: int) -> None:
    """Draw single trees as lit crowns."""
    rng = chance(seed, "tree colours")
    east, north, _ = sun()
    dark, mid = ((46, 64, 36), (72, 94, 50)) if year == 2020 else ((48, 60, 34), (78, 90, 48))
    for (x, y, r), luck in zip(trees, rng.random(len(trees)), strict=True):
        tone = 0.85 + 0.3 * luck
        for scale, colour, push in ((1.0, dark, 0.0), (0.78, mid, 0.2), (0.42, _shaded(mid, 1.22), 0.38)):
            cx, cy, k = x + east * r * push, y - north * r * push, r * scale
            pen.ellipse((cx - k, cy - k, cx + k, cy + k), fill=_shaded(colour, tone))


def draw_markings(pen: ImageDraw.ImageDraw, tables: dict[str, list[Row]], school: shapely.Polygon | None) -> None:
    """Draw the main road's centre line and the school's running track."""
    for row in tables["roads"]:
        if row["class"] == "乡道":
            at = np.arange(0, row["geometry"].length - 4, 9.0)
            a, b = (shapely.line_interpolate_point(row["geometry"], at + k) for k in (0, 4))
            for p, q in zip(a, b, strict=True):
                pen.line([pixels(p, PIXEL_M)[0], pixels(q, PIXEL_M)[0]], fill=(214, 206, 160), width=1)
    if school is not None:
        _track(pen, school)


def draw_shore(pen: ImageDraw.ImageDraw, parcels: list[Row]) -> None:
    """Draw the bare rim that a reservoir's changing level leaves."""
    for row in parcels:
        if row["sandiao"] == "1103":
            pen.line(pixels(row["geometry"].exterior, PIXEL_M), fill=(158, 138, 104), width=8, joint="curve")
            pen.line(pixels(row["geometry"].exterior, PIXEL_M), fill=(126, 126, 104), width=3, joint="curve")


def _track(pen: ImageDraw.ImageDraw, yard: shapely.Polygon) -> None:
    origin, along, across = yard_frame(yard)
    ends = shapely.MultiPoint([origin + along * x + across * 0.3 for x in (0.42, 0.66)])
    first, last = np.array(pixels(ends, PIXEL_M))
    at, side = (first + last) / 2, (last - first) / np.linalg.norm(last - first)
    for length, width, colour in ((19, 10, (150, 84, 70)), (18, 7.5, (96, 120, 74))):
        half = side * length / PIXEL_M / 2
        line = shapely.LineString([at - half, at + half]).buffer(width / PIXEL_M)
        pen.polygon([(x, y) for x, y in shapely.get_coordinates(line).tolist()], fill=colour)
