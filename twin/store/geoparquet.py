"""The published Parquet of a table: GeoParquet 1.1 with CRS, covering and Hilbert order; the only writer of one.

DuckDB's own GeoParquet writer has no covering and loses the CRS after a transform, so the `geo` key is ours. The
geometry is plain WKB: Parquet's newer type of its own is unreadable to QGIS and GDAL with an Arrow before it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin import duck

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROW_GROUP = 20480
GEOMETRY_TYPES = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "POLYGON": "Polygon",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
    "GEOMETRYCOLLECTION": "GeometryCollection",
}
FACTS = """
SELECT count(*), min(ST_XMin(geometry)), min(ST_YMin(geometry)), max(ST_XMax(geometry)), max(ST_YMax(geometry)),
       list_sort(list(DISTINCT ST_GeometryType(geometry)::VARCHAR)) FROM {relation}
"""
COUNT = "SELECT count(*) FROM {relation}"
COPY_GEOMETRY = """
COPY (
  SELECT * EXCLUDE (geometry), ST_AsWKB(geometry::GEOMETRY)::BLOB AS geometry,
         {{'xmin': ST_XMin(geometry), 'ymin': ST_YMin(geometry),
           'xmax': ST_XMax(geometry), 'ymax': ST_YMax(geometry)}} AS bbox
  FROM {relation}
  ORDER BY year NULLS FIRST, ST_Hilbert(geometry::GEOMETRY, {bounds}), id
) TO {path} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {row_group}, GEOPARQUET_VERSION 'NONE',
             KV_METADATA {{geo: {geo}}})
"""
COPY_PLAIN = """
COPY (SELECT * FROM {relation} ORDER BY year NULLS FIRST, id)
TO {path} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {row_group})
"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was written: rows, bbox (storage CRS, lon/lat order) and GeoParquet geometry types; no bbox, no geometry."""

    rows: int
    bbox: tuple[float, float, float, float] | None
    geometry_types: tuple[str, ...]


def write(
    connection: duck.Connection, relation: str, path: Path, *, projjson: Mapping[str, Any] | None = None
) -> Facts:
    """Write `relation` to `path`, sorted by year and Hilbert curve.

    `relation` is a table, view or `read_parquet(…)` with columns `id`, `year` and, where `projjson` is given,
    `geometry` (valid, exteriors counter-clockwise, x = lon and y = lat of that CRS). Without it there is no geometry.
    """
    if projjson is None:
        connection.execute(COPY_PLAIN.format(relation=relation, path=duck.literal(path), row_group=ROW_GROUP))
        rows = connection.execute(COUNT.format(relation=relation)).fetchall()[0][0]
        return Facts(rows=rows, bbox=None, geometry_types=())
    rows, *box, types = connection.execute(FACTS.format(relation=relation)).fetchall()[0]
    bbox = tuple(box) if rows else (0.0, 0.0, 0.0, 0.0)
    names = tuple(GEOMETRY_TYPES[t] for t in types or () if t)
    geo = json.dumps(_geo_key(projjson, bbox, names), ensure_ascii=False)
    corners = "{{'min_x': {}, 'min_y': {}, 'max_x': {}, 'max_y': {}}}::BOX_2D".format(*map(repr, bbox))
    connection.execute(
        COPY_GEOMETRY.format(
            relation=relation,
            bounds=corners,
            path=duck.literal(path),
            row_group=ROW_GROUP,
            geo=duck.literal(geo),
        )
    )
    return Facts(rows=rows, bbox=bbox, geometry_types=names)


def _geo_key(projjson: Mapping[str, Any], bbox: tuple[float, ...], types: tuple[str, ...]) -> dict[str, Any]:
    column = {
        "encoding": "WKB",
        "geometry_types": list(types),
        "crs": dict(projjson),
        "orientation": "counterclockwise",
        "bbox": list(bbox),
        "covering": {"bbox": {k: ["bbox", k] for k in ("xmin", "ymin", "xmax", "ymax")}},
    }
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
