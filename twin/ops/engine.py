"""One connection pool to the operational store, and how a transaction begins on it; knows the two databases apart.

On both there is one writer at a time: SQLite by BEGIN IMMEDIATE, PostgreSQL by one advisory lock. What is read in
`begin()` therefore still holds when it is written.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import event, exc

from twin import durable
from twin.errors import OpsDown, SettingError
from twin.settings import OPS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 5
"""How long a transaction waits for its turn before it is refused."""
LONGEST_S = 60
"""How long PostgreSQL lets a transaction stand idle: a stuck writer must not keep the turn for ever."""
WRITER = 0x6F6E656D
"""The advisory lock that stands for the one writer on PostgreSQL."""
OWNER_ONLY = 0o600
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    f"PRAGMA busy_timeout={WAIT_S * 1000}",
)
TAKE_TURN = "SELECT pg_advisory_xact_lock(%(writer)s)"
READ_ONLY = "onemap_read_only"
FILE = OPS_FILE
SQLITE_SIGNS = (
    ("full", ("disk is full",)),
    ("locked", ("locked", "busy")),
    ("read-only", ("readonly", "read-only")),
    ("damaged", ("malformed", "not a database")),
)
POSTGRES_SIGNS = (
    ("full", ("no space left", "disk full")),
    ("locked", ("lock timeout",)),
    ("read-only", ("read-only transaction",)),
)
WORDS = {
    "full": ("磁盘已满,请清理后重试", "the disk is full; make room, then try again"),
    "locked": ("被另一程序占用,请稍后重试", "another program holds it; try again in a moment"),
    "read-only": ("只读,请检查文件权限或主备状态", "it is read-only; check the file's permissions or the standby"),
    "damaged": ("文件已损坏,请用 onemap restore 恢复", "its file is damaged; bring it back with onemap restore"),
    "unreachable": ("无法连接或读写,请检查 ONEMAP_OPS_URL", "it cannot be reached; check ONEMAP_OPS_URL"),
}


class Ops:
    """The operational store at `url`; safe to share between threads, not across a fork.

    `url` is `sqlite:///path` or `postgresql://…`. Raises SettingError for any other. Call `upgrade` once before.
    """

    def __init__(self, url: str) -> None:
        self.url = parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)

    @property
    def path(self) -> Path | None:
        """Give the SQLite file, or None on PostgreSQL."""
        return Path(str(self.url.database)) if self.is_sqlite else None

    @contextlib.contextmanager
    def begin(self) -> Iterator[sqlalchemy.Connection]:
        """Open the one writing transaction; durable when the block has ended, undone where it raised.

        Raises OpsDown where the store is full, locked, read-only or away; `Taken` where a unique value stands already.
        """
        with _told(self), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def read(self, *, lenient: bool = False) -> Iterator[sqlalchemy.Connection]:
        """Open a transaction that only reads one consistent state and waits for no writer; raises OpsDown.

        With `lenient`, text in a SQLite file that is not UTF-8 is given with surrogates instead of failing: whoever
        looks for damage must be able to read it.
        """
        with _told(self), self._engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            if lenient and self.is_sqlite:
                raw.text_factory = _lenient
            try:
                with connection.execution_options(**{READ_ONLY: True}).begin():
                    yield connection
            finally:
                if self.is_sqlite:
                    raw.text_factory = str

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def has_table(connection: sqlalchemy.Connection, name: str) -> bool:
    """Say whether the store has a table: one that an older program made may not."""
    return sqlalchemy.inspect(connection).has_table(name)


def parse(url: str) -> sqlalchemy.URL:
    """Read the address of an operational store; raises SettingError where it is neither SQLite file nor PostgreSQL."""
    try:
        parsed = sqlalchemy.make_url(url)
    except exc.ArgumentError:
        raise _unknown() from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite+pysqlite")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise _unknown()


def _sqlite(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    path = Path(str(url.database))
    durable.make_directory(path.parent)
    with contextlib.suppress(FileExistsError, PermissionError):  # nobody else reads password hashes
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    engine = sqlalchemy.create_engine(url, pool_size=8, max_overflow=24, pool_timeout=WAIT_S)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: sqlalchemy.Connection) -> None:
        reads = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _lenient(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _postgresql(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    try:
        engine = sqlalchemy.create_engine(
            url,
            pool_size=8,
            max_overflow=24,
            pool_timeout=WAIT_S,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": WAIT_S,
                "options": f"-c lock_timeout={WAIT_S * 1000} -c timezone=UTC -c synchronous_commit=on"
                f" -c idle_in_transaction_session_timeout={LONGEST_S * 1000}",
            },
        )
    except ModuleNotFoundError as error:
        raise SettingError(
            "ONEMAP_OPS_URL 指向 PostgreSQL,但未安装 psycopg;请安装 village-onemap[postgresql]",
            "ONEMAP_OPS_URL names PostgreSQL, but psycopg is not installed; install village-onemap[postgresql]",
        ) from error

    @event.listens_for(engine, "begin")
    def begin(connection: sqlalchemy.Connection) -> None:
        if connection.get_execution_options().get(READ_ONLY):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        else:
            connection.exec_driver_sql(TAKE_TURN, {"writer": WRITER})

    return engine


@contextlib.contextmanager
def _told(ops: Ops) -> Iterator[None]:
    """Turn what the database refuses for its own reasons into OpsDown; a mistake of ours stays what it is."""
    try:
        yield
    except (exc.IntegrityError, exc.DataError, exc.ProgrammingError, exc.NotSupportedError):
        raise
    except (exc.DatabaseError, exc.InterfaceError, exc.TimeoutError) as error:
        raise _down(ops, error) from error


def _down(ops: Ops, error: exc.SQLAlchemyError) -> OpsDown:
    words = str(error).lower()
    signs = SQLITE_SIGNS if ops.is_sqlite else POSTGRES_SIGNS
    reason = next((name for name, found in signs if any(f in words for f in found)), "unreachable")
    zh, en = WORDS[reason]
    return OpsDown(f"业务库暂不可用:{zh}", f"The operational store cannot be used now: {en}", reason=reason)


def _unknown() -> SettingError:
    return SettingError(
        "ONEMAP_OPS_URL 无效:须为 sqlite:///文件路径 或 postgresql://…",
        "ONEMAP_OPS_URL is wrong: it must be sqlite:///path/to/file or postgresql://…",
    )
