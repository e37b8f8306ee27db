"""The sessions in use, remembered for a few seconds: whom a session's token stands for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.accounts import people, sessions, tokens
from twin.accounts.seen import Seen
from twin.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from twin.accounts.people import Account
    from twin.accounts.sessions import Session
    from twin.ops import Ops
    from twin.policy import Subject

BELIEVED_S = 4.0
"""How long what was read of a session or key is believed: another process's end of it is felt within five seconds."""
KEPT = 20_000
"""Tokens remembered at most."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a living session's token stands for."""

    subject: Subject
    account: Account
    session: Session


class Living:
    """The living sessions in one operational store; safe to share between threads. `clock` gives UTC."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime], *, demo: bool) -> None:
        self._ops = ops
        self._clock = clock
        self._demo = demo
        self.seen = Seen(ops)
        self._known: Kept[str, tuple[float, Known | None]] = Kept(KEPT)

    def believed(self, id_hash: str) -> tuple[bool, Known | None]:
        """Give (is it known without asking, what a session stands for); never waits."""
        cached = self._known.get(id_hash)
        if cached is None or cached[0] < time.monotonic():
            return False, None
        return True, cached[1]

    def known(self, token: str) -> Known | None:
        """Give what a session's token stands for, None where it is over; one query at most every few seconds."""
        if not tokens.SESSION.fullmatch(token):
            return None
        id_hash = tokens.hash_of(token)
        sure, found = self.believed(id_hash)
        return found if sure else self._asked(id_hash)

    def _asked(self, id_hash: str) -> Known | None:
        now = self._clock()
        with self._ops.read() as connection:
            pair = sessions.found(connection, id_hash)
        session = self.seen.later(pair[0]) if pair else None
        known = None
        if pair and session and session.alive(now):
            account = pair[1]
            known = Known(
                subject=people.subject(account, purpose=session.purpose_at(now), demo=self._demo),
                account=account,
                session=session,
            )
            if now - session.seen_at > sessions.TOUCH:
                self.seen.note(session, now)
        self._remember(id_hash, known)
        return known

    def _remember(self, id_hash: str, known: Known | None) -> None:
        self._known.put(id_hash, (time.monotonic() + BELIEVED_S, known))

    def forget(self, hashes: list[str]) -> list[str]:
        """Read these sessions anew when they are next asked for."""
        for id_hash in hashes:
            self._known.forget(id_hash)
        return hashes

    def forget_account(self, account_id: str) -> None:
        """Read all sessions of an account anew when they are next asked for."""
        for id_hash, (_, known) in self._known.items():
            if known is not None and known.account.id == account_id:
                self._known.forget(id_hash)
