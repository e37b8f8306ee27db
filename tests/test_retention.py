"""What is past its time is listed first and removed after, class by class; the current version and young records stay."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests import persons
from tests.persons import household, plot
from tests.test_clerk import run
from twin import console, ops
from twin.accounts import people
from twin.errors import DeclarationError, NotFound
from twin.ops import tables
from twin.retention import applying, erasing, marks, rules, timers
from twin.settings import Settings
from twin.store import Store

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a village with three versions of a sensitive table and one of a public one, and a quarantined row."""
    root = tmp_path_factory.mktemp("retention")
    house = persons.settings(root)
    for extra in (5, 6, 7):
        persons.deliver_households(root, [household(99, key="坏号"), *(household(n) for n in range(extra))])
        assert persons.receive(house, "household").status == "published"
    persons.deliver_plots(root, [plot(n) for n in range(3)])
    persons.receive(house, "plot")
    return root


@pytest.fixture
def house(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    root = tmp_path / "house"
    shutil.copytree(built, root)
    for name, value in {"DATA": root, "VILLAGE": root, "SECRET": persons.SECRET}.items():
        monkeypatch.setenv(f"ONEMAP_{name}", str(value))
    return Settings(data=root, village=root, secret=persons.SECRET)


def ground(house: Settings, store: ops.Ops | None = None, backups: Path | None = None) -> erasing.Ground:
    return erasing.Ground(data=house.data, village=house.village, backups=backups, backup_days=30, store=store)


def due(house: Settings, days: float, declared: rules.Rules | None = None, **more) -> list[timers.Due]:
    return timers.due(ground(house, **more), declared or rules.Rules(), datetime.now(UTC) + timedelta(days=days))


def kinds(found: list[timers.Due]) -> dict[str, int]:
    return {k: sum(d.count for d in found if d.kind == k) for k in sorted({d.kind for d in found})}


def test_each_class_has_its_own_time_and_the_strictest_column_says_the_class(house: Settings) -> None:
    store = Store(house.store)
    assert timers.class_of(store, "household") == "sensitive"
    assert timers.class_of(store, "nowhere") == "sensitive", "what nobody can say is the strictest"
    assert due(house, 29) == []
    assert kinds(due(house, 31)) == {"quarantine": 1, "version": 4}
    assert kinds(due(house, 181)) == {"delivery": 2, "quarantine": 1, "version": 4}
    longer = rules.Rules(superseded={"personal": 90, "sensitive": 60}, quarantined={"sensitive": 400})
    assert due(house, 59, longer) == []
    assert kinds(due(house, 61, longer)) == {"version": 2}


def test_versions_past_their_time_go_the_current_one_stays_and_rollback_says_why(house: Settings) -> None:
    for one in due(house, 31):
        one.end()
    store = Store(house.store)
    assert len(store.versions("household")) == 1
    assert store.current("household").manifest["rows"] == 7
    with pytest.raises(NotFound, match="because its time was over"):
        store.rollback("household")
    assert due(house, 31) == [], "what was ended is not due again"
    assert due(house, 100_000)[0].kind == "delivery"
    assert len(store.versions("plot")) == 1
    assert store.verify() == []


def test_a_quarantined_row_past_its_time_keeps_its_reasons_and_nothing_that_was_in_it(house: Settings) -> None:
    for one in due(house, 31):
        one.end()
    beside = applying.stores(house.store)["quarantine"]
    (row,) = pq.read_table(beside.current("household").file("part.parquet")).to_pylist()
    assert (row["id"], row["raw"], row["geometry"]) == (None, None, None)
    assert [r["rule"] for r in row["reasons"]] == ["pattern"]
    assert (row["_source"], row["_row"]) == ("05_civil/户.csv", "2")
    ledgers = [s.current("household").manifest["ledger"] for s in applying.stores(house.store).values()]
    assert ledgers[0] == ledgers[1]
    assert persons.receive(house, "household").status == "unchanged"


def test_only_a_delivery_that_was_published_as_it_lies_there_is_removed(house: Settings) -> None:
    fresh = persons.deliver_plots(house.data, [plot(n) for n in range(9)])
    for one in due(house, 181):
        one.end()
    assert fresh.exists(), "nobody has received it yet"
    assert not (house.data / "raw" / "05_civil" / "户.csv").exists()
    assert persons.receive(house, "household").status == "never", "what is published stays"
    assert Store(house.store).current("household").manifest["rows"] == 7


def test_backups_and_what_a_restore_put_aside_go_on_their_day(house: Settings, tmp_path: Path) -> None:
    backups = tmp_path / "b"
    old, other = backups / "onemap-20200101T000000Z", backups / "onemap-photos"
    aside = house.data / "before-restore-20200102T000000Z"
    for folder in (old, other, aside):
        folder.mkdir(parents=True)
    (old / "backup.json").touch()
    found = due(house, 0, backups=backups)
    assert {(d.kind, d.where, d.over_since.date()) for d in found} == {
        ("backup", old.as_posix(), date(2020, 1, 31)), ("backup", aside.as_posix(), date(2020, 2, 1)),
    }  # fmt: skip
    for one in found:
        one.end()
    assert sorted(backups.iterdir()) == [other]
    assert not aside.exists()


def test_sessions_attempts_and_the_ledger_of_ground_go_and_the_young_stay(store: ops.Ops, tmp_path: Path) -> None:
    house = Settings(data=tmp_path, village=tmp_path)
    now = ops.now()
    with store.begin() as connection:
        one = people.add(connection, now, name="a", role="official")
        for days in (1, 31):
            at = now - timedelta(days=days)
            connection.execute(tables.attempt.insert().values(name_hash="n", address_hash="a", at=at, ok=False))
            day = (now - timedelta(days=days * 13)).date()
            connection.execute(tables.delivery.insert().values(subject="s", cell=str(days), day=day))
            told = {"id_hash": f"{days:064d}", "account_id": one.id, "csrf_hash": "0" * 64}
            connection.execute(tables.session.insert().values(**told, created_at=at, seen_at=at, expires_at=at))
    found = due(house, 0, store=store)
    assert kinds(found) == {"attempt": 1, "ground": 1, "session": 1}
    for each in found:
        each.end()
    assert due(house, 0, store=store) == []
    with store.read() as connection:
        assert [len(connection.execute(t.select()).all()) for t in (tables.attempt, tables.session)] == [1, 1]
        assert [r.cell for r in connection.execute(tables.delivery.select())] == ["1"]


def test_a_marked_persons_account_keeps_its_id_and_nothing_else(store: ops.Ops, tmp_path: Path) -> None:
    now = ops.now()
    ((name, key),) = marks.keys_of([persons.SECRET]).items()
    with store.begin() as connection:
        mine = people.add(
            connection, now, name=persons.PHONE, role="resident", display_name=persons.NAME, grid="330521199299001"
        )
        other = people.add(connection, now, name="b", role="resident", display_name=persons.NAME)
        told = {"id_hash": "0" * 64, "account_id": mine.id, "csrf_hash": "0" * 64, "address": "10.1.1.1"}
        connection.execute(tables.session.insert().values(**told, created_at=now, seen_at=now, expires_at=now))
    held = marks.Marks(keys={name: key}, numbers=frozenset([marks.mark(key, name, persons.PHONE)]))
    here = ground(Settings(data=tmp_path, village=tmp_path), store)
    assert [t.where for t in erasing.apply(here, held, now)] == [f"account/{mine.id}"]
    assert erasing.apply(here, held, now) == []
    with store.read() as connection:
        after, kept = (people.by_id(connection, a.id) for a in (mine, other))
        assert connection.execute(tables.session.select()).all() == []
    assert (after.name, after.display_name, after.grid, after.disabled_at) == (f"erased-{mine.id}", "", "", now)
    assert (kept.name, kept.display_name, kept.disabled_at) == ("b", persons.NAME, None)


def test_a_dry_run_changes_no_byte_and_the_true_one_leaves_its_proof_in_the_record(house, capsys, monkeypatch) -> None:
    with console.record(house):
        pass
    before = {p: p.read_bytes() for p in (house.data / "store").rglob("*") if p.is_file() and p.name != ".lock"}
    later = ops.now() + timedelta(days=31)
    monkeypatch.setattr("twin.clerk.ops.now", lambda: later)
    code, said = run(capsys, "retention")
    assert (code, said.count("superseded version")) == (0, 4)
    assert said.endswith("These 5 still stand; to remove them add --do\n")
    assert {p: p.read_bytes() for p in (house.data / "store").rglob("*") if p.is_file() and p.name != ".lock"} == before
    code, said = run(capsys, "retention", "--do")
    assert (code, "5 were removed" in said) == (0, True), said
    with console.record(house) as audit:
        assert audit.verify() == []
        entry = audit.entries(limit=1)[0]
    detail = json.loads(entry["detail"])
    assert (entry["action"], detail["version"], detail["quarantine"]) == ("retention", 4, 1)
    (listed,) = (house.data / "run" / "certificates").glob("retention-*.json")
    assert hashlib.sha256(listed.read_bytes()).hexdigest() == detail["list"]
    assert len(json.loads(listed.read_text("utf-8"))) == 5
    assert run(capsys, "retention", "--do")[1] == "Nothing is past its time\n"


def test_the_declared_times_of_the_demo_hold_and_unsound_ones_name_every_fault(tmp_path: Path) -> None:
    declared = rules.read(ROOT / "data")
    assert declared.record >= 184
    assert declared == rules.Rules(
        superseded=declared.superseded, quarantined=declared.quarantined, deliveries=declared.deliveries
    )
    text = (ROOT / "data" / "retention.toml").read_text("utf-8")
    changed = [
        ("record = 366", "record = 90"),
        ("ground = 400", "ground = 30"),
        ("sensitive = 30", "sensitive = 0"),
        ("version = 1", "version = 1\nphotos = 3"),
    ]
    for old, new in changed[:3]:
        text = text.replace(old, new, 1)
    (tmp_path / "retention.toml").write_text(text, "utf-8")
    with pytest.raises(DeclarationError) as wrong:
        rules.read(tmp_path)
    for said in ("record is kept 184 days", "ground is 366", "superseded must limit personal data"):
        assert said in wrong.value.en
    (tmp_path / "retention.toml").write_text(text.replace(*changed[3]), "utf-8")
    with pytest.raises(DeclarationError, match="Unknown key photos"):
        rules.read(tmp_path)


def test_a_run_of_the_timers_that_dies_midway_is_ended_by_the_next(house: Settings) -> None:
    found = due(house, 31)
    for one in found[: len(found) // 2]:
        one.end()
    rest = due(house, 31)
    assert {d.where for d in rest} == {d.where for d in found[len(found) // 2 :]}
    for one in rest:
        one.end()
    assert due(house, 31) == []


def test_a_times_list_is_made_from_the_files_own_clock(house: Settings) -> None:
    old = (datetime.now(UTC) - timedelta(days=200)).timestamp()
    path = house.data / "raw" / "54_land" / "宗地.geojson"
    os.utime(path, (old, old))
    assert [d.where for d in due(house, 0)] == ["raw/54_land/宗地.geojson"]
