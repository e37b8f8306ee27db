"""Many resources at once, two processes at a time; one that fails never stops another."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from etl import run as one
from etl import scenes
from etl.derived import order
from etl.ledger import Report, record

if TYPE_CHECKING:
    from pathlib import Path

    from etl.catalog import Catalog
    from twin.model import Resource
    from twin.settings import Settings

PROCESSES = 2
Progress = Callable[[str, int], None]


def run_all(
    resources: Sequence[Resource],
    catalog: Catalog,
    settings: Settings,
    *,
    accept: bool,
    force: bool,
    progress: Progress,
) -> Iterator[Report]:
    """Give each resource's report as it is finished, the largest deliveries begun first, derived tables in order."""
    made = {r.id for r in catalog.derived}
    last = order.ordered([r for r in resources if r.id in made])
    resources = [r for r in resources if r.id not in made]
    yield from _received(resources, catalog, settings, accept=accept, force=force, progress=progress)
    for table in last:  # each may be made of the one before it
        yield one.run(table, catalog, settings, accept=accept, force=force, progress=progress)


def _received(
    resources: Sequence[Resource],
    catalog: Catalog,
    settings: Settings,
    *,
    accept: bool,
    force: bool,
    progress: Progress,
) -> Iterator[Report]:
    """Give the report of each delivered resource; processes are begun only for what there is to receive."""
    new: list[Resource] = []
    for resource in resources:
        report = None if force else one.settled(resource, catalog, settings, accept=accept)
        if report is None:
            new.append(resource)
        else:
            yield report
    few = len(new) <= PROCESSES < len(resources)  # what is left of a quiet night is sooner done than a process begun
    resources = new
    if few or len(resources) <= 1:
        for resource in resources:
            yield one.run(resource, catalog, settings, accept=accept, force=force, progress=progress)
        return
    context = multiprocessing.get_context("spawn")
    given = (
        catalog,
        settings,
    )  # once a process: the whole catalogue takes longer to send than most resources to receive
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_begin, initargs=given) as pool:
        for wave in (False, True):  # 3D buildings stand on the terrain: they come after everything else
            begun = datetime.now(UTC)
            chosen = sorted((r for r in resources if scenes.wanted(r) is wave), key=lambda r: -_bytes(r, settings.raw))
            waiting: dict[Future[Report], Resource] = {
                pool.submit(_run, r.id, accept=accept, force=force): r for r in chosen
            }
            for future in as_completed(waiting):
                yield _report(future, waiting[future], settings, begun)


_given: list[tuple[Catalog, Settings]] = []
"""In a process of the pool: what it was begun with."""


def _begin(catalog: Catalog, settings: Settings) -> None:
    _given.append((catalog, settings))


def _run(resource: str, *, accept: bool, force: bool) -> Report:
    [(catalog, settings)] = _given
    found = catalog.resource(resource)
    assert found is not None  # noqa: S101 - it was taken from this catalogue
    return one.run(found, catalog, settings, accept=accept, force=force)


def _report(future: Future[Report], resource: Resource, settings: Settings, begun: datetime) -> Report:
    """Give the report, or one that says how our own code broke: the others still run."""
    error = future.exception()
    if error is None:
        return future.result()
    what = f"{type(error).__name__}: {error}"
    report = Report(
        resource=resource.id,
        run="",
        status="failed",
        started_at=begun,
        finished_at=datetime.now(UTC),
        reason_zh=f"程序错误,旧版本不受影响,请报告:{what}",
        reason_en=f"A fault of ours; the version before stays. Please report: {what}",
    )
    record(settings.data, report)
    return report


def _bytes(resource: Resource, raw: Path) -> int:
    paths = [raw / s.location for s in resource.sources]
    return sum(p.stat().st_size for p in paths if p.is_file())
