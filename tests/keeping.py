"""Small published tables for the tests of the store: real files, real protocol, a few rows."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from twin import duck, geodesy
from twin.store import Snapshot, Store, copy, geoparquet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLASSES = ("0101", "0201", "0301")
ROWS = """
CREATE OR REPLACE TABLE rows AS
SELECT 'P' || lpad(i::VARCHAR, 5, '0') AS id, 'P' || lpad(i::VARCHAR, 5, '0') AS parcel_id, {year} AS year,
       ['0101', '0201', '0301'][1 + (i * 7919) % 3] AS land_class, {value}::DOUBLE AS stated_area_m2, 4.0 AS area_m2,
       'land_cover' AS _resource, 'r' AS _run, 'a.gpkg' AS _source, repeat('0', 64) AS _source_sha256,
       (i + 1)::VARCHAR AS _row,
       ST_MakeEnvelope(119.96 + (i % {side}) * 2e-4, 30.53 + (i // {side}) * 2e-4,
                       119.96 + (i % {side}) * 2e-4 + 2e-4, 30.53 + (i // {side}) * 2e-4 + 2e-4) AS box
FROM range({n}) t(i)
"""
COUNTER_CLOCKWISE = (
    "CREATE OR REPLACE VIEW publishable AS SELECT * EXCLUDE (box), ST_Reverse(box) AS geometry FROM rows"
)


@functools.cache
def projjson() -> Mapping[str, Any]:
    """Give the storage CRS of the demo."""
    return geodesy.projjson("EPSG:4490")


def fill(
    directory: Path, *, n: int = 100, value: float = 1.0, years: tuple[int | None, ...] = (2025,)
) -> dict[str, Any]:
    """Write a whole vector version of `n` squares a year, as a publish of etl does."""
    with duck.connect(threads=1, memory="1GB") as connection:
        parts = []
        for year in years:
            connection.execute(ROWS.format(n=n, side=max(1, int(n**0.5)), value=value, year=year or "NULL::INTEGER"))
            connection.execute(f"CREATE TABLE y{len(parts)} AS SELECT * FROM rows")
            parts.append(f"SELECT * FROM y{len(parts)}")
        connection.execute("CREATE OR REPLACE TABLE rows AS " + " UNION ALL ".join(parts))
        connection.execute(COUNTER_CLOCKWISE)
        facts = geoparquet.write(connection, "publishable", directory / "part.parquet", projjson=projjson())
        copy.derive(
            connection,
            directory / "part.parquet",
            directory,
            tile_columns=["parcel_id"],
            class_columns=["land_class"],
            source_layer="land_cover",
        )
    return {"kind": "polygon", "rows": facts.rows, "bbox": facts.bbox, "years": [y for y in years if y], "value": value}


def publish(store: Store, table: str = "land_cover", **options: Any) -> Snapshot:
    """Publish one such version."""
    return store.publish(table, functools.partial(fill, **options))


def small(value: str, size: int = 100) -> Any:
    """Give a fill of two tiny files that say `value`, for tests of the protocol alone."""

    def write(directory: Path) -> dict[str, Any]:
        (directory / "part.parquet").write_bytes(value.encode() * size)
        (directory / "scene").mkdir()
        (directory / "scene" / "tileset.json").write_text(value)
        return {"value": value}

    return write
