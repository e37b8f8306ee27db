"""What the kernel saw of a reading: which files were opened, which sockets were made, read from a record of strace.

Nothing here asks the process that read: strace stood outside it, and wrote one file for each thread.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import twin
from etl import cage

REPO = Path(twin.__file__).resolve().parents[1]
OPENS = ("open", "openat", "openat2", "creat")
SENDS = ("socket", "connect", "bind", "sendto", "sendmsg", "sendmmsg")
CHANGES = ("unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat", "truncate", "chmod", "fchmodat", "mknod", "mknodat")  # fmt: skip
CALLS = ",".join((*OPENS, *SENDS, *CHANGES, "execve", "chdir"))
_CALL = re.compile(r"^(\w+)\((.*)$")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OPENED = re.compile(r"= \d+<([^<>]*)>")
_PYTHON = tuple(
    str(Path(p).resolve()) for p in {sys.prefix, sys.base_prefix, Path(sys.executable).resolve().parent.parent}
)
LIBRARIES = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/ld.so.preload", *_PYTHON, sys.prefix)
SYSTEM = ("/dev/null", "/dev/urandom", "/dev/tty", "/proc", "/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm", "/etc/localtime", "/etc/locale.alias",
    "/etc/ssl", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/etc/host.conf", "/etc/resolv.conf", "/etc/gai.conf")  # fmt: skip
_NAMELESS = re.compile(r"/tmp/(#\d+|[a-z0-9_]{8})$")
JOB = re.compile(r"/tmp/onemap-job-\w+")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of one thread: its name, the path it asked for ("" where none), the file it got, and the whole line."""

    name: str
    asked: str
    got: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One reader's child: what its threads called from the moment it was our program."""

    calls: tuple[Call, ...]

    def of(self, names: tuple[str, ...]) -> list[Call]:
        return [c for c in self.calls if c.name in names]


def missing() -> str:
    """Say why the kernel cannot be asked here, or ""."""
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-f", "-o", "/dev/null", "true"], check=False).returncode:
        return "strace is not installed or not permitted here"
    return ""


def watched(command: list[str], record: Path, *, timeout: float) -> str:
    """Run a command under strace, a file a thread below `record`, and give what it printed."""
    record.mkdir()
    options = ["-ff", "--seccomp-bpf", "-qq", "-y", "-s", "4096", "-e", f"trace={CALLS}", "-o", str(record / "t")]
    env = {**cage.environment(), "PYTHONPATH": str(REPO)}
    done = subprocess.run(
        ["strace", *options, *command], cwd=REPO, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def threads(record: Path) -> Iterator[list[Call]]:
    """Give the calls of every thread that was seen."""
    for path in sorted(record.iterdir()):
        yield [c for c in map(_call, path.read_text(errors="replace").splitlines()) if c is not None]


def _call(line: str) -> Call | None:
    found = _CALL.match(line)
    if found is None:
        return None
    quoted, opened = _QUOTED.search(found[2]), _OPENED.search(found[2].rpartition(")")[2])
    return Call(name=found[1], asked=quoted[1] if quoted else "", got=opened[1] if opened else "", line=line)


def is_reader(call: Call) -> bool:
    """Tell the moment in which a child becomes our reader."""
    return (
        call.name == "execve"
        and "etl.inside" in call.line
        and "/bin/python" in call.asked
        and call.line.endswith("= 0")
    )


def below(path: str, roots: tuple[str, ...]) -> bool:
    plain = os.path.normpath(path)
    if plain in ("/", "/tmp") or _NAMELESS.match(plain):
        return True
    return any(plain == root or plain.startswith(root.rstrip("/") + "/") for root in roots)


def strays(calls: list[Call], allowed: tuple[str, ...]) -> list[str]:
    """Give the lines of the opens that got a file below none of `allowed`, by the name it has, not the one asked for."""
    return [c.line for c in calls if c.name in OPENS and c.got and not below(c.got, allowed)]
