"""What moves now: for each resource asked about, whether it waits, runs, tries again, or how what was asked ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from twin import ops
from twin.model import Text
from twin.ops import run_tables as tables
from twin.text import number, words

if TYPE_CHECKING:
    from datetime import datetime

Phase = Literal["asked", "queued", "running", "retry", "done", "failed"]
_Q, _T, _S = tables.run_request, tables.tick, tables.standing
OPEN = ("asked", "taken")


@dataclass(frozen=True, kw_only=True)
class Moving:
    """One resource's last request or running tick; `since` is when it came to be so, `reason` why it failed.

    Of what runs, `stage` is what it has reached, `rows` what it has read so far, `begun_at` when this try began.
    """

    phase: Phase
    since: datetime
    reason: Text
    request: int | None = None
    stage: str = ""
    rows: int | None = None
    begun_at: datetime | None = None


def moving(connection: ops.Connection, resources: Sequence[str]) -> dict[str, Moving]:
    """Give what moves of `resources`, and how the last request of each ended; two statements however many there are."""
    if not resources:
        return {}
    last = ops.select(ops.func.max(_Q.c.id)).where(_Q.c.resource.in_(resources)).group_by(_Q.c.resource)
    found = {row.resource: _asked(row) for row in connection.execute(ops.select(_Q).where(_Q.c.id.in_(last)))}
    on = ops.or_(_T.c.state == "running", ops.and_(_T.c.state == "waiting", _T.c.attempt > 0))
    for row in connection.execute(ops.select(_T).where(_T.c.resource.in_(resources), on).order_by(_T.c.next_at)):
        if row.state == "running" or found.get(row.resource) is None or found[row.resource].phase == "queued":
            phase: Phase = "running" if row.state == "running" else "retry"
            before = found.get(row.resource)
            found[row.resource] = Moving(
                phase=phase,
                since=row.next_at,
                reason=_reason(row),
                request=before.request if before else None,
                stage=row.stage,
                rows=row.rows_seen,
                begun_at=row.begun_at,
            )
    return found


def said(moves: Moving, now: datetime) -> Text:
    """Say what moves and how far it is: the stage of what runs, rows read so far, for how long."""
    phase = words(f"page.data.phase_{moves.phase}")
    if moves.phase != "running":
        return phase
    told = [words(f"page.data.doing_{moves.stage}") if moves.stage else phase]
    if moves.rows:
        told.append(words("page.data.rows_so_far", n=number(moves.rows, "en", 0)))
    if moves.begun_at:
        told.append(words("page.data.for_seconds", s=str(max(0, round((now - moves.begun_at).total_seconds())))))
    return Text(" · ".join(x.zh for x in told), " · ".join(x.en for x in told))


def _asked(row: Any) -> Moving:
    phases: dict[str, Phase] = {"asked": "asked", "taken": "queued", "done": "done", "failed": "failed"}
    return Moving(phase=phases[row.state], since=row.ended_at or row.at, reason=_reason(row), request=row.id)


def _reason(row: Any) -> Text:
    return Text(row.reason_zh, row.reason_en)
