"""Which delivered rows are of people whose data was erased: they are held out, or published without personal values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from etl import publishing
from twin import duck

if TYPE_CHECKING:
    from twin.model import Resource
    from twin.retention.marks import Marks

BEGIN = "CREATE OR REPLACE TEMP TABLE held_out (_seq BIGINT, whole BOOLEAN)"
VALUES = "SELECT DISTINCT {column} FROM staged WHERE {column} IS NOT NULL"
BY_NUMBER = "INSERT INTO held_out SELECT _seq, {whole} FROM staged WHERE {column} IN (SELECT value FROM marked)"
NAMED = "SELECT _seq, {columns} FROM staged"
BY_ROW = "INSERT INTO held_out SELECT _seq, {whole} FROM marked_rows"
ONCE = "CREATE OR REPLACE TEMP TABLE held_out AS SELECT DISTINCT _seq, whole FROM held_out"
COUNT = "SELECT count(*) FROM held_out"
ASIDE = "ALTER VIEW staged RENAME TO staged_whole"
EMPTIED = """
CREATE OR REPLACE TEMP VIEW staged AS SELECT * REPLACE ({emptied}) FROM staged_whole
"""
ONE = "CASE WHEN _seq IN (SELECT _seq FROM held_out) THEN NULL ELSE {column} END AS {column}"
CHUNK = 10_000


def hold_out(connection: duck.Connection, resource: Resource, marks: Marks) -> int:
    """Leave a table `held_out` of the staged rows whose person is marked, and give how many there are.

    Where the row as such stays (`publishing.erasure`), its personal values are empty in `staged` from now on.
    """
    columns = [f.name for f in resource.fields if f.sensitivity in publishing.PERSONAL]
    whole = publishing.erasure(resource) == "rows"
    connection.execute(BEGIN)
    for name in columns:
        _by_number(connection, name, marks, whole=whole)
    if columns and resource.id in marks.rows:
        _by_row(connection, resource, columns, marks, whole=whole)
    connection.execute(ONCE)
    found = connection.execute(COUNT).fetchall()[0][0]
    if found and not whole:
        connection.execute(ASIDE)
        emptied = ", ".join(ONE.format(column=duck.quote(n)) for n in columns)
        connection.execute(EMPTIED.format(emptied=emptied))
    return found


def _by_number(connection: duck.Connection, name: str, marks: Marks, *, whole: bool) -> None:
    column = duck.quote(name)
    result = connection.execute(VALUES.format(column=column))
    held = []
    while chunk := result.fetchmany(CHUNK):
        held += [value for (value,) in chunk if marks.holds(value)]
    if held:
        connection.register("marked", pa.table({"value": held}))
        connection.execute(BY_NUMBER.format(column=column, whole=whole))
        connection.unregister("marked")


def _by_row(connection: duck.Connection, resource: Resource, columns: list[str], marks: Marks, *, whole: bool) -> None:
    named = ", ".join(duck.quote(n) for n in (resource.key, *columns))
    result = connection.execute(NAMED.format(columns=named))
    held = []
    while chunk := result.fetchmany(CHUNK):
        held += [seq for seq, key, *values in chunk if marks.holds_row(resource.id, key, values)]
    connection.register("marked_rows", pa.table({"_seq": pa.array(held, pa.int64())}))
    connection.execute(BY_ROW.format(whole=whole))
    connection.unregister("marked_rows")
