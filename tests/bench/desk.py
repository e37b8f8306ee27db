"""The data page of 282 datasets against one of 10,000: the first rows over HTTP, and each statement it asks."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.office_town import Town
from twin import ops
from twin.ops import run_tables

SIZES = (282, 10_000)
ROUNDS = 40
STATES = (("failed", 0), ("stale", 2), ("never", 3), ("fresh", 4), ("fresh", 4), ("fresh", 4), ("fresh", 4))
HEAD = "| Datasets | First page, median ms | p95 ms | Filtered by a word, median ms |\n|---:|---:|---:|---:|"


def compare() -> str:
    """Measure both sizes in one service, in turns, so that a busy machine is as busy for both; give a table."""
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder))
        with town.client:
            town.get("data_engineer", "/data")
            found = {size: _measured(town, size) for size in SIZES}
    lines = [f"| {size:,} | {m[0]:.1f} | {m[1]:.1f} | {m[2]:.1f} |" for size, m in found.items()]
    ratio = found[SIZES[1]][0] / found[SIZES[0]][0]
    return "\n".join((HEAD, *lines, "", f"Ratio of the first page: {ratio:.2f} (wanted: 1.2 at most)."))


def _measured(town: Town, size: int) -> tuple[float, float, float]:
    _fill(town, size)
    first = [_ms(town, "/data") for _ in range(ROUNDS)][5:]
    found = [_ms(town, "/data?q=%E6%95%B0%E6%8D%AE+9") for _ in range(ROUNDS)][5:]
    return statistics.median(first), statistics.quantiles(first, n=20)[-1], statistics.median(found)


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
