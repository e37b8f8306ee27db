"""Low zooms that keep every row: a table as a grid of cells with their dominant classes, cut into PMTiles.

Tilers thin polygons until a tile fits, and lose 65–99 % of a cadastre's area below z12. A cell instead carries the
class that covers most of it, the number of rows whose middle lies in it, and their area: nothing is lost.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from twin import duck
from twin.store import archive
from twin.store.cut import EXTENT
from twin.web_mercator_quad import HALF_M, side_m

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from twin.store.archive import Tile

ZOOMS = range(8, 13)
LARGE = 20_000
"""Rows from which a table is cut at publish; smaller ones are computed whole at every zoom."""
CELLS = 128
"""Cells a tile side: four CSS pixels each."""
DISTINCT = 64
"""A text column of at most this many values can be a class."""
SPAN = EXTENT // CELLS

AT_ONCE = 8
"""Tiles encoded by one query: what an encoder holds cannot spill, so it must not grow with the table."""

FINEST = """
CREATE OR REPLACE TEMP TABLE quadgrid_rows AS
SELECT year, floor(((xmin + xmax) / 2 + {half}) / {cell})::INTEGER AS gx,
       floor(({half} - (ymin + ymax) / 2) / {cell})::INTEGER AS gy,
       count(*) AS n, sum({area})::DOUBLE AS a{columns}
FROM {features} GROUP BY ALL
"""
"""The table by cells of the finest zoom and classes; coarser zooms are made of it, so the table is read once."""
COARSER = """
CREATE OR REPLACE TEMP TABLE quadgrid_rows AS
SELECT year, (gx // 2)::INTEGER AS gx, (gy // 2)::INTEGER AS gy, sum(n)::BIGINT AS n, sum(a)::DOUBLE AS a{columns}
FROM quadgrid_rows GROUP BY ALL
"""
CELLS_SQL = """
CREATE OR REPLACE TEMP TABLE quadgrid_cells AS
SELECT year, gx, gy, sum(n)::BIGINT AS n, sum(a)::DOUBLE AS a FROM quadgrid_rows GROUP BY ALL
"""
DOMINANT = """
CREATE OR REPLACE TEMP TABLE quadgrid_cells AS
SELECT c.*, d.top.c AS {column} FROM quadgrid_cells c JOIN (
  SELECT year, gx, gy, max({{'a': a, 'c': {column}}}) AS top FROM (
    SELECT year, gx, gy, {column}, coalesce(sum(a), sum(n)) AS a FROM quadgrid_rows GROUP BY ALL
  ) GROUP BY ALL
) d ON c.gx = d.gx AND c.gy = d.gy AND c.year IS NOT DISTINCT FROM d.year
"""
DROP = "DROP TABLE quadgrid_rows; DROP TABLE quadgrid_cells"
TOUCHED = """
SELECT year, list(DISTINCT (gy // {cells}) * {across} + gx // {cells}) FROM quadgrid_cells GROUP BY year
"""
RUNS = """
SELECT tx, gy, min(gx) AS x0, max(gx) + 1 AS x1, sum(n)::BIGINT AS n, sum(a)::DOUBLE AS a{columns} FROM (
  SELECT *, gx // {cells} AS tx, {run} AS run FROM (
    SELECT *, row_number() OVER (PARTITION BY gy, gx // {cells}{columns} ORDER BY gx) AS nth FROM quadgrid_cells
    WHERE year IS NOT DISTINCT FROM {year} AND (gy // {cells}) * {across} + gx // {cells} IN ({tiles})
  )
) GROUP BY gy, tx, run{columns}
"""
TILES = """
SELECT tx::INTEGER, (gy // {cells})::INTEGER AS ty,
       ST_AsMVT({{'n': n{area}{fields}, 'geom': {shape}}}, {layer}, {extent}, 'geom')
FROM ({runs}) GROUP BY ALL
"""
BOX = """ST_Reverse(ST_MakeEnvelope((x0 - tx * {cells}) * {span}, (gy % {cells}) * {span},
                                    (x1 - tx * {cells}) * {span}, (gy % {cells} + 1) * {span}))"""
MIDDLE = "ST_Point((x0 - tx * {cells}) * {span} + {span} / 2, (gy % {cells}) * {span} + {span} / 2)"
KINDS = "SELECT count(*), list(DISTINCT ST_GeometryType(geom)::VARCHAR) FROM {features}"
VALUES = "SELECT {counts} FROM {features}"


def worth(connection: duck.Connection, features: str) -> int | None:
    """Give the dimension of the geometry (3 areas, 1 points) of a table to be cut, None for small and line tables."""
    rows, kinds = connection.execute(KINDS.format(features=features)).fetchall()[0]
    if rows <= LARGE:
        return None
    if set(kinds) <= {"POINT", "MULTIPOINT"}:
        return 1
    return 3 if set(kinds) <= {"POLYGON", "MULTIPOLYGON"} else None


def cut(
    connection: duck.Connection, features: str, *, columns: Sequence[str], source_layer: str, points: bool
) -> dict[int | None, list[Tile]]:
    """Give the cells of each edition of `features` (EPSG:3857, see `twin.store.copy`) as tiles in archive order.

    A feature is a run of neighbouring cells (for points: a cell's middle) with the dominant value of each of `columns`
    that is a class, `n` rows and, where the table has it, `area_m2`.
    """
    described = {r[0]: r[1] for r in connection.execute(f"DESCRIBE {features}").fetchall()}
    classes = _classes(connection, features, [c for c in columns if described.get(c) in ("VARCHAR", "BOOLEAN")])
    with_area = "area_m2" in described
    cut_tiles: dict[int | None, list[Tile]] = {}
    for z in reversed(ZOOMS):
        _grid(connection, features, z, classes, with_area=with_area)
        for year, x, y, data in _tiles(connection, z, classes, source_layer, points=points, with_area=with_area):
            packed = gzip.compress(bytes(data), archive.LEVEL, mtime=0)
            cut_tiles.setdefault(year, []).append((z, x, y, packed))
    connection.execute(DROP)
    return {year: sorted(tiles, key=lambda t: archive.order(*t[:3])) for year, tiles in cut_tiles.items()}


def _classes(connection: duck.Connection, features: str, columns: Sequence[str]) -> list[str]:
    if not columns:
        return []
    counts = ", ".join(f"approx_count_distinct({duck.quote(c)})" for c in columns)
    found = connection.execute(VALUES.format(counts=counts, features=features)).fetchall()[0]
    return [c for c, n in zip(columns, found, strict=True) if n <= DISTINCT]


def _grid(connection: duck.Connection, features: str, z: int, classes: Sequence[str], *, with_area: bool) -> None:
    """Make the cells of `z`, the finest zoom from the table, each coarser one from the one before."""
    listed = "".join(f", {duck.quote(c)}" for c in classes)
    if z == ZOOMS[-1]:
        area = "area_m2" if with_area else "NULL::DOUBLE"
        cell = side_m(z) / CELLS
        connection.execute(FINEST.format(half=HALF_M, cell=cell, area=area, columns=listed, features=features))
    else:
        connection.execute(COARSER.format(columns=listed))
    connection.execute(CELLS_SQL)
    for column in classes:
        connection.execute(DOMINANT.format(column=duck.quote(column)))


def _tiles(
    connection: duck.Connection, z: int, classes: Sequence[str], layer: str, *, points: bool, with_area: bool
) -> Iterator[tuple[int | None, int, int, bytes]]:
    """Give (year, x, y, MVT) of every tile with cells, encoding a few at a time."""
    across = 2**z
    for year, touched in connection.execute(TOUCHED.format(cells=CELLS, across=across)).fetchall():
        for first in range(0, len(touched), AT_ONCE):
            some = ", ".join(map(str, touched[first : first + AT_ONCE]))
            where = {"year": "NULL" if year is None else year, "across": across, "tiles": some}
            sql = _tiles_sql(classes, layer, where, points=points, with_area=with_area)
            yield from ((year, *found) for found in connection.execute(sql).fetchall())


def _tiles_sql(
    classes: Sequence[str], layer: str, where: Mapping[str, object], *, points: bool, with_area: bool
) -> str:
    listed = "".join(f", {duck.quote(c)}" for c in classes)
    run = "gx" if points else "gx - nth"
    return TILES.format(
        cells=CELLS,
        extent=EXTENT,
        layer=duck.literal(layer),
        area=", 'area_m2': a" if with_area else "",
        fields="".join(f", {duck.literal(c)}: {duck.quote(c)}" for c in classes),
        shape=(MIDDLE if points else BOX).format(cells=CELLS, span=SPAN),
        runs=RUNS.format(cells=CELLS, columns=listed, run=run, **where),
    )
