"""Whether anybody receives: each worker says that it lives; when the last of them was heard of."""

from __future__ import annotations

from datetime import datetime, timedelta

from twin import ops
from twin.ops import run_tables as tables

_W = tables.worker
SECONDS = 10.0
"""How often a worker says so."""
SILENT = timedelta(seconds=60)
"""A worker that was not heard of for so long is gone."""


def say(connection: ops.Connection, name: str, now: datetime) -> None:
    """Say that the worker `name` lives; those that have been silent for long are forgotten."""
    if not connection.execute(ops.update(_W).where(_W.c.name == name), {"seen_at": now}).rowcount:
        connection.execute(ops.delete(_W).where(_W.c.seen_at < now - SILENT))
        connection.execute(ops.insert(_W), {"name": name, "started_at": now, "seen_at": now})


def gone(connection: ops.Connection, name: str) -> None:
    """Say that the worker `name` ends."""
    connection.execute(ops.delete(_W).where(_W.c.name == name))


def anybody(connection: ops.Connection, now: datetime) -> bool:
    """Say whether a worker was heard of a moment ago."""
    return connection.execute(ops.select(_W.c.name).where(_W.c.seen_at > now - SILENT).limit(1)).first() is not None
