"""What the pages of signing in show: values only, for whoever draws them as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.model import Text

if TYPE_CHECKING:
    from datetime import datetime

    from twin.accounts import Account, ApiKey, Session
    from twin.errors import TwinError


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every such page knows: its language, whose map it is, and what its forms must send back.

    `places` names the areas that codes stand for, as far as the village knows them.
    """

    language: str
    village: Text
    demo: bool
    zone: str
    csrf: str = ""
    account: Account | None = None
    error: TwinError | None = None
    places: Mapping[str, Text] = field(default_factory=dict)

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes."""
        return {}


@dataclass(frozen=True, kw_only=True)
class SignInView(Common):
    """The page that asks who it is; `roles` are the demo's accounts, `provider` whether one may be asked instead."""

    next: str = "/"
    name: str = ""
    roles: tuple[Account, ...] = ()
    provider: bool = False
    ended: bool = False

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: where to go on to."""
        return {"next": self.next} if self.next != "/" else {}


@dataclass(frozen=True, kw_only=True)
class AccountView(Common):
    """One's own account: its sessions, its password, its second factor; `done` names what was just done."""

    sessions: tuple[Session, ...] = ()
    here: str = ""
    done: str = ""
    owes: str = ""
    offered: str = ""
    secret: str = ""
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class PeopleView(Common):
    """All accounts and keys, for the security administrator; `password` and `key` are shown one time only."""

    accounts: tuple[Account, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    sessions: Mapping[str, int] = field(default_factory=dict)
    now: datetime
    done: str = ""
    password: str = ""
    key: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


View = SignInView | AccountView | PeopleView
Draw = Callable[[View], str]
