"""What the data table and the pages beside it show: a dataset's sheet, its versions, a diff, a report; values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twin.api.views import Common

if TYPE_CHECKING:
    from datetime import date, datetime

    from twin.model import Layer, Resource, Text
    from twin.policy.sight import Sight
    from twin.reports import Filled, Form
    from twin.runs import values as received
    from twin.runs.moving import Moving


@dataclass(frozen=True, kw_only=True)
class VersionLine:
    """One version of a table: when it was published, whether it is `current`, `kept` or `gone`, and what is known.

    `by` and `reason` are those of a rollback that took it back.
    """

    version: str
    since: datetime
    state: str
    rows: int | None = None
    as_of: date | None = None
    gone: Text | None = None
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class DiffView(Common):
    """What changed in a table between two versions: `told` as the API tells it, None where it cannot be told.

    `change` is the one difference shown, "" for all; `decides`: may roll back; `mapped`: its rows have places,
    which are drawn over the layer `ground`.
    """

    table: str
    title: Text
    versions: tuple[VersionLine, ...]
    before: str
    after: str
    change: str = ""
    told: Mapping[str, Any] | None = None
    mapped: bool = False
    decides: bool = False
    ground: str = ""

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: which versions, which differences."""
        asked = {"table": self.table, "from": self.before, "to": self.after, "change": self.change}
        return {k: v for k, v in asked.items() if v}


@dataclass(frozen=True, kw_only=True)
class ReportsView(Common):
    """The reports there are; one of them filled for a period, where one was chosen."""

    forms: tuple[Form, ...] = ()
    form: str = ""
    period: str = ""
    filled: Filled | None = None
    departments: Mapping[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: which report, which period."""
        return {k: v for k, v in (("name", self.form), ("period", self.period)) if v}


@dataclass(frozen=True, kw_only=True)
class DataSheet:
    """All of one resource: where it stands, its declaration, its runs (the newest first), who did what about it.

    `held` waits for a decision, `decided` are those before; `called` names accounts; `visible` are those of `layers`
    that whoever asks may open; `access` is who sees it, where the sheet is open at that; `decides`: may approve.
    `meant` is the cadence in words (or the one that was `typed` to be looked at, for the reason `because`), `coming`
    its next dates. `box` is the table's extent (degrees), drawn over the layer `ground`; `reports` take from it.
    """

    stands: received.Standing
    declared: Resource
    tab: str
    runs: tuple[received.Run, ...]
    held: received.Hold | None
    changes: tuple[received.Change, ...]
    requests: tuple[received.Request, ...]
    decided: tuple[received.Hold, ...]
    called: Mapping[str, str]
    moving: Moving | None
    layers: tuple[Layer, ...]
    visible: tuple[Layer, ...]
    made_into: tuple[Resource, ...]
    made_of: tuple[Resource, ...]
    access: Sight | None
    decides: bool
    versions: tuple[VersionLine, ...] = ()
    meant: Text
    coming: tuple[datetime, ...] = ()
    declared_cadence: str
    typed: str | None = None
    because: str = ""
    reports: tuple[tuple[str, Text], ...] = ()
    box: tuple[float, ...] = ()
    ground: str = ""


@dataclass(frozen=True, kw_only=True)
class DataView(Common):
    """The data team's table: one page of its rows as `values` ask, `total` of them, and the counts of each filter.

    `counts["state"]["stale"]` is how many were shown if only the filter on states changed. `moving` says what runs or
    was asked of each row. `starts`: may rerun; `plans`: may change a schedule.
    `done` names what was just done, `was` to which resource; `receives`: somebody receives now. `now` is the village's
    clock, `now_real` the machine's.
    """

    rows: tuple[received.Standing, ...] = ()
    total: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    moving: Mapping[str, Moving] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    first: int = 0
    page: int
    themes: Mapping[str, Text] = field(default_factory=dict)
    departments: Mapping[str, Text] = field(default_factory=dict)
    starts: bool = False
    plans: bool = False
    mends: bool = False
    now: datetime
    now_real: datetime
    receives: bool = True
    sheet: DataSheet | None = None
    done: str = ""
    was: str = ""

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: what was asked."""
        return self.values
