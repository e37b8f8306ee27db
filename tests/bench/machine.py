"""Which machine and which commands a benchmark ran on, and how a figure is written."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def describe() -> str:
    """Say the processor, cores, memory and Python of this machine in one line."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def commit() -> str:
    """Give the short commit that was measured."""
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


@dataclass(frozen=True, kw_only=True)
class Run:
    """One timed command: seconds, seconds of CPU and the peak resident memory of it and its children, in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def timed(
    command: Sequence[str], *, env: dict[str, str] | None = None, cwd: Path = ROOT, ok: tuple[int, ...] = (0,)
) -> Run:
    """Run `command` to its end and measure it; raises RuntimeError with its output where it fails."""
    started = time.perf_counter()
    done = subprocess.run(
        ["/usr/bin/env", "python3", "-c", _MEASURE, *command],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in ok:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    peak, cpu = map(float, done.stderr.rsplit("PEAK_KB,CPU=", 1)[1].split(","))
    return Run(seconds=time.perf_counter() - started, cpu_seconds=cpu, peak_mb=peak / 1024)


_MEASURE = """
import subprocess, sys, threading, time, os
p = subprocess.Popen(sys.argv[1:])
peak = 0
def tree(pid):
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += next(int(x.split()[1]) for x in f if x.startswith("Pss:"))
        for t in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{t}/children") as f:
                for c in f.read().split():
                    total += tree(c)
    except (OSError, StopIteration):
        pass
    return total
while p.poll() is None:
    peak = max(peak, tree(p.pid))
    time.sleep(0.2)
t = os.times()
sys.stderr.write(f"PEAK_KB,CPU={peak},{t.children_user + t.children_system}")
sys.exit(p.returncode)
"""


def median_of(times: int, measure: Callable[[], float]) -> float:
    """Measure `times` times and give the median."""
    return statistics.median(measure() for _ in range(times))


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows])
