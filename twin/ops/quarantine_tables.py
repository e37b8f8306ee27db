"""The table of what people decided about refused rows; values only.

A change here needs a migration in `twin/ops/migrations`, as one in `twin/ops/tables.py` does.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table, Text

from twin.ops.tables import metadata
from twin.ops.utc import Utc

quarantine_act = Table(
    "quarantine_act",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("resource", String(80), nullable=False),
    Column("department", String(80), nullable=False),
    Column("name", String(20), nullable=False),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False, server_default=""),
    Column("row", String(200), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("rules", JSON, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("changes", JSON, nullable=False),
    Column("why", Text, nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("book", String(40), nullable=False, server_default=""),
    Column("withdrawn_at", Utc),
    Column("withdrawn_by", String(36), nullable=False, server_default=""),
    Column("withdrawn_why", Text, nullable=False, server_default=""),
    Index("ix_quarantine_act_resource", "resource", "id"),
    Index("ix_quarantine_act_name", "name"),
)
"""One act on one refused row: kind is correct (`changes`: heading → text), accept (`rules`), or send (in `book`).

`name` is the word the row goes by; `source`, `key`, `row` and `fingerprint` say which row is meant. An act
is withdrawn, never removed.
"""
