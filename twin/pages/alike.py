"""What is drawn from equal values is drawn once: answers of one function, found by comparing what it was given."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Given = TypeVar("Given")
Made = TypeVar("Made")
MOST = 24
"""Answers kept: roles × areas who come at one time; comparing costs little, for most parts are the very same."""


class Alike(Generic[Given, Made]):
    """Remember what `make` made of the values it was given last; safe to share between threads.

    `make` must depend on its argument alone, and nobody may change what it gives. It raises what `make` raises.
    """

    def __init__(self, make: Callable[[Given], Made]) -> None:
        self._make = make
        self._kept: deque[tuple[Given, Made]] = deque(maxlen=MOST)
        self._lock = threading.Lock()

    def of(self, given: Given) -> Made:
        """Give what is made of `given`."""
        for known, made in tuple(self._kept):
            if known == given:
                return made
        made = self._make(given)
        with self._lock:
            self._kept.appendleft((given, made))
        return made
