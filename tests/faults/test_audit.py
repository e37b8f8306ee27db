"""The record when the disk is full, the database locked, read-only or gone, and when its writer is killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import recording
from tests.faults import power
from tests.faults.power import mounted
from tests.recording import SECRET, WRITER, event
from twin import ops
from twin.audit import Audit
from twin.errors import AuditDown, OpsDown
from twin.ops import engine


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a moment for a lock, not five seconds."""
    monkeypatch.setattr(engine, "WAIT_S", 1)
    monkeypatch.setattr(engine, "PRAGMAS", (*engine.PRAGMAS[:-1], "PRAGMA busy_timeout=300"))


def refused(recorded: Audit) -> str:
    """Give why the record cannot be written."""
    with pytest.raises(AuditDown) as down:
        recorded.write(event(99))
    return down.value.where.get("reason", "")


def test_a_locked_record_refuses_and_goes_on_when_the_lock_is_gone(url: str, tmp_path: Path) -> None:
    store, other = ops.Ops(url), ops.Ops(url)
    recorded = Audit(store, SECRET, folder=tmp_path / "audit")
    recorded.write(event(1))
    with other.begin():
        assert refused(recorded) == "locked"
        assert len(recorded.entries()) == 1, "reading goes on"
    assert recorded.write(event(2)) == 2
    assert recorded.verify() == []
    store.close()
    other.close()


def test_a_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with mounted("tmpfs", "size=1m", tmp_path) as disk:
        recorded = recording.audit(disk)
        kept = recorded.write(event(1))
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(AuditDown) as down:  # noqa: PT012  (a page or two were there already)
            for number in range(2000):
                kept = recorded.write(event(number, detail={"more": "x" * 2000}))
        assert down.value.where["reason"] == "full"
        assert recorded.entries()[0]["seq"] == kept, "public reading goes on, and what was acknowledged is there"
        filler.unlink()
        assert recorded.write(event(1)) == kept + 1
        assert recorded.verify() == []
        recorded._store.close()


@pytest.mark.parametrize(("what", "reason"), [("ops.sqlite", "read-only"), (".", "unreachable")])
def test_a_read_only_file_or_disk_refuses_and_goes_on_when_it_is_not(tmp_path: Path, what: str, reason: str) -> None:
    with mounted("tmpfs", "size=4m", tmp_path) as disk:
        recorded = recording.audit(disk)
        recorded.write(event(1))
        recorded._store.close()
        with read_only(disk / what):
            assert refused(recorded) == reason
            if what != ".":
                assert len(recorded.entries()) == 1, "reading goes on"
            recorded._store.close()
        assert recorded.write(event(2)) == 2
        assert recorded.verify() == []
        recorded._store.close()


@contextlib.contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Lay a read-only mount of a file or folder over itself."""
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_an_anchor_that_cannot_be_written_refuses_too(tmp_path: Path) -> None:
    recorded = recording.audit(tmp_path)
    recorded.write(event(1))
    anchor = tmp_path / "audit" / "head.anchor"
    held = anchor.read_bytes()
    anchor.unlink()
    anchor.mkdir()
    with pytest.raises(AuditDown):
        recorded.write(event(2))
    anchor.rmdir()
    anchor.write_bytes(held)
    assert recorded.write(event(3)) == 2
    assert recorded.verify() == []


def test_a_standby_and_a_server_that_is_away_refuse(postgresql: str, tmp_path: Path) -> None:
    name = f"away_{os.getpid()}"
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        ops.upgrade(f"{postgresql}/{name}")
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        store = ops.Ops(f"{postgresql}/{name}")
        assert refused(Audit(store, SECRET, folder=tmp_path / "audit")) == "read-only"
        store.close()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    store = ops.Ops(f"{postgresql}/{name}")
    assert refused(Audit(store, SECRET, folder=tmp_path / "audit")) == "unreachable"
    with pytest.raises(OpsDown), store.read():
        pass


def test_a_damaged_database_file_is_told_as_damaged(tmp_path: Path) -> None:
    recorded = recording.audit(tmp_path)
    recorded.write(*map(event, range(300)))
    recorded._store.close()
    path = tmp_path / "ops.sqlite"
    data = bytearray(path.read_bytes())
    data[:100] = b"\0" * 100
    path.write_bytes(data)
    with pytest.raises(OpsDown) as down:
        recorded.verify()
    assert down.value.where["reason"] == "damaged"


@contextlib.contextmanager
def writing(url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    out = folder / "acknowledged"
    with out.open("a") as file:
        child = subprocess.Popen([sys.executable, "-c", WRITER, url, str(folder), "100000"], stdout=file)
        try:
            yield child, out
        finally:
            child.kill()
            child.wait()


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.soak)])
def test_no_acknowledged_entry_is_lost_when_the_writer_is_killed(url: str, tmp_path: Path, kills: int) -> None:
    chance = random.Random(3)
    for _ in range(kills):
        with writing(url, tmp_path) as (child, out):
            before = out.stat().st_size
            until = time.monotonic() + 60
            while out.stat().st_size == before and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(chance.random() / 5)
            child.send_signal(signal.SIGKILL)
    acknowledged = [int(line) for line in out.read_text().splitlines()]
    store = ops.Ops(url)
    recorded = Audit(store, SECRET, folder=tmp_path / "audit")
    kept = {row["seq"] for row in recorded.entries(limit=10**6)}
    assert len(acknowledged) >= kills
    assert set(acknowledged) <= kept
    assert len(acknowledged) == len(set(acknowledged))
    assert len(kept) <= len(acknowledged) + kills
    assert recorded.verify() == []
    store.close()


LAZY = "from twin.ops import engine; engine.PRAGMAS = (*engine.PRAGMAS, 'PRAGMA synchronous=OFF')\n"


def lost_at_a_power_cut(below: Path, wait_s: float, program: str) -> tuple[int, int, list[object]]:
    """Cut the power of a writer; gives how many entries it had acknowledged, how many of them are gone, and the faults."""
    live, crashed, out = below / "live.img", below / "crashed.img", below / "acknowledged"
    power.make_image("ext4", live)
    with mounted("ext4", power.OPTIONS["ext4"], below, live) as disk:
        ops.upgrade(f"sqlite:///{disk / 'ops.sqlite'}")
        subprocess.run(["sync", "-f", str(disk)], check=True)
        with out.open("w") as file:
            command = [sys.executable, "-c", program, f"sqlite:///{disk / 'ops.sqlite'}", str(disk), "100000"]
            child = subprocess.Popen(command, stdout=file)
        while not out.read_text() and child.poll() is None:
            time.sleep(0.01)
        time.sleep(wait_s)
        child.send_signal(signal.SIGSTOP)
        acknowledged = [int(line) for line in out.read_text().split("\n")[:-1]]
        power.copy_image(live, crashed)
        child.kill()
        child.wait()
    with mounted("ext4", power.OPTIONS["ext4"], below, crashed) as disk:
        recorded = recording.audit(disk)
        kept = {row["seq"] for row in recorded.entries(limit=10**6)}
        faults = recorded.verify()
        recorded._store.close()
    return len(acknowledged), len(set(acknowledged) - kept), list(faults)


@pytest.mark.parametrize("wait_s", [0.02, 0.3, 0.7])
def test_no_acknowledged_entry_is_lost_when_the_power_is_cut(tmp_path: Path, wait_s: float) -> None:
    acknowledged, lost, faults = lost_at_a_power_cut(tmp_path, wait_s, WRITER)
    assert acknowledged
    assert lost == 0
    assert faults == []


def test_the_method_sees_what_a_commit_without_fsync_costs(tmp_path: Path) -> None:
    acknowledged, lost, _ = lost_at_a_power_cut(tmp_path, 0.3, LAZY + WRITER)
    assert acknowledged
    assert lost > 0
