"""How a process gives up the network for good: a filter in the kernel that lets it and its children make no socket."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _BY_FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_KINDS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine: its audit architecture and its number of socket(2)."""
_IO_URING, _X32 = 425, 0x40000000


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
