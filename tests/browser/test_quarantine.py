"""The quarantine desk in a browser: by keyboard from the list to a saved correction, without script, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.harness import Visit
from tests.browser.page_server import served_asgi
from tests.test_quarantine import Village
from twin.quarantine import acts

Opener = Callable[..., Visit]
ROLE = "数据工程师"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    village = Village(tmp_path_factory.mktemp("quarantine"), demo=True)
    with served_asgi(village.front) as village.url:
        yield village


def entered(visit: Opener, desk: Village, address: str = "data/quarantine", **options: Any) -> Any:
    page = visit(f"{desk.url}signin?next=/{address}", **options).page
    page.get_by_role("button", name=ROLE).click()
    page.wait_for_url(f"**/{address}*")
    return page


def decided(desk: Village) -> list[tuple[str, dict[str, str], str]]:
    with desk.ops.read() as connection:
        return [(a.kind, dict(a.changes), a.why) for a in acts.of(connection)]


def test_a_row_is_found_opened_corrected_and_left_by_keyboard_alone(desk: Village, visit: Opener) -> None:
    page = entered(visit, desk, "data/quarantine?rule=code_unknown")
    page.keyboard.press("/")
    expect(page.locator("#refused-q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    row = page.locator("#refused-table a.name")
    expect(row).to_be_focused(timeout=20_000)
    expect(page.locator(".pin.lit")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-title")).to_be_focused(timeout=20_000)
    page.keyboard.press("Escape")
    expect(page.locator("#refused-table a.name")).to_be_focused(timeout=20_000)
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-title")).to_be_focused(timeout=20_000)
    value = page.locator("#correct input[list]")
    value.focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("0999")
    page.locator("#correct-why").focus()
    page.keyboard.type("核对过台账")
    page.keyboard.press("Enter")
    expect(page.locator("#correct .bad")).to_contain_text("废止")
    expect(page.locator("#correct-why")).to_have_value("核对过台账")
    page.locator("#correct input[list]").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("0101")
    page.keyboard.press("Enter")
    expect(page.locator("#refused-told")).to_contain_text("更正已保存")
    assert decided(desk) == [("correct", {"DLBM": "0101"}, "核对过台账")]
    expect(page.locator("#state-corrected b")).to_have_text("1")


def test_without_script_a_row_is_accepted_and_taken_back_and_a_phone_runs_over_no_edge(
    desk: Village, visit: Opener
) -> None:
    page = entered(visit, desk, java_script_enabled=False, width=390, height=844)
    page.goto(f"{desk.url}data/quarantine?rule=outside_village")
    page.locator("#refused-table a.name").click()
    page.locator("#accept-why").fill("跨村承包,已核实")
    page.locator("#accept-do").click()
    expect(page.locator("#refused-told")).to_contain_text("已接受")
    taken = page.locator(".over .take-back")
    taken.locator("summary").click()
    taken.locator("input[name=why]").fill("弄错了行")
    taken.get_by_role("button").click()
    expect(page.locator("#refused-told")).to_contain_text("已撤回")
    for address in ("data/quarantine", "data/quarantine?view=acts", "data/quarantine?lang=en&rule=id_damaged"):
        page.goto(desk.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#refused-table a.name").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
