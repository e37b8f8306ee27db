"""The same scripts in every name, note and field of the offices' pages, outside the demo: none runs, none even tries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from tests.browser import planted
from tests.browser.harness import Visit
from tests.browser.page_server import served_asgi
from tests.browser.payloads import PAYLOADS
from tests.browser.watching import Watch, watched
from twin import api, pages
from twin.accounts import keys, passwords, people
from twin.accounts.directory import Came
from twin.audit import Event
from twin.ops import now
from twin.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "kR8vX2mQ9zL4wT7yB1nC6dF3gH5jP0sa+UqE"
PASSWORD = "我家门口有两棵老樟树今年开花"
HALF = len(PAYLOADS) // 2
FEW = PAYLOADS[3::16]
"""What the usual run types; the long one types all."""
SHIFTS = 3
"""How often the long run begins anew at another payload, so that each stands in several fields."""
TITLE = re.compile(r'title = \{ zh = "[^"]*", en = "[^"]*" \}')


def declared() -> str:
    """Give the grants with a payload for the title of each role and purpose."""
    planted_titles = iter(PAYLOADS[9::11])

    def title(_: re.Match[str]) -> str:
        zh, en = next(planted_titles), next(planted_titles)
        return f"title = {{ zh = {json.dumps(zh)}, en = {json.dumps(en)} }}"

    return TITLE.sub(title, (ROOT / "data" / "grants.toml").read_text("utf-8"))


class Office:
    """A service outside the demo, full of payloads, and who is signed in there."""

    def __init__(self, folder: Path, *, crowded: bool) -> None:
        village = folder / "village"
        village.mkdir()
        (village / "grants.toml").write_text(declared(), "utf-8")
        settings = replace(Settings(), data=folder, village=village, tile_cache_mb=8, secret=SECRET, demo=False)
        store = planted.build(folder) if crowded else planted.Store(folder / "store")
        onemap = planted.onemap(PAYLOADS[2])
        self.app = api.create(onemap, store, settings)
        api.mount(self.app, pages.create(onemap, store, settings), pages.draw)
        self.who = self.app.state.who
        self.url = ""
        if crowded:
            self.plant()
        hashed = passwords.hashed(PASSWORD)
        with self.who.accounts.ops.begin() as connection:
            self.accounts = {
                role: people.add(
                    connection, now(), name=role, role=role, display_name=PAYLOADS[60], prefix="330521199999",
                    password_hash=hashed, totp_secret="sealed elsewhere" if role in people.TWO_FACTORS else "",
                )
                for role in ("security_admin", "auditor", "official")
            }  # fmt: skip

    def plant(self) -> None:
        with self.who.accounts.ops.begin() as connection:
            for n in range(HALF):
                more = {"display_name": PAYLOADS[HALF + n], "department": PAYLOADS[-n][:80]}
                people.add(connection, now(), name=PAYLOADS[n], role=people.ROLES[n % 6], **more)
            for client in PAYLOADS[7::9]:
                until = now() + timedelta(days=9)
                keys.make(connection, now(), client=client, scopes=["layer:L01:read"], expires_at=until)
        self.who.audit.write(*(self.entry(n) for n in range(len(PAYLOADS))))

    def entry(self, n: int) -> Event:
        where, why = PAYLOADS[n], PAYLOADS[n - 7]
        return Event(
            action=PAYLOADS[n - 3], resource=where, purpose=why, outcome=why, address=why[:64], role=why, detail={why[:9]: where}
        )  # fmt: skip

    def signed_in(self, browser: Browser, role: str, **options: Any) -> tuple[Visit, Watch]:
        """Open a page in a browser that holds a session of `role`."""
        came = Came(address="127.0.0.1", agent=PAYLOADS[71])
        entered = self.who.accounts.admit(self.accounts[role], came)
        seen, watch = watched(browser, **options)
        secure: Any = {"url": self.url.replace("http:", "https:"), "secure": True}
        cookies: list[Any] = [
            {"name": "__Host-onemap_sid", "value": entered.session_token, "httpOnly": True, **secure},
            {"name": "__Host-onemap_csrf", "value": entered.csrf, **secure},
        ]
        seen.context.add_cookies(cookies)
        return seen, watch


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    built = Office(tmp_path_factory.mktemp("office"), crowded=True)
    with served_asgi(built.app) as built.url:
        yield built


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    built = Office(tmp_path_factory.mktemp("quiet"), crowded=False)
    with served_asgi(built.app) as built.url:
        yield built


def looked(seen: Visit, watch: Watch, address: str) -> None:
    seen.page.goto(address)
    watch.look(seen)


def closed(seen: Visit, watch: Watch) -> None:
    watch.quiet()
    assert seen.outside == []
    seen.context.close()


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_names_of_people_systems_roles_and_purposes_are_text(chromium: Browser, office: Office, lang: str) -> None:
    seen, watch = office.signed_in(chromium, "security_admin")
    for address in (
        "accounts",
        "account",
        "grants?by=thing&what=note",
        "grants?by=thing&what=L01",
        "grants?by=person&what=official",
        "grants?edit=now",
    ):
        looked(seen, watch, f"{office.url}{address}{'&' if '?' in address else '?'}lang={lang}")
        assert seen.page.locator("main").count() == 1
    names = [people.tidy(p) for p in PAYLOADS[:HALF] if len(p.strip()) == len(p)]
    assert watch.unsaid([*names, *PAYLOADS[HALF : HALF + HALF], *PAYLOADS[7::9]]) == []
    closed(seen, watch)
    seen, watch = office.signed_in(chromium, "official")
    looked(seen, watch, f"{office.url}account?lang={lang}")
    assert seen.page.locator(".purposes form").count() == 4
    looked(seen, watch, f"{office.url}?lang={lang}")
    seen.until("document.documentElement.dataset.started === 'yes'", timeout=60_000)
    watch.look(seen)
    closed(seen, watch)


def test_what_stands_in_the_record_is_text(chromium: Browser, office: Office) -> None:
    seen, watch = office.signed_in(chromium, "auditor")
    looked(seen, watch, f"{office.url}record")
    while seen.page.locator("a[rel=next]").count():
        seen.page.locator("a[rel=next]").click()
        watch.look(seen)
    assert watch.unsaid(p for p in PAYLOADS if p.isprintable()) == []
    closed(seen, watch)


def test_what_is_typed_into_a_form_or_an_address_comes_back_as_text(chromium: Browser, quiet: Office) -> None:
    forms(chromium, quiet, FEW)


@pytest.mark.soak
@pytest.mark.parametrize("size", [(1366, 768), (390, 844)], ids=["desk", "phone"])
def test_every_script_in_every_field_of_every_form(chromium: Browser, quiet: Office, size: tuple[int, int]) -> None:
    for turn in range(SHIFTS):
        forms(chromium, quiet, PAYLOADS[turn:] + PAYLOADS[:turn], viewport={"width": size[0], "height": size[1]})


def forms(browser: Browser, office: Office, payloads: Sequence[str], **options: Any) -> None:
    """Send every form and open every address until each payload has been typed; a page takes as many as it has fields."""
    office.who.limits.__init__()
    for role, fields in FORMS.items():
        seen, watch = office.signed_in(browser, role, **options) if role else watched(browser, **options)
        for address, form in fields:
            left = list(payloads)
            while left:
                seen.page.goto(office.url + address)
                left = left[fill(seen, form, left) :]
                watch.look(seen)
        for address in ADDRESSES[role]:
            for filled in addressed(address, payloads):
                looked(seen, watch, office.url + filled)
        assert not [s for s, _ in seen.answers if s >= 500]
        closed(seen, watch)


def addressed(address: str, payloads: Sequence[str]) -> Iterator[str]:
    """Give an address with a payload for each * in it, until all have had their turn."""
    parts = address.split("*")
    step = len(parts) - 1
    for start in range(0, len(payloads), step):
        taken = [quote(p, safe="") for p in payloads[start : start + step]]
        yield "".join(f"{part}{payload}" for part, payload in zip_longest(parts, taken, fillvalue=""))


FORMS: dict[str, list[tuple[str, str]]] = {
    "": [("signin", ".at-signin")],
    "security_admin": [
        ("accounts", ".at-accounts-add"),
        ("accounts", ".at-accounts-keys-add"),
        ("grants?edit=now", ".at-grants-change"),
    ],
    "auditor": [("record", ".filters"), ("record", ".at-record-export")],
    "official": [("account", ".at-account-password")],
}
"""Every form with something to type, by whose page it stands on."""
ADDRESSES = {
    "": ("signin?next=*&ended=*&lang=*", "signin?next=/*"),
    "security_admin": ("accounts?done=*&lang=*", "grants?by=*&what=*&done=*", "grants?by=person&what=*", "grants?edit=*"),
    "auditor": ("record?subject=*&action=*&resource=*&outcome=*&since=*&before=*", "record?action=*&outcome=*&subject=*&resource=*"),
    "official": ("account?done=*&next=*", "account?next=/*"),
}  # fmt: skip


def fill(seen: Visit, form: str, payloads: Sequence[str]) -> int:
    """Type a payload into every field of a form and send it; give how many fields it has."""
    script = """([form, payloads]) => {
      document.querySelector(form).closest("details")?.setAttribute("open", "");
      const boxes = [...document.querySelectorAll(`${form} input:not([type=hidden]), ${form} textarea, ${form} select`)];
      boxes.forEach((box, n) => {
        for (const limit of ["maxlength", "minlength", "required"]) box.removeAttribute(limit);
        if (box.type === "date") box.type = "text";
        if (box.tagName === "SELECT") box.options[0].value = payloads[n] ?? "", box.selectedIndex = 0;
        else box.value = payloads[n] ?? "";
      });
      return boxes.length;
    }"""
    fields = seen.page.evaluate(script, [form, payloads])
    with seen.page.expect_navigation():
        seen.page.locator(f"{form} button[type=submit]").last.click()
    return fields


def test_what_the_record_hands_out_is_a_file_to_be_kept_and_never_a_page(chromium: Browser, office: Office) -> None:
    seen, _ = office.signed_in(chromium, "auditor")
    seen.page.goto(f"{office.url}record")
    seen.page.evaluate("document.querySelector('.at-record-export').closest('details').open = true")
    with seen.page.expect_download() as kept:
        seen.page.locator(".at-record-export button").click()
    assert re.fullmatch(r"audit-\d+-\d+\.jsonl", kept.value.suggested_filename)
    lines = Path(kept.value.path()).read_text("utf-8").strip().split("\n")
    assert all(line.startswith("{") for line in lines)
    seen.context.close()
