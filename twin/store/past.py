"""The store as it was known at one moment: each table's version that was current then, read like the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twin.errors import NotFound, StoreBroken

if TYPE_CHECKING:
    from datetime import datetime

    from twin.store.snapshots import Store
    from twin.store.verified import Snapshot


class Known(Protocol):
    """What whoever answers asks of a store, present or past."""

    def tables(self) -> list[str]: ...  # noqa: D102
    def current(self, table: str) -> Snapshot: ...  # noqa: D102


class Past:
    """What a store knew at the aware time `at`; safe to share between threads.

    A version is resolved anew each time, as it is for the present: what an erasure wrote anew is read anew.
    """

    def __init__(self, store: Store, at: datetime) -> None:
        self.store = store
        self.at = at

    def tables(self) -> list[str]:
        """Give the names of the tables that had been published, as far as they can be shown."""
        return [t for t in self.store.tables() if self._is_known(t)]

    def current(self, table: str) -> Snapshot:
        """Give the version that was current; raises NotYetKnown, VersionGone, NotFound or StoreBroken."""
        return self.store.as_of(table, self.at)

    def _is_known(self, table: str) -> bool:
        try:
            self.store.as_of(table, self.at)
        except NotFound:
            return False
        except StoreBroken:
            return True
        return True
