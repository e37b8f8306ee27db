"""What changed between two versions of a table, by key, field and shape; the only writer of that SQL.

A row's key is (id, year). Rows are compared by a hash of what they say, streamed in DuckDB; where they come from is
not compared, so that a new delivery of the same content is no change.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from twin import duck

if TYPE_CHECKING:
    from twin.store.verified import Snapshot

FILE = "part.parquet"
PROVENANCE = ("_run", "_source", "_source_sha256", "_row", "_resource", "bbox")
"""Columns that say where a row came from, not what it says."""
BOX = ("xmin", "ymin", "xmax", "ymax")
SHAPES = ("geom", "geometry")
"""A shape's column: in a serving copy (EPSG:3857), in a published Parquet file (degrees)."""
MEMORY = "512MB"
KEY = ("id", "year")
GEOMETRY = "geometry"
"""How a shape is called among the values of a change: as WKB."""
How = Literal["added", "removed", "changed"]
HOWS: tuple[How, ...] = ("added", "removed", "changed")

KEYS = """
CREATE TEMP TABLE {into} AS
SELECT coalesce(a.id, b.id) AS id, coalesce(a.year, b.year) AS year,
       CASE WHEN a.content IS NULL THEN 'added' WHEN b.content IS NULL THEN 'removed' ELSE 'changed' END AS how
FROM (SELECT id, year, hash({content}) AS content FROM {before}) a
FULL JOIN (SELECT id, year, hash({content}) AS content FROM {after}) b
  ON a.id = b.id AND a.year IS NOT DISTINCT FROM b.year
WHERE a.content IS DISTINCT FROM b.content
"""
COUNTS = "SELECT how, count(*) FROM {into} GROUP BY how"
BY_FIELD = """
SELECT {sums} FROM (SELECT * FROM {into} WHERE how = 'changed') k
JOIN {before} a ON a.id = k.id AND a.year IS NOT DISTINCT FROM k.year
JOIN {after} b ON b.id = k.id AND b.year IS NOT DISTINCT FROM k.year
"""
ROWS = """
SELECT k.how, k.id, k.year, a.id IS NOT NULL, b.id IS NOT NULL, {values}{moved}
FROM (
  SELECT * FROM {into} WHERE list_contains(?, how) ORDER BY year NULLS FIRST, id, how LIMIT {limit} OFFSET {offset}
) k
LEFT JOIN {before} a ON a.id = k.id AND a.year IS NOT DISTINCT FROM k.year
LEFT JOIN {after} b ON b.id = k.id AND b.year IS NOT DISTINCT FROM k.year
ORDER BY k.year NULLS FIRST, k.id, k.how
"""
MERCATOR = "ST_Transform({side}.geometry::GEOMETRY, 'EPSG:4326', 'EPSG:3857', always_xy := true)"
RADIUS_M = 6378137.0
SCALE = f"cosh(ST_Y(ST_Centroid({{shape}})) / {RADIUS_M})"
"""How much EPSG:3857 stretches a length at a place: 1 / cos(latitude), on its sphere."""
MOVED: Mapping[str, str] = {
    "polygon": "(ST_Area({a}) + ST_Area({b}) - 2 * ST_Area(ST_Intersection({a}, {b}))) / ({scale} * {scale})",
    "line": "(ST_Length({a}) + ST_Length({b}) - 2 * ST_Length(ST_Intersection({a}, {b}))) / {scale}",
    "point": "ST_Distance({a}, {b}) / {scale}",
}
"""What moved: the area (m²) that only one of both has, the length (m) that only one has, the way (m) of a point."""
DESCRIBE = "DESCRIBE SELECT * FROM {relation}"


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Two relations with `id` and `year`, the columns both are compared by, their shape's column ("": none), kind."""

    was: str
    has: str
    columns: tuple[str, ...]
    shape: str = ""
    kind: str = ""

    @property
    def compared(self) -> str:
        """Write what is compared."""
        names = [*self.columns, *([self.shape] if self.shape else [])]
        return ", ".join(duck.quote(n) for n in names) or "1"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row that differs: all values of one side where the other has none, else those that differ, of both.

    A shape stands among them as `geometry` (WKB, in the relation's CRS). `moved` is in m² for polygons, in m else.
    """

    how: How
    id: str
    year: int | None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    moved: float | None = None


class Found:
    """What differs between two sides, found once and read in pages; close it."""

    def __init__(self, connection: duck.Connection, sides: Sides) -> None:
        self._connection = connection
        self._sides = sides
        self._into = f"differing_{secrets.randbits(48):x}"
        connection.execute(KEYS.format(into=self._into, content=sides.compared, before=sides.was, after=sides.has))

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the keys go."""
        self._connection.execute(f"DROP TABLE IF EXISTS {self._into}")

    def counts(self) -> dict[How, int]:
        """Count the rows by how they differ."""
        told = dict(self._connection.execute(COUNTS.format(into=self._into)).fetchall())
        return {how: int(told.get(how, 0)) for how in HOWS}

    def by_field(self) -> dict[str, int]:
        """Count the changed rows by the field that differs; a shape counts as `geometry`."""
        sides = self._sides
        names = [*sides.columns, *([sides.shape] if sides.shape else [])]
        quoted = [duck.quote(n) for n in names if n not in KEY]
        if not quoted:
            return {}
        sums = ", ".join(f"count(*) FILTER (a.{q} IS DISTINCT FROM b.{q})" for q in quoted)
        sql = BY_FIELD.format(sums=sums, into=self._into, before=sides.was, after=sides.has)
        [row] = self._connection.execute(sql).fetchall()
        told = zip((n for n in names if n not in KEY), row, strict=True)
        return {GEOMETRY if n in SHAPES else n: int(count) for n, count in told if count}

    def rows(self, hows: Sequence[How] = HOWS, *, limit: int, offset: int = 0) -> list[Change]:
        """Give a page of the differing rows, by year and id."""
        sides = self._sides
        names = [n for n in sides.columns if n not in KEY]
        listed = [f"{side}.{duck.quote(n)}" for side in "ab" for n in names]
        if sides.shape:
            listed += [f"ST_AsWKB({side}.{sides.shape}::GEOMETRY)::BLOB" for side in "ab"]
        sql = ROWS.format(
            values=", ".join(listed) or "1",
            moved=", " + _moved(sides) if sides.shape else "",
            into=self._into,
            before=sides.was,
            after=sides.has,
            limit=int(limit),
            offset=int(offset),
        )
        return [_change(row, names, sides) for row in self._connection.execute(sql, [list(hows)]).fetchall()]

    def every(self, hows: Sequence[How] = HOWS, *, at_a_time: int = 1000) -> Iterator[Change]:
        """Give all differing rows, so many at a time in memory."""
        offset = 0
        while some := self.rows(hows, limit=at_a_time, offset=offset):
            yield from some
            offset += len(some)


def _moved(sides: Sides) -> str:
    a, b = (f"{s}.geom::GEOMETRY" if sides.shape == "geom" else MERCATOR.format(side=s) for s in ("a", "b"))
    formula = MOVED.get(sides.kind, MOVED["point"]).format(a=f"({a})", b=f"({b})", scale=SCALE.format(shape=b))
    return f"CASE WHEN k.how = 'changed' AND a.{sides.shape} IS DISTINCT FROM b.{sides.shape} THEN {formula} END"


def _change(row: Sequence[Any], names: Sequence[str], sides: Sides) -> Change:
    how, key, year, had, has = row[:5]
    names = list(names)
    before, after = list(row[5 : 5 + len(names)]), list(row[5 + len(names) : 5 + 2 * len(names)])
    if sides.shape:
        wkb = row[5 + 2 * len(names) : 7 + 2 * len(names)]
        names, before, after = [*names, GEOMETRY], [*before, wkb[0]], [*after, wkb[1]]
    pairs = {n: (x, y) for n, x, y in zip(names, before, after, strict=True) if how != "changed" or not _same(x, y)}
    return Change(
        how=how,
        id=key,
        year=year,
        before={n: x for n, (x, _) in pairs.items()} if had else {},
        after={n: y for n, (_, y) in pairs.items()} if has else {},
        moved=float(row[-1]) if sides.shape and row[-1] is not None else None,
    )


def _same(x: Any, y: Any) -> bool:
    return x == y or (x != x and y != y)  # noqa: PLR0124 - NaN is what is not itself


def applied(
    rows: Mapping[tuple[str, int | None], Mapping[str, Any]], changes: Iterator[Change] | Sequence[Change]
) -> dict[tuple[str, int | None], Mapping[str, Any]]:
    """Give what `rows` (by key) become by `changes`: those of the version before become those of the one after."""
    left = dict(rows)
    for change in changes:
        key = (change.id, change.year)
        if change.how == "removed":
            del left[key]
        else:
            left[key] = {**left.get(key, {}), **change.after}
    return left


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Rows by (id, year): new in b, gone from a, and with other values; `columns` that only one version has."""

    added: tuple[tuple[str, int | None], ...]
    removed: tuple[tuple[str, int | None], ...]
    changed: tuple[tuple[str, int | None], ...]
    columns: tuple[str, ...]


def compare(a: Snapshot, b: Snapshot) -> Difference:
    """Compare snapshot `a` (before) with `b` (after) over the columns both have; provenance does not count."""
    with duck.connect(threads=2, memory=MEMORY) as connection:
        sides, columns = of_files(connection, a, b)
        with Found(connection, sides) as found:
            keys = connection.execute(f"SELECT how, id, year FROM {found._into} ORDER BY ALL").fetchall()  # noqa: SLF001
    told = {how: tuple((r[1], r[2]) for r in keys if r[0] == how) for how in HOWS}
    return Difference(added=told["added"], removed=told["removed"], changed=told["changed"], columns=columns)


def of_files(connection: duck.Connection, a: Snapshot, b: Snapshot) -> tuple[Sides, tuple[str, ...]]:
    """Give the published Parquet files of two snapshots as sides, and the columns that only one of them has."""
    before, after = (f"read_parquet({duck.literal(s.file(FILE))}, hive_partitioning = false)" for s in (a, b))
    names = [_names(connection, r) for r in (before, after)]
    both = tuple(n for n in names[0] if n in names[1] and n not in PROVENANCE and n not in SHAPES)
    shape = GEOMETRY if all(GEOMETRY in n for n in names) else ""
    sides = Sides(was=before, has=after, columns=both, shape=shape, kind=str(b.manifest.get("kind", "")))
    return sides, tuple(sorted(set(names[0]) ^ set(names[1])))


def _names(connection: duck.Connection, relation: str) -> list[str]:
    return [row[0] for row in connection.execute(DESCRIBE.format(relation=relation)).fetchall()]
