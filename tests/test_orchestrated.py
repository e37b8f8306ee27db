"""Dagster, for whoever runs one: the same resources, the same bytes, the same ledger; closed to everybody else."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl import catalog, run
from etl.orchestrated import __main__ as starting
from etl.orchestrated import cadences
from etl.tasks import Errand
from tests import receiving
from twin.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
ABSENT = "Dagster is not installed here: pip install .[dagster]"


def test_it_is_started_on_the_loopback_without_telemetry_and_who_views_may_not_change(tmp_path: Path) -> None:
    for what in ("web", "view"):
        words = starting.command(what, 3000)
        assert words[words.index("-h") + 1] == "127.0.0.1"
        assert ("--read-only" in words) == (what == "view")
    assert "enabled: false" in (starting.home(tmp_path) / "dagster.yaml").read_text("utf-8")


def test_every_resource_that_may_be_received_is_in_one_job_of_its_department_and_cadence() -> None:
    known = catalog.read(ROOT / "data")
    found = cadences.groups(known)
    named = [r.id for g in found for r in g.resources]
    assert sorted(named) == sorted(r.id for d in known.whole for r in d.resources if r.share_type != "none")
    assert len({g.name for g in found}) == len(found) == len({(g.department.id, g.cadence.text) for g in found})
    assert all(cadences.crons(g.cadence.parts) for g in found if g.cadence.timed)


def files(data: Path) -> dict[str, str]:
    """Give the hashes of what was published and quarantined, and the manifests but for when they were written."""
    found = {}
    for path in sorted((data / "store").rglob("*")):
        name = path.relative_to(data).as_posix()
        if path.name == "manifest.json":
            told = json.loads(path.read_text("utf-8"))
            told = {k: v for k, v in told.items() if k not in ("created_at", "files")}
            found[name] = json.dumps(told, sort_keys=True)
        elif path.suffix == ".parquet":
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def lines(data: Path) -> list[dict]:
    """Give the lines of the ledger, but for their times."""
    told = [json.loads(line) for line in (data / "run" / "ledger.jsonl").read_text("utf-8").splitlines()]
    return [{k: v for k, v in line.items() if k not in ("started_at", "finished_at", "stages")} for line in told]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Settings]:
    """Give two data folders with the same delivery, the second the environment's."""
    village = receiving.village(tmp_path / "village")
    made = []
    for name in ("ours", "theirs"):
        data = tmp_path / name
        receiving.deliver(data, [receiving.feature(n) for n in range(9)] + [receiving.feature(9, DLBM="zz")])
        made.append(Settings(data=data, village=village))
    monkeypatch.setenv("ONEMAP_DATA", str(made[1].data))
    monkeypatch.setenv("ONEMAP_VILLAGE", str(village))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    return made[0], made[1]


def test_both_ways_give_the_same_bytes_and_the_same_ledger(both: tuple[Settings, Settings]) -> None:
    dagster = pytest.importorskip("dagster", reason=ABSENT)
    from etl.orchestrated import assets, definitions

    ours, theirs = both
    known = catalog.read(ours.village)
    resource = known.resource("cover")
    assert resource is not None
    run.run(resource, known, ours, errand=Errand(name="same"))
    made = definitions.definitions()
    group = cadences.groups(known)[0]
    with dagster.DagsterInstance.ephemeral() as instance:
        job = made.resolve_job_def(group.name)
        result = job.execute_in_process(instance=instance, tags={assets.RUN_TAG: "same"})
        assert result.success
        checks = (
            {
                e.event_specific_data.check_name: e.event_specific_data.passed
                for e in result.get_asset_check_evaluations_events()
            }
            if hasattr(result, "get_asset_check_evaluations_events")
            else {c.check_name: c.passed for c in result.get_asset_check_evaluations()}
        )
    assert checks == {assets.LEDGER: True, assets.GATES: True}
    assert files(ours.data) == files(theirs.data)
    assert lines(ours.data) == lines(theirs.data)
    assert lines(theirs.data)[0]["ledger"] == {
        "read": 10,
        "published": 9,
        "quarantined": 1,
        "duplicates": 0,
        "repaired": 0,
    }


def test_a_refused_delivery_fails_its_run_and_stands_in_the_ledger(both: tuple[Settings, Settings]) -> None:
    dagster = pytest.importorskip("dagster", reason=ABSENT)
    from etl.orchestrated import definitions

    _, theirs = both
    next((theirs.data / "raw").rglob("cover.geojson")).write_text('{"type": "FeatureColl', "utf-8")
    group = cadences.groups(catalog.read(theirs.village))[0]
    with dagster.DagsterInstance.ephemeral() as instance:
        job = definitions.definitions().resolve_job_def(group.name)
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    assert [line["status"] for line in lines(theirs.data)] == ["refused"]


def test_all_declared_resources_are_assets_with_checks_freshness_schedules_and_the_drop_folder(monkeypatch) -> None:
    dagster = pytest.importorskip("dagster", reason=ABSENT)
    monkeypatch.setenv("ONEMAP_VILLAGE", str(ROOT / "data"))
    from etl.orchestrated import assets, definitions

    known = catalog.read(ROOT / "data")
    made = definitions.definitions()
    graph = made.resolve_asset_graph()
    wanted = {assets.key(d.id, r.id): r for d in known.whole for r in d.resources if r.share_type != "none"}
    assert graph.materializable_asset_keys == set(wanted)
    assert {k.name for k in graph.asset_check_keys} == {assets.LEDGER, assets.GATES}
    assert len(graph.asset_check_keys) == 2 * len(wanted)
    promised = {k for k, r in wanted.items() if r.cadence_seconds}
    assert {k for k in wanted if graph.get(k).freshness_policy} == promised
    found = cadences.groups(known)
    assert {s.name for s in made.schedules or ()} == {f"{g.name}_schedule" for g in found if g.cadence.timed}
    assert "drop_folder" in {s.name for s in made.sensors or ()}
    group = next(g for g in found if any(p.kind == "workday" for p in g.cadence.parts))
    part = next(p for p in group.cadence.parts if p.kind == "workday")
    schedule = next(s for s in made.schedules if s.name == f"{group.name}_schedule")
    from zoneinfo import ZoneInfo

    from twin.runs import calendar

    zone, days = ZoneInfo(group.cadence.zone), calendar.read(ROOT / "data")
    due = days.nth(2025, 11, part.n)
    for day in range(1, 13):
        at = datetime(2025, 11, day, part.at.hour, part.at.minute, tzinfo=zone)
        with dagster.build_schedule_context(scheduled_execution_time=at.astimezone(UTC)) as context:
            ran = bool(schedule.evaluate_tick(context).run_requests)
        assert ran == (at.date() == due)


def test_who_views_can_change_nothing(both: tuple[Settings, Settings], tmp_path: Path) -> None:
    dagster = pytest.importorskip("dagster", reason=ABSENT)
    pytest.importorskip("dagster_webserver", reason=ABSENT)
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import EmptyWorkspaceTarget
    from dagster_webserver.webserver import DagsterWebserver
    from starlette.testclient import TestClient

    assert both
    with (
        dagster.DagsterInstance.from_config(str(starting.home(tmp_path))) as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget(), version="", read_only=True) as process,
    ):
        client = TestClient(DagsterWebserver(process).create_asgi_app())
        told = client.post("/graphql", json={"query": "{ permissions { permission value } }"}).json()
    allowed = {p["permission"] for p in told["data"]["permissions"] if p["value"]}
    assert allowed == set(), allowed
