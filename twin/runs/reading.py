"""What the data page reads: filtered, sorted and cut in SQL, so that ten thousand resources cost what few do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from twin import freshness, ops
from twin.errors import BadRequest, NotFound
from twin.model import Text
from twin.ops import run_tables as tables
from twin.runs import standing
from twin.runs.values import RANK, Change, Hold, Notice, Request, Run, Standing, Tick

Sort = Literal["rank", "place", "department", "theme", "good_at", "due_at", "rows", "rows_delta"]
_S, _R, _H, _T = tables.standing, tables.run, tables.hold, tables.tick
FIRST: Mapping[Sort, tuple[str, ...]] = {
    "rank": ("rank", "place"),
    "place": ("place",),
    "department": ("department", "rank", "place"),
    "theme": ("theme", "rank", "place"),
    "good_at": ("good_at", "place"),
    "due_at": ("due_at", "place"),
    "rows": ("rows", "place"),
    "rows_delta": ("rows_delta", "place"),
}
"""The columns each order sorts by, each of them an index."""
MOST = 500
"""Rows of one page at most."""
COUNTED = ("state", "department", "theme", "update_cycle")
_BY = {"state": "rank"}
"""The rank of a state stands in every index, so that an index answers alone."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for: all filters together; an empty one wants everything. `text` is found in names and fields.

    `may` limits everything, counts included, to these departments; None means all.
    """

    states: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    cycles: tuple[str, ...] = ()
    text: str = ""
    paused: bool | None = None
    sort: Sort = "rank"
    descending: bool = False
    first: int = 0
    count: int = 50
    may: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the table: its rows, how many there are in all, and counts per value of each filter.

    `counts["state"]["stale"]` is how many would be shown if only the filter on states were changed to stale.
    """

    rows: tuple[Standing, ...]
    total: int
    counts: Mapping[str, Mapping[str, int]]


def page(connection: ops.Connection, wanted: Wanted, now: datetime) -> Page:
    """Give the page that is wanted, as of the last `settle`. Raises BadRequest on an order there is not."""
    found = rows(connection, wanted, now)
    total, counts = counted(connection, wanted)
    return Page(rows=found, total=total, counts=counts)


def rows(connection: ops.Connection, wanted: Wanted, now: datetime) -> tuple[Standing, ...]:
    """Give only the rows of a page: what they cost does not grow with the catalogue. Raises BadRequest as `page`."""
    if wanted.sort not in FIRST:
        raise BadRequest(f"不能按 {wanted.sort} 排序", f"There is no order by {wanted.sort}")
    order = [_S.c[name] for name in FIRST[wanted.sort]]
    turned = [c.desc() for c in order] if wanted.descending else order
    query = ops.select(_S).where(*_where(wanted)).order_by(*turned)
    cut = query.limit(min(max(wanted.count, 1), MOST)).offset(max(wanted.first, 0))
    return tuple(_standing(row, now) for row in connection.execute(cut))


def counted(connection: ops.Connection, wanted: Wanted) -> tuple[int, dict[str, dict[str, int]]]:
    """Give how many rows there are in all, and the counts of a page: one statement, answered by one index alone."""
    columns = [_S.c[_BY.get(name, name)] for name in COUNTED]
    query = ops.select(*columns, ops.func.count()).where(*_always(wanted)).group_by(*columns)
    chosen = [_chosen(wanted)[name] for name in COUNTED]
    counts: dict[str, dict[Any, int]] = {name: {} for name in COUNTED}
    total = 0
    for *values, n in connection.execute(query):
        misses = [i for i, value in enumerate(values) if chosen[i] and value not in chosen[i]]
        total += 0 if misses else n
        for i in range(len(COUNTED)) if not misses else misses if len(misses) == 1 else ():
            found = counts[COUNTED[i]]
            found[values[i]] = found.get(values[i], 0) + n
    counts["state"] = {state: counts["state"][rank] for state, rank in RANK.items() if rank in counts["state"]}
    return total, counts


def one(connection: ops.Connection, resource: str, now: datetime) -> Standing:
    """Give where one resource stands; raises NotFound."""
    row = connection.execute(ops.select(_S).where(_S.c.resource == resource)).one_or_none()
    if row is None:
        raise NotFound(f"没有资源 {resource[:80]}", f"There is no resource {resource[:80]}")
    return _standing(row, now)


def runs(connection: ops.Connection, resource: str, *, count: int = 30, before: datetime | None = None) -> list[Run]:
    """Give the runs of a resource, the newest first."""
    query = ops.select(_R).where(_R.c.resource == resource).order_by(_R.c.finished_at.desc()).limit(min(count, MOST))
    if before:
        query = query.where(_R.c.finished_at < before)
    return [_run(row) for row in connection.execute(query)]


def ticks(connection: ops.Connection, resource: str, *, count: int = 30) -> list[Tick]:
    """Give what is due, runs or was due of a resource, the newest first."""
    query = ops.select(_T).where(_T.c.resource == resource).order_by(_T.c.due_at.desc()).limit(min(count, MOST))
    return [tick_of(row) for row in connection.execute(query)]


def running(connection: ops.Connection) -> list[Tick]:
    """Give what runs now, or waits for another try."""
    where = ops.or_(_T.c.state == "running", ops.and_(_T.c.state == "waiting", _T.c.attempt > 0))
    return [tick_of(row) for row in connection.execute(ops.select(_T).where(where).order_by(_T.c.next_at).limit(MOST))]


def holds(connection: ops.Connection, resource: str = "", *, waiting: bool = True) -> list[Hold]:
    """Give what waits for a decision (or every hold there was), the newest first."""
    query = ops.select(_H).order_by(_H.c.opened_at.desc()).limit(MOST)
    if waiting:
        query = query.where(_H.c.decision == "")
    if resource:
        query = query.where(_H.c.resource == resource)
    return [hold_of(row) for row in connection.execute(query)]


def requests(connection: ops.Connection, resource: str = "", *, count: int = 30) -> list[Request]:
    """Give what people asked, the newest first."""
    r = tables.run_request
    query = ops.select(r).order_by(r.c.id.desc()).limit(min(count, MOST))
    if resource:
        query = query.where(r.c.resource == resource)
    return [request_of(row) for row in connection.execute(query)]


def changes(connection: ops.Connection, resource: str, *, count: int = 30) -> list[Change]:
    """Give who changed the schedule of a resource, the newest first."""
    c = tables.schedule_change
    query = ops.select(c).where(c.c.resource == resource).order_by(c.c.id.desc()).limit(min(count, MOST))
    return [Change(**row._asdict()) for row in connection.execute(query)]


def notices(connection: ops.Connection, resource: str = "", *, count: int = 30) -> list[Notice]:
    """Give the changes of state that were told, the newest first."""
    n = tables.notice
    query = ops.select(n).order_by(n.c.id.desc()).limit(min(count, MOST))
    if resource:
        query = query.where(n.c.resource == resource)
    return [notice_of(row) for row in connection.execute(query)]


def owing(connection: ops.Connection, now: datetime) -> list[Standing]:
    """Give what departments owe: late, failed, held or never delivered, by department, the worst first."""
    owed = _S.c.state.not_in(("fresh", "unshared"))
    query = ops.select(_S).where(owed).order_by(_S.c.department, _S.c.rank, _S.c.place).limit(10_000)
    return [_standing(row, now) for row in connection.execute(query)]


def _chosen(wanted: Wanted) -> dict[str, tuple[Any, ...]]:
    """Give what each filter wants; a state goes by its rank, and one that is none of ours wants nothing."""
    ranks = tuple(next((rank for known, rank in RANK.items() if known == state), -1) for state in wanted.states)
    others = {"department": wanted.departments, "theme": wanted.themes, "update_cycle": wanted.cycles}
    return {"state": ranks, **others}


def _always(wanted: Wanted) -> list[Any]:
    """Give the conditions that every count keeps."""
    found: list[Any] = []
    if wanted.may is not None:
        found.append(_S.c.department.in_(wanted.may))
    if wanted.paused is not None:
        found.append(_S.c.paused == wanted.paused)
    return found + [_S.c.search.contains(w, autoescape=True) for w in wanted.text.lower().split()]


def _where(wanted: Wanted) -> list[Any]:
    chosen = ((_BY.get(name, name), values) for name, values in _chosen(wanted).items() if values)
    return [*(_S.c[name].in_(values) for name, values in chosen), *_always(wanted)]


def _text(row: Any, name: str) -> Text:
    return Text(getattr(row, f"{name}_zh"), getattr(row, f"{name}_en"))


def _taken(kind: type, row: Any) -> dict[str, Any]:
    """Give those columns of a row that are fields of `kind` by name."""
    return {k: v for k, v in row._asdict().items() if k in kind.__dataclass_fields__}


def _standing(row: Any, now: datetime) -> Standing:
    zh, en = standing.reason(row._asdict(), now)
    return Standing(
        **_taken(Standing, row),
        title=_text(row, "title"),
        department_title=_text(row, "department"),
        changed=row.cadence != row.declared,
        shape=freshness.SHAPES[row.state],
        reason=Text(zh, en),
    )


def _run(row: Any) -> Run:
    return Run(**_taken(Run, row), tick=row.tick_id, reason=_text(row, "reason"))


def hold_of(row: Any) -> Hold:
    """Read a row of holds."""
    return Hold(**{**_taken(Hold, row), "guards": tuple(row.guards)}, reason=_text(row, "reason"))


def _period(row: Any) -> Any:
    return (row.period_from, row.period_to) if row.period_from else None


def tick_of(row: Any) -> Tick:
    """Read a row of ticks."""
    return Tick(**_taken(Tick, row), period=_period(row), reason=_text(row, "reason"))


def request_of(row: Any) -> Request:
    """Read a row of requests."""
    return Request(**_taken(Request, row), period=_period(row), reason=_text(row, "reason"))


def notice_of(row: Any) -> Notice:
    """Read a row of notices."""
    return Notice(**_taken(Notice, row), reason=_text(row, "reason"))
