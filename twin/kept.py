"""A mapping of bounded size that forgets what has not been asked for longest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Remember values up to `most` in weight; safe to share between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K) -> V | None:
        """Give what is remembered, None where nothing is."""
        found = self._held.get(key)
        if found is None:
            return None
        try:
            self._held.move_to_end(key)
        except KeyError:  # another thread has dropped it meanwhile
            return None
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Remember a value; what was asked for longest ago goes until there is room, the newest always stays."""
        with self._lock:
            self._drop(key)
            self._held[key] = (value, weight)
            self.weight += weight
            while self.weight > self._most and len(self._held) > 1:
                self.weight -= self._held.popitem(last=False)[1][1]

    def forget(self, key: K) -> None:
        """Remember a key no longer."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Remember nothing."""
        with self._lock:
            self._held.clear()
            self.weight = 0

    def items(self) -> list[tuple[K, V]]:
        """Give all that is remembered, the longest unasked first."""
        with self._lock:
            return [(key, value) for key, (value, _) in self._held.items()]

    def _drop(self, key: K) -> None:
        found = self._held.pop(key, None)
        if found is not None:
            self.weight -= found[1]
