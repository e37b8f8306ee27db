"""DuckDB as we open it: offline, bounded, and interruptible."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from twin import duck
from twin.errors import SettingError


def test_spatial_loads_without_network_or_home() -> None:
    code = "from twin import duck; print(duck.connect().execute('SELECT ST_AsText(ST_Point(1, 2))').fetchone()[0])"
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "POINT (1 2)"


def test_nothing_is_installed_or_loaded_by_itself() -> None:
    connection = duck.connect()
    for statement in ("INSTALL httpfs", "SELECT * FROM read_parquet('https://127.0.0.1:9/x.parquet')"):
        with pytest.raises(duck.Error):
            connection.execute(statement)
    found = connection.execute(
        "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', 'autoload_known_extensions')"
    ).fetchall()
    assert {value for _, value in found} == {"false"}


def test_a_missing_extension_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match="duckdb-extension-no-such-thing"):
        duck.extension_path("no_such_thing")


def test_threads_and_memory_are_bounded() -> None:
    connection = duck.connect(threads=1, memory="256MB")
    assert connection.execute("SELECT current_setting('threads')").fetchone() == (1,)
    with pytest.raises(duck.Error, match="memory"):
        connection.execute("SELECT count(DISTINCT (i::VARCHAR || 'x' || i)) FROM range(30000000) t(i)").fetchone()


def test_a_read_only_copy_cannot_be_written(tmp_path: Path) -> None:
    with duck.connect(tmp_path / "a.duckdb") as writer:
        writer.execute("CREATE TABLE t AS SELECT 1 AS x")
    with duck.connect(tmp_path / "a.duckdb", read_only=True) as reader, pytest.raises(duck.Error, match="read-only"):
        reader.execute("INSERT INTO t VALUES (2)")


def test_a_query_beyond_its_deadline_is_interrupted() -> None:
    connection = duck.connect()
    with duck.deadline(connection, 0.2), pytest.raises(duck.InterruptError):
        connection.execute("SELECT count(*) FROM range(100000000000) t(i) WHERE hash(i) = 1").fetchone()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_names_and_paths_are_quoted() -> None:
    assert duck.quote('a"b') == '"a""b"'
    assert duck.literal("it's") == "'it''s'"


def test_a_limit_holds_within_its_block_only() -> None:
    with duck.connect(memory="200MB") as connection:
        with duck.limited(connection, "20MB"), pytest.raises(duck.Error, match="memory"):
            connection.execute("CREATE TEMP TABLE large AS SELECT i, repeat('x' || i, 20) FROM range(500000) r(i)")
        connection.execute("CREATE TEMP TABLE large AS SELECT i, repeat('x' || i, 20) FROM range(500000) r(i)")


def test_freed_memory_goes_back_to_the_system_when_asked_to() -> None:
    with duck.connect(memory="500MB") as connection:
        connection.execute("CREATE TEMP TABLE large AS SELECT i, repeat('x' || i, 20) FROM range(1000000) r(i)")
        full = resident_mb()
        connection.execute("DROP TABLE large")
        duck.give_back()
        assert resident_mb() < full - 50


def resident_mb() -> float:
    """Give the resident memory of this process, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def test_a_lent_database_keeps_nothing_of_who_had_it(tmp_path):
    with duck.lent(threads=1, memory="192MB", temp=tmp_path / "a") as first:
        first.execute("CREATE TEMP TABLE secret AS SELECT ST_Point(1, 2) AS p")
        first.register("given", pa.table({"n": [1]}))
    with duck.lent(threads=2, memory="128MB", temp=tmp_path / "b") as second:
        for name in ("secret", "given"):
            with pytest.raises(duck.Error, match="does not exist"):
                second.execute(f"FROM {name}")
        assert second.execute("SELECT ST_X(ST_Point(1, 2)), current_setting('threads')").fetchall() == [(1.0, 2)]
        assert second.execute("SELECT current_setting('temp_directory')").fetchall() == [(str(tmp_path / "b"),)]


def test_a_lent_database_in_which_something_failed_or_stayed_is_lent_to_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(duck, "_idle", [])
    with pytest.raises(duck.Error), duck.lent(threads=1, memory="192MB", temp=tmp_path / "a") as first:
        first.execute("FROM nowhere")
    assert duck._idle == []
    with duck.lent(threads=1, memory="192MB", temp=tmp_path / "a") as second:
        second.execute(f"ATTACH {duck.literal(tmp_path / 'x.duckdb')} AS x")
    assert duck._idle == []
    with duck.lent(threads=1, memory="192MB", temp=tmp_path / "a") as third:
        (tmp_path / "a").mkdir()  # as a spill does
        assert third.execute("SELECT 1").fetchall() == [(1,)]
    assert duck._idle == []
