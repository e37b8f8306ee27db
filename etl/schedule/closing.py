"""How a tick ends: by what its run left in the run ledger; done, given up, or tried again.

A run whose end stands in the ledger is not run again, and a delivery that is published is not published twice.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from etl import ledger
from etl.schedule import planning, retries
from twin import freshness, ops
from twin.ops import run_tables as tables
from twin.runs import asking, ticks

if TYPE_CHECKING:
    from pathlib import Path

    from etl.ledger import Status
    from etl.schedule.child import Order
    from twin.model import Resource
    from twin.runs.values import Tick

LOG = logging.getLogger("onemap.schedule")
BAD = ("failed", "refused")
LATE = ("来源超过时限未完成,已中止;旧版本不受影响", "It passed its deadline and was ended; the version before stays")
DIED = ("运行进程意外结束;旧版本不受影响", "The run's process died; the version before stays")
CHANGED = ("待批的数据已换成另一份,请重新审核", "What was approved is no longer what lies there; look at it again")
GIVEN_UP = ("多次尝试未完成", "Tried several times without coming to an end")
NOTHING = ("尚未报送", "Nothing has been delivered")
_R = tables.run


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended."""

    status: Status
    run: str
    reason: tuple[str, str]

    @staticmethod
    def of(told: Sequence[str]) -> Outcome | None:
        """Read what a child told as it ended, None where it told nothing."""
        if not told:
            return None
        _, status, run, zh, en = told
        return Outcome(status=cast("Status", status), run=run, reason=(zh, en))


def given_up() -> Outcome:
    """Give the outcome of what nobody could bring to an end."""
    return Outcome(status="never", run="", reason=GIVEN_UP)


def nothing() -> Outcome:
    """Give the outcome of what was never delivered."""
    return Outcome(status="never", run="", reason=NOTHING)


def ended_before(connection: ops.Connection, tick: Tick) -> Outcome | None:
    """Give how an earlier attempt of a tick ended well, where its worker was killed before it could say so."""
    names = [_name(tick, n) for n in range(1, tick.attempt)]
    good = (*freshness.GOOD, "held", "rolled_back")
    return _found(connection, _R.c.resource == tick.resource, _R.c.tick_id.in_(names), _R.c.status.in_(good))


def said(connection: ops.Connection, resource: str, name: str) -> Outcome | None:
    """Give how one attempt ended, None where the ledger does not say."""
    return _found(connection, _R.c.resource == resource, _R.c.tick_id == name)


def _found(connection: ops.Connection, *where: Any) -> Outcome | None:
    query = ops.select(_R.c.status, _R.c.run, _R.c.reason_zh, _R.c.reason_en).where(*where)
    row = connection.execute(query.order_by(_R.c.finished_at.desc()).limit(1)).first()
    return Outcome(status=row.status, run=row.run, reason=(row.reason_zh, row.reason_en)) if row else None


def _name(tick: Tick, attempt: int) -> str:
    return f"{tick.id}#{attempt}"


def say_for(data: Path, tick: Tick, order: Order, *, late: bool) -> None:
    """Write into the run ledger what a killed child could not."""
    zh, en = LATE if late else DIED
    now = datetime.now(UTC)
    report = ledger.Report(
        resource=tick.resource,
        run=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        status="failed",
        started_at=now,
        finished_at=now,
        reason_zh=zh,
        reason_en=en,
        tick=order.tick,
        log=order.log,
    )
    ledger.record(data, report)


def close(connection: ops.Connection, tick: Tick, outcome: Outcome, resource: Resource | None) -> None:
    """End a tick by its outcome, or plan its next try."""
    now = datetime.now(UTC)
    if resource is not None and retries.again(outcome.status, resource, _failures(connection, tick)):
        next_at = now + retries.wait(tick.attempt, tick.id)
        ticks.again(connection, tick, next_at, run=outcome.run, reason=outcome.reason)
        return
    reason = outcome.reason
    if outcome.status == "held" and planning.approved(connection, tick.request_id):
        reason = CHANGED
    done = outcome.status not in BAD and reason not in (CHANGED, GIVEN_UP)
    if not ticks.close(connection, tick, done=done, run=outcome.run, at=now, reason=reason):
        LOG.info("%s is somebody else's by now", tick.id)
        return
    ticks.skip_older(connection, tick)
    if tick.request_id is not None:
        asking.answer(connection, [tick.request_id], done=done, at=now, reason=reason)
    LOG.info("%s %s %s", tick.id, outcome.status, reason[1])


def _failures(connection: ops.Connection, tick: Tick) -> int:
    """Count the attempts that ran and went wrong; one whose worker was killed is none."""
    names = [_name(tick, n) for n in range(1, tick.attempt + 1)]
    where = (_R.c.resource == tick.resource, _R.c.tick_id.in_(names), _R.c.status.in_(BAD))
    return int(connection.execute(ops.select(ops.func.count()).select_from(_R).where(*where)).scalar_one())
