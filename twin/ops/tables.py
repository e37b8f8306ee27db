"""The tables of the operational store, as the newest migration leaves them; values only.

A change here needs a migration in `twin/ops/migrations`; the tests compare the two on both databases.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from twin.ops.utc import Utc

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

account = Table(
    "account",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("display_name", String(120), nullable=False, server_default=""),
    Column("role", String(40), nullable=False),
    Column("prefix", String(12), nullable=False, server_default=""),
    Column("grid", String(15), nullable=False, server_default=""),
    Column("department", String(80), nullable=False, server_default=""),
    Column("password_hash", Text, nullable=False, server_default=""),
    Column("totp_secret", Text, nullable=False, server_default=""),
    Column("must_change", Boolean, nullable=False),
    Column("disabled_at", Utc),
    Column("created_at", Utc, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("name"),
)
"""A person who signs in; `version` counts changes, so that two editors do not overwrite each other."""

session = Table(
    "session",
    metadata,
    Column("id_hash", String(64), primary_key=True),
    Column("account_id", String(36), ForeignKey("account.id"), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("address", String(64), nullable=False, server_default=""),
    Column("agent", String(400), nullable=False, server_default=""),
    Column("ended_at", Utc),
    Column("csrf_hash", String(64), nullable=False),
    Column("purpose", Text, nullable=False, server_default=""),
    Index("ix_session_account_id", "account_id"),
    Index("ix_session_expires_at", "expires_at"),
)
"""A sign-in; the cookie's value is kept as its SHA-256 only."""

attempt = Table(
    "attempt",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("name_hash", String(64), nullable=False),
    Column("address_hash", String(64), nullable=False),
    Column("at", Utc, nullable=False),
    Column("ok", Boolean, nullable=False),
    Index("ix_attempt_name_hash", "name_hash", "at"),
    Index("ix_attempt_address_hash", "address_hash", "at"),
)
"""A try to sign in, for lock-out; names and addresses as keyed hashes."""

api_key = Table(
    "api_key",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("client", String(120), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("prefix", String(12), nullable=False, server_default=""),
    Column("networks", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("revoked_at", Utc),
    Column("last_used_at", Utc),
    Index("ix_api_key_client", "client"),
)
"""A connected system's key; its secret is kept as its SHA-256 only."""

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("subject", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("key_id", String(8), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_at", "at"),
)
"""The record, written by `twin.audit` only; `at` and `detail` are text, so that it lies as it is hashed."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""The last entry of the record: one row."""

delivery = Table(
    "delivery",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("cell", String(40), primary_key=True),
    Column("day", Date, nullable=False),
)
"""Ground delivered to a person or key, cell by cell, and the last day it was: the ledger of continuous area."""

setting_change = Table(
    "setting_change",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("setting", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    UniqueConstraint("setting", "version"),
)
"""A version of something the administrators change (setting "grants": the text of the grants), with who and when."""
