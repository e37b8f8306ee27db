"""The ledger of ground delivered keeps the last day of each cell, so that a year is any 365 days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the ledger anew: under the first schema nothing was ever written into it."""
    op.drop_table("delivery")
    op.create_table(
        "delivery",
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("cell", sa.String(40), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("subject", "cell", name="pk_delivery"),
    )
