"""What a running receiving has done so far, which workers live, what a rollback goes to; counts come from one index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from twin.ops.utc import Utc

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, the table of workers and the index that counts alone."""
    op.add_column("run_request", sa.Column("version", sa.String(80), nullable=False, server_default=""))
    op.add_column("tick", sa.Column("stage", sa.String(12), nullable=False, server_default=""))
    op.add_column("tick", sa.Column("rows_seen", sa.BigInteger))
    op.add_column("tick", sa.Column("begun_at", Utc))
    op.create_table(
        "worker",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("seen_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_worker"),
    )
    op.create_index("ix_standing_counted", "standing", ["rank", "department", "theme", "update_cycle"])
