"""1 M parcels in a GeoPackage, received: read, reprojected, repaired, checked and published, against ogr2ogr alone."""

from __future__ import annotations

import shutil
import sys
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


def compare(folder: Path, small: Path, large: Path) -> str:
    """Run both on 0.1 M and 1 M parcels and give the comparison as Markdown; the last run leaves the full store."""
    rows = []
    for label, source in (("0.1 M", small), ("1 M", large)):
        peer = ogr2ogr(source, folder)
        snapshot = received(folder, source, only_snapshot=True)
        whole = received(folder, source, only_snapshot=False)
        for what, run in (
            ("ogr2ogr -makevalid → FlatGeobuf", peer),
            ("ours: snapshot published", snapshot),
            ("ours: with tiles and serving copy", whole),
        ):
            rows.append(
                (label, what, f"{run.seconds:.1f}", f"**{run.seconds / peer.seconds:.2f}**", f"{run.peak_mb:.0f}")
            )
            print(rows[-1], flush=True)
    return table(("parcels", "what", "seconds", "ratio to ogr2ogr", "peak memory MiB (all processes)"), rows)
