"""What people decided about refused rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from twin.ops.utc import Utc

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of acts."""
    op.create_table(
        "quarantine_act",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("department", sa.String(80), nullable=False),
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False, server_default=""),
        sa.Column("row", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("book", sa.String(40), nullable=False, server_default=""),
        sa.Column("withdrawn_at", Utc),
        sa.Column("withdrawn_by", sa.String(36), nullable=False, server_default=""),
        sa.Column("withdrawn_why", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine_act"),
    )
    op.create_index("ix_quarantine_act_resource", "quarantine_act", ["resource", "id"])
    op.create_index("ix_quarantine_act_name", "quarantine_act", ["name"])
