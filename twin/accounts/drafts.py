"""What somebody had typed into a form when their session ran out; kept a while for them alone, in memory only."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = timedelta(minutes=30)
"""So long after it was sent a form still comes back."""
MOST = 100
"""Forms kept at once; the oldest gives way."""
SECRETS = frozenset({"csrf", "password", "again", "before", "code"})
"""Fields that are typed anew, always."""


class Drafts:
    """Unsent forms by the account that filled them and the address they go to."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[datetime, Mapping[str, str]]] = {}
        self._lock = threading.Lock()

    def keep(self, account_id: str, action: str, values: Mapping[str, str], now: datetime) -> None:
        """Keep what was typed into the form that goes to `action`, without its secrets."""
        told = {k: v for k, v in values.items() if k not in SECRETS}
        with self._lock:
            self._kept.pop((account_id, action), None)
            self._kept[account_id, action] = (now, told)
            while len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]

    def of(self, account_id: str, action: str, now: datetime) -> Mapping[str, str] | None:
        """Give what this account had typed into that form not long ago, None for nothing."""
        at, values = self._kept.get((account_id, action), (now, None))
        return values if now - at < KEPT else None

    def drop(self, account_id: str, action: str) -> None:
        """Forget a form: it has been sent."""
        with self._lock:
            self._kept.pop((account_id, action), None)
