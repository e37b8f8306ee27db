"""What the room of runs speaks in: where a resource stands, a run, a hold, a tick, a request; values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from twin.freshness import State
from twin.model import Text

Why = Literal["cadence", "catchup", "arrival", "inputs", "request", "backfill"]
TickState = Literal["waiting", "running", "done", "failed", "skipped"]
Kind = Literal["rerun", "force", "approve", "backfill", "rollback"]
RequestState = Literal["asked", "taken", "done", "failed"]
Decision = Literal["", "approved", "rejected", "overtaken"]

RANK: Mapping[State, int] = {"failed": 0, "held": 1, "stale": 2, "never": 3, "fresh": 4, "unshared": 5}
"""The order in which states are listed: what somebody must do something about comes first."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where one resource stands. Times are aware UTC, None where there was none; rows are counts of the last run.

    `cadence` is the rule in force, `changed` whether it is not the declared one; `due_at` is when new content is owed,
    `late_at` from when it counts as late, `next_run_at` when it is next looked for. `rows_delta` is published rows
    against the version before. `seconds` is how long the last run took.
    """

    resource: str
    title: Text
    department: str
    department_title: Text
    theme: str
    contact_person: str
    contact_phone: str
    update_cycle: str
    cadence: str
    changed: bool
    paused: bool
    state: State
    shape: str
    since: datetime
    good_at: datetime | None
    as_of: date | None
    due_at: datetime | None
    late_at: datetime | None
    next_run_at: datetime | None
    last_at: datetime | None
    last_run: str
    last_status: str
    rows: int | None
    rows_delta: int | None
    rows_quarantined: int | None
    seconds: float | None
    version: str
    reason: Text


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run on its timeline; `details` holds rules, warnings, repairs, notes, holds as the ledger wrote them."""

    id: str
    run: str
    resource: str
    status: str
    tick: str
    started_at: datetime
    fetched_at: datetime | None
    read_at: datetime | None
    checked_at: datetime | None
    published_at: datetime | None
    finished_at: datetime
    rows_read: int | None
    rows_published: int | None
    rows_quarantined: int | None
    rows_duplicates: int | None
    rows_repaired: int | None
    rows_delta: int | None
    version: str
    as_of: date | None
    log: str
    reason: Text
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Give how long it took; never negative, also where the clock was set back meanwhile."""
        return max(0.0, (self.finished_at - self.started_at).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A publish kept back; `guards` is a list of {zh, en, …}, `decision` "" while somebody must decide."""

    run: str
    resource: str
    opened_at: datetime
    reason: Text
    guards: tuple[Mapping[str, Any], ...]
    rows_old: int | None
    rows_new: int | None
    version: str
    delivery: str
    decision: Decision
    account_id: str
    why: str
    decided_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One receiving that is due, as whoever leased it sees it; `attempt` counts from 1."""

    id: str
    resource: str
    department: str
    why: Why
    due_at: datetime
    state: TickState
    attempt: int
    next_at: datetime
    lease_owner: str
    lease_until: datetime | None
    accept: bool
    force: bool
    period: tuple[date, date] | None
    request_id: int | None
    run: str
    reason: Text


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asked of the receiving side; `version` is what a rollback goes back to."""

    id: int
    at: datetime
    resource: str
    kind: Kind
    account_id: str
    why: str
    period: tuple[date, date] | None
    held_run: str
    version: str
    state: RequestState
    ended_at: datetime | None
    reason: Text


@dataclass(frozen=True, kw_only=True)
class Change:
    """A schedule that somebody changed; `cadence` "" stands for the declared one."""

    id: int
    at: datetime
    resource: str
    account_id: str
    why: str
    cadence: str
    paused: bool


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One change of a resource's state, to be told once."""

    id: int
    at: datetime
    resource: str
    department: str
    state_before: State
    state: State
    due_at: datetime | None
    reason: Text
