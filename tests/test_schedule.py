"""Real workers and real runs: what is due is received once, whatever hangs, dies or is asked for meanwhile."""

from __future__ import annotations

import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from etl import batch, catalog, ledger
from etl.schedule import arrivals, crew, slots, worker
from tests import hanging, scheduling
from tests.receiving import deliver, feature
from tests.running_runs import department, resource
from twin import ops
from twin.runs import alive, asking, reading, standing, ticks
from twin.settings import Settings
from twin.store import Store

WHO = {"by": "a-1", "why": "领导要看"}
ENDED = {"done", "skipped"}
"""A tick is skipped where a later one of its resource took its place: a delivery's arrival may be seen while the first waits."""


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "STILL_SECONDS", 0.0)
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(worker, "FILES_SECONDS", 0.0)


def ask(me: worker.Worker, kind: str, *given: object, **more: object) -> object:
    with me.store.begin() as connection:
        return getattr(asking, kind)(connection, *given, at=ops.now(), **WHO, **more)


def row(me: worker.Worker, name: str) -> reading.Standing:
    with me.store.read() as connection:
        return reading.one(connection, name, ops.now())


def lines(settings: Settings) -> list[dict]:
    return [json.loads(text) for text in ledger.path(settings.data).read_text().splitlines()]


def idle(me: worker.Worker, seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not worker.turn(me):
        assert time.monotonic() < until, scheduling.all_states(me.store)


def test_what_was_received_before_the_schedule_began_is_not_received_again(tmp_path: Path) -> None:
    settings = scheduling.place(tmp_path, "first", "second")
    known = catalog.read(settings.village)
    assert {
        r.status
        for r in batch.run_all(known.resources, known, settings, accept=False, force=False, progress=lambda *_: None)
    } == {"published"}
    me = scheduling.hand(settings)
    idle(me)
    assert scheduling.all_states(me.store) == {}
    assert row(me, "first").state == "fresh"


def test_a_table_worked_out_from_others_stands_in_the_schedule_and_is_due_after_them(tmp_path: Path) -> None:
    me = scheduling.hand(Settings(data=tmp_path, village=scheduling.ROOT / "data"))
    assert row(me, "buildings").cadence == "after building address_point house_survey homestead"
    crew.declare(me.store, me.settings, me.catalog)
    assert row(me, "buildings").state == "never"
    for name in ("building", "homestead"):
        now = ops.now()
        ran = ledger.Report(
            resource=name, run=f"{name}-1", status="published", started_at=now, finished_at=now, version="v1"
        )
        ledger.record(tmp_path, ran)
    worker.plan(me, ops.now())
    assert {name.partition("@")[0] for name in scheduling.all_states(me.store)} >= {"buildings", "village_indicators"}


def test_a_table_goes_back_to_a_chosen_version_as_somebody_asks_and_the_worker_says_that_it_lives(
    tmp_path: Path, empty_url: str
) -> None:
    settings = scheduling.place(tmp_path, "cover", url=empty_url)
    me = scheduling.hand(settings)
    for n in (5, 6, 7):
        deliver(tmp_path, [feature(i) for i in range(n)], "cover/cover.geojson")
        idle(me)
    store = Store(settings.store)
    bad, _, first = (v.version for v in store.versions("cover"))
    ask(me, "rollback", "cover", first)
    ask(me, "rollback", "cover", "no-such-version")
    idle(me)
    assert store.current("cover").version == first
    assert [(g.version, g.by, g.reason) for g in store.removed("cover")][-1] == (bad, *WHO.values())
    with me.store.read() as connection:
        wrong, right = reading.requests(connection, "cover")
        assert alive.anybody(connection, ops.now())
        taken_back = reading.runs(connection, "cover")[0]
        (tick,) = [t for t in reading.ticks(connection, "cover") if t.request_id == right.id]
    assert (right.state, wrong.state) == ("done", "failed")
    assert "no-such-version" in wrong.reason.zh
    assert (taken_back.status, taken_back.rows_published, taken_back.rows_delta) == ("rolled_back", 5, -2)
    assert WHO["why"] in taken_back.reason.zh
    assert WHO["by"] not in taken_back.reason.zh
    assert tick.attempt == 1
    stands = row(me, "cover")
    assert (stands.version, stands.rows, stands.state) == (first, 5, "failed")
    ask(me, "rerun", "cover")
    idle(me)
    assert (row(me, "cover").state, store.current("cover").version) == ("held", first), "the same delivery stays out"
    worker.part(me)
    with me.store.read() as connection:
        assert not alive.anybody(connection, ops.now())


def test_a_delivery_is_received_approved_rejected_and_rerun_as_people_ask(tmp_path: Path, empty_url: str) -> None:
    settings = scheduling.place(tmp_path, "cover", url=empty_url)
    me = scheduling.hand(settings)
    idle(me)
    assert (row(me, "cover").state, row(me, "cover").rows) == ("fresh", 5)
    with me.store.read() as connection:
        (run,) = reading.runs(connection, "cover")
    assert run.started_at <= run.fetched_at <= run.read_at <= run.checked_at <= run.published_at <= run.finished_at
    assert "published" in (tmp_path / run.log).read_text()

    deliver(tmp_path, [feature(0)], "cover/cover.geojson")
    idle(me)
    assert row(me, "cover").state == "held"
    with me.store.read() as connection:
        (held,) = reading.holds(connection)
    assert (held.rows_old, held.rows_new) == (5, 1)
    deliver(tmp_path, [feature(0), feature(1)], "cover/cover.geojson")
    ask(me, "approve", held.run)
    idle(me)
    assert row(me, "cover").state == "held", "another delivery than the one that was approved"
    with me.store.read() as connection:
        assert reading.requests(connection)[0].state == "failed"
        (held,) = reading.holds(connection)
    ask(me, "approve", held.run)
    idle(me)
    assert (row(me, "cover").state, row(me, "cover").rows, row(me, "cover").rows_delta) == ("fresh", 2, -3)

    versions = len(Store(settings.store).versions("cover"))
    ask(me, "rerun", "cover")
    idle(me)
    assert len(Store(settings.store).versions("cover")) == versions
    ask(me, "rerun", "cover", force=True)
    idle(me)
    assert len(Store(settings.store).versions("cover")) == versions + 1
    with me.store.read() as connection:
        assert {r.state for r in reading.requests(connection)} == {"done", "failed"}


def test_a_source_that_hangs_is_ended_at_its_deadline_and_costs_only_its_own_department(tmp_path: Path) -> None:
    options = '[resource.options]\nfetch_seconds = "3"\n'
    names = ["hung_a", "hung_b", "garbage_c", "good_d", "good_e"]
    settings = scheduling.place(tmp_path, *names)
    for path in (tmp_path / "catalog").glob("*hung*"):
        text = path.read_text("utf-8")
        path.write_text(text.replace("[[resource.source]]", options + "[[resource.source]]", 1), "utf-8")
    me = scheduling.hand(settings, main=hanging.main, places=1)
    until = time.monotonic() + 60
    while {row(me, n).state for n in names if n.startswith("good")} != {"fresh"}:
        worker.turn(me)
        assert time.monotonic() < until
    good_at = time.monotonic()
    while {row(me, n).state for n in names if n.startswith("hung")} != {"failed"}:
        worker.turn(me)
        assert time.monotonic() < good_at + 30
    assert row(me, "hung_a").reason.zh == "来源超过时限未完成,已中止;旧版本不受影响"
    assert row(me, "garbage_c").reason.zh == "乱码"
    with me.store.read() as connection:
        (again,) = [t for t in reading.running(connection) if t.resource == "hung_a"]
    assert again.state == "waiting"
    assert again.next_at > datetime.now(UTC) + timedelta(seconds=5)
    worker.part(me)


def test_a_run_whose_process_dies_is_told_in_the_ledger_and_tried_again(tmp_path: Path) -> None:
    settings = scheduling.place(tmp_path, "hung_a")
    me = scheduling.hand(settings, main=hanging.main)
    while not me.slots:
        worker.turn(me)
    slots.kill(me.slots[0])
    while me.slots:
        worker.turn(me)
    assert lines(settings)[-1]["reason_en"] == "The run's process died; the version before stays"
    assert set(scheduling.all_states(me.store).values()) == {"waiting"}


def test_a_worker_that_is_asked_to_stop_gives_back_what_it_had_untried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PARTING_SECONDS", 0.2)
    settings = scheduling.place(tmp_path, "hung_a")
    me = scheduling.hand(settings, main=hanging.main)
    while not me.slots:
        worker.turn(me)
    person = me.slots[0].person.pid
    worker.part(me)
    with me.store.read() as connection:
        (tick,) = reading.ticks(connection, "hung_a")
    assert (tick.state, tick.attempt) == ("waiting", 0)
    with pytest.raises(ProcessLookupError):
        os.kill(person, 0)


@pytest.mark.parametrize(("kills", "count"), [(4, 4), pytest.param(40, 12, marks=pytest.mark.soak)])
def test_workers_killed_at_any_moment_publish_every_delivery_once(
    tmp_path: Path, empty_url: str, kills: int, count: int
) -> None:
    names = [f"r{n}" for n in range(count)]
    settings = scheduling.place(tmp_path, *names, url=empty_url)
    me = scheduling.hand(settings)
    now = ops.now()
    with me.store.begin() as connection:
        dues = [ticks.Due(resource=n, department=f"d_{n}", due_at=now, why="cadence") for n in names]
        ticks.plan(connection, dues, now)
    chance = random.Random(3)
    living = [scheduling.begin(settings), scheduling.begin(settings)]
    for kill in range(kills):
        time.sleep(0.5 + chance.random() * 4)
        living[kill % 2].kill()
        living[kill % 2].wait()
        living[kill % 2] = scheduling.begin(settings)
    until = time.monotonic() + 200
    while not set(scheduling.all_states(me.store).values()) <= ENDED and time.monotonic() < until:
        time.sleep(0.2)
    for last in living:
        last.terminate()
        last.wait(40)
    assert set(scheduling.all_states(me.store).values()) <= ENDED, "nothing is lost"
    store = Store(settings.store)
    assert {n: len(store.versions(n)) for n in names} == dict.fromkeys(names, 1), "nothing is published twice"
    for name in names:
        told = [line for line in lines(settings) if line["resource"] == name and line["status"] == "published"]
        assert len(told) <= 1
        assert store.current(name).manifest["rows"] == 5


def test_a_resource_somebody_else_is_receiving_is_left_to_him(tmp_path: Path) -> None:
    settings = scheduling.place(tmp_path, "hung_a")
    me, other = (scheduling.hand(settings, main=hanging.main) for _ in range(2))
    while not me.slots:
        worker.turn(me)
    time.sleep(1)
    with me.store.begin() as connection:
        connection.execute(ops.update(ops.run_tables.tick), {"lease_until": ops.now() - timedelta(minutes=1)})
    until = time.monotonic() + 60
    while set(scheduling.all_states(me.store).values()) != {"waiting"}:
        worker.turn(other)
        assert time.monotonic() < until
    with me.store.read() as connection:
        (tick,) = reading.ticks(connection, "hung_a")
    assert tick.attempt == 1, "the first attempt is the one that still runs"
    assert me.slots[0].person.is_alive()
    worker.part(other)
    worker.part(me)


def test_logs_and_ticks_whose_time_is_over_are_removed(tmp_path: Path) -> None:
    settings = scheduling.place(tmp_path, "cover")
    me = scheduling.hand(settings)
    idle(me)
    (log,) = tmp_path.glob("run/schedule/logs/*/*.log")
    crew.tidy(me.store, tmp_path, ops.now() + timedelta(days=29))
    assert log.exists()
    crew.tidy(me.store, tmp_path, ops.now() + timedelta(days=91))
    assert not log.exists()
    with me.store.read() as connection:
        assert reading.ticks(connection, "cover") == []
        assert len(reading.runs(connection, "cover")) == 1


def test_a_catalogue_is_declared_once_and_read_by_all(tmp_path: Path, store: ops.Ops) -> None:
    rules = standing.Rules(zone="Asia/Shanghai")
    with store.begin() as connection:
        standing.declare(connection, [department("land", resource("a"))], rules, ops.now())
        standing.declare(connection, [department("land", resource("a"))], rules, ops.now())
        assert reading.page(connection, reading.Wanted(), ops.now()).total == 1
