"""A half-filled form when the session runs out: one is led to the sign-in and back, and what was typed stands there again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy import update

from tests.browser.harness import Visit, open_page
from tests.browser.page_server import served_asgi
from tests.matrix import village
from twin import api, pages
from twin.accounts import passwords, people, second_factor
from twin.accounts.directory import Came
from twin.ops import now, tables
from twin.settings import Settings
from twin.store import Store

ROOT = Path(__file__).resolve().parents[2]
SECRET = "kR8vX2mQ9zL4wT7yB1nC6dF3gH5jP0sa+UqE"
GOOD = "我家门口有两棵老樟树今年开花"
DESK: dict[str, Any] = {"width": 1366, "height": 768}
PHONE: dict[str, Any] = {"width": 390, "height": 844}


class Town:
    """A service outside the demo, its people made as they are needed."""

    def __init__(self, folder: Path) -> None:
        declared = folder / "village"
        declared.mkdir()
        (declared / "grants.toml").write_text((ROOT / "data" / "grants.toml").read_text("utf-8"), "utf-8")
        settings = replace(Settings(), data=folder, village=declared, tile_cache_mb=8, secret=SECRET, demo=False)
        store, onemap = Store(settings.store), village.onemap()
        village.publish_all(store)
        self.app = api.mount(api.create(onemap, store, settings), pages.create(onemap, store, settings), pages.draw)
        self.accounts = self.app.state.who.accounts
        self.hashed = passwords.hashed(GOOD)
        self.url = ""

    def person(self, name: str, role: str) -> tuple[people.Account, second_factor.Factor | None]:
        """Make somebody, with a second factor where the role needs one."""
        with self.accounts.ops.begin() as connection:
            made = people.add(
                connection, now(), name=name, role=role, prefix=village.CODES["own"], password_hash=self.hashed
            )
            if role not in people.TWO_FACTORS:
                return made, None
            factor = second_factor.new()
            sealed = second_factor.sealed(factor, SECRET.encode(), made.id)
            people.change(connection, made, totp_secret=sealed)
        return replace(made, totp_secret=sealed, version=made.version + 1), factor

    def run_out(self, account: people.Account) -> None:
        """Let half an hour pass over every session of an account."""
        session = tables.session
        mine = session.c.account_id == account.id
        with self.accounts.ops.begin() as connection:
            hashes = [
                r[0] for r in connection.execute(session.select().with_only_columns(session.c.id_hash).where(mine))
            ]
            connection.execute(update(session).where(mine).values(seen_at=now() - timedelta(minutes=31)))
        self.accounts.living.forget(hashes)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    built = Town(tmp_path_factory.mktemp("kept"))
    with served_asgi(built.app) as built.url:
        yield built


@pytest.fixture
def enter(chromium: Browser, town: Town) -> Iterator[Callable[..., tuple[Visit, Any]]]:
    opened: list[Visit] = []

    def entered(name: str, role: str, **size: Any) -> tuple[Visit, Any]:
        account, factor = town.person(name, role)
        seen = open_page(chromium, "about:blank", **(size or DESK))
        opened.append(seen)
        signed = town.accounts.admit(account, Came(address="127.0.0.1", agent="x"))
        at: Any = {"url": town.url.replace("http:", "https:"), "secure": True}
        cookies: list[Any] = [
            {"name": "__Host-onemap_sid", "value": signed.session_token, "httpOnly": True, **at},
            {"name": "__Host-onemap_csrf", "value": signed.csrf, **at},
        ]
        seen.context.add_cookies(cookies)

        def again(press: str, *, typed: bool = True) -> None:
            """Let the session run out, press what sends the form, and sign in again as a person does."""
            town.run_out(account)
            seen.page.locator(press).click()
            seen.page.wait_for_url("**/signin?*")
            said = seen.page.inner_text("[role=status]")
            assert ("还在" in said) == typed
            seen.page.fill("#name", name)
            seen.page.fill("#password", GOOD)
            if factor:
                seen.page.fill("#code", second_factor.code_at(factor, datetime.now(UTC)))
            seen.page.keyboard.press("Enter")
            seen.page.wait_for_url(lambda url: "/signin" not in url)
            assert ("还没有提交" in seen.page.inner_text("main")) == typed

        return seen, again

    yield entered
    for each in opened:
        each.context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_an_account_half_made(town: Town, enter: Any, size: dict[str, int]) -> None:
    seen, again = enter(f"admin{size['width']}", "security_admin", **size)
    page = seen.page
    page.goto(f"{town.url}accounts")
    page.click("text=新建账号")
    name = f"网格员老王{size['width']}"
    typed = {
        "name": name,
        "display": "王建国",
        "prefix": village.CODES["own"],
        "grid": village.CODES["own"] + "007",
        "department": "民政办",
    }
    for box, value in typed.items():
        page.fill(f".at-accounts-add #{box}", value)
    page.select_option("#role", "grid_worker")
    again(".at-accounts-add button")
    assert page.url.endswith("/accounts")
    assert {box: page.input_value(f".at-accounts-add #{box}") for box in typed} == typed
    assert page.input_value("#role") == "grid_worker"
    assert page.locator(".at-accounts-add #name").is_visible()
    page.locator(".at-accounts-add button").click()
    page.wait_for_selector(".must .secret")
    page.goto(f"{town.url}accounts")
    assert "还没有提交" not in page.inner_text("main")


def test_a_key_half_made(town: Town, enter: Any) -> None:
    seen, again = enter("key admin", "security_admin")
    page = seen.page
    page.goto(f"{town.url}accounts")
    page.click("text=新建密钥")
    typed = {
        "client": "热线系统",
        "scopes": "layer:M1:read\nlayer:M2:read",
        "networks": "10.1.0.0/16",
        "key-prefix": village.CODES["own"],
        "days": "90",
    }
    for box, value in typed.items():
        page.fill(f".at-accounts-keys-add #{box}", value)
    again(".at-accounts-keys-add button")
    assert {box: page.input_value(f".at-accounts-keys-add #{box}") for box in typed} == typed
    page.locator(".at-accounts-keys-add button").click()
    assert page.inner_text(".must .secret").startswith("vk_")


def test_a_change_of_grants_half_written(town: Town, enter: Any) -> None:
    seen, again = enter("grants admin", "security_admin")
    page = seen.page
    page.goto(f"{town.url}grants?edit=now")
    text = page.input_value("#text") + "\n# 村委会 2025 年第 7 号会议\n"
    page.fill("#text", text)
    page.fill("#note", "第 7 号会议纪要")
    again(".at-grants-change button")
    assert page.input_value("#text") == text
    assert page.input_value("#note") == "第 7 号会议纪要"
    page.locator(".at-grants-change button").click()
    page.wait_for_url("**/grants?done=changed")


def test_the_numbers_of_an_export(town: Town, enter: Any) -> None:
    seen, again = enter("auditor", "auditor")
    page = seen.page
    page.goto(f"{town.url}record")
    page.locator("details", has=page.locator(".at-record-export")).locator("summary").click()
    page.fill("#first", "1")
    page.fill("#last", "12")
    again(".at-record-export button")
    assert (page.input_value("#first"), page.input_value("#last")) == ("1", "12")
    assert page.locator("#last").is_visible()


def test_a_password_is_typed_anew_and_a_purpose_chosen_anew(town: Town, enter: Any) -> None:
    seen, again = enter("official", "official")
    page = seen.page
    page.goto(f"{town.url}account?next=/%3Fs%3DM3/home/x#purpose")
    for box in ("before", "password", "again"):
        page.fill(f"#{box}", "不会留下来的旧密码和新密码")
    again(".at-account-password button", typed=False)
    assert re.search(r"/account(\?|$)", page.url)
    assert [page.input_value(f"#{box}") for box in ("before", "password", "again")] == ["", "", ""]
    again(".purposes button >> nth=1", typed=False)
    assert page.locator(".purposes button").count() == 4


def test_a_second_factor_that_was_scanned_is_still_the_one_that_is_asked_for(town: Town, enter: Any) -> None:
    seen, again = enter("planner", "planner")
    page = seen.page
    page.goto(f"{town.url}account")
    secret = page.inner_text(".secret")
    assert page.locator("svg.qr").bounding_box()["width"] > 200  # type: ignore[index]
    page.fill("#code", "000000")
    again(".at-account-second-factor button")
    assert page.inner_text(".secret") == secret
    assert page.input_value("#code") == ""
    factor = second_factor.Factor(secret=secret.replace(" ", ""))
    page.fill("#code", second_factor.code_at(factor, datetime.now(UTC)))
    page.locator(".at-account-second-factor button").click()
    page.wait_for_url("**/account?done=second_factor")


def test_nobody_else_gets_what_was_typed(town: Town, enter: Any) -> None:
    first, again = enter("first admin", "security_admin")
    other, _ = enter("other admin", "security_admin")
    first.page.goto(f"{town.url}accounts")
    first.page.click("text=新建账号")
    first.page.fill(".at-accounts-add #name", "只有我知道的账号")
    again(".at-accounts-add button")
    other.page.goto(f"{town.url}accounts")
    assert "只有我知道的账号" not in other.page.content()
    assert first.page.input_value(".at-accounts-add #name") == "只有我知道的账号"
    first.page.click(".lang")
    assert first.page.input_value(".at-accounts-add #name") == "只有我知道的账号"


def test_a_page_opened_after_the_session_ran_out_leads_back_to_itself(town: Town, enter: Any) -> None:
    seen, again = enter("reader", "auditor")
    page = seen.page
    page.goto(f"{town.url}record")
    page.evaluate(
        "() => { const a = document.createElement('a'); a.id = 'on'; a.href = '/record?action=unmask'; a.append('x'); document.body.append(a); }"
    )
    again("#on", typed=False)
    assert page.url.endswith("/record?action=unmask")
