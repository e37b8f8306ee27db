"""What changed in a delivery beside the version that serves: a unit, a type, a heading; each is held and named."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl.gates import Hold
from twin import duck
from twin.store import Snapshot

if TYPE_CHECKING:
    from etl.columns import Drift
    from etl.staging import Delivered
    from twin.model import Field, Resource

FEWEST = 20
"""With fewer rows known by their key from before, a common factor proves nothing."""
NARROW = 0.01
"""Ratios of nine rows in ten within this share of one another, and of 1 no nearer than it, are one factor."""
ALIKE = 0.5
"""An added column that holds at least this share of a missing one's values is suggested as its new name."""
SAMPLE = 4096
RATIOS = """
SELECT count(*), quantile_cont(n.{column} / p.{column}, 0.05), quantile_cont(n.{column} / p.{column}, 0.5),
  quantile_cont(n.{column} / p.{column}, 0.95)
FROM publishable n JOIN read_parquet({file}, hive_partitioning = false) p
  ON n.id = p.id AND n.year IS NOT DISTINCT FROM p.year
WHERE abs(p.{column}) > 0 AND n.{column} IS NOT NULL
"""
VALUES = "SELECT DISTINCT CAST({column} AS VARCHAR) FROM read_parquet({file}, hive_partitioning = false) LIMIT {most}"
_FAMILIES = (
    ("number", ("int", "uint", "float", "double", "half", "decimal", "number", "bigint", "smallint", "integer")),
    ("boolean", ("bool",)),
    ("date", ("date", "timestamp", "time")),
    ("string", ("string", "large_string", "varchar", "dictionary", "char")),
)


def holds(
    connection: duck.Connection, resource: Resource, parent: Snapshot, delivered: Sequence[Delivered]
) -> list[Hold]:
    """Give a hold for every declared column whose unit or type is no longer what it was in `parent`."""
    return [*units(connection, resource, parent), *retyped(resource, parent.manifest, delivered)]


def units(connection: duck.Connection, resource: Resource, parent: Snapshot) -> list[Hold]:
    """Hold a delivery in which a number of the same rows, by key, is what it was times one factor."""
    known = {c.get("name") for c in parent.manifest.get("columns", ())}
    found: list[Hold] = []
    for item in resource.fields:
        if item.type != "number" or item.name == resource.key or item.name not in known:
            continue
        sql = RATIOS.format(column=duck.quote(item.name), file=duck.literal(parent.file("part.parquet")))
        rows, low, middle, high = connection.execute(sql).fetchall()[0]
        if rows >= FEWEST and middle > 0 and high - low <= NARROW * middle and abs(middle - 1) > NARROW:
            found.append(_unit(item, middle))
    return found


def _unit(item: Field, factor: float) -> Hold:
    return Hold(
        zh=f"“{item.title.zh}”({item.source})的值是上一版的 {factor:.6g} 倍,单位可能变了(申报单位:{item.unit or '无'})",
        en=f"{item.title.en} ({item.source}) is {factor:.6g} times what it was: its unit has probably changed "
        f"(declared: {item.unit or 'none'})",
        kind="unit",
        old=item.source,
        new=f"× {factor:.6g}",
    )


def retyped(resource: Resource, parent: Mapping[str, Any], delivered: Iterable[Delivered]) -> list[Hold]:
    """Hold a delivery in which a declared heading came as another type than it did in `parent`."""
    before = {s["path"]: s.get("types", {}) for s in parent.get("sources", ())}
    found: list[Hold] = []
    for one in delivered:
        was = before.get(one.location, {})
        for item in resource.fields:
            old, new = family(was.get(item.source, "")), family(one.types.get(item.source, ""))
            if old and new and old != new:
                found.append(
                    Hold(
                        zh=f"{one.location} 的“{item.source}”由 {old} 变为 {new}",
                        en=f"“{item.source}” of {one.location} went from {old} to {new}",
                        kind="type",
                        old=f"{item.source}: {old}",
                        new=f"{item.source}: {new}",
                    )
                )
    return found


def family(kind: str) -> str:
    """Give what a type's name comes to: "number", "boolean", "date", "string", "" for anything else."""
    small = kind.lower()
    return next((name for name, starts in _FAMILIES if small.startswith(starts)), "")


def named(found: Drift, one: Delivered, parent: Snapshot | None, connection: duck.Connection) -> Drift:
    """Add to a drift the pairs of old and new heading that hold the same values."""
    known = {c.get("name") for c in parent.manifest.get("columns", ())} if parent else set()
    missing = [f for f in found.missing if f.name in known and all(f is not g for g, _ in found.renamed)]
    if not missing or not found.added or parent is None:
        return found
    sample = _sample(one, found.added)
    pairs = list(found.renamed)
    for item in missing:
        sql = VALUES.format(
            column=duck.quote(item.name), file=duck.literal(parent.file("part.parquet")), most=10 * SAMPLE
        )
        before = {_plain(v) for (v,) in connection.execute(sql).fetchall()} - {""}
        shares = [(len(before & sample[h]) / max(1, len(sample[h])), h) for h in found.added if sample[h]]
        best = max(shares, default=(0.0, ""))
        if best[0] >= ALIKE:
            pairs.append((item, best[1]))
    return dataclasses.replace(found, renamed=tuple(pairs))


def _sample(one: Delivered, headings: Sequence[str]) -> dict[str, set[str]]:
    """Give the first values of each heading, as text."""
    with pa.OSFile(str(one.shelf.raw)) as file:
        reader = pa.ipc.open_file(file)
        if not reader.num_record_batches:
            return {h: set() for h in headings}
        batch = reader.get_batch(0)
    return {h: {_plain(v) for v in batch.column(h)[:SAMPLE].to_pylist()} - {""} for h in headings}


def _plain(value: object) -> str:
    """Give a value as text in which 3 and 3.0 are one."""
    said = "" if value is None else str(value).strip()
    return said.removesuffix(".0")
