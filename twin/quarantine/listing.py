"""The desk's list: refused rows with how each stands, filtered, counted by every filter, a page at a time; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from twin.quarantine.rules import rule_of

if TYPE_CHECKING:
    from twin.quarantine.acts import Act
    from twin.quarantine.refused import Refused, Table

State = Literal["waiting", "corrected", "accepted", "sent", "returned"]
STATES: tuple[State, ...] = ("waiting", "sent", "returned", "corrected", "accepted")
Outcome = Literal["withdrawn", "undoes", "waits", "applied", "still", "superseded", "gone", "sent"]
FILTERS = ("state", "resource", "rule", "department")


@dataclass(frozen=True, kw_only=True)
class Stands:
    """One refused row and how it stands: the acts that hold, the newest first; `tried`: a run did them in vain."""

    row: Refused
    state: State
    acts: tuple[Act, ...] = ()
    tried: bool = False


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What of the list is asked for; a filter without values asks for all."""

    state: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    text: str = ""
    first: int = 0
    count: int = 25


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One page of the list, all rows the filters leave, and how many each value of each filter would leave."""

    page: tuple[Stands, ...]
    found: tuple[Stands, ...]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def stands(tables: Iterable[Table], acts: Sequence[Act]) -> list[Stands]:
    """Join refused rows with the acts that hold on them, in the order of the tables."""
    by_name: dict[str, list[Act]] = {}
    for act in acts:
        if act.holds:
            by_name.setdefault(act.on.name, []).append(act)
    return [_stands(row, by_name.get(row.name, []), table) for table in tables for row in table.rows]


def _stands(row: Refused, own: list[Act], table: Table) -> Stands:
    doing = next((a for a in own if a.kind != "send"), None)
    state: State = "waiting"
    if doing is not None:
        state = "accepted" if doing.kind == "accept" else "returned" if doing.book else "corrected"
    elif own:
        state = "sent"
    tried = any(table.became.get(a.id) == "applied" for a in own if a.kind != "send")
    return Stands(row=row, state=state, acts=tuple(own), tried=tried)


def listed(rows: Sequence[Stands], wanted: Wanted) -> Listed:
    """Give the page that is asked for; each count is what would be found if only that filter changed."""
    text = wanted.text.casefold()
    near = [s for s in rows if not text or text in _said(s)]
    found = [s for s in near if _fits(s, wanted)]
    counts = {name: _counted(near, replace(wanted, **{name: ()}), KEYS[name]) for name in FILTERS}
    first = wanted.first if wanted.first < len(found) else 0
    return Listed(page=tuple(found[first : first + wanted.count]), found=tuple(found), counts=counts)


def _said(one: Stands) -> str:
    named = one.row.named
    return f"{named.key} {named.row} {named.source} {named.name}".casefold()


KEYS: Mapping[str, Callable[[Stands], tuple[str, ...]]] = {
    "state": lambda s: (s.state,),
    "resource": lambda s: (s.row.named.resource,),
    "rule": lambda s: tuple(dict.fromkeys(rule_of(r) for r in s.row.named.rules)),
    "department": lambda s: (s.row.named.department,),
}


def _fits(one: Stands, wanted: Wanted) -> bool:
    return all(not (w := getattr(wanted, name)) or set(w) & set(key(one)) for name, key in KEYS.items())


def _counted(rows: Iterable[Stands], wanted: Wanted, key: Callable[[Stands], tuple[str, ...]]) -> dict[str, int]:
    return dict(Counter(value for s in rows if _fits(s, wanted) for value in key(s)))


def outcome(act: Act, became: Mapping[int, str], names: Iterable[str]) -> Outcome:
    """Say what became of an act: `became` is what the resource's last run told, `names` the rows still refused."""
    if not act.holds:
        return "undoes" if became.get(act.id) == "applied" else "withdrawn"
    if act.kind == "send":
        return "sent"
    told = became.get(act.id)
    if told == "applied":
        return "still" if act.on.name in names else "applied"
    return "superseded" if told == "superseded" else "gone" if told == "gone" else "waits"
