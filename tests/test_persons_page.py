"""A person's request over HTTP: two officers, two pages, counts and never a value, and the same acts as the console's."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from etl import catalog
from tests import persons
from tests.office_town import BASE, OWN
from tests.persons import CARD, NAME, PHONE, household, plot
from tests.test_clerk import occurrences
from twin import api, pages
from twin.accounts import people
from twin.accounts.directory import Came
from twin.api.limits import RATES, Limits, Rate
from twin.errors import StoreFull
from twin.model import OneMap
from twin.ops import now
from twin.retention import answering, requests
from twin.settings import Settings
from twin.store import Store

ROOT = Path(__file__).resolve().parents[1]
SECRETS = (CARD, PHONE, NAME)
OFFICERS = {"anna": "official", "bert": "department_owner", "carl": "planner", "dora": "official"}


class Desk:
    """A service over a village that knows the person, with two officers and others signed in."""

    def __init__(self, root: Path) -> None:
        self.data = root
        settings = replace(Settings(), data=root, village=root, secret=persons.SECRET, origin=BASE, tile_cache_mb=8)
        known = catalog.read(root)
        onemap = OneMap(
            village=known.village, departments=known.departments, code_systems=known.code_systems, themes=(), layers=()
        )
        store = Store(settings.store)
        self.front = api.create(onemap, store, settings)
        api.mount(self.front, pages.create(onemap, store, settings), pages.draw)
        who = self.front.state.who
        who.limits = Limits({k: Rate(per_s=1e9, burst=10**9) for k in RATES})
        self.accounts, self.audit = who.accounts, who.audit
        self.client = TestClient(self.front, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)
        self.headers = {name: self._enter(name, role) for name, role in OFFICERS.items()}

    def _enter(self, name: str, role: str) -> dict[str, str]:
        with self.accounts.ops.begin() as connection:
            made = people.add(
                connection, now(), name=name, display_name=name.title(), role=role, prefix="330521199299",
                totp_secret="sealed elsewhere",
            )  # fmt: skip
        entered = self.accounts.admit(made, Came(address="127.0.0.1", agent="page"))
        shown = f"__Host-onemap_sid={entered.session_token}; __Host-onemap_csrf={entered.csrf}"
        return {"cookie": shown, "csrf": entered.csrf}

    def get(self, who: str, address: str) -> Any:
        return self.client.get(address, headers={"cookie": self.headers[who]["cookie"]} if who else {})

    def post(self, who: str, address: str, **fields: str) -> Any:
        shown = self.headers[who]
        data = {"csrf": shown["csrf"], "lang": "en", **fields}
        return self.client.post(address, data=data, headers={**OWN, "cookie": shown["cookie"]})

    def about(self, who: str, act: str, **fields: str) -> Any:
        return self.post(who, f"/persons/{act}", **{"numbers": CARD, "names": NAME, "basis": "in_person", **fields})

    def written(self, action: str) -> list[dict[str, Any]]:
        return self.audit.entries(action=action)

    def settled(self) -> Any:
        """Wait until nothing is being erased, and give the approver's page."""
        for _ in range(600):
            answer = self.get("bert", "/erasures?lang=en")
            if 'http-equiv="refresh"' not in answer.text:
                return answer
            time.sleep(0.1)
        raise AssertionError


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("persons")
    house = persons.settings(root)
    shutil.copy(ROOT / "data" / "grants.toml", root / "grants.toml")
    shutil.copy(ROOT / "data" / "retention.toml", root / "retention.toml")
    mine = [household(1, NAME, PHONE, CARD), household(77, NAME, identity=CARD, key="坏号")]
    for extra in (5, 6):
        persons.deliver_households(root, [*mine, *(household(n) for n in range(2, extra))])
        persons.deliver_plots(root, [plot(0, NAME, CARD), plot(1, NAME), *(plot(n) for n in range(2, extra))])
        assert {persons.receive(house, t).status for t in ("household", "plot")} == {"published"}
    return root


@pytest.fixture
def desk(built: Path, tmp_path: Path) -> Iterator[Desk]:
    shutil.copytree(built, tmp_path / "house")
    made = Desk(tmp_path / "house")
    with made.client:
        yield made


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text.partition("</form>")[2] or answer.text)))


def outside_fields(answer: Any) -> str:
    """Give a page without what its forms send back: what the officer has typed."""
    bare = re.sub(r"<textarea.*?</textarea>", "", answer.text, flags=re.DOTALL)
    return re.sub(r"<input[^>]*>", "", bare)


def test_each_page_is_its_officers_alone(desk: Desk) -> None:
    for who, page in (("anna", "/persons"), ("bert", "/erasures")):
        assert desk.get(who, page).status_code == 200
        assert f'href="{page}?' in desk.get(who, "/account").text
    unknown = desk.get("carl", "/nothing-here")
    for who, address in (
        ("carl", "/persons"),
        ("bert", "/persons"),
        ("anna", "/erasures"),
        ("carl", "/erasures"),
        ("", "/persons"),
    ):
        shut = desk.get(who, address)
        assert (shut.status_code, shut.content) == (404, unknown.content)
    assert desk.about("bert", "find").status_code == desk.about("carl", "export").status_code == 404
    assert desk.post("anna", "/erasures/approve", request="x", sure="yes").status_code == 404


def test_where_a_person_stands_is_told_by_count_and_never_by_value_and_the_look_is_recorded(desk: Desk) -> None:
    answer = desk.about("anna", "find")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = text_of(answer)
    assert "Surely theirs – rows now: 3, in earlier versions: 3. By a name only, to be made sure of – rows: 1." in told
    assert "Low-income households published a number 1 1" in told
    assert "Low-income households quarantine a number 1 1" in told
    assert "Homesteads published a name only 1 1" in told
    assert "Homesteads Z1 Look on the map" in told
    assert 'value="plot:Z1"' in answer.text
    assert not any(s in outside_fields(answer) for s in SECRETS)
    entry = desk.written("person.found")[0]
    assert (entry["role"], entry["via"], entry["purpose"]) == ("official", "session", "person_request")
    assert json.loads(entry["detail"]) == {"basis": "in_person", "names": 1, "numbers": 1, "rows": 0}
    assert "script" not in answer.text.lower().replace("description", "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"basis": ""}, "Choose what"),
        ({"basis": "curiosity"}, "Choose what"),
        ({"numbers": "12", "names": ""}, "six characters"),
        ({"numbers": "", "names": ""}, "Give numbers"),
    ],
)
def test_a_form_that_is_not_whole_is_said_so_and_keeps_what_was_typed(desk: Desk, wrong: dict, said: str) -> None:
    answer = desk.about("anna", "find", **wrong)
    assert answer.status_code == 400
    assert said in answer.text
    assert NAME in answer.text or not {"names": NAME, **wrong}["names"]
    assert desk.written("person.found") == []


def test_an_export_is_the_consoles_and_stands_in_the_record_with_its_reason(desk: Desk) -> None:
    answer = desk.about("anna", "export", row0="plot:Z1")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="person-')
    assert answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        rows = {(r["table"], r["key"]) for r in json.loads(archive.read("person.json"))["rows"]}
    assert rows == {("household", "H1"), ("household", "坏号"), ("plot", "Z0"), ("plot", "Z1")}
    first, second = desk.written("person.exported")[:2]
    assert [first["outcome"], second["outcome"]] == ["written", "ok"]
    assert json.loads(second["detail"])["basis"] == "in_person"
    assert desk.about("anna", "export", numbers="330521190001010000").status_code == 400


def test_what_one_asks_another_approves_and_nothing_is_left(desk: Desk) -> None:
    assert desk.about("anna", "erase").status_code == 400, "nothing is asked that was not confirmed"
    answer = desk.about("anna", "erase", sure="yes")
    assert (answer.status_code, answer.headers["location"]) == (303, "/persons?lang=en&done=asked")
    [asked] = requests.read(desk.data)
    assert occurrences(desk.data, CARD)
    assert asked.id in desk.get("bert", "/erasures").text
    assert "Anna" in desk.get("bert", "/erasures").text
    assert desk.post("bert", "/erasures/approve", request=asked.id).status_code == 400
    answer = desk.post("bert", "/erasures/approve", request=asked.id, sure="yes")
    assert answer.headers["location"] == "/erasures?lang=en&done=approved"
    page = desk.settled()
    assert requests.get(desk.data, asked.id).state == "done"
    assert occurrences(desk.data, CARD, PHONE) == {}
    assert "Occurrences: 0" in page.text
    assert not any(s in page.text for s in SECRETS)
    for who, office in (("anna", "persons"), ("bert", "erasures")):
        certificate = desk.get(who, f"/{office}/certificate?of={asked.id}")
        assert certificate.json()["proof"]["occurrences"] == 0
        assert certificate.headers["content-disposition"] == f'attachment; filename="erasure-{asked.id}.json"'
        assert desk.get(who, f"/{office}/certificate?of=../../ops").status_code == 404
    actors = [desk.written(f"person.{a}")[0]["subject"] for a in ("erase_asked", "erase_approved", "erased")]
    assert actors[0] != actors[1] == actors[2]
    assert desk.audit.verify() == []
    assert "Nothing was found" in desk.about("anna", "find", names="").text


def test_nobody_approves_their_own_and_who_asked_may_withdraw(desk: Desk) -> None:
    grants = desk.data / "grants.toml"
    grants.write_text(
        grants.read_text("utf-8").replace('"persons.answer"', '"persons.answer", "persons.approve"'), "utf-8"
    )
    from twin.policy.grants import read

    desk.front.state.rooms.policy.adopt(read(grants))
    desk.about("anna", "erase", sure="yes")
    [asked] = requests.read(desk.data)
    answer = desk.post("anna", "/erasures/approve", request=asked.id, sure="yes")
    assert (answer.status_code, "somebody other" in answer.text) == (403, True)
    assert desk.written("person.erase_approved") == []
    assert "You asked for this one" in desk.get("anna", "/erasures?lang=en").text
    assert desk.post("dora", "/persons/withdraw", request=asked.id).status_code == 403
    assert desk.post("anna", "/persons/withdraw", request=asked.id).status_code == 303
    assert desk.written("person.erase_withdrawn")[0]["role"] == "official"
    answer = desk.post("bert", "/erasures/approve", request=asked.id, sure="yes")
    assert (answer.status_code, "was withdrawn" in answer.text) == (400, True)
    assert occurrences(desk.data, CARD)


def test_an_erasure_that_failed_says_why_and_is_gone_on_with(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreFull("磁盘已满", "The disk is full")

    desk.about("anna", "erase", sure="yes")
    [asked] = requests.read(desk.data)
    monkeypatch.setattr(answering.erasing, "apply", full)
    desk.post("bert", "/erasures/approve", request=asked.id, sure="yes")
    page = desk.settled()
    assert "The disk is full" in page.text
    assert "Go on erasing" in page.text
    monkeypatch.undo()
    desk.post("bert", "/erasures/approve", request=asked.id, sure="yes")
    desk.settled()
    assert requests.get(desk.data, asked.id).state == "done"


def test_nothing_is_looked_for_or_handed_out_that_cannot_be_recorded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twin.errors import AuditDown

    def down(*_: object) -> None:
        raise AuditDown("记录写不进去", "The record cannot be written")

    monkeypatch.setattr(desk.audit, "write", down)
    for act in ("find", "export", "erase"):
        answer = desk.about("anna", act, sure="yes")
        assert answer.status_code == 503
        assert not any(s in answer.text for s in SECRETS)
    assert requests.read(desk.data) == []


def test_what_was_typed_survives_the_end_of_a_session(desk: Desk) -> None:
    shown = desk.headers["anna"]
    token = shown["cookie"].partition("=")[2].partition(";")[0]
    with desk.accounts.ops.begin() as connection:
        from tests.matrix.people import tokens
        from twin.ops import tables

        gone = now() - timedelta(seconds=1)
        where = tables.session.c.id_hash == tokens.hash_of(token)
        connection.execute(tables.session.update().where(where).values(expires_at=gone))
    desk.accounts.living.forget([tokens.hash_of(token)])
    answer = desk.about("anna", "find")
    assert (answer.status_code, "/signin" in answer.text + str(answer.headers)) in (
        (303, True),
        (403, True),
        (401, True),
    )
    anna = next(a.id for a in people.listed(desk.accounts.ops) if a.name == "anna")
    kept = desk.accounts.drafts.of(anna, "/persons/find", now())
    assert kept
    assert kept["names"] == NAME
    assert desk.written("person.found") == []
