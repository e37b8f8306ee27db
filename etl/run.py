"""One resource, from its delivered files to a published version: fetch → read → judge → publish → ledger."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl import (
    catalog,
    contract,
    drift,
    fetch,
    gates,
    holding,
    ledger,
    outcome,
    proofs,
    publishing,
    rasters,
    scenes,
    shelf,
    staging,
    tasks,
    unchanged,
)
from etl.derived import build
from etl.gates import Hold
from etl.ledger import Report
from etl.tasks import NOBODY, Errand, Progress, Task
from twin import duck, durable
from twin.errors import ContractError, CrsError, SourceError, TwinError
from twin.retention import applying, requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from etl.catalog import Catalog
    from twin.model import Resource
    from twin.retention.marks import Marks
    from twin.settings import Settings
    from twin.store import Snapshot

STAGE_MEMORY = "192MB"
"""What DuckDB may hold of one delivery in memory, however many rows it has; the rest is on disk."""
STAGE_THREADS = 1
"""Two would share that memory, and near its limit two half-sized sorts spill more and cost more than one."""
REFUSALS = (SourceError, CrsError, ContractError)


def _quiet(_resource: str, _rows: int) -> None:
    """Say nothing."""


def run(
    resource: Resource,
    known: Catalog,
    settings: Settings,
    *,
    accept: bool = False,
    force: bool = False,
    progress: Progress = _quiet,
    errand: Errand = NOBODY,
) -> Report:
    """Receive `resource` and publish it; whatever goes wrong is in the report, and the version before stays.

    `accept` publishes what a gate would hold; `force` receives again what has not changed.
    """
    if resource.reader == proofs.DERIVED:
        return build.build(resource, known, settings, force=force)
    task = _task(resource, known, settings, accept=accept, force=force, progress=progress, errand=errand)
    try:
        report = _receive(task)
    except TwinError as error:
        status: ledger.Status = "refused" if isinstance(error, REFUSALS) else "failed"
        report = task.report(status, reason_zh=error.zh, reason_en=error.en, where=error.where)
    except (OSError, duck.Error, pa.ArrowException, MemoryError) as error:
        what = f"{type(error).__name__}: {error}"
        report = task.report("failed", reason_zh=f"运行出错,旧版本不受影响:{what}", reason_en=f"The run failed: {what}")
    ledger.record(settings.data, report)
    return report


def _task(
    resource: Resource,
    known: Catalog,
    settings: Settings,
    *,
    accept: bool = False,
    force: bool = False,
    progress: Progress = _quiet,
    errand: Errand = NOBODY,
) -> Task:
    started = datetime.now(UTC)
    return Task(
        resource=resource,
        catalog=known,
        settings=settings,
        run=errand.name or f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        started_at=started,
        accept=accept,
        force=force,
        progress=progress,
        sources=(),
        declaration=tasks.declaration(resource, known),
        errand=errand,
    )


def settled(resource: Resource, known: Catalog, settings: Settings, *, accept: bool = False) -> Report | None:
    """Give and record what became of a resource of which nothing new lies there, None for one that is to be received.

    It reads hashes only: connections are not asked, and what stands on another table is not looked at.
    """
    if resource.reader == proofs.DERIVED or scenes.wanted(resource):
        return None
    task = _task(resource, known, settings, accept=accept)
    try:
        lies = any((settings.raw / s.location).exists() for s in resource.sources)
        if (lies and tasks.parent_of(task) is None) or unchanged.asks(resource, settings.village):
            return None
        report = unchanged.look(task).report
    except (TwinError, OSError):  # whoever receives it meets it again, and says so
        return None
    if report is not None:
        ledger.record(settings.data, report)
    return report


def _receive(task: Task) -> Report:
    looked = unchanged.look(task)
    if looked.report is not None:
        return looked.report
    receive = _receive_files if task.resource.kind in catalog.FILES else _receive_rows
    with tasks.naming(looked.files):
        return receive(looked.task, looked.parent)


def _receive_rows(task: Task, parent: Snapshot | None) -> Report:
    with (
        durable.workplace(task.settings.data / "run" / "stage") as folder,
        _database(task.resource, folder / "spill") as connection,
    ):
        return _judge_and_publish(task, parent, connection, folder)


def _database(resource: Resource, spill: Path) -> contextlib.AbstractContextManager[duck.Connection]:
    if resource.kind != "none":
        return duck.lent(threads=STAGE_THREADS, memory=STAGE_MEMORY, temp=spill)
    return contextlib.closing(duck.connect(threads=STAGE_THREADS, memory=STAGE_MEMORY, temp=spill, spatial=False))


def _judge_and_publish(task: Task, parent: Snapshot | None, connection: duck.Connection, folder: Path) -> Report:
    resource = task.resource
    delivered = _staged(task, folder)
    shelf.show(connection, (d.shelf for d in delivered))
    marks = requests.held_out(task.settings)
    held_out = bool(marks) and holding.hold_out(connection, resource, marks) > 0
    systems, payload = task.catalog.code_systems, staging.payload(resource)
    accepted = task.amending.lay(connection)
    verdict = contract.judge(connection, resource, systems, payload, held_out=held_out, accepted=accepted)
    if verdict.read != sum(d.rows for d in delivered):
        raise contract.unbalanced(resource, f"{verdict.read} != {sum(d.rows for d in delivered)}")
    publishing.prepare(connection, resource, task.run, delivered)
    task.reached("checked")
    held = _holds(connection, task, parent, delivered, verdict)
    facts = outcome.facts(task, delivered, verdict)
    publishing.publish_quarantine(task, connection, delivered, verdict)
    if held and not task.accepted:
        zh = ";".join(h.zh for h in held) + "。旧版本保留,核实后用 --accept 发布"
        en = "; ".join(h.en for h in held) + ". The version before stays; publish with --accept once checked"
        _sift(task, marks)
        kept = {"version": parent.version if parent else "", "delivery": task.delivery, "holds": _told(held)}
        return task.report("held", reason_zh=zh, reason_en=en, **kept, **facts)
    duck.give_back()
    published = publishing.publish_rows(task, connection, delivered, verdict)
    _sift(task, marks)
    fetch.keep(task.settings.raw, resource.id, tasks.manifests(task))
    task.reached("published")
    nulls = published.manifest.get("nulls") or {}
    return task.report("published", version=published.version, nulls=nulls, **facts)


def _staged(task: Task, folder: Path) -> list[staging.Delivered]:
    """Lay every source's rows on a shelf in `folder`."""
    desk = staging.Desk(
        resource=task.resource,
        village=task.catalog.village,
        raw=task.settings.raw,
        folder=folder,
        progress=task.progress,
        amending=task.amending,
    )
    delivered: list[staging.Delivered] = []
    for number, source in enumerate(task.sources):
        first = sum(d.rows for d in delivered)
        delivered.append(staging.stage(desk, number, source, first))
    task.reached("read")
    pa.default_memory_pool().release_unused()
    duck.give_back()
    return delivered


def _told(held: Sequence[Hold]) -> tuple[dict[str, Any], ...]:
    return tuple(dataclasses.asdict(one) for one in held)


def _sift(task: Task, marks: Marks) -> None:
    """Take marked people out of the quarantine: there a row stands as received, with values that were not taken up."""
    if marks:
        applying.apply_to_store(task.settings.store, marks, only=task.resource.id)


def _holds(
    connection: duck.Connection,
    task: Task,
    parent: Snapshot | None,
    delivered: Sequence[staging.Delivered],
    verdict: contract.Verdict,
) -> list[Hold]:
    for one in delivered:
        one.drift = drift.named(one.drift, one, parent, connection)
    held = gates.shape((d.location, d.drift) for d in delivered)
    if not verdict.published:
        held.append(Hold(zh="没有一行可以发布", en="Not one row can be published"))
    if parent:
        box = publishing.extent(connection, task.resource)
        held += gates.against(parent.manifest, verdict.published, publishing.years(connection), box)
        held += gates.systems(parent.manifest, {d.location: d.crs for d in delivered})
        held += drift.holds(connection, task.resource, parent, delivered)
    return held


def _receive_files(task: Task, parent: Snapshot | None) -> Report:
    """Receive rasters or a scene: files rather than rows, so read = published = files."""
    resource, settings, village = task.resource, task.settings, task.catalog.village
    taken = rasters.read(resource, task.sources, settings.raw, village, task.progress)
    counts = {"read": len(taken), "published": len(taken), "quarantined": 0, "duplicates": 0, "repaired": 0}
    task.reached("read")
    held = gates.systems(parent.manifest, {t.location: t.crs for t in taken}) if parent else []
    task.reached("checked")
    if held and not task.accepted:
        zh, en = ";".join(h.zh for h in held), "; ".join(h.en for h in held)
        kept = {"delivery": task.delivery, "holds": _told(held)}
        return task.report("held", reason_zh=zh, reason_en=en, counts=counts, as_of=tasks.as_of(task.sources), **kept)

    def fill(directory: Path) -> Mapping[str, Any]:
        facts = rasters.fill(resource, taken, village, directory)
        return {**facts, **tasks.provenance(task, rasters.manifest_sources(taken)), "ledger": counts}

    version = task.store.publish(resource.id, fill, version=task.run).version
    fetch.keep(settings.raw, resource.id, tasks.manifests(task))
    task.reached("published")
    return task.report("published", counts=counts, version=version, as_of=tasks.as_of(task.sources))
