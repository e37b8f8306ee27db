"""A DuckDB connection with its extensions loaded offline and its limits set; the only importer of duckdb."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from twin.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = duckdb.DuckDBPyConnection
Error = duckdb.Error
InterruptError = duckdb.InterruptException

ATTACHED = "SELECT database_name FROM duckdb_databases() WHERE NOT internal"
OFFLINE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""Nothing is ever fetched: an extension that is not loaded by path is an error."""


@cache
def extension_path(name: str) -> Path:
    """Give the file of the extension wheel `name`; raises SettingError where wheel and duckdb do not match."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        wheel = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
        raise SettingError(f"缺少 DuckDB 扩展:请安装 {wheel}", f"A DuckDB extension is missing: install {wheel}")
    folder = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}"
    path = folder / f"{name}.duckdb_extension"
    if not path.exists():
        raise SettingError(
            f"DuckDB 扩展 {name} 与 duckdb {duckdb.__version__} 版本不一致,请安装同一版本",
            f"The DuckDB extension {name} is not of duckdb {duckdb.__version__}: install the same version",
            path=path,
        )
    return path


def quote(identifier: str) -> str:
    """Quote a declared identifier for SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """Quote a path or a word of ours as an SQL string, for statements that take no parameters."""
    return "'" + str(text).replace("'", "''") + "'"


def connect(
    database: str | Path = ":memory:",
    *,
    read_only: bool = False,
    threads: int = 1,
    memory: str = "1GB",
    temp: Path | None = None,
    spatial: bool = True,
    scanner: str = "",
) -> Connection:
    """Open `database` with spatial loaded from its wheel, bounded to `threads` and `memory`.

    `temp` is where larger-than-memory work spills; None forbids spilling, so that a limit is a limit. Loading `spatial`
    takes 0.2 s of CPU, which what only reads and compares goes without. `scanner` is the extension that asks another
    database: "postgres_scanner" or "mysql_scanner".
    """
    connection = duckdb.connect(
        str(database),
        read_only=read_only,
        config={**OFFLINE, "threads": threads, "memory_limit": memory, "temp_directory": str(temp or "")},
    )
    connection.execute("SET enable_progress_bar = false")  # first: a slow LOAD would draw it on stdout
    if spatial:
        connection.execute(f"LOAD {literal(extension_path('spatial'))}")
    if scanner:
        connection.execute(f"LOAD {literal(extension_path(scanner))}")
    connection.execute("SET preserve_insertion_order = true")
    return connection


_idle: list[Connection] = []
"""Databases in memory that nobody in this process borrows now."""


@contextlib.contextmanager
def lent(*, threads: int, memory: str, temp: Path) -> Iterator[Connection]:
    """Lend a connection with spatial to a database in memory, which is kept for who borrows next in this process.

    Loading spatial takes longer than receiving a small table. Temporary tables and views go with the borrower; where
    anything else could be left (it failed, it spilled to `temp`, a file is still attached) the database goes as well.
    """
    root = _idle.pop() if _idle else connect(threads=threads, memory=memory, temp=temp)
    kept = False
    try:
        root.execute(f"SET temp_directory = {literal(temp)}")
        root.execute(f"SET memory_limit = {literal(memory)}")
        root.execute(f"SET threads = {threads}")
        with contextlib.closing(root.cursor()) as connection:
            yield connection
        kept = not temp.exists() and len(root.execute(ATTACHED).fetchall()) == 1
    finally:
        if kept:
            _idle.append(root)
        else:
            root.close()


@contextlib.contextmanager
def limited(connection: Connection, memory: str, *, threads: int = 0) -> Iterator[None]:
    """Let `connection` hold `memory` ("128MB") and use `threads` within the block, and what it might before afterwards.

    No `threads` leaves those it has.
    """
    asked = "SELECT current_setting('memory_limit'), current_setting('threads')"
    before, had = connection.execute(asked).fetchall()[0]
    connection.execute(f"SET memory_limit = {literal(memory)}")
    connection.execute(f"SET threads = {threads or int(had)}")
    try:
        yield
    finally:
        connection.execute(f"SET threads = {int(had)}")
        connection.execute(f"SET memory_limit = {literal(before)}")


def cores() -> int:
    """Give how many threads work is shared by: the cores there are, at most four."""
    return min(4, len(os.sched_getaffinity(0)))


def give_back() -> None:
    """Return freed memory to the system: DuckDB's allocator (jemalloc) and the C library keep what a phase once held.

    Call it between the phases of a long run, so that the peak is that of one phase and not of their sum.
    """
    purge = getattr(ctypes.CDLL(sys.modules["_duckdb"].__file__), "duckdb_je_mallctl", None)
    if purge is not None:
        purge(b"arena.4096.purge", None, None, None, ctypes.c_size_t(0))  # 4096: jemalloc's MALLCTL_ARENAS_ALL
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@contextlib.contextmanager
def deadline(connection: Connection, seconds: float) -> Iterator[Connection]:
    """Interrupt whatever `connection` runs after `seconds`; the query then raises InterruptError."""
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield connection
    finally:
        timer.cancel()


def is_disk_full(error: BaseException) -> bool:
    """Say whether DuckDB failed because the disk is full (it reports errno only in words)."""
    return isinstance(error, duckdb.Error) and "No space left on device" in str(error)
