"""Whether there is anything to receive: nothing was delivered, it is what is published, or it was taken back before."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from etl import amending, catalog, fetch, ledger, tasks
from etl.fetch import connections

if TYPE_CHECKING:
    from pathlib import Path

    from etl.ledger import Report
    from etl.tasks import Task
    from twin.model import Resource, Source
    from twin.store import Snapshot

UNDELIVERED = ("尚未报送", "Nothing has been delivered")
UNSHARED = ("法律规定不予共享,只编目,不接收", "By law not shared: listed, never received")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Looked:
    """A task with its sources, their files and hash, the version that is published, the report where that is all."""

    task: Task
    parent: Snapshot | None
    report: Report | None
    files: tuple[fetch.FileSet, ...] = ()


def asks(resource: Resource, village: Path) -> bool:
    """Say whether a connection is asked for `resource`, the environment being what it is; raises SettingError."""
    named = {s.connection for s in resource.sources if s.connection}
    known = connections.read(village) if named else {}
    return any(n not in known or connections.opened(known[n]) is not None for n in named)


def look(task: Task) -> Looked:
    """Look at what was delivered, and read none of it; raises SourceError and what a connection raises."""
    parent = tasks.parent_of(task)
    task = dataclasses.replace(task, sources=_arranged(task, parent))
    if not task.sources:
        zh, en = UNSHARED if task.resource.share_type == "none" else UNDELIVERED
        return Looked(task=task, parent=parent, report=task.report("never", reason_zh=zh, reason_en=en))
    files = [fetch.fetch(s, task.settings.raw) for s in task.sources]
    if task.resource.kind not in catalog.FILES:
        task = dataclasses.replace(task, amending=amending.of(task.settings, task.resource))
    task = dataclasses.replace(task, delivery=tasks.delivery(task, files))
    task.reached("fetched")
    return Looked(task=task, parent=parent, report=_as_it_was(task, parent), files=tuple(files))


def _as_it_was(task: Task, parent: Snapshot | None) -> Report | None:
    if parent and not task.force and tasks.unchanged(task, parent.manifest):
        before = {k: parent.manifest.get(k, {}) for k in ("rules", "warnings", "repairs", "nulls")}
        facts = {"counts": parent.manifest.get("ledger", {}), "as_of": tasks.as_of(task.sources), **before}
        return task.report("unchanged", version=parent.version, **facts)
    gone_back = tasks.same_files(ledger.rolled_back(task.settings.data, task.resource.id), task.delivery)
    if gone_back and not (task.accepted or task.force):
        zh = "这份数据曾发布后被退回,未再发布;更正后重报,或用 --accept 发布"
        en = "This very delivery was published and rolled back; deliver a corrected one, or publish it with --accept"
        version = parent.version if parent else ""
        return task.report("held", reason_zh=zh, reason_en=en, version=version, delivery=task.delivery)
    return None


def _arranged(task: Task, parent: Snapshot | None) -> tuple[Source, ...]:
    """Give what there is to read: files as they lie, and what connections give; for an approved one, what they gave."""
    settings, published = task.settings, parent.manifest if parent else None
    still = bool(task.errand.approved)
    return fetch.arranged(task.resource, settings.raw, settings.village, published, whole=task.force, still=still)
