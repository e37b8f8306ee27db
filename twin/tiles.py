"""(layer, z, x, y, year) → bytes: vector tiles of all tables a layer draws, raster, terrain and 3D files."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin import classes, duck, editions, rasters, web_mercator_quad
from twin.classes import label_source
from twin.errors import NotFound, StoreBroken
from twin.policy import DEEPEST, Policy, Subject, unknown
from twin.store import cut, pyramid
from twin.store.pyramid import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from twin.model import Layer, OneMap
    from twin.policy import Permit
    from twin.store import Serving, Snapshot

MAXZOOM = 22
FORMAT = "2"
"""Part of every version token: raise it when the same rows give other bytes."""

LABELS = """
SELECT ST_AsMVT(t, ?, 4096, 'geom') FROM (
  SELECT * EXCLUDE (spot), ST_TransScale(spot, {dx}, {dy}, {k}, -{k})::GEOMETRY AS geom FROM (
    SELECT {columns}, ST_PointOnSurface(geom) AS spot FROM {features}
    WHERE xmin <= {c} AND xmax >= {a} AND ymin <= {d} AND ymax >= {b}{edition}
  ) WHERE ST_X(spot) >= {a} AND ST_X(spot) < {c} AND ST_Y(spot) > {b} AND ST_Y(spot) <= {d}
) t HAVING count(*) > 0
"""
"""One point for each area, in the one tile that holds it: a name is written once, not once a tile."""
BEYOND = """
SELECT xmin, ymin, xmax, ymax FROM {features}
WHERE xmin <= ? AND xmax >= ? AND ymin <= ? AND ymax >= ? AND NOT (xmin >= ? AND ymin >= ? AND xmax <= ? AND ymax <= ?)
"""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Which tile: zoom, column, row (XYZ, north-west origin), and the year shown (None: the newest)."""

    z: int
    x: int
    y: int
    year: int | None = None

    def bounds(self, buffer: float = 0.0) -> web_mercator_quad.Bounds:
        """Give (xmin, ymin, xmax, ymax) in EPSG:3857 metres, widened by `buffer` of the side."""
        return web_mercator_quad.bounds(self.z, self.x, self.y, buffer)


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
                parts.append(self._table(subject, table, columns, at, labels=table in named))
            except NotFound:
                continue  # declared, not yet delivered
        return b"".join(parts)

    def packed(self, subject: Subject, layer: Layer, at: Address) -> bytes | None:
        """Give the same MVT gzip-compressed where one pre-cut tile is all of it, None where it has to be made."""
        tables = self._policy.tile_columns(subject, layer, at.z)
        if len(tables) != 1 or (labelled(layer, at.z) & tables.keys() and pyramid.holds_rows(at.z)):
            return None
        ((table, columns),) = tables.items()
        try:
            found = self._shown(table, at.year)
        except NotFound:
            return None
        cut_tile = self._precut(subject, *found, columns, at) if found else None
        return None if cut_tile is ABSENT else cut_tile or b""

    def _shown(self, table: str, year: int | None) -> tuple[Snapshot, int | None] | None:
        """Give a table's snapshot and the edition that `year` shows of it, None where it shows nothing."""
        snapshot = self._serving.snapshot(table)
        where = editions.where(snapshot.manifest.get("years"), year)
        if where is None:
            return None
        return snapshot, where[0][2] if where else None

    def _precut(
        self, subject: Subject, snapshot: Snapshot, year: int | None, columns: Sequence[str], at: Address
    ) -> bytes | pyramid.Absent | None:
        permit = self._policy.decide(subject, "tile", snapshot.table)
        if permit.limited:
            return ABSENT  # what was cut at publish holds every row where it is
        return pyramid.packed(snapshot, year, at.z, at.x, at.y, wanted=columns, permitted=permit.columns)

    def _table(self, subject: Subject, table: str, columns: Sequence[str], at: Address, *, labels: bool) -> bytes:
        found = self._shown(table, at.year)
        if found is None:
            return b""
        snapshot, year = found
        cut_tile = self._precut(subject, snapshot, year, columns, at)
        if cut_tile is ABSENT:
            drawn = self._computed(subject, snapshot, columns, at, year)
        else:
            drawn = gzip.decompress(cut_tile) if cut_tile else b""
            labels = labels and pyramid.holds_rows(at.z)
        if not labels or not drawn or snapshot.manifest.get("kind") != "polygon":
            return drawn
        return drawn + self._computed(subject, snapshot, columns, at, year, labels=True)

    def _computed(
        self,
        subject: Subject,
        snapshot: Snapshot,
        columns: Sequence[str],
        at: Address,
        year: int | None,
        *,
        labels: bool = False,
    ) -> bytes:
        permit = self._policy.decide(subject, "tile", snapshot.table)
        connection, features = self._serving.cursor(snapshot.table, permit)
        listed = self._columns(*self._serving.cursor(snapshot.table), columns)
        if labels:
            sql, name = _label_sql(features, listed, at, year=year), label_source(snapshot.table)
        else:
            dimension = cut.DIMENSION.get(snapshot.manifest.get("kind", ""), 0)
            sql, name = cut.query(features, listed, (at.z, at.x, at.y), dimension=dimension, year=year), snapshot.table
        try:
            row = connection.execute(sql, [name]).fetchone()
        except duck.Error as error:
            raise StoreBroken(
                f"{snapshot.table} 的瓦片无法计算,请运行 python -m etl run 重新发布",
                f"A tile of {snapshot.table} cannot be computed: publish it again with python -m etl run",
                table=snapshot.table,
            ) from error
        return bytes(row[0]) if row and row[0] else b""

    def beyond(self, permit: Permit, at: Address) -> list[web_mercator_quad.Bounds]:
        """Give the boxes (EPSG:3857 metres) of the rows that a vector tile shows beyond its own square, as far as so.

        Only what reaches more than a whole tile beyond is clipped (`cut.CLIPPED`). Raises NotFound, StoreBroken.
        """
        connection, features = self._serving.cursor(permit.resource, permit)
        left, bottom, right, top = at.bounds(cut.BUFFER)
        west, south, east, north = at.bounds(1.0)
        values = [right, left, top, bottom, *at.bounds()]
        boxes = connection.execute(BEYOND.format(features=features), values).fetchall()
        return [
            (a, b, c, d)
            if a >= west and b >= south and c <= east and d <= north
            else (max(a, left), max(b, bottom), min(c, right), min(d, top))
            for a, b, c, d in boxes
        ]

    def _columns(self, connection: duck.Connection, features: str, columns: Sequence[str]) -> str:
        """Give the select list: id and the permitted columns that are there, cast to what MVT can hold."""
        key = (features, tuple(columns))
        if key not in self._selected:
            self._selected[key] = cut.selected(cut.types(connection, features), columns)
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


def _label_sql(features: str, columns: str, at: Address, *, year: int | None) -> str:
    """Write the query of the points that names of areas are written at."""
    left, bottom, right, top = at.bounds()
    box = {"a": left, "b": bottom, "c": right, "d": top}
    scale = {"dx": -left, "dy": -top, "k": cut.EXTENT / (right - left)}
    return LABELS.format(columns=columns, features=features, edition=cut.edition(year), **scale, **box)
