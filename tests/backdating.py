"""Published versions given other times: so that a test has yesterdays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twin.store import pointer
from twin.store.pointer import Pointer

if TYPE_CHECKING:
    from twin.store import Store


def day(n: int, hour: int = 12) -> datetime:
    """Give noon of day `n` of October 2026, UTC."""
    return datetime(2026, 10, n, hour, tzinfo=UTC)


def dated(store: Store, table: str, *times: datetime) -> None:
    """Give the versions of the chain these times, the oldest first."""
    folder = store.root / table
    chain = store.versions(table)
    aged = [replace(v, created_at=t.isoformat()) for v, t in zip(chain, reversed(times), strict=True)]
    pointer.write(folder, Pointer(chain=tuple(aged)))
