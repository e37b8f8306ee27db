"""How a throw-away process that reads a foreign file is shut in: no network, hard limits, bubblewrap where it works.

Whoever starts one says which of our packages it may see; the rest of the machine is not there for it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import twin

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _BY_FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_KINDS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine: its audit architecture and its number of socket(2)."""
_IO_URING, _X32 = 425, 0x40000000
_NICENESS = 5
ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/dev/null",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}
"""What every such process is told; nothing is inherited."""


def environment(packages: Iterable[ModuleType] = (twin,)) -> dict[str, str]:
    """Give the whole environment of a child that may import `packages` of ours."""
    roots = {str(Path(str(package.__file__)).parent.parent) for package in packages}
    return {**ENVIRONMENT, "PYTHONPATH": ":".join(sorted(roots))}


def limit(limits: Mapping[str, int]) -> None:
    """Set each hard limit ("AS", "CPU", "DATA", "FSIZE", "NOFILE", "NPROC"), never above what this process has.

    It also gives way to whoever serves. Call it inside the child, first of all.
    """
    for name, wanted in limits.items():
        which = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(which)
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        soft = value - 1 if name == "CPU" else value  # SIGXCPU, which says why, comes before SIGKILL
        resource.setrlimit(which, (soft, value))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICENESS)


def processes() -> int:
    """Give a limit of processes that leaves room for a few threads more than now run."""
    return int(Path("/proc/loadavg").read_text().split()[3].split("/")[1]) + 256


# ---- bubblewrap


@lru_cache(maxsize=1)
def bubblewrap() -> str | None:
    """Give bubblewrap's path where it is installed and the kernel lets it work, else None."""
    found = shutil.which("bwrap")
    if found is None:
        return None
    tried = subprocess.run([*words(found), "--", "/usr/bin/true"], capture_output=True, check=False)
    return found if tried.returncode == 0 else None


def words(found: str, packages: Iterable[ModuleType] = (twin,)) -> tuple[str, ...]:
    """Give the command of bubblewrap at `found`: no network, no other process, Python and libraries read-only."""
    told = [found, "--unshare-all", "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    told += ["--tmpfs", "/tmp", "--chdir", "/"]  # noqa: S108 - a tmpfs of the child's own
    for name in ("/lib", "/lib64", "/lib32", "/bin", "/sbin"):
        path = Path(name)
        if path.is_symlink():
            told += ["--symlink", str(path.readlink()), name]
        elif path.exists():
            told += ["--ro-bind", name, name]
    python = {Path(p) for p in (sys.prefix, sys.base_prefix)} | {Path(sys.executable).resolve().parent.parent}
    ours = {Path(str(p.__file__)).parent for p in packages}
    for path in sorted({Path("/usr"), *python, *ours} - {Path("/")}):
        told += ["--ro-bind", str(path), str(path)]
    return tuple(told)


# ---- no socket, for good


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def socketless() -> bool:
    """Refuse socket(2), and what would go round it, from now on; give False where this kernel or machine cannot."""
    kind = _KINDS.get(platform.machine())
    if kind is None:
        return False
    steps = b"".join(_steps(*kind))
    program = _Program(len(steps) // 8, steps)
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return kernel.prctl(_SET_SECCOMP, _BY_FILTER, ctypes.byref(program), 0, 0) == 0


def _steps(architecture: int, socket: int) -> list[bytes]:
    """Write the filter: other architectures' calls, socket and io_uring are refused, all else goes on."""
    return [
        _step(_LOAD, 0, 0, 4),
        _step(_EQUAL, 0, 5, architecture),
        _step(_LOAD, 0, 0, 0),
        _step(_AT_LEAST, 3, 0, _X32),
        _step(_EQUAL, 2, 0, socket),
        _step(_EQUAL, 1, 0, _IO_URING),
        _step(_RETURN, 0, 0, _ALLOW),
        _step(_RETURN, 0, 0, _REFUSE),
    ]


def _step(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
