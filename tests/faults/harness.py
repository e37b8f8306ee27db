"""A publish in a child process that can be killed, or failed, at any one of its system calls (strace injection)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from twin.errors import NotFound, TwinError
from twin.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CALLS = (
    "openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "mkdir", "mkdirat",
    "unlink", "unlinkat", "rmdir", "flock", "ftruncate",
)  # fmt: skip
"""Every call by which a publish changes or pins something; between two of them the disk does not change.

strace counts `when=N` for each call by itself, so a sweep takes them one after the other.
"""
MUTATING = tuple(c for c in CALLS if c not in ("openat", "flock"))
IN_CI = os.environ.get("CI") == "true"


@dataclass(frozen=True)
class Outcome:
    """How the child ended: whether its n-th call was reached, whether it reported success, and its exit status."""

    reached: bool
    acknowledged: bool
    status: int


def need(condition: bool, reason: str) -> None:
    """Skip with `reason` where the machine cannot do it; in CI that is a failure."""
    if condition:
        return
    if IN_CI:
        pytest.fail(f"CI must be able to: {reason}")
    pytest.skip(reason)


def can_trace() -> bool:
    """Say whether strace may attach to a child of ours."""
    if not shutil.which("strace"):
        return False
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    attached = subprocess.Popen(["strace", "-qq", "-p", str(child)], stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    allowed = attached.poll() is None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    attached.wait()
    return allowed


def points(calls: Sequence[str] = CALLS) -> Iterator[tuple[str, int, Callable[[bool], None]]]:
    """Give (call, n, told) for n = 1, 2, … of each call, going on to the next when `told(False)`: it was not reached."""
    for call in calls:
        reached = [True]
        nth = 0
        while reached[-1]:
            nth += 1
            assert nth < 5000, f"{call} is never through"
            yield call, nth, reached.append


def run(
    action: Callable[[], object], *, call: str, what: str, nth: int, also: Callable[[], None] | None = None
) -> Outcome:
    """Run `action` in a fork and inject `what` ("signal=SIGKILL", "error=EIO") at its n-th `call`.

    The child is stopped first, so that counting begins with `action` and not with Python. `also` runs when it has ended.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _perform(action, writing)
    os.close(writing)
    os.waitpid(child, os.WUNTRACED)
    with _attached(child, f"inject={call}:{what}:when={nth}", call) as log:
        os.kill(child, signal.SIGCONT)
        _, status = os.waitpid(child, 0)
        if also:
            also()
    acknowledged = os.read(reading, 3) == b"ACK"
    os.close(reading)
    text = log.read_text(errors="replace")
    log.unlink()
    killed = os.WIFSIGNALED(status)
    return Outcome(reached=killed or "(INJECTED)" in text, acknowledged=acknowledged, status=status)


def _perform(action: Callable[[], object], writing: int) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)
    try:
        action()
        os.write(writing, b"ACK")
    except (TwinError, OSError):
        os._exit(3)
    os._exit(0)


@contextlib.contextmanager
def _attached(child: int, inject: str, call: str) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix="strace-")
    os.close(descriptor)
    command = ["strace", "-qq", "-f", "-o", name, "-e", f"trace={call}", "-e", inject, "-p", str(child)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    until = time.monotonic() + 20
    while _tracer_of(child) != tracer.pid and tracer.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    try:
        yield Path(name)
    finally:
        tracer.communicate(timeout=20)


def _tracer_of(child: int) -> int:
    for line in Path(f"/proc/{child}/status").read_text().splitlines():
        if line.startswith("TracerPid:"):
            return int(line.split()[1])
    return 0


def state(root: Path, table: str = "pond") -> str | None:
    """Give the value of the current version after proving, as a fresh process would, that everything kept is whole."""
    store = Store(root)
    assert store.verify() == []
    try:
        current = store.current(table)
    except NotFound:
        return None
    assert current.degraded == ""
    return current.manifest["value"]


def litter(root: Path, table: str = "pond") -> list[str]:
    """Give what lies in a table's folder beside its kept versions, its pointer, its lock and the list of what was removed."""
    ours = {"current.json", "current.copy.json", "removed.json", ".lock"}
    kept = {f"v={v.version}" for v in Store(root).versions(table)} | ours
    return sorted(p.name for p in (root / table).iterdir() if p.name not in kept)
