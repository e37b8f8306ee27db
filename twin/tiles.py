"""(layer, z, x, y, year) → bytes: vector tiles of all tables a layer draws, raster, terrain and 3D files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin import classes, duck, editions, rasters
from twin.classes import label_source
from twin.errors import NotFound, StoreBroken
from twin.policy import DEEPEST, Policy, Subject, unknown
from twin.store.pyramid import ABSENT, lookup

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from twin.model import Layer, OneMap
    from twin.store import Serving, Snapshot

EARTH_M = 20037508.342789244
"""Half the side of the EPSG:3857 square, metres."""
EXTENT = 4096
BUFFER = 64 / EXTENT
"""What a tile carries beyond its edge, so that outlines and casings do not show the seams."""
MAXZOOM = 22
FORMAT = "2"
"""Part of every version token: raise it when the same rows give other bytes."""
DIMENSION = {"polygon": 3, "line": 2, "point": 1}
MVT_TYPES = frozenset({"VARCHAR", "FLOAT", "DOUBLE", "INTEGER", "BIGINT", "BOOLEAN"})
"""Column types ST_AsMVT writes; the rest are cast."""
CASTS = {"SMALLINT": "INTEGER", "TINYINT": "INTEGER", "UINTEGER": "BIGINT", "HUGEINT": "DOUBLE", "DECIMAL": "DOUBLE"}

Bounds = tuple[float, float, float, float]

QUERY = """
SELECT ST_AsMVT(t, ?, 4096, 'geom') FROM (
  SELECT {columns}, ST_TransScale({clipped}, {dx}, {dy}, {k}, -{k})::GEOMETRY AS geom FROM {features}
  WHERE xmin <= {c} AND xmax >= {a} AND ymin <= {d} AND ymax >= {b}{edition}{crossing}
) t WHERE NOT ST_IsEmpty(geom) HAVING count(*) > 0
"""
CLIPPED = """CASE WHEN xmin >= {west} AND xmax <= {east} AND ymin >= {south} AND ymax <= {north} THEN geom
  ELSE ST_CollectionExtract(ST_Intersection(geom, ST_MakeEnvelope({a}, {b}, {c}, {d})), {dimension}) END"""
"""Only what reaches more than a whole tile beyond is clipped: the map scissors each tile, and clipping costs."""
LABELS = """
SELECT ST_AsMVT(t, ?, 4096, 'geom') FROM (
  SELECT * EXCLUDE (spot), ST_TransScale(spot, {dx}, {dy}, {k}, -{k})::GEOMETRY AS geom FROM (
    SELECT {columns}, ST_PointOnSurface(geom) AS spot FROM {features}
    WHERE xmin <= {c} AND xmax >= {a} AND ymin <= {d} AND ymax >= {b}{edition}
  ) WHERE ST_X(spot) >= {a} AND ST_X(spot) < {c} AND ST_Y(spot) > {b} AND ST_Y(spot) <= {d}
) t HAVING count(*) > 0
"""
"""One point for each area, in the one tile that holds it: a name is written once, not once a tile."""
CROSSING = """
  AND ((xmin >= {a} AND xmax <= {c} AND ymin >= {b} AND ymax <= {d})
       OR ST_Intersects(geom, ST_MakeEnvelope({a}, {b}, {c}, {d})))"""
"""What only its box puts into the tile stays out, so that counts are those of the geometry."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Which tile: zoom, column, row (XYZ, north-west origin), and the year shown (None: the newest)."""

    z: int
    x: int
    y: int
    year: int | None = None

    def bounds(self, buffer: float = 0.0) -> Bounds:
        """Give (xmin, ymin, xmax, ymax) in EPSG:3857 metres, widened by `buffer` of the side."""
        side = 2 * EARTH_M / 2**self.z
        west, north = -EARTH_M + self.x * side, EARTH_M - self.y * side
        edge = side * buffer
        return west - edge, north - side - edge, west + side + edge, north + edge


def labelled(layer: Layer, zoom: int) -> frozenset[str]:
    """Give the tables of `layer` whose features are named by a symbol at `zoom`."""
    return frozenset(d.table for d in layer.draws if classes.names_areas(d) and min(d.minzoom, DEEPEST) <= zoom)


class Tiles:
    """Tiles over a village's served snapshots, as one subject may see them."""

    def __init__(self, onemap: OneMap, serving: Serving, policy: Policy) -> None:
        self._onemap = onemap
        self._serving = serving
        self._policy = policy
        self._selected: dict[tuple[str, tuple[str, ...]], str] = {}

    def versions(self, subject: Subject, layer: Layer) -> str:
        """Name the very data, policy and declaration a layer's tiles are made of now; raises StoreBroken."""
        parts = [FORMAT, self._policy.digest(subject, [layer.id, *sorted({d.table for d in layer.draws})])]
        for table, columns in self._policy.tile_columns(subject, layer).items():
            parts.append(f"{table}:{self._version(table)}:{','.join(columns)}")
        parts += [f"{d.table}:{self._version(d.table)}" for d in layer.draws if d.type in ("raster", "hillshade")]
        return hashlib.blake2b("|".join(parts).encode(), digest_size=9).hexdigest()

    def _version(self, table: str) -> str:
        snapshot = self._delivered(table)
        return snapshot.version if snapshot else "-"

    def vector(self, subject: Subject, layer: Layer, at: Address) -> bytes:
        """Give the MVT of a layer, one source-layer per table, b"" where it is empty; raises StoreBroken."""
        parts = []
        named = labelled(layer, at.z)
        for table, columns in self._policy.tile_columns(subject, layer, at.z).items():
            try:
                parts.append(self._table(table, columns, at, labels=table in named))
            except NotFound:
                continue  # declared, not yet delivered
        return b"".join(parts)

    def _table(self, table: str, columns: Sequence[str], at: Address, *, labels: bool) -> bytes:
        snapshot = self._serving.snapshot(table)
        where = editions.where(snapshot.manifest.get("years"), at.year)
        if where is None:
            return b""
        year = where[0][2] if where else None
        cut = lookup(snapshot, year, at.z, at.x, at.y)
        if cut is not ABSENT:
            return cut or b""
        drawn = self._computed(snapshot, columns, at, year)
        if not labels or not drawn or snapshot.manifest.get("kind") != "polygon":
            return drawn
        return drawn + self._computed(snapshot, columns, at, year, labels=True)

    def _computed(
        self, snapshot: Snapshot, columns: Sequence[str], at: Address, year: int | None, *, labels: bool = False
    ) -> bytes:
        connection, features = self._serving.cursor(snapshot.table)
        listed = self._columns(connection, features, columns)
        if labels:
            sql, name = _label_sql(features, listed, at, year=year), label_source(snapshot.table)
        else:
            dimension = DIMENSION.get(snapshot.manifest.get("kind", ""), 0)
            sql, name = _sql(features, listed, at, dimension=dimension, year=year), snapshot.table
        try:
            row = connection.execute(sql, [name]).fetchone()
        except duck.Error as error:
            raise StoreBroken(
                f"{snapshot.table} 的瓦片无法计算,请运行 python -m etl run 重新发布",
                f"A tile of {snapshot.table} cannot be computed: publish it again with python -m etl run",
                table=snapshot.table,
            ) from error
        return bytes(row[0]) if row and row[0] else b""

    def _columns(self, connection: duck.Connection, features: str, columns: Sequence[str]) -> str:
        """Give the select list: id and the permitted columns that are there, cast to what MVT can hold."""
        key = (features, tuple(columns))
        if key not in self._selected:
            types = {r[0]: r[1] for r in connection.execute(f"DESCRIBE {features}").fetchall()}
            self._selected[key] = ", ".join(_cast(c, types[c]) for c in ("id", *columns) if c in types)
        return self._selected[key]

    def raster(self, subject: Subject, layer: Layer, at: Address) -> bytes | None:
        """Give the image of a layer's raster draw, None outside its coverage; raises NotFound, StoreBroken."""
        table = next((d.table for d in layer.draws if d.type == "raster" and self._policy.sees(subject, d.table)), None)
        if table is None:
            raise unknown(layer.id)
        path = self._image(table, at.year)
        return None if path is None else rasters.tile(path, at.z, at.x, at.y)

    def terrain(self, subject: Subject, at: Address) -> bytes | None:
        """Give the terrain-RGB PNG of the village's ground, None where none is known; raises StoreBroken."""
        snapshot = self.ground(subject)
        return None if snapshot is None else rasters.terrain_tile(snapshot.file("terrain.tif"), at.z, at.x, at.y)

    def ground(self, subject: Subject) -> Snapshot | None:
        """Give the snapshot of the elevation the village's hillshade draws, None where there is none."""
        for layer in self._policy.layers(subject):
            for draw in layer.draws:
                if draw.type == "hillshade" and self._policy.sees(subject, draw.table):
                    return self._delivered(draw.table)
        return None

    def _delivered(self, table: str) -> Snapshot | None:
        """Give the current snapshot, None for what is declared and not yet delivered; raises StoreBroken."""
        try:
            return self._serving.store.current(table)
        except NotFound:
            return None

    def _image(self, table: str, year: int | None) -> Path | None:
        snapshot = self._delivered(table)
        where = editions.where(snapshot.manifest.get("years"), year) if snapshot else None
        if snapshot is None or where is None:
            return None
        return snapshot.file(f"{where[0][2]}.tif" if where else "base.tif")

    def scene(self, subject: Subject, table: str, path: str) -> tuple[Path, str]:
        """Give a file of a table's 3D Tiles and its SHA-256; raises NotFound."""
        self._policy.decide(subject, "see", table)
        snapshot = self._serving.store.current(table)
        name = f"scene/{path}"
        if name not in snapshot.manifest["files"]:
            raise unknown(f"{table}/{path}")
        return snapshot.file(name), snapshot.manifest["files"][name]["sha256"]


def _sql(features: str, columns: str, at: Address, *, dimension: int, year: int | None) -> str:
    """Write the tile query; numbers are literals of ours, so that zone maps prune by them."""
    box = dict(zip("abcd", at.bounds(BUFFER), strict=True))
    west, south, east, north = at.bounds(1.0)
    around = {"west": west, "south": south, "east": east, "north": north}
    left, _, right, top = at.bounds()
    return QUERY.format(
        columns=columns,
        clipped=CLIPPED.format(**box, **around, dimension=dimension) if dimension > 1 else "geom",
        dx=-left,
        dy=-top,
        k=EXTENT / (right - left),
        features=features,
        edition="" if year is None else f" AND year = {year:d}",
        crossing=CROSSING.format(**box) if dimension > 1 else "",
        **box,
    )


def _label_sql(features: str, columns: str, at: Address, *, year: int | None) -> str:
    """Write the query of the points that names of areas are written at."""
    left, bottom, right, top = at.bounds()
    box = {"a": left, "b": bottom, "c": right, "d": top}
    edition = "" if year is None else f" AND year = {year:d}"
    return LABELS.format(
        columns=columns, features=features, edition=edition, dx=-left, dy=-top, k=EXTENT / (right - left), **box
    )


def _cast(column: str, kind: str) -> str:
    name = duck.quote(column)
    if kind in MVT_TYPES:
        return name
    return f"{name}::{CASTS.get(kind.partition('(')[0], 'VARCHAR')} AS {name}"
