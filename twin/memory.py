"""How a serving process keeps its memory: few heaps, large blocks given back at once, what stays not searched."""

from __future__ import annotations

import ctypes
import gc

BLOCK = 1 << 20
"""Bytes from which a block is mapped by itself and given back when it is freed."""
HEAPS = 2
"""Heaps that all threads share, one for each core of the smallest machine."""
ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1
"""The numbers of glibc's <malloc.h>."""


def bound() -> bool:
    """Bound what freed memory the process holds on to; call before threads begin. Gives whether the C library can.

    glibc gives each thread a heap of its own and, once a large block was freed, keeps blocks of that size in the
    heap. A table of four megabytes that is copied now and then then leaves four megabytes in one heap after another:
    growth for hours that no object explains.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((ARENA_MAX, HEAPS), (MMAP_THRESHOLD, BLOCK), (TRIM_THRESHOLD, BLOCK))
    taken = [mallopt(what, value) == 1 for what, value in wanted]
    return all(taken)


def settle() -> None:
    """Take what is built by now as staying: looking it over for garbage took a tenth of a second, time and again."""
    gc.collect()
    gc.freeze()
