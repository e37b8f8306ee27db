"""A table returned to an earlier version, its quarantine with it; what was taken back stands in the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from etl import ledger, tasks
from etl.ledger import Report
from etl.tasks import NOBODY, Errand
from twin.store import Store

if TYPE_CHECKING:
    from twin.settings import Settings
    from twin.store import Snapshot


def rollback(
    settings: Settings, table: str, *, to: str = "", by: str = "", reason: str = "", errand: Errand = NOBODY
) -> Snapshot:
    """Return `table` to the version before (or `to`), its quarantine with it; remember which delivery, who and why.

    Raises NotFound where there is no such version. Sent by an `errand`, the ledger's words leave out who: the request
    that sent it says so.
    """
    started, store, beside = datetime.now(UTC), Store(settings.store), tasks.quarantine(settings)
    left = store.current(table)
    now = store.rollback(table, to=to, by=by, reason=reason)
    while beside.tables() and table in beside.tables() and len(beside.versions(table)) > 1:
        if beside.current(table).manifest.get("run") == now.manifest.get("run"):
            break
        beside.rollback(table, by=by, reason=reason)
    why = reason if errand.tick else f"{reason}({by})" if reason else ""
    stated = now.manifest.get("as_of")
    report = Report(
        resource=str(now.manifest.get("resource", table)),
        run=str(left.manifest.get("run", "")),
        status="rolled_back",
        started_at=started,
        finished_at=datetime.now(UTC),
        reason_zh=f"已从版本 {left.version} 退回 {now.version}" + (f":{why}" if why else ""),
        reason_en=f"Rolled back from version {left.version} to {now.version}" + (f": {why}" if why else ""),
        counts=now.manifest.get("ledger") or {},
        nulls=now.manifest.get("nulls") or {},
        as_of=date.fromisoformat(stated) if stated else None,
        tick=errand.tick,
        log=errand.log,
        version=now.version,
        delivery=str(left.manifest.get("delivery", "")),
    )
    ledger.record(settings.data, report)
    return now
