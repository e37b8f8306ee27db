"""The oracle's askers as they really come: a session or a key each, and those whose session is over, cut off or made up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from tests.matrix import village
from tests.matrix.oracle import GRANTS
from twin.accounts import keys, people, sessions, tokens
from twin.accounts.directory import Came
from twin.ops import now, tables

if TYPE_CHECKING:
    from twin.accounts import Accounts

CAME = Came(address="127.0.0.1", agent="matrix")
NOBODIES = ("expired", "ended", "disabled", "made up")
"""Whoever shows a session that no longer is one; each is answered as a visitor, byte for byte."""
IN_EARNEST = tuple(w for w in GRANTS if w not in ("nobody", "local"))
"""Outside the demo there is no visitor at this machine."""


def headers(accounts: Accounts, who: str) -> dict[str, str]:
    """Make the account or key of a row of the oracle, and give the headers its requests show."""
    subject = village.subject(who)
    if who == "anonymous":
        return {}
    with accounts.ops.begin() as connection:
        if who == "system":
            _, text = keys.make(
                connection, now(), client="hotline", scopes=subject.scopes, expires_at=now() + timedelta(days=30)
            )
            return {"authorization": f"Bearer {text}"}
        account = people.add(
            connection, now(), name=who, role=subject.role, prefix=subject.prefix, grid=subject.grid,
            department=subject.department, totp_secret="sealed elsewhere" if subject.role in people.TWO_FACTORS else "",
        )  # fmt: skip
    return _shown(accounts, account, subject.purpose)


def _shown(accounts: Accounts, account: people.Account, purpose: str = "") -> dict[str, str]:
    entered = accounts.admit(account, CAME)
    if purpose:
        _change(accounts, entered.session_token, purpose=sessions.purposed(purpose, now() + timedelta(hours=8)))
    return {
        "cookie": f"__Host-onemap_sid={entered.session_token}; __Host-onemap_csrf={entered.csrf}",
        "x-csrf-token": entered.csrf,
    }


def over(accounts: Accounts, how: str) -> dict[str, str]:
    """Give the headers of an official whose session is over in one way or another."""
    with accounts.ops.begin() as connection:
        account = people.add(connection, now(), name=how, role="official", prefix=village.CODES["own"])
    shown = _shown(accounts, account)
    token = shown["cookie"].partition("=")[2].partition(";")[0]
    if how == "expired":
        _change(accounts, token, expires_at=now() - timedelta(seconds=1))
    elif how == "ended":
        accounts.end(token)
    elif how == "disabled":
        accounts.disable(account.id)
    else:
        shown["cookie"] = shown["cookie"].replace(token, token[::-1])
    return {"cookie": shown["cookie"]}


def _change(accounts: Accounts, token: str, **values: object) -> None:
    with accounts.ops.begin() as connection:
        connection.execute(
            update(tables.session).where(tables.session.c.id_hash == tokens.hash_of(token)).values(**values)
        )
