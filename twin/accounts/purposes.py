"""What a session says it needs personal data for: named, and taken back, by whoever it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.accounts import sessions

if TYPE_CHECKING:
    from datetime import datetime

    from twin.accounts.directory import Accounts
    from twin.accounts.sessions import Session


def name(accounts: Accounts, session: Session, purpose: str) -> datetime | None:
    """Let `purpose` hold in one session for half an hour from now ("": none); gives when it ends."""
    until = accounts.now() + sessions.PURPOSE
    with accounts.ops.begin() as connection:
        sessions.keep_purpose(connection, session.id_hash, sessions.purposed(purpose, until))
    accounts.living.forget([session.id_hash])
    return until if purpose else None
