"""Lines that say what must not be done: red lines, the plan's control lines; and terraces and contours of the land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter

from etl.demo.lines import level_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.demo.terrain import Terrain

Row = dict[str, Any]
_SETTLED = ("0702", "08H1", "08H2", "05H1", "0810", "0601", "0809")
_FARMLAND = ("永久基本农田", "永久基本农田", "不得占用建设、挖塘、种树", "自然资源和规划局")
_ECOLOGY = ("生态保护红线", "示溪源水源涵养", "不得开发建设和开垦", "自然资源和规划局")
_SOURCE = ("水源保护", "上塘水库保护范围", "不得养殖、排污、垦种", "水利局")


def _parts(rows: Sequence[Row], grow: float, shrink: float, least: float, boundary: shapely.Polygon) -> list[Any]:
    """Unite rows, grown and shrunk again so that small gaps close, into polygons of at least `least` m²."""
    whole = shapely.union_all([row["geometry"].buffer(grow) for row in rows]).intersection(boundary)
    parts = shapely.get_parts(shapely.set_precision(whole.buffer(-shrink), 0.001))
    return [part for part in parts if part.geom_type == "Polygon" and part.area > least]


def red_lines(parcels: Sequence[Row], boundary: shapely.Polygon) -> list[Row]:
    """Return basic farmland, ecological and water protection lines, with what they forbid and who answers."""
    now = [row for row in parcels if row["year"] == 2025]
    paddies = [row for row in now if row["sandiao"] == "0101"]
    woods = [row for row in now if row["sandiao"] in ("0301", "0307") and row["elevation_m"] > 120]
    lake = [row for row in now if row["sandiao"] == "1103"]
    found = [(_FARMLAND, part) for part in _parts(paddies, 0, 0, 8_000, boundary)]
    found += [(_ECOLOGY, part) for part in _parts(woods, 0, 0, 30_000, boundary)]
    found += [(_SOURCE, part) for part in _parts(lake, 60, 0, 0, boundary)]
    columns = ("control_type", "control_name", "forbidden", "contact")
    return [
        {"line_id": f"DX{k + 1:03d}", **dict(zip(columns, what, strict=True)), "geometry": part}
        for k, (what, part) in enumerate(found)
    ]


def plan_controls(parcels: Sequence[Row], boundary: shapely.Polygon) -> list[Row]:
    """Return the plan's lines: where building may spread, and the river's managed range."""
    now = [row for row in parcels if row["year"] == 2025]
    settled = _parts([row for row in now if row["sandiao"] in _SETTLED], 9, 9, 4_000, boundary)
    river = _parts([row for row in now if row["sandiao"] in ("1101", "1106")], 12, 0, 10_000, boundary)
    found = [("村庄建设边界", f"村庄建设边界 {k + 1}", part) for k, part in enumerate(settled)]
    found += [("河道管理范围线", "示溪河道管理范围线", part) for part in river]
    return [
        {
            "control_id": f"GK{k + 1:03d}",
            "control_type": kind,
            "control_name": name,
            "geometry": shapely.LineString(part.exterior.coords),
        }
        for k, (kind, name, part) in enumerate(found)
    ]


def terraces(parcels: Sequence[Row]) -> list[Row]:
    """Return the terraced slopes: united sloping fields of the present year."""
    fields = [
        row["geometry"]
        for row in parcels
        if row["year"] == 2025 and row["zone"] == "terrace" and row["sandiao"] in ("0103", "0201", "0202")
    ]
    parts = [part for part in shapely.get_parts(shapely.union_all(fields)) if part.area > 6000]
    return [
        {"terrace_id": f"TT{k + 1:03d}", "name": f"{k + 1}号梯田", "step_m": 2.75, "geometry": part}
        for k, part in enumerate(parts)
    ]


def contours(terrain: Terrain, boundary: shapely.Polygon) -> list[Row]:
    """Return 5 m contours of the undisturbed land form within the village."""
    field, rows = gaussian_filter(terrain.z, 0.8), []
    for level in np.arange(5 * np.ceil(field.min() / 5), field.max(), 5.0):
        inside = shapely.intersection(
            np.array([line.simplify(0.6) for line in level_lines(field, level)], dtype=object), boundary
        )
        parts = [part for part in shapely.get_parts(inside) if part.geom_type == "LineString" and part.length > 30]
        rows += [
            {"elevation_m": float(level), "is_index": level % 25 == 0, "geometry": shapely.set_precision(part, 0.001)}
            for part in parts
        ]
    return [{"contour_id": f"DG{k + 1:04d}", **row} for k, row in enumerate(rows)]
