"""What a county's table adds up to, by town and class: worked out part by part, and added up in whole numbers.

Areas are summed in square centimetres and lengths in tenths of a millimetre, as integers: whichever part is added
first, and by whichever worker, the county's sums are the same to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twin import duck
from twin.model import Resource

PER_MEASURE = 10_000
"""Parts of a square metre or a metre that are counted."""
MU_M2 = 2000 / 3
"""One mu (亩) in square metres."""
TOWN = 9
BY_CLASS = """
SELECT substr(CAST({area} AS VARCHAR), 1, {digits}) AS town, COALESCE(CAST({land} AS VARCHAR), '') AS class,
       count(*), CAST(sum(CAST(round({measure} * {per}) AS HUGEINT)) AS VARCHAR)
FROM read_parquet({parquet}, hive_partitioning = false) GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, kw_only=True, order=True)
class Sum:
    """The rows of one class in one town, and their area (in cm²) or length (in 0.1 mm); 0 where they have neither."""

    town: str
    land_class: str
    rows: int
    measured: int

    @property
    def mu(self) -> float:
        """Give the area in mu (亩) = 2000/3 m², to four places."""
        return round(self.measured / PER_MEASURE / MU_M2, 4)


def of_part(resource: Resource, parquet: Path) -> list[Sum]:
    """Sum one partition of `resource` by the town its `area_field` names and the class its code system knows."""
    land = next((f.name for f in resource.fields if f.code_system and f.code_system == resource.code_system), "")
    measure = {"polygon": "area_m2", "line": "length_m"}.get(resource.kind, "")
    sql = BY_CLASS.format(
        area=duck.quote(resource.area_field),
        digits=TOWN,
        land=duck.quote(land) if land else "''",
        measure=duck.quote(measure) if measure else "0",
        per=PER_MEASURE,
        parquet=duck.literal(parquet),
    )
    connection = duck.connect(spatial=False)
    try:
        found = connection.execute(sql).fetchall()
    finally:
        connection.close()
    return [Sum(town=t, land_class=c, rows=n, measured=int(m or 0)) for t, c, n, m in found]


def added(sums: Iterable[Sum]) -> list[Sum]:
    """Add up what has the same town and class, in any order; give the sums in order of both."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one in sums:
        rows, measured = found.get((one.town, one.land_class), (0, 0))
        found[one.town, one.land_class] = (rows + one.rows, measured + one.measured)
    return [Sum(town=t, land_class=c, rows=n, measured=m) for (t, c), (n, m) in sorted(found.items())]


def to_lists(sums: Sequence[Sum]) -> list[list[str | int]]:
    """Give sums as they stand in a manifest."""
    return [[s.town, s.land_class, s.rows, s.measured] for s in sums]


def from_lists(rows: Iterable[Sequence[str | int]]) -> list[Sum]:
    """Read what `to_lists` wrote."""
    return [Sum(town=str(t), land_class=str(c), rows=int(n), measured=int(m)) for t, c, n, m in rows]
