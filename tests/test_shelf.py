"""The shelf: what is laid on it comes back through SQL, and of what is kept as it came exactly what is asked for."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from etl import shelf
from twin import duck

TYPED = pa.schema(
    [("_seq", pa.int64()), ("name", pa.string()), ("_note", pa.list_(pa.string())), ("_wkb", pa.binary())]
)
RAW = pa.schema([("NAME", pa.string()), ("_row", pa.string()), ("_geometry", pa.binary()), ("_note", pa.string())])
SIZES = (3, 1, 4)
"""Rows of the batches of one source."""


def filled(folder: Path, number: int, first: int) -> shelf.Shelf:
    """Lay and keep three batches of rows named after their number."""
    made = shelf.Shelf(typed=folder / f"typed-{number}.parquet", raw=folder / f"raw-{number}.arrow", first=first)
    with shelf.opened(made, TYPED, RAW) as hand:
        for size in SIZES:
            here = range(made.first + made.rows, made.first + made.rows + size)
            raw = [{"NAME": f"n{i}", "_row": str(i), "_geometry": bytes([i]), "_note": None} for i in here]
            assert hand.keep(pa.RecordBatch.from_pylist(raw, schema=RAW)) == here[0]
            typed = [{"_seq": i, "name": f"n{i}", "_note": None, "_wkb": bytes([i])} for i in here]
            hand.lay(pa.Table.from_pylist(typed, schema=TYPED))
    return made


@pytest.fixture
def shelves(tmp_path: Path) -> list[shelf.Shelf]:
    return [filled(tmp_path, 0, 0), filled(tmp_path, 1, 8)]


def test_typed_rows_of_every_source_are_one_relation(shelves: list[shelf.Shelf]) -> None:
    with duck.connect() as connection:
        shelf.show(connection, shelves)
        rows = connection.execute("SELECT _seq, name, _note, _wkb FROM staged ORDER BY _seq").fetchall()
    assert rows == [(i, f"n{i}", None, bytes([i])) for i in range(16)]


def test_raw_rows_come_back_as_they_came_in_the_order_of_their_numbers(shelves: list[shelf.Shelf]) -> None:
    found = list(shelf.raw_rows(shelves, {15: 0, 2: 0, 3: 0, 8: 0, 4: 0}))
    assert found == [(i, json.dumps({"NAME": f"n{i}"}), bytes([i])) for i in (2, 3, 4, 8, 15)]


def test_nothing_wanted_is_nothing_read(shelves: list[shelf.Shelf]) -> None:
    for one in shelves:
        one.raw.unlink()
    assert list(shelf.raw_rows(shelves, ())) == []
