"""One resource from its files to its version: exact ledger, provenance, gates, refusals that leave the old version."""

import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from etl import catalog, gates, ledger, rollback, run, tasks
from etl.columns import Drift
from tests import receiving
from tests.receiving import deliver, feature, square
from twin import freshness
from twin.settings import Settings
from twin.store import Serving, Store

ROOT = Path(__file__).parents[1]


@pytest.fixture
def place(tmp_path):
    """Give (settings, catalogue) of a small village without deliveries."""
    receiving.village(tmp_path)
    return Settings(data=tmp_path, village=tmp_path), catalog.read(tmp_path)


def receive(place, **flags):
    settings, known = place
    return run.run(known.resource("cover"), known, settings, **flags)


def rows(place):
    serving = Serving(Store(place[0].store))
    found = serving.select("cover", sorted(serving.columns("cover") - {"geom"}), order_by=("id",))
    serving.close()
    return found


def quarantined(place):
    return pq.ParquetFile(tasks.quarantine(place[0]).current("cover").file("part.parquet")).read().to_pylist()


def test_five_rows_of_a_geojson_are_published_with_their_provenance(place):
    path = deliver(place[0].data, [feature(i) for i in range(5)])
    report = receive(place)
    assert (report.status, report.counts["published"]) == ("published", 5)
    found = rows(place)
    assert [r["id"] for r in found] == [f"P{i}" for i in range(5)]
    assert found[3]["_row"] == "4"
    assert found[3]["_source"] == "01_land/cover.geojson"
    assert found[3]["_source_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found[3]["_run"] == report.run == report.version
    assert found[3]["year"] == 2025
    assert found[3]["area_m2"] == pytest.approx(receiving.AREA, rel=1e-3)
    assert found[3]["stated_area_m2"] == receiving.AREA


def test_a_mixture_of_faults_balances_and_the_quarantine_keeps_row_geometry_and_reasons(place):
    bow = [square(9)[i] for i in (0, 2, 1, 3, 0)]
    features = [feature(i) for i in range(20)]
    features += [feature(0), feature(1, TBMJ=2700.0), feature(21, DLBM="0999"), feature(22, bow), feature(23, [])]
    features += [feature(24, TBMJ=5000.0), feature(25, TBMJ="约两亩")]
    deliver(place[0].data, features)
    report = receive(place)
    assert dict(report.counts) == {"read": 27, "published": 21, "quarantined": 5, "duplicates": 1, "repaired": 0}
    assert report.warnings == {"area_mismatch": 1}
    kept = {r["id"]: r for r in quarantined(place)}
    assert (
        json.loads(kept["P21"]["raw"]) == {"TBBH": "P21", "DLBM": "0999", "TBMJ": str(receiving.AREA)}
        or kept["P21"]["raw"]
    )
    assert kept["P22"]["geometry"] is not None
    assert kept["P23"]["geometry"] is None
    assert kept["P25"]["reasons"][0]["rule"] == "type_unreadable"
    for row in kept.values():
        assert row["_source"] == "01_land/cover.geojson"
        assert all(r["zh"] and r["en"] and r["remedy_zh"] and r["remedy_en"] for r in row["reasons"])
    flagged = [r["id"] for r in rows(place) if r["area_disagrees"]]
    assert flagged == ["P24"], "a stated area that disagrees is published, flagged, and kept as stated"


def test_the_manifest_tells_rows_ledger_sources_and_columns(place):
    deliver(place[0].data, [feature(i) for i in range(5)])
    receive(place)
    manifest = Store(place[0].store).current("cover").manifest
    assert manifest["rows"] == manifest["ledger"]["published"] == 5
    assert manifest["years"] == [2025]
    assert manifest["as_of"] == "2025-10-01"
    assert manifest["crs"] == "EPSG:4490"
    assert manifest["sources"][0]["path"] == "01_land/cover.geojson"
    assert {"land_class", "area_m2", "area_disagrees", "id", "year"} <= {c["name"] for c in manifest["columns"]}
    west, south, east, north = manifest["bbox"]
    assert 119.95 < west < east < 119.99
    assert 30.51 < south < north < 30.55


def test_the_same_delivery_again_is_unchanged_and_publishes_nothing(place):
    deliver(place[0].data, [feature(i) for i in range(5)])
    first = receive(place)
    again = receive(place)
    assert again.status == "unchanged"
    assert again.version == first.version
    assert receive(place, force=True).status == "published"


def test_a_changed_declaration_is_received_again(place):
    deliver(place[0].data, [feature(i) for i in range(5)])
    receive(place)
    settings, known = place
    resource = known.resource("cover")
    changed = dataclasses.replace(resource, area_tolerance_ratio=0.5)
    assert run.run(changed, known, settings).status == "published"


def test_a_resource_without_a_delivery_is_never_and_leaves_no_line(place):
    assert receive(place).status == "never"
    assert freshness.read(ledger.path(place[0].data)) == {}


def test_a_shrunken_delivery_is_held_and_published_when_accepted(place):
    deliver(place[0].data, [feature(i) for i in range(20)])
    first = receive(place)
    deliver(place[0].data, [feature(i) for i in range(15)])
    held = receive(place)
    assert held.status == "held"
    assert "25%" in held.reason_zh
    assert Store(place[0].store).current("cover").version == first.version
    assert receive(place, accept=True).status == "published"
    assert len(rows(place)) == 15


def test_a_renamed_column_is_held_and_named_old_to_new(place):
    deliver(place[0].data, [feature(i) for i in range(20)])
    receive(place)
    changed = [feature(i) for i in range(20)]
    for item in changed:
        item["properties"]["DLBM_NEW"] = item["properties"].pop("DLBM")
    deliver(place[0].data, changed)
    held = receive(place)
    assert held.status == "held"
    assert "DLBM" in held.reason_zh
    assert "DLBM_NEW" in held.reason_zh
    assert all(r["land_class"] == "0101" for r in rows(place)), "nothing was filled with nulls"


def test_an_extent_that_jumps_is_held():
    parent = {"rows": 10, "bbox": [119.96, 30.52, 119.97, 30.53], "years": []}
    assert not gates.against(parent, 10, [], [119.96, 30.52, 119.975, 30.53])
    assert gates.against(parent, 10, [], [119.96, 30.52, 119.99, 30.53])
    assert gates.against(parent, 10, [], [119.98, 30.52, 119.99, 30.53])


def test_a_lost_edition_and_a_changed_crs_are_held():
    parent = {"rows": 10, "years": [2020, 2025], "sources": [{"path": "a.shp", "crs": "EPSG:4549"}]}
    assert "2020" in gates.against(parent, 10, [2025], None)[0].zh
    assert gates.systems(parent, {"a.shp": "EPSG:4528"})
    assert not gates.systems(parent, {"a.shp": "EPSG:4549", "b.shp": "EPSG:4528"})
    assert not gates.shape([("a.shp", Drift())])


def test_a_file_whose_rows_all_lie_elsewhere_is_refused_as_a_whole(place):
    deliver(place[0].data, [feature(i) for i in range(8)])
    first = receive(place)
    deliver(place[0].data, [feature(i, [[y, x] for x, y in square(i)]) for i in range(8)])
    refused = receive(place)
    assert refused.status == "refused"
    assert "8/8" in refused.reason_zh
    assert Store(place[0].store).current("cover").version == first.version


@pytest.mark.parametrize("junk", [b"", b"<html>please sign in</html>", b'{"type": "FeatureCollection", "features": ['])
def test_a_file_that_is_no_map_is_refused_and_the_old_version_stays(place, junk):
    path = deliver(place[0].data, [feature(i) for i in range(5)])
    first = receive(place)
    path.write_bytes(junk)
    refused = receive(place)
    assert refused.status == "refused"
    assert refused.reason_zh
    assert refused.reason_en
    assert Store(place[0].store).current("cover").version == first.version
    assert len(rows(place)) == 5


def test_a_delivery_of_nothing_publishable_is_held(place):
    deliver(place[0].data, [feature(i, DLBM="zz") for i in range(3)])
    held = receive(place)
    assert held.status == "held"
    assert Store(place[0].store).tables() == []
    assert len(quarantined(place)) == 3


def test_a_rollback_returns_the_version_before_and_the_bad_delivery_stays_out(place):
    deliver(place[0].data, [feature(i) for i in range(5)])
    first = receive(place)
    deliver(place[0].data, [feature(i, TBMJ=2600.0) for i in range(5)])
    receive(place)
    assert rollback.rollback(place[0], "cover").version == first.version
    assert {r["stated_area_m2"] for r in rows(place)} == {receiving.AREA}
    assert tasks.quarantine(place[0]).current("cover").manifest["run"] == first.run
    held = receive(place)
    assert held.status == "held"
    assert "退回" in held.reason_zh
    deliver(place[0].data, [feature(i, TBMJ=2650.0) for i in range(5)])
    assert receive(place).status == "published"


def test_what_is_new_is_left_to_a_run_and_what_is_not_is_settled_and_recorded(place):
    known = place[1]
    cover = known.resource("cover")
    assert run.settled(cover, known, place[0]).status == "never"
    deliver(place[0].data, [feature(i) for i in range(5)])
    assert run.settled(cover, known, place[0]) is None
    first = receive(place)
    settled = run.settled(cover, known, place[0])
    assert (settled.status, settled.version, settled.counts) == ("unchanged", first.version, first.counts)
    lines = [json.loads(x)["status"] for x in ledger.path(place[0].data).read_text().splitlines()]
    assert lines == ["published", "unchanged"]
    deliver(place[0].data, [feature(i) for i in range(6)])
    assert run.settled(cover, known, place[0]) is None


KILLED = """
import os, signal, sys
from pathlib import Path
from etl import catalog, publishing, run
from twin.settings import Settings
root = Path(sys.argv[1])
def die(*a, **k): os.kill(os.getpid(), signal.SIGKILL)
module, name = sys.argv[2].split(":")
import importlib
setattr(importlib.import_module(module), name, die)
known = catalog.read(root)
run.run(known.resource("cover"), known, Settings(data=root, village=root))
"""
STEPS = ["etl.contract:judge", "etl.publishing:prepare", "etl.publishing:fill_quarantine", "etl.publishing:fill_table"]


@pytest.mark.parametrize("step", [*STEPS, "etl.ledger:record"])
def test_a_run_killed_at_any_step_leaves_a_whole_version_and_the_next_run_goes_through(place, step):
    deliver(place[0].data, [feature(i) for i in range(5)])
    receive(place)
    deliver(place[0].data, [feature(i) for i in range(6)])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", KILLED, str(place[0].data), step]
    done = subprocess.run(command, env=environment, cwd=place[0].data, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert len(rows(place)) in (5, 6)
    assert receive(place).status in ("published", "unchanged")
    assert len(rows(place)) == 6
    assert quarantined(place) == []
    assert [p.name for p in (place[0].data / "run" / "stage").iterdir()] == [".lock"], "nothing is left lying about"


def test_a_resource_without_geometry_is_received_too(tmp_path):
    start = receiving.DEPARTMENT
    text = start.replace('kind = "polygon"', 'kind = "none"').replace('stated_area = "stated_area_m2"\n', "")
    text = text.replace("cover.geojson", "cover.csv").replace('format = "GeoJSON"', 'format = "CSV"')
    text = text.replace('reader = "vector"', 'reader = "table"').replace('crs = "EPSG:4490"\n', "")
    receiving.village(tmp_path, text)
    path = tmp_path / "raw" / "01_land" / "cover.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes('TBBH,DLBM,TBMJ\nP1,0101,１２.5\nP2,0101,"1,000"\nP3,zz,1\n'.encode("gb18030"))
    known = catalog.read(tmp_path)
    report = run.run(known.resource("cover"), known, Settings(data=tmp_path, village=tmp_path))
    assert (report.status, report.counts.get("published"), report.reason_zh) == ("published", 2, "")
    assert [r["stated_area_m2"] for r in rows((Settings(data=tmp_path), known))] == [12.5, 1000.0]


# freshness

NOW = datetime(2025, 11, 21, 2, 32, tzinfo=UTC)


def last(status="published", days=1.0, as_of=None, good=True):
    when = NOW - timedelta(days=days)
    return freshness.LastRun(
        resource="r", run="1", status=status, finished_at=when, good_at=when if good else None, as_of=as_of
    )


@pytest.mark.parametrize(
    ("run_", "cadence", "state"),
    [
        (None, 86400, "never"),
        (last(days=1), 86400, "fresh"),
        (last(days=1.3), 86400, "stale"),
        (last(days=400), 0, "fresh"),
        (last(days=0, as_of=date(2025, 11, 20)), 86400, "fresh"),
        (last(days=0, as_of=date(2025, 11, 10)), 86400, "stale"),
        (last(days=0, as_of=date(2025, 12, 30)), 86400, "fresh"),
        (last(status="refused"), 86400, "failed"),
        (last(status="held", good=False), 86400, "held"),
        (last(status="unchanged", days=0), 3600, "fresh"),
    ],
)
def test_freshness_is_judged_by_the_age_of_the_content_and_the_last_run(run_, cadence, state):
    found = freshness.status(run_, cadence, NOW)
    assert found.state == state
    assert found.shape == freshness.SHAPES[state]


def test_the_ledger_is_read_past_a_torn_line_and_keeps_what_was_last_good(tmp_path):
    path = tmp_path / "ledger.jsonl"
    good = {
        "resource": "r",
        "run": "1",
        "status": "published",
        "finished_at": NOW.isoformat(),
        "as_of": "2025-11-20",
        "version": "1",
    }
    bad = {
        "resource": "r",
        "run": "2",
        "status": "refused",
        "finished_at": NOW.isoformat(),
        "reason_zh": "坏",
        "as_of": "2025-11-21",
    }
    path.write_text(json.dumps(good) + '\n{"resource": "r", "sta\n' + json.dumps(bad) + "\n", "utf-8")
    found = freshness.read(path)["r"]
    assert (found.status, found.as_of, found.version, found.reason_zh) == ("refused", date(2025, 11, 20), "1", "坏")
    assert freshness.read(tmp_path / "nothing.jsonl") == {}
