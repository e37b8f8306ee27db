"""The data team's journeys in a browser: what is late and why, rerun, schedule, approval; by keyboard, phone, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.harness import Visit
from tests.browser.page_server import served_asgi
from tests.browser.test_signin import application
from tests.test_data_page import HELD, LINES, REFUSED
from twin import ops
from twin.ops import run_tables
from twin.runs import reading

Opener = Callable[..., Visit]
ROLE = "数据工程师"


class Desk:
    """A demo with four runs in its ledger, and its store."""

    def __init__(self, folder: Path) -> None:
        self.app = application(folder, demo=True)
        run = folder / "run"
        run.mkdir(exist_ok=True)
        listed = [r.id for r in self.app.state.rooms.onemap.resources]
        self.late, self.failed, self.held = listed[:3]
        text = "\n".join(LINES) + "\n"
        for theirs, ours in (("thing", self.late), ("shop", self.failed), ("home", self.held)):
            text = text.replace(f'"resource": "{theirs}"', f'"resource": "{ours}"')
        (run / "ledger.jsonl").write_text(text, "utf-8")
        self.ops = self.app.state.who.accounts.ops
        self.url = ""

    def forget(self) -> None:
        with self.ops.begin() as connection:
            for name in ("notice", "run_request", "hold", "schedule_change", "standing", "ledger_read", "run"):
                connection.execute(ops.delete(getattr(run_tables, name)))
        self.app.state.declared = None

    def answered(self) -> None:
        """Say of every request what the receiving side would: it is done."""
        with self.ops.begin() as connection:
            q = run_tables.run_request
            connection.execute(ops.update(q), {"state": "done", "ended_at": ops.now()})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    with served_asgi(desk.app) as desk.url:
        yield desk


@pytest.fixture
def desk(served: Desk) -> Desk:
    served.forget()
    return served


def entered(visit: Opener, desk: Desk, address: str = "data", **options: Any) -> Any:
    page = visit(f"{desk.url}signin?next=/{address}", **options).page
    page.get_by_role("button", name=ROLE).click()
    page.wait_for_url(f"**/{address}*")
    return page


def test_what_failed_is_seen_with_its_reason_and_rerun_by_one_press_that_shows_itself_live(
    desk: Desk, visit: Opener
) -> None:
    page = entered(visit, desk)
    first = page.locator("#data-table tbody tr").first
    expect(first).to_contain_text(REFUSED[0])
    page.evaluate("window.kept = 'still here'")
    first.get_by_role("button").click()
    expect(first.locator(".phase")).to_have_text("已排队")
    expect(page.locator("#data-told")).to_contain_text("已请求重跑")
    desk.answered()
    expect(page.locator("tr[data-moving]")).to_have_count(0, timeout=15_000)
    assert page.evaluate("window.kept") == "still here"


def test_a_schedule_is_changed_where_it_is_read(desk: Desk, visit: Opener) -> None:
    page = entered(visit, desk)
    page.locator(f"#row-{desk.late}").click()
    page.locator("#cadence-change").click()
    page.locator("#cadence").fill("workdays 06:30")
    page.locator("#cadence-why-it").fill("来源改为每个工作日")
    page.get_by_role("button", name="修改", exact=True).click()
    expect(page.locator("#schedule .history")).to_contain_text("来源改为每个工作日")
    expect(page.locator("#schedule .history")).to_contain_text("何俊")


def test_a_held_publish_is_approved_for_a_reason(desk: Desk, visit: Opener) -> None:
    page = entered(visit, desk)
    page.get_by_role("link", name="审批").first.click()
    page.locator("#decide-why").fill("已核实")
    page.get_by_role("button", name="批准发布").click()
    expect(page.locator("#data-told")).to_contain_text("已批准发布")
    with desk.ops.read() as connection:
        assert [h.decision for h in reading.holds(connection, desk.held, waiting=False)] == ["approved"]
        assert reading.requests(connection, desk.held)[0].held_run == HELD


def test_all_of_it_goes_by_keyboard_and_the_focus_comes_back(desk: Desk, visit: Opener) -> None:
    page = entered(visit, desk)
    page.keyboard.press("/")
    expect(page.locator("#data-q")).to_be_focused()
    page.keyboard.type(desk.failed)
    expect(page.locator("#data-table tbody tr").first).to_have_attribute("data-resource", desk.failed)
    expect(page.locator(".c-state").nth(1)).to_contain_text("失败")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#row-{desk.failed}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-title")).to_be_focused()
    assert f"r={desk.failed}" in page.url
    page.keyboard.press("Escape")
    expect(page.locator(f"#row-{desk.failed}")).to_be_focused()
    expect(page.locator(".over")).to_have_count(0)


def test_without_script_the_same_buttons_do_the_same(desk: Desk, visit: Opener) -> None:
    page = entered(visit, desk, java_script_enabled=False)
    page.locator("#state-failed").click()
    expect(page.locator("#data-table tbody tr")).to_have_count(1)
    page.locator(f"#rerun-{desk.failed}").click()
    expect(page.locator("#data-told")).to_contain_text("已请求重跑")
    page.locator("#rerun-failed").click()
    page.locator("#rerun-failed-do").click()
    expect(page.locator("#data-told")).to_contain_text("已请求重跑全部失败")


def test_on_a_phone_nothing_runs_over_the_edge_and_every_press_is_a_thumb_wide(desk: Desk, visit: Opener) -> None:
    page = entered(visit, desk, width=390, height=844)
    for address in (
        "data",
        f"data?r={desk.held}",
        f"data?r={desk.failed}&tab=runs",
        f"data?r={desk.failed}&tab=fields&lang=en",
    ):
        page.goto(desk.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(desk.url + "data")
    sizes = page.evaluate(
        "[...document.querySelectorAll('#data-table .act')].map(e => e.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44
