"""Keys of connected systems as they lie in the operational store: two live ones a client, none for over a year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from twin.accounts import tokens
from twin.errors import BadRequest
from twin.ops import insert, select, tables, update
from twin.policy import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twin.ops import Connection

TABLE = tables.api_key
LONGEST = timedelta(days=365)
LIVE = 2
"""Keys a client may have at once: the old one and the new one while it changes over."""


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as it is kept: everything but its secret."""

    id: str
    client: str
    secret_hash: str
    scopes: tuple[str, ...]
    prefix: str
    networks: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def alive(self, now: datetime) -> bool:
        """Say whether the key counts at `now`."""
        return self.revoked_at is None and now < self.expires_at


def make(
    connection: Connection,
    now: datetime,
    *,
    client: str,
    scopes: Iterable[str],
    expires_at: datetime,
    prefix: str = "",
    networks: Iterable[str] = (),
) -> tuple[ApiKey, str]:
    """Make a key; give it and the text its owner gets, once. Raises BadRequest, saying what to change."""
    if not now < expires_at <= now + LONGEST:
        raise BadRequest("密钥的有效期最长一年", "A key lives for one year at most", expires_at=expires_at.isoformat())
    if not client.strip() or len([k for k in of_client(connection, client) if k.alive(now)]) >= LIVE:
        raise BadRequest(
            "一个系统最多同时有两个有效密钥，请先停用一个",
            "A client has two live keys at most; revoke one first",
            client=client[:60],
        )
    if prefix and not (prefix.isascii() and prefix.isdigit() and len(prefix) in (6, 9, 12)):
        raise BadRequest("区划代码应为 6、9 或 12 位数字", "An area code has 6, 9 or 12 digits", prefix=prefix[:20])
    key, text = tokens.new_key()
    made = ApiKey(
        id=key.id,
        client=client.strip(),
        secret_hash=tokens.hash_of(key.secret),
        scopes=tokens.scopes(scopes),
        prefix=prefix,
        networks=tokens.networks(networks),
        created_at=now,
        expires_at=expires_at,
    )
    values = {c.name: getattr(made, c.name) for c in TABLE.columns}
    values |= {"scopes": list(made.scopes), "networks": list(made.networks)}
    connection.execute(insert(TABLE).values(values))
    return made, text


def find(connection: Connection, key_id: str) -> ApiKey | None:
    """Give the key of an id."""
    return next(iter(_read(connection, TABLE.c.id == key_id)), None)


def of_client(connection: Connection, client: str) -> list[ApiKey]:
    """Give a client's keys, dead ones too."""
    return _read(connection, TABLE.c.client == client.strip())


def listed(connection: Connection) -> list[ApiKey]:
    """Give every key, by client."""
    return _read(connection, TABLE.c.id != "")


def _read(connection: Connection, where: object) -> list[ApiKey]:
    query = select(TABLE).where(where).order_by(TABLE.c.client, TABLE.c.created_at)  # type: ignore[arg-type]
    rows = [{c.name: getattr(r, c.name) for c in TABLE.columns} for r in connection.execute(query)]
    return [ApiKey(**{**r, "scopes": tuple(r["scopes"]), "networks": tuple(r["networks"])}) for r in rows]


def revoke(connection: Connection, key_id: str, now: datetime) -> bool:
    """End a key; gives False where it was not alive."""
    query = update(TABLE).where(TABLE.c.id == key_id, TABLE.c.revoked_at.is_(None))
    return connection.execute(query.values(revoked_at=now)).rowcount == 1


def used(connection: Connection, key_id: str, now: datetime) -> None:
    """Note that a key was used now."""
    connection.execute(update(TABLE).where(TABLE.c.id == key_id).values(last_used_at=now))


def subject(key: ApiKey) -> Subject:
    """Give what the policy sees of a connected system."""
    return Subject(id=f"key:{key.id}", role="system", prefix=key.prefix, via="key", scopes=key.scopes)
