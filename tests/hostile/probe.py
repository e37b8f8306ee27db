"""Reads hostile deliveries as receiving does, each by its child, and says what each ended in and what the child took.

Run by itself, so that nothing but the reading is in the record of the kernel: `python -m tests.hostile.probe ITEMS MODE`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from etl import cage, sandbox
from tests.reading import resource as declared
from twin.errors import TwinError
from twin.model import Source

TAKEN: list[resource.struct_rusage] = []


class Counted(subprocess.Popen):
    """A child of whom we keep what the kernel says it took."""

    def wait(self, timeout: float | None = None) -> int:
        """Let the child end by itself first: what a killed cage held, the kernel does not tell."""
        return super().wait(timeout if timeout is None else max(timeout, 2.0))

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        try:
            pid, status, taken = os.wait4(self.pid, wait_flags)
        except ChildProcessError:
            return self.pid, 0
        if pid == self.pid:
            TAKEN.append(taken)
        return pid, status


def read(one: dict[str, str]) -> tuple[str, int]:
    """Read one delivery to its end, keeping nothing; give how it ended and how many rows came."""
    rows, path = 0, Path(one["path"])
    where = Source(location=path.name, crs=one["crs"], part=one["part"])
    try:
        with sandbox.read(declared(one["reader"], one["kind"]), where, path.parent) as reading:
            for batch in reading.batches():
                rows += batch.num_rows
    except TwinError as refused:
        return refused.en, rows
    return "", rows


def main(items: Path, mode: str) -> None:
    """Read every item of the list, one after another, and print a line of JSON for each."""
    if mode == "limits":
        cage.bubblewrap = lambda: None
    sandbox.subprocess.Popen = Counted
    for one in json.loads(items.read_text()):
        TAKEN.clear()
        started = time.monotonic()
        ended, rows = read(one)
        taken = TAKEN[-1] if TAKEN else None
        seen = {
            "name": one["name"], "refused": ended, "rows": rows, "seconds": time.monotonic() - started,
            "cpu": taken.ru_utime + taken.ru_stime if taken else 0.0, "peak_mb": taken.ru_maxrss / 1024 if taken else 0.0,
        }  # fmt: skip
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
