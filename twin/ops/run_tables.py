"""The tables of what is received when: ticks, runs, where each resource stands, holds, requests, notices; values only.

A change here needs a migration in `twin/ops/migrations`, as one in `twin/ops/tables.py` does.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from twin.ops.tables import metadata
from twin.ops.utc import Utc

COUNTED = BigInteger().with_variant(Integer, "sqlite")

tick = Table(
    "tick",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("resource", String(80), nullable=False),
    Column("department", String(80), nullable=False),
    Column("why", String(12), nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("next_at", Utc, nullable=False),
    Column("lease_owner", String(80), nullable=False, server_default=""),
    Column("lease_until", Utc),
    Column("accept", Boolean, nullable=False),
    Column("force", Boolean, nullable=False),
    Column("period_from", Date),
    Column("period_to", Date),
    Column("request_id", BigInteger),
    Column("run", String(64), nullable=False, server_default=""),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Column("created_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("stage", String(12), nullable=False, server_default=""),
    Column("rows_seen", BigInteger),
    Column("begun_at", Utc),
    Index("ix_tick_state", "state", "next_at"),
    Index("ix_tick_resource", "resource", "due_at"),
)
"""One receiving that is due, named by resource, moment and why, so that to plan it twice is to plan it once.

state: waiting, running, done, failed (no attempt is left), skipped (a later one took its place). `stage`, `rows_seen`
and `begun_at` tell how far the running attempt is.
"""

worker = Table(
    "worker",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("started_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
)
"""The workers that receive, and when each last said that it lives."""

run = Table(
    "run",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("run", String(64), nullable=False),
    Column("tick_id", String(160), nullable=False, server_default=""),
    Column("resource", String(80), nullable=False),
    Column("status", String(12), nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("fetched_at", Utc),
    Column("read_at", Utc),
    Column("checked_at", Utc),
    Column("published_at", Utc),
    Column("finished_at", Utc, nullable=False),
    Column("rows_read", BigInteger),
    Column("rows_published", BigInteger),
    Column("rows_quarantined", BigInteger),
    Column("rows_duplicates", BigInteger),
    Column("rows_repaired", BigInteger),
    Column("rows_delta", BigInteger),
    Column("version", String(80), nullable=False, server_default=""),
    Column("as_of", Date),
    Column("log", String(200), nullable=False, server_default=""),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Column("details", JSON, nullable=False),
    Index("ix_run_resource", "resource", "finished_at"),
    Index("ix_run_finished_at", "finished_at"),
    Index("ix_run_run", "run"),
)
"""One line of the run ledger; `id` is the hash of the line, `details` its rules, warnings, repairs, notes, holds."""

ledger_read = Table(
    "ledger_read",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("upto", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""How many bytes of the run ledger have been taken up, and the hash of its first line: one row."""

standing = Table(
    "standing",
    metadata,
    Column("resource", String(80), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("title_zh", String(200), nullable=False),
    Column("title_en", String(200), nullable=False),
    Column("department", String(80), nullable=False),
    Column("department_zh", String(200), nullable=False),
    Column("department_en", String(200), nullable=False),
    Column("theme", String(40), nullable=False),
    Column("contact_person", String(80), nullable=False),
    Column("contact_phone", String(40), nullable=False),
    Column("update_cycle", String(40), nullable=False),
    Column("cadence_seconds", BigInteger, nullable=False),
    Column("declared", Text, nullable=False),
    Column("cadence", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("search", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("since", Utc, nullable=False),
    Column("good_at", Utc),
    Column("as_of", Date),
    Column("last_at", Utc),
    Column("last_run", String(64), nullable=False, server_default=""),
    Column("last_status", String(12), nullable=False, server_default=""),
    Column("due_at", Utc),
    Column("late_at", Utc),
    Column("next_run_at", Utc),
    Column("rows", BigInteger),
    Column("rows_delta", BigInteger),
    Column("rows_quarantined", BigInteger),
    Column("seconds", Float),
    Column("version", String(80), nullable=False, server_default=""),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Index("ix_standing_rank", "rank", "place"),
    Index("ix_standing_place", "place"),
    Index("ix_standing_department", "department", "rank", "place"),
    Index("ix_standing_theme", "theme", "rank", "place"),
    Index("ix_standing_state", "state", "late_at"),
    Index("ix_standing_good_at", "good_at", "place"),
    Index("ix_standing_due_at", "due_at", "place"),
    Index("ix_standing_rows", "rows", "place"),
    Index("ix_standing_rows_delta", "rows_delta", "place"),
    Index("ix_standing_counted", "rank", "department", "theme", "update_cycle"),
)
"""Where each resource stands now: what was promised against what happened; `place` is its place in the catalogue.

`cadence` is the one in force: the declared one, or what somebody changed it to.
"""

schedule_change = Table(
    "schedule_change",
    metadata,
    Column("id", COUNTED, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("resource", String(80), nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("why", Text, nullable=False),
    Column("cadence", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Index("ix_schedule_change_resource", "resource", "id"),
)
"""Who changed a schedule, why and to what; the last of a resource holds. `cadence` "" is the declared one."""

hold = Table(
    "hold",
    metadata,
    Column("run", String(64), primary_key=True),
    Column("resource", String(80), nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("guards", JSON, nullable=False),
    Column("rows_old", BigInteger),
    Column("rows_new", BigInteger),
    Column("version", String(80), nullable=False, server_default=""),
    Column("delivery", String(64), nullable=False, server_default=""),
    Column("decision", String(12), nullable=False, server_default=""),
    Column("account_id", String(36), nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("decided_at", Utc),
    Index("ix_hold_decision", "decision", "opened_at"),
    Index("ix_hold_resource", "resource", "opened_at"),
)
"""A publish that a guard kept back; decision: "" (waiting), approved, rejected, overtaken (by a later run)."""

run_request = Table(
    "run_request",
    metadata,
    Column("id", COUNTED, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("resource", String(80), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("account_id", String(36), nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("period_from", Date),
    Column("period_to", Date),
    Column("held_run", String(64), nullable=False, server_default=""),
    Column("state", String(8), nullable=False),
    Column("ended_at", Utc),
    Column("reason_zh", Text, nullable=False, server_default=""),
    Column("reason_en", Text, nullable=False, server_default=""),
    Column("version", String(80), nullable=False, server_default=""),
    Index("ix_run_request_state", "state", "id"),
    Index("ix_run_request_resource", "resource", "id"),
)
"""What a person asked of the receiving side: rerun, force, approve, backfill, rollback (to `version`).

state: asked, taken, done, failed.
"""

notice = Table(
    "notice",
    metadata,
    Column("id", COUNTED, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("resource", String(80), nullable=False),
    Column("department", String(80), nullable=False),
    Column("state_before", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Column("due_at", Utc),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("routed", Boolean, nullable=False),
    Index("ix_notice_routed", "routed", "id"),
    Index("ix_notice_resource", "resource", "id"),
)
"""One change of a resource's state; `routed` when every channel that wants it has its letter."""

letter = Table(
    "letter",
    metadata,
    Column("notice_id", BigInteger, ForeignKey("notice.id"), primary_key=True, autoincrement=False),
    Column("channel", String(80), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("sent_at", Utc),
    Column("error", Text, nullable=False, server_default=""),
    Index("ix_letter_state", "state", "next_at"),
)
"""A notice on its way through one channel; state: waiting, sent, lost (every attempt failed)."""
