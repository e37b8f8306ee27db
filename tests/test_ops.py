"""The operational store, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import exc

from twin import ops
from twin.errors import SettingError
from twin.ops import tables

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
