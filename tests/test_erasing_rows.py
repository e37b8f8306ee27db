"""Marked people go from every version and quarantine, come in with no later delivery, and every ledger balances."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import persons
from tests.persons import CARD, NAME, PHONE, household, plot
from twin.errors import BadRequest, Refused, SettingError
from twin.retention import applying, marks, requests
from twin.retention.marks import Marks
from twin.settings import Settings
from twin.store import Serving, Store

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 22, tzinfo=UTC)
KEYS = marks.keys_of([persons.SECRET])


def marked(*numbers: str, rows: tuple[tuple[str, str, str], ...] = ()) -> Marks:
    ((name, key),) = KEYS.items()
    by_table: dict[str, frozenset[str]] = {}
    for table, row, told in rows:
        found = marks.mark(key, name, marks.of_row(table, row, told))
        by_table[table] = by_table.get(table, frozenset()) | {found}
    told = frozenset(marks.mark(key, name, n) for number in numbers for n in marks.numbers(number))
    return Marks(keys=KEYS, numbers=told, rows=by_table)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the village with two versions of each table; the person is in all of them, and in the quarantine."""
    tmp_path = tmp_path_factory.mktemp("village")
    house = persons.settings(tmp_path)
    mine = [household(1, NAME, PHONE, CARD), household(77, NAME, identity=CARD, key="坏号")]
    for extra in (5, 6):
        persons.deliver_households(tmp_path, [*mine, *(household(n) for n in range(2, extra)), household(2)])
        persons.deliver_plots(tmp_path, [plot(0, NAME, CARD), *(plot(n) for n in range(1, extra))])
        assert {persons.receive(house, t).status for t in ("household", "plot")} == {"published"}
    return tmp_path


@pytest.fixture
def house(built: Path, tmp_path: Path) -> Settings:
    """Give that village, to change."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return Settings(data=tmp_path, village=tmp_path, secret=persons.SECRET)


def stored(house: Settings, table: str) -> list[list[dict]]:
    """Give the rows of every version, from the published file and from the serving copy, which must agree."""
    store, found = Store(house.store), []
    for version in store.versions(table):
        snapshot = store.at(table, version.version)
        found.append(pq.read_table(snapshot.file("part.parquet")).to_pylist())
    serving = Serving(store)
    served = serving.select(table, sorted(serving.columns(table) - {"geom"}), order_by=["id"])
    serving.close()
    assert [r["id"] for r in served] == sorted(r["id"] for r in found[0])
    return found


def ledgers(house: Settings) -> list[dict]:
    told = []
    for store in applying.stores(house.store).values():
        for table in store.tables():
            told += [store.at(table, v.version).manifest for v in store.versions(table)]
    return told


def balances(ledger: dict) -> bool:
    return ledger["read"] == sum(ledger.get(k, 0) for k in ("published", "quarantined", "duplicates", "erased"))


def anywhere(house: Settings, text: str) -> list[str]:
    """Give the published files, decoded, in which a text stands."""
    found = []
    for path in house.store.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".parquet":
                data += json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False, default=str).encode()
            if text.encode() in data:
                found.append(str(path.relative_to(house.store)))
    return found


def test_a_marked_person_goes_from_every_version_and_quarantine_and_every_ledger_balances(house: Settings) -> None:
    assert len(anywhere(house, CARD)) == 10, "two versions of two tables, each twice, and two quarantines"
    taken = applying.apply_to_store(house.store, marked(CARD))
    assert anywhere(house, CARD) == []
    for rows in stored(house, "household"):
        assert "H1" not in {r["id"] for r in rows}, "a row that stands for the person is gone"
    for rows in stored(house, "plot"):
        mine = next(r for r in rows if r["id"] == "Z0")
        assert (mine["holder_name"], mine["id_card"]) == (None, None), "a plot stays, without its person"
        assert mine["geometry"] is not None
        assert all(r["holder_name"] for r in rows if r["id"] != "Z0")
    manifests = ledgers(house)
    assert all(balances(m["ledger"]) for m in manifests)
    told = {(m.get("kind"), m["ledger"].get("erased", 0), m["ledger"].get("emptied", 0)) for m in manifests}
    assert told == {("none", 2, 0), ("polygon", 0, 1), ("quarantine", 2, 0), ("quarantine", 0, 1)}
    assert all(m["rows"] == m["ledger"]["quarantined" if m["kind"] == "quarantine" else "published"] for m in manifests)
    assert [s.verify() for s in applying.stores(house.store).values()] == [[], []]
    assert len(taken) == 6
    assert {t.how for t in taken} == {"rows", "values"}
    assert all(t.before_sha256 != t.after_sha256 for t in taken)


def test_to_apply_again_changes_nothing(house: Settings) -> None:
    applying.apply_to_store(house.store, marked(CARD))
    before = {p: p.read_bytes() for p in house.store.rglob("*.json")}
    assert applying.apply_to_store(house.store, marked(CARD)) == []
    assert {p: p.read_bytes() for p in house.store.rglob("*.json")} == before


def test_a_number_is_found_however_it_is_written(house: Settings) -> None:
    assert applying.apply_to_store(house.store, marked("139 1234-5678"))
    assert "H1" not in {r["id"] for rows in stored(house, "household") for r in rows}
    assert anywhere(house, PHONE) == []


def test_a_name_takes_only_the_row_it_was_named_for(house: Settings) -> None:
    persons.deliver_plots(house.data, [plot(0, NAME, CARD), plot(1, NAME), *(plot(n) for n in range(2, 6))])
    persons.receive(house, "plot")
    applying.apply_to_store(house.store, marked(rows=(("plot", "Z0", NAME),)))
    newest = {r["id"]: r["holder_name"] for r in stored(house, "plot")[0]}
    assert (newest["Z0"], newest["Z1"]) == (None, NAME), "another of the same name keeps hers"
    assert "H1" in {r["id"] for r in stored(house, "household")[0]}


def approve(house: Settings, wanted: Marks) -> None:
    asked = requests.ask(house.data, "a", AT, wanted, reason="withdrawn")
    requests.approve(house.data, asked.id, "b", AT)


def test_a_row_sent_again_tomorrow_is_held_out_and_the_report_says_so(house: Settings) -> None:
    approve(house, marked(CARD))
    applying.apply_to_store(house.store, marked(CARD))
    persons.deliver_households(house.data, [household(1, NAME, PHONE, CARD), *(household(n) for n in range(2, 9))])
    persons.deliver_plots(house.data, [plot(0, NAME, CARD), *(plot(n) for n in range(1, 9))])
    register, plots = persons.receive(house, "household"), persons.receive(house, "plot")
    assert dict(register.counts) == {
        "read": 8, "published": 7, "quarantined": 0, "duplicates": 0, "repaired": 0, "erased": 1,
    }  # fmt: skip
    assert dict(plots.counts) == {
        "read": 9, "published": 9, "quarantined": 0, "duplicates": 0, "repaired": 0, "emptied": 1,
    }  # fmt: skip
    assert any("1 rows were held out" in en for _, en in register.notes)
    assert any("未收录 1 行" in zh for zh, _ in register.notes)
    assert anywhere(house, CARD) == []
    assert persons.receive(house, "household").status == "unchanged"


def test_a_marked_row_with_a_fault_is_not_kept_as_it_was_received(house: Settings) -> None:
    approve(house, marked(CARD))
    broken = {**plot(0, NAME, CARD), "geometry": None}
    persons.deliver_plots(house.data, [broken, *(plot(n) for n in range(1, 6))])
    lines = [household(7, NAME, identity=CARD, key="坏"), *(household(n) for n in range(2, 6))]
    persons.deliver_households(house.data, lines)
    counts = [dict(persons.receive(house, t).counts) for t in ("plot", "household")]
    assert [(c["quarantined"], c["erased"]) for c in counts] == [(0, 1), (0, 1)]
    newest = [s.current(t) for s in applying.stores(house.store).values() for t in ("plot", "household")]
    assert not any(CARD in str(pq.read_table(n.file("part.parquet")).to_pylist()) for n in newest)


def test_a_number_in_a_heading_nobody_declared_leaves_the_quarantine_too(house: Settings) -> None:
    approve(house, marked(CARD))
    path = persons.deliver_households(house.data, [household(n) for n in range(2, 6)])
    lines = path.read_text("gb18030").splitlines()
    lines = [lines[0] + ",备注", *(f"{t}," for t in lines[1:]), f"坏号,无名,,,本人证件{CARD}"]
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    assert persons.receive(house, "household").status == "published"
    here = applying.stores(house.store)
    assert (
        here["quarantine"].current("household").manifest["ledger"]
        == here["store"].current("household").manifest["ledger"]
    )
    assert here["store"].current("household").manifest["ledger"]["erased"] == 1
    assert CARD not in str(pq.read_table(here["quarantine"].current("household").file("part.parquet")).to_pylist())


def test_without_the_secret_nothing_is_received_once_somebody_was_erased(house: Settings) -> None:
    approve(house, marked(CARD))
    persons.deliver_plots(house.data, [plot(n) for n in range(1, 9)])
    report = persons.receive(replace(house, secret=""), "plot")
    assert (report.status, "ONEMAP_SECRET is missing" in report.reason_en) == ("failed", True), report
    other = replace(house, secret="x" * 40)
    with pytest.raises(SettingError, match="ONEMAP_SECRET_PREVIOUS"):
        requests.held_out(other)
    changed = replace(other, secret_previous=persons.SECRET)
    assert requests.held_out(changed).holds(CARD)
    assert persons.receive(changed, "plot").status == "published"


def test_who_asks_does_not_approve_and_what_is_not_approved_marks_nobody(tmp_path: Path) -> None:
    house = persons.settings(tmp_path)
    with pytest.raises(BadRequest, match="names nobody"):
        requests.ask(tmp_path, "a", AT, marks.NONE, reason="")
    asked = requests.ask(tmp_path, "a", AT, marked(CARD), reason="withdrawn")
    assert not requests.held_out(house)
    with pytest.raises(Refused, match="somebody other"):
        requests.approve(tmp_path, asked.id, "a", AT)
    requests.approve(tmp_path, asked.id, "b", AT)
    assert requests.held_out(house).holds(CARD)
    with pytest.raises(BadRequest, match="not waiting"):
        requests.withdraw(tmp_path, asked.id)
    requests.done(tmp_path, asked.id, AT, "0" * 64)
    assert requests.held_out(house).holds(CARD), "for ever: the department may send the row again"


def test_the_list_holds_no_personal_data_and_joins_another_without_repeating_it(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "b"
    first = requests.ask(here, "a", AT, marked(CARD, PHONE, rows=(("plot", "Z0", NAME),)), reason="withdrawn")
    text = requests.path(here).read_text("utf-8")
    assert not any(t in text for t in (CARD, PHONE, NAME, CARD[6:14]))
    requests.join(there, requests.path(here))
    requests.approve(here, first.id, "b", AT)
    assert requests.join(there, requests.path(here)) == 1
    assert requests.join(there, requests.path(here)) == 0
    assert requests.read(there) == requests.read(here)


@given(st.text(st.characters(categories=("L", "N", "P", "Z")), max_size=30))
def test_what_is_not_the_number_is_never_taken_for_it(text: str) -> None:
    found = marked(CARD, PHONE)
    plain = marks.plain(text)
    assert found.holds(text) == (CARD in marks.numbers(text) or PHONE in marks.numbers(text) if plain else False)


@settings(deadline=None)
@given(
    st.sampled_from([CARD, PHONE, "330521880307002"]),
    st.sampled_from(["", " ", "-", " "]),
    st.sampled_from(["", "本人:", "张三、", "(", "tel/"]),
    st.sampled_from(["", "、李四", ";无", ")", "/02"]),
)
def test_a_number_is_the_same_with_gaps_full_width_and_words_around_it(number, gap, before, after) -> None:
    written = before + gap.join(number) + after
    wide = written.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789X"})
    known = marked(CARD, PHONE, "330521880307002")
    assert known.holds(written)
    assert known.holds(wide)


def test_an_identity_number_of_15_digits_is_that_of_18_it_became() -> None:
    assert marked("330521700101003").holds(persons.card(3))
    assert marked(persons.card(3)).holds("330521700101003")
    assert marked(persons.card(3)).holds(float("330521700101003"))
    assert not marked(persons.card(3)).holds(persons.card(4))
