"""Rows for requests: of every current table, or of all as they were known at a moment, following publishes."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twin import duck
from twin.errors import BadRequest, NotFound
from twin.store.attached import Attached, Copies
from twin.web_mercator_quad import HALF_M

if TYPE_CHECKING:
    from twin.model import Bbox
    from twin.store.limits import Permitted
    from twin.store.past import Known
    from twin.store.verified import Snapshot

OPERATORS = {"=": "=", "!=": "IS DISTINCT FROM", ">": ">", "<": "<", ">=": ">=", "<=": "<=", "like": "LIKE"}

Where = Sequence[tuple[str, str, Any]]


class Serving:
    """Read the current rows of a store's tables; one per process, shared by its threads.

    Column names are checked against the table, values are bound; geometry is column `geom` in EPSG:3857 (WKB bytes
    when selected). Raises NotFound (no such table, row or column) and StoreBroken (nothing good to serve).
    Whoever answers a person gives the `permit` that limits rows, columns and places; None is the whole table.
    """

    def __init__(self, store: Known, *, threads: int = 1, memory: str = "2GB", copies: Copies | None = None) -> None:
        self.store = store
        self._copies = copies or Copies(threads=threads, memory=memory)
        self._tables: dict[str, Attached] = {}
        self._lock = threading.Lock()

    def over(self, store: Known) -> Serving:
        """Read the rows of the same store as it was known at another moment, sharing what is attached."""
        return Serving(store, copies=self._copies)

    def leave(self) -> None:
        """Let go of every table; what nobody else reads is detached after the time of grace."""
        with self._lock:
            left = list(self._tables.values())
            self._tables.clear()
        for attached in left:
            self._copies.leave(attached)

    def snapshot(self, table: str) -> Snapshot:
        """Give the snapshot whose rows are being served."""
        return self._attached(table).snapshot

    def columns(self, table: str) -> frozenset[str]:
        """Give the names of the table's columns."""
        return self._attached(table).columns

    def cursor(self, table: str, permit: Permitted | None = None) -> tuple[duck.Connection, str]:
        """Give this thread's connection and the relation of the table's `features`, for SQL of one's own."""
        return self._connection(), self._attached(table).rows_for(permit)

    def select(
        self,
        table: str,
        columns: Iterable[str],
        where: Where = (),
        *,
        bbox: Bbox | None = None,
        order_by: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
        permit: Permitted | None = None,
    ) -> list[dict[str, Any]]:
        """Give rows as dictionaries; `order_by` takes column names, "-name" for descending; `bbox` is in degrees."""
        attached = self._attached(table)
        clause, values = _where(attached, where, bbox)
        wanted = ", ".join(_column(attached, n) for n in columns)
        order = ", ".join(_column(attached, n.removeprefix("-")) + " DESC" * n.startswith("-") for n in order_by)
        tail = f" ORDER BY {order}" if order else ""
        tail += "" if limit is None else f" LIMIT {int(limit)}"
        tail += f" OFFSET {int(offset)}" if offset else ""
        return self._rows(f"SELECT {wanted} FROM {attached.rows_for(permit)}{clause}{tail}", values)

    def count(self, table: str, where: Where = (), *, permit: Permitted | None = None) -> int:
        """Count the rows that meet `where`."""
        attached = self._attached(table)
        clause, values = _where(attached, where, None)
        return self._rows(f"SELECT count(*) AS n FROM {attached.rows_for(permit)}{clause}", values)[0]["n"]

    def groups(
        self,
        table: str,
        by: str | Sequence[str],
        measure: str = "count",
        where: Where = (),
        *,
        permit: Permitted | None = None,
    ) -> list[dict]:
        """Give {by…, value} per group, largest first; `measure` is "count" or the name of a column to sum."""
        attached = self._attached(table)
        keys = ", ".join(_column(attached, b) for b in ([by] if isinstance(by, str) else by))
        value = "count(*)" if measure == "count" else f"sum({_column(attached, measure)})"
        clause, values = _where(attached, where, None)
        order = f" GROUP BY {keys} ORDER BY value DESC, {keys}"
        return self._rows(f"SELECT {keys}, {value} AS value FROM {attached.rows_for(permit)}{clause}{order}", values)

    def get(self, table: str, id: str, year: int | None = None) -> dict[str, Any]:  # noqa: A002 - the column's name
        """Give the row `id` (of `year`, or of the latest year it has); raises NotFound."""
        where: list[tuple[str, str, Any]] = [("id", "=", id)]
        if year is not None:
            where.append(("year", "=", year))
        names = sorted(self.columns(table) - {"geom"})
        rows = self.select(table, names, where)  # by the index; ORDER BY … LIMIT would scan the table
        if not rows:
            raise NotFound(f"{table} 中没有 {id}", f"{table} has no {id}", table=table, id=id)
        return max(rows, key=lambda row: row["year"] or 0)

    @contextlib.contextmanager
    def attached_version(
        self, snapshot: Snapshot, permit: Permitted | None = None
    ) -> Iterator[tuple[duck.Connection, str, frozenset[str]]]:
        """Give this thread's connection, the relation of one version's rows and its columns, attached meanwhile.

        Raises NotFound for a version without rows.
        """
        attached = self._copies.take(snapshot)
        try:
            yield self._connection(), attached.rows_for(permit), attached.columns
        finally:
            self._copies.leave(attached)

    def close(self) -> None:
        """Detach everything and let the files go."""
        self._copies.close()

    # inside

    def _rows(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        result = self._connection().execute(sql, values)
        names = [d[0] for d in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def _connection(self) -> duck.Connection:
        return self._copies.connection()

    def _attached(self, table: str) -> Attached:
        snapshot = self.store.current(table)
        attached = self._tables.get(table)
        if attached is None or attached.snapshot.version != snapshot.version:
            return self._follow(table, snapshot)
        self._copies.tidy()
        return attached

    def _follow(self, table: str, snapshot: Snapshot) -> Attached:
        with self._lock:
            known = self._tables.get(table)
            if known is not None and known.snapshot.version == snapshot.version:
                return known
            self._tables[table] = attached = self._copies.take(snapshot)
        if known is not None:
            self._copies.leave(known)
        return attached


def _column(attached: Attached, name: str) -> str:
    if name not in attached.columns:
        table = attached.snapshot.table
        raise NotFound(f"{table} 没有列 {name}", f"{table} has no column {name}", table=table, column=name)
    return duck.quote(name)


def _where(attached: Attached, where: Where, bbox: Bbox | None) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for column, operator, value in where:
        name = _column(attached, column)
        if operator == "in":
            parts.append(f"list_contains(?, {name})")
            values.append(list(value))
        elif operator == "=" and value is None:
            parts.append(f"{name} IS NULL")
        elif operator in OPERATORS:
            parts.append(f"{name} {OPERATORS[operator]} ?")
            values.append(value)
        else:
            raise BadRequest(f"不支持的比较:{operator}", f"{operator!r} is not a comparison")
    if bbox is not None:
        x0, y0, x1, y1 = mercator(bbox)
        parts.append("xmin <= ? AND xmax >= ? AND ymin <= ? AND ymax >= ?")
        values += [x1, x0, y1, y0]
    return (" WHERE " + " AND ".join(parts) if parts else ""), values


def mercator(bbox: Bbox) -> tuple[float, float, float, float]:
    """Give `bbox` (degrees lon/lat) in EPSG:3857 metres, on the sphere as EPSG:3857 has it."""

    def y(lat: float) -> float:
        return math.log(math.tan(math.radians(90 + max(-85.06, min(85.06, lat))) / 2)) * HALF_M / math.pi

    west, south, east, north = bbox
    return west * HALF_M / 180, y(south), east * HALF_M / 180, y(north)


def describe(snapshot: Snapshot) -> Mapping[str, Any]:
    """Give what a page says of a snapshot: version, as-of, rows, and whether an older one had to step in."""
    manifest = snapshot.manifest
    return {
        "table": snapshot.table,
        "version": snapshot.version,
        "as_of": manifest.get("as_of"),
        "rows": manifest.get("rows"),
        "degraded": snapshot.degraded,
    }
