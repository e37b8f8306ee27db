"""Rivers, brooks and roads as their inventories list them, and field tracks ended where others took the land."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import shapely

from etl.demo.layout import Layout, river_half_width, strip

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from etl.demo.terrain import Terrain, Valley


def clear_tracks(laid: Layout) -> Layout:
    """Return the layout with field tracks ended where they meet ponds, yards and house blocks."""
    taken = shapely.union_all(
        [*(plot.polygon for plot in laid.plots), *(block.polygon.buffer(2) for block in laid.blocks)]
    )
    roads = []
    for road in laid.roads:
        parts = [road.line] if road.kind != "机耕路" else shapely.get_parts(road.line.difference(taken))
        roads += [replace(road, line=part) for part in parts if part.length > 30]
    return replace(laid, roads=tuple(roads))


def make_river(valley: Valley) -> shapely.Polygon:
    """Return the river's water surface across the whole window."""
    low, high = (lambda s, k=k: valley.river(s) + k * river_half_width(s) for k in (-1, 1))
    return strip(valley, -150, 3250, low, high)


def brooks(terrain: Terrain) -> tuple[tuple[str, shapely.LineString], ...]:
    """Return the side streams as far up as they carry water all year."""
    sides = [one for one in terrain.streams if one.order == 1]
    return tuple((one.name, shapely.LineString(one.xy[: int(0.45 * len(one.xy))])) for one in sides)


def _clipped(line: BaseGeometry, boundary: shapely.Polygon) -> list[BaseGeometry]:
    parts = shapely.get_parts(shapely.set_precision(line.intersection(boundary), 0.001))
    return [part for part in parts if part.length > 5]


def road_rows(laid: Layout, boundary: shapely.Polygon) -> list[dict]:
    """Return the roads' centre lines within the village."""
    rows = [
        {
            "name": road.name,
            "class": road.kind,
            "width_m": road.width_m,
            "surface": road.surface,
            "since_year": road.since,
            "geometry": part,
        }
        for road in laid.roads
        for part in _clipped(road.line, boundary)
    ]
    return [{"road_id": f"DL{k + 1:03d}", **row} for k, row in enumerate(rows)]


def river_rows(laid: Layout, boundary: shapely.Polygon) -> list[dict]:
    """Return the centre lines of the river and its streams, with the river chief who answers for each."""
    chiefs = ("王建平", "李敏", "沈国强", "陈志明", "姚海根")
    named = [
        ("示溪", _centre(laid.river)),
        *((name or f"无名溪{k + 1}", line) for k, (name, line) in enumerate(laid.streams)),
    ]
    rows = [
        {
            "name": name,
            "level": "镇级" if k == 0 else "村级",
            "river_chief_name": chiefs[k % 5],
            "river_chief_phone": f"1390000{600 + k:04d}",
            "geometry": part,
        }
        for k, (name, line) in enumerate(named)
        for part in _clipped(line, boundary)
    ]
    return [{"river_id": f"HL{k + 1:03d}", **row} for k, row in enumerate(rows)]


def _centre(river: shapely.Polygon) -> shapely.LineString:
    xy = shapely.get_coordinates(river)[:-1]
    half = len(xy) // 2
    return shapely.LineString((xy[:half] + xy[half:][::-1]) / 2)


def water_rows(laid: Layout, boundary: shapely.Polygon) -> list[dict]:
    """Return water surfaces: the river, the reservoir and the ponds."""
    waters = [("示溪", "河流", laid.river), ("上塘水库", "水库", laid.reservoir)]
    waters += [
        (plot.name, "养殖塘" if plot.kind == "fish pond" else "坑塘", plot.polygon)
        for plot in laid.plots
        if "pond" in plot.kind
    ]
    rows = [
        {"name": name, "kind": kind, "geometry": part}
        for name, kind, polygon in waters
        for part in _clipped(polygon, boundary)
    ]
    return [{"water_id": f"SY{k + 1:03d}", **row} for k, row in enumerate(rows)]
