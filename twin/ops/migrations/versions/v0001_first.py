"""The first schema: who signs in, the record, the ledger of ground delivered, and what administrators change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from twin.ops.utc import Utc

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables of who signs in, of the record and of what was delivered."""
    _who()
    _record()
    op.create_table(
        "delivery",
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("year", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("cell", sa.String(40), nullable=False),
        sa.Column("km2", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("subject", "year", "cell", name="pk_delivery"),
    )
    op.create_table(
        "setting_change",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("setting", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_setting_change"),
        sa.UniqueConstraint("setting", "version", name="uq_setting_change_setting"),
    )


def _who() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("display_name", sa.String(120), nullable=False, server_default=""),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("prefix", sa.String(12), nullable=False, server_default=""),
        sa.Column("grid", sa.String(15), nullable=False, server_default=""),
        sa.Column("department", sa.String(80), nullable=False, server_default=""),
        sa.Column("password_hash", sa.Text, nullable=False, server_default=""),
        sa.Column("totp_secret", sa.Text, nullable=False, server_default=""),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("disabled_at", Utc),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
    )
    op.create_table(
        "session",
        sa.Column("id_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("seen_at", Utc, nullable=False),
        sa.Column("expires_at", Utc, nullable=False),
        sa.Column("address", sa.String(64), nullable=False, server_default=""),
        sa.Column("agent", sa.String(400), nullable=False, server_default=""),
        sa.Column("ended_at", Utc),
        sa.Column("csrf_hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id_hash", name="pk_session"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account_id"),
    )
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_index("ix_session_expires_at", "session", ["expires_at"])
    _tries_and_keys()


def _tries_and_keys() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("name_hash", sa.String(64), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
    )
    op.create_index("ix_attempt_name_hash", "attempt", ["name_hash", "at"])
    op.create_index("ix_attempt_address_hash", "attempt", ["address_hash", "at"])
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(8), nullable=False),
        sa.Column("client", sa.String(120), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("prefix", sa.String(12), nullable=False, server_default=""),
        sa.Column("networks", sa.JSON, nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("expires_at", Utc, nullable=False),
        sa.Column("revoked_at", Utc),
        sa.Column("last_used_at", Utc),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_index("ix_api_key_client", "api_key", ["client"])


def _record() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", COUNTED, nullable=False, autoincrement=False),
        sa.Column("at", sa.String(27), nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("subject", "role", "via", "action", "resource", "purpose", "outcome", "address", "detail")
        ),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        sa.CheckConstraint("id = 1", name="ck_audit_head_one_row"),
    )
