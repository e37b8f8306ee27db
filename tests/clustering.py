"""A Dask scheduler and its workers as they are run in life: by the command line, each a process, each in its network."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.namespaces import Net


@dataclass(kw_only=True)
class Cluster:
    """The scheduler's address, and the workers by the pid that they tell."""

    address: str
    tls: Path
    workers: dict[int, subprocess.Popen[str]] = field(default_factory=dict)

    def kill(self, pid: int) -> None:
        """Kill a worker as a power cut would."""
        self.workers[pid].send_signal(signal.SIGKILL)
        self.workers[pid].wait()


@contextlib.contextmanager
def cluster(here: Net, folder: Path, tls: Path, village: Path, environ: Mapping[str, str]) -> Iterator[Cluster]:
    """Run a scheduler at our address and a worker in each namespace, with data of its own below `folder`."""
    with contextlib.ExitStack() as stack:
        made, address = _begun(stack, [], ["scheduler", "--listen", f"tls://{here.address}:0"], tls, {})
        found = Cluster(address=address, tls=tls)
        for name, own in here.others.items():
            words = ["worker", "--scheduler", address, "--listen", f"tls://{own}:0"]
            env = {"ONEMAP_DATA": str(folder / name), "ONEMAP_VILLAGE": str(village), **environ}
            made, _ = _begun(stack, ["ip", "netns", "exec", name], words, tls, env)
            found.workers[made.pid] = made
        yield found


def _begun(
    stack: contextlib.ExitStack, before: list[str], words: list[str], tls: Path, environ: Mapping[str, str]
) -> tuple[subprocess.Popen[str], str]:
    command = [*before, sys.executable, "-m", "etl", "county", *words, "--tls", str(tls)]
    made = subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.PIPE, text=True)
    stack.callback(_ended, made)
    assert made.stdout is not None
    address = made.stdout.readline().strip()
    assert address.startswith("tls://"), f"{words} did not begin"
    return made, address


def _ended(one: subprocess.Popen[str]) -> None:
    one.terminate()
    try:
        one.wait(20)
    except subprocess.TimeoutExpired:
        one.kill()
        one.wait()
    if one.stdout:
        one.stdout.close()
