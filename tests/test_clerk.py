"""A named officer finds, exports and erases a person's data, somebody else approves, and a search of every file proves it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests import persons
from tests.persons import CARD, NAME, PHONE, household, plot
from twin import __main__ as onemap
from twin import console, ops
from twin.accounts import passwords, people
from twin.retention import decoded, marks, requests
from twin.settings import Settings
from twin.store import Store
from twin.uploads.quota import Quota
from twin.uploads.remaking import Remade
from twin.uploads.shelf import Shelf, Upload

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "一句足够长的口令 of the tests"
FORMULA = '=HYPERLINK("x")'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a village with the person planted in every place there is, and three who may act."""
    root = tmp_path_factory.mktemp("office")
    house = persons.settings(root)
    shutil.copy(ROOT / "data" / "grants.toml", root / "grants.toml")
    shutil.copy(ROOT / "data" / "retention.toml", root / "retention.toml")
    mine = [household(1, NAME, PHONE, CARD), household(77, NAME, identity=CARD, key="坏号")]
    for extra in (5, 6):
        persons.deliver_households(root, [*mine, *(household(n) for n in range(2, extra))])
        persons.deliver_plots(
            root, [plot(0, NAME, CARD), plot(1, NAME), plot(2, FORMULA, CARD), *(plot(n) for n in range(3, extra))]
        )
        assert {persons.receive(house, t).status for t in ("household", "plot")} == {"published"}
    (root / "raw" / "05_civil" / "旧底稿.csv.gz").write_bytes(gzip.compress(f"旧,{CARD}".encode("gb18030")))
    (root / "run" / "stage" / ".tmp-1-dead").mkdir(parents=True)
    (root / "run" / "stage" / ".tmp-1-dead" / "raw-0.arrow").write_bytes(CARD.encode())
    store = ops.Ops(console.places(house).ops_url)
    ops.upgrade(console.places(house).ops_url)
    with store.begin() as connection:
        hashed = passwords.hashed(PASSWORD)
        for name, role in (
            ("anna", "official"),
            ("bert", "department_owner"),
            ("carl", "planner"),
            (PHONE, "resident"),
        ):
            told = {"display_name": NAME} if role == "resident" else {}
            people.add(connection, ops.now(), name=name, role=role, password_hash=hashed, prefix="330521199299", **told)
    store.close()
    return root


@pytest.fixture
def house(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Give that village to change, and its settings to the commands."""
    root = tmp_path / "house"
    shutil.copytree(built, root)
    for name, value in {"DATA": root, "VILLAGE": root, "SECRET": persons.SECRET}.items():
        monkeypatch.setenv(f"ONEMAP_{name}", str(value))
    monkeypatch.setattr("twin.clerk.getpass.getpass", lambda asked: "" if "Code" in asked else PASSWORD)
    return Settings(data=root, village=root, secret=persons.SECRET)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    code = onemap.main([*map(str, words), "--lang", "en"])
    said = capsys.readouterr()
    return code, said.out + said.err


def about(tmp_path: Path, **told: object) -> Path:
    path = tmp_path / "who.json"
    path.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    return path


def recorded(house: Settings) -> list[dict]:
    with console.record(house) as audit:
        assert audit.verify() == []
        return audit.entries()


def occurrences(root: Path, *numbers: str) -> dict[str, int]:
    """Give the files below `root` in which a number stands, by a search that knows the numbers themselves."""
    wanted = {n for number in numbers for n in marks.numbers(number)}
    seen = decoded.search([root], lambda run: any(n in wanted for n in marks.numbers(run)))
    return {str(s.path.relative_to(root)): s.found for s in seen if s.found}


def test_every_planted_place_is_seen_by_the_search_that_proves(house: Settings) -> None:
    found = occurrences(house.data, CARD, PHONE)
    places = {p.split("/")[0] + "/" + p.split("/")[1] for p in found}
    assert places == {"store/household", "store/plot", "store/_quarantine", "raw/05_civil", "raw/54_land", "run/stage", "run/ops.sqlite"}  # fmt: skip
    assert {Path(p).suffix for p in found} >= {".parquet", ".duckdb", ".csv", ".geojson", ".gz", ".arrow", ".sqlite"}


def test_found_by_number_surely_and_by_name_only_as_a_question_and_no_value_is_printed(house, tmp_path, capsys) -> None:
    code, said = run(
        capsys, "person", "find", "--officer", "anna", "--of", about(tmp_path, numbers=[CARD], names=[NAME])
    )
    assert code == 0
    lines = said.splitlines()
    assert len([t for t in lines if t.startswith("● store household H1 ")]) == 2, (
        "the current version and the one before"
    )
    assert len([t for t in lines if t.startswith("● quarantine household 坏号 ")]) == 2
    assert len([t for t in lines if t.startswith("? store plot Z1 ")]) == 2, "of the same name: to be made sure of"
    assert len([t for t in lines if t.startswith("? account ")]) == 1
    assert (
        sum("(superseded)" in t for t in lines)
        == sum(t[0] in "●?" for t in lines if "account" not in t and "number" not in t) / 2
    )
    assert not any(secret in said for secret in (CARD, PHONE, NAME))
    entry = recorded(house)[0]
    assert (entry["action"], entry["purpose"], entry["role"], entry["via"]) == (
        "person.found",
        "person_request",
        "official",
        "console",
    )
    assert json.loads(entry["detail"]) == {"names": 1, "numbers": 1, "rows": 0}


def test_who_lacks_the_right_or_the_password_learns_nothing(house, tmp_path, capsys, monkeypatch) -> None:
    who = about(tmp_path, numbers=[CARD])
    for name in ("carl", "bert"):
        code, said = run(capsys, "person", "find", "--officer", name, "--of", who)
        assert (code, "no right" in said) == (1, True)
    assert recorded(house)[0]["action"] == "person.refused"
    monkeypatch.setattr("twin.clerk.getpass.getpass", lambda _: "wrong")
    assert run(capsys, "person", "find", "--officer", "anna", "--of", who)[0] == 1


def test_an_export_holds_what_is_surely_theirs_with_its_source_and_no_formula(house, tmp_path, capsys) -> None:
    out = tmp_path / "out.zip"
    who = about(tmp_path, numbers=[CARD], names=[NAME])
    code, said = run(capsys, "person", "export", "--officer", "anna", "--of", who, "--to", out)
    assert code == 0, said
    assert out.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(out) as archive:
        body = json.loads(archive.read("person.json"))
        cells = [
            c
            for n in archive.namelist()
            if n.endswith(".csv")
            for r in csv.reader(io.StringIO(archive.read(n).decode("utf-8-sig")))
            for c in r
        ]
    rows = {(r["place"], r["table"], r["key"]): r for r in body["rows"]}
    assert set(rows) == {
        ("store", "household", "H1"),
        ("store", "plot", "Z0"),
        ("store", "plot", "Z2"),
        ("quarantine", "household", "坏号"),
    }
    mine = rows["store", "household", "H1"]
    assert mine["values"]["id_card"] == CARD
    assert mine["titles"]["id_card"] == {"zh": "身份证号", "en": "Identity card"}
    assert (mine["provenance"]["source"], mine["provenance"]["row"], mine["provenance"]["as_of"]) == (
        "05_civil/户.csv",
        "2",
        "2025-10-01",
    )
    assert f"'{FORMULA}" in cells
    assert not any(c.startswith(("=", "+", "-", "@")) for c in cells)
    assert [e["outcome"] for e in recorded(house)[:2]] == ["written", "ok"]
    assert run(capsys, "person", "export", "--officer", "anna", "--of", who, "--to", out)[0] == 1, (
        "nothing is written over"
    )


def erase(house, tmp_path, capsys, **told) -> str:
    who = about(tmp_path, **{"numbers": [CARD, PHONE], "names": [NAME], "reason": f"{NAME} moved away", **told})
    code, said = run(capsys, "person", "erase", "--officer", "anna", "--of", who)
    assert code == 0, said
    return requests.read(house.data)[-1].id


def test_erased_means_no_occurrence_in_any_file_certified_and_recorded_by_two_people(house, tmp_path, capsys) -> None:
    name = erase(house, tmp_path, capsys)
    assert occurrences(house.data, CARD), "nothing happens before somebody else approves"
    code, said = run(capsys, "person", "approve", name, "--officer", "anna")
    assert (code, "no right" in said) == (1, True)
    code, said = run(capsys, "person", "approve", name, "--officer", "bert")
    assert (code, ": 0 occurrences" in said) == (0, True), said
    assert occurrences(house.data, CARD, PHONE) == {}
    assert not any(secret in said for secret in (CARD, PHONE, NAME))
    certificate = house.data / "run" / "certificates" / f"{name}.json"
    told = json.loads(certificate.read_bytes())
    assert told["proof"]["occurrences"] == 0
    assert told["proof"]["unread"] == []
    assert told["proof"]["files"] > 20
    assert {t["how"] for t in told["taken"]} == {"rows", "values", "file", "account"}
    assert {s["what"] for s in told["stays"]} >= {"record", "source", "memory", "outside"}
    text = certificate.read_text("utf-8") + requests.path(house.data).read_text("utf-8")
    assert not any(secret in text for secret in (CARD, PHONE, NAME))
    entries = {e["action"]: e for e in recorded(house)}
    assert json.loads(entries["person.erased"]["detail"])["occurrences"] == 0
    who = [entries[f"person.{a}"]["subject"] for a in ("erase_asked", "erase_approved", "erased")]
    assert who[0] != who[1] == who[2]
    assert requests.get(house.data, name).state == "done"
    store = Store(house.store)
    assert store.verify() == []
    assert len(store.versions("plot")) == len(store.versions("household")) == 2
    assert run(capsys, "person", "find", "--officer", "anna", "--of", about(tmp_path, numbers=[CARD, PHONE]))[
        1
    ].endswith("Nothing was found\n")


def test_one_who_both_asks_and_approves_is_refused_even_with_both_rights(house, tmp_path, capsys) -> None:
    path = house.village / "grants.toml"
    path.write_text(path.read_text("utf-8").replace('"persons.answer"', '"persons.answer", "persons.approve"'), "utf-8")
    name = erase(house, tmp_path, capsys)
    code, said = run(capsys, "person", "approve", name, "--officer", "anna")
    assert (code, "somebody other" in said) == (1, True)
    assert occurrences(house.data, CARD)


def test_what_was_withdrawn_is_not_carried_out(house, tmp_path, capsys) -> None:
    name = erase(house, tmp_path, capsys)
    requests.withdraw(house.data, name)
    code, said = run(capsys, "person", "approve", name, "--officer", "bert")
    assert (code, "was withdrawn" in said) == (1, True)
    assert occurrences(house.data, CARD)
    assert "withdrawn" in run(capsys, "person", "requests")[1]


def test_a_name_alone_erases_only_the_rows_that_were_made_sure_of(house, tmp_path, capsys) -> None:
    name = erase(house, tmp_path, capsys, numbers=[], rows=["plot:Z1"])
    code, said = run(capsys, "person", "approve", name, "--officer", "bert")
    assert code == 0, said
    rows = run(capsys, "person", "find", "--officer", "anna", "--of", about(tmp_path, names=[NAME]))[1]
    assert "plot Z1" not in rows
    assert rows.count("plot Z0") == 2


def test_after_a_restore_who_was_erased_is_taken_out_again_and_backups_have_a_day(house, tmp_path, capsys) -> None:
    backups = tmp_path / "backups"
    assert run(capsys, "backup", backups)[0] == 0
    made = next(backups.glob("onemap-*"))
    assert occurrences(made, CARD)
    name = erase(house, tmp_path, capsys)
    code, said = run(capsys, "person", "approve", name, "--officer", "bert", "--backups", backups)
    assert code == 0
    day = (ops.now() + timedelta(days=30)).date()
    assert f"Kept until {day} (UTC), then removed whole: {made}" in said
    code, said = run(capsys, "restore", made, "--replace")
    assert (code, "were cleared of people who were erased" in said) == (0, True), said
    found = occurrences(house.data, CARD, PHONE)
    assert {p.split("/")[0] for p in found if "before-restore" not in p} <= {"run"}, found
    assert not [p for p in found if "before-restore" not in p]
    assert [e["action"] for e in recorded(house)[:3]] == ["person.reapplied", "restore", "audit.restore"]


def test_the_newest_list_beside_a_backup_is_taken_up_on_a_new_machine(house, tmp_path, capsys) -> None:
    backups = tmp_path / "backups"
    run(capsys, "backup", backups)
    old = next(backups.glob("onemap-*"))
    shutil.move(old, backups / "onemap-20200101T000000Z")
    run(capsys, "person", "approve", erase(house, tmp_path, capsys), "--officer", "bert")
    run(capsys, "backup", backups)
    shutil.rmtree(house.data)
    house.data.mkdir()
    code, said = run(capsys, "restore", backups / "onemap-20200101T000000Z")
    assert (code, "cleared of people" in said) == (0, True), said
    assert occurrences(house.data, CARD, PHONE) == {}


def test_a_delivery_that_brings_the_person_again_is_held_out_and_goes_with_the_next_timer(
    house, tmp_path, capsys
) -> None:
    run(capsys, "person", "approve", erase(house, tmp_path, capsys), "--officer", "bert")
    path = persons.deliver_households(
        house.data, [household(1, NAME, PHONE, CARD), *(household(n) for n in range(2, 7))]
    )
    report = persons.receive(house, "household")
    assert (report.status, report.counts["erased"]) == ("published", 1)
    assert list(occurrences(house.data, CARD)) == [str(path.relative_to(house.data))]
    code, said = run(capsys, "retention", "--do")
    assert (code, "cleared of people who were erased" in said) == (0, True), said
    assert occurrences(house.data, CARD) == {}
    assert not path.exists()


def test_what_a_person_sent_in_is_found_handed_out_and_erased_and_a_colleagues_workbook_too(
    house, tmp_path, capsys
) -> None:
    on = Shelf(data=house.data)
    mine, theirs = accounts_of(house)
    photo = sent(on, mine, "photo", b"\xff\xd8 of mine")
    table = sent(on, theirs, "workbook", workbook([["户主", "证件号"], [NAME, CARD], ["别人", persons.card(9)]]))
    other = sent(on, theirs, "workbook", workbook([["户主", "证件号"], ["别人", persons.card(9)]]))
    who = about(tmp_path, numbers=[CARD, PHONE])
    code, said = run(capsys, "person", "find", "--officer", "anna", "--of", who)
    assert code == 0
    found = [line for line in said.splitlines() if " upload " in line]
    assert len(found) == 2
    assert all(line.startswith("● upload ") for line in found)
    out = tmp_path / "out.zip"
    assert run(capsys, "person", "export", "--officer", "anna", "--of", who, "--to", out)[0] == 0
    with zipfile.ZipFile(out) as archive:
        assert archive.read(f"files/{photo.name}") == b"\xff\xd8 of mine"
        assert not [n for n in archive.namelist() if table.id in n], "others stand in that workbook"
        rows = {r["key"]: r for r in json.loads(archive.read("person.json"))["rows"]}
    assert rows[table.id]["values"]["rows"] == [[NAME, CARD]]
    assert occurrences(house.data / "uploads", CARD)
    name = erase(house, tmp_path, capsys)
    code, said = run(capsys, "person", "approve", name, "--officer", "bert")
    assert (code, ": 0 occurrences" in said) == (0, True), said
    assert [u.id for u in on.all()] == [other.id]
    told = json.loads((house.data / "run" / "certificates" / f"{name}.json").read_bytes())
    assert {t["where"].rpartition("/")[2] for t in told["taken"] if t["where"].startswith("uploads/")} == {
        photo.id,
        table.id,
    }


def test_files_sent_in_are_backed_up_restored_and_end_with_their_time(house, tmp_path, capsys) -> None:
    on = Shelf(data=house.data)
    mine, _ = accounts_of(house)
    old = sent(on, mine, "photo", b"\xff\xd8 old", at=ops.now() - timedelta(days=366))
    new = sent(on, mine, "photo", b"\xff\xd8 new")
    (on.root / mine / ".tmp-1-dead").mkdir()
    (on.root / mine / ".tmp-1-dead" / "upload.json").write_text("{}")
    assert run(capsys, "backup", tmp_path / "backups")[0] == 0
    made = next((tmp_path / "backups").glob("onemap-*"))
    assert run(capsys, "restore", made, "--check")[0] == 0
    on.remove(new)
    assert run(capsys, "restore", made, "--replace")[0] == 0
    assert {u.id for u in on.all()} == {old.id, new.id}
    assert on.content(new) == b"\xff\xd8 new"
    assert on.root.stat().st_mode & 0o077 == 0
    said = run(capsys, "retention")[1]
    assert old.id in said
    assert new.id not in said
    assert run(capsys, "retention", "--do")[0] == 0
    assert [u.id for u in on.all()] == [new.id]


def accounts_of(house: Settings) -> tuple[str, str]:
    """Give the ids of the person's own account and of somebody else's."""
    store = ops.Ops(console.places(house).ops_url)
    found = {a.name: a.id for a in people.listed(store)}
    store.close()
    return found[PHONE], found["carl"]


def workbook(lines: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sent(on: Shelf, owner: str, kind: Any, content: bytes, at: Any = None) -> Upload:
    made = Remade(kind=kind, content=content, counted={})
    most = Quota(day_count=9, day_bytes=10**9, count=9, bytes=10**9)
    return on.keep(owner, made, sent_bytes=1, area="330521199299", now=at or ops.now(), most=most, zone="Asia/Shanghai")
