"""Power lost during a publish: what the disk holds at any moment is the whole old or the whole new version."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import keeping
from tests.faults import harness, power
from twin.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def _tracing() -> None:
    harness.need(harness.can_trace(), "strace attaches to a child process (apt install strace; ptrace allowed)")
    harness.need(os.geteuid() == 0, "be root to mount a power-loss image")


def _cut(kind: str, below: Path, call: str, nth: int) -> harness.Outcome:
    """Publish "new" over "old" on a fresh copy of the file system, cut at the n-th call; prove the image left."""
    live, crashed = below / "live.img", below / "crashed.img"
    power.copy_image(below / "old.img", live)
    with power.mounted(kind, power.OPTIONS[kind], below, live) as disk:
        outcome = harness.run(
            lambda: Store(disk / "store").publish("pond", keeping.small("new")),
            call=call,
            what="signal=SIGKILL",
            nth=nth,
            also=lambda: power.copy_image(live, crashed),
        )
    with power.mounted(kind, power.OPTIONS[kind], below, crashed) as disk:
        found = harness.state(disk / "store")
        assert found in ("old", "new"), f"{kind}, {call} {nth}"
        assert found == "new" or not outcome.acknowledged, f"{kind}: acknowledged and lost at {call} {nth}"
        Store(disk / "store").publish("pond", keeping.small("again"))
        assert harness.litter(disk / "store") == []
    return outcome


def _old(kind: str, below: Path) -> None:
    power.make_image(kind, below / "old.img")
    with power.mounted(kind, power.OPTIONS[kind], below, below / "old.img") as disk:
        Store(disk / "store").publish("pond", keeping.small("old"))


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_power_lost_at_any_call_leaves_the_whole_old_or_the_whole_new(kind: str, tmp_path: Path) -> None:
    _old(kind, tmp_path)
    for call, nth, told in harness.points(harness.MUTATING):
        told(_cut(kind, tmp_path, call, nth).reached)


def test_the_method_sees_what_a_missing_fsync_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fsync taken out an acknowledged publish is lost or torn: the images do show a power cut."""
    _old("ext4", tmp_path)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    with pytest.raises(AssertionError):
        _cut("ext4", tmp_path, "mkdir", 10_000)
