"""One tile as SQL: which rows of a serving copy it holds, how they are clipped, scaled and cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import duck
from twin.web_mercator_quad import HALF_M, bounds, corner, side_m

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EXTENT = 4096
BUFFER = 64 / EXTENT
"""What a tile carries beyond its edge, so that outlines and casings do not show the seams."""
DIMENSION = {"polygon": 3, "line": 2, "point": 1}
MVT_TYPES = frozenset({"VARCHAR", "FLOAT", "DOUBLE", "INTEGER", "BIGINT", "BOOLEAN"})
"""Column types ST_AsMVT writes; the rest are cast."""
CASTS = {"SMALLINT": "INTEGER", "TINYINT": "INTEGER", "UINTEGER": "BIGINT", "HUGEINT": "DOUBLE", "DECIMAL": "DOUBLE"}

ROWS = """
  SELECT {columns}, ST_Affine({clipped}, {k}, 0, 0, -{k}, {dx}, {dy}) AS geom FROM {features}
  WHERE xmin <= {c} AND xmax >= {a} AND ymin <= {d} AND ymax >= {b}{edition}{crossing}
"""
"""The rows of a tile, or of many: the numbers are literals, or columns that say of which tile a row is meant."""
ONE = "SELECT ST_AsMVT(t, ?, 4096, 'geom') FROM ({rows}) t WHERE NOT ST_IsEmpty(geom) HAVING count(*) > 0"
MANY = """
SELECT _x, _y, ST_AsMVT({{{fields}, 'geom': geom}}, ?, 4096, 'geom') FROM ({rows})
WHERE NOT ST_IsEmpty(geom) GROUP BY _x, _y
"""
MEANT = """(
  SELECT *, _left - {edge} AS _a, _top - {side} - {edge} AS _b, _left + {side} + {edge} AS _c, _top + {edge} AS _d,
         _left - {side} AS _west, _top - {side} - {side} AS _south,
         _left + {side} + {side} AS _east, _top + {side} AS _north
  FROM (
    SELECT *, -{earth} + _x * {side} AS _left, {earth} - _y * {side} AS _top FROM (
      SELECT *, unnest(range(_y0, _y1 + 1)) AS _y FROM (
        SELECT *, unnest(range(_x0, _x1 + 1)) AS _x FROM (
          SELECT *, greatest(ceil((xmin + {earth}) / {side} - {buffer})::BIGINT - 1, {x0}) AS _x0,
                 least(floor((xmax + {earth}) / {side} + {buffer})::BIGINT, {x1}) AS _x1,
                 greatest(ceil(({earth} - ymax) / {side} - {buffer})::BIGINT - 1, {y0}) AS _y0,
                 least(floor(({earth} - ymin) / {side} + {buffer})::BIGINT, {y1}) AS _y1
          FROM {features} WHERE xmin <= {c} AND xmax >= {a} AND ymin <= {d} AND ymax >= {b}{edition}
        )
      )
    )
  )
)"""
"""Each row once for every tile its box may reach into, with the numbers of that tile."""
CLIPPED = """CASE WHEN xmin >= {west} AND xmax <= {east} AND ymin >= {south} AND ymax <= {north} THEN geom
  ELSE ST_CollectionExtract(ST_Intersection(geom, ST_MakeEnvelope({a}, {b}, {c}, {d})), {dimension}) END"""
"""Only what reaches more than a whole tile beyond is clipped: the map scissors each tile, and clipping costs."""
CROSSING = """
  AND ((xmin >= {a} AND xmax <= {c} AND ymin >= {b} AND ymax <= {d})
       OR ST_Intersects(geom, ST_MakeEnvelope({a}, {b}, {c}, {d})))"""
"""What only its box puts into the tile stays out, so that counts are those of the geometry."""


def query(features: str, columns: str, at: tuple[int, int, int], *, dimension: int, year: int | None) -> str:
    """Write the query of tile `at` (z, x, y), whose one parameter is the name of the source-layer.

    `columns` is a select list (`selected`); `dimension` that of the geometry (`DIMENSION`), 0 where it is mixed.
    Numbers are literals of ours, so that zone maps prune by them.
    """
    box = dict(zip("abcd", bounds(*at, BUFFER), strict=True))
    west, south, east, north = bounds(*at, 1.0)
    around = {"west": west, "south": south, "east": east, "north": north}
    left, top = corner(*at)
    k = EXTENT / side_m(at[0])
    scale = {"k": k, "dx": -left * k, "dy": top * k}
    return ONE.format(rows=_rows(features, columns, {**box, **around, **scale}, dimension, edition(year)))


def descendants(
    features: str, known: Mapping[str, str], columns: Iterable[str], parent: tuple[int, int, int], z: int,
    *, dimension: int, year: int | None,
) -> str:  # fmt: skip
    """Write the query of all tiles of zoom `z` below `parent`: rows (x, y, MVT) of the features `query` gives."""
    n = 2 ** (z - parent[0])
    side = side_m(z)
    x0, y0 = parent[1] * n, parent[2] * n
    a, b, c, d = bounds(*parent, BUFFER / n)
    meant = MEANT.format(
        features=features, edition=edition(year), a=a, b=b, c=c, d=d, x0=x0, x1=x0 + n - 1, y0=y0, y1=y0 + n - 1,
        earth=f"{HALF_M}::DOUBLE", side=f"{side}::DOUBLE", edge=f"{side * BUFFER}::DOUBLE", buffer=f"{BUFFER}::DOUBLE",
    )  # fmt: skip
    names = [name for name in dict.fromkeys(("id", *columns)) if name in known]
    fields = ", ".join(f"{duck.literal(name)}: {duck.quote(name)}" for name in names)
    numbers = {name: f"_{name}" for name in (*"abcd", "west", "south", "east", "north")}
    k = f"{EXTENT / side}::DOUBLE"
    scale = {"k": k, "dx": f"-_left * {k}", "dy": f"_top * {k}"}
    rows = _rows(meant, f"_x, _y, {selected(known, names)}", {**numbers, **scale}, dimension, "")
    return MANY.format(fields=fields, rows=rows)


def _rows(features: str, columns: str, numbers: Mapping[str, object], dimension: int, edition: str) -> str:
    return ROWS.format(
        columns=columns,
        features=features,
        edition=edition,
        clipped=CLIPPED.format(**numbers, dimension=dimension) if dimension > 1 else "geom",
        crossing=CROSSING.format(**numbers) if dimension > 1 else "",
        **numbers,
    )


def edition(year: int | None) -> str:
    """Write the condition that keeps one edition, "" for a table without editions."""
    return "" if year is None else f" AND year = {year:d}"


def types(connection: duck.Connection, features: str) -> dict[str, str]:
    """Give the column types of a relation."""
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {features}").fetchall()}


def selected(known: Mapping[str, str], columns: Iterable[str]) -> str:
    """Write the select list of a tile: id and those of `columns` that are `known`, cast to what MVT can hold."""
    return ", ".join(cast(c, known[c]) for c in dict.fromkeys(("id", *columns)) if c in known)


def cast(column: str, kind: str) -> str:
    """Write a column of the DuckDB type `kind` as what MVT can hold, under its own name."""
    name = duck.quote(column)
    if kind in MVT_TYPES:
        return name
    return f"{name}::{CASTS.get(kind.partition('(')[0], 'VARCHAR')} AS {name}"
