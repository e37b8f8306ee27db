"""What the security administrator does to others' accounts: makes them, resets them, counts their sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.accounts import passwords, people, sessions
from twin.errors import BadRequest
from twin.ops import func, select

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.accounts.directory import Accounts
    from twin.accounts.people import Account

AREA, GRID = (6, 9, 12), 15
NEEDS_AREA = frozenset({"official", "department_owner"})


def add(accounts: Accounts, given: Mapping[str, str]) -> tuple[Account, str]:
    """Make an account of `name`, `display`, `role`, `prefix`, `grid`, `department`; give it and a one-time password.

    Raises BadRequest, saying what to change.
    """
    role = given.get("role", "")
    if role not in people.ROLES:
        raise BadRequest("请选择角色", "Choose a role", field="role")
    prefix, grid = _area(role, given.get("prefix", "").strip(), given.get("grid", "").strip())
    password = passwords.one_time()
    stored = passwords.hashed(password)
    with accounts.ops.begin() as connection:
        made = people.add(
            connection,
            accounts.now(),
            name=given.get("name", ""),
            role=role,
            display_name=given.get("display", "").strip()[:120],
            prefix=prefix,
            grid=grid,
            department=given.get("department", "").strip()[:80],
            password_hash=stored,
            must_change=True,
        )
    return made, password


def _area(role: str, prefix: str, grid: str) -> tuple[str, str]:
    """Give the area a role holds in; raises BadRequest where one is missing or is no code."""
    if grid and not (grid.isascii() and grid.isdigit() and len(grid) == GRID):
        raise BadRequest("网格代码应为 15 位数字", "A grid code has 15 digits", field="grid")
    prefix = grid[:12] if grid else prefix
    if prefix and not (prefix.isascii() and prefix.isdigit() and len(prefix) in AREA):
        raise BadRequest("范围代码应为 6、9 或 12 位数字", "An area code has 6, 9 or 12 digits", field="prefix")
    if role == "grid_worker" and not grid:
        raise BadRequest("网格员需要网格代码", "A grid worker needs a grid code", field="grid")
    if role in NEEDS_AREA and not prefix:
        raise BadRequest("这个角色需要范围代码", "This role needs an area code", field="prefix")
    return prefix, grid


def reset(accounts: Accounts, account_id: str) -> str:
    """Give an account a one-time password, take its second factor away and end its sessions; raises NotFound."""
    password = passwords.one_time()
    stored = passwords.hashed(password)
    with accounts.ops.begin() as connection:
        account = people.by_id(connection, account_id)
        if account.federated or account.role == people.SYSTEM:
            raise BadRequest("这个账号没有本地密码", "This account has no password here")
        people.change(connection, account, password_hash=stored, must_change=True, totp_secret="")
    accounts.end_all(account_id)
    return password


def find(accounts: Accounts, account_id: str) -> Account:
    """Give an account; raises NotFound."""
    with accounts.ops.read() as connection:
        return people.by_id(connection, account_id)


def listed(accounts: Accounts) -> tuple[tuple[Account, ...], dict[str, int]]:
    """Give every account by name, and how many sessions each that has any is signed in with."""
    now = accounts.now()
    table = sessions.TABLE
    query = (
        select(table.c.account_id, func.count())
        .where(table.c.ended_at.is_(None), table.c.expires_at > now, table.c.seen_at > now - sessions.IDLE)
        .group_by(table.c.account_id)
    )
    with accounts.ops.read() as connection:
        counts = {row[0]: row[1] for row in connection.execute(query)}
    return tuple(people.listed(accounts.ops)), counts
