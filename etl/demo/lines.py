"""Lines out of grids: level lines, smooth borders between labelled cells, ridge walks, uphill cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.ndimage import distance_transform_edt, gaussian_filter, gaussian_filter1d
from scipy.ndimage import label as connected

from etl.demo.frame import X0, Y0, chance
from etl.demo.terrain import CELL_M, Terrain, noise

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# Marching squares: for each pattern of corners (SW 1, SE 2, NE 4, NW 8), pairs of edges (S 0, E 1, N 2, W 3).
_JOINS = {
    1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 5: ((3, 2), (0, 1)), 6: ((0, 2),), 7: ((3, 2),),
    8: ((2, 3),), 9: ((2, 0),), 10: ((3, 0), (1, 2)), 11: ((2, 1),), 12: ((1, 3),), 13: ((1, 0),), 14: ((0, 3),),
}  # fmt: skip


def level_lines(field: np.ndarray, level: float, cell: float = CELL_M) -> list[BaseGeometry]:
    """Return the lines where `field` (row 0 south, nodes `cell` metres apart) crosses `level`, in world metres."""
    above = field > level
    sw, se, ne, nw = above[:-1, :-1], above[:-1, 1:], above[1:, 1:], above[1:, :-1]
    pattern = sw + 2 * se + 4 * ne + 8 * nw
    segments = [_joined(field, level, pattern, p, join) for p, joins in _JOINS.items() for join in joins]
    ends = np.concatenate(segments) * cell + (X0, Y0)
    if not len(ends):
        return []
    merged = shapely.line_merge(shapely.MultiLineString(np.round(ends, 4).tolist()))
    return list(shapely.get_parts(merged))


def _joined(f: np.ndarray, level: float, pattern: np.ndarray, p: int, join: tuple[int, int]) -> np.ndarray:
    j, i = np.nonzero(pattern == p)
    return np.stack([_crossing(f, level, j, i, edge) for edge in join], axis=1).reshape(-1, 2, 2)


def _crossing(f: np.ndarray, level: float, j: np.ndarray, i: np.ndarray, edge: int) -> np.ndarray:
    (dj0, di0), (dj1, di1) = (((0, 0), (0, 1)), ((0, 1), (1, 1)), ((1, 0), (1, 1)), ((0, 0), (1, 0)))[edge]
    a, b = f[j + dj0, i + di0], f[j + dj1, i + di1]
    t = (level - a) / np.where(a == b, 1, b - a)
    return np.column_stack([i + di0 + t * (di1 - di0), j + dj0 + t * (dj1 - dj0)])


def smooth(xy: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth a vertex chain; an open chain keeps its ends, a closed one stays closed."""
    if len(xy) < 4:
        return xy
    if np.allclose(xy[0], xy[-1]):
        ring = gaussian_filter1d(xy[:-1], sigma, axis=0, mode="wrap")
        return np.vstack([ring, ring[:1]])
    n = min(len(xy) - 1, int(4 * sigma) + 1)
    head, tail = 2 * xy[0] - xy[n:0:-1], 2 * xy[-1] - xy[-2 : -n - 2 : -1]
    inner = gaussian_filter1d(np.vstack([head, xy, tail]), sigma, axis=0)[n : n + len(xy)]
    inner[0], inner[-1] = xy[0], xy[-1]
    return inner


def label_borders(labels: np.ndarray, sigma: float = 2.2) -> list[BaseGeometry]:
    """Return the smoothed borders between differently labelled nodes; each border once, joined at common corners."""
    half = CELL_M / 2
    j, i = np.nonzero(labels[:, :-1] != labels[:, 1:])
    x, y = i * CELL_M + half, j * CELL_M
    upright = np.stack([np.column_stack([x, y - half]), np.column_stack([x, y + half])], axis=1)
    j, i = np.nonzero(labels[:-1] != labels[1:])
    x, y = i * CELL_M, j * CELL_M + half
    level = np.stack([np.column_stack([x - half, y]), np.column_stack([x + half, y])], axis=1)
    segments = (np.concatenate([upright, level]) + np.array((X0, Y0))).tolist()
    arcs = shapely.get_parts(shapely.line_merge(shapely.MultiLineString(segments)))
    return [shapely.LineString(smooth(shapely.get_coordinates(arc), sigma)).simplify(0.7) for arc in arcs]


def clean_labels(labels: np.ndarray, least_cells: int) -> np.ndarray:
    """Give every connected patch smaller than `least_cells` to its nearest larger neighbour."""
    small = np.zeros(labels.shape, bool)
    for value in np.unique(labels):
        patches = _patches(labels == value)
        sizes = np.bincount(patches.ravel())
        small |= (sizes < least_cells)[patches] & (patches > 0)
    nearest = np.asarray(distance_transform_edt(small, return_distances=False, return_indices=True), dtype=int)
    return labels[nearest[0], nearest[1]]


def _patches(mask: np.ndarray) -> np.ndarray:
    numbered: Any = connected(mask)
    return numbered[0]


def ridge_walk(z: np.ndarray, low: int, high: int) -> np.ndarray:
    """Return for each column the row (between `low` and `high`) of the highest smooth walk from left to right."""
    n = z.shape[1]
    gain = z[low:high].astype(float)
    best, came = gain[:, 0].copy(), np.zeros((high - low, n), int)
    steps = np.arange(-2, 3)
    for column in range(1, n):
        padded = np.pad(best, 2, constant_values=-np.inf)
        choices = np.stack([padded[2 + k : 2 + k + len(best)] - 3.0 * k * k for k in steps])
        came[:, column] = steps[choices.argmax(axis=0)]
        best = choices.max(axis=0) + gain[:, column]
    walk = np.empty(n, int)
    walk[-1] = best.argmax()
    for column in range(n - 1, 0, -1):
        walk[column - 1] = walk[column] + came[walk[column], column]
    return walk + low


def ridge_boundary(z: np.ndarray, seed: int) -> shapely.Polygon:
    """Return the village outline: the ridge walks of the four sides, closed at their crossings."""
    coarse = (gaussian_filter(z, 2) + 14 * noise(chance(seed, "boundary"), z.shape, 11))[::2, ::2]
    cell, n = 2 * CELL_M, coarse.shape[0]
    along = np.arange(n)
    walks = [
        np.column_stack([along, ridge_walk(coarse, 128, 147)]), np.column_stack([along, ridge_walk(coarse, 4, 24)]),
        np.column_stack([ridge_walk(coarse.T, 4, 16), along]), np.column_stack([ridge_walk(coarse.T, 134, 147), along]),
    ]  # fmt: skip
    chains = [shapely.LineString(smooth(walk.astype(float), 2.0) * cell + (X0, Y0)) for walk in walks]
    faces = shapely.get_parts(shapely.polygonize([shapely.unary_union(chains)]))
    middle = shapely.Point(X0 + 1500, Y0 + 1500)
    outline = next(face for face in faces if face.contains(middle))
    return shapely.set_precision(outline.simplify(1.0), 0.001)


def uphill_cuts(terrain: Terrain, z: np.ndarray, seeds: np.ndarray, climb: float) -> list[BaseGeometry]:
    """Walk from every seed straight up the slope until `climb` metres higher; return the walked lines."""
    gy, gx = (np.asarray(g) for g in np.gradient(gaussian_filter(z, 1.5), CELL_M))
    start = terrain.sample(z, seeds)
    paths, here, done = [seeds], seeds.copy(), np.zeros(len(seeds), bool)
    for _ in range(16):
        g = np.column_stack([terrain.sample(gx, here), terrain.sample(gy, here)])
        step = 4.0 * g / np.maximum(np.linalg.norm(g, axis=1), 1e-6)[:, None]
        here = np.where(done[:, None], here, here + step)
        paths.append(here)
        done |= terrain.sample(z, here) > start + climb + 0.15
    track = np.stack(paths, axis=1)
    return [shapely.LineString(line).simplify(0.4) for line, ok in zip(track, done, strict=True) if ok]
