"""A department's spreadsheet brought in a browser, by keyboard alone and without any script: four steps and a second person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.harness import Visit
from tests.browser.page_server import served_asgi
from tests.newcoming import Newtown, workbook
from twin.runs import newcomers

Opener = Callable[..., Visit]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    built: Any = Newtown(tmp_path_factory.mktemp("newtown"), demo=True)
    with served_asgi(built.front) as built.url:
        yield built


def chosen(page: Any, name: str, value: str) -> None:
    """Choose in a list as a keyboard does: down until it is there."""
    box = page.locator(f"#{name}")
    box.focus()
    for _ in range(70):
        if box.input_value() == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(name)


def ticked(page: Any, selector: str) -> None:
    page.locator(selector).focus()
    page.keyboard.press("Space")


def test_a_spreadsheet_goes_from_the_form_to_the_approval_by_keyboard_alone(
    town: Any, visit: Opener, tmp_path: Path
) -> None:
    page = visit(f"{town.url}signin?next=/data/new").page
    page.get_by_role("button", name="数据工程师").click()
    page.wait_for_url("**/data/new*")
    page.locator("#file").set_input_files(workbook(tmp_path / "充电桩.xlsx"))
    page.locator("#send-file").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("正在隔离的进程中查看", timeout=60_000)
    town.work()
    page.locator("#next").wait_for(timeout=60_000)
    expect(page.locator("table.facts")).to_contain_text("第 2-3 行是表头", timeout=60_000)
    expect(page.locator("table.columns")).to_contain_text("139****0001")
    page.locator("#next").press("Enter")
    page.locator("#preview").wait_for(timeout=60_000)
    chosen(page, "department", "power")
    page.locator("#title_zh").press("Control+a")
    page.keyboard.type("充电桩")
    chosen(page, "theme", "service")
    chosen(page, "update_cycle", "每月")
    ticked(page, "input[name=share_type] >> nth=0")
    ticked(page, "input[name=open_attr] >> nth=0")
    page.locator("#legal_basis").focus()
    page.keyboard.type("电力法")
    chosen(page, "rest", "public")
    ticked(page, "#sure")
    page.locator("#preview").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("正在试接收", timeout=60_000)
    town.work()
    page.locator("#offer, #answer-them").first.wait_for(timeout=60_000)
    assert page.locator("#answer-them").count() == 0, page.locator("main").inner_text()
    expect(page.locator(".small-map")).to_be_visible()
    expect(page.locator(".refusals li").first).to_be_visible()
    page.locator("#offer").press("Enter")
    expect(page.locator("main")).to_contain_text("等待另一位有权的人批准", timeout=60_000)
    with town.ops.read() as connection:
        assert [n.state for n in newcomers.listed(connection)] == ["waiting"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
