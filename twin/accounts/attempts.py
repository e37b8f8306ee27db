"""Tries to sign in, kept under pseudonyms: what the wait before the next one is reckoned from."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from twin.accounts import lockout
from twin.ops import delete, insert, select, tables

if TYPE_CHECKING:
    from twin.ops import Connection

TABLE = tables.attempt
MOST = 64
"""Failures looked at: the wait has long reached its longest by then."""


def note(connection: Connection, name: str, address: str, at: datetime, *, ok: bool) -> None:
    """Keep one try (names and addresses as pseudonyms), and drop those too old to count."""
    connection.execute(insert(TABLE).values(name_hash=name, address_hash=address, at=at, ok=ok))
    connection.execute(delete(TABLE).where(TABLE.c.at < at - lockout.BY_NAME.remembered))


def wait(connection: Connection, name: str, address: str, now: datetime) -> timedelta:
    """Give how long this name, and this address, must still wait: the longer of the two."""
    by_name = _tries(connection, TABLE.c.name_hash == name, now, lockout.BY_NAME)
    by_address = _tries(connection, TABLE.c.address_hash == address, now, lockout.BY_ADDRESS)
    since_success = list(takewhile(lambda tried: not tried[1], by_name))
    return max(
        lockout.wait([at for at, _ in reversed(since_success)], now, lockout.BY_NAME),
        lockout.wait([at for at, ok in reversed(by_address) if not ok], now, lockout.BY_ADDRESS),
    )


def _tries(connection: Connection, of: Any, now: datetime, rule: lockout.Rule) -> list[tuple[datetime, bool]]:
    """Give (when, did it succeed) of the tries that count, the latest first."""
    query = select(TABLE.c.at, TABLE.c.ok).where(of, TABLE.c.at > now - rule.remembered)
    rows = connection.execute(query.order_by(TABLE.c.at.desc(), TABLE.c.id.desc()).limit(MOST))
    return [(at, ok) for at, ok in rows]
