"""A serving process does not grow: what it remembers is bounded and forgets the oldest, and freed memory is given back."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path

import httpx
import pytest

from tests.office_town import Town
from twin.api import tile_server
from twin.api.limits import RATES, Limits, Rate
from twin.kept import Kept

HEAPS = """
import ctypes, sys, threading
from twin import memory
if sys.argv[1] == "bound":
    assert memory.bound()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
take, MB = libc.malloc, 1 << 20

def resident():
    return int(open("/proc/self/status").read().partition("VmRSS:")[2].split()[0]) / 1024

def use(size):
    held = take(size)
    ctypes.memset(held, 1, size)
    libc.free(held)

use(20 * MB)  # from now on glibc keeps blocks of this size in its heaps
before, met = resident(), threading.Barrier(10)

def work():
    use(15 * MB)
    met.wait()

threads = [threading.Thread(target=work) for _ in range(10)]
for t in threads: t.start()
for t in threads: t.join()
print(resident() - before)
"""


def grown(how: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", HEAPS, how], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_large_block_used_once_by_each_thread_is_given_back_where_memory_is_bound() -> None:
    assert grown("bound") < 10
    assert grown("free") > 30, "the C library gives it back by itself: twin.memory is needed no more"


def test_what_was_asked_for_longest_ago_is_forgotten_first_and_the_newest_stays() -> None:
    kept: Kept[int, str] = Kept(3)
    for key in range(3):
        kept.put(key, str(key))
    assert kept.get(0) == "0"
    kept.put(3, "3")
    assert [key for key, _ in kept.items()] == [2, 0, 3]
    kept.put(0, "again", weight=2)
    assert [key for key, _ in kept.items()] == [3, 0]
    kept.put(9, "heavier than all", weight=50)
    assert [key for key, _ in kept.items()] == [9]
    assert kept.weight == 50
    kept.forget(9)
    kept.forget(9)
    assert (kept.weight, len(kept), kept.get(9)) == (0, 0, None)


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr(tile_server, "MOST_PARSED", 50)
    monkeypatch.setattr(tile_server, "MOST_TOLD", 50)
    monkeypatch.setattr("twin.api.who.KEPT", 50)
    monkeypatch.setattr("twin.accounts.living.KEPT", 50)
    return Town(tmp_path / "town")


def ours() -> int:
    gc.collect()
    kept = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/twin/*")])
    return sum(trace.size for trace in kept.traces)


def sweep(client: httpx.Client, headers: dict[str, str], start: int, count: int) -> None:
    """Ask for `count` tiles nobody has asked for yet, by as many strangers' cookies, and for pages between."""
    name = next(iter(headers["cookie"].split("=")))
    for n in range(start, start + count):
        who = headers if n % 3 else {"cookie": f"{name}={n:043d}"}
        client.get(f"/tiles/M1/17/{109_000 + n % 700}/{53_000 + n}.mvt?v={n}", headers=who)
        if n % 100 == 0:
            client.get(f"/api/v1/search?q={n}", headers=headers)
            client.get("/", headers=headers)


def test_hundreds_of_distinct_requests_leave_nothing_of_ours_behind(town: Town) -> None:
    town.front.state.who.limits = Limits({k: Rate(per_s=1e9, burst=10**9) for k in RATES})
    town.front.tile_server._cache = Kept(100_000)
    headers = town.headers["official"]
    with town.client as client:
        sweep(client, headers, 0, 200)
        tracemalloc.start()
        try:
            sweep(client, headers, 200, 200)
            before = ours()
            sweep(client, headers, 400, 700)
            after = ours()
        finally:
            tracemalloc.stop()
    assert after - before < 70_000, "more than a hundred bytes a request stay"
