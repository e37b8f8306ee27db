"""Where resources stand, what people ask, and the table they are read from, on both databases."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.running_runs import DAY, NOON, RULES, department, line, resource, write
from twin import freshness, ops
from twin.errors import BadRequest, NotFound, Refused
from twin.runs import asking, reading, standing, taking, ticks
from twin.runs.reading import Wanted

HOUR = timedelta(hours=1)
WHO = {"by": "a-1", "why": "领导要看"}


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "data" / "run" / "ledger.jsonl"


@pytest.fixture
def known(store: ops.Ops) -> ops.Ops:
    offices = [
        department("land", resource("parcel"), resource("lease", theme="business")),
        department("civil", resource("poor", "civil", cadence_seconds=0, update_cycle="不定期")),
    ]
    with store.begin() as connection:
        standing.declare(connection, offices, RULES, NOON - 9 * HOUR)
    return store


def told(known: ops.Ops, ledger: Path, *lines: dict, now: datetime = NOON) -> reading.Page:
    write(ledger, *lines)
    with known.begin() as connection:
        taking.take_up(connection, ledger, RULES)
        standing.settle(connection, now)
        return reading.page(connection, Wanted(), now)


def states(page: reading.Page) -> dict[str, str]:
    return {row.resource: row.state for row in page.rows}


def test_each_resource_has_one_of_five_states_and_what_needs_doing_comes_first(known: ops.Ops, ledger: Path) -> None:
    page = told(
        known,
        ledger,
        line("parcel", "published", NOON - timedelta(days=3)),
        line("lease", "published", NOON - 2 * HOUR),
        line("lease", "failed", NOON - HOUR),
    )
    assert [(r.resource, r.state, r.shape) for r in page.rows] == [
        ("lease", "failed", "✖"),
        ("parcel", "stale", "▲"),
        ("poor", "never", "○"),
    ]
    assert page.counts["state"] == {"failed": 1, "stale": 1, "never": 1}
    page = told(known, ledger, line("parcel", "published", NOON), line("lease", "held", NOON))
    assert states(page) == {"lease": "held", "parcel": "fresh", "poor": "never"}


def test_a_late_resource_says_since_when_it_owes_what(known: ops.Ops, ledger: Path) -> None:
    page = told(known, ledger, line("parcel", "published", NOON - timedelta(days=4)))
    late = page.rows[0]
    assert late.due_at == NOON - timedelta(days=3)
    assert late.reason.zh == "超期 3 天:应于 2025-11-18 前更新,来源未更新"
    assert late.reason.en.startswith("3 days overdue")
    assert (late.contact_person, late.department_title.zh) == ("陈明亮", "land局")


def test_the_states_are_those_of_the_layers_marks(known: ops.Ops, ledger: Path) -> None:
    lines = [line("parcel", s, NOON - timedelta(days=d)) for s, d in [("published", 5), ("refused", 4), ("held", 1)]]
    for upto in range(1, 4):
        page = told(known, ledger, lines[upto - 1])
        marks = freshness.status(freshness.read(ledger)["parcel"], DAY, NOON)
        assert states(page)["parcel"] == marks.state


def test_a_line_is_taken_up_once_and_one_that_a_kill_left_is_taken_up_later(known: ops.Ops, ledger: Path) -> None:
    write(ledger, line("parcel", "published", NOON))
    for expected in (1, 0, 0):
        with known.begin() as connection:
            assert taking.take_up(connection, ledger, RULES) == expected
    with ledger.open("a") as file:
        file.write('{"resource": "lease", "sta')
    with known.begin() as connection:
        assert taking.take_up(connection, ledger, RULES) == 0
    with ledger.open("a") as file:
        file.write("\n")
    write(ledger, line("lease", "published", NOON))
    with known.begin() as connection:
        assert taking.take_up(connection, ledger, RULES) == 1
        assert not taking.behind(connection, ledger)
        assert len(reading.runs(connection, "lease")) == 1


def test_another_ledger_in_its_place_is_read_from_its_beginning(known: ops.Ops, ledger: Path) -> None:
    told(known, ledger, line("parcel", "published", NOON - HOUR), line("parcel", "failed", NOON))
    ledger.unlink()
    page = told(known, ledger, line("parcel", "published", NOON + HOUR))
    assert states(page)["parcel"] == "fresh"
    with known.read() as connection:
        assert len(reading.runs(connection, "parcel")) == 3


def test_a_run_tells_its_rows_and_what_they_are_against_the_good_run_before(known: ops.Ops, ledger: Path) -> None:
    stages = {s: (NOON + timedelta(seconds=n)).isoformat() for n, s in enumerate(("fetched", "read", "checked"))}
    told(
        known,
        ledger,
        line("parcel", "published", NOON - 3 * HOUR, rows=100),
        line("parcel", "failed", NOON - 2 * HOUR, rows=0),
        line("parcel", "published", NOON - HOUR, rows=90, stages=stages),
    )
    with known.read() as connection:
        last, failed, first = reading.runs(connection, "parcel")
        row = reading.one(connection, "parcel", NOON)
    assert (first.rows_delta, failed.rows_delta, last.rows_delta) == (None, None, -10)
    assert (row.rows, row.rows_delta) == (90, -10)
    assert last.fetched_at == NOON
    assert (last.checked_at, last.published_at) == (NOON + timedelta(seconds=2), None)


def test_a_change_of_state_is_told_once_and_the_first_reading_of_an_old_ledger_tells_nothing(
    known: ops.Ops, ledger: Path
) -> None:
    told(known, ledger, line("parcel", "failed", NOON - 9 * HOUR), line("lease", "published", NOON - 9 * HOUR))
    with known.read() as connection:
        assert reading.notices(connection) == []
    for at in (8, 7, 6):
        told(known, ledger, line("lease", "failed", NOON - at * HOUR))
    told(known, ledger, line("lease", "published", NOON - 5 * HOUR))
    told(known, ledger, now=NOON + timedelta(days=3))
    told(known, ledger, now=NOON + timedelta(days=4))
    with known.read() as connection:
        found = [(n.resource, n.state_before, n.state) for n in reversed(reading.notices(connection))]
    assert found == [("lease", "fresh", "failed"), ("lease", "failed", "fresh"), ("lease", "fresh", "stale")]


def test_a_held_publish_waits_for_one_decision_with_who_and_why(known: ops.Ops, ledger: Path) -> None:
    guards = [{"guard": "rows", "zh": "少 30%", "en": "30 % fewer", "old": 100, "new": 70}]
    told(known, ledger, line("parcel", "published", NOON - 2 * HOUR, rows=100))
    told(known, ledger, line("parcel", "held", NOON - HOUR, rows=70, holds=guards, delivery="abc"))
    with known.begin() as connection:
        (held,) = reading.holds(connection)
        assert (held.rows_old, held.rows_new, held.delivery, held.guards) == (100, 70, "abc", tuple(guards))
        number = asking.approve(connection, held.run, at=NOON, **WHO)
        with pytest.raises(BadRequest, match="no longer waits"):
            asking.reject(connection, held.run, at=NOON, **WHO)
        (request,) = reading.requests(connection)
        (decided,) = reading.holds(connection, waiting=False)
    assert (request.id, request.kind, request.held_run, request.account_id) == (number, "approve", held.run, "a-1")
    assert (decided.decision, decided.account_id, decided.why) == ("approved", "a-1", "领导要看")


@pytest.mark.parametrize("kind", ["rerun", "backfill"])
def test_whoever_asked_for_a_run_may_send_it_back_and_somebody_else_approves_it(
    known: ops.Ops, ledger: Path, kind: str
) -> None:
    period = ((date(2025, 11, 1), date(2025, 11, 2)),) if kind == "backfill" else ()
    with known.begin() as connection:
        number = getattr(asking, kind)(connection, "parcel", *period, at=NOON - 3 * HOUR, **WHO)
        due = ticks.Due(resource="parcel", department="land", due_at=NOON - 3 * HOUR, why="request", request_id=number)
        ticks.plan(connection, [due], NOON - 3 * HOUR)
    told(known, ledger, line("parcel", "held", NOON - HOUR, tick=f"{due.id}#2"))
    with known.begin() as connection:
        (held,) = reading.holds(connection)
        with pytest.raises(Refused, match="somebody else must approve"):
            asking.approve(connection, held.run, at=NOON, **WHO)
        assert len(reading.holds(connection)) == 1
        asking.approve(connection, held.run, by="b-2", why="已核实", at=NOON)
        (decided,) = reading.holds(connection, waiting=False)
    assert (decided.decision, decided.account_id) == ("approved", "b-2")
    told(known, ledger, line("parcel", "held", NOON + HOUR, tick=f"{due.id}#3"))
    with known.begin() as connection:
        asking.reject(connection, reading.holds(connection)[0].run, at=NOON, **WHO)


def test_a_rejected_publish_counts_as_failed_and_says_why(known: ops.Ops, ledger: Path) -> None:
    told(known, ledger, line("parcel", "held", NOON - HOUR))
    with known.begin() as connection:
        (held,) = reading.holds(connection)
        asking.reject(connection, held.run, at=NOON, **WHO)
        row = reading.one(connection, "parcel", NOON)
    assert (row.state, row.reason.zh) == ("failed", "待批的数据已退回:领导要看")


def test_a_later_run_overtakes_a_hold(known: ops.Ops, ledger: Path) -> None:
    told(known, ledger, line("parcel", "held", NOON - HOUR), line("parcel", "published", NOON))
    with known.read() as connection:
        assert reading.holds(connection) == []
        assert [h.decision for h in reading.holds(connection, waiting=False)] == ["overtaken"]


def test_a_changed_cadence_changes_the_promise_and_stands_with_who_and_why(known: ops.Ops, ledger: Path) -> None:
    told(known, ledger, line("parcel", "published", NOON - timedelta(days=2)))
    with known.begin() as connection:
        asking.change_cadence(connection, "parcel", "cron 0 6 * * 1", RULES, at=NOON, **WHO)
        row = reading.one(connection, "parcel", NOON)
        assert (row.state, row.changed) == ("fresh", True)
        assert row.due_at == datetime(2025, 11, 23, 22, tzinfo=UTC), "Monday six o'clock in Shanghai"
        (change,) = reading.changes(connection, "parcel")
        assert (change.account_id, change.why, change.cadence) == ("a-1", "领导要看", "cron 0 6 * * 1")
        asking.change_cadence(connection, "parcel", "", RULES, at=NOON, **WHO)
        row = reading.one(connection, "parcel", NOON)
        assert (row.state, row.changed) == ("stale", False)


def test_a_change_outlives_a_new_declaration_and_a_resource_no_longer_declared_is_gone(known: ops.Ops) -> None:
    with known.begin() as connection:
        asking.change_cadence(connection, "parcel", "workdays 06:30", RULES, at=NOON, **WHO)
        asking.pause(connection, "parcel", at=NOON, **WHO)
        again = department("land", replace(resource("parcel"), contact_person="王五"))
        standing.declare(connection, [again], RULES, NOON)
        page = reading.page(connection, Wanted(), NOON)
    assert [(r.resource, r.cadence, r.paused, r.contact_person) for r in page.rows] == [
        ("parcel", "workdays 06:30", True, "王五")
    ]


@pytest.mark.parametrize("why", ["", " ", "a"])
def test_nothing_is_asked_without_a_reason(known: ops.Ops, why: str) -> None:
    with known.begin() as connection:
        with pytest.raises(BadRequest, match="Say why"):
            asking.rerun(connection, "parcel", by="a", why=why, at=NOON)
        with pytest.raises(BadRequest, match="Say why"):
            asking.pause(connection, "parcel", by="a", why=why, at=NOON)


def test_what_cannot_be_done_is_refused(known: ops.Ops) -> None:
    with known.begin() as connection:
        with pytest.raises(NotFound):
            asking.rerun(connection, "nothing", at=NOON, **WHO)
        with pytest.raises(NotFound):
            asking.approve(connection, "nothing", at=NOON, **WHO)
        with pytest.raises(BadRequest, match="cannot be read"):
            asking.change_cadence(connection, "parcel", "now and then", RULES, at=NOON, **WHO)
        with pytest.raises(BadRequest, match="period"):
            asking.backfill(connection, "parcel", (date(2025, 2, 1), date(2025, 1, 1)), at=NOON, **WHO)
        with pytest.raises(BadRequest, match="order"):
            reading.page(connection, Wanted(sort="title"), NOON)  # type: ignore[arg-type]


def test_what_is_asked_twice_before_it_ran_is_one_request(known: ops.Ops) -> None:
    with known.begin() as connection:
        first = asking.rerun(connection, "parcel", at=NOON, **WHO)
        assert asking.rerun(connection, "parcel", at=NOON, **WHO) == first
        assert asking.rerun(connection, "parcel", at=NOON, force=True, **WHO) != first
        assert next(r.id for r in asking.taken(connection)) == first
        assert asking.rerun(connection, "parcel", at=NOON, **WHO) != first, "that one has begun"


def test_everything_that_failed_is_asked_for_at_once(known: ops.Ops, ledger: Path) -> None:
    told(known, ledger, line("parcel", "failed", NOON), line("lease", "failed", NOON), line("poor", "published", NOON))
    with known.begin() as connection:
        asking.rerun_failed(connection, at=NOON, **WHO)
        assert {r.resource for r in reading.requests(connection)} == {"parcel", "lease"}


def test_filters_count_what_each_of_them_would_show(known: ops.Ops, ledger: Path) -> None:
    told(known, ledger, line("parcel", "failed", NOON), line("lease", "published", NOON))
    with known.read() as connection:
        page = reading.page(connection, Wanted(states=("failed",)), NOON)
        assert ([r.resource for r in page.rows], page.total) == (["parcel"], 1)
        assert page.counts["state"] == {"failed": 1, "fresh": 1, "never": 1}
        assert page.counts["department"] == {"land": 1}
        page = reading.page(connection, Wanted(departments=("land",), text="bh 名录"), NOON)
        assert page.counts["state"] == {"failed": 1, "fresh": 1}
        assert page.counts["department"] == {"land": 2, "civil": 1}
        page = reading.page(connection, Wanted(may=("civil",)), NOON)
        assert (states(page), page.counts["state"]) == ({"poor": "never"}, {"never": 1})
        for text in ("100%", "_", "不存在"):
            assert reading.page(connection, Wanted(text=text), NOON).total == 0


@pytest.mark.parametrize("sort", sorted(reading.FIRST))
def test_every_order_pages_through_everything_once(known: ops.Ops, ledger: Path, sort: reading.Sort) -> None:
    told(known, ledger, line("parcel", "failed", NOON), line("lease", "published", NOON))
    with known.read() as connection:
        for descending in (False, True):
            wanted = [Wanted(sort=sort, descending=descending, first=n, count=1) for n in range(4)]
            seen = [[r.resource for r in reading.page(connection, w, NOON).rows] for w in wanted]
            assert sorted(name for one in seen for name in one) == ["lease", "parcel", "poor"]
            assert seen[3] == []


def test_first_rows_of_ten_thousand_resources_come_from_an_index(store: ops.Ops) -> None:
    with store.begin() as connection:
        many = [department(f"d{d}", *(resource(f"r{d}_{n}", f"d{d}") for n in range(100))) for d in range(100)]
        standing.declare(connection, many, RULES, NOON)
    with store.read() as connection:
        begun = time.perf_counter()
        page = reading.page(connection, Wanted(), NOON)
        spent = time.perf_counter() - begun
    assert (len(page.rows), page.total, len(page.counts["department"])) == (50, 10_000, 100)
    assert spent < 1.0
