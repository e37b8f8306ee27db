"""The offices over HTTP with real sessions: the record's page, the grants' page, and purposes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.matrix import asking, http, village
from tests.matrix.test_rooms import CANARIES
from tests.office_town import OWN, ROOT, STAFF, Town, grants_of
from tests.running import run
from twin import audit
from twin.accounts import purposes
from twin.api import adopted
from twin.errors import OpsDown
from twin.ops import tables
from twin.policy import ROUTES

UNKNOWN = "/nothing-here"
OFFICES = [k for k, row in ROUTES.items() if row.may]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    built = Town(tmp_path_factory.mktemp("office"))
    with built.client:
        yield built


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Town]:
    built = Town(tmp_path)
    with built.client:
        yield built


def text_of(answer: Any) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", answer.text))


# who gets in


@pytest.mark.parametrize("who", ["anonymous", *STAFF])
@pytest.mark.parametrize("route", OFFICES)
def test_an_office_is_an_unknown_address_to_whoever_lacks_its_capability(town: Town, who: str, route: str) -> None:
    method, address = route.split(" ")
    if who != "anonymous" and town.policy.grants.may(who, ROUTES[route].may or "grants.change"):
        return
    headers = {**OWN, **town.headers.get(who, {})}
    shut, unknown = (town.client.request(method, a, headers=headers) for a in (address, UNKNOWN))
    assert shut.status_code == unknown.status_code == 404
    assert shut.content == unknown.content
    assert shut.headers.keys() == unknown.headers.keys()


def test_an_account_leads_to_its_own_offices_only(town: Town) -> None:
    for who, page in (("auditor", "record"), ("security_admin", "grants"), ("planner", "")):
        body = town.get(who, "/account").text
        assert [p for p in ("record", "grants") if f'href="/{p}?' in body] == ([page] if page else [])


def test_the_pages_of_offices_run_no_script_and_are_kept_by_nobody(town: Town) -> None:
    for who, address in (("auditor", "/record"), ("security_admin", "/grants"), ("security_admin", "/grants?edit=now")):
        answer = town.get(who, address)
        assert answer.status_code == 200
        assert "script" not in answer.text.lower().replace("description", "")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


# the record


def test_a_look_at_the_record_stands_in_the_record(town: Town) -> None:
    before = len(town.written("record.read"))
    assert town.get("auditor", "/record?action=unmask").status_code == 200
    entry = town.written("record.read")[0]
    assert len(town.written("record.read")) == before + 1
    assert (entry["role"], json.loads(entry["detail"])["by"]) == ("auditor", ["action"])


def test_a_record_that_is_whole_is_said_to_be_so_and_one_that_was_changed_is_not(fresh: Town) -> None:
    fresh.get("official", f"/api/v1/features/home/{village.canary('home', 'own', 'id')}")
    fresh.get("auditor", "/record")
    whole = fresh.post("auditor", "/record/verify")
    assert "完整" in whole.text
    assert "i-ok" in whole.text
    with fresh.accounts.ops.begin() as connection:
        connection.execute(tables.audit.update().where(tables.audit.c.seq == 1).values(resource="thing"))
    broken = fresh.post("auditor", "/record/verify")
    assert "第 1 条：内容被修改" in text_of(broken)
    assert "i-failed" in broken.text
    assert [e["outcome"] for e in fresh.written("record.verified")] == ["broken", "ok"]


def test_the_record_is_filtered_and_turned_page_by_page_without_loss(fresh: Town) -> None:
    fresh.audit.write(*[audit.Event(action="read", resource=f"r{n % 3}", role="official") for n in range(160)])
    seen: list[int] = []
    address = "/record?action=read&resource=r1"
    while address:
        body = fresh.get("auditor", address).text
        seen += [int(n) for n in re.findall(r"#(\d+)</span>", body)]
        older = re.search(r'href="([^"]+)"[^>]*rel="next"', body)
        address = unescape(older.group(1)) if older else ""
    wanted = [e["seq"] for e in fresh.audit.entries(action="read", resource="r1", limit=1000)]
    assert len(wanted) == 53
    assert seen == wanted


def test_a_day_that_is_none_and_one_without_entries_are_told(town: Town) -> None:
    assert town.get("auditor", "/record?since=yesterday").status_code == 400
    nothing = town.get("auditor", "/record?until=2001-01-01")
    assert nothing.status_code == 200
    assert "没有符合的记录" in nothing.text


def test_no_personal_value_stands_on_the_records_page(town: Town) -> None:
    for table in ("home", "shop"):
        town.get("official", f"/api/v1/features/{table}/{village.canary(table, 'own', 'id')}")
    body = town.get("auditor", "/record").content
    assert not any(value in body for value in CANARIES.values())


def test_an_export_is_recorded_signed_and_checked_without_the_service(town: Town, tmp_path: Path) -> None:
    town.get("auditor", "/record")
    answer = town.post("auditor", "/record/export")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    path = tmp_path / "record.jsonl"
    path.write_bytes(answer.content)
    exported = audit.check(path, public_key=town.audit.public_key)
    assert exported.last == town.written("record.exported")[0]["seq"]
    path.write_bytes(answer.content.replace(b"auditor", b"planner", 1))
    with pytest.raises(Exception, match=r"记录|不可采信"):
        audit.check(path, public_key=town.audit.public_key)


def test_an_export_without_entries_or_with_a_wrong_number_is_told_on_the_page(town: Town) -> None:
    assert town.post("auditor", "/record/export", first="999999999").status_code == 400
    assert town.post("auditor", "/record/export", first="-1").status_code == 400


def test_a_form_without_the_sessions_token_does_nothing(town: Town) -> None:
    before = len(town.written("record.verified"))
    kept = {k: v for k, v in town.headers["auditor"].items() if k != "x-csrf-token"}
    for address in ("/record/verify", "/record/export", "/account/purpose"):
        assert town.client.post(address, data={"n": "1"}, headers={**OWN, **kept}).status_code == 403
    assert len(town.written("record.verified")) == before


# purposes


def test_a_purpose_is_recorded_before_it_shows_what_it_shows_and_ends_when_it_is_ended(fresh: Town) -> None:
    address = f"/api/v1/features/home/{village.canary('home', 'own', 'id')}"
    phone = village.canary("home", "own", "keeper_phone")
    assert phone not in fresh.get("official", address).text
    named = fresh.post("official", "/account/purpose", purpose="visit", next="/?s=M3/home/1")
    assert (named.status_code, named.headers["location"]) == (303, "/?s=M3/home/1")
    assert phone in fresh.get("official", address).text
    assert [e["purpose"] for e in fresh.written("purpose.named")] == ["visit"]
    assert fresh.written("unmask")[0]["purpose"] == "visit"
    assert "当前用途：入户走访" in text_of(fresh.get("official", "/account"))
    fresh.post("official", "/account/purpose", purpose="")
    assert phone not in fresh.get("official", address).text
    assert [e["purpose"] for e in fresh.written("purpose.ended")] == ["visit"]


def test_a_purpose_is_over_after_half_an_hour(fresh: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"/api/v1/features/home/{village.canary('home', 'own', 'id')}"
    phone = village.canary("home", "own", "keeper_phone")
    fresh.post("official", "/account/purpose", purpose="visit")
    monkeypatch.setattr(purposes.sessions, "PURPOSE", -purposes.sessions.PURPOSE)
    assert phone in fresh.get("official", address).text
    fresh.post("official", "/account/purpose", purpose="visit")
    assert phone not in fresh.get("official", address).text


def test_a_purpose_that_is_not_granted_cannot_be_named(town: Town) -> None:
    for who, purpose in (("official", "quality"), ("planner", "visit"), ("official", "nothing")):
        assert town.post(who, "/account/purpose", purpose=purpose).status_code == 404
    assert "/account/purpose" not in town.get("planner", "/account").text


def test_a_card_says_what_is_masked_and_leads_to_the_purposes(fresh: Town) -> None:
    fresh.client.get("/")
    callbacks = {c["inputs"][0]["id"]: k for k, c in fresh.dash.callback_map.items() if "callback" in c}
    question = {"table": "home", "id": village.canary("home", "own", "id"), "language": "zh-CN"}
    asked = http.callback(callbacks["ask-feature"], "ask-feature", question)

    def card() -> str:
        headers = {**OWN, "content-type": "application/json", **fresh.headers["official"]}
        body = fresh.client.post(asked.address, content=asked.body, headers=headers).text
        return json.dumps(json.loads(body), ensure_ascii=False)

    assert "选择用途后可见" in card()
    assert "/account?next=" in card()
    fresh.post("official", "/account/purpose", purpose="visit")
    assert "正在按用途“入户走访”查看" in card()


# grants


def test_who_sees_this_is_what_the_policy_decides(town: Town) -> None:
    body = text_of(town.get("security_admin", "/grants?by=thing&what=home"))
    assert "谁能看到：" in body
    assert "选用途后明文" in body
    assert "只有统计，不少于 10 人" in body
    assert town.get("security_admin", "/grants?by=thing&what=M3").status_code == 200
    assert town.get("security_admin", "/grants?by=thing&what=nothing").status_code == 404


def test_what_a_person_sees_is_told_for_every_role_and_account(town: Town) -> None:
    for role in town.policy.grants.roles:
        assert town.get("security_admin", f"/grants?by=person&what={role.id}&lang=en").status_code == 200
    admin = text_of(town.get("security_admin", "/grants?by=person&what=security_admin"))
    assert "个中看到 0 个" in admin
    with town.accounts.ops.read() as connection:
        account = connection.exec_driver_sql("select id from account where name = 'official'").scalar_one()
    assert "个人信息" in text_of(town.get("security_admin", f"/grants?by=person&what={account}"))


def test_the_grants_page_shows_no_value_of_any_row(town: Town) -> None:
    for address in ("/grants?by=thing&what=home", "/grants?by=person&what=official", "/grants?edit=now"):
        body = town.get("security_admin", address).content
        assert not any(value in body for value in CANARIES.values())


def edited(version: int, *, without: str = "") -> str:
    text = grants_of(version)
    if not without:
        return text
    return text + f'\n[[deny]]\nrole = "{without}"\ntables = ["thing", "shop"]\nbecause = {{ zh = "试", en = "try" }}\n'


def adopt(town: Town, text: str, note: str = "季度复核") -> Any:
    return town.post("security_admin", "/grants/change", text=text.replace("\n", "\r\n"), note=note)


def test_a_grant_that_is_revoked_is_gone_at_the_next_card_tile_and_page(fresh: Town) -> None:
    row = village.canary("thing", "own", "id")
    at = asking.at("shop", "own", 10)
    addresses = (f"/api/v1/features/thing/{row}", f"/tiles/M1/{at.z}/{at.x}/{at.y}.mvt")
    label, drawn = (village.canary(t, "own", "label").encode() for t in ("thing", "shop"))
    fresh.client.get("/")
    callbacks = {c["inputs"][0]["id"]: k for k, c in fresh.dash.callback_map.items() if "callback" in c}
    ask = http.callback(callbacks["ask-feature"], "ask-feature", {"table": "thing", "id": row, "language": "zh-CN"})

    def told() -> list[bool]:
        feature, tile = (fresh.get("planner", a) for a in addresses)
        headers = {**OWN, "content-type": "application/json", **fresh.headers["planner"]}
        card = fresh.client.post(ask.address, content=ask.body, headers=headers)
        return [label in feature.content, drawn in tile.content, label in card.content]

    assert told() == [True, True, True]
    changed = adopt(fresh, edited(2, without="planner"))
    assert (changed.status_code, changed.headers["location"]) == (303, "/grants?done=changed")
    assert told() == [False, False, False]
    assert adopt(fresh, edited(3)).status_code == 303
    assert told() == [True, True, True]


def test_a_change_stands_in_the_store_and_in_the_record_and_holds_after_a_restart(fresh: Town) -> None:
    assert adopt(fresh, edited(2, without="planner"), note="收回试用").status_code == 303
    entry = fresh.written("grants.changed")[0]
    assert (entry["outcome"], entry["role"], json.loads(entry["detail"])["to"]) == ("ok", "security_admin", 2)
    assert json.loads(entry["detail"])["why"] == "收回试用"
    with fresh.accounts.ops.read() as connection:
        rows = connection.execute(tables.setting_change.select().order_by(tables.setting_change.c.version)).all()
    assert [(r.version, r.note) for r in rows] == [(1, ""), (2, "收回试用")]
    again = Town(fresh.front.state.rooms.settings.data, again=True)
    assert again.policy.grants.version == 2
    assert "planner" in [d.role for d in again.policy.grants.denials]


ANOTHER = """
import sys, uvicorn
from pathlib import Path
from tests.office_town import Town
uvicorn.run(Town(Path(sys.argv[1]), again=True).front, fd=int(sys.argv[2]), log_level="warning")
"""


@pytest.fixture
def elsewhere(fresh: Town) -> Iterator[httpx.Client]:
    """Serve the same store and operational data from a second process."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        where = f"http://127.0.0.1:{door.getsockname()[1]}"
        folder = str(fresh.front.state.rooms.settings.data)
        command = [sys.executable, "-c", ANOTHER, folder, str(door.fileno())]
        with subprocess.Popen(command, cwd=ROOT, pass_fds=[door.fileno()]) as process:
            try:
                with httpx.Client(base_url=where, timeout=60) as client:
                    yield client
            finally:
                process.terminate()


def test_what_one_process_adopts_holds_in_every_other_within_five_seconds(fresh: Town, elsewhere: httpx.Client) -> None:
    address = f"/api/v1/features/thing/{village.canary('thing', 'own', 'id')}"
    label = village.canary("thing", "own", "label").encode()
    planner, admin = fresh.headers["planner"], fresh.headers["security_admin"]

    def sees() -> bool:
        return label in elsewhere.get(address, headers=planner).content

    def seconds_until(wanted: bool) -> float:
        began = time.monotonic()
        while sees() != wanted and time.monotonic() - began < 10:
            time.sleep(0.1)
        return time.monotonic() - began

    assert sees()
    assert adopt(fresh, edited(2, without="planner")).status_code == 303
    assert seconds_until(wanted=False) < 5
    assert adopt(fresh, edited(3)).status_code == 303
    assert seconds_until(wanted=True) < 5
    assert adopt(fresh, edited(4, without="planner"), note="第四版").status_code == 303
    assert "第四版" in elsewhere.get("/grants", headers=admin).text
    assert not sees()


def test_grants_that_hold_go_on_holding_while_the_store_is_away(
    fresh: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rooms, who = fresh.front.state.rooms, fresh.front.state.who
    monkeypatch.setattr(adopted, "LOOKED_S", 0.01)
    adopt(fresh, edited(2, without="planner"))
    asked = 0

    def away(*_: object) -> None:
        nonlocal asked
        asked += 1
        raise OpsDown("业务库暂不可用", "The operational store cannot be used now")

    async def watched() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(adopted.watch(lambda: rooms, who), 1)

    monkeypatch.setattr(who.accounts.ops, "read", away)
    run(watched())
    assert fresh.policy.grants.version == 2
    told = [r for r in caplog.records if r.name == "onemap.grants"]
    assert 1 <= len(told) < 3 <= asked  # the service's own watch may have looked too


def test_a_file_of_a_higher_version_holds_over_what_was_adopted(fresh: Town) -> None:
    adopt(fresh, edited(2, without="planner"))
    folder = fresh.front.state.rooms.settings.data
    (folder / "village" / "grants.toml").write_text(edited(3), "utf-8")
    assert Town(folder, again=True).policy.grants.version == 3


def test_grants_with_a_fault_a_wrong_version_or_no_record_do_not_hold(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = adopt(fresh, edited(2).replace('personal = "masked"', 'personal = "clear"', 1))
    assert faulty.status_code == 400
    assert "个人信息须有用途才能明文" in text_of(faulty)
    assert re.search(r"第 \d{2,} 行", text_of(faulty))
    assert "移到 with_purpose" in text_of(faulty)
    for text in (edited(1), edited(3), "version = [", ""):
        assert adopt(fresh, text).status_code == 400
    personal = adopt(fresh, edited(2), note="为 13905710011 收回")
    assert personal.status_code == 400
    assert {e["outcome"] for e in fresh.written("grants.changed")} == {"refused"}

    def down(*_: object) -> None:
        from twin.errors import AuditDown

        raise AuditDown("记录写不进去", "The record cannot be written")

    monkeypatch.setattr(fresh.audit, "doing", down)
    assert adopt(fresh, edited(2, without="planner")).status_code == 503
    assert fresh.policy.grants.version == 1


def test_the_way_back_is_the_same_form_filled_with_the_older_text(fresh: Town) -> None:
    adopt(fresh, edited(2, without="planner"))
    body = fresh.get("security_admin", "/grants?edit=1").text
    text = unescape(re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", body, re.DOTALL).group(1))  # type: ignore[union-attr]
    assert text == edited(3)
    assert adopt(fresh, text, note="恢复").status_code == 303
    assert fresh.policy.grants.denials == ()


def test_a_text_that_is_too_long_is_refused_before_it_is_read(town: Town) -> None:
    assert town.post("security_admin", "/grants/change", text="x" * 500_000).status_code == 413
