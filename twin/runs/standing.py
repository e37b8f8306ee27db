"""Where each resource stands: kept beside its declaration, turned by runs and by time; the only writer of a state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from twin import freshness, ops
from twin.ops import run_tables as tables
from twin.runs import cadence
from twin.runs.calendar import PLAIN, Calendar
from twin.runs.values import RANK
from twin.text import t

if TYPE_CHECKING:
    from twin.freshness import State
    from twin.model import Department, Resource

_S = tables.standing
QUIET: tuple[tuple[State, State], ...] = (
    ("never", "fresh"), ("never", "never"), ("never", "unshared"), ("unshared", "never"),
)  # fmt: skip
"""Changes that nobody need be told of."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What promises are judged by: the village's time zone and its working days."""

    zone: str
    calendar: Calendar = PLAIN


def declare(connection: ops.Connection, departments: Iterable[Department], rules: Rules, now: datetime) -> None:
    """Keep one row for each catalogued resource, and none for others; what is known of a resource stays."""
    kept = {row.resource: row for row in connection.execute(ops.select(_S)).all()}
    changed = changes(connection)
    declared = [(d, r) for d in departments for r in d.resources]
    new: list[dict[str, Any]] = []
    for place, (department, resource) in enumerate(declared):
        wanted = _declared(place, department, resource, changed.get(resource.id))
        row = kept.pop(resource.id, None)
        if row is None:
            state = _unreceived(resource)
            new.append({**wanted, "state": state, "rank": RANK[state], "since": now})
            continue
        if any(getattr(row, key) != value for key, value in wanted.items()):
            connection.execute(ops.update(_S).where(_S.c.resource == resource.id), {**wanted})
            promise(connection, resource.id, rules)
        if row.state in ("never", "unshared"):
            turn(connection, resource.id, _unreceived(resource), now)
    if new:
        connection.execute(ops.insert(_S), new)
    for name in kept:
        connection.execute(ops.delete(_S).where(_S.c.resource == name))


def _declared(place: int, department: Department, resource: Resource, change: Any) -> dict[str, Any]:
    declared = resource.cadence or cadence.derived(resource)
    words = (resource.id, resource.title.zh, resource.title.en, department.title.zh, department.title.en)
    fields = (w for f in resource.fields for w in (f.title.zh, f.title.en, f.source))
    return {
        "resource": resource.id,
        "place": place,
        "title_zh": resource.title.zh,
        "title_en": resource.title.en,
        "department": department.id,
        "department_zh": department.title.zh,
        "department_en": department.title.en,
        "theme": resource.theme,
        "contact_person": resource.contact_person,
        "contact_phone": resource.contact_phone,
        "update_cycle": resource.update_cycle,
        "cadence_seconds": resource.cadence_seconds,
        "declared": declared,
        "cadence": (change.cadence if change else "") or declared,
        "paused": bool(change and change.paused),
        "search": "\n".join(dict.fromkeys(w.lower() for w in (*words, *fields) if w)),
    }


def _unreceived(resource: Resource) -> State:
    """Give how a resource stands of which nothing was received: the law may not share it."""
    return "unshared" if resource.share_type == "none" else "never"


def changes(connection: ops.Connection) -> dict[str, Any]:
    """Give the change in force of each resource whose schedule somebody changed."""
    c = tables.schedule_change
    last = ops.select(ops.func.max(c.c.id)).group_by(c.c.resource)
    return {row.resource: row for row in connection.execute(ops.select(c).where(c.c.id.in_(last)))}


def reported(connection: ops.Connection, resource: str, facts: Mapping[str, Any], rules: Rules, at: datetime) -> None:
    """Take up what the last run of a resource left: `facts` are columns of its row; its state follows, told or not."""
    row = _row(connection, resource)
    if row is None:
        return
    seen = row._asdict() | facts
    due, late = promised(seen, rules)
    state = _judged(seen, late, at)
    values = {**facts, "due_at": due, "late_at": late}
    connection.execute(ops.update(_S).where(_S.c.resource == resource), values)
    turn(connection, resource, state, at)


def promise(connection: ops.Connection, resource: str, rules: Rules) -> None:
    """Reckon anew when a resource owes its next content and from when it is late."""
    row = _row(connection, resource)
    if row is not None:
        due, late = promised(row._asdict(), rules)
        connection.execute(ops.update(_S).where(_S.c.resource == resource), {"due_at": due, "late_at": late})


def promised(row: Mapping[str, Any], rules: Rules) -> tuple[datetime | None, datetime | None]:
    """Give when new content is owed and from when it is late: by the promised seconds, or by a changed cadence.

    Both are None where nothing was ever received, or nothing is promised.
    """
    base = freshness.content_until(row["as_of"], row["good_at"], ZoneInfo(rules.zone))
    if base is None:
        return None, None
    if row["cadence"] != row["declared"]:
        now_promised = cadence.parse(row["cadence"], rules.zone)
        due = cadence.next_fire(now_promised, base, rules.calendar)
        gap = cadence.interval(now_promised, base, rules.calendar)
        return due, due + gap * freshness.GRACE_RATIO if due and gap else None
    seconds = row["cadence_seconds"]
    if seconds <= 0:
        return None, None
    grace = timedelta(seconds=seconds * (1 + freshness.GRACE_RATIO))
    return base + timedelta(seconds=seconds), base + grace


def _judged(row: Mapping[str, Any], late_at: datetime | None, at: datetime) -> State:
    last = freshness.LastRun(
        resource=row["resource"],
        run=row["last_run"],
        status=row["last_status"],
        finished_at=row["last_at"],
        good_at=row["good_at"],
        as_of=row["as_of"],
    )
    return freshness.status(last, 0, at, late_at=late_at).state


def settle(connection: ops.Connection, now: datetime) -> int:
    """Turn to late whatever is late at `now`, and back whatever a later promise keeps; gives how many turned."""
    late = ops.and_(_S.c.state == "fresh", _S.c.late_at < now)
    kept = ops.and_(_S.c.state == "stale", ops.or_(_S.c.late_at >= now, _S.c.late_at.is_(None)))
    turned = 0
    ways: tuple[tuple[Any, State], ...] = ((late, "stale"), (kept, "fresh"))
    for where, state in ways:
        for row in connection.execute(ops.select(_S.c.resource).where(where)).all():
            turn(connection, row.resource, state, now)
            turned += 1
    return turned


def unsettled(connection: ops.Connection, now: datetime) -> bool:
    """Say whether `settle` has something to do: two looks into an index."""
    late = ops.select(_S.c.resource).where(_S.c.state == "fresh", _S.c.late_at < now).limit(1)
    kept = ops.select(_S.c.resource).where(_S.c.state == "stale", _S.c.late_at >= now).limit(1)
    return (connection.execute(late).first() or connection.execute(kept).first()) is not None


def turn(
    connection: ops.Connection, resource: str, state: State, at: datetime, *, told: tuple[str, str] | None = None
) -> bool:
    """Give a resource its state; a change is told once, by one notice. `told` is a reason in place of the run's own."""
    row = _row(connection, resource)
    if row is None or row.state == state:
        return False
    values: dict[str, Any] = {"state": state, "rank": RANK[state], "since": at}
    if told:
        values |= {"reason_zh": told[0], "reason_en": told[1]}
    connection.execute(ops.update(_S).where(_S.c.resource == resource), values)
    if (row.state, state) not in QUIET:
        zh, en = told or reason(row._asdict() | {"state": state}, at)
        notice = {
            "at": at,
            "resource": resource,
            "department": row.department,
            "state_before": row.state,
            "state": state,
            "due_at": row.due_at,
            "reason_zh": zh,
            "reason_en": en,
            "routed": False,
        }
        connection.execute(ops.insert(tables.notice), notice)
    return True


def reason(row: Mapping[str, Any], now: datetime) -> tuple[str, str]:
    """Give why a resource stands as it does, in a sentence, Chinese and English; "" where all is well."""
    if row["state"] == "stale" and row["due_at"]:
        days = max(0, (now - row["due_at"]).days)
        day = row["due_at"].astimezone(now.tzinfo).date().isoformat()
        zh = t("runs.reason.late", "zh-CN", n=days, day=day)
        return zh, t("runs.reason.late", "en", n=days, day=day)
    if row["state"] in ("never", "unshared"):
        return t(f"runs.reason.{row['state']}", "zh-CN"), t(f"runs.reason.{row['state']}", "en")
    return ("", "") if row["state"] == "fresh" else (row["reason_zh"], row["reason_en"])


def _row(connection: ops.Connection, resource: str) -> Any:
    return connection.execute(ops.select(_S).where(_S.c.resource == resource)).one_or_none()


def late(connection: ops.Connection) -> dict[str, datetime | None]:
    """Give from when each resource is late whose schedule somebody changed, None for one that then never is."""
    changed = ops.select(_S.c.resource, _S.c.late_at).where(_S.c.cadence != _S.c.declared)
    return {row.resource: row.late_at for row in connection.execute(changed)}


def next_run(connection: ops.Connection, resource: str, at: datetime | None) -> None:
    """Note when a resource is next looked for."""
    where = ops.and_(_S.c.resource == resource, ops.or_(_S.c.next_run_at != at, _S.c.next_run_at.is_(None)))
    connection.execute(ops.update(_S).where(where), {"next_run_at": at})


def of(day: Any) -> date | None:
    """Read a date as the ledger writes it."""
    return date.fromisoformat(day) if day else None
