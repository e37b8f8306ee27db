"""What bad sources cost the others, what the ledger costs a run, and what the data page's first rows cost."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from pathlib import Path

from tests import simulating
from tests.bench.machine import table
from tests.running_runs import NOON, RULES, department, line, resource, write
from twin import ops
from twin.runs import reading, standing, taking, ticks
from twin.runs.reading import Wanted
from twin.runs.ticks import Due

LATENESS = (
    "Lateness of the good ones of 58 hourly sources in a simulated day, without the 20 bad ones and beside them"
    " (hung, slow, garbage); the tick ledger and the waits are the real ones:"
)
RUNS = 300
PAGES = 200


def opened(folder: Path, name: str) -> ops.Ops:
    """Make an empty operational store (SQLite)."""
    for old in folder.glob(f"{name}.sqlite*"):
        old.unlink()
    ops.upgrade(f"sqlite:///{folder / name}.sqlite")
    return ops.Ops(f"sqlite:///{folder / name}.sqlite")


def others(folder: Path) -> list[list[str]]:
    """Compare a simulated day of 58 sources, 20 of them hung, slow or sending garbage, with a day without those."""
    found: dict[bool, list[float]] = {}
    for present in (False, True):
        store = opened(folder, f"day{present}")
        found[present] = simulating.simulate(store, bad=20, present=present)
        store.close()
    rows = []
    for share in (0.5, 0.95, 0.99):
        without, beside = (simulating.percentile(found[p], share) for p in (False, True))
        rows.append(
            [f"p{share * 100:.0f}", f"{without:.1f} s", f"{beside:.1f} s", f"{(beside / without - 1) * 100:+.1f} %"]
        )
    return rows


def overhead(folder: Path) -> tuple[float, float]:
    """Give median and p99 in ms of all that the ledger does for one run: plan, claim, beat, take up, close."""
    store, ledger = opened(folder, "overhead"), folder / "overhead.jsonl"
    ledger.unlink(missing_ok=True)
    with store.begin() as connection:
        standing.declare(connection, [department("d", *(resource(f"r{n}", "d") for n in range(282)))], RULES, NOON)
    spent = []
    for number in range(RUNS):
        now, name = NOON + timedelta(minutes=number), f"r{number % 282}"
        write(ledger, line(name, "published", now))
        begun = time.perf_counter()
        with store.begin() as connection:
            ticks.plan(connection, [Due(resource=name, department="d", due_at=now, why="cadence")], now)
        with store.begin() as connection:
            (tick,) = ticks.claim(connection, "w", now)
        with store.begin() as connection:
            ticks.beat(connection, [tick], now)
        with store.begin() as connection:
            taking.take_up(connection, ledger, RULES)
            standing.settle(connection, now)
            ticks.close(connection, tick, done=True, run="r", at=now)
            ticks.skip_older(connection, tick)
        spent.append((time.perf_counter() - begun) * 1000)
    store.close()
    return statistics.median(spent), simulating.percentile(spent, 0.99)


def first_rows(folder: Path) -> list[list[str]]:
    """Time the first rows and all counts at 282 and at 10,000 resources."""
    rows = []
    for count, offices in ((282, 58), (10_000, 58)):
        store = opened(folder, f"rows{count}")
        many = [
            department(f"d{d}", *(resource(f"r{n}", f"d{d}") for n in range(d, count, offices))) for d in range(offices)
        ]
        with store.begin() as connection:
            standing.declare(connection, many, RULES, NOON)
        row = [f"{count:,}"]
        for wanted in (Wanted(), Wanted(sort="good_at", descending=True, first=100), Wanted(departments=("d7",))):
            with store.read() as connection:
                spent = []
                for _ in range(PAGES):
                    begun = time.perf_counter()
                    reading.rows(connection, wanted, NOON)
                    spent.append((time.perf_counter() - begun) * 1000)
            row.append(f"{statistics.median(spent):.2f} ms")
        with store.read() as connection:
            begun = time.perf_counter()
            for _ in range(PAGES):
                reading.counted(connection, Wanted())
            row.append(f"{(time.perf_counter() - begun) * 1000 / PAGES:.2f} ms")
        store.close()
        rows.append(row)
    return rows


def compare(folder: Path) -> str:
    """Measure all three."""
    folder.mkdir(parents=True, exist_ok=True)
    median, worst = overhead(folder)
    return "\n\n".join([
        LATENESS,
        table(["", "without", "beside", "difference"], others(folder)),
        f"Of one run the ledger (SQLite, fsync) costs {median:.1f} ms in the median, {worst:.1f} ms in the 99th percentile.",
        "First 50 rows of the data page, and its counts, in the store:",
        table(["resources", "worst first", "by last success, third page", "one department", "all counts"], first_rows(folder)),
    ])  # fmt: skip
