"""Signing in as people do it: in a real browser, on a phone and at a desk, by keys alone, in both languages, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests import serving_fixture as village
from tests.browser.harness import Visit
from tests.browser.page_server import served_asgi
from twin import api, pages
from twin.accounts import people, second_factor
from twin.settings import Settings

Opener = Callable[..., Visit]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1366, "height": 768}
SECRET = "kR8vX2mQ9zL4wT7yB1nC6dF3gH5jP0sa+UqE"
GOOD = "我家门口有两棵老樟树今年开花"
SMALL = """() => [...document.querySelectorAll('button, a, input:not([type=hidden]):not([hidden]), select, summary')]
  .map(e => [e.outerHTML.slice(0, 60), e.getBoundingClientRect().height]).filter(([, h]) => h && h < 43)"""
WIDER = "() => document.documentElement.scrollWidth > innerWidth"


def application(folder: Any, **settings: Any) -> api.Front:
    onemap, store, base = village.build(folder, with_rasters=False)
    known: Settings = replace(base, **settings)
    front = api.create(onemap, store, known)
    return api.mount(front, pages.create(onemap, store, known), pages.draw)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_asgi(application(tmp_path_factory.mktemp("demo"), demo=True)) as url:
        yield url


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Give the address of a service outside the demo, and its first administrator's one-time password."""
    front = application(tmp_path_factory.mktemp("town"), demo=False, secret=SECRET)
    password = front.state.who.first_admin()
    with served_asgi(front) as url:
        yield url, password


def fits(seen: Visit) -> None:
    """Nothing is wider than the screen, nothing to press is smaller than a thumb, nothing was complained about."""
    assert not seen.page.evaluate(WIDER)
    assert seen.page.evaluate(SMALL) == []
    assert [c for c in seen.complaints if "status of 401" not in c] == []
    assert seen.outside == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_each_of_the_demos_nine_roles_is_a_press_away_and_the_map_says_as_whom_one_looks(
    demo: str, visit: Opener, size: dict[str, int], lang: str
) -> None:
    seen = visit(f"{demo}signin?lang={lang}", **size)
    fits(seen)
    assert seen.page.inner_text(".demo-why .tag") == ("演示" if lang == "zh-CN" else "Demo")
    assert seen.page.locator(".choice").count() == 9
    for n, role in enumerate([*people.ROLES, "system"]):
        seen.page.goto(f"{demo}signin?lang={lang}&next=/account")
        seen.page.locator(".choice").nth(n).click()
        seen.page.wait_for_url("**/account*")
        assert seen.page.locator("h1").inner_text() == ("我的账号" if lang == "zh-CN" else "My account")
        assert f"demo-{role}" in seen.page.inner_text("main")
        fits(seen)
    seen.page.goto(f"{demo}signin?lang={lang}")
    assert seen.page.locator(".choice[aria-pressed=true]").count() == 1


def test_the_map_answers_whoever_took_a_role_and_says_who_that_is(demo: str, visit: Opener) -> None:
    seen = visit(f"{demo}signin", **DESK)
    seen.page.locator(".choice").nth(2).click()
    seen.page.wait_for_url(lambda url: "/signin" not in url)
    seen.until("document.documentElement.dataset.started === 'yes'")
    assert "村干部" in seen.page.inner_text(".switch.who")
    before = len(seen.answers)
    seen.page.fill("#search", "cong")
    seen.until(
        "document.querySelectorAll('[role=option]').length > 0 || document.querySelector('#search[aria-expanded=true]')"
    )
    asked = [(s, u) for s, u in seen.answers[before:] if "_dash-update-component" in u]
    assert asked
    assert {s for s, _ in asked} <= {200, 204}


def test_the_first_administrator_comes_in_by_keys_alone_and_opens_the_first_account(
    town: tuple[str, str], visit: Opener
) -> None:
    url, password = town
    seen = visit(f"{url}signin", **PHONE)
    page = seen.page
    assert page.evaluate("document.activeElement.id") == "name"
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("not this one")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#name") == "admin"
    assert page.input_value("#password") == ""
    fits(seen)
    assert page.evaluate("document.activeElement.id") == "password"
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.wait_for_selector(".must")
    fits(seen)
    page.fill("#before", password)
    page.fill("#password", GOOD)
    page.fill("#again", GOOD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".done")
    secret = page.inner_text(".secret").replace(" ", "")
    page.fill("#code", second_factor.code_at(second_factor.Factor(secret=secret), datetime.now(UTC)))
    page.keyboard.press("Enter")
    page.wait_for_selector("a[href^='/accounts']")
    page.click("a[href^='/accounts']")
    page.click("text=新建账号")
    page.fill("#name", "<img src=x onerror=alert(1)>")
    page.select_option("#role", "planner")
    page.click("text=新建，并生成一次性密码")
    page.wait_for_selector(".must .secret")
    assert page.locator("main img").count() == 0
    assert "<img src=x" in page.inner_text(".listed")
    fits(seen)
    page.go_back()
    page.goto(f"{url}account")
    page.click("text=退出登录")
    page.wait_for_selector("[role=status]")
    page.goto(f"{url}accounts")
    assert "没有找到" in page.inner_text("body")


def test_the_session_is_out_of_reach_of_scripts_and_of_http_elsewhere(
    town: tuple[str, str], demo: str, visit: Opener
) -> None:
    seen = visit(f"{demo}signin", **DESK)
    seen.page.locator(".choice").first.click()
    seen.page.wait_for_url(lambda url: "/signin" not in url)
    assert "onemap_sid" not in seen.page.evaluate("document.cookie")
    kept = {c["name"]: c for c in seen.context.cookies()}
    assert kept["onemap_sid"]["httpOnly"]
    assert kept["onemap_sid"]["sameSite"] == "Lax"
    assert kept["onemap_csrf"]["sameSite"] == "Strict"
    assert kept["onemap_sid"]["expires"] == -1


def test_the_page_of_signing_in_needs_no_script(town: tuple[str, str], chromium: Any) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport=PHONE, locale="en-GB")
    page = context.new_page()
    page.goto(f"{town[0]}signin")
    page.fill("#name", "nobody")
    page.fill("#password", "whatever it is")
    page.click("button.main")
    page.wait_for_selector("[role=alert]")
    assert "The name, password or code is wrong" in page.inner_text("[role=alert]")
    page.click("text=中文")
    page.wait_for_selector("text=登录名")
    context.close()
