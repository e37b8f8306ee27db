"""Who asks: the person, machine or visitor that every answer is judged for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Via = Literal["session", "key", "demo", "none"]
ROLES = (
    "anonymous",
    "resident",
    "grid_worker",
    "official",
    "department_owner",
    "planner",
    "data_engineer",
    "security_admin",
    "auditor",
    "system",
    "local",
)
"""Every role there is; `local` is whoever sits at a demo's machine."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Who asks: `role` names the grants, the rest where and for what they hold.

    `prefix` is an administrative code (6 county, 9 town, 12 village digits), "" everything of this store; `grid` the
    15-digit code of a grid worker's grid; `purpose` what the session was opened for; `scopes` what a key may do.
    """

    id: str
    role: str
    prefix: str = ""
    grid: str = ""
    purpose: str = ""
    department: str = ""
    via: Via = "none"
    scopes: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[object, ...]:
        """Give all that an answer depends on: two people with the same are answered from one cache."""
        return (self.role, self.prefix, self.grid, self.purpose, self.department, self.scopes)


ANONYMOUS_LOCAL = Subject(id="local", role="local")
"""Whoever sits at this machine, on the loopback only."""
ANONYMOUS = Subject(id="anonymous", role="anonymous")
"""Whoever has not signed in."""
