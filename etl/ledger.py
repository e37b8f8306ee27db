"""What happened to each delivery, one line a run, appended durably; the only writer of the run ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from twin import durable, freshness

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

Status = Literal["published", "unchanged", "held", "refused", "failed", "never", "rolled_back"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run of one resource: what became of it and of its rows. Times are aware UTC.

    held = it arrived but a gate kept it from being published; refused = a file as a whole is unfit; failed = our own
    fault or the machine's; never = no file has been delivered. `delivery` is the hash of what a rollback took back, or
    a gate held, `holds` why. `stages` is when it was fetched, read, checked, published; `tick` is what it was due by
    and `log` where it said more, "" where nobody had planned it. `nulls` counts, by field, the published rows in
    which it is empty. `where` is the place of a refusal as far as it
    is known: file, its sha256, sheet, layer, row, column.
    """

    resource: str
    run: str
    status: Status
    started_at: datetime
    finished_at: datetime
    counts: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    reason_zh: str = ""
    reason_en: str = ""
    version: str = ""
    as_of: date | None = None
    notes: tuple[tuple[str, str], ...] = ()
    delivery: str = ""
    stages: Mapping[str, datetime] = field(default_factory=dict)
    tick: str = ""
    log: str = ""
    holds: tuple[Mapping[str, object], ...] = ()
    nulls: Mapping[str, int] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Give how long it took."""
        return (self.finished_at - self.started_at).total_seconds()


def path(data: Path) -> Path:
    """Give where the ledger lies below the data folder."""
    return data / "run" / "ledger.jsonl"


def rolled_back(data: Path, resource: str) -> str:
    """Give the delivery that was rolled back last and has not been replaced since, "" where there is none."""
    delivery = ""
    for line in freshness.lines(path(data)):
        if line["resource"] == resource and line["status"] in ("rolled_back", "published"):
            delivery = line.get("delivery", "") if line["status"] == "rolled_back" else ""
    return delivery


def record(data: Path, report: Report) -> None:
    """Append `report`; a resource that was never delivered leaves no line."""
    if report.status == "never":
        return
    line = {
        "resource": report.resource,
        "run": report.run,
        "started_at": report.started_at.isoformat(),
        "finished_at": report.finished_at.isoformat(),
        "status": report.status,
        "ledger": dict(report.counts),
        "rules": dict(report.rules),
        "warnings": dict(report.warnings),
        "repairs": dict(report.repairs),
        "reason_zh": report.reason_zh,
        "reason_en": report.reason_en,
        "version": report.version,
        "as_of": report.as_of.isoformat() if report.as_of else None,
        "delivery": report.delivery,
        "notes": [{"zh": zh, "en": en} for zh, en in report.notes],
        **_more(report),
    }
    target = path(data)
    durable.make_directory(target.parent)
    durable.append_line(target, json.dumps(line, ensure_ascii=False))


def _more(report: Report) -> dict[str, object]:
    """Give what only some runs have."""
    stages = {name: at.isoformat() for name, at in report.stages.items()}
    more = {"stages": stages, "tick": report.tick, "log": report.log, "holds": [dict(h) for h in report.holds]}
    more["nulls"] = dict(report.nulls)
    more["where"] = dict(report.where)
    return {key: value for key, value in more.items() if value}
