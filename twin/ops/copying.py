"""One consistent copy of an operational store in a SQLite file, whatever database it is on, and the way back."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from twin import durable
from twin.errors import OpsDown
from twin.ops import tables
from twin.ops.engine import OWNER_ONLY, Ops
from twin.ops.upgrading import upgrade

if TYPE_CHECKING:
    from sqlalchemy import Connection

SOUND = "PRAGMA integrity_check"
ONE_FILE = "PRAGMA journal_mode=DELETE"
COUNT_ON = "SELECT setval(pg_get_serial_sequence(:table, 'id'), (SELECT max(id) FROM {table}))"
COUNTED = ("attempt", "setting_change", "schedule_change", "run_request", "notice")
"""The tables whose numbers the database gives."""
CHUNK = 5_000
WAIT_S = 15.0
FORGET = ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")


def copy_out(store: Ops, path: Path) -> None:
    """Copy the store as it is at one moment into a new SQLite file, while others go on writing.

    Raises OpsDown where the store cannot be read or what was copied is not sound, FileExistsError where `path` is.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    if store.is_sqlite:
        with store.read() as connection:
            raw: Any = connection.connection.driver_connection
            _finish(path, raw)
    else:
        upgrade(f"sqlite:///{path}")
        copied = Ops(f"sqlite:///{path}")
        with store.read() as source, copied.begin() as target:
            _copy_rows(source, target)
        copied.close()
        _finish(path)
    durable.sync(path)


def _finish(path: Path, source: sqlite3.Connection | None = None) -> None:
    """Fill the file from a SQLite store where there is one, make it a single sound file, or raise OpsDown."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as copy:
            if source:
                source.backup(copy)
            copy.execute(ONE_FILE)
            sound = copy.execute(SOUND).fetchone()[0] == "ok"
    except sqlite3.Error as error:
        reason = "full" if error.sqlite_errorname == "SQLITE_FULL" else "damaged"
        raise OpsDown("业务库无法复制", f"The operational store cannot be copied: {error}", reason=reason) from error
    if not sound:
        raise OpsDown("业务库文件已损坏,无法备份", "The operational store's file is damaged; it is not backed up")


def copy_in(path: Path, url: str) -> None:
    """Fill the PostgreSQL store at `url` with the rows of a copy, in place of its own, all or nothing; raises OpsDown.

    A store on SQLite needs no such thing: the copy is its file.
    """
    upgrade(f"sqlite:///{path}")
    upgrade(url)
    source, target = Ops(f"sqlite:///{path}"), Ops(url)
    try:
        with source.read() as old, target.begin() as new:
            for table in reversed(tables.metadata.sorted_tables):
                new.execute(table.delete())
            _copy_rows(old, new)
            for name in COUNTED:
                new.execute(text(COUNT_ON.format(table=name)), {"table": name})
    finally:
        source.close()
        target.close()


def forget_deleted(store: Ops) -> None:
    """Leave no byte of a deleted or changed row in the store's file and log (SQLite); raises OpsDown.

    On PostgreSQL that is the database's own housekeeping: its pages are used again, its log is recycled.
    """
    path = store.path
    if path is None:
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)) as connection:
            for command in FORGET:
                connection.execute(command).fetchall()
    except sqlite3.Error as error:
        raise OpsDown(
            "业务库正忙,已删除的内容还在其文件中;请再执行一次",
            f"The operational store is busy, what was deleted is still in its file; do it again ({error})",
            reason="locked",
        ) from error


def _copy_rows(source: Connection, target: Connection) -> None:
    for table in tables.metadata.sorted_tables:
        rows = source.execution_options(yield_per=CHUNK).execute(table.select()).mappings()
        for chunk in rows.partitions(CHUNK):
            target.execute(table.insert(), [dict(row) for row in chunk])
