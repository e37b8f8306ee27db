"""The two pages of a person's request in a browser without script: by keyboard alone, on desk and phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from etl import catalog
from tests.browser.page_server import served_asgi
from tests.persons import CARD, NAME
from tests.test_persons_page import built  # noqa: F401 - a fixture
from twin import api, pages
from twin.model import OneMap
from twin.settings import Settings
from twin.store import Store

pytestmark = pytest.mark.browser


@pytest.fixture
def address(built: Path, tmp_path: Path) -> Iterator[str]:  # noqa: F811
    root = tmp_path / "house"
    shutil.copytree(built, root)
    settings = replace(Settings(), data=root, village=root, demo=True, tile_cache_mb=8)
    known = catalog.read(root)
    onemap = OneMap(
        village=known.village, departments=known.departments, code_systems=known.code_systems, themes=(), layers=()
    )
    store = Store(settings.store)
    front = api.create(onemap, store, settings)
    api.mount(front, pages.create(onemap, store, settings), pages.draw)
    with served_asgi(front) as served:
        yield served


def enter(browser: Browser, address: str, role: str, size: tuple[int, int], language: str) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale=language, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"{address}signin?lang={language}")
    page.locator(f"form:has(input[value='{role}']) button").first.click()
    page.wait_for_load_state()
    return page


def walk_to(page: Page, selector: str) -> Any:
    """Press Tab until what `selector` names has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return page.locator(selector)
    raise AssertionError(selector)


def fits(page: Page) -> bool:
    """Say whether nothing lies beyond the right edge: without script the picture's own width tells."""
    boxes = [b.bounding_box() for b in page.locator("main *:visible:not(thead, thead *)").all()]
    width = (page.viewport_size or {"width": 0})["width"]
    return all(b is None or b["x"] + b["width"] <= width + 0.5 for b in boxes)


@pytest.mark.parametrize(("size", "language"), [((1366, 768), "zh-CN"), ((390, 844), "en")])
def test_two_officers_erase_a_person_by_keyboard_alone_and_without_script(
    address: str, chromium: Browser, size: tuple[int, int], language: str
) -> None:
    page = enter(chromium, address, "official", size, language)
    page.goto(f"{address}persons?lang={language}")
    walk_to(page, "#numbers")
    page.keyboard.type(CARD)
    walk_to(page, "#names")
    page.keyboard.type(NAME)
    walk_to(page, "#basis")
    page.keyboard.press("ArrowDown")
    walk_to(page, "form.at-persons-find button.main")
    page.keyboard.press("Enter")
    page.wait_for_selector("#where table")
    assert page.url.endswith("#where")
    assert fits(page)
    assert page.locator("tbody tr").count() == 4
    walk_to(page, "input[name=sure]")
    page.keyboard.press("Space")
    walk_to(page, "form.at-persons-erase button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".requests")
    other = enter(chromium, address, "department_owner", size, language)
    other.goto(f"{address}erasures?lang={language}")
    assert fits(other)
    walk_to(other, "input[name=sure]")
    other.keyboard.press("Space")
    walk_to(other, "form.at-erasures-approve button")
    other.keyboard.press("Enter")
    other.wait_for_selector("details summary", timeout=60_000)
    walk_to(other, "summary")
    other.keyboard.press("Enter")
    assert fits(other)
    assert "0" in other.locator("details .outcome.good").inner_text()
    for each in (page, other):
        each.context.close()
