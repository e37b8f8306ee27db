"""A tiling without gap or overlap: node all lines on the millimetre, take the faces, give slivers to neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.sparse import coo_matrix

from etl.demo.frame import GRID_M

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shapely.geometry.base import BaseGeometry


def faces_of(boundary: BaseGeometry, lines: Sequence[BaseGeometry]) -> np.ndarray:
    """Return the faces into which `lines` cut `boundary`; coordinates lie on the millimetre grid."""
    noded = shapely.union_all(np.array([boundary.boundary, *lines], dtype=object), grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    return faces[shapely.contains_properly(boundary.buffer(GRID_M), shapely.point_on_surface(faces))]


def shared_borders(faces: np.ndarray) -> coo_matrix:
    """Return the symmetric matrix of border lengths that pairs of faces share, metres."""
    starts, ends, owners = _edges(faces)
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    order = np.lexsort((high, low))
    low, high, owners = low[order], high[order], owners[order]
    same = np.flatnonzero((low[1:] == low[:-1]) & (high[1:] == high[:-1]))
    length = np.abs(low[same] - high[same]) * GRID_M
    a, b = owners[same], owners[same + 1]
    n = len(faces)
    return coo_matrix((np.tile(length, 2), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n, n))


def _edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rings, ring_face = shapely.get_rings(faces, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    mm = np.round(xy / GRID_M)
    key = mm[:, 0] + 1j * mm[:, 1]
    inside = ring[1:] == ring[:-1]
    return key[:-1][inside], key[1:][inside], ring_face[ring[:-1][inside]]


def groups_without_slivers(
    faces: np.ndarray, kinds: np.ndarray, is_sliver: Callable[[Any, float, str], bool]
) -> np.ndarray:
    """Return a group number for each face: slivers join the neighbour they share most border with, own kind first."""
    areas, borders = shapely.area(faces), shared_borders(faces).tocsr()
    group = np.arange(len(faces))
    for k in np.argsort(areas).tolist():
        if not is_sliver(faces[k], float(areas[k]), str(kinds[k])):
            continue
        row = slice(borders.indptr[k], borders.indptr[k + 1])
        near, length = borders.indices[row], borders.data[row]
        other = group[near] != group[k]
        if other.any():
            score = length * np.where(kinds[near] == kinds[k], 4.0, 1.0) * other
            group[group == group[k]] = group[near[score.argmax()]]
    return group


def merged(faces: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unite the faces of each group; return the polygons and, for each, the index of its largest face."""
    areas, order = shapely.area(faces), np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    polygons, chiefs = [], []
    for members in np.split(order, cuts):
        polygons.append(faces[members[0]] if len(members) == 1 else shapely.union_all(faces[members]))
        chiefs.append(members[areas[members].argmax()])
    return np.array(polygons, dtype=object), np.array(chiefs)


def is_exact(polygons: np.ndarray, boundary: shapely.Polygon) -> bool:
    """Tell whether polygons cover the boundary with neither gap nor overlap (1e-6 of its area, and as a coverage)."""
    exact_area = abs(shapely.area(polygons).sum() - boundary.area) <= 1e-6 * boundary.area
    return bool(exact_area and shapely.coverage_is_valid(polygons))
