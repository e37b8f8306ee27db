"""What Dagster loads: `dagster dev -m etl.orchestrated.definitions` with ONEMAP_DATA and ONEMAP_VILLAGE set.

Dagster's own server asks nobody who they are: `python -m etl.orchestrated` binds it to the loopback, without telemetry;
viewers are given a second one with --read-only. Nothing of it may be opened beyond this machine but behind our login.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from etl import catalog
from etl.orchestrated import assets, cadences
from etl.orchestrated.cadences import Group
from etl.schedule import arrivals
from twin import settings as setting
from twin.runs import cadence, calendar
from twin.runs.calendar import Calendar

LOOK_SECONDS = 30


def definitions() -> dg.Definitions:
    """Give assets, jobs, schedules and sensors of every resource the village declares."""
    settings = setting.read()
    known = catalog.read(settings.village)
    found, days = cadences.groups(known), calendar.read(settings.village)
    jobs = {g.name: dg.define_asset_job(g.name, selection=_selected(g)) for g in found}
    homes = {r.id: d.id for d in known.whole for r in d.resources}
    return dg.Definitions(
        assets=assets.all_of(found, known),
        jobs=list(jobs.values()),
        schedules=[_schedule(g, jobs[g.name], days) for g in found if g.cadence.timed],
        sensors=[*_arriving(found, jobs), *(_after(g, jobs[g.name], homes) for g in found if g.cadence.inputs)],
    )


def _selected(group: Group) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(assets.key(group.department.id, r.id) for r in group.resources))


def _schedule(group: Group, job: object, days: Calendar) -> dg.ScheduleDefinition:
    """Give the schedule of a group; a day that is no working day of its cadence is skipped."""
    return dg.ScheduleDefinition(
        name=f"{group.name}_schedule",
        job=job,  # pyright: ignore[reportArgumentType] - what define_asset_job gives
        cron_schedule=cadences.crons(group.cadence.parts),
        execution_timezone=group.cadence.zone,
        should_execute=_due(group, days),
    )


def _due(group: Group, days: Calendar) -> Callable[[dg.ScheduleEvaluationContext], bool]:
    def due(context: dg.ScheduleEvaluationContext) -> bool:
        at = context.scheduled_execution_time.astimezone(UTC)
        return cadence.next_fire(group.cadence, at - timedelta(seconds=1), days) == at

    return due


def _arriving(groups: list[Group], jobs: dict[str, object]) -> Iterator[dg.SensorDefinition]:
    """Give the sensor of the drop folder: what lies still and is new is received, once for each state it lies in."""
    waiting = [g for g in groups if g.cadence.arrival]
    if not waiting:
        return

    @dg.sensor(name="drop_folder", minimum_interval_seconds=LOOK_SECONDS, jobs=[jobs[g.name] for g in waiting])  # pyright: ignore[reportArgumentType]
    def drop_folder(_context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest]:
        raw, now = setting.read().raw, datetime.now(UTC)
        for group in waiting:
            for resource in group.resources:
                found = arrivals.lying(resource, raw, now)
                if found:
                    asset = assets.key(group.department.id, resource.id)
                    run_key = f"{resource.id}-{found.mark}"
                    yield dg.RunRequest(run_key=run_key, job_name=group.name, asset_selection=[asset])

    yield drop_folder


def _after(group: Group, job: object, homes: dict[str, str]) -> dg.SensorDefinition:
    """Give the sensor that makes derived tables anew once one of their inputs was published."""
    watched = [assets.key(homes[name], name) for name in group.cadence.inputs]

    @dg.multi_asset_sensor(monitored_assets=watched, job=job, name=f"{group.name}_inputs")  # pyright: ignore[reportArgumentType, reportCallIssue]
    def inputs(context: dg.MultiAssetSensorEvaluationContext) -> Iterator[dg.RunRequest]:
        new = {k: r for k, r in context.latest_materialization_records_by_key().items() if r}
        if new:
            context.advance_cursor(new)
            yield dg.RunRequest(run_key="-".join(sorted(str(r.storage_id) for r in new.values())))

    return inputs


defs = definitions()
