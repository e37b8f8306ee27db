"""A table of PostGIS, MySQL or MariaDB, kept as Parquet once it holds key by key what the database holds.

PostgreSQL is read in one snapshot. DuckDB asks MySQL on several connections: a change meanwhile is seen, and it is
read again.

With a watermark only rows changed since are read; the keys are read whole each time, so that deletions are found and a
row that came without a newer watermark is not lost.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from etl.fetch import book as books
from etl.fetch import tally
from etl.fetch.book import Book
from etl.fetch.connections import Open
from etl.fetch.order import Order
from twin import duck
from twin.duck import literal, quote
from twin.errors import CrsError, SourceError

MEMORY = "512MB"
_FILE = "parquet"
_AT_MOST = 21


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one kind of database is asked."""

    scanner: str
    kind: str
    port: int
    mark: str
    columns: str
    plain: tuple[str, ...]
    shapes: tuple[str, ...]
    text: str
    wkb: str
    opened: str
    system: str


POSTGIS = Dialect(
    scanner="postgres_scanner",
    kind="postgres",
    port=5432,
    mark='"',
    columns="SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = {schema} "
    "AND table_name = {table} ORDER BY ordinal_position",
    plain=("int2", "int4", "int8", "float4", "float8", "bool", "date", "timestamp", "timestamptz", "text", "varchar"),
    shapes=("geometry",),
    text="CAST({column} AS text)",
    wkb="ST_AsBinary({column})",
    opened="{column}",
    system="SELECT DISTINCT ST_SRID({column}) FROM {table} WHERE {column} IS NOT NULL LIMIT 3",
)
MYSQL = Dialect(
    scanner="mysql_scanner",
    kind="mysql",
    port=3306,
    mark="`",
    columns="SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = {schema} "
    "AND table_name = {table} ORDER BY ordinal_position",
    plain=("smallint", "int", "bigint", "mediumint", "double", "float", "varchar", "text", "char"),
    shapes=("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
    text="CAST({column} AS CHAR)",
    wkb="HEX(ST_AsWKB({column}))",
    opened="unhex({column})",
    system="SELECT DISTINCT ST_SRID({column}) FROM {table} WHERE {column} IS NOT NULL LIMIT 3",
)
DIALECTS = {"postgis": POSTGIS, "mysql": MYSQL}


@dataclass(frozen=True, kw_only=True)
class _Table:
    """One table as it is asked: quoted name, its columns to be read, its geometry."""

    name: str
    key: str
    columns: tuple[tuple[str, str], ...]
    shape: str
    system: str


class _Asking:
    """One snapshot of one database."""

    def __init__(self, connection: duck.Connection, dialect: Dialect, name: str) -> None:
        self.connection, self.dialect, self.name = connection, dialect, name

    def there(self, sql: str) -> str:
        """Give what DuckDB reads where the database is asked `sql`."""
        return f"{self.dialect.kind}_query('src', {literal(sql)})"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Give the database's own answer."""
        return self.connection.execute(f"FROM {self.there(sql)}").fetchall()

    def quoted(self, name: str) -> str:
        """Quote an identifier of the database."""
        mark = self.dialect.mark
        return mark + name.replace(mark, mark * 2) + mark


def read(to: Open, order: Order, book: Book) -> None:
    """Write the table `source.part` ("schema.table", or "table") into `book`.

    Raises Uneven, SourceError or CrsError; no secret stands in any of them.
    """
    dialect = DIALECTS[to.connection.kind]
    with _snapshot(to, dialect, book) as asking:
        table = _table(asking, to, order)
        path = book.lay(_FILE, order.source.part, 0)
        whole_at = _base_of(asking, order, table, path) if order.base else ""
        if not whole_at:
            _copy(asking, table, path)
            whole_at = datetime.now(UTC).isoformat()
        _reconcile(asking, table, book, path)
        _note(asking, order, table, book, path)
    book.facts |= {"whole_at": whole_at, "layout": {"form": "table"}, "crs": table.system}


@contextlib.contextmanager
def _snapshot(to: Open, dialect: Dialect, book: Book) -> Iterator[_Asking]:
    connection = duck.connect(spatial=False, memory=MEMORY, temp=book.folder, scanner=dialect.scanner)
    try:
        with duck.deadline(connection, to.connection.seconds):
            _attach(connection, to, dialect)
            connection.execute("BEGIN TRANSACTION")
            yield _Asking(connection, dialect, book.name)
    except duck.InterruptError:
        raise _refused(to, book.name, "超过时限", "it took longer than its time limit") from None
    except duck.Error as wrong:
        said = str(wrong).splitlines()[0][:300]
        raise _refused(to, book.name, said, said) from None
    finally:
        connection.close()


def _attach(connection: duck.Connection, to: Open, dialect: Dialect) -> None:
    parts = urlsplit(to.address)
    words = (
        _word("HOST", parts.hostname or ""),
        _word("PORT", str(parts.port or dialect.port)),
        _word("DATABASE", unquote(parts.path.strip("/"))),
        _word("USER", to.secrets.user),
        _word("PASSWORD", to.secrets.password),
    )
    listed = ", ".join(w for w in words if w)
    connection.execute(f"CREATE TEMPORARY SECRET source (TYPE {dialect.kind}, {listed})")
    wait = "connect_timeout=10" if dialect is POSTGIS else ""
    connection.execute(f"ATTACH {literal(wait)} AS src (TYPE {dialect.kind}, READ_ONLY, SECRET source)")


def _word(name: str, value: str) -> str:
    return f"{name} {literal(value)}" if value else ""


def _refused(to: Open, name: str, zh: str, en: str) -> SourceError:
    zh, en = to.secrets.scrub(zh), to.secrets.scrub(en)
    return SourceError(
        f"“{name}”没有取到:{zh}。上一版继续提供。",
        f"“{name}” could not be had: {en}. The last version stays.",
        file=name,
    )


def _table(asking: _Asking, to: Open, order: Order) -> _Table:
    schema, _, name = order.source.part.rpartition(".")
    schema = schema or ("public" if asking.dialect is POSTGIS else urlsplit(to.address).path.strip("/"))
    known = asking.dialect.columns.format(schema=literal(schema), table=literal(name))
    kinds = [(str(n), str(t).lower()) for n, t in asking.rows(known)]
    columns = dict(kinds)
    missing = [c for c in (order.key, order.source.watermark) if c and c not in columns]
    if missing or not kinds:
        listed = "、".join(columns) or "-"
        words = f"{order.source.part} 的列:{listed};缺少 {'、'.join(missing)}"
        raise _refused(to, asking.name, words, f"{order.source.part} has {listed}, not {', '.join(missing)}")
    quoted = f"{asking.quoted(schema)}.{asking.quoted(name)}"
    shapes = [n for n, t in kinds if t in asking.dialect.shapes]
    shape = order.option("geometry") or (shapes[0] if shapes and order.spatial else "")
    return _Table(
        name=quoted,
        key=order.key,
        columns=tuple((n, t) for n, t in kinds if t not in asking.dialect.shapes),
        shape=shape,
        system=_system(asking, quoted, shape) if shape else "",
    )


def _system(asking: _Asking, table: str, shape: str) -> str:
    found = asking.rows(asking.dialect.system.format(column=asking.quoted(shape), table=table))
    numbers = sorted(int(n) for (n,) in found)
    if len(numbers) > 1:
        listed = "、".join(map(str, numbers))
        raise CrsError(
            f"“{asking.name}”的 {shape} 列混有坐标系 {listed}。请提供单位统一后重报。",
            f"“{asking.name}” mixes the systems {listed} in {shape}. Have the provider keep to one.",
            file=asking.name,
        )
    return f"EPSG:{numbers[0]}" if numbers and numbers[0] else ""


def _select(asking: _Asking, table: _Table) -> tuple[str, str]:
    """Give (what the database selects, what DuckDB makes of it)."""
    dialect = asking.dialect
    theirs, ours = [f"{dialect.text.format(column=asking.quoted(table.key))} AS _key"], ["_key"]
    for name, kind in table.columns:
        column = asking.quoted(name)
        theirs.append(column if kind in dialect.plain else f"{dialect.text.format(column=column)} AS {column}")
        ours.append(quote(name))
    if table.shape:
        theirs.append(f"{dialect.wkb.format(column=asking.quoted(table.shape))} AS _geometry")
        ours.append(dialect.opened.format(column="_geometry") + " AS _geometry")
    return ", ".join(theirs), ", ".join(ours)


def _copy(asking: _Asking, table: _Table, path: Path, condition: str = "") -> None:
    theirs, ours = _select(asking, table)
    asked = asking.there(f"SELECT {theirs} FROM {table.name}{condition}")
    asking.connection.execute(
        f"COPY (SELECT {ours} FROM {asked}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)"
    )


def _keys(asking: _Asking, table: _Table) -> str:
    column = asking.dialect.text.format(column=asking.quoted(table.key))
    return asking.there(f"SELECT {column} AS _key FROM {table.name}")


def _base_of(asking: _Asking, order: Order, table: _Table, path: Path) -> str:
    """Write the rows of the last pull, as they are now, to `path`; "" where it cannot be gone on from."""
    assert order.base is not None  # noqa: S101 - its caller looked
    said = books.read(order.base)
    before = order.base / said["pages"][0]["file"]
    delta = path.with_name("changed.parquet")
    mark = asking.quoted(order.source.watermark)
    _copy(asking, table, delta, f" WHERE {mark} >= {literal(order.since)}")
    old, new = (f"read_parquet({literal(p)})" for p in (before, delta))
    shape = "SELECT column_name, column_type FROM (DESCRIBE FROM {})"
    same = [asking.connection.execute(shape.format(f)).fetchall() for f in (old, new)]
    done = asking.connection
    done.execute(f"CREATE OR REPLACE TEMP TABLE known AS FROM {_keys(asking, table)}")
    lost = done.execute(
        f"SELECT count(*) FROM known WHERE _key NOT IN (SELECT _key FROM {old} UNION ALL SELECT _key FROM {new})"
    ).fetchall()[0][0]
    if same[0] != same[1] or lost:
        delta.unlink()
        return ""
    kept = f"FROM {old} WHERE _key IN (FROM known) AND _key NOT IN (SELECT _key FROM {new})"
    done.execute(f"COPY ({kept} UNION ALL FROM {new}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)")
    delta.unlink()
    return str(said["whole_at"])


def _reconcile(asking: _Asking, table: _Table, book: Book, path: Path) -> None:
    """Raise Uneven unless the file holds each key of the snapshot as often as the snapshot does."""
    arrived, there = f"SELECT _key FROM read_parquet({literal(path)})", f"SELECT _key FROM {_keys(asking, table)}"
    sql = "SELECT coalesce(_key, '-') FROM (({}) EXCEPT ALL ({})) LIMIT {}"
    missing = _found(asking, sql.format(there, arrived, _AT_MOST))
    surplus = _found(asking, sql.format(arrived, there, _AT_MOST))
    if missing or surplus:
        both = ("、".join(missing) or "-", "、".join(surplus) or "-")
        raise tally.uneven(book.name, f"缺少 {both[0]},多出 {both[1]}", f"missing {both[0]}, surplus {both[1]}")


def _found(asking: _Asking, sql: str) -> Sequence[str]:
    return [str(k) for (k,) in asking.connection.execute(sql).fetchall()]


def _note(asking: _Asking, order: Order, table: _Table, book: Book, path: Path) -> None:
    file = f"read_parquet({literal(path)})"
    rows, mark = asking.connection.execute(f"SELECT count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM {file} t").fetchall()[
        0
    ]
    book.pages[-1] |= {"rows": rows, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    kinds = asking.connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {file})").fetchall()
    book.kinds = {n: {t} for n, t in kinds if n not in ("_key", "_geometry")}
    book.state(rows)
    book.facts |= {"rows": rows, "mark": f"{mark} {table.system} {kinds}"}
    if order.source.watermark:
        newest = f"SELECT max({quote(order.source.watermark)})::VARCHAR FROM {file}"
        book.facts |= {
            "watermark": asking.connection.execute(newest).fetchall()[0][0] or "",
            "watermark_of": order.source.watermark,
        }
