"""Sessions as they lie in the operational store: begun, found while alive, touched, ended; never by their token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from twin.accounts import people, tokens
from twin.ops import and_, bindparam, delete, insert, select, tables, update

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twin.accounts.people import Account
    from twin.ops import Connection, Row

IDLE = timedelta(minutes=30)
"""A session not used for so long is over."""
LONGEST = timedelta(hours=8)
"""No session outlives this, used or not."""
TOUCH = timedelta(seconds=50)
"""How much later a use is noted than the one before: with what gathers and is believed, a minute."""
PURPOSE = timedelta(minutes=30)
"""A purpose holds so long from when it was named; then it is named anew."""
KEPT = timedelta(days=30)
"""How long a session that is over stays listed in the store; what happened in it stands in the record."""
TABLE = tables.session


@dataclass(frozen=True, kw_only=True)
class Session:
    """One sign-in of one account."""

    id_hash: str
    account_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str
    ended_at: datetime | None
    csrf_hash: str
    purpose: str

    def alive(self, now: datetime) -> bool:
        """Say whether the session still counts at `now`."""
        return self.ended_at is None and now < self.expires_at and now - self.seen_at < IDLE

    def purpose_at(self, now: datetime) -> str:
        """Give the purpose that holds at `now`, "" for none: what is kept without its end holds never."""
        until = self.purpose_until
        return self.purpose.partition(UNTIL)[0] if until is not None and now < until else ""

    @property
    def purpose_until(self) -> datetime | None:
        """Give when the purpose named ends, None where none is."""
        name, _, until = self.purpose.partition(UNTIL)
        return datetime.fromisoformat(until) if name and until else None


UNTIL = "@"
"""Stands in the column `purpose` between a purpose and when it ends (ISO 8601, UTC)."""


def purposed(purpose: str, until: datetime) -> str:
    """Give what the column `purpose` keeps of a purpose that ends at `until`; "" for none."""
    return f"{purpose}{UNTIL}{until.isoformat()}" if purpose else ""


def begin(connection: Connection, account: Account, at: datetime, *, address: str, agent: str) -> str:
    """Begin a session and give its token, which is kept nowhere; long dead sessions are dropped."""
    token = tokens.new_session()
    values = {
        "id_hash": tokens.hash_of(token),
        "account_id": account.id,
        "created_at": at,
        "seen_at": at,
        "expires_at": at + LONGEST,
        "address": address[:64],
        "agent": agent[:400],
        "csrf_hash": tokens.hash_of(tokens.csrf_of(token)),
    }
    connection.execute(delete(TABLE).where(TABLE.c.expires_at < at - KEPT))
    connection.execute(insert(TABLE).values(values))
    return token


def found(connection: Connection, id_hash: str) -> tuple[Session, Account] | None:
    """Give a session and its account in one query; None where it was ended, never was, or the account is disabled."""
    both = _joined(connection, id_hash)
    return both if both and both[0].ended_at is None and both[1].disabled_at is None else None


def lapsed(connection: Connection, id_hash: str, now: datetime) -> Account | None:
    """Give whose session ran out by time alone; None for one that lives, was ended, never was, or of a shut account."""
    both = _joined(connection, id_hash)
    if both is None or both[0].ended_at is not None or both[0].alive(now) or both[1].disabled_at is not None:
        return None
    return both[1]


def _joined(connection: Connection, id_hash: str) -> tuple[Session, Account] | None:
    joined = select(TABLE, people.TABLE).join(people.TABLE, people.TABLE.c.id == TABLE.c.account_id)
    row = connection.execute(joined.where(TABLE.c.id_hash == id_hash)).first()
    if row is None:
        return None
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name of a row by column
    account = people.Account(**{c.name: values[c] for c in people.TABLE.columns})
    return Session(**{c.name: values[c] for c in TABLE.columns}), account


def touch(connection: Connection, uses: Mapping[str, datetime]) -> None:
    """Write when sessions were used, by hash: none goes back in time, and none that was ended is touched."""
    if uses:
        theirs = and_(TABLE.c.id_hash == bindparam("it"), TABLE.c.ended_at.is_(None), TABLE.c.seen_at < bindparam("at"))
        rows = [{"it": id_hash, "at": at} for id_hash, at in sorted(uses.items())]
        connection.execute(update(TABLE).where(theirs).values(seen_at=bindparam("at")), rows)


def keep_purpose(connection: Connection, id_hash: str, purpose: str) -> None:
    """Keep what a session is used for from now on, as `purposed` writes it."""
    connection.execute(update(TABLE).where(TABLE.c.id_hash == id_hash).values(purpose=purpose))


def living(
    connection: Connection, account_id: str, now: datetime, later: Callable[[Session], Session]
) -> list[Session]:
    """Give the living sessions of an account, the last used first; `later` says what is known beyond what stands."""
    query = select(TABLE).where(TABLE.c.account_id == account_id, TABLE.c.ended_at.is_(None))
    rows = [later(_of_row(r)) for r in connection.execute(query)]
    return sorted((s for s in rows if s.alive(now)), key=lambda s: s.seen_at, reverse=True)


def end(connection: Connection, now: datetime, *, id_hash: str = "", account_id: str = "", but: str = "") -> list[str]:
    """End one session (`id_hash`) or all of an account but one; give the hashes of those that were still open.

    Both given, the session is ended only if it is the account's.
    """
    query = select(TABLE.c.id_hash).where(TABLE.c.ended_at.is_(None), TABLE.c.id_hash != but)
    if id_hash:
        query = query.where(TABLE.c.id_hash == id_hash)
    if account_id:
        query = query.where(TABLE.c.account_id == account_id)
    ended = [r[0] for r in connection.execute(query)] if id_hash or account_id else []
    if ended:
        connection.execute(update(TABLE).where(TABLE.c.id_hash.in_(ended)).values(ended_at=now))
    return ended


def _of_row(row: Row[Any]) -> Session:
    return Session(**{c.name: getattr(row, c.name) for c in TABLE.columns})
