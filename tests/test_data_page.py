"""The data team's page over HTTP, without any script: counts, filters, rerun, schedule, approval, who may, and its cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import event

from tests.office_town import Town
from twin import ops
from twin.ops import run_tables
from twin.runs import alive, reading, ticks

BEGUN = datetime.now(UTC) - timedelta(hours=2)
REFUSED = ("源文件缺列 面积", "The column area is missing")
HELD = "20261122T000003-cccccc"


def line(resource: str, status: str, run: str, **more: Any) -> str:
    stages = {"fetched": 1, "read": 2, "checked": 3, "published": 4}
    return json.dumps(
        {
            "resource": resource, "run": run, "status": status, "started_at": BEGUN.isoformat(),
            "finished_at": (BEGUN + timedelta(seconds=5)).isoformat(), "rules": {"outside_village": 2},
            "stages": {k: (BEGUN + timedelta(seconds=s)).isoformat() for k, s in stages.items()},
            "ledger": {"read": 9, "published": 7, "quarantined": 2, "duplicates": 0, "repaired": 0}, **more,
        }
    )  # fmt: skip


LINES = (
    line("thing", "published", "20261122T000001-aaaaaa", as_of="2020-01-31"),
    line("shop", "failed", "20261122T000002-bbbbbb", reason_zh=REFUSED[0], reason_en=REFUSED[1]),
    line("home", "published", "20261122T000000-dddddd"),
    line(
        "home",
        "held",
        HELD,
        reason_zh="行数减少 40%",
        reason_en="40 % fewer rows",
        holds=[{"zh": "行数", "en": "rows"}],
    ),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("data")
    built = Town(folder)
    ledger = folder / "run" / "ledger.jsonl"
    ledger.parent.mkdir(exist_ok=True)
    ledger.write_text("\n".join(LINES) + "\n", "utf-8")
    with built.client:
        yield built


@pytest.fixture
def town(built: Town) -> Town:
    """Give the town as though nobody had looked at its runs or asked anything yet."""
    with built.accounts.ops.begin() as connection:
        for name in (
            "notice",
            "tick",
            "worker",
            "run_request",
            "hold",
            "schedule_change",
            "standing",
            "ledger_read",
            "run",
        ):
            connection.execute(ops.delete(getattr(run_tables, name)))
    built.front.state.declared = None
    return built


def text_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def counts(answer: Any) -> dict[str, int]:
    found = re.findall(r'id="state-(\w+)".*?<b>(\d+)</b>', answer.text)
    return {state: int(n) for state, n in found}


def rows(answer: Any) -> list[str]:
    return re.findall(r'data-resource="(\w+)"', answer.text)


def asked(town: Town, **where: Any) -> list[Any]:
    with town.accounts.ops.read() as connection:
        return [q for q in reading.requests(connection) if all(getattr(q, k) == v for k, v in where.items())]


# seeing


def test_the_worst_stands_first_with_its_reason_in_a_sentence_and_every_state_is_counted(town: Town) -> None:
    shown = town.get("data_engineer", "/data")
    assert shown.status_code == 200
    found = counts(shown)
    assert (found["failed"], found["held"]) == (1, 1)
    assert sum(found.values()) == len(rows(shown)) == 6
    assert rows(shown)[:2] == ["shop", "home"]
    assert REFUSED[0] in text_of(shown)
    assert REFUSED[1] in text_of(town.get("data_engineer", "/data?lang=en"))


def test_each_count_is_what_its_button_then_shows_also_under_another_filter(town: Town) -> None:
    for more in ("", "&department=land", "&q=home", "&theme=t"):
        for state, n in counts(town.get("data_engineer", f"/data?lang=zh{more}")).items():
            assert len(rows(town.get("data_engineer", f"/data?state={state}{more}"))) == n


def test_a_filter_that_finds_nothing_says_so_and_leads_back(town: Town) -> None:
    shown = town.get("data_engineer", "/data?q=nowhere-at-all")
    assert rows(shown) == []
    assert "没有符合条件的数据集" in text_of(shown)
    assert 'href="/data"' in shown.text


@pytest.mark.parametrize("tab", ["overview", "fields", "lineage", "runs", "versions", "access"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_tab_of_the_sheet_has_an_address_of_its_own(town: Town, tab: str, lang: str) -> None:
    shown = town.get("data_engineer", f"/data?r=shop&tab={tab}&lang={lang}")
    assert shown.status_code == 200
    assert 'role="dialog"' in shown.text
    assert f'id="tab-{tab}" aria-current="page"' in shown.text


def test_the_sheet_tells_what_the_ledger_holds_and_no_more(town: Town) -> None:
    runs = text_of(town.get("data_engineer", "/data?r=shop&tab=runs&lang=en"))
    assert "fetch 1 s" in runs
    assert REFUSED[1] in runs
    fields = text_of(town.get("data_engineer", "/data?r=shop&tab=fields&lang=en"))
    assert "Outside the village 2 –" in fields


def test_only_our_own_script_may_run_there(town: Town) -> None:
    policy = town.get("data_engineer", "/data").headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


# who may


def test_a_planner_sees_the_table_and_no_press_that_changes_anything(town: Town) -> None:
    for address in ("/data", "/data?r=home", "/data?r=shop&tab=runs"):
        shown = town.get("planner", address)
        assert shown.status_code == 200
        assert "data/decide" not in shown.text
        assert 'name="resource"' not in shown.text
    assert town.post("planner", "/data/rerun", resource="shop").status_code == 404


def test_a_departments_owner_sees_and_decides_on_the_own_department_only(town: Town) -> None:
    shown = town.get("department_owner", "/data")
    own = set(rows(shown))
    every = {r.id: r.department for r in town.front.state.rooms.onemap.resources}
    department = next(a.department for a in _accounts(town) if a.role == "department_owner")
    assert own == {r for r, d in every.items() if d == department}
    foreign = next(r for r, d in every.items() if d != department)
    assert 'role="dialog"' not in town.get("department_owner", f"/data?r={foreign}").text
    assert town.client.get(f"/data/live?r={foreign}", headers=town.headers["department_owner"]).json() == {"moving": {}}


def _accounts(town: Town) -> list[Any]:
    from twin.accounts import people

    return people.listed(town.accounts.ops)


# doing


def test_a_rerun_is_asked_once_however_often_it_is_pressed_and_the_record_says_who(town: Town) -> None:
    for _ in range(2):
        answer = town.post("data_engineer", "/data/rerun", resource="shop", **{"back-state": "failed"})
        assert answer.status_code == 303
        assert "state=failed" in answer.headers["location"]
    assert [q.state for q in asked(town, resource="shop", kind="rerun")] == ["asked"]
    assert town.written("data.rerun")[0]["resource"] == "shop"
    shown = town.get("data_engineer", answer.headers["location"])
    assert "已请求重跑" in text_of(shown)
    assert 'data-moving="asked"' in shown.text
    live = town.client.get("/data/live?r=shop,thing", headers=town.headers["data_engineer"]).json()["moving"]
    assert live == {"shop": {"phase": "asked", "said": "已排队", "why": ""}}


def test_all_that_failed_is_asked_for_by_one_confirmed_press(town: Town) -> None:
    assert "重跑全部失败 (1)" in text_of(town.get("data_engineer", "/data"))
    assert town.post("data_engineer", "/data/rerun-failed").status_code == 303
    assert {q.resource for q in asked(town)} == {"shop"}


def test_a_schedule_is_changed_for_a_reason_once_and_stands_in_the_record(town: Town) -> None:
    form = {"resource": "thing", "act": "cadence", "cadence": "workdays 06:30", "back-r": "thing"}
    assert town.post("data_engineer", "/data/schedule", **form).status_code == 400
    for _ in range(2):
        assert town.post("data_engineer", "/data/schedule", **form, why="来源改为每个工作日").status_code == 303
    with town.accounts.ops.read() as connection:
        assert [c.cadence for c in reading.changes(connection, "thing")] == ["workdays 06:30"]
    shown = text_of(town.get("data_engineer", "/data?r=thing"))
    assert "workdays 06:30" in shown
    assert "来源改为每个工作日" in shown
    assert "来源改为每个工作日" in town.written("data.cadence")[0]["detail"]
    wrong = town.post("data_engineer", "/data/schedule", **{**form, "cadence": "whenever"}, why="试一试")
    assert wrong.status_code == 400
    assert "看不懂周期" in text_of(wrong)


def test_a_dataset_is_paused_and_goes_on(town: Town) -> None:
    for act, paused in (("pause", True), ("pause", True), ("resume", False)):
        form = {"resource": "thing", "act": act, "why": "来源搬迁"}
        assert town.post("data_engineer", "/data/schedule", **form).status_code == 303
        with town.accounts.ops.read() as connection:
            assert reading.one(connection, "thing", ops.now()).paused is paused
    assert len(town.written("data.pause")) == 2


def test_a_held_publish_is_approved_for_a_reason_and_pressed_twice_it_is_approved_once(town: Town) -> None:
    form = {"resource": "home", "run": HELD, "act": "approve"}
    assert town.post("data_engineer", "/data/decide", **form).status_code == 400
    for _ in range(2):
        assert town.post("data_engineer", "/data/decide", **form, why="已与民政局核实").status_code == 303
    assert [q.held_run for q in asked(town, kind="approve")] == [HELD]
    assert "已与民政局核实" in town.written("data.approve")[0]["detail"]
    late = town.post("data_engineer", "/data/decide", **{**form, "act": "reject"}, why="看错了")
    assert late.status_code == 400


def test_a_held_publish_is_sent_back_and_the_reason_stands_in_the_row(town: Town) -> None:
    form = {"resource": "home", "run": HELD, "act": "reject", "why": "少了三个组"}
    assert town.post("data_engineer", "/data/decide", **form).status_code == 303
    assert "少了三个组" in text_of(town.get("data_engineer", "/data?state=failed"))


def test_a_run_that_was_never_held_is_not_there_to_approve(town: Town) -> None:
    form = {"resource": "shop", "run": HELD, "act": "approve", "why": "别处的运行"}
    assert town.post("data_engineer", "/data/decide", **form).status_code == 404


def test_a_table_goes_back_to_a_version_that_is_kept_for_a_reason_and_once(town: Town) -> None:
    now, before = (v.version for v in town.front.state.rooms.base.versions("thing"))
    shown = text_of(town.get("data_engineer", "/data?r=thing&tab=versions"))
    assert "退回到所选版本" in shown
    assert "退回到所选版本" not in text_of(town.get("planner", "/data?r=thing&tab=versions"))
    form = {"resource": "thing", "version": before, "back-r": "thing", "back-tab": "versions"}
    assert town.post("data_engineer", "/data/rollback", **form).status_code == 400, "no reason"
    for wrong in (now, "no-such-version", ""):
        answer = town.post("data_engineer", "/data/rollback", **{**form, "version": wrong}, why="面积错了")
        assert answer.status_code == 400
    for _ in range(2):
        assert town.post("data_engineer", "/data/rollback", **form, why="面积错了").status_code == 303
    assert [(q.kind, q.version, q.why) for q in asked(town)] == [("rollback", before, "面积错了")]
    assert "面积错了" in town.written("data.rollback")[0]["detail"]
    assert town.post("planner", "/data/rollback", **form, why="面积错了").status_code == 404


def test_a_period_is_backfilled_for_a_reason(town: Town) -> None:
    form = {"resource": "thing", "first_day": "2025-01-01", "last_day": "2025-01-31", "why": "漏收一个月"}
    for wrong in ({"why": ""}, {"first_day": "soon"}, {"first_day": "2025-02-01"}, {"last_day": "2999-01-01"}):
        assert town.post("data_engineer", "/data/backfill", **{**form, **wrong}).status_code == 400
    assert town.post("data_engineer", "/data/backfill", **form).status_code == 303
    (one,) = asked(town, kind="backfill")
    assert [d.isoformat() for d in one.period] == ["2025-01-01", "2025-01-31"]
    assert "漏收一个月" in town.written("data.backfill")[0]["detail"]


def test_a_cadence_is_looked_at_before_it_is_changed_with_and_without_script(town: Town) -> None:
    told = town.get("data_engineer", "/data/cadence?cadence=workday%203%2009:00").json()
    assert told["said"] == "每月第 3 个工作日 09:00"
    assert len(told["next"]) == 5
    assert all(d.endswith("09:00") for d in told["next"])
    assert "看不懂" in town.get("data_engineer", "/data/cadence?cadence=whenever").json()["wrong"]
    form = {"resource": "thing", "act": "preview", "cadence": "workdays 06:30", "why": "来源改了"}
    shown = town.post("data_engineer", "/data/schedule", **form)
    assert "每个工作日 06:30" in text_of(shown)
    assert 'value="workdays 06:30"' in shown.text
    assert 'value="来源改了"' in shown.text
    with town.accounts.ops.read() as connection:
        assert reading.changes(connection, "thing") == [], "nothing is changed by looking"


def test_a_changed_schedule_decides_what_is_late_on_the_map_too(town: Town) -> None:
    from twin.pages.desk import changed_promises

    town.get("data_engineer", "/data")
    settings = town.front.state.rooms.settings
    assert changed_promises(settings) == {}
    form = {"resource": "thing", "act": "cadence", "cadence": "cron 0 7 * * *", "why": "改为每天"}
    assert town.post("data_engineer", "/data/schedule", **form).status_code == 303
    assert changed_promises(settings)["thing"].isoformat().startswith("2020-02-01T05:00"), "a quarter of a day later"


def test_what_changed_between_two_versions_is_a_page_with_counts_both_values_and_files(town: Town) -> None:
    shown = town.get("data_engineer", "/data/diff?table=thing")
    assert shown.status_code == 200
    counts = dict(re.findall(r'class="state (\w+)".*?<b>(\d+)</b>', shown.text))
    told = town.client.get("/api/v1/tables/thing/diff", headers=town.headers["data_engineer"]).json()
    assert {k: int(v) for k, v in counts.items()} == told["counts"]
    assert "/api/v1/tables/thing/diff.xlsx?" in shown.text
    assert 'data-geojson="/api/v1/tables/thing/diff.geojson' in shown.text
    assert town.get("data_engineer", "/data/diff?table=nothing").status_code == 404
    assert "data/rollback" not in town.get("planner", "/data/diff?table=thing").text


def test_it_says_when_nobody_receives_and_stops_when_somebody_does(town: Town) -> None:
    assert "接收服务没有运行" in text_of(town.get("planner", "/data"))
    with town.accounts.ops.begin() as connection:
        alive.say(connection, "host:1:abc", ops.now())
    assert "接收服务没有运行" not in text_of(town.get("planner", "/data"))
    with town.accounts.ops.begin() as connection:
        alive.gone(connection, "host:1:abc")


def test_a_running_row_says_its_stage_its_rows_and_for_how_long(town: Town) -> None:
    town.get("data_engineer", "/data")
    at = ops.now() - timedelta(seconds=34)
    with town.accounts.ops.begin() as connection:
        ticks.plan(connection, [ticks.Due(resource="thing", department="land", due_at=at, why="request")], at)
        (tick,) = ticks.claim(connection, "host:1:abc", at, lease=timedelta(minutes=5))
        ticks.further(connection, tick, "working", 12_000)
    live = town.client.get("/data/live?r=thing", headers=town.headers["data_engineer"]).json()["moving"]["thing"]
    assert re.fullmatch(r"正在读取 · 已读 12,000 行 · 3\d 秒", live["said"])
    with town.accounts.ops.begin() as connection:
        connection.execute(ops.delete(run_tables.tick))


def test_the_page_of_reports_lists_none_where_none_is_declared(town: Town) -> None:
    assert "还没有申报任何报表" in text_of(town.get("planner", "/reports"))
    assert town.get("planner", "/reports?name=none").status_code == 404
    assert town.get("official", "/reports").status_code == 404


# what it costs


def test_ten_thousand_datasets_ask_as_many_statements_and_give_as_many_rows_as_a_hundred(town: Town) -> None:
    town.get("data_engineer", "/data")
    said: list[str] = []

    def heard(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "session" not in statement and statement != "BEGIN":  # who asks is looked up anew now and then
            said.append(statement)

    event.listen(town.accounts.ops._engine, "before_cursor_execute", heard)
    told = []
    for upto in (100, 10_000):
        _fill(town, upto)
        said.clear()
        shown = town.get("data_engineer", "/data?sort=rank")
        told.append((len(said), len(rows(shown)), sum(counts(shown).values())))
    (few, shown_few, n_few), (many, shown_many, n_many) = told
    assert few == many
    assert shown_few == shown_many == 50
    assert (n_few, n_many) == (100, 10_000)


def _fill(town: Town, upto: int) -> None:
    with town.accounts.ops.begin() as connection:
        s = run_tables.standing
        first = connection.execute(ops.select(s).limit(1)).one()._asdict()
        have = connection.execute(ops.select(ops.func.count()).select_from(s)).scalar_one()
        more = [{**first, "resource": f"more_{n}", "place": n, "title_zh": f"数据 {n}"} for n in range(have, upto)]
        connection.execute(ops.insert(s), more)
