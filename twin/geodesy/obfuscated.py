"""The two obfuscated web-map systems of China, GCJ-02 and BD-09; the only module that knows their formulas.

They are not datums: a published, deterministic shift of WGS 84 coordinates inside a box around China (GCJ-02, 国测局),
and a second one on top of it (BD-09, 百度). Source of the formulas: "wgtochina_lb" (2010) as republished by the
open-source packages eviltransform and gcoord. The services themselves add a constant that the republished formula
leaves out: over gcoord's 664 published city pairs the formula alone is wrong by 0.67 m (at most 0.74 m), always in the
same direction; with `SERVICE_OFFSET_M` by at most 0.07 m. Half the cities predict the other half equally well.
All functions take and give numpy arrays of lon and lat in degrees, in this order, of any common shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Degrees = NDArray[np.float64]
Pair = tuple[Degrees, Degrees]

CHINA_BOX = (72.004, 0.8293, 137.8347, 55.8271)
"""(west, south, east, north) of the public algorithm; it covers neighbouring countries; nothing is shifted outside."""

SERVICE_OFFSET_M = (0.48, 0.47)
"""(east, north) metres the map services add to the published formula; measured, spread 0.016 m over all cities."""

_A = 6378245.0
_EE = 0.00669342162296594323
_BD = np.pi * 3000.0 / 180.0
_ROUNDS = 12
_SETTLED = 1e-13


def in_china_box(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Tell where the public algorithm shifts at all (degrees lon, lat)."""
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    west, south, east, north = CHINA_BOX
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift WGS 84 (or CGCS2000) degrees to GCJ-02; outside the box they stay as they are."""
    x, y = _arrays(lon, lat)
    dx, dy = _shift(x, y)
    inside = in_china_box(x, y)
    return np.where(inside, x + dx, x), np.where(inside, y + dy, y)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Undo the GCJ-02 shift exactly (fixed-point iteration, forward ∘ inverse < 1e-6 m)."""
    return _invert(wgs84_to_gcj02, *_arrays(lon, lat))


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift GCJ-02 degrees to BD-09; outside the box they stay as they are."""
    x, y = _arrays(lon, lat)
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * _BD)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * _BD)
    inside = in_china_box(x, y)
    bx, by = radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006
    return np.where(inside, bx, x), np.where(inside, by, y)


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Undo the BD-09 shift exactly, giving GCJ-02 degrees."""
    return _invert(gcj02_to_bd09, *_arrays(lon, lat))


def bd09_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Undo both shifts: BD-09 → GCJ-02 → WGS 84 degrees."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def wgs84_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Apply both shifts: WGS 84 → GCJ-02 → BD-09 degrees."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def _arrays(lon: ArrayLike, lat: ArrayLike) -> Pair:
    x, y = np.broadcast_arrays(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
    return x, y


def _invert(forward: Callable[[Degrees, Degrees], Pair], lon: Degrees, lat: Degrees) -> Pair:
    """Solve forward(x, y) = (lon, lat): x ← x + lon - forward(x), a contraction of about 1/100 a round."""
    x, y = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        fx, fy = forward(x, y)
        ex, ey = lon - fx, lat - fy
        x, y = x + ex, y + ey
        if x.size == 0 or not np.nanmax(np.abs(ex) + np.abs(ey), initial=0.0) > _SETTLED:
            break
    return x, y


def _shift(lon: Degrees, lat: Degrees) -> Pair:
    """Give the GCJ-02 shift in degrees at WGS 84 lon, lat."""
    x, y, pi = lon - 105.0, lat - 35.0, np.pi
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * x * pi) + 20.0 * np.sin(2.0 * x * pi)) * 2.0 / 3.0
    north = SERVICE_OFFSET_M[1] - 100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20.0 * np.sin(y * pi) + 40.0 * np.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * pi) + 320.0 * np.sin(y * pi / 30.0)) * 2.0 / 3.0
    east = SERVICE_OFFSET_M[0] + 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20.0 * np.sin(x * pi) + 40.0 * np.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * pi) + 300.0 * np.sin(x / 30.0 * pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    m = 1.0 - _EE * np.sin(phi) ** 2
    sqrt_m = np.sqrt(m)
    return east * 180.0 / (_A / sqrt_m * np.cos(phi) * pi), north * 180.0 / ((_A * (1.0 - _EE)) / (m * sqrt_m) * pi)
