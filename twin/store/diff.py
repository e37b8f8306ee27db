"""What changed between two versions of a table, by key and content: the change feed of a publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin import duck

if TYPE_CHECKING:
    from twin.store.verified import Snapshot

FILE = "part.parquet"
PROVENANCE = ("_run", "_source", "_source_sha256", "_row", "_resource", "bbox")
"""Columns that say where a row came from, not what it says; a new delivery of the same content is no change."""
CHANGES = """
SELECT coalesce(a.id, b.id) AS id, coalesce(a.year, b.year) AS year,
       CASE WHEN a.id IS NULL THEN 'added' WHEN b.id IS NULL THEN 'removed' ELSE 'changed' END AS change
FROM (SELECT id, year, hash({content}) AS content FROM read_parquet({a}, hive_partitioning = false)) a
FULL JOIN (SELECT id, year, hash({content}) AS content FROM read_parquet({b}, hive_partitioning = false)) b
  ON a.id = b.id AND a.year IS NOT DISTINCT FROM b.year
WHERE a.content IS DISTINCT FROM b.content
"""
COLUMNS = "DESCRIBE SELECT * FROM read_parquet({file}, hive_partitioning = false)"
"""A folder called v=… is not a column called v."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Rows by (id, year): new in b, gone from a, and with other values; `columns` that only one version has."""

    added: tuple[tuple[str, int | None], ...]
    removed: tuple[tuple[str, int | None], ...]
    changed: tuple[tuple[str, int | None], ...]
    columns: tuple[str, ...]


def compare(a: Snapshot, b: Snapshot) -> Difference:
    """Compare snapshot `a` (before) with `b` (after) over the columns both have; provenance does not count."""
    with duck.connect(threads=2, memory="2GB", spatial=False) as connection:
        names = [_names(connection, s) for s in (a, b)]
        both = [n for n in names[0] if n in names[1] and n not in PROVENANCE]
        content = ", ".join(duck.quote(n) for n in both)
        sql = CHANGES.format(content=content, a=duck.literal(a.file(FILE)), b=duck.literal(b.file(FILE)))
        rows = connection.execute(sql + " ORDER BY ALL").fetchall()
    found = {kind: tuple((r[0], r[1]) for r in rows if r[2] == kind) for kind in ("added", "removed", "changed")}
    return Difference(**found, columns=tuple(sorted(set(names[0]) ^ set(names[1]))))


def _names(connection: duck.Connection, snapshot: Snapshot) -> list[str]:
    described = connection.execute(COLUMNS.format(file=duck.literal(snapshot.file(FILE)))).fetchall()
    return [row[0] for row in described]
