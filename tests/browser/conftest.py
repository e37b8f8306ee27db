"""Chromium once a session, a page that is closed after each test, and a picture kept of each that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser.harness import ARGS, CHROMIUM, FLAT_ARGS, Visit, need_chromium, open_page

PICTURES = Path(__file__).resolve().parents[2] / "screenshots" / "failed"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    need_chromium()
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def chromium_without_webgl(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*ARGS, *FLAT_ARGS])
    yield browser
    browser.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    outcome = yield
    item.stash[pytest.StashKey[bool]()] = outcome.get_result().failed  # type: ignore[attr-defined]
    if call.when == "call":
        item.failed_call = outcome.get_result().failed  # type: ignore[attr-defined]


@pytest.fixture
def visit(request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """Open pages: `visit(url, width=390, height=844)`; `flat=True` opens it where there is no WebGL."""
    opened: list[Visit] = []

    def go(url: str, *, flat: bool = False, **options: Any) -> Visit:
        browser = request.getfixturevalue("chromium_without_webgl" if flat else "chromium")
        opened.append(open_page(browser, url, **options))
        return opened[-1]

    yield go
    for i, each in enumerate(opened):
        if getattr(request.node, "failed_call", False):
            PICTURES.mkdir(parents=True, exist_ok=True)
            each.page.screenshot(path=PICTURES / f"{request.node.name}-{i}.png", timeout=10_000)
        each.context.close()
