"""Serving copies attached read-only to one in-memory database, each once, while anybody reads them and a bit longer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from twin import duck, durable
from twin.store import limits, manifest

if TYPE_CHECKING:
    from pathlib import Path

    from twin.store.limits import Permitted
    from twin.store.verified import Snapshot

FILE = "serving.duckdb"
GRACE_SECONDS = 60.0
"""How long a copy that nobody reads any more stays attached for whoever was already given its name."""


@dataclass(eq=False)
class Attached:
    """One version's copy: the name it is attached by, what it is of, its columns, its lease, and how many read it."""

    alias: str
    snapshot: Snapshot
    columns: frozenset[str]
    lease: BinaryIO
    readers: int = 0

    @property
    def features(self) -> str:
        """Give the name of its one table."""
        return f"{self.alias}.features"

    def rows_for(self, permit: Permitted | None) -> str:
        """Write what `permit` leaves of the rows."""
        facts = self.snapshot.manifest
        box = facts.get("bbox") or (0, 0, 0, 0)
        lat = (box[1] + box[3]) / 2
        return limits.relation(self.features, self.columns, permit, kind=facts.get("kind", ""), lat=lat)


class Copies:
    """What is attached, shared by all who read; safe among threads. DuckDB attaches a file only once."""

    def __init__(self, *, threads: int, memory: str) -> None:
        self._root = duck.connect(threads=threads, memory=memory)
        self._by_path: dict[Path, Attached] = {}
        self._retired: list[tuple[float, Attached]] = []
        self._lock = threading.Lock()
        self._local = threading.local()
        self._count = 0

    def connection(self) -> duck.Connection:
        """Give this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._root.cursor()
        return connection

    def take(self, snapshot: Snapshot) -> Attached:
        """Give the copy of a version, attached now unless it is; whoever takes it leaves it again."""
        with self._lock:
            attached = self._by_path.get(snapshot.path)
            if attached is None:
                attached = self._by_path[snapshot.path] = self._attach(snapshot)
            elif not attached.readers:  # left within the grace time
                self._retired = [r for r in self._retired if r[1] is not attached]
            attached.readers += 1
            self._detach_due()
        return attached

    def leave(self, attached: Attached) -> None:
        """Stop reading a copy; the last to leave lets it go after the time of grace."""
        with self._lock:
            attached.readers -= 1
            if not attached.readers:
                self._retired.append((time.monotonic() + GRACE_SECONDS, attached))
            self._detach_due()

    def tidy(self) -> None:
        """Detach what nobody has read for the time of grace, if anything is due."""
        if self._retired and self._retired[0][0] <= time.monotonic():
            with self._lock:
                self._detach_due()

    def close(self) -> None:
        """Detach everything and let the files go."""
        self._root.close()

    def _attach(self, snapshot: Snapshot) -> Attached:
        self._count += 1
        alias = duck.quote(f"{snapshot.table}__{self._count}")
        connection = self._root.cursor()
        lease = durable.share(snapshot.path / manifest.NAME)
        connection.execute(f"ATTACH {duck.literal(snapshot.file(FILE))} AS {alias} (READ_ONLY)")
        names = connection.execute(f"SELECT * FROM {alias}.features LIMIT 0").description or ()
        return Attached(alias=alias, snapshot=snapshot, columns=frozenset(d[0] for d in names), lease=lease)

    def _detach_due(self) -> None:
        now = time.monotonic()
        for due, old in [r for r in self._retired if r[0] <= now]:
            self._root.cursor().execute(f"DETACH {old.alias}")
            self._retired.remove((due, old))
            del self._by_path[old.snapshot.path]
            old.lease.close()
