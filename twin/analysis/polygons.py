"""Drawn polygons, read and refused; shapes cut by a polygon and measured in the village's metric system; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry import shape

from twin.errors import BadRequest

Shapes = NDArray[np.object_]
MAX_VERTICES = 5_000
TOUCH_M2 = 0.01
"""A polygon that shares less only touches: neighbours along a drawn boundary are not inside."""


def read(geometry: Mapping[str, Any]) -> shapely.Geometry:
    """Read a GeoJSON polygon (or a Feature of one); raises BadRequest."""
    bare = geometry.get("geometry") if geometry.get("type") == "Feature" else geometry
    if not isinstance(bare, Mapping) or bare.get("type") not in ("Polygon", "MultiPolygon"):
        raise BadRequest("请提交 GeoJSON 多边形", "Send a GeoJSON Polygon or MultiPolygon")
    try:
        polygon = shapely.force_2d(shape(dict(bare)))
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as wrong:
        raise BadRequest("多边形的坐标无法读取", "The polygon's coordinates cannot be read") from wrong
    xy = shapely.get_coordinates(polygon)
    if len(xy) > MAX_VERTICES:
        raise BadRequest(f"顶点过多:最多 {MAX_VERTICES} 个", f"Too many vertices: {MAX_VERTICES} at most")
    if polygon.is_empty or not np.isfinite(xy).all() or (np.abs(xy) > [180, 85]).any():
        raise BadRequest("坐标应为经纬度(经度在前)", "Coordinates must be degrees, longitude first")
    if not polygon.is_valid:
        raise BadRequest("多边形的边线自相交,请重画", "The polygon's outline crosses itself: draw it again")
    return polygon


def inside(shapes: Shapes, stored_m2: NDArray[np.float64], metric: shapely.Geometry) -> NDArray[np.float64]:
    """Give how much of each shape lies inside `metric` (m² or m; 1 for a point), NaN where it does not touch.

    Both are in one metric system; a polygon wholly inside counts with its stored area where that is known.
    """
    found = np.full(len(shapes), np.nan)
    dimension = shapely.get_dimensions(shapes)
    shapely.prepare(metric)
    touched = shapely.intersects(metric, shapes)
    whole = shapely.contains(metric, shapes)
    cut = touched & ~whole
    found[whole] = _measure(shapes[whole], dimension[whole])
    found[whole] = np.where(np.isnan(stored_m2[whole]), found[whole], stored_m2[whole])
    found[cut] = _measure(shapely.intersection(shapes[cut], metric), dimension[cut])
    return np.where((dimension == 2) & (found < TOUCH_M2), np.nan, found)


def _measure(shapes: Shapes, dimension: NDArray[np.integer]) -> NDArray[np.float64]:
    """Give area, length or 1 of each shape by the dimension of the row it is (a part) of."""
    return np.select([dimension == 2, dimension == 1], [shapely.area(shapes), shapely.length(shapes)], 1.0)
