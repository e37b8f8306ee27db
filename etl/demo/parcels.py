"""How the land is cut into parcels and what each is used for, in 2020 and in 2025."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter

from etl.demo.frame import chance
from etl.demo.layout import Layout, Plot, main_road, ring_road, river_half_width
from etl.demo.lines import clean_labels, label_borders, level_lines, uphill_cuts
from etl.demo.terrain import Terrain, noise
from etl.demo.tiling import faces_of, groups_without_slivers, merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

FLOOR, TERRACE, FOREST = 0, 1, 2
TERRACE_STEP_M = 5.5


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """Parcels of one year that tile the village: polygons, land classes, kinds and the zone they lie in."""

    polygons: np.ndarray
    classes: np.ndarray
    kinds: np.ndarray
    zones: np.ndarray


def zone_labels(terrain: Terrain, seed: int) -> np.ndarray:
    """Label each node: valley floor, terraced slope or a compartment of forest (catchment and height band)."""
    rng = chance(seed, "zones")
    rise, slope = gaussian_filter(terrain.rise, 1.5), gaussian_filter(terrain.slope, 1.5)
    wobble = noise(rng, terrain.shape, 9)
    sunny = np.where(terrain.d > 0, 52, 34) + 13 * wobble
    sunny = sunny * np.clip(0.62 + 0.55 * noise(rng, terrain.shape, 22), 0.2, 1.3)
    zone = np.where((rise < 10.5) & (slope < 0.12), FLOOR, np.where((rise < sunny) & (slope < 0.40), TERRACE, FOREST))
    zone = clean_labels(zone, 45)
    band = np.digitize(rise + 6 * wobble, (75, 125))
    compartment = terrain.catchment * 4 + band
    return clean_labels(np.where(zone == FOREST, FOREST + compartment, zone), 95)


def hard_plots(layout: Layout, terrain: Terrain, boundary: BaseGeometry) -> list[Plot]:
    """Return the laid-out plots, each cut clear of those before it; roads of 2025 are left for later."""
    taken: BaseGeometry = shapely.Polygon()
    found: list[Plot] = []
    for layer in _precedence(layout, terrain):
        pieces = []
        for plot in layer:
            free = shapely.set_precision(plot.polygon.intersection(boundary).difference(taken), 0.001)
            pieces += [
                _replace(plot, part)
                for part in shapely.get_parts(free)
                if part.geom_type == "Polygon" and part.area > 1
            ]
        found += pieces
        taken = shapely.union_all([taken, *(plot.polygon for plot in layer)])
    return found


def _replace(plot: Plot, polygon: shapely.Polygon) -> Plot:
    return Plot(kind=plot.kind, land_class=plot.land_class, polygon=polygon, name=plot.name)


def _precedence(layout: Layout, terrain: Terrain) -> list[list[Plot]]:
    yards = [plot for plot in layout.plots if "pond" not in plot.kind]
    ponds = [plot for plot in layout.plots if "pond" in plot.kind]
    homes = [Plot(kind="homes", land_class="0702", polygon=block.polygon, name=block.hamlet) for block in layout.blocks]
    brooks = [line.buffer(2.2, cap_style="flat") for _, line in layout.streams]
    dikes = [pond.polygon.buffer(2.4, quad_segs=2) for pond in ponds if pond.kind == "fish pond"]
    lanes = [block.polygon.buffer(2.2, join_style="mitre") for block in layout.blocks]
    return [
        _one("乡道", "1003", _carriageways(layout, "乡道")),
        _one("村道", "1006", _carriageways(layout, "村道")),
        _one("dam", "1109", [shapely.LineString(terrain.dam).buffer(9, cap_style="flat")]),
        _one("reservoir", "1103", [layout.reservoir]),
        _one("river", "1101", [layout.river]),
        _one("brook", "1107", brooks),
        yards,
        ponds,
        homes,
        _one("lane", "1006", lanes),
        _one("dike", "1006", dikes),
        _one("bank", "1106", [layout.river.buffer(5.5, join_style="mitre")]),
        _one("机耕路", "1006", _carriageways(layout, "机耕路")),
    ]


def _one(kind: str, land_class: str, polygons: Sequence[BaseGeometry]) -> list[Plot]:
    return [Plot(kind=kind, land_class=land_class, polygon=shapely.union_all(polygons))]


def _carriageways(layout: Layout, kind: str) -> list[BaseGeometry]:
    roads = [road for road in layout.roads if road.kind == kind and road.since <= 2020]
    return [road.line.buffer(road.width_m / 2 + 0.7, cap_style="flat") for road in roads]


def floor_lines(terrain: Terrain, seed: int) -> list[shapely.LineString]:
    """Draw the fields of the valley floor: long rows along river and roads, cut across at uneven spacing."""
    rng, valley = chance(seed, "fields"), terrain.valley
    s = np.arange(-60, 3160, 12.0)
    bank_n, bank_s = valley.river(s) + river_half_width(s) + 5, valley.river(s) - river_half_width(s) - 5
    bands = [
        (bank_n, main_road(s), 3),
        (bank_s, ring_road(s), 3),
        (main_road(s), main_road(s) + 330, 6),
        (ring_road(s), ring_road(s) - 330, 6),
    ]
    found = []
    for near, far, rows in bands:
        shares = np.linspace(0, 1, rows + 1)
        shares[1:-1] += rng.uniform(-0.2, 0.2, rows - 1) / rows
        curves = [near + share * (far - near) for share in shares]
        found += [shapely.LineString(valley.at(s, curve)) for curve in curves]
        for low, high in itertools.pairwise(curves):
            found += _cross_cuts(terrain, s, low, high, rng)
    return found


def _cross_cuts(
    terrain: Terrain, s: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> list[shapely.LineString]:
    found, at = [], float(s[0])
    while at < s[-1]:
        at += rng.choice([18, 23, 28, 35, 48], p=[0.2, 0.28, 0.26, 0.17, 0.09]) * rng.uniform(0.85, 1.15)
        lean = rng.normal(0, 2.5)
        d = [np.interp(at, s, low), np.interp(at, s, high)]
        span = np.sign(d[1] - d[0]) * 0.4
        found.append(shapely.LineString(terrain.valley.at([at, at + lean], [d[0] - span, d[1] + span])))
    return found


def terrace_lines(terrain: Terrain, seed: int) -> list[shapely.LineString]:
    """Draw the fields of the slopes: level lines every few metres, joined by cuts straight up the slope."""
    rng, found = chance(seed, "terraces"), []
    field = gaussian_filter(terrain.z, 1.6)
    for level in np.arange(30, 140, TERRACE_STEP_M):
        lines = [line.simplify(0.5) for line in level_lines(field, level) if line.length > 40]
        found += lines
        seeds = [_along(line, rng) for line in lines]
        if seeds:
            found += uphill_cuts(terrain, field, np.vstack(seeds), TERRACE_STEP_M)
    return found


def _along(line: Any, rng: np.random.Generator) -> np.ndarray:
    at = np.arange(rng.uniform(10, 60), line.length, 74.0)
    at = at + rng.uniform(-22, 22, len(at))
    return np.array([line.interpolate(place).coords[0] for place in np.clip(at, 1, line.length - 1)]).reshape(-1, 2)


def cut(terrain: Terrain, layout: Layout, boundary: BaseGeometry, seed: int) -> Tiling:
    """Cut the village of 2020 into parcels and give each its land class."""
    plots = hard_plots(layout, terrain, boundary)
    labels = zone_labels(terrain, seed)
    zones = np.minimum(labels, FOREST)
    borders = [line for line in label_borders(labels) if line.length > 0]
    free = boundary.difference(shapely.union_all([plot.polygon for plot in plots]))
    areas = [_zone_area(free, borders, terrain, zones, zone) for zone in (FLOOR, TERRACE)]
    lines = [*(plot.polygon.boundary for plot in plots), *_within(borders, free)]
    lines += _within(floor_lines(terrain, seed), areas[FLOOR]) + _within(terrace_lines(terrain, seed), areas[TERRACE])
    faces = faces_of(boundary, lines)
    which = _plot_of(faces, plots)
    zone = _zone_of(faces, terrain, zones)
    names = [*(f"{plot.kind}:{plot.name}" for plot in plots), *(("floor", "terrace", "forest"))]
    kinds = np.array(names)[np.where(which >= 0, which, len(plots) + zone)]
    group = groups_without_slivers(faces, kinds, _is_sliver)
    polygons, chiefs = merged(faces, group)
    classes = np.array([plots[k].land_class if k >= 0 else "" for k in which[chiefs]], dtype=object)
    kinds = np.array(
        [
            plots[k].kind if k >= 0 else ("floor", "terrace", "forest")[z]
            for k, z in zip(which[chiefs], zone[chiefs], strict=True)
        ]
    )
    tiling = Tiling(polygons=polygons, classes=classes, kinds=kinds, zones=zone[chiefs])
    return _used(tiling, terrain, seed)


def _within(lines: Sequence[BaseGeometry], area: BaseGeometry) -> list[BaseGeometry]:
    shapely.prepare(area)
    kept = shapely.intersection(np.array(lines, dtype=object), area)
    return [line for line in kept if not line.is_empty]


def _zone_area(free: BaseGeometry, borders: list, terrain: Terrain, zones: np.ndarray, zone: int) -> BaseGeometry:
    faces = shapely.get_parts(
        shapely.polygonize([shapely.union_all([free.envelope.boundary, *borders], grid_size=0.001)])
    )
    mine = faces[_zone_of(faces, terrain, zones) == zone]
    return shapely.union_all(mine).intersection(free)


def _zone_of(faces: np.ndarray, terrain: Terrain, zones: np.ndarray) -> np.ndarray:
    xy = shapely.get_coordinates(shapely.point_on_surface(faces))
    return np.stack([terrain.sample((zones == z).astype(float), xy) for z in (FLOOR, TERRACE, FOREST)]).argmax(axis=0)


def _plot_of(faces: np.ndarray, plots: list[Plot]) -> np.ndarray:
    points = shapely.point_on_surface(faces)
    tree = shapely.STRtree([plot.polygon for plot in plots])
    face, plot = tree.query(points, predicate="within")
    which = np.full(len(faces), -1)
    which[face] = plot
    return which


def _is_sliver(face: shapely.Polygon, area: float, kind: str) -> bool:
    thin = 4 * np.pi * area / face.length**2
    if kind in ("floor", "terrace"):
        return area < 260 or (thin < 0.09 and area < 900)
    if kind == "forest":
        return area < 2500
    return area < 12


def _used(tiling: Tiling, terrain: Terrain, seed: int) -> Tiling:
    rng = chance(seed, "use")
    classes = tiling.classes.copy()
    xy = shapely.get_coordinates(shapely.centroid(tiling.polygons))
    patch = terrain.sample(noise(rng, terrain.shape, 9), xy)
    patch2 = terrain.sample(noise(rng, terrain.shape, 14), xy)
    rise, d = terrain.sample(terrain.rise, xy), terrain.sample(terrain.d, xy)
    luck = rng.random(len(classes))
    for k in np.flatnonzero(classes == ""):
        classes[k] = _use_of(tiling.zones[k], patch[k], patch2[k], rise[k], d[k], luck[k])
    return replace(tiling, classes=classes)


def _use_of(zone: int, patch: float, patch2: float, rise: float, d: float, luck: float) -> str:
    if zone == FLOOR:
        if abs(d) > 300 and patch > 1.1:
            return "0103"
        return "0102" if luck < 0.05 else "0201" if luck < 0.065 else "0103" if luck < 0.085 else "0101"
    if zone == TERRACE:
        if patch > 0.75:
            return "0202"
        if patch < -0.35 or rise > 38:
            return "0201" if luck < 0.88 else "0305"
        return "0103" if luck < 0.82 else "0404" if luck < 0.88 else "0201"
    if patch2 > 0.35 and rise < 120:
        return "0302"
    return "0305" if luck < 0.07 else "0307" if luck < 0.13 else "0301"
