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
from twin.runs import reading

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
        for name in ("notice", "run_request", "hold", "schedule_change", "standing", "ledger_read", "run"):
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


@pytest.mark.parametrize("tab", ["overview", "fields", "lineage", "runs", "access"])
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


# what it costs


def test_ten_thousand_datasets_ask_as_many_statements_and_give_as_many_rows_as_a_hundred(town: Town) -> None:
    town.get("data_engineer", "/data")
    said: list[str] = []

    def heard(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
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
