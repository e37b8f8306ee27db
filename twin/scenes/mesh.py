"""Footprints with heights → triangles: a flat roof, and walls shaded by the way they face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from twin.scenes import earth

if TYPE_CHECKING:
    from collections.abc import Sequence

SHADES = 12
"""Wall materials from shadow to light."""
ROOF = SHADES
LIGHT_FROM_DEGREES = 270.0
"""Not the cartographer's 315: houses face south, more or less, and of those a light from the diagonal shades two walls
that meet alike."""


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles as an unindexed-by-material soup: positions and normals (n, 3) in local east, north, up metres.

    `feature` (n,) is the number of the building a vertex belongs to; `triangles` (m, 3) index vertices; `material`
    (m,) is a wall shade 0 … SHADES-1 or ROOF.
    """

    positions: np.ndarray
    normals: np.ndarray
    feature: np.ndarray
    triangles: np.ndarray
    material: np.ndarray


def extrude(
    footprints: Sequence[shapely.Geometry], base_m: np.ndarray, top_m: np.ndarray, origin: tuple[float, float]
) -> Mesh:
    """Raise each footprint (polygons, degrees lon/lat) from `base_m` to `top_m`; there is no floor."""
    parts, owner = shapely.get_parts(np.asarray(footprints), return_index=True)
    parts = shapely.orient_polygons(parts)
    walls = _walls(parts, owner, base_m, top_m, origin)
    roofs = _roofs(parts, owner, top_m, origin)
    shift = len(walls.positions)
    return Mesh(
        positions=np.concatenate([walls.positions, roofs.positions]),
        normals=np.concatenate([walls.normals, roofs.normals]),
        feature=np.concatenate([walls.feature, roofs.feature]),
        triangles=np.concatenate([walls.triangles, roofs.triangles + shift]),
        material=np.concatenate([walls.material, roofs.material]),
    )


def _walls(
    parts: np.ndarray, owner: np.ndarray, base_m: np.ndarray, top_m: np.ndarray, origin: tuple[float, float]
) -> Mesh:
    rings, part_of = shapely.get_rings(parts, return_index=True)
    xy, ring_of = shapely.get_coordinates(rings, return_index=True)
    starts = np.flatnonzero((ring_of[:-1] == ring_of[1:]) & (xy[:-1] != xy[1:]).any(axis=1))
    feature = owner[part_of[ring_of[starts]]]
    a, b = xy[starts], xy[starts + 1]
    low, high = base_m[feature], top_m[feature]
    corners = [(a, low), (b, low), (b, high), (a, high)]
    quads = np.stack([earth.local(p[:, 0], p[:, 1], h, origin) for p, h in corners], axis=1)
    along = quads[:, 1] - quads[:, 0]
    normals = np.stack([along[:, 1], -along[:, 0], np.zeros(len(along))], axis=1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    first = 4 * np.arange(len(quads))[:, None]
    triangles = (first + np.array([0, 1, 2, 0, 2, 3])).reshape(-1, 3)
    return Mesh(
        positions=quads.reshape(-1, 3),
        normals=np.repeat(normals, 4, axis=0),
        feature=np.repeat(feature, 4),
        triangles=triangles,
        material=np.repeat(_shade(normals), 2),
    )


def _shade(normals: np.ndarray) -> np.ndarray:
    azimuth = np.degrees(np.arctan2(normals[:, 0], normals[:, 1]))
    light = (1 + np.cos(np.radians(azimuth - LIGHT_FROM_DEGREES))) / 2
    return np.minimum((light * SHADES).astype(int), SHADES - 1)


def _roofs(parts: np.ndarray, owner: np.ndarray, top_m: np.ndarray, origin: tuple[float, float]) -> Mesh:
    pieces, part_of = shapely.get_parts(shapely.constrained_delaunay_triangles(parts), return_index=True)
    corners = shapely.get_coordinates(shapely.orient_polygons(pieces)).reshape(-1, 4, 2)[:, :3].reshape(-1, 2)
    feature = np.repeat(owner[part_of], 3)
    positions = earth.local(corners[:, 0], corners[:, 1], top_m[feature], origin)
    return Mesh(
        positions=positions,
        normals=np.tile([0.0, 0.0, 1.0], (len(positions), 1)),
        feature=feature,
        triangles=np.arange(len(positions)).reshape(-1, 3),
        material=np.full(len(pieces), ROOF),
    )
