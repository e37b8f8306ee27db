"""Tables of a department's database as one SQLite file each: what a village without a server reads in their place."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import shapely

from etl.demo.frame import CLOCK
from twin.duck import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GEOMETRY = "geom"
TYPES: Mapping[str, str] = {"integer": "INTEGER", "number": "REAL", "date": "DATE", "datetime": "TIMESTAMP"}
"""Type of a field → type of its column; all others are TEXT."""
_STEP = timedelta(hours=7, minutes=13)


def changed_at(number: int) -> str:
    """Give when row `number` was last changed, in the department's own time."""
    return f"{CLOCK - _STEP * (1 + number % 90):%Y-%m-%d %H:%M:%S}"


def table(path: Path, name: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one table, geometry as WKB in the column `geom`; the same rows give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
        listed = ", ".join(f"{quote(column)} {quote(kind)}" for column, kind in columns.items())
        made.execute(f"CREATE TABLE {quote(name)} ({listed})")
        places = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {quote(name)} VALUES ({places})"
        made.executemany(sql, [tuple(_plain(row[column]) for column in columns) for row in rows])
        made.execute("COMMIT")


def _plain(value: Any) -> Any:
    return shapely.to_wkb(value) if isinstance(value, shapely.Geometry) else value
