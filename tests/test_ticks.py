"""The tick ledger on both databases: leases, takeover, limits, clocks that jump, many workers at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import date, timedelta

import pytest

from tests.running_runs import NOON
from twin import ops
from twin.ops import run_tables
from twin.runs import ticks
from twin.runs.ticks import Due, Limits

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def due(name: str, department: str = "land", **more) -> Due:
    return Due(**{"resource": name, "department": department, "due_at": NOON, "why": "cadence", **more})


def planned(store: ops.Ops, *dues: Due, now=NOON) -> int:
    with store.begin() as connection:
        return ticks.plan(connection, dues, now)


def claim(store: ops.Ops, owner: str, now=NOON, **more) -> list[ticks.Tick]:
    with store.begin() as connection:
        return ticks.claim(connection, owner, now, **more)


def states(store: ops.Ops) -> dict[str, str]:
    with store.read() as connection:
        return {row.id: row.state for row in connection.execute(ops.select(run_tables.tick))}


def test_what_is_planned_twice_is_planned_once_also_when_caught_up_with(store: ops.Ops) -> None:
    assert planned(store, due("a"), due("a"), due("b")) == 2
    assert planned(store, due("a", why="catchup"), due("b")) == 0
    assert planned(store, due("a", why="arrival", mark="f1"), due("a", why="arrival", mark="f2")) == 2
    assert planned(store, due("a", why="request", request_id=1), due("a", why="request", request_id=2)) == 2


def test_a_tick_is_one_workers_until_its_lease_runs_out_and_then_only_the_nexts(store: ops.Ops) -> None:
    planned(store, due("a"))
    (mine,) = claim(store, "one")
    assert (mine.attempt, mine.lease_until) == (1, NOON + ticks.LEASE)
    assert claim(store, "two", NOON + ticks.LEASE - SECOND) == []
    with store.begin() as connection:
        assert ticks.beat(connection, [mine], NOON + 20 * SECOND) == []
    assert claim(store, "two", NOON + 40 * SECOND) == []
    (taken,) = claim(store, "two", NOON + MINUTE)
    assert (taken.id, taken.attempt, taken.lease_owner) == (mine.id, 2, "two")
    with store.begin() as connection:
        assert ticks.beat(connection, [mine], NOON + MINUTE) == [mine.id]
        assert not ticks.close(connection, mine, done=True, run="r1", at=NOON)
        assert not ticks.again(connection, mine, NOON, reason=("", ""))
        assert ticks.close(connection, taken, done=True, run="r2", at=NOON)
    assert states(store) == {mine.id: "done"}


def test_the_same_owner_cannot_close_what_it_lost_and_claimed_again(store: ops.Ops) -> None:
    planned(store, due("a"))
    (first,) = claim(store, "one")
    (second,) = claim(store, "one", NOON + MINUTE)
    with store.begin() as connection:
        assert not ticks.close(connection, first, done=True, run="r", at=NOON)
        assert ticks.close(connection, second, done=True, run="r", at=NOON)


def test_no_department_runs_more_than_its_limit_and_no_resource_twice(store: ops.Ops) -> None:
    planned(store, *(due(f"l{n}") for n in range(3)), *(due(f"c{n}", "civil") for n in range(3)))
    planned(store, due("x", "other"), due("x", "other", why="request", request_id=1))
    limits = Limits(each=1, departments=(("civil", 2),))
    found = claim(store, "one", limits=limits, most=10)
    assert sorted((t.department, t.resource) for t in found) == [
        ("civil", "c0"), ("civil", "c1"), ("land", "l0"), ("other", "x")
    ]  # fmt: skip
    assert claim(store, "two", limits=limits, most=10) == []
    with store.begin() as connection:
        ticks.close(connection, next(t for t in found if t.resource == "l0"), done=True, run="", at=NOON)
    assert [t.resource for t in claim(store, "two", limits=limits, most=10)] == ["l1"]


def test_what_a_person_asked_goes_before_the_clock_and_a_first_try_before_another(store: ops.Ops) -> None:
    planned(store, due("old", "a", due_at=NOON - MINUTE), due("new", "b"))
    planned(store, due("asked", "c", why="request", request_id=7))
    (again,) = claim(store, "one", most=1)
    assert again.resource == "asked"
    (old,) = claim(store, "one")
    assert old.resource == "old"
    with store.begin() as connection:
        ticks.again(connection, old, NOON, reason=("错", "wrong"))
    assert [t.resource for t in claim(store, "one", most=2)] == ["new", "old"]


def test_a_failed_try_waits_and_one_that_was_none_is_not_counted(store: ops.Ops) -> None:
    planned(store, due("a"))
    (tick,) = claim(store, "one")
    with store.begin() as connection:
        assert ticks.again(connection, tick, NOON + MINUTE, reason=("错", "wrong"))
    assert claim(store, "one", NOON + 59 * SECOND) == []
    (tick,) = claim(store, "one", NOON + MINUTE)
    assert tick.attempt == 2
    with store.begin() as connection:
        assert ticks.again(connection, tick, NOON, reason=("", ""), tried=False)
    assert claim(store, "one", NOON + MINUTE)[0].attempt == 2


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1), timedelta(days=400), timedelta(days=-400)])
def test_a_clock_that_jumps_loses_nothing_and_leaves_nothing_stuck(store: ops.Ops, jump: timedelta) -> None:
    planned(store, due("running"), due("waiting", "civil"))
    found = claim(store, "killed", most=2)
    with store.begin() as connection:
        ticks.again(connection, found[1], NOON + MINUTE, reason=("", ""))
    later = NOON + jump + 2 * MINUTE
    taken = {t.resource for t in claim(store, "next", later, most=2)}
    assert taken == {"running", "waiting"}, "what lies in a future that will not come is due now"


def test_a_beat_after_the_clock_was_set_back_keeps_the_lease(store: ops.Ops) -> None:
    planned(store, due("a"))
    (mine,) = claim(store, "one")
    back = NOON - timedelta(hours=3)
    with store.begin() as connection:
        assert ticks.beat(connection, [mine], back) == []
    assert claim(store, "two", back + SECOND) == []


def test_what_was_planned_before_a_run_is_let_go_but_a_backfill_is_not(store: ops.Ops) -> None:
    period = (date(2025, 1, 1), date(2025, 2, 1))
    planned(store, due("a", due_at=NOON - MINUTE), due("a", why="backfill", period=period, request_id=3), due("a"))
    with store.begin() as connection:
        (asked,) = ticks.claim(connection, "one", NOON)
        ticks.close(connection, asked, done=True, run="", at=NOON)
        (old,) = ticks.claim(connection, "one", NOON)
        assert old.due_at == NOON - MINUTE
        ticks.again(connection, old, NOON + MINUTE, reason=("", ""))
        (new,) = ticks.claim(connection, "one", NOON)
        ticks.close(connection, new, done=True, run="", at=NOON)
        assert ticks.skip_older(connection, new) == 1
    assert asked.period == period
    assert sorted(states(store).values()) == ["done", "done", "skipped"]


def test_old_ticks_are_forgotten_but_the_last_planned_of_each_resource_stays(store: ops.Ops) -> None:
    planned(store, due("a", due_at=NOON - MINUTE), due("a"), due("b"))
    for _ in range(3):
        with store.begin() as connection:
            for tick in ticks.claim(connection, "one", NOON, most=3):
                ticks.close(connection, tick, done=True, run="", at=NOON)
    with store.begin() as connection:
        assert ticks.forget(connection, NOON + MINUTE) == 1
        assert ticks.last_due(connection) == {"a": NOON, "b": NOON}


WORKER = """
import sys, time
from datetime import timedelta
from twin import ops
from twin.runs import ticks
store, owner, lease = ops.Ops(sys.argv[1]), sys.argv[2], timedelta(seconds=float(sys.argv[3]))
while True:
    with store.begin() as connection:
        found = ticks.claim(connection, owner, ops.now(), limits=ticks.Limits(each=99), lease=lease, most=2)
    for tick in found:
        print("began", tick.id, tick.attempt, flush=True)
        time.sleep(0.002)
        with store.begin() as connection:
            closed = ticks.close(connection, tick, done=True, run=owner, at=ops.now())
        if closed:
            print("closed", tick.id, tick.attempt, flush=True)
    if not found:
        print("idle", flush=True)
        time.sleep(0.02)
"""
"""A worker that closes what it claims, and says what it has closed after the store has."""


@pytest.mark.parametrize(("kills", "count"), [(4, 60), pytest.param(60, 1200, marks=pytest.mark.soak)])
def test_workers_killed_at_any_moment_lose_no_tick_and_close_none_twice(
    store: ops.Ops, url: str, kills: int, count: int
) -> None:
    planned(store, *(due(f"r{n}", f"d{n % 7}") for n in range(count)), now=ops.now())
    chance, said = random.Random(11), []

    def worker(n: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WORKER, url, f"w{n}", "0.6"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    living = [worker(0), worker(1)]
    for kill in range(kills):
        victim = living[kill % 2]
        victim.stdout.readline()
        time.sleep(chance.random() * 0.2)
        victim.kill()
        said += victim.communicate()[0].splitlines()
        living[kill % 2] = worker(kill + 2)
    until = time.monotonic() + 60
    while set(states(store).values()) != {"done"} and time.monotonic() < until:
        time.sleep(0.1)
    for last in living:
        last.kill()
        said += last.communicate()[0].splitlines()
    closed = [line.split()[1] for line in said if line.startswith("closed")]
    assert set(states(store).values()) == {"done"}, "nothing is lost"
    assert len(closed) == len(set(closed)), "nothing is closed twice"
