"""Where a delivery lies while it is judged: typed rows as Parquet for SQL, raw rows as Arrow for the quarantine.

A DuckDB table would write every row twice (its log, its blocks) and keep in memory what fits; these files are written
once, a batch at a time.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etl import columns
from twin import duck

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

COMPRESSION = "lz4"
SHOW = "CREATE OR REPLACE TEMP VIEW staged AS SELECT * FROM read_parquet([{files}], hive_partitioning = false)"
RawRow = tuple[int, str, bytes | None]
"""`_seq`, the row as received in JSON, its geometry as received in WKB."""


@dataclass(kw_only=True)
class Shelf:
    """One source's rows on disk; the first has the number `first` among all rows of the delivery."""

    typed: Path
    raw: Path
    first: int
    rows: int = 0
    starts: list[int] = field(default_factory=list)
    """The number of the first row of each raw batch."""


@dataclass(frozen=True, kw_only=True)
class Hand:
    """What lays rows on an open shelf."""

    shelf: Shelf
    _typed: pq.ParquetWriter
    _raw: pa.ipc.RecordBatchFileWriter

    def lay(self, table: pa.Table) -> None:
        """Add typed rows."""
        self._typed.write_table(table)

    def keep(self, batch: pa.RecordBatch) -> int:
        """Add rows as they came, and give the number of the first."""
        first = self.shelf.first + self.shelf.rows
        self.shelf.starts.append(first)
        self.shelf.rows += batch.num_rows
        self._raw.write_batch(batch)
        return first


@contextlib.contextmanager
def opened(shelf: Shelf, typed: pa.Schema, raw: pa.Schema) -> Iterator[Hand]:
    """Begin both files of `shelf`; they are whole on leaving."""
    words = [f.name for f in typed if pa.types.is_string(f.type)]
    with (
        pq.ParquetWriter(
            shelf.typed,
            typed,
            compression=COMPRESSION,
            use_dictionary=words,  # pyright: ignore[reportArgumentType] - a list of columns is as good as a bool
            write_statistics=False,
        ) as typed_file,
        pa.OSFile(str(shelf.raw), "wb") as file,
        pa.ipc.new_file(file, raw) as raw_file,
    ):
        yield Hand(shelf=shelf, _typed=typed_file, _raw=raw_file)


def show(connection: duck.Connection, shelves: Iterable[Shelf]) -> None:
    """Make the relation `staged` of the typed rows of every shelf (`contract.STAGED`)."""
    files = ", ".join(duck.literal(shelf.typed) for shelf in shelves)
    connection.execute(SHOW.format(files=files))


def raw_rows(shelves: Iterable[Shelf], wanted: Iterable[int]) -> Iterator[RawRow]:
    """Give every row whose number is `wanted`, in order, reading no batch that holds none of them."""
    numbers = np.array(sorted(wanted), dtype="int64")
    for shelf in shelves:
        here = numbers[(numbers >= shelf.first) & (numbers < shelf.first + shelf.rows)]
        if len(here):
            yield from _raw_rows(shelf, here)


def _raw_rows(shelf: Shelf, numbers: np.ndarray) -> Iterator[RawRow]:
    batches = np.searchsorted(np.array(shelf.starts), numbers, side="right") - 1
    with pa.OSFile(str(shelf.raw)) as file:  # not mapped: pages of a mapping count as memory until they are dropped
        reader = pa.ipc.open_file(file)
        for index in np.unique(batches):
            some = numbers[batches == index]
            yield from _rows_of(reader.get_batch(int(index)).take(pa.array(some - shelf.starts[index])), some)


def raw_row(batch: pa.RecordBatch, index: int) -> tuple[str, bytes | None]:
    """Give one row of a batch as the quarantine keeps it: as received in JSON, its geometry in WKB."""
    _, raw, shape = next(_rows_of(batch.slice(index, 1), np.array([index])))
    return raw, shape


def _rows_of(batch: pa.RecordBatch, numbers: np.ndarray) -> Iterator[RawRow]:
    shapes = batch.column("_geometry").to_pylist()
    names = [n for n in batch.schema.names if n not in columns.RESERVED]
    for number, shape, row in zip(numbers, shapes, batch.select(names).to_pylist(), strict=True):
        yield int(number), json.dumps(row, ensure_ascii=False, default=str), shape
