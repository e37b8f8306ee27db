"""What changed between 2020 and 2025: new houses, a new road, fields become ponds, greenhouses and orchards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from etl.demo.layout import Layout, Plot
from etl.demo.parcels import Tiling
from etl.demo.tiling import faces_of, groups_without_slivers, merged, shared_borders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.demo.terrain import Terrain

# (from class, s from–to, d from–to, to class, at most so many parcels)
_RECLASSED = (
    ("0101", (690, 960), (45, 125), "1202", 18),
    ("0101", (1935, 2062), (-150, -40), "1104", 9),
    ("0101", (2140, 2330), (-330, -215), "0201", 10),
    ("0101", (1000, 1120), (-120, -40), "0102", 8),
    ("0103", (0, 3000), (250, 900), "0202", 22),
    ("0305", (0, 3000), (-900, 900), "0201", 14),
    ("0404", (0, 3000), (-900, 900), "0103", 4),
)
# the same kind of change that had happened before 2020
_EARLIER = (("0101", (700, 800), (45, 125), "1202", 5),)


def settle(tiling: Tiling, terrain: Terrain, rules: tuple = _EARLIER) -> Tiling:
    """Apply changes of class to the parcels that lie where the rules say."""
    classes, kinds = tiling.classes.copy(), tiling.kinds.copy()
    xy = shapely.get_coordinates(shapely.centroid(tiling.polygons))
    s, d = terrain.sample(terrain.s, xy), terrain.sample(terrain.d, xy)
    for old, (s0, s1), (d0, d1), new, most in rules:
        hit = (classes == old) & np.isin(kinds, ("floor", "terrace")) & (s > s0) & (s < s1) & (d > d0) & (d < d1)
        classes[np.flatnonzero(hit)[:most]] = new
    return replace(tiling, classes=classes, kinds=kinds)


def apply(
    tiling: Tiling, terrain: Terrain, boundary: shapely.Polygon, plots: Sequence[Plot]
) -> tuple[Tiling, Tiling, np.ndarray]:
    """Cut the new plots out of the parcels of 2020.

    Return the tiling of 2020 (with the vertices the cuts gave it, so that both years have the same outline), that of
    2025, and the parcel of 2020 each parcel of 2025 came from.
    """
    atoms = faces_of(boundary, [*shapely.boundary(tiling.polygons), *(plot.polygon.boundary for plot in plots)])
    points = shapely.point_on_surface(atoms)
    origin = shapely.STRtree(tiling.polygons).nearest(points)
    target = np.full(len(atoms), -1)
    found, plot = shapely.STRtree([plot.polygon for plot in plots]).query(points, predicate="within")
    keep = ~np.isin(tiling.kinds[origin[found]], ("乡道", "river", "村道"))
    target[found[keep]] = plot[keep]
    key = np.where(target >= 0, target + len(tiling.polygons), origin)
    pieces, chief = merged(atoms, _connected(atoms, key))
    whole = np.isclose(shapely.area(pieces), shapely.area(tiling.polygons)[origin[chief]])
    mark = np.where(whole | (target[chief] >= 0), "kept", "cut")
    group = groups_without_slivers(pieces, mark, lambda _face, area, kind: kind == "cut" and area < 60)
    polygons, first = merged(pieces, group)
    chief = chief[first]
    before = replace(tiling, polygons=merged(atoms, origin)[0])
    return before, _reclassed(tiling, polygons, origin[chief], target[chief], plots, terrain), origin[chief]


def _connected(atoms: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return the number of the connected patch of atoms with one key that each atom is in."""
    borders = shared_borders(atoms)
    same = key[borders.row] == key[borders.col]
    n = len(atoms)
    graph = coo_matrix((np.ones(same.sum()), (borders.row[same], borders.col[same])), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def _reclassed(
    tiling: Tiling,
    polygons: np.ndarray,
    origin: np.ndarray,
    target: np.ndarray,
    plots: Sequence[Plot],
    terrain: Terrain,
) -> Tiling:
    new = target >= 0
    classes, kinds = tiling.classes[origin].copy(), tiling.kinds[origin].astype(object)
    classes[new] = [plots[k].land_class for k in target[new]]
    kinds[new] = [plots[k].kind for k in target[new]]
    grown = Tiling(polygons=polygons, classes=classes, kinds=kinds, zones=tiling.zones[origin])
    return settle(grown, terrain, _RECLASSED)


def plots(laid: Layout, new: set[int]) -> list[Plot]:
    """Return what was laid on the land after 2020: new house blocks with their lanes, and new roads."""
    roads = [
        Plot(
            kind="村道",
            land_class="1006",
            polygon=road.line.buffer(road.width_m / 2 + 0.7, cap_style="flat"),
            name=road.name,
        )
        for road in laid.roads
        if road.since > 2020
    ]
    homes = [
        Plot(kind="homes", land_class="0702", polygon=laid.blocks[k].polygon, name=laid.blocks[k].hamlet)
        for k in sorted(new)
    ]
    return [
        Plot(kind=p.kind, land_class=p.land_class, name=p.name, polygon=shapely.set_precision(p.polygon, 0.001))
        for p in (*roads, *homes)
    ]
