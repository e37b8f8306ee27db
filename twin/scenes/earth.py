"""Degrees and heights → metres around a point of the ellipsoid; the geometry that 3D Tiles stand on.

Geodetic to ECEF by the closed formula on WGS 84 (EPSG method 9602); local axes are east, north, up at the origin.
"""

from __future__ import annotations

import numpy as np

Number = np.ndarray | float

A = 6378137.0
"""WGS 84 semi-major axis, metres."""
E2 = 6.69437999014e-3
"""WGS 84 first eccentricity squared."""


def ecef(lon: Number, lat: Number, height_m: Number) -> np.ndarray:
    """Give (…, 3) earth-centred metres of degrees `lon`, `lat` and ellipsoidal heights."""
    lam, phi = np.radians(lon), np.radians(lat)
    normal = A / np.sqrt(1 - E2 * np.sin(phi) ** 2)
    x = (normal + height_m) * np.cos(phi) * np.cos(lam)
    y = (normal + height_m) * np.cos(phi) * np.sin(lam)
    return np.stack([x, y, (normal * (1 - E2) + height_m) * np.sin(phi)], axis=-1)


def axes(lon: float, lat: float) -> np.ndarray:
    """Give the (3, 3) matrix whose rows are east, north and up at a point, in earth-centred axes."""
    lam, phi = np.radians(lon), np.radians(lat)
    east = [-np.sin(lam), np.cos(lam), 0.0]
    north = [-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)]
    up = [np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)]
    return np.array([east, north, up])


def transform(lon: float, lat: float) -> list[float]:
    """Give the column-major 4 × 4 matrix from local metres at (lon, lat, 0) to earth-centred ones."""
    matrix = np.eye(4)
    matrix[:3, :3] = axes(lon, lat).T
    matrix[:3, 3] = ecef(lon, lat, 0.0)
    return [float(v) for v in matrix.T.ravel()]


def local(lon: np.ndarray, lat: np.ndarray, height_m: np.ndarray, origin: tuple[float, float]) -> np.ndarray:
    """Give (n, 3) east, north, up metres from `origin` (degrees lon, lat, height 0)."""
    centre = ecef(*origin, 0.0)
    return (ecef(lon, lat, height_m) - centre) @ axes(*origin).T
