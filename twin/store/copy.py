"""The serving copy of a version: one DuckDB file whose table `features` answers tiles, lists and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import duck
from twin.store import quadgrid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROW_GROUP = 16384
"""Rows between zone maps: small enough that a tile reads few rows beyond its own (a multiple of 2048)."""
FEATURES = """
CREATE TABLE {target}.features AS
SELECT * EXCLUDE (geom), geom,
       ST_XMin(geom) AS xmin, ST_YMin(geom) AS ymin, ST_XMax(geom) AS xmax, ST_YMax(geom) AS ymax
FROM (SELECT * EXCLUDE (geometry, bbox),
             ST_Reverse(ST_Transform(geometry::GEOMETRY, 'EPSG:4326', 'EPSG:3857', always_xy := true)) AS geom
      FROM read_parquet({parquet}, hive_partitioning = false))
"""
PLAIN = "CREATE TABLE {target}.features AS SELECT * FROM read_parquet({parquet}, hive_partitioning = false)"
INDEX = "CREATE INDEX features_id ON {target}.features (id)"


def derive(
    connection: duck.Connection,
    parquet: Path,
    directory: Path,
    *,
    tile_columns: Sequence[str] = (),
    class_columns: Sequence[str] = (),
    source_layer: str = "",
) -> None:
    """Write `serving.duckdb` (and, for large tables, pre-cut tiles) for the published `parquet` into `directory`.

    `tile_columns` are the public columns tiles may carry; `class_columns` those of them that colour a layer. The low
    zooms keep the dominant value of each that has few values. `source_layer` names the MVT layer (the table).
    """
    described = connection.execute(
        f"DESCRIBE SELECT * FROM read_parquet({duck.literal(parquet)}, hive_partitioning = false)"
    ).fetchall()
    with_geometry = any(row[0] == "geometry" for row in described)
    connection.execute(f"ATTACH {duck.literal(directory / 'serving.duckdb')} AS serving (ROW_GROUP_SIZE {ROW_GROUP})")
    try:
        sql = FEATURES if with_geometry else PLAIN
        connection.execute(sql.format(target="serving", parquet=duck.literal(parquet)))
        connection.execute(INDEX.format(target="serving"))
        if with_geometry:
            columns = list(dict.fromkeys((*class_columns, *tile_columns)))
            quadgrid.cut(connection, "serving.features", directory, columns=columns, source_layer=source_layer)
    finally:
        connection.execute("DETACH serving")
