"""0.1, 1 and 2 M parcels in a GeoPackage, received: read, reprojected, repaired, checked and published, against ogr2ogr alone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import county
from tests.bench.machine import Run, table, timed


def ogr2ogr(source: Path, folder: Path) -> Run:
    """Let GDAL reproject and repair the parcels into FlatGeobuf, and nothing else."""
    out = folder / "peer.fgb"
    out.unlink(missing_ok=True)
    command = [
        "ogr2ogr",
        "-q",
        "-f",
        "FlatGeobuf",
        str(out),
        str(source),
        "parcels",
        "-t_srs",
        "EPSG:4490",
        "-makevalid",
        "-nlt",
        "MULTIPOLYGON",
    ]
    return timed(command)


def received(folder: Path, source: Path, *, only_snapshot: bool) -> Run:
    """Receive the parcels with our own command into an empty store."""
    shutil.rmtree(folder / "data" / "store", ignore_errors=True)
    shutil.rmtree(folder / "data" / "run", ignore_errors=True)
    county.declare(folder, source)
    command = ["-m", "tests.bench.county", "snapshot"] if only_snapshot else ["-m", "etl", "run", "parcels"]
    return timed([sys.executable, *command], env=county.environment(folder))


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many villages a county has, how often each contender runs (by turns), and whether ours also stops halfway."""

    label: str
    villages: int
    rounds: int = 1
    snapshot: bool = True


SIZES = (
    Size(label="0.1 M", villages=30, rounds=5),
    Size(label="2 M", villages=600, snapshot=False),
    Size(label="1 M", villages=300),
)
"""1 M comes last: it leaves the store that the other comparisons stand on. 2 M shows what memory does."""
HEAD = ("parcels", "what", "seconds", "ratio to ogr2ogr", "CPU seconds", "CPU ratio", "peak memory MiB (all processes)")


def compare(folder: Path, county_file: Callable[[int], Path]) -> str:
    """Run both on 0.1, 2 and 1 M parcels and give the comparison as Markdown; the last run leaves the full store."""
    rows = {size.villages: _rows(folder, size, county_file(size.villages)) for size in SIZES}
    note = (
        "The fastest of five rounds by turns at 0.1 M, one round beyond. Peaks: the sum of Pss over the command and its "
        "children, every 0.2 s."
    )
    return f"{note}\n\n{table(HEAD, [row for villages in sorted(rows) for row in rows[villages]])}"


def _rows(folder: Path, size: Size, source: Path) -> list[tuple[str, ...]]:
    """Measure one size, each contender by turns, and keep the fastest run of each and its own peak."""
    contenders: dict[str, Callable[[], Run]] = {"ogr2ogr -makevalid → FlatGeobuf": lambda: ogr2ogr(source, folder)}
    if size.snapshot:
        contenders["ours: snapshot published"] = lambda: received(folder, source, only_snapshot=True)
    contenders["ours: with tiles and serving copy"] = lambda: received(folder, source, only_snapshot=False)
    runs: dict[str, list[Run]] = {what: [] for what in contenders}
    for _ in range(size.rounds):
        for what, measure in contenders.items():
            runs[what].append(measure())
            print(size.label, what, runs[what][-1], flush=True)
    best = {what: min(done, key=lambda run: run.seconds) for what, done in runs.items()}
    peer = next(iter(best.values()))
    return [
        (
            size.label,
            what,
            f"{run.seconds:.1f}",
            f"**{run.seconds / peer.seconds:.2f}**",
            f"{run.cpu_seconds:.1f}",
            f"{run.cpu_seconds / peer.cpu_seconds:.2f}",
            f"{max(r.peak_mb for r in runs[what]):.0f}",
        )
        for what, run in best.items()
    ]
