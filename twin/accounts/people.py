"""The accounts as they lie in the operational store: found, made, changed, each change guarded by a version."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin import policy
from twin.errors import BadRequest, NotFound
from twin.ops import Taken, insert, select, tables, update
from twin.policy import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from twin.ops import Connection, Ops, Row

SYSTEM = "system"
"""What a connected system is: by its key, and in the demo by an account that shows what a key would see."""
ROLES = tuple(r for r in policy.ROLES if r not in {"anonymous", SYSTEM, "local"})
"""What a person may be."""
TWO_FACTORS = frozenset({"data_engineer", "security_admin", "auditor"})
"""Who administers signs in with two factors (GB/T 22239-2019 8.1.4.1): until there is one, they see nothing."""
FEDERATED = "oidc:"
"""What the names of accounts begin with whose people the provider knows, not we."""
TABLE = tables.account


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person who signs in."""

    id: str
    name: str
    role: str
    display_name: str = ""
    prefix: str = ""
    grid: str = ""
    department: str = ""
    password_hash: str = ""
    totp_secret: str = ""
    must_change: bool = False
    disabled_at: datetime | None = None
    created_at: datetime
    version: int = 1

    @property
    def called(self) -> str:
        """Give what this person is called."""
        return self.display_name or self.name

    @property
    def federated(self) -> bool:
        """Say whether the provider vouches for this person."""
        return self.name.startswith(FEDERATED)

    def owes(self, *, demo: bool) -> str:
        """Give what must be done before this account may see anything: "password", "second_factor" or ""."""
        if self.must_change:
            return "password"
        lacks = self.role in TWO_FACTORS and not self.totp_secret and not self.federated
        return "second_factor" if lacks and not demo else ""


def subject(account: Account, *, purpose: str = "", demo: bool = False) -> Subject:
    """Give what the policy sees of an account; one that owes something is nobody until it is done."""
    if account.owes(demo=demo):
        return Subject(id=account.id, role="anonymous", via="session")
    return Subject(
        id=account.id,
        role=account.role,
        prefix=account.prefix,
        grid=account.grid,
        department=account.department,
        purpose=purpose,
        via="session",
    )


def of_row(row: Row[Any]) -> Account:
    """Read an account's row."""
    return Account(**{c.name: getattr(row, c.name) for c in TABLE.columns})


def named(connection: Connection, name: str) -> Account | None:
    """Give the account of a name, None where there is none."""
    row = connection.execute(select(TABLE).where(TABLE.c.name == tidy(name))).first()
    return of_row(row) if row else None


def by_id(connection: Connection, account_id: str) -> Account:
    """Give an account; raises NotFound."""
    row = connection.execute(select(TABLE).where(TABLE.c.id == account_id)).first()
    if row is None:
        raise NotFound("没有这个账号", "There is no such account")
    return of_row(row)


def called(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Give what the people of accounts are called, by id; one that is gone goes by the first of its id."""
    wanted = {i for i in ids if i}
    rows = connection.execute(select(TABLE).where(TABLE.c.id.in_(sorted(wanted)))) if wanted else ()
    found = {a.id: a.called for a in map(of_row, rows)}
    return {i: found.get(i, i[:8]) for i in wanted}


def listed(ops: Ops) -> list[Account]:
    """Give every account by name."""
    with ops.read() as connection:
        return [of_row(r) for r in connection.execute(select(TABLE).order_by(TABLE.c.name))]


def tidy(name: str) -> str:
    """Give the one form a name is kept and looked up in."""
    return name.strip().casefold()[:120]


def add(connection: Connection, at: datetime, *, name: str, role: str, **more: Any) -> Account:
    """Make an account; raises BadRequest for a name that is taken or a role there is not."""
    if role not in (*ROLES, SYSTEM) or not tidy(name):
        raise BadRequest("账号需要名称和有效的角色", "An account needs a name and a role that there is", role=role[:40])
    made = Account(id=str(uuid.uuid4()), name=tidy(name), role=role, created_at=at, **more)
    values = {c.name: getattr(made, c.name) for c in TABLE.columns}
    try:
        with connection.begin_nested():
            connection.execute(insert(TABLE).values(values))
    except Taken as taken:
        raise BadRequest("这个账号名已被使用", "This account name is taken", name=made.name) from taken
    return made


def change(connection: Connection, account: Account, **values: Any) -> bool:
    """Change an account if nobody else did meanwhile; gives False where someone had."""
    query = update(TABLE).where(TABLE.c.id == account.id, TABLE.c.version == account.version)
    return connection.execute(query.values(version=account.version + 1, **values)).rowcount == 1
