"""The operational store of accounts, sessions, keys and the record, on SQLite or PostgreSQL; the only SQLAlchemy.

Rooms above write statements with the tables of `twin.ops.tables` and the words re-exported here, inside `Ops.begin()`
(writes, one writer at a time) or `Ops.read()`.
"""

from __future__ import annotations

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError as Taken

from twin.ops import newcomer_tables, quarantine_tables, run_tables, tables
from twin.ops.copying import copy_in, copy_out, forget_deleted
from twin.ops.engine import FILE, OWNER_ONLY, Ops, has_table, parse
from twin.ops.upgrading import HEAD, upgrade, version
from twin.ops.utc import Utc, now

__all__ = [
    "FILE",
    "HEAD",
    "OWNER_ONLY",
    "Connection",
    "Ops",
    "Row",
    "Taken",
    "Utc",
    "and_",
    "bindparam",
    "copy_in",
    "copy_out",
    "delete",
    "forget_deleted",
    "func",
    "has_table",
    "insert",
    "literal_column",
    "newcomer_tables",
    "not_",
    "now",
    "or_",
    "parse",
    "quarantine_tables",
    "run_tables",
    "select",
    "tables",
    "text",
    "update",
    "upgrade",
    "version",
]
