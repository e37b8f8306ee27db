"""Notices on their way: one letter for each change of state and channel that wants it, tried until sent or lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from twin import ops
from twin.ops import run_tables as tables
from twin.runs.reading import notice_of
from twin.runs.values import Notice

_N, _L = tables.notice, tables.letter
TRIES = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
"""Waits after the first failed attempts; then every TRIES[-1] until LAST."""
LAST = 40
"""Attempts after which a letter counts as lost: about three days."""
ROOM = timedelta(seconds=60)
"""For how long a letter in somebody's hands is nobody else's."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A notice for one channel; `attempt` counts from 1."""

    notice: Notice
    channel: str
    attempt: int


def route(connection: ops.Connection, wanted: Callable[[Notice], Iterable[str]], now: datetime) -> int:
    """Write a letter for each channel that `wanted` names for a new notice; gives how many."""
    written = 0
    for row in connection.execute(ops.select(_N).where(_N.c.routed.is_(False)).order_by(_N.c.id)).all():
        for channel in sorted(set(wanted(notice_of(row)))):
            values = {"notice_id": row.id, "channel": channel, "state": "waiting", "attempt": 0, "next_at": now}
            connection.execute(ops.insert(_L), values)
            written += 1
        connection.execute(ops.update(_N).where(_N.c.id == row.id), {"routed": True})
    return written


def take(connection: ops.Connection, now: datetime, *, most: int = 20) -> list[Letter]:
    """Take letters that are to be tried now; until ROOM has passed nobody else gets them.

    A channel's letters of one resource go in their order: what comes later waits for what came before.
    """
    waiting = ops.select(_L.c.notice_id, _L.c.channel, _L.c.attempt, _L.c.next_at, _N.c.resource)
    query = waiting.join_from(_L, _N, _N.c.id == _L.c.notice_id).where(_L.c.state == "waiting")
    found: list[Letter] = []
    ahead: set[tuple[str, str]] = set()
    for row in connection.execute(query.order_by(_L.c.notice_id).limit(2_000)).all():
        first = (row.channel, row.resource) not in ahead
        ahead.add((row.channel, row.resource))
        if not first or row.next_at > now or len(found) == most:
            continue
        mine = ops.and_(_L.c.notice_id == row.notice_id, _L.c.channel == row.channel)
        connection.execute(ops.update(_L).where(mine), {"attempt": row.attempt + 1, "next_at": now + ROOM})
        notice = notice_of(connection.execute(ops.select(_N).where(_N.c.id == row.notice_id)).one())
        found.append(Letter(notice=notice, channel=row.channel, attempt=row.attempt + 1))
    return found


def sent(connection: ops.Connection, letter: Letter, at: datetime) -> None:
    """Note that a letter was sent."""
    _update(connection, letter, {"state": "sent", "sent_at": at, "error": ""})


def not_sent(connection: ops.Connection, letter: Letter, at: datetime, error: str) -> None:
    """Note that a letter could not be sent; it is tried again later, and is lost after LAST attempts."""
    wait = TRIES[min(letter.attempt, len(TRIES)) - 1]
    state = "lost" if letter.attempt >= LAST else "waiting"
    _update(connection, letter, {"state": state, "next_at": at + wait, "error": error[:500]})


def _update(connection: ops.Connection, letter: Letter, values: dict[str, object]) -> None:
    mine = ops.and_(_L.c.notice_id == letter.notice.id, _L.c.channel == letter.channel)
    connection.execute(ops.update(_L).where(mine), values)
