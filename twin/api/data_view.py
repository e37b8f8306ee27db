"""What the data page shows, gathered: the table as asked, the counts that go with it, and one resource's sheet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast, get_args
from zoneinfo import ZoneInfo

from twin import ops
from twin.accounts import people
from twin.api.arriving import common
from twin.api.data_views import DataSheet, DataView, VersionLine
from twin.api.forms import number, several, who_of
from twin.api.offices import may
from twin.api.who import subject
from twin.errors import BadRequest, NotFound, StoreBroken
from twin.model import Text
from twin.policy import sight
from twin.reports import read_all
from twin.runs import alive, cadence, cadence_words, calendar, reading, standing, taking
from twin.runs.moving import moving

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fastapi import Request

    from twin.api.rooms import Rooms
    from twin.runs.values import Run, Standing
    from twin.store.timeline import Held

PAGE = 50
"""Rows of one page of the table, however many resources there are."""
RUNS = 20
BASE = "base"
"""The theme of the layers that others are drawn over."""
VERSIONS = 60
NEXT = 5
"""How many coming dates a cadence is shown with."""
TABS = ("overview", "fields", "lineage", "runs", "versions", "access")
FILTERS = ("state", "theme", "department", "cycle")
KEPT = (*FILTERS, "q", "sort", "down", "first", "r", "tab")
"""What an address of this page may carry."""


def rules_of(request: Request) -> standing.Rules:
    """Give what promises are judged by here."""
    rooms = request.app.state.rooms
    return standing.Rules(zone=rooms.onemap.village.time_zone, calendar=calendar.read(rooms.settings.village))


def now_of(request: Request) -> datetime:
    """Give the moment that counts as now: the demo's clock, else the real one."""
    return request.app.state.rooms.onemap.village.clock or ops.now()


def own_departments(request: Request) -> tuple[str, ...] | None:
    """Give the departments whose resources whoever asks may see here; None for all of them."""
    department = subject(request).department
    return (department,) if department else None


def open_to(request: Request, resource: str) -> None:
    """Raise NotFound for a resource of a department that is not one's own."""
    found = request.app.state.rooms.onemap.resource(resource)
    own = own_departments(request)
    if found is None or (own is not None and found.department not in own):
        raise NotFound("没有这个数据集", "There is no such dataset")


def brought_up(request: Request) -> None:
    """Take up what ran since somebody last looked, and what has become late; writes only where there is something."""
    state, rooms = request.app.state, request.app.state.rooms
    store, ledger = who_of(request).accounts.ops, rooms.settings.data / "run" / "ledger.jsonl"
    village = rooms.onemap.village
    if getattr(state, "declared", None) is not rooms.onemap:
        with store.begin() as connection:
            standing.declare(connection, rooms.onemap.departments, rules_of(request), ops.now())
        state.declared = rooms.onemap
    with store.read() as connection:
        needed = taking.behind(connection, ledger) or standing.unsettled(connection, now_of(request))
    if needed:
        with store.begin() as connection:
            taking.take_up(connection, ledger, rules_of(request), clock=village.clock)
            standing.settle(connection, now_of(request))


def wanted(request: Request, values: Mapping[str, str]) -> reading.Wanted:
    """Read what an address asks for; a value that is none of ours asks for nothing."""
    sort = values.get("sort", "")
    return reading.Wanted(
        states=several(values, "state"),
        themes=several(values, "theme"),
        departments=several(values, "department"),
        cycles=several(values, "cycle"),
        text=values.get("q", "").strip()[:80],
        sort=cast("reading.Sort", sort) if sort in get_args(reading.Sort) else "rank",
        descending=bool(values.get("down")),
        first=number(values, "first"),
        count=PAGE,
        may=own_departments(request),
    )


def view(request: Request, given: Mapping[str, str], **more: Any) -> DataView:
    """Gather the page that `given` asks for: a constant number of statements, a constant number of rows."""
    brought_up(request)
    who, rooms, now = who_of(request), request.app.state.rooms, now_of(request)
    asked = {k: v[:400] for k in KEPT if (v := given.get(k, ""))}
    sought = wanted(request, asked)
    with who.accounts.ops.read() as connection:
        page = reading.page(connection, sought, now)
        moves = moving(connection, [row.resource for row in page.rows])
        receives = alive.anybody(connection, ops.now())
    sheet, error, typed = None, None, more.pop("typed", None)
    if asked.get("r"):
        try:
            sheet = sheet_of(request, asked["r"], asked.get("tab", ""), now)
            if typed is not None:
                said, dates = coming(typed or sheet.declared_cadence, request)
                sheet = replace(sheet, typed=typed, meant=said, coming=dates, because=more.pop("because", ""))
        except (NotFound, BadRequest) as wrong:
            error = wrong
    more.pop("because", None)
    return DataView(
        **common(request, given, who.known(request.scope)),
        rows=page.rows,
        total=page.total,
        counts=page.counts,
        moving=moves,
        values=asked,
        first=sought.first,
        page=PAGE,
        themes={t.id: t.title for t in rooms.onemap.themes},
        departments={d.id: d.title for d in rooms.onemap.departments},
        starts=may(request, "runs.start"),
        plans=may(request, "schedules.change"),
        mends=may(request, "quarantine.read"),
        now=now,
        now_real=ops.now(),
        receives=receives,
        sheet=sheet,
        **{"error": error, **more},
    )


def sheet_of(request: Request, resource: str, tab: str, now: datetime) -> DataSheet:
    """Gather one resource's sheet; raises NotFound for one that is not there, or not one's own."""
    open_to(request, resource)
    rooms, store = request.app.state.rooms, who_of(request).accounts.ops
    declared = rooms.onemap.resource(resource)
    with store.read() as connection:
        stands: Standing = reading.one(connection, resource, now)
        held = next(iter(reading.holds(connection, resource)), None)
        changes = tuple(reading.changes(connection, resource, count=5))
        asked = tuple(reading.requests(connection, resource, count=5))
        decided = tuple(h for h in reading.holds(connection, resource, waiting=False)[:5] if h.decision)
        by = {x.account_id for x in (*changes, *asked, *decided)}
        called = people.called(connection, by)
        ran = tuple(reading.runs(connection, resource, count=RUNS))
        moves = moving(connection, [resource])
    meant, dates = _meant(stands, request)
    tab = tab if tab in TABS else "overview"
    layers = tuple(x for x in rooms.onemap.layers if any(d.table == resource for d in x.draws))
    visible = tuple(x for x in layers if rooms.policy.sees(subject(request), x.id)) if layers else ()
    return DataSheet(
        stands=stands,
        declared=declared,
        tab=tab,
        runs=ran,
        held=held,
        changes=changes,
        requests=asked,
        decided=decided,
        called=called,
        moving=moves.get(resource),
        layers=layers,
        visible=visible,
        made_into=tuple(r for r in rooms.onemap.resources if resource in r.inputs),
        made_of=tuple(r for r in rooms.onemap.resources if r.id in declared.inputs),
        access=sight.who_sees(rooms.onemap, rooms.policy, resource) if tab == "access" else None,
        decides=may(request, "publishes.approve"),
        versions=versions_of(request, resource) if tab in ("versions", "runs") else (),
        ground=ground_of(request),
        meant=meant,
        coming=dates,
        declared_cadence=declared.cadence or cadence.derived(declared),
        reports=_reports(rooms, resource) if tab == "lineage" else (),
        box=_box(request, resource) if tab == "overview" and layers else (),
    )


def coming(text: str, request: Request) -> tuple[Text, tuple[datetime, ...]]:
    """Give a cadence in words and its next five moments on the village's clock; raises BadRequest."""
    rules, onemap = rules_of(request), request.app.state.rooms.onemap
    titles = {r.id: r.title for r in onemap.resources}
    found, at, dates = cadence.parse(text, rules.zone), now_of(request), []
    while len(dates) < NEXT and (at := cadence.next_fire(found, at, rules.calendar)) is not None:
        dates.append(at.astimezone(ZoneInfo(rules.zone)))
    return cadence_words.words(text, rules.zone, titles), tuple(dates)


def versions_of(request: Request, table: str) -> tuple[VersionLine, ...]:
    """Give the versions of a table, the newest first, with what the run ledger knows of each; none where none is."""
    rooms = request.app.state.rooms
    try:
        held, current = rooms.base.history(table), rooms.base.versions(table)[0].version
    except NotFound:
        return ()
    with who_of(request).accounts.ops.read() as connection:
        ran = {r.version: r for r in reading.runs(connection, table, count=200) if r.status == "published"}
        by = {h.gone.by for h in held if h.gone and h.gone.by}
        called = people.called(connection, by)
    return tuple(_version(h, current, ran.get(h.version), called) for h in held[:VERSIONS])


def _version(held: Held, current: str, ran: Run | None, called: Mapping[str, str]) -> VersionLine:
    gone = held.gone
    return VersionLine(
        version=held.version,
        since=held.since,
        state="gone" if gone else "current" if held.version == current else "kept",
        rows=ran.rows_published if ran else None,
        as_of=ran.as_of if ran else None,
        gone=Text(gone.zh, gone.en) if gone else None,
        by=called.get(gone.by, "") if gone else "",
        reason=gone.reason if gone and gone.why == "rollback" else "",
    )


def _meant(stands: Standing, request: Request) -> tuple[Text, tuple[datetime, ...]]:
    try:
        return coming(stands.cadence, request)
    except BadRequest:
        return Text(stands.cadence, stands.cadence), ()


def ground_of(request: Request) -> str:
    """Give the base map that whoever asks may see, "" where there is none."""
    rooms = request.app.state.rooms
    found = (x.id for x in rooms.onemap.layers if x.theme == BASE and rooms.policy.sees(subject(request), x.id))
    return next(found, "")


def _reports(rooms: Rooms, table: str) -> tuple[tuple[str, Text], ...]:
    """Give the reports that take a number or a list from a table."""
    forms = read_all(rooms.settings.village / "reports", rooms.onemap)
    return tuple((f.id, f.title) for f in forms if any(x.table == table for x in (*f.cells, *f.lists)))


def _box(request: Request, table: str) -> tuple[float, ...]:
    """Give the extent of the current version (west, south, east, north), () where it has none."""
    try:
        found = request.app.state.rooms.base.current(table).manifest.get("bbox") or ()
    except (NotFound, StoreBroken):
        return ()
    return tuple(found)
