"""What lies and lives in each grid cell, with every count of people that could tell of a few left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl.derived.made import Given, Made
from twin.policy import small_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PEOPLE = ("household_count", "resident_count", "elder_count")
"""Columns of counts of people: they add up to the village's, which is told elsewhere."""
GRIDS = """
WITH people AS (SELECT * FROM population WHERE year IS NOT DISTINCT FROM (SELECT max(year) FROM population)),
placed AS (SELECT g.grid_code, b.id, b.danger_grade FROM grid_cell g
  JOIN buildings b ON ST_Contains(g.geometry, ST_Centroid(b.geometry))),
served AS (SELECT g.grid_code, f.id FROM grid_cell g JOIN public_facility f ON ST_Contains(g.geometry, f.geometry))
SELECT g.grid_code, g.grid_name, p.household_count, p.resident_count, p.elder_count,
  (SELECT count(*) FROM placed x WHERE x.grid_code = g.grid_code) AS building_count,
  (SELECT count(*) FROM placed x WHERE x.grid_code = g.grid_code AND x.danger_grade IN ('C', 'D')) AS danger_count,
  (SELECT count(*) FROM served x WHERE x.grid_code = g.grid_code) AS facility_count,
  ST_AsWKB(g.geometry) AS geometry
FROM grid_cell g LEFT JOIN people p USING (grid_code) ORDER BY g.grid_code
"""
LINEAGE = """
SELECT grid_code AS id, CAST(NULL AS INTEGER) AS year, 'grid_cell' AS input, id AS input_id, year AS input_year
FROM grid_cell
UNION ALL SELECT grid_code, NULL, 'population', id, year FROM population
  WHERE year IS NOT DISTINCT FROM (SELECT max(year) FROM population) AND grid_code IN (SELECT grid_code FROM grid_cell)
UNION ALL SELECT g.grid_code, NULL, 'buildings', b.id, b.year FROM grid_cell g
  JOIN buildings b ON ST_Contains(g.geometry, ST_Centroid(b.geometry))
UNION ALL SELECT g.grid_code, NULL, 'public_facility', f.id, f.year FROM grid_cell g
  JOIN public_facility f ON ST_Contains(g.geometry, f.geometry)
"""


def grid_summary(given: Given) -> Made:
    """Count buildings, dangerous ones, facilities and people by grid cell; small counts of people are null.

    `smallest_count` people is the least a cell tells of (option); `withheld_names` names what a row does not tell.
    """
    rows = given.connection.execute(GRIDS).to_arrow_table()
    least = int(given.option("smallest_count"))
    safe = suppressed(rows.select(["grid_code", *PEOPLE]).to_pylist(), PEOPLE, least)
    for name in PEOPLE:
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, name, pa.array([r[name] for r in safe], pa.int64()))
    withheld = ["、".join(r["withheld"]) or None for r in safe]
    rows = rows.append_column("withheld_names", pa.array(withheld, pa.string()))
    return Made(rows=rows, lineage=given.connection.execute(LINEAGE).to_arrow_table())


def suppressed(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], least: int) -> list[dict[str, Any]]:
    """Give the rows with every count nulled that is under `least` or by which such a one could be worked out.

    The rows of each column add up to a whole that is known: that is what `small_numbers` proves. A count that was
    never given stays null and is not named as withheld.
    """
    told = {}
    for column in columns:
        counts = {str(i): int(row[column]) for i, row in enumerate(rows) if row[column] is not None}
        whole, kept = small_numbers.groups(counts, least)
        told[column] = kept if whole else frozenset()
    return [
        {
            **{c: row[c] if str(i) in told[c] else None for c in columns},
            "withheld": [c for c in columns if row[c] is not None and str(i) not in told[c]],
        }
        for i, row in enumerate(rows)
    ]
