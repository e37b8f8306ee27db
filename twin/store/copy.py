"""The serving copy of a version: one DuckDB file whose table `features` answers tiles, lists and cards."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

from twin import duck
from twin.store import archive, quadgrid
from twin.store.rowcut import RowCutter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from twin.store.archive import Tile

ROW_GROUP = 2048
"""Rows between zone maps: small enough that a tile reads few rows beyond its own (2048 is DuckDB's least)."""
MEMORY_MB = 128
"""What deriving may hold, however many rows there are: they stream through, and the grid spills."""
AT_ONCE, AT_ONCE_MB = 300_000, 320
"""Up to so many rows are laid on all cores, for which DuckDB must hold so much; more would fill it, and gain little."""
INDEX_BYTES = 64
"""What the index of identifiers takes a row while it is made, with room to spare; it cannot spill."""
COMPRESS = "SET disabled_compression_methods = 'fsst'"
"""Trying FSST on every small row group takes a third of the writing and saves nothing: dictionaries win."""
FEATURES = """
CREATE TABLE {target}.features AS
SELECT * EXCLUDE (geom), geom,
       ST_XMin(geom) AS xmin, ST_YMin(geom) AS ymin, ST_XMax(geom) AS xmax, ST_YMax(geom) AS ymax
FROM (SELECT * EXCLUDE (geometry, bbox),
             ST_Reverse(ST_Transform(geometry::GEOMETRY, 'EPSG:4326', 'EPSG:3857', always_xy := true)) AS geom
      FROM read_parquet({parquet}, hive_partitioning = false))
"""
PLAIN = "CREATE TABLE {target}.features AS SELECT * FROM read_parquet({parquet}, hive_partitioning = false)"
ROWS = "SELECT count(*) FROM read_parquet({parquet}, hive_partitioning = false)"
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
    path = directory / "serving.duckdb"
    dimension: int | None = None
    cells: dict[int | None, list[Tile]] = {}
    columns = list(dict.fromkeys((*class_columns, *tile_columns)))
    connection.execute(COMPRESS)
    connection.execute(f"ATTACH {duck.literal(path)} AS serving (ROW_GROUP_SIZE {ROW_GROUP})")
    try:
        _lay(connection, parquet, FEATURES if with_geometry else PLAIN)
        with duck.limited(connection, f"{MEMORY_MB}MB"):
            _index(connection)
            if with_geometry:
                dimension = quadgrid.worth(connection, "serving.features")
            if dimension:
                cells = quadgrid.cut(
                    connection, "serving.features", columns=columns, source_layer=source_layer, points=dimension == 1
                )
    finally:
        connection.execute("DETACH serving")
    duck.give_back()
    if dimension:
        _archive(path, cells, columns=columns, source_layer=source_layer, dimension=dimension)


def _lay(connection: duck.Connection, parquet: Path, features: str) -> None:
    source = duck.literal(parquet)
    rows = connection.execute(ROWS.format(parquet=source)).fetchall()[0][0]
    memory, threads = (AT_ONCE_MB, duck.cores()) if rows <= AT_ONCE else (MEMORY_MB, 1)
    with duck.limited(connection, f"{memory}MB", threads=threads):
        connection.execute(features.format(target="serving", parquet=source))


def _index(connection: duck.Connection) -> None:
    duck.give_back()
    rows = connection.execute("SELECT count(*) FROM serving.features").fetchall()[0][0]
    with duck.limited(connection, f"{max(MEMORY_MB, rows * INDEX_BYTES // 1_000_000)}MB"):
        connection.execute(INDEX.format(target="serving"))
    duck.give_back()


def _archive(
    serving: Path,
    cells: Mapping[int | None, Sequence[Tile]],
    *,
    columns: Sequence[str],
    source_layer: str,
    dimension: int,
) -> None:
    """Write the archive of each edition beside the finished serving copy: its cells, then the rows themselves."""
    cutter = RowCutter(serving, columns=columns, source_layer=source_layer, dimension=dimension)
    with contextlib.closing(cutter):
        for year, coarse in cells.items():
            tiles = itertools.chain(coarse, cutter.tiles(year))
            name = serving.with_name(archive.file_name(year))
            archive.write(name, tiles, source_layer=source_layer, columns=cutter.columns)
