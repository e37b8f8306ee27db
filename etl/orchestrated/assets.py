"""Resources → Dagster's assets: what each is, what it stands on, what is checked of it, and how fresh it must be.

An asset is received by `etl.run` and by nothing else. The run ledger stays the truth; what Dagster is told is what
stands there. No I/O manager is used: nothing but reports passes through Dagster, and its DuckDB one builds SQL from
partition keys (CVE-2026-41490).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from etl import catalog, run
from etl.ledger import Report
from etl.orchestrated.cadences import Group
from etl.tasks import Errand
from twin import freshness
from twin import settings as setting
from twin.model import Department, Resource

LEDGER, GATES = "row_ledger", "gates"
RUN_TAG = "onemap/run"
"""A Dagster run with this tag gives its resource's run that name."""


def key(department: str, resource: str) -> dg.AssetKey:
    """Give the asset's key: department, then table."""
    return dg.AssetKey([department, resource])


def of_group(group: Group, known: catalog.Catalog) -> dg.AssetsDefinition:
    """Give the assets of one department that share a cadence; any of them can be run alone."""
    homes = {r.id: d.id for d in known.whole for r in d.resources}
    named = {key(group.department.id, r.id): r for r in group.resources}

    @dg.multi_asset(
        name=group.name,
        specs=[_spec(r, group.department, homes) for r in group.resources],
        check_specs=[dg.AssetCheckSpec(c, asset=k) for k in named for c in (LEDGER, GATES)],
        can_subset=True,
        op_tags={"department": group.department.id},
    )
    def received(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        chosen = [named[k] for k in named if k in context.selected_asset_keys]
        yield from _received(context, chosen, group.department)

    return received


def _spec(resource: Resource, department: Department, homes: dict[str, str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key(department.id, resource.id),
        deps=[key(homes[name], name) for name in resource.inputs],
        description=f"{resource.title.zh} · {resource.title.en}",
        group_name=department.id,
        metadata={"official_code": resource.code, "update_cycle": resource.update_cycle, "key": resource.key},
        tags={"theme": resource.theme, "share_type": resource.share_type},
        skippable=True,
        freshness_policy=_fresh(resource),
    )


def _fresh(resource: Resource) -> dg.FreshnessPolicy | None:
    """Say by when it must have been received again: its promise, and late after the house's grace."""
    if not resource.cadence_seconds:
        return None
    promised = timedelta(seconds=resource.cadence_seconds)
    return dg.FreshnessPolicy.time_window(fail_window=promised * (1 + freshness.GRACE_RATIO), warn_window=promised)


def _received(
    context: dg.AssetExecutionContext, chosen: Sequence[Resource], department: Department
) -> Iterator[dg.MaterializeResult[Any]]:
    """Receive each resource as `python -m etl run` does; a failed one stops none, and fails the run at its end."""
    settings = setting.read()
    known = catalog.read(settings.village)
    name = context.run.tags.get(RUN_TAG, "")
    failed: list[Report] = []
    for resource in chosen:
        report = run.run(resource, known, settings, errand=Errand(name=name))
        context.log.info("%s: %s %s", resource.id, report.status, report.reason_en)
        if report.status in freshness.GOOD:
            yield _told(report, key(department.id, resource.id))
        elif report.status != "never":
            failed.append(report)
    if failed:
        raise dg.Failure("; ".join(f"{r.resource}: {r.status}: {r.reason_en}" for r in failed), allow_retries=False)


def _told(report: Report, asset: dg.AssetKey) -> dg.MaterializeResult[Any]:
    counts = {k: int(v) for k, v in report.counts.items()}
    accounted = sum(counts.get(k, 0) for k in ("published", "quarantined", "duplicates", "erased"))
    checks = [
        dg.AssetCheckResult(passed=accounted == counts.get("read", 0), check_name=LEDGER, metadata=dict(counts)),
        dg.AssetCheckResult(passed=not report.holds, check_name=GATES, metadata={"holds": len(report.holds)}),
    ]
    return dg.MaterializeResult(
        asset_key=asset,
        metadata={"status": report.status, "version": report.version, "run": report.run, **counts},
        check_results=checks,
        data_version=dg.DataVersion(report.version),
    )


def all_of(groups: Iterable[Group], known: catalog.Catalog) -> list[dg.AssetsDefinition]:
    """Give the assets of every group."""
    return [of_group(group, known) for group in groups]
