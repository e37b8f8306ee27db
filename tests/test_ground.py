"""The ledger of ground: durable before it is given, exact side by side and across kills, a year long."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from twin import ops
from twin.errors import OpsDown
from twin.ground import TABLE, Claim, Ground, Spent
from twin.policy.delivered import Usage

ROOT = Path(__file__).resolve().parents[1]
DAY = timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def row(n: int, start: int = 0) -> frozenset[tuple[int, int]]:
    return frozenset((x, 7) for x in range(start, start + n))


def ask(ground: Ground, cells: frozenset[tuple[int, int]], asker: str = "a", limit: float = 0.1) -> Spent | None:
    return ground.claim(Claim(asker=asker, cells=cells, limit_km2=limit)).result(timeout=60)


def test_ground_is_given_up_to_the_limit_and_each_cell_counts_once(store: ops.Ops, clock: Clock) -> None:
    ground = Ground(store, clock)
    assert ask(ground, row(6)) is None
    assert ask(ground, row(6)) is None
    assert ask(ground, row(10)) is None
    assert ground.usage() == {"a": Usage(km2=0.1, since=date(2026, 3, 1))}
    spent = ask(ground, row(2, start=9))
    assert spent == Spent(used=Usage(km2=0.1, since=date(2026, 3, 1)), would_km2=0.11)
    assert ground.usage()["a"].km2 == 0.1
    assert ask(ground, row(10, start=100), asker="b") is None


def test_nothing_of_a_refused_claim_is_written_and_others_in_its_batch_are(store: ops.Ops, clock: Clock) -> None:
    ground = Ground(store, clock)
    first = ground.claim(Claim(asker="a", cells=row(5), limit_km2=0.1))
    over = ground.claim(Claim(asker="a", cells=row(6, start=5), limit_km2=0.1))
    other = ground.claim(Claim(asker="b", cells=row(3), limit_km2=0.1))
    assert (first.result(60), other.result(60)) == (None, None)
    assert isinstance(over.result(60), Spent)
    assert {k: u.km2 for k, u in ground.usage().items()} == {"a": 0.05, "b": 0.03}


def test_ground_counts_for_a_year_after_it_was_last_given(store: ops.Ops, clock: Clock) -> None:
    ground = Ground(store, clock)
    assert ask(ground, row(10)) is None
    clock.at += 200 * DAY
    assert ask(ground, row(4)) is None
    clock.at += 165 * DAY
    assert ground.usage()["a"] == Usage(km2=0.1, since=date(2026, 3, 1))
    assert isinstance(ask(ground, row(1, start=50)), Spent)
    clock.at += 1 * DAY
    assert ground.usage()["a"] == Usage(km2=0.04, since=date(2026, 9, 17))
    assert ask(ground, row(6, start=50)) is None
    assert isinstance(ask(ground, row(1, start=60)), Spent)


def test_what_was_given_is_known_to_the_next_process_and_to_another_beside(store: ops.Ops, clock: Clock) -> None:
    one, two = Ground(store, clock), Ground(store, clock)
    assert ask(one, row(6)) is None
    assert isinstance(ask(two, row(5, start=6)), Spent)
    assert ask(two, row(4, start=6)) is None
    assert isinstance(ask(one, row(1, start=20)), Spent)
    one.close()
    assert isinstance(ask(Ground(store, clock), row(1, start=20)), Spent)


def test_a_raised_limit_counts_from_the_next_claim_and_a_lowered_one_takes_nothing_back(
    store: ops.Ops, clock: Clock
) -> None:
    ground = Ground(store, clock)
    assert ask(ground, row(10)) is None
    assert isinstance(ask(ground, row(11)), Spent)
    assert ask(ground, row(11), limit=0.11) is None
    clock.at += DAY
    assert ask(ground, row(11), limit=0.02) is None
    assert isinstance(ask(ground, row(12), limit=0.02), Spent)


def test_only_what_stands_in_the_store_today_is_given_without_asking_it(store: ops.Ops, clock: Clock) -> None:
    ground = Ground(store, clock)
    assert not ground.stands("a", row(3))
    ask(ground, row(3))
    assert ground.stands("a", row(3))
    assert not ground.stands("a", row(4))
    assert not ground.stands("b", row(3))
    clock.at += DAY
    assert not ground.stands("a", row(3))


def test_nothing_new_is_given_while_the_store_is_away_and_all_goes_on_when_it_is_back(
    tmp_path: Path, clock: Clock
) -> None:
    url = f"sqlite:///{tmp_path / 'ops.sqlite'}"
    ops.upgrade(url)
    ground = Ground(ops.Ops(url), clock)
    assert ask(ground, row(3)) is None
    with ops.Ops(url).begin() as connection:
        connection.execute(ops.text("ALTER TABLE delivery RENAME TO away"))
    with pytest.raises(OpsDown):
        ask(ground, row(4))
    assert ask(ground, row(3)) is None
    with ops.Ops(url).begin() as connection:
        connection.execute(ops.text("ALTER TABLE away RENAME TO delivery"))
    assert ask(ground, row(4)) is None


@pytest.mark.parametrize("processes", [1, 2])
def test_fifty_at_once_never_pass_the_limit_and_every_cell_given_is_counted(
    store: ops.Ops, clock: Clock, processes: int
) -> None:
    grounds = [Ground(store, clock) for _ in range(processes)]
    given: set[tuple[int, int]] = set()

    def client(seed: int) -> None:
        rnd = random.Random(seed)
        for _ in range(8):
            cells = frozenset((rnd.randrange(30), rnd.randrange(30)) for _ in range(rnd.randrange(1, 20)))
            if ask(rnd.choice(grounds), cells, limit=2.0) is None:
                given.update(cells)

    with ThreadPoolExecutor(50) as clients:
        list(clients.map(client, range(50)))
    with store.read() as connection:
        stored = {tuple(map(int, c.split(":"))) for c in connection.execute(ops.select(TABLE.c.cell)).scalars()}
    assert stored == given
    assert 150 < len(stored) <= 200


TAKER = """
import random, sys
from twin import ops
from twin.ground import Claim, Ground
ground = Ground(ops.Ops(sys.argv[1]))
rnd = random.Random(int(sys.argv[2]))
pending = []
while True:
    cells = frozenset((rnd.randrange(10_000), rnd.randrange(10_000)) for _ in range(rnd.randrange(1, 30)))
    pending.append((cells, ground.claim(Claim(asker="a", cells=cells, limit_km2=1e6))))
    if len(pending) >= 8:
        done, future = pending.pop(0)
        assert future.result(60) is None
        print(" ".join(f"{x}:{y}" for x, y in done), flush=True)
"""


def test_ground_that_was_given_is_counted_whenever_the_giver_is_killed(empty_url: str) -> None:
    ops.upgrade(empty_url)
    store = ops.Ops(empty_url)
    for seed in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", TAKER, empty_url, str(seed)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as taker:
            assert taker.stdout is not None
            first = taker.stdout.readline()
            time.sleep(random.Random(seed).random() * 0.2)
            os.kill(taker.pid, signal.SIGKILL)
            said = first + taker.stdout.read()
            given = set(said[: said.rfind("\n")].split())  # the last line may be torn
        with store.read() as connection:
            stored = set(connection.execute(ops.select(TABLE.c.cell)).scalars())
        assert given
        assert given <= stored
