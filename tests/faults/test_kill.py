"""A publish killed, or failed by the disk, at every one of its system calls."""

from __future__ import annotations

import functools
import shutil
from typing import TYPE_CHECKING

import pytest

from tests import keeping
from tests.faults import harness
from twin.errors import StoreFull
from twin.store import Store, snapshots

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def _tracing() -> None:
    harness.need(harness.can_trace(), "strace attaches to a child process (apt install strace; ptrace allowed)")


def _publish(root: Path, value: str, fill=keeping.small) -> None:
    Store(root).publish("pond", fill(value), version=f"r-{value}")


def _real(value: str):
    return functools.partial(_real_fill, value=value)


def _real_fill(directory: Path, *, value: str):
    return keeping.fill(directory, n=4) | {"value": value}


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep few versions, so that a publish removes one on the way."""
    monkeypatch.setattr(snapshots, "KEEP", 5)


def _sweep(tmp_path: Path, fill=keeping.small, *, old: bool = True) -> dict[str | None, int]:
    """Kill at the 1st, 2nd, … call until the publish comes through; prove the store after each."""
    before = tmp_path / "before"
    before.mkdir()
    for n in range(snapshots.KEEP if old else 0):  # so that the oldest version is removed on the way
        Store(before).publish("pond", fill("old"), version=f"r-old{n}")
    ended: dict[str | None, int] = {}
    root = tmp_path / "store"
    for call, nth, told in harness.points():
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(before, root)
        outcome = harness.run(lambda: _publish(root, "new", fill), call=call, what="signal=SIGKILL", nth=nth)
        told(outcome.reached)
        found = harness.state(root)
        assert found in ("old" if old else None, "new"), f"{call} {nth}"
        assert found == "new" or not outcome.acknowledged, f"acknowledged and lost at {call} {nth}"
        if outcome.reached:
            ended[found] = ended.get(found, 0) + 1
            Store(root).publish("pond", fill("again"), version="r-again")
            assert harness.state(root) == "again"
            assert harness.litter(root) == []
    return ended


def test_killed_at_every_system_call_a_publish_leaves_the_whole_old_or_the_whole_new(tmp_path: Path) -> None:
    ended = _sweep(tmp_path)
    assert sum(ended.values()) > 60
    assert set(ended) == {"old", "new"}


def test_killed_at_every_system_call_a_first_publish_leaves_nothing_or_the_whole(tmp_path: Path) -> None:
    assert set(_sweep(tmp_path, old=False)) == {None, "new"}


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_at_every_system_call_a_real_vector_publish_is_all_or_nothing(tmp_path: Path) -> None:
    assert set(_sweep(tmp_path, _real)) == {"old", "new"}


def test_killed_at_every_system_call_a_rollback_is_all_or_nothing(tmp_path: Path) -> None:
    _publish(tmp_path / "before", "old")
    _publish(tmp_path / "before", "new")
    root = tmp_path / "store"
    for call, nth, told in harness.points():
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(tmp_path / "before", root)
        outcome = harness.run(lambda: Store(root).rollback("pond"), call=call, what="signal=SIGKILL", nth=nth)
        told(outcome.reached)
        found = harness.state(root)
        assert found in ("old", "new")
        assert found == "old" or not outcome.acknowledged


@pytest.mark.parametrize(("call", "error"), [("fsync", "EIO"), ("write", "ENOSPC"), ("rename", "EIO")])
def test_a_failing_call_is_never_acknowledged_and_the_store_stays_whole(tmp_path: Path, call: str, error: str) -> None:
    for name, nth, told in harness.points([call]):
        root = tmp_path / str(nth)
        _publish(root, "old")
        outcome = harness.run(lambda: _publish(root, "new"), call=name, what=f"error={error}", nth=nth)  # noqa: B023
        told(outcome.reached)
        found = harness.state(root)
        if outcome.acknowledged:
            assert found == "new"
        else:
            assert found in ("old", "new")
            _publish(root, "again")
            assert harness.state(root) == "again"
            assert harness.litter(root) == []
    assert nth > 2


@pytest.mark.parametrize("share", [10, 30, 50, 70, 90, 97])
def test_a_disk_that_fills_up_is_named_and_the_old_version_serves(tmp_path: Path, share: int) -> None:
    from tests.faults.power import mounted

    with mounted("tmpfs", f"size={400 + 4 * share}k", tmp_path) as disk:
        root = disk / "store"
        _publish(root, "old")
        with pytest.raises(StoreFull) as full:
            Store(root).publish("pond", keeping.small("new", size=400_000))
        assert str(root / "pond") in full.value.en
        assert int(full.value.where["free_bytes"]) >= 0
        assert harness.state(root) == "old"
        assert harness.litter(root) == []
        Store(root).publish("pond", keeping.small("small"))
        assert harness.state(root) == "small"


def test_killed_at_every_system_call_a_change_of_versions_is_all_or_nothing(tmp_path: Path) -> None:
    before = tmp_path / "before"
    for value in ("old", "older", "now"):
        _publish(before, value)
    root = tmp_path / "store"
    seen: set[tuple[str, ...]] = set()

    def change() -> None:
        Store(root).change("pond", {"r-now": keeping.small("anew"), "r-old": None}, "erasure")

    for call, nth, told in harness.points():
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(before, root)
        outcome = harness.run(change, call=call, what="signal=SIGKILL", nth=nth)
        told(outcome.reached)
        assert harness.state(root) in ("now", "anew"), f"{call} {nth}"
        store = Store(root)
        found = tuple(store.at("pond", v.version).manifest["value"] for v in store.versions("pond"))
        assert found in (("now", "older", "old"), ("anew", "older")), f"{call} {nth}"
        assert found == ("anew", "older") or not outcome.acknowledged
        seen.add(found)
        if found[0] == "now":
            change()
        store.change("pond", {}, "erasure")
        assert harness.litter(root) == []
        assert [r.version for r in store.removed("pond")] == ["r-old"]
    assert len(seen) == 2
