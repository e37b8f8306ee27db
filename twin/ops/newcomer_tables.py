"""The table of sources that are on their way into the catalogue: what was asked, found, answered, decided; values only.

A change here needs a migration in `twin/ops/migrations`, as one in `twin/ops/tables.py` does.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table, Text

from twin.ops.tables import metadata
from twin.ops.utc import Utc

newcomer = Table(
    "newcomer",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("name", String(200), nullable=False),
    Column("origin", JSON, nullable=False),
    Column("state", String(12), nullable=False),
    Column("lease_owner", String(80), nullable=False, server_default=""),
    Column("lease_until", Utc),
    Column("department", String(80), nullable=False, server_default=""),
    Column("resource", String(80), nullable=False, server_default=""),
    Column("found", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("preview", JSON, nullable=False),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Column("decided_by", String(36), nullable=False, server_default=""),
    Column("decided_at", Utc),
    Column("why", Text, nullable=False, server_default=""),
    Index("ix_newcomer_state", "state", "changed_at"),
    Index("ix_newcomer_account_id", "account_id", "at"),
)
"""One source that somebody brought. Personal values stand in none of its columns but masked.

state: looking, looked, previewing, previewed, waiting (for a second person), publishing, published, refused (by the
look, `reason` says why), dropped. looking, previewing and publishing are for the receiving side.
"""
