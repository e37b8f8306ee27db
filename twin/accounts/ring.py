"""The keys in use, remembered for a few seconds: whom a request's key stands for, and a key's making and end."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from twin.accounts import keys, tokens
from twin.accounts.living import BELIEVED_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from twin.accounts.keys import ApiKey
    from twin.ops import Ops
    from twin.policy import Subject

KEPT = 10_000
NOTED = timedelta(minutes=1)
"""A key's use is noted once in this time."""


class KeyRing:
    """The keys in one operational store; safe to share between threads."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime]) -> None:
        self._ops = ops
        self._clock = clock
        self._known: dict[str, tuple[float, ApiKey | None]] = {}

    def subject(self, header: str, address: str = "") -> Subject | None:
        """Give whom an Authorization header's key stands for; None where it is unknown, dead, or from elsewhere."""
        given = tokens.key_in(header)
        if given is None:
            return None
        cached = self._known.get(given.id)
        stored = cached[1] if cached and cached[0] >= time.monotonic() else self._asked(given.id)
        right = tokens.secret_matches(given, stored.secret_hash if stored else "0" * 64)
        if (
            stored is None
            or not right
            or not stored.alive(self._clock())
            or not tokens.is_from(address, stored.networks)
        ):
            return None
        return keys.subject(stored)

    def _asked(self, key_id: str) -> ApiKey | None:
        now = self._clock()
        with self._ops.read() as connection:
            stored = keys.find(connection, key_id)
        if stored is not None and now - (stored.last_used_at or stored.created_at) > NOTED:
            with self._ops.begin() as connection:
                keys.used(connection, key_id, now)
        if len(self._known) > KEPT:
            self._known.clear()
        self._known[key_id] = (time.monotonic() + BELIEVED_S, stored)
        return stored

    def make(self, **wanted: Any) -> tuple[ApiKey, str]:
        """Make a key (`client`, `scopes`, `expires_at`, `prefix`, `networks`); give it and, once, its text.

        Raises BadRequest, saying what to change.
        """
        with self._ops.begin() as connection:
            return keys.make(connection, self._clock(), **wanted)

    def listed(self) -> list[ApiKey]:
        """Give every key, by client."""
        with self._ops.read() as connection:
            return keys.listed(connection)

    def revoke(self, key_id: str) -> bool:
        """End a key at once; gives False where it was over already."""
        with self._ops.begin() as connection:
            done = keys.revoke(connection, key_id, self._clock())
        self._known.pop(key_id, None)
        return done
