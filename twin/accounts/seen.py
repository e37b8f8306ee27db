"""When each session was last used: remembered at once, written beside the answers, many sessions in one transaction.

A request never waits for this write. Whoever kills the process loses what was not written yet: with the pauses below at
most the last minute. Until it is written this process counts with what it remembers.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from twin.accounts import sessions
from twin.errors import OpsDown

if TYPE_CHECKING:
    from datetime import datetime

    from twin.accounts.sessions import Session
    from twin.ops import Ops

GATHER_S = 2.0
"""How long uses are gathered before they are written together."""


class Seen:
    """The last uses of sessions in one operational store; safe to share between threads."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="seen")
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._unwritten: dict[str, datetime] = {}
        self._coming = False

    def later(self, session: Session) -> Session:
        """Give a session as last used when this process knows it was."""
        known = self._unwritten.get(session.id_hash)
        return replace(session, seen_at=known) if known is not None and known > session.seen_at else session

    def note(self, session: Session, now: datetime) -> None:
        """Note that a session is used now, to be written soon; never waits."""
        with self._lock:
            self._unwritten[session.id_hash] = now
            idle, self._coming = not self._coming, True
        if idle:
            self._writer.submit(self._write_soon)

    def write(self) -> None:
        """Write what is not written yet; where the store is away it stays so until the next use."""
        with self._lock:
            batch, self._coming = dict(self._unwritten), False
        with contextlib.suppress(OpsDown):
            with self._ops.begin() as connection:
                sessions.touch(connection, batch)
            with self._lock:
                for id_hash in [i for i, at in batch.items() if self._unwritten.get(i) == at]:
                    del self._unwritten[id_hash]

    def close(self) -> None:
        """Write what waits, and stop."""
        self._closing.set()
        self._writer.shutdown()

    def _write_soon(self) -> None:
        self._closing.wait(GATHER_S)
        self.write()
