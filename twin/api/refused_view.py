"""What the quarantine desk shows, gathered: a page of refused rows, the counts, the map, one row's sheet, the acts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twin.accounts import people
from twin.api.arriving import common
from twin.api.data_view import own_departments
from twin.api.forms import number, several, who_of
from twin.api.offices import may
from twin.api.recording import record
from twin.api.views import Common
from twin.api.who import subject
from twin.errors import NeedsPurpose, NotFound
from twin.quarantine import acts, listing, places, rules, seen
from twin.quarantine.refused import Quarantine

if TYPE_CHECKING:
    from fastapi import Request

    from twin import ops
    from twin.model import CodeSystem, OneMap, Resource, Text, Village
    from twin.policy.judging import Permit
    from twin.quarantine.acts import Act
    from twin.quarantine.listing import Listed, Outcome, Stands
    from twin.quarantine.places import Place
    from twin.quarantine.refused import Table, Whole
    from twin.quarantine.seen import Cell

PAGE = 25
KEPT = (*listing.FILTERS, "q", "first", "row", "view")
"""What an address of this page may carry."""
MOST_PLACES = 2_000
MOST_ACTS = 100


@dataclass(frozen=True, kw_only=True)
class Told:
    """One refused row as it is shown: how it stands, its values, its reasons, its place if it has one."""

    stands: Stands
    whole: Whole
    resource: Resource
    cells: tuple[Cell, ...]
    place: Place | None = None
    accepts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ActTold:
    """One act as it is shown: what became of it, whose row it is about, who did it."""

    act: Act
    outcome: Outcome
    resource: Resource
    by: str
    withdrawn_by: str = ""


@dataclass(frozen=True, kw_only=True)
class RefusedView(Common):
    """The quarantine desk: one page of rows, what each filter would leave, places, one row's sheet, what was decided.

    `pins` are the places of all rows found, `unplaced` how many of them have none and `away` how many lie off the map.
    `waits` are resources with acts no run has done. `faults` are those of a returned workbook.
    """

    rows: tuple[Told, ...] = ()
    listed: Listed
    values: Mapping[str, str] = field(default_factory=dict)
    first: int = 0
    page: int = PAGE
    pins: tuple[tuple[Stands, Place], ...] = ()
    unplaced: int = 0
    more_places: int = 0
    ground: Village
    base: tuple[str, ...] = ()
    sheet: Told | None = None
    acts: tuple[ActTold, ...] = ()
    row_acts: tuple[ActTold, ...] = ()
    waits: Mapping[str, int] = field(default_factory=dict)
    resources: Mapping[str, Text] = field(default_factory=dict)
    departments: Mapping[str, Text] = field(default_factory=dict)
    systems: Mapping[str, CodeSystem] = field(default_factory=dict)
    decides: bool = False
    done: str = ""
    faults: tuple[Text, ...] = ()
    wrong: Mapping[str, Text] = field(default_factory=dict)
    typed_in: Mapping[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> Mapping[str, str]:
        """Give what the address must keep when the language changes: what was asked."""
        return self.values


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The desk as one person stands at it: the resources whose refused rows they may see, and how."""

    onemap: OneMap
    quarantine: Quarantine
    resources: Mapping[str, tuple[Resource, Permit]]

    def tables(self) -> list[Table]:
        """Give the refused rows of every resource, in catalogue order."""
        found = (self.quarantine.table(r) for r, _ in self.resources.values())
        return [t for t in found if t is not None]

    def told(self, some: Sequence[Stands]) -> list[Told]:
        """Give rows with their values, in the order of `some`; their resources' readings are noted for the record."""
        found: dict[str, Told] = {}
        by: dict[str, list[Stands]] = {}
        for one in some:
            by.setdefault(one.row.named.resource, []).append(one)
        for name, rows in by.items():
            resource, permit = self.resources[name]
            wholes = self.quarantine.whole(resource, [s.row for s in rows])
            where = places.places(wholes, self.onemap.village, permit.precision_m)
            stands = {s.row.name: s for s in rows}
            for w in wholes:
                found[w.row.name] = told(stands[w.row.name], w, resource, permit, where.get(w.row.name))
        return [found[s.row.name] for s in some if s.row.name in found]

    def stands(self, held: Sequence[Act]) -> list[Stands]:
        """Give every refused row with how it stands, in catalogue order."""
        return listing.stands(self.tables(), held)

    @property
    def systems(self) -> dict[str, CodeSystem]:
        """Give the code lists by their ids."""
        return {s.id: s for s in self.onemap.code_systems}

    def one(self, name: str, rows: Iterable[Stands]) -> Told:
        """Give the refused row of a name among `rows`; raises NotFound."""
        found = next((s for s in rows if s.row.name == name), None)
        if found is not None:
            return self.told([found])[0]
        raise NotFound("隔离区里没有这一行(可能已重新入库)", "No such row is refused (it may have been received since)")


def told(one: Stands, whole: Whole, resource: Resource, permit: Permit, place: Place | None) -> Told:
    """Join one row with what may be shown of it."""
    return Told(
        stands=one,
        whole=whole,
        resource=resource,
        cells=tuple(seen.cells(whole, resource, permit)),
        place=place,
        accepts=rules.acceptable(one.row.named.rules),
    )


def desk(request: Request) -> Desk:
    """Give the desk of whoever asks: their own department's resources, as far as the policy lets them see rows."""
    rooms, asks = request.app.state.rooms, subject(request)
    own = own_departments(request)
    state = request.app.state
    if getattr(state, "quarantine", None) is None:
        state.quarantine = Quarantine(rooms.settings.store)
    found: dict[str, tuple[Resource, Permit]] = {}
    for resource in rooms.onemap.resources:
        if own is not None and resource.department not in own:
            continue
        try:
            found[resource.id] = (resource, seen.permit(rooms.policy, asks, resource))
        except (NotFound, NeedsPurpose):
            continue
    return Desk(onemap=rooms.onemap, quarantine=state.quarantine, resources=found)


def wanted(values: Mapping[str, str], count: int = PAGE) -> listing.Wanted:
    """Read what an address asks for; a value that is none of ours asks for nothing that is there."""
    return listing.Wanted(
        **{n: several(values, n) for n in listing.FILTERS},
        text=values.get("q", "").strip()[:80],
        first=number(values, "first"),
        count=count,
    )


def view(request: Request, given: Mapping[str, str], **more: Any) -> RefusedView:
    """Gather the page that `given` asks for, and write down whose values it shows."""
    who, here = who_of(request), desk(request)
    asked = {k: v[:400] for k in KEPT if (v := given.get(k, ""))}
    sought = wanted(asked)
    with who.accounts.ops.read() as connection:
        held = acts.of(connection, here.resources)
        called = called_of(connection, held)
    tables = here.tables()
    stands = listing.stands(tables, held)
    found = listing.listed(stands, sought)
    sheet, error = None, None
    if asked.get("row"):
        try:
            sheet = here.one(asked["row"], stands)
        except NotFound as wrong:
            error = wrong
    decided = act_list(here, tables, held, called)
    shown = RefusedView(
        **common(request, given, who.known(request.scope)),
        rows=tuple(here.told(found.page)),
        listed=found,
        values=asked,
        first=sought.first if sought.first < len(found.found) else 0,
        **_pins(here, found),
        ground=here.onemap.village,
        base=_base(request),
        sheet=sheet,
        acts=tuple(decided[:MOST_ACTS]),
        row_acts=tuple(a for a in decided if sheet and a.act.on.name == sheet.stands.row.name),
        waits=waits(decided),
        resources={r.id: r.title for r, _ in here.resources.values()},
        departments={d.id: d.title for d in here.onemap.departments},
        systems=here.systems,
        decides=may(request, "quarantine.decide"),
        **{"error": error, **more},
    )
    note(request, here, (*shown.rows, *([sheet] if sheet else [])))
    return shown


def note(request: Request, here: Desk, rows: Sequence[Told]) -> None:
    """Write down that rows with people's values are shown, before they are."""
    counts: dict[str, int] = {}
    for one in rows:
        counts[one.resource.id] = counts.get(one.resource.id, 0) + 1
    for name, n in counts.items():
        seen.take(subject(request), here.resources[name][1], n)
    record(request.scope)


def _pins(here: Desk, found: Listed) -> dict[str, Any]:
    """Give the places of all rows found, as far as a small map can show them."""
    shaped = [s for s in found.found if s.row.has_shape]
    told_of = here.told(shaped[:MOST_PLACES])
    pins = tuple((t.stands, t.place) for t in told_of if t.place is not None)
    return {
        "pins": pins,
        "unplaced": len(found.found) - len(pins) - max(0, len(shaped) - MOST_PLACES),
        "more_places": max(0, len(shaped) - MOST_PLACES),
    }


def _base(request: Request) -> tuple[str, ...]:
    """Give the layers under the small map: the first drawn areas whoever asks may see."""
    rooms, asks = request.app.state.rooms, subject(request)
    drawn = [x for x in rooms.policy.layers(asks) if x.draws and x.draws[0].type == "fill"]
    return tuple(x.id for x in drawn[:1])


def act_list(here: Desk, tables: Sequence[Table], held: Sequence[Act], called: Mapping[str, str]) -> list[ActTold]:
    """Give every act on rows of these resources with what became of it, the newest first."""
    became = {t.resource: t.became for t in tables}
    names = {t.resource: {r.name for r in t.rows} for t in tables}
    return [
        ActTold(
            act=a,
            outcome=listing.outcome(a, became.get(a.on.resource, {}), names.get(a.on.resource, ())),
            resource=here.resources[a.on.resource][0],
            by=called.get(a.account_id, ""),
            withdrawn_by=called.get(a.withdrawn_by, ""),
        )
        for a in held
    ]


def waits(decided: Sequence[ActTold]) -> dict[str, int]:
    """Count, by resource, the acts that no run has done yet."""
    counts: dict[str, int] = {}
    for one in decided:
        if one.outcome in ("waits", "undoes"):
            counts[one.resource.id] = counts.get(one.resource.id, 0) + 1
    return counts


def called_of(connection: ops.Connection, held: Sequence[Act]) -> dict[str, str]:
    """Give what the people of acts are called, by their accounts."""
    return people.called(connection, (account for a in held for account in (a.account_id, a.withdrawn_by)))
