"""Positions as departments write them: degrees, another zone's metres, obfuscated, or degrees-minutes-seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.frame import CRS
from twin import geodesy

if TYPE_CHECKING:
    from collections.abc import Sequence

DEGREES = "EPSG:4490"
Pairs = list[tuple[float, float]]


def in_crs(geometries: Sequence[shapely.Geometry], crs: str) -> np.ndarray:
    """Give geometries of the village's metres in "EPSG:n" (x east, y north; degrees as lon, lat)."""
    return geodesy.transform_geometry(np.array(list(geometries), dtype=object), CRS, crs)


def place(rows: Sequence[dict[str, Any]], crs: str) -> None:
    """Put the geometry of every row, in the village's metres, into "EPSG:n"."""
    for row, shape in zip(rows, in_crs([r["geometry"] for r in rows], crs), strict=True):
        row["geometry"] = shape


def lon_lat(points: Sequence[shapely.Point], digits: int = 7) -> Pairs:
    """Give points as (lon, lat) degrees of CGCS2000, rounded to `digits` (7: a centimetre)."""
    return [(round(x, digits), round(y, digits)) for x, y in shapely.get_coordinates(in_crs(points, DEGREES)).tolist()]


def gcj02(points: Sequence[shapely.Point]) -> Pairs:
    """Give points as the (lon, lat) that a click on AutoNavi's or Tencent's map returns."""
    degrees = shapely.get_coordinates(in_crs(points, DEGREES))
    lon, lat = geodesy.wgs84_to_gcj02(degrees[:, 0], degrees[:, 1])
    return [(round(float(x), 7), round(float(y), 7)) for x, y in zip(lon, lat, strict=True)]


def bd09(points: Sequence[shapely.Point]) -> Pairs:
    """Give points as the (lon, lat) that a click on Baidu's map returns."""
    degrees = shapely.get_coordinates(in_crs(points, DEGREES))
    lon, lat = geodesy.wgs84_to_bd09(degrees[:, 0], degrees[:, 1])
    return [(round(float(x), 7), round(float(y), 7)) for x, y in zip(lon, lat, strict=True)]


def dms(degrees: float, *, fancy: bool) -> str:
    """Give an angle as a clerk types it: 119°58′12.34″, or with a typewriter's straight quotes."""
    minutes, seconds = divmod(round(degrees * 3600, 2), 60)
    whole, minutes = divmod(int(minutes), 60)
    return f"{whole}°{minutes:02d}′{seconds:05.2f}″" if fancy else f"{whole}°{minutes:02d}'{seconds:05.2f}\""
