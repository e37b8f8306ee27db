"""What is received when: ticks, runs, where each resource stands, changed schedules, holds, requests, notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from twin.ops.utc import Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables of schedules and runs."""
    _ticks()
    _runs()
    _standing()
    _people()
    _notices()


def _ticks() -> None:
    op.create_table(
        "tick",
        sa.Column("id", sa.String(160), nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("department", sa.String(80), nullable=False),
        sa.Column("why", sa.String(12), nullable=False),
        sa.Column("due_at", Utc, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", Utc, nullable=False),
        sa.Column("lease_owner", sa.String(80), nullable=False, server_default=""),
        sa.Column("lease_until", Utc),
        sa.Column("accept", sa.Boolean, nullable=False),
        sa.Column("force", sa.Boolean, nullable=False),
        sa.Column("period_from", sa.Date),
        sa.Column("period_to", sa.Date),
        sa.Column("request_id", sa.BigInteger),
        sa.Column("run", sa.String(64), nullable=False, server_default=""),
        sa.Column("reason_zh", sa.Text, nullable=False, server_default=""),
        sa.Column("reason_en", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("ended_at", Utc),
        sa.PrimaryKeyConstraint("id", name="pk_tick"),
    )
    op.create_index("ix_tick_state", "tick", ["state", "next_at"])
    op.create_index("ix_tick_resource", "tick", ["resource", "due_at"])


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("tick_id", sa.String(160), nullable=False, server_default=""),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("fetched_at", Utc),
        sa.Column("read_at", Utc),
        sa.Column("checked_at", Utc),
        sa.Column("published_at", Utc),
        sa.Column("finished_at", Utc, nullable=False),
        sa.Column("rows_read", sa.BigInteger),
        sa.Column("rows_published", sa.BigInteger),
        sa.Column("rows_quarantined", sa.BigInteger),
        sa.Column("rows_duplicates", sa.BigInteger),
        sa.Column("rows_repaired", sa.BigInteger),
        sa.Column("rows_delta", sa.BigInteger),
        sa.Column("version", sa.String(80), nullable=False, server_default=""),
        sa.Column("as_of", sa.Date),
        sa.Column("log", sa.String(200), nullable=False, server_default=""),
        sa.Column("reason_zh", sa.Text, nullable=False, server_default=""),
        sa.Column("reason_en", sa.Text, nullable=False, server_default=""),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_resource", "run", ["resource", "finished_at"])
    op.create_index("ix_run_finished_at", "run", ["finished_at"])
    op.create_index("ix_run_run", "run", ["run"])
    op.create_table(
        "ledger_read",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("upto", sa.BigInteger, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_read"),
        sa.CheckConstraint("id = 1", name="ck_ledger_read_one_row"),
    )


def _standing() -> None:
    op.create_table(
        "standing",
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("title_zh", sa.String(200), nullable=False),
        sa.Column("title_en", sa.String(200), nullable=False),
        sa.Column("department", sa.String(80), nullable=False),
        sa.Column("department_zh", sa.String(200), nullable=False),
        sa.Column("department_en", sa.String(200), nullable=False),
        sa.Column("theme", sa.String(40), nullable=False),
        sa.Column("contact_person", sa.String(80), nullable=False),
        sa.Column("contact_phone", sa.String(40), nullable=False),
        sa.Column("update_cycle", sa.String(40), nullable=False),
        sa.Column("cadence_seconds", sa.BigInteger, nullable=False),
        sa.Column("declared", sa.Text, nullable=False),
        sa.Column("cadence", sa.Text, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("since", Utc, nullable=False),
        sa.Column("good_at", Utc),
        sa.Column("as_of", sa.Date),
        sa.Column("last_at", Utc),
        sa.Column("last_run", sa.String(64), nullable=False, server_default=""),
        sa.Column("last_status", sa.String(12), nullable=False, server_default=""),
        sa.Column("due_at", Utc),
        sa.Column("late_at", Utc),
        sa.Column("next_run_at", Utc),
        sa.Column("rows", sa.BigInteger),
        sa.Column("rows_delta", sa.BigInteger),
        sa.Column("rows_quarantined", sa.BigInteger),
        sa.Column("seconds", sa.Float),
        sa.Column("version", sa.String(80), nullable=False, server_default=""),
        sa.Column("reason_zh", sa.Text, nullable=False, server_default=""),
        sa.Column("reason_en", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("resource", name="pk_standing"),
    )
    op.create_index("ix_standing_rank", "standing", ["rank", "place"])
    op.create_index("ix_standing_place", "standing", ["place"])
    op.create_index("ix_standing_department", "standing", ["department", "rank", "place"])
    op.create_index("ix_standing_theme", "standing", ["theme", "rank", "place"])
    op.create_index("ix_standing_state", "standing", ["state", "late_at"])
    op.create_index("ix_standing_good_at", "standing", ["good_at", "place"])
    op.create_index("ix_standing_due_at", "standing", ["due_at", "place"])
    op.create_index("ix_standing_rows", "standing", ["rows", "place"])
    op.create_index("ix_standing_rows_delta", "standing", ["rows_delta", "place"])


def _people() -> None:
    op.create_table(
        "schedule_change",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("cadence", sa.Text, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_change"),
    )
    op.create_index("ix_schedule_change_resource", "schedule_change", ["resource", "id"])
    op.create_table(
        "hold",
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("opened_at", Utc, nullable=False),
        sa.Column("reason_zh", sa.Text, nullable=False),
        sa.Column("reason_en", sa.Text, nullable=False),
        sa.Column("guards", sa.JSON, nullable=False),
        sa.Column("rows_old", sa.BigInteger),
        sa.Column("rows_new", sa.BigInteger),
        sa.Column("version", sa.String(80), nullable=False, server_default=""),
        sa.Column("delivery", sa.String(64), nullable=False, server_default=""),
        sa.Column("decision", sa.String(12), nullable=False, server_default=""),
        sa.Column("account_id", sa.String(36), nullable=False, server_default=""),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("decided_at", Utc),
        sa.PrimaryKeyConstraint("run", name="pk_hold"),
    )
    op.create_index("ix_hold_decision", "hold", ["decision", "opened_at"])
    op.create_index("ix_hold_resource", "hold", ["resource", "opened_at"])
    op.create_table(
        "run_request",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("period_from", sa.Date),
        sa.Column("period_to", sa.Date),
        sa.Column("held_run", sa.String(64), nullable=False, server_default=""),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("ended_at", Utc),
        sa.Column("reason_zh", sa.Text, nullable=False, server_default=""),
        sa.Column("reason_en", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_run_request"),
    )
    op.create_index("ix_run_request_state", "run_request", ["state", "id"])
    op.create_index("ix_run_request_resource", "run_request", ["resource", "id"])


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("resource", sa.String(80), nullable=False),
        sa.Column("department", sa.String(80), nullable=False),
        sa.Column("state_before", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due_at", Utc),
        sa.Column("reason_zh", sa.Text, nullable=False),
        sa.Column("reason_en", sa.Text, nullable=False),
        sa.Column("routed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index("ix_notice_routed", "notice", ["routed", "id"])
    op.create_index("ix_notice_resource", "notice", ["resource", "id"])
    op.create_table(
        "letter",
        sa.Column("notice_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("channel", sa.String(80), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("next_at", Utc, nullable=False),
        sa.Column("sent_at", Utc),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("notice_id", "channel", name="pk_letter"),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_letter_notice_id"),
    )
    op.create_index("ix_letter_state", "letter", ["state", "next_at"])
