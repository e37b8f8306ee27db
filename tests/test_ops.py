"""The operational store, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import random
import sqlite3
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import exc

from twin import ops
from twin.errors import OpsDown, SettingError
from twin.ops import engine, tables, upgrading

PERSON = {"name": "zhang", "role": "official", "must_change": False, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}


def person(store: ops.Ops, number: int, **more: object) -> None:
    with store.begin() as connection:
        row = PERSON | {"id": f"id-{number}", "name": f"name-{number}", "version": 1} | more
        connection.execute(tables.account.insert(), row)


def people(store: ops.Ops) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(ops.select(tables.account.c.name).order_by(tables.account.c.name)).scalars())


def test_the_newest_migration_leaves_exactly_the_tables_the_code_knows(store: ops.Ops) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_an_upgrade_of_an_up_to_date_store_changes_nothing(empty_url: str) -> None:
    assert ops.upgrade(empty_url) == (None, ops.HEAD)
    assert ops.upgrade(empty_url) == (ops.HEAD, ops.HEAD)


def test_a_store_of_a_newer_program_is_refused_and_left_alone(store: ops.Ops, url: str) -> None:
    with store.begin() as connection:
        connection.execute(ops.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingError, match="9999"):
        ops.upgrade(url)
    assert ops.version(store) == "9999"


def test_what_was_committed_is_read_and_what_raised_is_undone(store: ops.Ops) -> None:
    person(store, 1)
    with pytest.raises(ops.Taken), store.begin() as connection:  # noqa: PT012  (the first of the two is undone)
        connection.execute(tables.account.update().values(name="gone"))
        connection.execute(tables.account.insert(), PERSON | {"id": "id-1", "version": 1})
    assert people(store) == ["name-1"]


def test_a_unique_value_that_stands_already_is_told_as_taken(store: ops.Ops) -> None:
    person(store, 1)
    with pytest.raises(ops.Taken):
        person(store, 2, name="name-1")
    assert people(store) == ["name-1"]


def test_a_time_without_a_zone_is_refused(store: ops.Ops) -> None:
    with pytest.raises(exc.StatementError, match="no time zone"):
        person(store, 1, created_at=datetime(2026, 1, 1))
    assert people(store) == []


def test_a_time_comes_back_as_the_same_moment_in_utc(store: ops.Ops) -> None:
    moment = datetime(2026, 11, 21, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    person(store, 1, created_at=moment)
    with store.read() as connection:
        found = connection.execute(ops.select(tables.account.c.created_at)).scalar_one()
    assert found == moment
    assert found.tzinfo is UTC or found.utcoffset() == timedelta(0)


def test_a_reading_transaction_never_waits_for_a_writer_and_sees_only_what_is_committed(store: ops.Ops) -> None:
    person(store, 1)
    with store.begin() as writing:
        writing.execute(tables.account.update().values(name="other"))
        assert people(store) == ["name-1"]
    assert people(store) == ["other"]


@pytest.mark.parametrize("wrong", ["", "sqlite://", "sqlite:///:memory:", "mysql://a/b", "file.sqlite", "sqlite:///"])
def test_an_address_of_neither_database_is_refused(wrong: str) -> None:
    with pytest.raises(SettingError, match="ONEMAP_OPS_URL"):
        ops.Ops(wrong)


def test_the_sqlite_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "run" / "ops.sqlite"
    ops.upgrade(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


RELEASED = {path.stem.removeprefix("ops_"): path for path in (Path(__file__).with_name("released")).glob("ops_*.sql")}
"""The schema of every release, as SQLite wrote it down; never edited, one more for every migration."""


def schema(db: sqlite3.Connection) -> list[str]:
    return sorted(" ".join(sql.split()) for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))


def revisions() -> list[str]:
    return [script.revision for script in upgrading._scripts().walk_revisions()][::-1]


def test_every_migration_has_its_released_schema_and_the_last_is_the_newest() -> None:
    assert revisions() == sorted(RELEASED)
    assert revisions()[-1] == ops.HEAD


@pytest.mark.parametrize("revision", sorted(RELEASED))
def test_a_migration_makes_the_schema_that_was_released(tmp_path: Path, revision: str) -> None:
    released = sqlite3.connect(":memory:")
    released.executescript(RELEASED[revision].read_text())
    store = ops.Ops(f"sqlite:///{tmp_path / 'ops.sqlite'}")
    with store.begin() as connection:
        upgrading.migrate(connection, revision)
    with sqlite3.connect(tmp_path / "ops.sqlite") as made:
        assert schema(made) == schema(released)


@pytest.mark.parametrize("revision", sorted(RELEASED))
def test_a_store_of_any_release_is_upgraded_with_its_rows(empty_url: str, revision: str) -> None:
    store = ops.Ops(empty_url)
    with store.begin() as connection:
        upgrading.migrate(connection, revision)
        connection.execute(ops.text(
            "INSERT INTO account (id, name, role, must_change, created_at, version)"
            " VALUES ('a', 'zhang', 'official', false, '2026-01-01 00:00:00.000000', 1)"
        ))  # fmt: skip
    assert ops.upgrade(empty_url) == (revision, ops.HEAD)
    assert people(store) == ["zhang"]
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    store.close()


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: ops.Connection, to: str) -> None:
        migrate(connection, to)
        raise ZeroDivisionError

    migrate = upgrading.migrate
    monkeypatch.setattr(upgrading, "migrate", broken)
    with pytest.raises(ZeroDivisionError):
        ops.upgrade(empty_url)
    monkeypatch.setattr(upgrading, "migrate", migrate)
    assert ops.upgrade(empty_url) == (None, ops.HEAD)


def test_processes_that_upgrade_at_once_all_succeed(empty_url: str) -> None:
    code = "import sys; from twin import ops; print(ops.upgrade(sys.argv[1])[0])"
    running = [
        subprocess.Popen([sys.executable, "-c", code, empty_url], stdout=subprocess.PIPE, text=True) for _ in "abc"
    ]
    said = [process.communicate(timeout=120)[0].strip() for process in running]
    assert sorted(said) == [ops.HEAD, ops.HEAD, "None"]


COUNTER = """
import sys
from twin import ops
store, row = ops.Ops(sys.argv[1]), ops.tables.account
for _ in range(int(sys.argv[2])):
    with store.begin() as connection:
        version = connection.execute(ops.select(row.c.version)).scalar_one()
        connection.execute(row.update().values(version=version + 1))
    print(version + 1, flush=True)
"""
"""A program that reads, adds one and writes, and prints each sum when it is acknowledged."""


def test_what_is_read_in_a_writing_transaction_still_holds_when_it_is_written(store: ops.Ops, url: str) -> None:
    person(store, 1, version=0)
    running = [subprocess.Popen([sys.executable, "-c", COUNTER, url, "40"], stdout=subprocess.PIPE) for _ in range(3)]
    said = [int(n) for process in running for n in process.communicate(timeout=120)[0].split()]
    assert sorted(said) == list(range(1, 121)), "no two writers saw the same number"


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.soak)])
def test_no_acknowledged_commit_is_lost_when_its_writer_is_killed(store: ops.Ops, url: str, kills: int) -> None:
    person(store, 1, version=0)
    chance = random.Random(5)
    for _ in range(kills):
        child = subprocess.Popen([sys.executable, "-c", COUNTER, url, "100000"], stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(chance.random() / 5)
        child.kill()
        said = [int(n) for n in child.communicate()[0].split() if n]
        with store.read() as connection:
            kept = connection.execute(ops.select(tables.account.c.version)).scalar_one()
        assert not said or kept in (said[-1], said[-1] + 1)


def test_a_writer_waits_for_its_turn_and_is_told_when_it_does_not_come(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_S", 1)
    monkeypatch.setattr(engine, "PRAGMAS", (*engine.PRAGMAS[:-1], "PRAGMA busy_timeout=300"))
    one, two = ops.Ops(url), ops.Ops(url)
    with one.begin(), pytest.raises(OpsDown, match="another program"), two.begin():
        pass
    with two.begin():
        pass
    one.close()
    two.close()


def test_a_copy_is_the_store_of_one_moment_while_others_write_and_fills_either_database(
    store: ops.Ops, url: str, tmp_path: Path
) -> None:
    for number in range(20):
        person(store, number, totp_secret="密")
    with store.begin() as connection:
        connection.execute(tables.api_key.insert(), KEY)
        connection.execute(
            tables.attempt.insert(), {"name_hash": "n", "address_hash": "a", "at": ops.now(), "ok": True}
        )
    copy = tmp_path / "copy.sqlite"
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [person(store, 100 + n) for n in range(30)])
        ops.copy_out(store, copy)
        writing.result()
    opened = ops.Ops(f"sqlite:///{copy}")
    held = people(opened)
    assert held == sorted(held)
    assert 20 <= len(held) <= 50
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    if not store.is_sqlite:
        ops.copy_in(copy, url)
        assert people(store) == held
        with store.begin() as connection:
            row = connection.execute(tables.api_key.select()).mappings().one()
            assert (row["scopes"], row["expires_at"]) == (KEY["scopes"], KEY["expires_at"])
            connection.execute(
                tables.attempt.insert(), {"name_hash": "n", "address_hash": "b", "at": ops.now(), "ok": True}
            )
    opened.close()


KEY = {
    "id": "abcdefgh", "client": "省平台", "secret_hash": "0" * 64, "scopes": ["layer:L06:read"], "networks": [],
    "created_at": datetime(2026, 1, 1, tzinfo=UTC), "expires_at": datetime(2026, 12, 1, tzinfo=UTC),
}  # fmt: skip
