"""What the pages of signing in show: values only, for whoever draws them as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twin.model import Text

if TYPE_CHECKING:
    from datetime import datetime

    from twin.accounts import Account, ApiKey, Session
    from twin.api.adopted import Version
    from twin.declared import Fault
    from twin.errors import TwinError
    from twin.policy.delivered import Usage
    from twin.policy.grants import Purpose, Role
    from twin.policy.sight import Seen, Sight
    from twin.retention.requests import Request


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every such page knows: its language, whose map it is, and what its forms must send back.

    `places` names the areas that codes stand for, as far as the village knows them; `typed` says that a form holds
    what was typed into it before the session ran out.
    """

    language: str
    village: Text
    demo: bool
    zone: str
    csrf: str = ""
    account: Account | None = None
    error: TwinError | None = None
    typed: bool = False
    places: Mapping[str, Text] = field(default_factory=dict)

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes."""
        return {}


@dataclass(frozen=True, kw_only=True)
class SignInView(Common):
    """The page that asks who it is; `roles` are the demo's accounts, `provider` whether one may be asked instead.

    `ended` says how the session before ended: "out" by its owner, "over" by time, "typed" by time over a form.
    """

    next: str = "/"
    name: str = ""
    roles: tuple[Account, ...] = ()
    provider: bool = False
    ended: str = ""

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: where to go on to."""
        return {"next": self.next} if self.next != "/" else {}


@dataclass(frozen=True, kw_only=True)
class AccountView(Common):
    """One's own account: its sessions, its password, its second factor; `done` names what was just done.

    `purposes` may be named, `purpose` is until `until`, and leads back to `next`; `offices` are further pages.
    """

    sessions: tuple[Session, ...] = ()
    here: str = ""
    done: str = ""
    owes: str = ""
    offered: str = ""
    secret: str = ""
    address: str = ""
    purposes: tuple[Purpose, ...] = ()
    purpose: str = ""
    until: datetime | None = None
    next: str = ""
    offices: tuple[str, ...] = ()

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: where to go on to once a purpose is named."""
        return {"next": self.next} if self.next else {}


@dataclass(frozen=True, kw_only=True)
class PeopleView(Common):
    """All accounts and keys, for the security administrator; `password` and `key` are shown one time only.

    `ground` is what each has been given of it in a year, by the account's or key's id.
    """

    accounts: tuple[Account, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    sessions: Mapping[str, int] = field(default_factory=dict)
    ground: Mapping[str, Usage] = field(default_factory=dict)
    now: datetime
    done: str = ""
    password: str = ""
    key: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Chain:
    """What a check of the record found: whole to entry `last` at `at`, or `faults`, the first of them at `broken`."""

    last: int
    at: datetime
    faults: int = 0
    broken: int = 0
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordView(Common):
    """Entries of the record as asked by `values`, below entry `before`; `more` says whether there are older ones.

    `titles` names tables, layers and purposes; `wanted` are the first and last entry typed for an export.
    """

    entries: tuple[Mapping[str, Any], ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    before: int | None = None
    more: bool = False
    chain: Chain | None = None
    public_key: str = ""
    exports: bool = False
    wanted: tuple[str, str] = ("", "")
    titles: Mapping[str, Text] = field(default_factory=dict)
    done: str = ""

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: what was asked."""
        return {k: v for k, v in self.values.items() if v} | ({"before": str(self.before)} if self.before else {})


@dataclass(frozen=True, kw_only=True)
class GrantsView(Common):
    """Who sees what under the grants that hold, and their text to be changed.

    `told` is the answer to `by` ("thing": a layer or table `what`; "person": a role or account `what`). `text` stands
    in the form; `faults` are what is wrong with it; `versions` are all that ever held, the newest first.
    """

    roles: tuple[Role, ...] = ()
    layers: tuple[tuple[str, Text], ...] = ()
    tables: tuple[tuple[str, Text], ...] = ()
    people: tuple[Account, ...] = ()
    by: str = "thing"
    what: str = ""
    thing: Sight | None = None
    person: Seen | None = None
    version: int = 0
    text: str = ""
    note: str = ""
    faults: tuple[Fault, ...] = ()
    versions: tuple[Version, ...] = ()
    edits: bool = False
    done: str = ""

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: what was asked."""
        return {"by": self.by, "what": self.what} if self.what else {}


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where a person's data lies: how many rows of one table in one place, now and in versions before.

    `sure` is how they are known ("number", "row", "name": a question); `rows` name what is not sure by a number.
    """

    place: str
    table: str
    title: Text | None
    sure: str
    current: int
    old: int
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One request to erase and how it stands: who asked and approved by name, what is being done, the certificate."""

    request: Request
    asked_by: str
    approved_by: str
    own: bool
    doing: str | None = None
    failed: TwinError | None = None
    certificate: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class PersonsView(Common):
    """A person's request: where their data lies (`found`), and the requests; `approves` for the second officer."""

    approves: bool = False
    bases: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    found: tuple[Found, ...] | None = None
    standing: tuple[Standing, ...] = ()
    done: str = ""


View = PersonsView | SignInView | AccountView | PeopleView | RecordView | GrantsView
Draw = Callable[[Common], str]
