"""Fewer versions are kept the older they are; never gone: the current one, what was current at a day's end, what is read."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import keeping
from tests import serving_fixture as village
from tests.backdating import dated
from tests.faults import harness
from twin.errors import BadRequest, NotFound, VersionGone
from twin.retention import rules, thinning
from twin.store import Past, Serving, Store, timeline
from twin.store.timeline import Held

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
KEPT = rules.Rules(versions={"all_days": 3, "daily_days": 10, "months": 3, "least": 2})


def held(*days_ago: float) -> list[Held]:
    return [Held(version=f"d{d:g}", since=NOW - timedelta(days=d)) for d in sorted(days_ago)]


def test_all_of_late_then_the_last_of_each_day_then_of_each_month() -> None:
    listed = held(0, 0.1, 1, 1.1, 5, 5.1, 5.2, 20, 24, 25, 40, 41, 60, 200)
    over = thinning.superfluous(listed, KEPT, NOW)
    assert over == ["d5.1", "d5.2", "d25", "d40", "d41"]


@given(st.lists(st.floats(0, 400), min_size=1, max_size=60, unique=True), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_what_was_current_at_the_end_of_a_kept_day_or_month_is_the_same_after(days: list[float], at: int) -> None:
    listed = held(*days)
    over = set(thinning.superfluous(listed, KEPT, NOW))
    left = [h for h in listed if h.version not in over]
    assert left[: KEPT.versions["least"]] == listed[: KEPT.versions["least"]]
    ends = list(thinning._ends(KEPT, NOW))
    for end in (ends[at], ends[10 + at % 3], NOW - timedelta(days=KEPT.versions["all_days"] * at / 9)):
        assert timeline.current_at(left, end) == timeline.current_at(listed, end)
    assert thinning.superfluous(left, KEPT, NOW) == [], "done twice is done once"


def test_what_waits_for_a_decision_stays() -> None:
    listed = held(0, 1, 5, 5.1, 5.2)
    assert "d5.1" in thinning.superfluous(listed, KEPT, NOW)
    assert "d5.1" not in thinning.superfluous(listed, KEPT, NOW, {"d5.1"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "store")
    for _ in range(4):
        village.publish(found, "cover", village.cover_rows(), kind="polygon")
    dated(found, "cover", *(NOW - timedelta(days=d) for d in (5.2, 5.1, 5, 0)))
    return found


def test_the_current_version_never_goes_and_what_goes_is_told(store: Store) -> None:
    current = store.current("cover").version
    gone = thinning.thin(store, "cover", KEPT, NOW)
    assert len(gone) == 2
    assert store.current("cover").version == current
    assert {r.version for r in store.removed("cover")} == set(gone)
    with pytest.raises(VersionGone, match="nearest kept"):
        store.as_of("cover", NOW - timedelta(days=5.05))
    with pytest.raises(BadRequest):
        store.collect("cover", [current])
    with pytest.raises(NotFound):
        store.collect("cover", ["never"])


def test_a_version_that_somebody_reads_stays_until_they_have_done(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.store.attached.GRACE_SECONDS", 0.0)
    serving = Serving(store)
    past = serving.over(Past(store, NOW - timedelta(days=5.05)))
    assert past.count("cover") == 18
    read = past.snapshot("cover").version
    gone = thinning.thin(Store(store.root), "cover", KEPT, NOW)
    assert read not in gone
    assert len(gone) == 1
    assert past.count("cover") == 18
    past.leave()
    assert thinning.thin(Store(store.root), "cover", KEPT, NOW) == (read,)


def test_killed_at_every_system_call_a_collection_leaves_every_version_the_chain_names(tmp_path: Path) -> None:
    before = Store(tmp_path / "before")
    for n in range(3):
        before.publish("pond", keeping.small(str(n)), version=f"r{n}")
    root = tmp_path / "store"
    seen = set()
    for call, nth, told in harness.points():
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(before.root, root)
        outcome = harness.run(
            lambda: Store(root).collect("pond", ["r0", "r1"]), call=call, what="signal=SIGKILL", nth=nth
        )
        told(outcome.reached)
        left = Store(root)
        chain = tuple(left.at("pond", v.version).manifest["value"] for v in left.versions("pond"))
        assert chain in (("2", "1", "0"), ("2",))
        assert chain == ("2",) or not outcome.acknowledged
        assert left.collect("pond", [v.version for v in left.versions("pond")[1:]]) is not None
        seen.add(chain)
    assert len(seen) == 2
