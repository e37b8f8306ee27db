"""Sources that are on their way into the catalogue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from twin.ops.utc import Utc

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of newcomers."""
    op.create_table(
        "newcomer",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("changed_at", Utc, nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("origin", sa.JSON, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("lease_owner", sa.String(80), nullable=False, server_default=""),
        sa.Column("lease_until", Utc),
        sa.Column("department", sa.String(80), nullable=False, server_default=""),
        sa.Column("resource", sa.String(80), nullable=False, server_default=""),
        sa.Column("found", sa.JSON, nullable=False),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("preview", sa.JSON, nullable=False),
        sa.Column("reason_zh", sa.Text, nullable=False, server_default=""),
        sa.Column("reason_en", sa.Text, nullable=False, server_default=""),
        sa.Column("decided_by", sa.String(36), nullable=False, server_default=""),
        sa.Column("decided_at", Utc),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_newcomer"),
    )
    op.create_index("ix_newcomer_state", "newcomer", ["state", "changed_at"])
    op.create_index("ix_newcomer_account_id", "newcomer", ["account_id", "at"])
