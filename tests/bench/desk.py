"""The data page of 282 datasets against one of 10,000: the first rows over HTTP, and each statement it asks."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from pathlib import Path

from tests.office_town import Town
from twin import ops
from twin.ops import run_tables
from twin.runs import reading

SIZES = (282, 10_000)
ROUNDS = 60
STATES = (("failed", 0), ("stale", 2), ("never", 3), ("fresh", 4), ("fresh", 4), ("fresh", 4), ("fresh", 4))
ASKED = ("/data", "/data?q=%E6%95%B0%E6%8D%AE+9")
WARM = 5
HEAD = "| Datasets | First page, median ms | p95 ms | Filtered by a word, median ms | Rows alone, ms |\n|---:|---:|---:|---:|---:|"


def compare() -> str:
    """Measure a service of each size in turns, so that a busy machine is as busy for both; give a table."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        towns = {size: _town(Path(folder) / str(size), size, stack) for size in SIZES}
        took: dict[tuple[int, str], list[float]] = {(size, a): [] for size in SIZES for a in ASKED}
        for number in range(ROUNDS):
            for size in SIZES if number % 2 else reversed(SIZES):
                for address in ASKED:
                    took[size, address].append(_ms(towns[size], address))
        rows_alone = {size: statistics.median(_rows_ms(town) for _ in range(ROUNDS)) for size, town in towns.items()}
    lines = [_line(n, took[n, ASKED[0]][WARM:], took[n, ASKED[1]][WARM:], rows_alone[n]) for n in SIZES]
    few, many = (statistics.median(took[size, ASKED[0]][WARM:]) for size in SIZES)
    return "\n".join((HEAD, *lines, "", f"Ratio of the first page: {many / few:.2f} (wanted: 1.2 at most)."))


def _line(size: int, first: list[float], found: list[float], rows: float) -> str:
    p95 = statistics.quantiles(first, n=20)[-1]
    told = (statistics.median(first), p95, statistics.median(found), rows)
    return f"| {size:,} | " + " | ".join(f"{ms:.1f}" for ms in told) + " |"


def _town(folder: Path, size: int, stack: contextlib.ExitStack) -> Town:
    folder.mkdir()
    town = Town(folder)
    stack.enter_context(town.client)
    town.get("data_engineer", "/data")
    _fill(town, size)
    return town


def _rows_ms(town: Town) -> float:
    begun = time.perf_counter()
    with town.accounts.ops.read() as connection:
        reading.rows(connection, reading.Wanted(), ops.now())
    return (time.perf_counter() - begun) * 1000


def _ms(town: Town, address: str) -> float:
    begun = time.perf_counter()
    assert town.get("data_engineer", address).status_code == 200
    return (time.perf_counter() - begun) * 1000


def _fill(town: Town, upto: int) -> None:
    with town.accounts.ops.begin() as connection:
        s = run_tables.standing
        first = connection.execute(ops.select(s).limit(1)).one()._asdict()
        have = connection.execute(ops.select(ops.func.count()).select_from(s)).scalar_one()
        more = [
            {
                **first, "resource": f"more_{n}", "place": n, "title_zh": f"数据 {n}", "search": f"数据 {n}",
                "department": f"d{n % 58}", "state": STATES[n % 7][0], "rank": STATES[n % 7][1],
            }
            for n in range(have, upto)
        ]  # fmt: skip
        connection.execute(ops.insert(s), more)
