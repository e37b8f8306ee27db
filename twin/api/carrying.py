"""Erasures being carried out by this service: one at a time, beside the answers, so that no browser waits for minutes.

Only the progress is kept here. What was approved stands in the list of requests: after a restart one goes on with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from twin.errors import TwinError

LOG = logging.getLogger("onemap.erasing")
Say = Callable[[str], None]


class Carrying:
    """What is being carried out now, by the request's number, and what went wrong the last time."""

    def __init__(self) -> None:
        self._one = ThreadPoolExecutor(1, thread_name_prefix="erasing")
        self._doing: dict[str, str] = {}
        self._failed: dict[str, TwinError] = {}
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[Say], object]) -> bool:
        """Begin with a request, or queue it; gives False where it is being done already."""
        with self._lock:
            if name in self._doing:
                return False
            self._doing[name] = ""
            self._failed.pop(name, None)
        future = self._one.submit(work, lambda what: self._doing.__setitem__(name, what))
        future.add_done_callback(lambda done: self._ended(name, done))
        return True

    def doing(self, name: str) -> str | None:
        """Give what is being worked on of a request, "" while it waits, None where nothing is."""
        return self._doing.get(name)

    def failed(self, name: str) -> TwinError | None:
        """Give why a request was not carried out the last time it was tried."""
        return self._failed.get(name)

    def _ended(self, name: str, done: Future[Any]) -> None:
        error = done.exception()
        with self._lock:
            self._doing.pop(name, None)
            if isinstance(error, TwinError):
                self._failed[name] = error
            elif error is not None:
                LOG.error("erasing %s failed", name, exc_info=error)
                self._failed[name] = TwinError(
                    "没有做完，请查看日志后再执行一次", "Not done; see the log, then do it again"
                )
