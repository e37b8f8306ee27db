"""A night of the demo's 282 resources: everything new, everything unchanged, and what the ledger adds to one run."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tests.bench import county, schedules
from tests.bench.machine import Run, table, timed

PARTLY = 3
"""The demo's departments deliver one file that is refused, so a night ends with this code."""
ROUNDS = 3
"""Nights in which nothing has changed; the fastest counts."""
HEAD = ("a night of the demo", "seconds", "CPU seconds", "of the whole night")


def compare(folder: Path) -> str:
    """Write the demo once, receive all of it into an empty store, then again and again unchanged; gives Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    _declared(folder)
    shutil.rmtree(folder / "data" / "store", ignore_errors=True)
    shutil.rmtree(folder / "data" / "run", ignore_errors=True)
    whole = _night(folder)
    same = min((_night(folder) for _ in range(ROUNDS)), key=lambda run: run.seconds)
    median, worst = schedules.overhead(folder)
    rows = [
        (what, f"{run.seconds:.1f}", f"{run.cpu_seconds:.1f}", f"**{run.seconds / whole.seconds * 100:.1f} %**")
        for what, run in (("all changed, two processes", whole), ("unchanged, fastest of three", same))
    ]
    return "\n\n".join([
        f"{_counted(folder)} What readers in their cages used of the CPU is not among the CPU seconds.",
        table(HEAD, rows),
        f"Of one run the ledger of ticks (SQLite, fsync) costs {median:.1f} ms in the median (99th percentile {worst:.1f}).",
    ])  # fmt: skip


def _declared(folder: Path) -> None:
    """Lay out the demo village's declarations, and what its departments deliver unless that is there already."""
    village = folder / "village"
    shutil.rmtree(village, ignore_errors=True)
    shutil.copytree(county.ROOT / "data", village, ignore=shutil.ignore_patterns("raw", "store", "run", "uploads"))
    timed([sys.executable, "-m", "etl", "demo"], env=county.environment(folder))


def _night(folder: Path) -> Run:
    command = [sys.executable, "-m", "etl", "run", "--all"]
    run = timed(command, env=county.environment(folder), ok=(0, PARTLY))
    print(run, flush=True)
    return run


def _counted(folder: Path) -> str:
    lines = (folder / "data" / "run" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line)["status"] for line in lines]
    counts = {status: told.count(status) for status in sorted(set(told))}
    return ", ".join(f"{n} × {status}" for status, n in counts.items()) + f" in {ROUNDS + 1} nights."
