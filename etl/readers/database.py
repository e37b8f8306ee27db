"""A table of an SQLite file: opened unchanging, one ordinary table of it read, nothing of it run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import shapely

from etl import coordinates, refusals, wkb
from etl.job import Job
from twin.errors import SourceError

_MAGIC = b"SQLite format 3\x00"
_TABLE = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
_ROWS = "SELECT rowid, * FROM {table} ORDER BY rowid"
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION)


def read(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Read the table `job.part` as text columns; the option `geometry` names its column of WKB or WKT.

    Raises SourceError where the file is no SQLite database, is damaged, or has no such ordinary table.
    """
    with job.main.open("rb") as file:
        if file.read(16) != _MAGIC:
            raise refusals.mistaken(job.name, "SQLite")
    report.update(driver="SQLite", encoding="UTF-8", how="format", declared="", crs_in_file="")
    connection = sqlite3.connect(f"file:{job.path}?mode=ro&immutable=1", uri=True)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        _ordinary(connection, job)
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
        yield from _batches(connection, job)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as wrong:
        raise refusals.damaged(job.name, str(wrong)) from wrong
    finally:
        connection.close()


def _ordinary(connection: sqlite3.Connection, job: Job) -> None:
    made = connection.execute(_TABLE, (job.part,)).fetchone()
    if made is None or "VIRTUAL" in str(made[0]).upper().split("(")[0].split():
        names = "、".join(n for (n,) in connection.execute(_TABLES).fetchmany(12))
        raise SourceError(
            f"“{job.name}”中有表 {names or '(无)'},没有普通表“{job.part}”。请在目录该来源的 part 中写明表名。",
            f"“{job.name}” has the tables {names or '(none)'} and no ordinary one “{job.part}”. Name it as part.",
            file=job.name,
        )


def quote(name: str) -> str:
    """Write a name as SQLite reads it whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def _batches(connection: sqlite3.Connection, job: Job) -> Iterator[pa.RecordBatch]:
    rows = connection.execute(_ROWS.format(table=quote(job.part)))
    names = [d[0] for d in rows.description][1:]
    while chunk := rows.fetchmany(job.batch_rows):
        yield _batch(job, names, chunk)
    yield _batch(job, names, [])


def _batch(job: Job, names: list[str], rows: list[Any]) -> pa.RecordBatch:
    place = job.options.get("geometry", "")
    columns = {n: [r[i + 1] for r in rows] for i, n in enumerate(names)}
    raw = columns.pop(place, [None] * len(rows))
    texts = {n: pa.array([_text(v) for v in values], pa.string()) for n, values in columns.items()}
    where = pa.array([f"{job.part}!{r[0]}" for r in rows], pa.string())
    if job.x and job.y:
        shapes, notes = coordinates.points(texts[job.x], texts[job.y], [""] * len(rows))
    else:
        examined = wkb.examine(pa.array([_wkb(v) for v in raw], pa.binary()))
        shapes, notes = examined.geometry, list(examined.notes or [""] * len(rows))
    note = pa.array([n or None for n in notes], pa.string())
    arrays = {**texts, "_row": where, "_geometry": shapes, "_note": note}
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


def _wkb(value: object) -> bytes | None:
    if isinstance(value, str) and value:
        shape = shapely.from_wkt(value, on_invalid="ignore")
        return None if shape is None else shapely.to_wkb(shape)
    return value if isinstance(value, bytes) else None
