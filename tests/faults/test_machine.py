"""Any order of publishes, kills, rollbacks, damage and reads, against a list that says what must be seen."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests import keeping
from twin.errors import NotFound, StoreBroken
from twin.store import Store
from twin.store.snapshots import KEEP

FILES = st.sampled_from(["part.parquet", "scene/tileset.json", "manifest.json"])


class PublishMachine(RuleBasedStateMachine):
    """The model is the chain, newest first, of [value, whole]."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.store = Store(self.folder / "store")
        self.chain: list[list] = []
        self.count = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def _next(self) -> str:
        self.count += 1
        return f"v{self.count}"

    @rule()
    def publish(self) -> None:
        value = self._next()
        self.store.publish("pond", keeping.small(value), version=value)
        self.chain = [[value, True], *self.chain][:KEEP]

    @rule(after=st.integers(0, 14))
    def publish_killed(self, after: int) -> None:
        """Kill a publish before its n-th fsync: nothing changed, or all of it."""
        value = self._next()
        child = os.fork()
        if child == 0:
            self._die_at_fsync(after)
            self.store.publish("pond", keeping.small(value), version=value)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if self._newest() == value:
            self.chain = [[value, True], *self.chain][:KEEP]
        else:
            assert os.WIFSIGNALED(status), "acknowledged and lost"

    @staticmethod
    def _die_at_fsync(after: int) -> None:
        real, left = os.fsync, [after]

        def fsync(descriptor: int) -> None:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            real(descriptor)

        os.fsync = fsync

    def _newest(self) -> str | None:
        try:
            return self.store.versions("pond")[0].version
        except NotFound:
            return None

    @precondition(lambda self: self.chain)
    @rule()
    def rollback(self) -> None:
        if len(self.chain) == 1:
            with pytest.raises(NotFound):
                self.store.rollback("pond")
            return
        self.chain = self.chain[1:]
        if any(whole for _, whole in self.chain):
            self.store.rollback("pond")
        else:
            with pytest.raises(StoreBroken):
                self.store.rollback("pond")

    @precondition(lambda self: any(whole for _, whole in self.chain))
    @rule(nth=st.integers(0, 4), name=FILES, bit=st.integers(0, 7), data=st.data())
    def damage(self, nth: int, name: str, bit: int, data: st.DataObject) -> None:
        nth %= len(self.chain)
        version = self.store.versions("pond")[nth].version
        path = self.folder / "store" / "pond" / f"v={version}" / name
        if not self.chain[nth][1]:
            return
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << bit
        path.write_bytes(content)
        self.chain[nth][1] = False

    @precondition(lambda self: self.chain)
    @rule(at=st.integers(0, 200))
    def damage_pointer(self, at: int) -> None:
        """Damage the pointer for a moment: its copy answers."""
        path = self.folder / "store" / "pond" / "current.json"
        if not path.with_name("current.copy.json").exists():
            return  # a first publish, killed between the two and never acknowledged
        content = path.read_bytes()
        path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        assert self.store.versions("pond")
        path.write_bytes(content)

    @invariant()
    def what_is_served_is_the_newest_whole_version(self) -> None:
        for store in (self.store, Store(self.store.root)):
            expected = next((value for value, whole in self.chain if whole), None)
            if not self.chain:
                with pytest.raises(NotFound):
                    store.current("pond")
            elif expected is None:
                with pytest.raises(StoreBroken):
                    store.current("pond")
            else:
                current = store.current("pond")
                assert current.manifest["value"] == expected
                assert current.file("scene/tileset.json").read_text() == expected
                assert bool(current.degraded) == (not self.chain[0][1])


PublishMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestPublishMachine = PublishMachine.TestCase
