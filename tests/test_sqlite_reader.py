"""A delivered SQLite file: one ordinary table of it is read, nothing in it is run."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from etl.job import Job
from etl.readers import database
from twin.errors import SourceError


def made(tmp_path: Path, *more: str) -> Path:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE lamp (number INTEGER, 名称 TEXT, 功率 REAL, shape TEXT)")
        connection.execute("INSERT INTO lamp VALUES (7, '路灯', 30.5, 'POINT (119.96 30.53)'), (8, NULL, NULL, NULL)")
        for statement in more:
            connection.execute(statement)
    return path


def rows(path: Path, part: str, **more: Any) -> list[dict[str, Any]]:
    job = Job(reader="database", path=str(path), name="a.sqlite", part=part, **more)
    return [row for batch in database.read(job, {}) for row in batch.to_pylist()]


def test_every_row_comes_as_text_with_its_place_and_its_rowid(tmp_path: Path) -> None:
    first, second = rows(made(tmp_path), "lamp", kind="point", options={"geometry": "shape"})
    assert (first["number"], first["名称"], first["功率"], first["_row"]) == ("7", "路灯", "30.5", "lamp!1")
    assert first["_geometry"][:5] == b"\x01\x01\x00\x00\x00"
    assert (second["名称"], second["_geometry"]) == (None, None)


@pytest.mark.parametrize("part", ["seen", "words", "no_such", "lamp; DROP TABLE lamp"])
def test_a_view_a_virtual_table_and_what_is_not_there_are_refused(tmp_path: Path, part: str) -> None:
    path = made(tmp_path, "CREATE VIEW seen AS SELECT * FROM lamp", "CREATE VIRTUAL TABLE words USING fts5(a)")
    with pytest.raises(SourceError, match="lamp"):
        rows(path, part)


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path)
    body = path.read_bytes()
    path.write_bytes(body[:4096] + b"\xff" * (len(body) - 4096))
    with pytest.raises(SourceError):
        rows(path, "lamp")
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(SourceError, match="SQLite"):
        rows(path, "lamp")
