"""Every file, decoded down to its texts, searched for marked numbers: the proof that nothing is left; reads only.

Parquet, DuckDB, SQLite, PMTiles, zip, gzip and Brotli are opened; besides, every file is searched as it lies, so that
statistics, free pages and logs hide nothing. Texts are UTF-8, GB 18030 or UTF-16.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
import pyarrow as pa
import pyarrow.parquet as pq
from pmtiles.reader import MmapSource, all_tiles

from twin import duck, durable

Holds = Callable[[Any], bool]
CHUNK, OVERLAP = 1 << 24, 256
LARGEST = 1 << 29
"""What unpacks to more is said not to be searched."""
DEEPEST = 3
_RUN = re.compile(r"[一-鿿]?[A-Za-z]?[0-9０-９][0-9０-９Xx  \-]{4,40}")
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_DUCK_TABLES = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'searched'"
_DUCK_COLUMNS = """
SELECT column_name FROM duckdb_columns()
WHERE database_name = 'searched' AND table_name = ? AND data_type NOT LIKE 'GEOMETRY%'
"""


@dataclass(frozen=True, kw_only=True)
class Searched:
    """One file: its hash, how often a marked number stands in it, and whether it could be opened at all."""

    path: Path
    sha256: str
    found: int
    unread: str = ""


def search(roots: Iterable[Path], holds: Holds) -> Iterator[Searched]:
    """Search every regular file below `roots`; links are not followed."""
    remembered = _remember(holds)
    for root in roots:
        for path in sorted([root] if root.is_file() else root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with contextlib.suppress(FileNotFoundError):  # it went while we looked
                    yield _searched(path, remembered)


def _remember(holds: Holds) -> Holds:
    known: dict[str, bool] = {}

    def held(run: str) -> bool:
        if run not in known:
            if len(known) > 2_000_000:
                known.clear()
            known[run] = holds(run)
        return known[run]

    return held


def _searched(path: Path, holds: Holds) -> Searched:
    digest, found, unread = durable.sha256(path), 0, ""
    try:
        found = sum(count(text, holds) for text in _texts(path))
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, brotli.error) as error:
        unread = type(error).__name__
    except (pa.ArrowException, duck.Error, sqlite3.Error) as error:
        unread = type(error).__name__
    with path.open("rb") as file:
        tail = b""
        while data := file.read(CHUNK):
            found += sum(count(text, holds) for text in plain_texts(tail + data))
            tail = data[-OVERLAP:]
    return Searched(path=path, sha256=digest, found=found, unread=unread)


def count(text: str, holds: Holds) -> int:
    """Count the marked numbers in a text."""
    return sum(holds(match.group()) for match in _RUN.finditer(text))


def plain_texts(data: bytes) -> Iterator[str]:
    """Give bytes as the texts they may be."""
    try:
        yield data.decode("utf-8")
    except UnicodeDecodeError:
        yield data.decode("utf-8", "ignore")
        yield data.decode("gb18030", "ignore")
    if b"\0" in data:
        yield data.replace(b"\0", b"").decode("latin-1")


def _texts(path: Path) -> Iterator[str]:
    """Give what a file of a known form holds once it is opened."""
    with path.open("rb") as file:
        head = file.read(16)
    if head[:4] == b"PAR1":
        yield from _parquet(path)
    elif head[8:12] == b"DUCK":
        yield from _duckdb(path)
    elif head == b"SQLite format 3\0":
        yield from _sqlite(path)
    elif head[:7] == b"PMTiles":
        yield from _pmtiles(path)
    elif head[:6] == b"ARROW1":
        with pa.OSFile(str(path)) as file:
            for batch in _batches(pa.ipc.open_file(file)):
                yield _json(batch.to_pylist())
    elif path.suffix == ".br":
        yield from plain_texts(brotli.decompress(path.read_bytes()))
    elif head[:4] == b"PK\x03\x04" or head[:2] == b"\x1f\x8b":
        for data in unpacked(path.read_bytes()):
            yield from plain_texts(data)


def _batches(reader: pa.ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    return (reader.get_batch(n) for n in range(reader.num_record_batches))


def _json(rows: Any) -> str:
    return json.dumps(rows, ensure_ascii=False, default=_written)


def _written(value: Any) -> str:
    return value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)


def _parquet(path: Path) -> Iterator[str]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(8192):
            yield _json(batch.to_pylist())


def _duckdb(path: Path) -> Iterator[str]:
    with duck.connect() as connection:
        connection.execute(f"ATTACH {duck.literal(path)} AS searched (READ_ONLY)")
        for (table,) in connection.execute(_DUCK_TABLES).fetchall():
            names = [n for (n,) in connection.execute(_DUCK_COLUMNS, [table]).fetchall()]
            columns = ", ".join(duck.quote(n) for n in names)
            rows = connection.execute(f"SELECT {columns} FROM searched.{duck.quote(table)}")
            while some := rows.fetchmany(8192):
                yield _json(some)


def _sqlite(path: Path) -> Iterator[str]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        for (table,) in connection.execute(_TABLES).fetchall():
            rows = connection.execute(f"SELECT * FROM {duck.quote(table)}")
            while some := rows.fetchmany(8192):
                yield _json(some)


def _pmtiles(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for _, data in all_tiles(MmapSource(file)):
            for inner in unpacked(data):
                yield from plain_texts(inner)


def unpacked(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """Give what packed bytes hold, and what that holds; raises ValueError where it is more than may be searched."""
    if data[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(data)) as file:
            yield from _inner(file.read(LARGEST + 1), depth)
    elif data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                with archive.open(member) as file:
                    yield from _inner(file.read(LARGEST + 1), depth)
    else:
        yield data


def _inner(data: bytes, depth: int) -> Iterator[bytes]:
    if len(data) > LARGEST or depth >= DEEPEST:
        raise ValueError("too much")
    yield from unpacked(data, depth + 1)
