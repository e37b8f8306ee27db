"""Geometry as an ArcGIS FeatureServer writes it → shapes; a clockwise ring is an outer one, by Esri's rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely


def geometry(value: Mapping[str, Any]) -> Any:
    """Give the shape of an esriJSON geometry (x, y; paths; rings; in its own system), None where it has none."""
    try:
        if "rings" in value:
            return _areas([np.asarray(r, float)[:, :2] for r in value["rings"] if len(r) > 3])
        if "paths" in value:
            lines: list[Any] = [shapely.linestrings(np.asarray(p, float)[:, :2]) for p in value["paths"] if len(p) > 1]
            return lines[0] if len(lines) == 1 else shapely.multilinestrings(lines) if lines else None
        if isinstance(value.get("x"), (int, float)) and isinstance(value.get("y"), (int, float)):
            return shapely.points(float(value["x"]), float(value["y"]))
    except (TypeError, ValueError, IndexError, shapely.GEOSException):
        return None
    return None


def _areas(rings: Sequence[Any]) -> Any:
    """Give the polygon, or the multipolygon, of rings: each hole goes into the outer ring that holds it."""
    made = [shapely.linearrings(r) for r in rings]
    outer = [r for r in made if not shapely.is_ccw(r)] or made[:1]
    holes: list[list[Any]] = [[] for _ in outer]
    for ring in made:
        if all(ring is not o for o in outer):
            inside = (
                i for i, o in enumerate(outer) if shapely.contains(shapely.polygons(o), shapely.get_point(ring, 0))
            )
            holes[next(inside, 0)].append(ring)
    polygons = [shapely.polygons(o, holes=h or None) for o, h in zip(outer, holes, strict=True)]
    return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons) if polygons else None
