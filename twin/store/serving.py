"""Rows for requests: every current serving copy attached read-only in one in-memory database, following publishes."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin import duck
from twin.errors import BadRequest, NotFound
from twin.store import limits
from twin.web_mercator_quad import HALF_M

if TYPE_CHECKING:
    from twin.model import Bbox
    from twin.store.limits import Permitted
    from twin.store.snapshots import Store
    from twin.store.verified import Snapshot

FILE = "serving.duckdb"
GRACE_SECONDS = 60.0
"""How long a superseded copy stays attached for whoever was already given its name."""
OPERATORS = {"=": "=", "!=": "IS DISTINCT FROM", ">": ">", "<": "<", ">=": ">=", "<=": "<=", "like": "LIKE"}

Where = Sequence[tuple[str, str, Any]]


@dataclass
class _Attached:
    alias: str
    snapshot: Snapshot
    columns: frozenset[str]

    @property
    def features(self) -> str:
        return f"{self.alias}.features"

    def left(self, permit: Permitted | None) -> str:
        """Write what `permit` leaves of the rows."""
        manifest = self.snapshot.manifest
        box = manifest.get("bbox") or (0, 0, 0, 0)
        lat = (box[1] + box[3]) / 2
        return limits.relation(self.features, self.columns, permit, kind=manifest.get("kind", ""), lat=lat)


class Serving:
    """Read the current rows of a store's tables; one per process, shared by its threads.

    Column names are checked against the table, values are bound; geometry is column `geom` in EPSG:3857 (WKB bytes
    when selected). Raises NotFound (no such table, row or column) and StoreBroken (nothing good to serve).
    Whoever answers a person gives the `permit` that limits rows, columns and places; None is the whole table.
    """

    def __init__(self, store: Store, *, threads: int = 1, memory: str = "2GB") -> None:
        self.store = store
        self._root = duck.connect(threads=threads, memory=memory)
        self._tables: dict[str, _Attached] = {}
        self._retired: list[tuple[float, _Attached]] = []
        self._lock = threading.Lock()
        self._local = threading.local()
        self._count = 0

    def snapshot(self, table: str) -> Snapshot:
        """Give the snapshot whose rows are being served."""
        return self._attached(table).snapshot

    def columns(self, table: str) -> frozenset[str]:
        """Give the names of the table's columns."""
        return self._attached(table).columns

    def cursor(self, table: str, permit: Permitted | None = None) -> tuple[duck.Connection, str]:
        """Give this thread's connection and the relation of the table's `features`, for SQL of one's own."""
        return self._connection(), self._attached(table).left(permit)

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
        return self._rows(f"SELECT {wanted} FROM {attached.left(permit)}{clause}{tail}", values)

    def count(self, table: str, where: Where = (), *, permit: Permitted | None = None) -> int:
        """Count the rows that meet `where`."""
        attached = self._attached(table)
        clause, values = _where(attached, where, None)
        return self._rows(f"SELECT count(*) AS n FROM {attached.left(permit)}{clause}", values)[0]["n"]

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
        return self._rows(f"SELECT {keys}, {value} AS value FROM {attached.left(permit)}{clause}{order}", values)

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

    def close(self) -> None:
        """Detach everything and let the files go."""
        self._root.close()

    # inside

    def _rows(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        result = self._connection().execute(sql, values)
        names = [d[0] for d in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def _connection(self) -> duck.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._root.cursor()
        return connection

    def _attached(self, table: str) -> _Attached:
        snapshot = self.store.current(table)
        attached = self._tables.get(table)
        if attached is None or attached.snapshot.version != snapshot.version:
            with self._lock:
                attached = self._attach(table, snapshot)
        elif self._retired and self._retired[0][0] <= time.monotonic():
            with self._lock:
                self._detach_due(self._root.cursor())
        return attached

    def _attach(self, table: str, snapshot: Snapshot) -> _Attached:
        known = self._tables.get(table)
        if known is not None and known.snapshot.version == snapshot.version:
            return known
        returned = next((r for r in self._retired if r[1].snapshot.path == snapshot.path), None)
        if returned is not None:  # rolled back to it within the grace time; DuckDB attaches a file only once
            self._retired.remove(returned)
            return self._replace(table, returned[1])
        self._count += 1
        alias = duck.quote(f"{table}__{self._count}")
        connection = self._root.cursor()
        connection.execute(f"ATTACH {duck.literal(snapshot.file(FILE))} AS {alias} (READ_ONLY)")
        names = connection.execute(f"SELECT * FROM {alias}.features LIMIT 0").description or ()
        attached = self._replace(table, _Attached(alias, snapshot, frozenset(d[0] for d in names)))
        self._detach_due(connection)
        return attached

    def _replace(self, table: str, attached: _Attached) -> _Attached:
        known = self._tables.get(table)
        self._tables[table] = attached
        if known is not None:
            self._retired.append((time.monotonic() + GRACE_SECONDS, known))
        return attached

    def _detach_due(self, connection: duck.Connection) -> None:
        now = time.monotonic()
        for due, old in [r for r in self._retired if r[0] <= now]:
            connection.execute(f"DETACH {old.alias}")
            self._retired.remove((due, old))


def _column(attached: _Attached, name: str) -> str:
    if name not in attached.columns:
        table = attached.snapshot.table
        raise NotFound(f"{table} 没有列 {name}", f"{table} has no column {name}", table=table, column=name)
    return duck.quote(name)


def _where(attached: _Attached, where: Where, bbox: Bbox | None) -> tuple[str, list[Any]]:
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
