"""The demo's nine accounts: one a role, without passwords, entered by the role switcher only and only in the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.accounts import people
from twin.errors import SignInRefused

if TYPE_CHECKING:
    from twin.accounts.directory import Accounts
    from twin.accounts.people import Account

PREFIX = "demo-"
PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("resident", "陈阿婆", ""),
    ("grid_worker", "李国强", "grid"),
    ("official", "王建平", "village"),
    ("department_owner", "周敏", "county"),
    ("planner", "沈逸", "county"),
    ("data_engineer", "何俊", ""),
    ("security_admin", "顾芳", ""),
    ("auditor", "吴岚", ""),
    (people.SYSTEM, "12345 热线系统", "village"),
)
"""(role, invented name, how much ground they hold), in the order of the role switcher."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the demo's people work: a village, its county, one of its grids, and a department."""

    village: str
    county: str
    grid: str
    department: str


def accounts(directory: Accounts, place: Place) -> tuple[Account, ...]:
    """Give the nine accounts, made where they are missing; raises SignInRefused outside the demo."""
    if not directory.demo:
        raise SignInRefused("这里不是演示", "This is no demo")
    held = {"village": place.village, "county": place.county, "grid": place.village, "": ""}
    found: list[Account] = []
    with directory.ops.begin() as connection:
        for role, display, ground in PEOPLE:
            account = people.named(connection, PREFIX + role)
            found.append(
                account
                or people.add(
                    connection,
                    directory.now(),
                    name=PREFIX + role,
                    role=role,
                    display_name=display,
                    prefix=held[ground],
                    grid=place.grid if ground == "grid" else "",
                    department=place.department if role == "department_owner" else "",
                )
            )
    return tuple(found)
