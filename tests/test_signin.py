"""Signing in over HTTP: cookies, forms that are our own, sessions and keys at the guard, floods, and what is recorded."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from tests import oidc_provider
from tests import serving_fixture as village
from tests.running import run
from twin import api
from twin.accounts import passwords, people, second_factor, tokens
from twin.api import forms, who
from twin.api.limits import RATES, Limits, Rate, retry_after
from twin.errors import TooMany
from twin.ops import now
from twin.pages import draw
from twin.policy import ROUTES, Subject

BASE = "https://127.0.0.1:8281"
OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
GOOD = "我家门口有两棵老樟树今年开花"
CODE = village.onemap().village.code
SECRET = "kR8vX2mQ9zL4wT7yB1nC6dF3gH5jP0sa+UqE"


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    before, passwords._HASHER = passwords._HASHER, PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1)
    passwords._KEPT.clear()
    yield
    passwords._HASHER = before
    passwords._KEPT.clear()


def application(folder: Path, **settings: Any) -> api.Front:
    onemap, store, base = village.build(folder, with_rasters=False)
    front = api.create(onemap, store, replace(base, **settings))
    front.state.draw = draw
    return front


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> api.Front:
    """Give a service outside the demo, with one person of each role, all of one password."""
    front = application(tmp_path_factory.mktemp("town"), demo=False, secret=SECRET)
    accounts = front.state.who.accounts
    kept = passwords.hashed(GOOD)
    with accounts.ops.begin() as connection:
        for role in people.ROLES:
            people.add(
                connection,
                now(),
                name=role,
                role=role,
                password_hash=kept,
                prefix=CODE if role == "official" else "",
            )
    return front


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> api.Front:
    """Give the demo."""
    return application(tmp_path_factory.mktemp("show"), demo=True)


@pytest.fixture
def at() -> Iterator[Callable[[api.Front], TestClient]]:
    def client(front: api.Front) -> TestClient:
        front.state.who.limits = Limits()
        return TestClient(front, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)

    return client


def sign_in(client: TestClient, name: str, password: str = GOOD, **more: str) -> Any:
    return client.post("/signin", data={"name": name, "password": password, **more}, headers=OWN)


def asker(client: TestClient, **headers: str) -> Subject:
    """Who the guard says is asking."""
    front = client.app
    seen: list[Subject] = []

    async def look(scope, receive, send) -> None:
        seen.append(scope["state"]["subject"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    before, front.guard._app = front.guard._app, look  # type: ignore[attr-defined]
    try:
        assert client.get("/api/v1/themes", headers=headers).status_code == 204
    finally:
        front.guard._app = before  # type: ignore[attr-defined]
    return seen[0]


def csrf(client: TestClient) -> str:
    return next(v for k, v in client.cookies.items() if k.endswith("onemap_csrf"))


# signing in


def test_who_signs_in_is_known_by_a_cookie_that_no_script_reads_and_no_other_host_gets(town, at) -> None:
    client = at(town)
    assert asker(client).role == "anonymous"
    answer = sign_in(client, "planner")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    session, form = answer.headers.get_list("set-cookie")
    assert re.fullmatch(r"__Host-onemap_sid=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure", session)
    assert re.fullmatch(r"__Host-onemap_csrf=[\w-]{43}; Path=/; SameSite=Strict; Secure", form)
    assert asker(client).role == "planner"
    assert asker(client).via == "session"


def test_who_sees_no_map_is_led_to_their_own_work_and_who_does_to_the_map(town, show, at) -> None:
    client = at(show)
    for role, onward in (("auditor", "/account"), ("security_admin", "/account"), ("planner", "/")):
        shown = {"csrf": csrf(client)} if client.cookies else {}
        answer = client.post("/signin/demo", data={"role": role, **shown}, headers=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, onward)


def test_the_cookie_is_a_new_one_at_each_sign_in_and_the_old_one_is_dead(town, at) -> None:
    client, thief = at(town), at(town)
    sign_in(client, "planner")
    thief.cookies.update(client.cookies)
    assert asker(thief).role == "planner"
    sign_in(client, "official", csrf=csrf(client))
    assert asker(client).role == "official"
    assert asker(client).prefix == CODE
    assert asker(thief).role == "anonymous"


def test_a_session_offered_by_another_is_not_taken(town, at) -> None:
    client = at(town)
    fixed = tokens.new_session()
    client.cookies.set("__Host-onemap_sid", fixed)
    signed = sign_in(client, "planner", csrf=tokens.csrf_of(fixed))
    assert signed.status_code == 303
    assert fixed not in signed.headers["set-cookie"]
    assert town.state.who.accounts.subject(fixed) is None


def test_a_wrong_sign_in_shows_the_form_again_with_the_name_and_in_the_language_asked(town, at) -> None:
    client = at(town)
    answer = sign_in(client, "planner", "wrong<script>", lang="en", next="/account")
    assert answer.status_code == 401
    assert answer.headers["cache-control"] == "no-store"
    assert "The name, password or code is wrong" in answer.text
    assert 'value="planner"' in answer.text
    assert 'name="next" value="/account"' in answer.text
    assert "wrong" not in re.sub('password or code is wrong|class="wrong"', "", answer.text)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("next_", "goes"),
    [("/account", "/account"), ("/?layers=L06", "/?layers=L06"), ("//evil.example", "/"), ("https://evil.example", "/"),
     ("/\\evil.example", "/"), ("javascript:alert(1)", "/"), ("/a\nset-cookie: x=1", "/"), ("", "/")],
)  # fmt: skip
def test_one_goes_on_to_a_page_of_this_service_and_to_no_other(town, at, next_: str, goes: str) -> None:
    assert sign_in(at(town), "planner", next=next_).headers["location"] == goes


def test_names_and_addresses_are_written_as_text(town, at) -> None:
    evil = '"><script>alert(1)</script>'
    page = sign_in(at(town), evil, next=f"/{evil}".replace(" ", "")).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in at(town).get("/signin", params={"next": "/" + evil}).text


def test_pages_of_signing_in_run_no_script_and_are_kept_by_nobody(town, at) -> None:
    client = at(town)
    for path in ("/signin", "/signin?lang=en"):
        answer = client.get(path)
        assert answer.headers["content-security-policy"] == forms.CSP
        assert "script-src" not in forms.CSP
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert "<script" not in answer.text
        assert "style=" not in answer.text


def test_who_must_change_a_password_or_lacks_a_second_factor_is_led_to_it_and_is_nobody_until_then(town, at) -> None:
    client = at(town)
    answer = sign_in(client, "auditor")
    assert answer.headers["location"] == "/account"
    assert asker(client).role == "anonymous"
    page = client.get("/account").text
    sealed = re.search(r'name="offered" value="([^"]+)"', page)[1]  # type: ignore[index]
    secret = re.search(r'class="secret"[^>]*>([A-Z2-7 ]+)<', page)[1].replace(" ", "")  # type: ignore[index]
    code = second_factor.code_at(second_factor.Factor(secret=secret), now())
    wrong = client.post(
        "/account/second-factor", data={"offered": sealed, "code": "000000", "csrf": csrf(client)}, headers=OWN
    )
    assert wrong.status_code == 401
    assert secret in wrong.text.replace(" ", "")
    before = dict(client.cookies)
    done = client.post(
        "/account/second-factor", data={"offered": sealed, "code": code, "csrf": csrf(client)}, headers=OWN
    )
    assert done.headers["location"] == "/account?done=second_factor"
    assert dict(client.cookies) != before
    assert asker(client).role == "auditor"
    assert sign_in(at(town), "auditor").status_code == 401


def test_a_password_is_changed_by_who_knows_the_present_one_and_types_the_new_one_twice(town, at) -> None:
    accounts = town.state.who.accounts
    with accounts.ops.begin() as connection:
        people.add(connection, now(), name="chen", role="resident", password_hash=passwords.hashed(GOOD))
    client = at(town)
    sign_in(client, "chen")

    def change(before: str, new: str, again: str) -> Any:
        form = {"before": before, "password": new, "again": again, "csrf": csrf(client)}
        town.state.who.limits = Limits()
        return client.post("/account/password", data=form, headers=OWN)

    assert change("wrong", "another good sentence", "another good sentence").status_code == 401
    assert change(GOOD, "another good sentence", "another goof sentence").status_code == 401
    assert change(GOOD, "short", "short").status_code == 400
    assert (
        change(GOOD, "another good sentence", "another good sentence").headers["location"] == "/account?done=password"
    )
    assert asker(client).role == "resident"
    assert sign_in(at(town), "chen").status_code == 401
    assert sign_in(at(town), "chen", "another good sentence").status_code == 303


# signing out, sessions


def test_signing_out_ends_the_session_for_everybody_who_has_its_cookie(town, at) -> None:
    client, thief = at(town), at(town)
    sign_in(client, "planner")
    thief.cookies.update(client.cookies)
    answer = client.post("/signout", data={"csrf": csrf(client)}, headers=OWN)
    assert answer.status_code == 303
    assert all("Max-Age=0" in c for c in answer.headers.get_list("set-cookie"))
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert asker(thief).role == "anonymous"


def test_ones_sessions_are_listed_and_ended_one_by_one_and_nobody_elses(town, at) -> None:
    here, there, other = at(town), at(town), at(town)
    for client, name in ((here, "data_engineer"), (there, "data_engineer"), (other, "grid_worker")):
        sign_in(client, name)
    accounts = town.state.who.accounts
    theirs = accounts.sessions(accounts.known(_sid(other)).account.id)[0].id_hash
    page = here.get("/account").text
    assert theirs not in page
    ended = tokens.hash_of(_sid(there))
    for wanted in (theirs, ended):
        here.post("/account/sessions/end", data={"session": wanted, "csrf": csrf(here)}, headers=OWN)
    assert accounts.subject(_sid(there)) is None
    assert accounts.subject(_sid(other)) is not None
    assert accounts.subject(_sid(here)) is not None


def _sid(client: TestClient) -> str:
    return next(v for k, v in client.cookies.items() if k.endswith("onemap_sid"))


def test_an_account_page_without_a_session_asks_to_sign_in_and_comes_back(town, at) -> None:
    assert at(town).get("/account").headers["location"] == "/signin?next=%2Faccount"
    for path in ("/account/password", "/account/second-factor", "/account/sessions/end"):
        assert at(town).post(path, data={"x": "1"}, headers=OWN).headers["location"] == "/signin?next=%2Faccount"


# the security administrator


@pytest.fixture
def admin(town, at) -> TestClient:
    accounts = town.state.who.accounts
    with accounts.ops.begin() as connection:
        one = people.named(connection, "security_admin")
        assert one is not None
        people.change(connection, one, totp_secret="")
    client = at(town)
    sign_in(client, "security_admin")
    page = client.get("/account").text
    sealed = re.search(r'name="offered" value="([^"]+)"', page)[1]  # type: ignore[index]
    secret = re.search(r'class="secret"[^>]*>([A-Z2-7 ]+)<', page)[1].replace(" ", "")  # type: ignore[index]
    code = second_factor.code_at(second_factor.Factor(secret=secret), now())
    client.post("/account/second-factor", data={"offered": sealed, "code": code, "csrf": csrf(client)}, headers=OWN)
    assert asker(client).role == "security_admin"
    town.state.who.limits = Limits()
    return client


def press(by: TestClient, path: str, /, **form: str) -> Any:
    return by.post(path, data={"csrf": csrf(by), **form}, headers=OWN)


def test_an_account_is_made_with_a_one_time_password_that_is_shown_once_and_must_be_changed(town, at, admin) -> None:
    made = press(admin, "/accounts/add", name="Zhou", display="周敏", role="official", prefix=CODE)
    password = re.search(r'class="secret"[^>]*>([^<]+)<', made.text)[1]  # type: ignore[index]
    assert password not in admin.get("/accounts").text
    assert "周敏" in admin.get("/accounts").text
    client = at(town)
    assert sign_in(client, "zhou", password).headers["location"] == "/account"
    assert asker(client).role == "anonymous"
    changed = press(client, "/account/password", before=password, password=GOOD, again=GOOD)
    assert changed.headers["location"] == "/account?done=password"
    assert (asker(client).role, asker(client).prefix) == ("official", CODE)
    one = next(a for a in people.listed(town.state.who.accounts.ops) if a.name == "zhou")
    reset = press(admin, "/accounts/change", id=one.id, act="reset")
    again = re.search(r'class="secret"[^>]*>([^<]+)<', reset.text)[1]  # type: ignore[index]
    assert asker(client).role == "anonymous"
    assert sign_in(at(town), "zhou").status_code == 401
    other = at(town)
    assert sign_in(other, "zhou", again).status_code == 303
    press(admin, "/accounts/change", id=one.id, act="disable")
    assert other.get("/account").status_code == 303
    assert sign_in(at(town), "zhou", again).status_code == 401
    press(admin, "/accounts/change", id=one.id, act="enable")
    assert sign_in(other, "zhou", again, csrf=csrf(other)).status_code == 303
    press(admin, "/accounts/change", id=one.id, act="end")
    assert other.get("/account").status_code == 303
    acts = [e["action"] for e in town.state.who.audit.entries(limit=40, subject=asker(admin).id)]
    assert {"account_add", "account_reset", "account_disable", "account_enable", "account_end"} <= set(acts)


@pytest.mark.parametrize(
    "form",
    [{"role": "emperor"}, {"role": "system"}, {"role": "grid_worker"}, {"role": "official"}, {"role": "official", "prefix": "33"},
     {"role": "grid_worker", "grid": "330521"}, {"role": "planner", "name": " "}, {"role": "planner", "name": "official"}],
)  # fmt: skip
def test_an_account_that_would_hold_nothing_or_everything_by_mistake_is_not_made(
    town, admin, form: dict[str, str]
) -> None:
    before = len(people.listed(town.state.who.accounts.ops))
    answer = press(admin, "/accounts/add", **{"name": "new", **form})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert len(people.listed(town.state.who.accounts.ops)) == before


def test_a_key_is_made_shown_once_and_revoked(town, at, admin) -> None:
    made = press(admin, "/accounts/keys/add", client="hotline", scopes="layer:L06:read area:330521", days="30")
    text = re.search(r'class="secret"[^>]*>([^<]+)<', made.text)[1]  # type: ignore[index]
    assert asker(at(town), authorization=f"Bearer {text}").scopes == ("area:330521", "layer:L06:read")
    assert text.split("_", 2)[2] not in admin.get("/accounts").text
    press(admin, "/accounts/keys/revoke", id=text.split("_")[1])
    assert at(town).get("/api/v1/themes", headers={"authorization": f"Bearer {text}"}).status_code == 401
    for days in ("0", "366", "x", ""):
        assert press(admin, "/accounts/keys/add", client="hotline", days=days).status_code == 400


def test_an_administrator_does_not_change_their_own_account_nor_does_what_there_is_not(town, admin) -> None:
    me = asker(admin).id
    for form in ({"id": me, "act": "disable"}, {"id": me, "act": "reset"}, {"id": me, "act": "fly"}):
        assert press(admin, "/accounts/change", **form).status_code == 400
    assert press(admin, "/accounts/change", id="nobody", act="reset").status_code == 404
    assert asker(admin).role == "security_admin"


@pytest.mark.parametrize("role", ["", *(r for r in people.ROLES if r not in people.TWO_FACTORS)])
def test_to_everybody_else_the_pages_of_accounts_are_not_there(town, at, role: str) -> None:
    client = at(town)
    if role:
        sign_in(client, role)
    missing = client.get("/api/v1/nothing")
    form = {"name": "x", "role": "planner", "csrf": csrf(client) if role else ""}
    answers = [client.get("/accounts"), client.post("/accounts/add", data=form, headers=OWN),
               client.post("/accounts/keys/add", data=form, headers=OWN)]  # fmt: skip
    for answer in answers:
        assert answer.status_code == 404
        assert answer.content == missing.content


# the provider


def test_with_a_declared_provider_one_goes_there_and_comes_back_signed_in(tmp_path, at) -> None:
    with oidc_provider.serving() as theirs:
        front = application(
            tmp_path, demo=False, secret=SECRET, origin=BASE, oidc_issuer=theirs.issuer, oidc_client_id=oidc_provider.CLIENT,
            oidc_client_secret=oidc_provider.SECRET, oidc_roles="cunganbu=official",
        )  # fmt: skip
        client = at(front)
        assert 'href="/signin/provider"' in client.get("/signin").text
        away = client.get("/signin/provider", params={"next": "/account"})
        assert away.headers["location"].startswith(theirs.issuer)
        assert "HttpOnly; SameSite=Lax; Secure" in away.headers["set-cookie"]
        back = httpx.get(away.headers["location"], follow_redirects=False).headers["location"]
        assert at(front).get(back).status_code == 401
        done = client.get(back, headers={"sec-fetch-site": "cross-site"})
        assert done.headers["location"] == "/account"
        assert asker(client).role == "official"
        assert client.get(back).status_code == 401
        theirs.down = {"/token"}
        again = client.get("/signin/provider").headers["location"]
        failed = client.get(httpx.get(again, follow_redirects=False).headers["location"])
        assert failed.status_code == 503
        assert "统一身份平台" in failed.text
        assert asker(client).role == "official"


def test_without_a_declared_provider_its_addresses_are_not_there(town, show, at) -> None:
    for front in (town, show):
        for path in ("/signin/provider", "/signin/back?code=x&state=y"):
            assert at(front).get(path).status_code == 404


# whose form, whose script


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "none"},
     {"origin": BASE, "sec-fetch-site": "same-site"}],
)  # fmt: skip
def test_a_form_from_elsewhere_does_nothing(town, at, headers: dict[str, str]) -> None:
    client = at(town)
    sign_in(client, "planner")
    for path in ("/signin", "/signout", "/account/sessions/end"):
        data = {"name": "official", "password": GOOD, "session": "others", "csrf": csrf(client)}
        assert client.post(path, data=data, headers=headers).status_code == 403
    assert asker(client).role == "planner"


@pytest.mark.parametrize("shown", ["", "x", pytest.param(tokens.csrf_of(tokens.new_session()), id="another")])
def test_a_form_without_its_sessions_token_does_nothing(town, at, shown: str) -> None:
    client = at(town)
    sign_in(client, "planner")
    assert client.post("/signout", data={"csrf": shown}, headers=OWN).status_code == 403
    assert asker(client).role == "planner"


def test_a_sign_in_page_left_open_is_shown_anew_with_the_reason_and_works_then(town, at) -> None:
    client = at(town)
    sign_in(client, "planner")
    stale = sign_in(client, "official", lang="en")
    assert stale.status_code == 403
    assert "reload it and try again" in stale.text or "请刷新页面后重试" in stale.text
    fresh = re.search(r'name="csrf" value="([^"]+)"', stale.text)[1]  # type: ignore[index]
    assert sign_in(client, "official", csrf=fresh).status_code == 303


def test_a_script_of_a_session_must_show_its_token_and_one_without_a_session_need_not(town, show, at) -> None:
    polygon = {"type": "Polygon", "coordinates": [[[120, 30], [120.001, 30], [120.001, 30.001], [120, 30]]]}
    client = at(town)
    sign_in(client, "planner")
    assert client.post("/api/v1/analysis/overlay", json=polygon, headers=OWN).json()["code"] == "csrf"
    with_token = {**OWN, who.CSRF_HEADER: csrf(client)}
    assert client.post("/api/v1/analysis/overlay", json=polygon, headers=with_token).status_code != 403
    assert at(show).post("/api/v1/analysis/overlay", json=polygon, headers=OWN).status_code == 200


def test_only_a_form_is_read_as_a_form(town, at) -> None:
    answer = at(town).post("/signin", json={"name": "planner", "password": GOOD}, headers=OWN)
    assert answer.status_code == 400
    many = at(town).post("/signin", data={f"f{i}": "x" for i in range(50)}, headers=OWN)
    assert many.status_code == 400


# keys


def test_a_key_in_the_header_stands_for_its_system_and_a_dead_or_strange_one_is_refused(town, at) -> None:
    key, text = town.state.who.accounts.keys.make(
        client="12345", scopes=["layer:L06:read"], expires_at=now() + timedelta(days=1)
    )
    client = at(town)
    found = asker(client, authorization=f"Bearer {text}")
    assert (found.role, found.id, found.scopes) == ("system", f"key:{key.id}", ("layer:L06:read",))
    town.state.who.accounts.keys.revoke(key.id)
    for header in (f"Bearer {text}", f"Bearer {tokens.new_key()[1]}", "Bearer x"):
        answer = client.get("/api/v1/themes", headers={"authorization": header})
        assert answer.status_code == 401
        assert answer.json()["code"] == "sign_in"
        assert text not in answer.text


def test_a_key_in_the_address_is_nothing(town, at) -> None:
    _, text = town.state.who.accounts.keys.make(client="water", scopes=[], expires_at=now() + timedelta(days=1))
    client = at(town)
    assert asker(client).role == "anonymous"
    assert client.get("/tiles/L06/15/27304/13463.mvt", params={"key": text, "access_token": text}).status_code in (
        404,
        200,
        204,
    )


def test_a_session_at_the_tiles_is_known_without_waiting(town, at) -> None:
    client = at(town)
    sign_in(client, "planner")
    scope = {
        "type": "http", "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1"), (b"accept", b"*/*"), (b"cookie", f"a=b; __Host-onemap_sid={_sid(client)}".encode())],
    }  # fmt: skip
    askers = town.state.who
    assert run(askers.of(scope)).role == "planner"
    assert askers.quick(scope).role == "planner"


# the demo


def test_in_the_demo_nobody_signs_in_and_any_role_is_a_press_away(show, at) -> None:
    client = at(show)
    assert asker(client).role == "local"
    assert "演示" in client.get("/signin").text
    seen = []
    for role in [*people.ROLES, "system"]:
        answer = client.post("/signin/demo", data={"role": role, "csrf": csrf(client) if seen else ""}, headers=OWN)
        assert answer.status_code == 303
        seen.append(asker(client).role)
    assert seen == [*people.ROLES, "system"]
    client.post("/signout", data={"csrf": csrf(client)}, headers=OWN)
    assert asker(client).role == "local"
    assert client.post("/signin/demo", data={"role": "emperor"}, headers=OWN).status_code == 404


def test_outside_the_demo_the_role_switcher_is_not_there(town, at) -> None:
    client = at(town)
    assert client.post("/signin/demo", data={"role": "auditor"}, headers=OWN).status_code == 404
    assert "/signin/demo" not in client.get("/signin").text
    assert asker(client).role == "anonymous"


# floods


def test_a_bucket_gives_its_burst_then_its_rate_and_says_when() -> None:
    clock = [0.0]
    limits = Limits({"k": Rate(per_s=2, burst=4)}, lambda: clock[0])
    assert [limits.take("k", "a") for _ in range(4)] == [0, 0, 0, 0]
    assert limits.take("k", "a") == pytest.approx(0.5)
    assert limits.take("k", "b") == 0
    clock[0] = 0.5
    assert limits.take("k", "a") == 0
    assert limits.take("k", "a") > 0
    assert [retry_after(s) for s in (0.01, 1, 1.2, 59.5)] == [1, 1, 2, 60]


def test_many_askers_do_not_fill_the_memory_nor_free_one_who_waits() -> None:
    clock = [0.0]
    limits = Limits({"k": Rate(per_s=1000, burst=1)}, lambda: clock[0])
    for i in range(60_000):
        clock[0] += 0.01
        limits.take("k", str(i))
    assert len(limits._buckets) <= 50_000


def test_ones_flood_is_answered_429_with_a_time_and_slows_nobody_else(town, at) -> None:
    one, other = at(town), at(town)
    sign_in(one, "planner")
    sign_in(other, "official")
    slow = Rate(per_s=0.2, burst=5)  # the rates themselves would ask for a machine that answers faster than they allow
    town.state.who.limits = Limits({**RATES, "answers": slow, "tiles": slow})
    answers = [one.get("/api/v1/nothing") for _ in range(6)]
    late = answers[-1]
    assert [a.status_code for a in answers] == [404] * 5 + [429]
    assert int(late.headers["retry-after"]) >= 1
    assert late.json()["code"] == "too_many"
    assert other.get("/api/v1/nothing").status_code == 404
    assert one.get("/account").status_code == 200
    tiles = [one.get("/tiles/L06/15/27304/13463.mvt") for _ in range(6)]
    assert tiles[-1].status_code == 429
    assert int(tiles[-1].headers["retry-after"]) >= 1
    assert other.get("/tiles/L06/15/27304/13463.mvt").status_code != 429


def test_the_sixth_try_at_a_name_in_a_minute_waits_and_says_how_long(town, at) -> None:
    client = at(town)
    tried = [sign_in(client, "somebody", "wrong").status_code for _ in range(6)]
    assert tried == [401] * 5 + [429]
    answer = sign_in(client, "somebody", "wrong")
    assert int(answer.headers["retry-after"]) > 1
    assert sign_in(client, "planner").status_code == 303


def test_a_flood_of_sign_ins_keeps_nobody_else_waiting_and_is_told_to_come_back(town, at) -> None:
    client, other = at(town), at(town)
    sign_in(other, "planner")
    askers = town.state.who
    held = threading.Event()

    async def flood() -> list[Any]:
        waiting = [asyncio.ensure_future(askers.hashed(held.wait)) for _ in range(60)]
        await asyncio.sleep(0.05)
        scope = {
            "type": "http",
            "client": ("127.0.0.1", 1),
            "headers": [(b"cookie", f"{askers.sid}={_sid(other)}".encode())],
        }
        askers.accounts.living._known.clear()
        assert (await askers.of(scope)).role == "planner"  # though every hash is still being made
        held.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    answers = run(flood())
    assert sum(isinstance(a, TooMany) for a in answers) == 20
    assert sign_in(client, "official").status_code == 303


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is by thread on Linux only")
def test_a_hash_is_computed_behind_everybody_elses_work(town) -> None:
    asked = [lambda: os.getpriority(os.PRIO_PROCESS, 0)] * 4

    async def niceness() -> list[int]:
        return list(await asyncio.gather(*(town.state.who.hashed(one) for one in asked)))

    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert set(run(niceness())) == {min(mine + 5, 19)}
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine


# addresses, hosts, the record


def test_a_proxys_word_on_the_address_is_believed_only_from_a_trusted_proxy(show) -> None:
    def address(trusted: str, direct: str, said: str) -> str:
        asked = who.Who(replace(show.state.rooms.settings, trusted_proxy=trusted), show.state.who.place)
        return asked.address({"client": (direct, 1), "headers": [(b"x-forwarded-for", said.encode())]})

    assert address("", "10.0.0.9", "1.2.3.4") == "10.0.0.9"
    assert address("10.0.0.2", "10.0.0.9", "1.2.3.4") == "10.0.0.9"
    assert address("10.0.0.2", "10.0.0.2", "6.6.6.6, 1.2.3.4") == "1.2.3.4"
    assert address("10.0.0.0/24", "10.0.0.2", "6.6.6.6, 1.2.3.4, 10.0.0.3") == "1.2.3.4"
    assert address("10.0.0.2", "10.0.0.2", "") == "10.0.0.2"


def test_the_service_answers_to_its_own_names_only(town) -> None:
    named = who.Who(replace(town.state.rooms.settings, origin="https://map.example.cn"), town.state.who.place)
    for host in (b"map.example.cn", b"MAP.example.cn", b"127.0.0.1:8281", b"[::1]:8281", b"localhost"):
        assert named.is_ours(host), host
    for host in (b"evil.example", b"map.example.cn.evil.example", b"", b"127.0.0.1.evil.example"):
        assert not named.is_ours(host), host


def test_sign_ins_and_refusals_stand_in_the_record_without_a_name_or_password(town, at) -> None:
    client = at(town)
    before = town.state.who.audit.entries(limit=1)
    last = before[0]["seq"] if before else 0
    sign_in(client, "planner", "not the right one")
    sign_in(client, "planner")
    client.post("/signout", data={"csrf": csrf(client)}, headers=OWN)
    written = [e for e in town.state.who.audit.entries(limit=10) if e["seq"] > last]
    assert [(e["action"], e["outcome"]) for e in reversed(written)] == [
        ("sign_in", "refused"),
        ("sign_in", "ok"),
        ("sign_out", "ok"),
    ]
    assert "not the right one" not in str(written)
    assert all("planner" not in e["detail"] for e in written)
    assert town.state.who.audit.verify() == []


def test_every_form_has_a_policy_row_and_none_takes_a_large_body(town, at) -> None:
    served = {f"{m.upper()} {p}" for p, methods in town.openapi()["paths"].items() for m in methods}
    ours = {s for s in served if s.split(" ")[1].startswith(("/sign", "/account"))}
    assert len(ours) >= 8
    assert ours <= set(ROUTES)
    large = at(town).post("/signin", data={"name": "x" * 20_000}, headers=OWN)
    assert large.status_code == 413
