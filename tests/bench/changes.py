"""1 M parcels compared with the version before: what was added, removed and changed, against reading the delivery alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pyogrio.raw

from tests.bench.machine import table
from twin import duck
from twin.store import Store, diff

ROUNDS = 3
CHANGED = """
COPY (
  SELECT * REPLACE (CASE WHEN hash(id) % 500 = 0 THEN area_m2 + 1 ELSE area_m2 END AS area_m2)
  FROM read_parquet({part}, hive_partitioning = false) WHERE hash(id) % 1000 <> 1
) TO {path} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)
"""
"""Two rows of a thousand changed, one of a thousand gone."""
HEAD = ("what", "seconds", "CPU seconds", "ratio to reading")


def compare(folder: Path, county_file: Callable[[int], Path]) -> str:
    """Read the delivery and compare the versions by turns; gives the comparison as Markdown."""
    part = Store(folder / "data" / "store").current("parcels").file("part.parquet")
    after = folder / "changed.parquet"
    with duck.connect(threads=2, memory="2GB") as connection:
        connection.execute(CHANGED.format(part=duck.literal(part), path=duck.literal(after)))
    source = county_file(300)
    runs = {"reading the GeoPackage (GDAL to Arrow)": lambda: _read(source), "compared": lambda: _compared(part, after)}
    taken: dict[str, list[tuple[float, float, str]]] = {what: [] for what in runs}
    for _ in range(ROUNDS):
        for what, run in runs.items():
            taken[what].append(_timed(run))
            print(what, taken[what][-1], flush=True)
    after.unlink()
    middle = {
        w: (statistics.median(t[0] for t in some), statistics.median(t[1] for t in some)) for w, some in taken.items()
    }
    reading = next(iter(middle.values()))
    rows = [(w, f"{s:.2f}", f"{c:.2f}", f"**{s / reading[0]:.2f}**") for w, (s, c) in middle.items()]
    note = f"The median of {ROUNDS} rounds by turns, two threads. {taken['compared'][-1][2]}"
    return f"{note}\n\n{table(HEAD, rows)}"


def _timed(run: Callable[[], str]) -> tuple[float, float, str]:
    wall, cpu = time.perf_counter(), time.process_time()
    told = run()
    return time.perf_counter() - wall, time.process_time() - cpu, told


def _read(source: Path) -> str:
    rows = 0
    with pyogrio.raw.open_arrow(source, layer="parcels", use_pyarrow=True) as (_, batches):
        for batch in batches:
            rows += batch.num_rows
    return f"{rows:,} rows."


def _compared(part: Path, after: Path) -> str:
    before, now = (f"read_parquet({duck.literal(p)}, hive_partitioning = false)" for p in (part, after))
    with duck.connect(threads=2, memory=diff.MEMORY) as connection:
        named = connection.execute(f"SELECT * FROM {before} LIMIT 0").description or ()
        columns = tuple(d[0] for d in named if d[0] not in (*diff.PROVENANCE, *diff.SHAPES))
        sides = diff.Sides(was=before, has=now, columns=columns, shape="geometry", kind="polygon")
        with diff.Found(connection, sides) as found:
            return ", ".join(f"{count:,} {how}" for how, count in found.counts().items()) + "."
