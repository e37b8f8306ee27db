"""What is due now: by the clock with catch-up, by files that arrived, by inputs, by what people asked."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from etl.schedule import arrivals, planning, retries
from etl.schedule.planning import Scene
from tests.running_runs import NOON, RULES, department, line, resource, write
from twin import ops
from twin.model import Source
from twin.ops import run_tables
from twin.runs import asking, reading, standing, taking, ticks

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SIX = datetime(2025, 11, 20, 22, tzinfo=UTC)
"""Six o'clock of 21 November in Shanghai."""
WHO = {"by": "a-1", "why": "领导要看"}
RESOURCES = (
    resource("daily", cadence="cron 0 6 * * *"),
    resource("hourly", cadence="cron 0 * * * *", options={"catch_up": "all"}),
    resource("dropped", cadence="arrival"),
    resource("derived", cadence="after daily hourly", sources=()),
)


@pytest.fixture
def place(store: ops.Ops, tmp_path: Path) -> tuple[ops.Ops, Path]:
    with store.begin() as connection:
        standing.declare(connection, [department("land", *RESOURCES)], RULES, NOON - 9 * DAY)
    return store, tmp_path


def ran(place: tuple[ops.Ops, Path], *lines: dict) -> None:
    ledger = write(place[1] / "ledger.jsonl", *lines)
    with place[0].begin() as connection:
        taking.take_up(connection, ledger, RULES)


def plan(place: tuple[ops.Ops, Path], now: datetime = NOON, machine_now: datetime | None = None) -> list[tuple]:
    scene = Scene(
        resources={r.id: r for r in RESOURCES},
        raw=place[1] / "raw",
        rules=RULES,
        now=now,
        machine_now=machine_now or now,
    )
    t = run_tables.tick
    with place[0].begin() as connection:
        before = set(connection.execute(ops.select(t.c.id)).scalars())
        planning.plan(connection, scene)
        rows = connection.execute(ops.select(t).order_by(t.c.due_at, t.c.resource)).all()
    return [(r.resource, r.due_at, r.why) for r in rows if r.id not in before]


def test_what_was_missed_is_caught_up_with_once_unless_every_one_is_wanted(place: tuple[ops.Ops, Path]) -> None:
    ran(place, line("daily", "published", NOON - 5 * DAY), line("hourly", "published", NOON - 3 * HOUR + HOUR / 2))
    found = plan(place)
    assert [f for f in found if f[0] == "daily"] == [("daily", SIX, "catchup")]
    assert [f[1] for f in found if f[0] == "hourly"] == [NOON - 2 * HOUR, NOON - HOUR, NOON]
    assert [f for f in plan(place, NOON + HOUR) if f[0] != "derived"] == [("hourly", NOON + HOUR, "cadence")]
    assert ("daily", SIX + DAY, "cadence") in plan(place, SIX + DAY)


def test_what_was_never_looked_for_is_due_at_once_and_not_for_every_day_before(place: tuple[ops.Ops, Path]) -> None:
    assert [f for f in plan(place) if f[0] == "daily"] == [("daily", SIX, "catchup")]
    assert plan(place) == []


def test_two_schedulers_that_plan_at_once_plan_one_tick(place: tuple[ops.Ops, Path]) -> None:
    first = plan(place)
    with place[0].begin() as connection:
        connection.execute(ops.update(run_tables.standing), {"next_run_at": None})
        connection.execute(ops.update(run_tables.tick), {"state": "done"})
    assert first
    assert [f for f in plan(place) if f[0] == "daily"] == []


def test_a_clock_set_back_plans_nothing_twice_and_one_set_forward_plans_one(place: tuple[ops.Ops, Path]) -> None:
    plan(place)
    assert plan(place, NOON - 3 * DAY) == []
    assert [f for f in plan(place, NOON + 40 * DAY) if f[0] == "daily"] == [("daily", SIX + 40 * DAY, "catchup")]
    assert [f for f in plan(place, NOON) if f[0] == "daily"] == []


def test_what_is_paused_is_not_looked_for_and_comes_back_with_one_run(place: tuple[ops.Ops, Path]) -> None:
    with place[0].begin() as connection:
        asking.pause(connection, "daily", at=NOON, **WHO)
    assert [f for f in plan(place) if f[0] == "daily"] == []
    with place[0].begin() as connection:
        number = asking.rerun(connection, "daily", at=NOON, **WHO)
    assert ("daily", NOON, "request") in plan(place)
    with place[0].begin() as connection:
        assert reading.requests(connection)[0].id == number
        asking.pause(connection, "daily", at=NOON, paused=False, **WHO)
    assert [f[1] for f in plan(place, NOON + 3 * DAY) if f[0] == "daily"] == [SIX + 3 * DAY]


def test_a_changed_cadence_is_due_by_the_new_one_only(place: tuple[ops.Ops, Path]) -> None:
    plan(place)
    with place[0].begin() as connection:
        asking.change_cadence(connection, "daily", "cron 0 18 * * *", RULES, at=NOON, **WHO)
        assert {t.state for t in reading.ticks(connection, "daily")} == {"skipped"}
    assert [f[1] for f in plan(place, SIX + DAY) if f[0] == "daily"] == [SIX + 12 * HOUR]


def deliver(place: tuple[ops.Ops, Path], name: str = "land/dropped.csv", text: str = "a") -> Path:
    path = place[1] / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def arrived(place: tuple[ops.Ops, Path], seconds: float = 60.0) -> list[tuple]:
    found = plan(place, NOON, datetime.now(UTC) + timedelta(seconds=seconds))
    return [f[0] for f in found if f[2] == "arrival"]


def test_a_file_that_arrived_is_received_once_when_it_lies_still(place: tuple[ops.Ops, Path]) -> None:
    assert arrived(place) == []
    path = deliver(place)
    assert arrived(place, seconds=1) == [], "it may still be growing"
    assert arrived(place) == ["dropped"]
    assert arrived(place) == []
    path.write_text("ab")
    os.utime(path, (0, 0))
    assert arrived(place) == ["dropped"], "whatever time whoever copied it gave it"


def test_a_file_received_before_the_schedule_began_is_not_received_again(place: tuple[ops.Ops, Path]) -> None:
    deliver(place)
    ran(place, line("dropped", "published", datetime.now(UTC) + timedelta(seconds=2)))
    assert arrived(place) == []


def test_the_files_of_a_shapefile_and_of_a_folder_count_together(tmp_path: Path) -> None:
    one = resource("parcel", sources=(Source(location="land/地块.shp"), Source(location="land/scans")))
    for name in ("地块.shp", "地块.dbf", "地块2.dbf", "scans/a/1.tif"):
        (tmp_path / "land" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "land" / name).write_text("x")
    later = datetime.now(UTC) + timedelta(minutes=1)
    seen = {arrivals.lying(one, tmp_path, later).mark}
    for name in ("地块.dbf", "scans/a/1.tif", "地块.prj"):
        (tmp_path / "land" / name).write_text("xy")
        seen.add(arrivals.lying(one, tmp_path, later).mark)
    assert len(seen) == 4
    (tmp_path / "land" / "地块2.dbf").write_text("xy")
    assert arrivals.lying(one, tmp_path, later).mark in seen
    assert arrivals.lying(resource("none"), tmp_path, later) is None


def test_what_is_made_of_others_is_due_when_one_of_them_was_published(place: tuple[ops.Ops, Path]) -> None:
    ran(place, line("daily", "published", NOON - 5 * HOUR, version="v1"))
    assert [f for f in plan(place) if f[2] == "inputs"] == [("derived", NOON - 5 * HOUR, "inputs")]
    ran(place, line("derived", "published", NOON - 4 * HOUR))
    assert [f for f in plan(place) if f[2] == "inputs"] == []
    ran(place, line("hourly", "published", NOON - HOUR, version="v2"))
    assert [f for f in plan(place) if f[2] == "inputs"] == [("derived", NOON - HOUR, "inputs")]


def test_a_backfill_is_one_tick_with_its_period_and_reads_everything(place: tuple[ops.Ops, Path]) -> None:
    period = (date(2025, 1, 1), date(2025, 6, 30))
    with place[0].begin() as connection:
        asking.backfill(connection, "daily", period, at=NOON, **WHO)
    plan(place)
    with place[0].begin() as connection:
        (tick,) = ticks.claim(connection, "w", NOON)
    assert (tick.why, tick.period, tick.force, tick.accept) == ("backfill", period, True, False)


def test_what_is_asked_of_a_resource_no_longer_catalogued_is_answered(place: tuple[ops.Ops, Path]) -> None:
    with place[0].begin() as connection:
        asking.rerun(connection, "daily", at=NOON, **WHO)
        scene = Scene(resources={}, raw=place[1], rules=RULES, now=NOON, machine_now=NOON)
        planning.plan(connection, scene)
        assert reading.requests(connection)[0].state == "failed"


def test_waits_grow_are_spread_and_come_to_an_end() -> None:
    one, remote = resource("a"), resource("b", sources=(Source(location="", connection="pg"),))
    assert [retries.again("failed", one, n) for n in (1, 4, 5)] == [True, True, False]
    assert [retries.again(s, one, 1) for s in ("refused", "held", "published", "never")] == [False] * 4
    assert retries.again("refused", remote, 1)
    for attempt, plain in ((1, 30), (2, 120), (3, 480), (4, 1920), (5, 3600), (40, 3600)):
        waits = {retries.wait(attempt, f"t{n}").total_seconds() for n in range(200)}
        assert min(waits) >= plain / 2
        assert max(waits) <= plain * 1.5
        assert len(waits) > 150
