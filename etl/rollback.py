"""A table returned to the version before, its quarantine with it; what was taken back stands in the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from etl import ledger, tasks
from etl.ledger import Report
from twin.store import Store

if TYPE_CHECKING:
    from twin.settings import Settings
    from twin.store import Snapshot


def rollback(settings: Settings, table: str, *, by: str = "", reason: str = "") -> Snapshot:
    """Return `table` to the version before, its quarantine with it, and remember which delivery, who did so and why.

    Raises NotFound where there is no version before.
    """
    started, store, beside = datetime.now(UTC), Store(settings.store), tasks.quarantine(settings)
    left = store.current(table)
    now = store.rollback(table, by=by, reason=reason)
    while beside.tables() and table in beside.tables() and len(beside.versions(table)) > 1:
        if beside.current(table).manifest.get("run") == now.manifest.get("run"):
            break
        beside.rollback(table, by=by, reason=reason)
    report = Report(
        resource=str(now.manifest.get("resource", table)),
        run=str(left.manifest.get("run", "")),
        status="rolled_back",
        started_at=started,
        finished_at=datetime.now(UTC),
        reason_zh=f"已从版本 {left.version} 退回 {now.version}" + (f":{reason}({by})" if reason else ""),
        reason_en=f"Rolled back from version {left.version} to {now.version}"
        + (f": {reason} ({by})" if reason else ""),
        version=now.version,
        delivery=str(left.manifest.get("delivery", "")),
    )
    ledger.record(settings.data, report)
    return now
