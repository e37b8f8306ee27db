"""A county by parts: one process, two, a Dask scheduler with one worker and with two; beside the county in one piece."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.scale import county, places
from tests import scaling
from tests.bench import county as bench
from tests.bench.machine import ROOT, table

VILLAGES = 24
ROUNDS = 1
GROUPS = Path("/sys/fs/cgroup/cpuacct")
HEAD = (
    "who",
    "seconds",
    "ratio",
    "CPU seconds",
    "CPU ratio",
    "CPU ms a village",
    "peak MiB of one process and its readers",
)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one way of receiving the county took: seconds, seconds of CPU of all processes, and the largest one's MiB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


class Watched:
    """Programs whose CPU is counted by the kernel, the killed grandchildren with it, and whose memory is looked at."""

    def __init__(self, name: str) -> None:
        self._group = GROUPS / f"onemap-{name}-{os.getpid()}"
        self._group.mkdir()
        self._roots: list[int] = []
        self.peak_kb = 0

    def begin(self, command: Sequence[str], environ: dict[str, str]) -> subprocess.Popen[str]:
        """Start a program in the group."""
        entered = ["sh", "-c", f'echo $$ > {self._group}/cgroup.procs; exec "$@"', "sh", *command]
        made = subprocess.Popen(entered, env={**os.environ, **environ}, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self._roots.append(made.pid)
        return made

    def cpu(self) -> float:
        """Give the seconds of CPU so far."""
        return int((self._group / "cpuacct.usage").read_text()) / 1e9

    def look(self, ended: threading.Event) -> None:
        """Keep the highest memory of any one program and its children, until `ended`."""
        while not ended.wait(0.2):
            self.peak_kb = max([self.peak_kb, *(_pss(pid) for pid in self._roots)])

    def close(self) -> None:
        """Let the group go."""
        with contextlib.suppress(OSError):
            self._group.rmdir()


def _pss(pid: int) -> int:
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open() as file:
            own = next(int(x.split()[1]) for x in file if x.startswith("Pss:"))
        below = [c for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()]
    except (OSError, StopIteration):
        return 0
    return own + sum(_pss(int(c)) for c in below)


def compare(folder: Path) -> str:
    """Receive the same villages in every way, each from nothing, and give the costs as Markdown."""
    shutil.rmtree(folder, ignore_errors=True)
    village = scaling.declare(folder)
    deliveries = scaling.deliver(folder / "deliveries", VILLAGES)
    whole = folder / "whole.gpkg"
    subprocess.run(
        [sys.executable, "-m", "etl", "demo", "--villages", str(VILLAGES), "--out", str(whole)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    ways: dict[str, Callable[[Path], Cost]] = {
        "the county in one piece, one run (its files and nothing derived)": lambda out: _piece(out, whole),
        "by parts, one process (`here`)": lambda out: _parts(out, village, deliveries, "here"),
        "by parts, two processes (`pool:2`)": lambda out: _parts(out, village, deliveries, "pool:2"),
        "by parts, Dask with 1 worker": lambda out: _dask(out, village, deliveries, 1),
        "by parts, Dask with 2 workers": lambda out: _dask(out, village, deliveries, 2),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for number in range(ROUNDS):
        for place, (name, way) in enumerate(ways.items()):
            costs[name].append(way(folder / f"round{number}-{place}"))
    _same(folder, village)
    return _told({name: min(some, key=lambda c: c.seconds) for name, some in costs.items()}, folder)


def _same(folder: Path, village: Path) -> None:
    here = scaling.settings(folder, village)
    found = {county.read(places.opened(str(p), here), scaling.TABLE).index for p in folder.glob("round*/out")}
    if len(found) != 1:
        raise RuntimeError(f"not the same county: {found}")


def _told(costs: dict[str, Cost], folder: Path) -> str:
    one = costs["by parts, one process (`here`)"]
    rows = [
        (
            name,
            f"{c.seconds:.1f}",
            f"**{c.seconds / one.seconds:.2f}**",
            f"{c.cpu_seconds:.1f}",
            f"{c.cpu_seconds / one.cpu_seconds:.2f}",
            f"{c.cpu_seconds / VILLAGES * 1000:.0f}",
            f"{c.peak_mb:.0f}",
        )
        for name, c in costs.items()
    ]
    delivered = sum(p.stat().st_size for p in (folder / "deliveries").iterdir())
    kept = [p for p in (folder / "round0-1" / "out").rglob("*") if p.is_file()]
    tables = sum(p.stat().st_size for p in kept if p.name == "part.parquet")
    rest = sum(p.stat().st_size for p in kept) - tables
    note = (
        f"{VILLAGES} villages of 3,333 parcels, {ROUNDS} round of each way; every way by parts gave the same index, and so the same bytes. "
        "CPU is the kernel's count over all processes (scheduler, workers, their readers). The scheduler and the workers stand before the clock starts, "
        f"on the loopback. A village is {delivered / VILLAGES / 1000:.0f} kB delivered, {tables / VILLAGES / 1000:.0f} kB published and "
        f"{rest / VILLAGES / 1000:.0f} kB of quarantine and manifest."
    )
    return f"{note}\n\n{table(HEAD, rows)}"


def _piece(out: Path, whole: Path) -> Cost:
    bench.declare(out, whole)
    return _timed("piece", [sys.executable, "-m", "tests.bench.county", "snapshot"], bench.environment(out))


def _words(out: Path, deliveries: Path, on: str) -> list[str]:
    words = ["county", "run", scaling.TABLE, "--deliveries", str(deliveries), "--out", str(out / "out"), "--on", on]
    return [sys.executable, "-m", "etl", *words]


def _environ(data: Path, village: Path) -> dict[str, str]:
    return {"ONEMAP_DATA": str(data), "ONEMAP_VILLAGE": str(village)}


def _parts(out: Path, village: Path, deliveries: Path, on: str) -> Cost:
    return _timed("parts", _words(out, deliveries, on), _environ(out / "data", village))


def _dask(out: Path, village: Path, deliveries: Path, workers: int) -> Cost:
    watched = Watched("dask")
    try:
        with _cluster(watched, out, village, workers) as address:
            before = watched.cpu()
            cost = _timed("client", _words(out, deliveries, address), _environ(out / "data", village), watched)
            return Cost(
                seconds=cost.seconds, cpu_seconds=cost.cpu_seconds + watched.cpu() - before, peak_mb=cost.peak_mb
            )
    finally:
        watched.close()


@contextlib.contextmanager
def _cluster(watched: Watched, out: Path, village: Path, workers: int) -> Iterator[str]:
    begun: list[subprocess.Popen[str]] = []

    def begin(name: str, *words: str) -> str:
        made = watched.begin([sys.executable, "-m", "etl", "county", *words], _environ(out / name, village))
        begun.append(made)
        assert made.stdout is not None
        return made.stdout.readline().strip()

    try:
        address = begin("scheduler", "scheduler", "--listen", "tcp://127.0.0.1:0")
        for number in range(workers):
            begin(f"worker{number}", "worker", "--scheduler", address, "--listen", "tcp://127.0.0.1:0")
        yield address
    finally:
        for one in reversed(begun):
            one.terminate()
        for one in begun:
            one.communicate()


def _timed(name: str, command: list[str], environ: dict[str, str], beside: Watched | None = None) -> Cost:
    watched, ended = Watched(name), threading.Event()
    lookers = [threading.Thread(target=w.look, args=(ended,)) for w in (watched, beside) if w]
    started = time.perf_counter()
    made = watched.begin(command, environ)
    for looker in lookers:
        looker.start()
    said, _ = made.communicate()
    seconds = time.perf_counter() - started
    ended.set()
    for looker in lookers:
        looker.join()
    cpu = watched.cpu()
    watched.close()
    if made.returncode:
        raise RuntimeError(f"{command}: {made.returncode}\n{said[-2000:]}")
    return Cost(seconds=seconds, cpu_seconds=cpu, peak_mb=max(watched.peak_kb, beside.peak_kb if beside else 0) / 1024)
