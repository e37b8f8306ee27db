"""What stands in each cell for whoever asks, and where it comes from; who owes what nobody can fill."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from twin import editions, freshness
from twin.errors import BadRequest, NotFound, Refused, StoreBroken
from twin.model import Indicator
from twin.reports import quality
from twin.reports.form import QUALITY, Cell
from twin.reports.period import of
from twin.text import t

if TYPE_CHECKING:
    from pathlib import Path

    from twin.indicators import Indicators
    from twin.model import OneMap, Resource
    from twin.policy import Policy, Subject
    from twin.reports.form import Form, Rows
    from twin.reports.period import Period
    from twin.store import Serving

State = Literal["ok", "owed", "refused", "small", "broken"]
ZH = "zh-CN"
ENGINE = ("year", "area_m2", "length_m", "id")
OPERATORS = {"like": "=", "in": "∈", "!=": "≠", ">=": "≥", "<=": "≤"}
"""How a condition is written for people."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a cell's value comes from, for the sheet 来源."""

    title: str
    department: str = ""
    resource: str = ""
    column: str = ""
    version: str = ""
    as_of: date | None = None
    rows: int | None = None
    state: State = "ok"
    stale: bool = False


@dataclass(frozen=True, kw_only=True)
class Value:
    """What stands in one cell: a number, a date or words; `decimals` is None for what is no number."""

    content: Any
    decimals: int | None
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form with everything in it: cells by id, lists by id as rows of values by column."""

    form: Form
    period: Period
    made_at: datetime
    words: dict[str, str]
    cells: dict[str, Value]
    lists: dict[str, list[dict[str, Any]]]
    list_origins: dict[str, Origin]
    list_notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Filler:
    """The rooms a report is filled from; `ledger` is the run ledger's file, `as_of` the past moment they tell of."""

    onemap: OneMap
    serving: Serving
    policy: Policy
    indicators: Indicators
    ledger: Path
    as_of: datetime | None = None

    def fill(self, form: Form, subject: Subject, period: str = "") -> Filled:
        """Fill `form` for `subject` and `period` ("" the present one); raises BadRequest, RowLimit and AuditDown."""
        village = self.onemap.village
        now = self.as_of or village.clock or datetime.now(UTC)
        now = now.astimezone(ZoneInfo(village.time_zone))
        span = of(form.span, period, now)
        ask = _Ask(filler=self, subject=subject, period=span, now=now, last=freshness.read(self.ledger))
        cells = {c.id: ask.cell(c) for c in form.cells}
        lists = {r.id: ask.rows(r) for r in form.lists}
        stated = [v.origin.as_of for v in cells.values() if v.origin.as_of]
        words = {
            "village": village.name.zh, "county": village.county.zh, "period": span.zh, "title": form.title.zh,
            "made_at": f"{now:%Y-%m-%d %H:%M}", "as_of": f"{max(stated):%Y-%m-%d}" if stated else "",
        }  # fmt: skip
        return Filled(
            form=form,
            period=span,
            made_at=now,
            words=words,
            cells=cells,
            lists={k: found for k, (found, _, _) in lists.items()},
            list_origins={k: origin for k, (_, origin, _) in lists.items()},
            list_notes={k: note for k, (_, _, note) in lists.items() if note},
        )


@dataclass(frozen=True, kw_only=True)
class _Ask:
    filler: Filler
    subject: Subject
    period: Period
    now: datetime
    last: dict[str, freshness.LastRun]

    def cell(self, cell: Cell) -> Value:
        if not cell.table:
            return self._absent(cell, self._department(cell.owed_by), None, "owed")
        resource = self.filler.onemap.resource(cell.table)
        name = self._department(resource.department) if resource else cell.table
        try:
            if resource is None:
                return self._absent(cell, name, None, "refused")
            told, state = self._single(cell) if cell.measure == "value" else self._number(cell)
        except (NotFound, Refused, BadRequest):
            return self._absent(cell, name, resource, self._why(cell.table))
        except StoreBroken:
            return self._absent(cell, name, resource, "broken")
        if state != "ok" or told is None:
            return self._absent(cell, name, resource, state if state != "ok" else "owed")
        number = isinstance(told, (int, float)) and not isinstance(told, bool)
        content = round(told / cell.per, cell.decimals or None) if number else told
        decimals = cell.decimals if number else None
        return Value(content=content, decimals=decimals, origin=self._origin(cell, resource, "ok"))

    def _why(self, table: str) -> State:
        """Say why nothing came: it was never delivered, or is not for whoever asks."""
        return "refused" if table in self.filler.serving.store.tables() else "owed"

    def _number(self, cell: Cell) -> tuple[Any, State]:
        asked = Indicator(
            id=cell.id, theme="", title=cell.title, table=cell.table, column=cell.column, where=cell.where,
            measure="sum" if cell.measure == "sum" else "count",
        )  # fmt: skip
        found = self.filler.indicators.one(self.subject, asked, ZH, year=self.period.first.year)
        states: dict[str, State] = {"ok": "ok", "small": "small", "broken": "broken", "never": "owed"}
        return found["value"], states[found["state"]]

    def _single(self, cell: Cell) -> tuple[Any, State]:
        rows = self._read(cell.table, (cell.column,), cell.where, ())
        return (rows[0].get(cell.column), "ok") if rows else (None, "owed")

    def _read(
        self, table: str, columns: tuple[str, ...], where: tuple[Any, ...], order: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        """Give the rows of the edition of the period, as `subject` may read them."""
        policy, serving = self.filler.policy, self.filler.serving
        permit = policy.decide(self.subject, "select", table)
        policy.columns(self.subject, table, [w[0] for w in where], "filter")
        policy.columns(self.subject, table, [o.removeprefix("-") for o in order], "sort")
        known = serving.snapshot(table).manifest.get("years") or []
        edition = editions.where(known, self.period.first.year)
        if edition is None:
            return []
        allowed = [c for c in columns if c in permit.columns and c in serving.columns(table)]
        if not allowed:
            raise Refused("没有可读的字段", "No column may be read")
        named = dict.fromkeys(("id", *allowed))
        rows = serving.select(
            table, named, [*where, *edition], order_by=order, limit=permit.max_rows + 1, permit=permit
        )
        return policy.reveal(self.subject, table, rows)

    def rows(self, rows: Rows) -> tuple[list[dict[str, Any]], Origin, str]:
        """Give a list's rows, where they come from, and what is to be said where there are none."""
        if rows.id == QUALITY and not rows.table:
            return self._quality(rows)
        resource = self.filler.onemap.resource(rows.table)
        name = self._department(resource.department) if resource else rows.table
        state: State = "ok"
        found: list[dict[str, Any]] = []
        try:
            found = self._read(rows.table, rows.columns, rows.where, rows.order)
        except (NotFound, BadRequest):
            state = self._why(rows.table)
        except StoreBroken:
            state = "broken"
        origin = self._origin(rows, resource, state)
        hidden = t("reports.refused", ZH)
        shown = [{c: r.get(c, hidden) for c in rows.columns} for r in found]
        note = "" if found else t("reports.none", ZH) if state == "ok" else _said(state, name)
        return [{"no": i, **r} for i, r in enumerate(shown, 1)], origin, note

    def _quality(self, rows: Rows) -> tuple[list[dict[str, Any]], Origin, str]:
        policy = self.filler.policy
        if self.subject.role != "local" and not policy.may(self.subject, "quarantine.read"):
            return [], Origin(title=rows.title.zh, state="refused"), _said("refused", "")
        found = quality.by_department(self.filler.onemap, self.filler.ledger, self.period, self.now)
        origin = Origin(title=rows.title.zh, resource=t("reports.ledger", ZH), rows=len(found))
        return [{"no": i, **r} for i, r in enumerate(found, 1)], origin, "" if found else t("reports.none", ZH)

    def _absent(self, cell: Cell, name: str, resource: Resource | None, state: State) -> Value:
        origin = self._origin(cell, resource, state)
        if resource is None:
            origin = Origin(title=cell.title.zh, department=name, state=state)
        return Value(content=_said(state, name), decimals=None, origin=origin)

    def _department(self, name: str) -> str:
        found = self.filler.onemap.department(name)
        return found.title.zh if found else name

    def _origin(self, asked: Cell | Rows, resource: Resource | None, state: State) -> Origin:
        if resource is None:
            return Origin(title=asked.title.zh, state=state)
        head: dict[str, Any] = {
            "title": asked.title.zh, "department": self._department(resource.department),
            "resource": resource.title.zh, "column": _basis(asked, resource), "state": state,
        }  # fmt: skip
        try:
            snapshot = self.filler.serving.snapshot(resource.id)
        except (NotFound, StoreBroken):
            return Origin(**head)
        if not self.filler.policy.sees(self.subject, resource.id):
            return Origin(**head)
        stated = snapshot.manifest.get("as_of")
        fresh = freshness.status(self.last.get(resource.id), resource.cadence_seconds, self.now)
        return Origin(
            **head,
            version=snapshot.version,
            as_of=date.fromisoformat(stated) if stated else None,
            rows=snapshot.manifest.get("rows"),
            stale=fresh.state in ("stale", "failed", "held"),
        )


def _basis(asked: Cell | Rows, resource: Resource) -> str:
    """Say what a cell or list is made of, in the catalogue's words: fields, what is done with them, the condition."""

    def called(column: str) -> str:
        item = resource.field_named(column)
        return item.title.zh if item else t(f"reports.column.{column}", ZH) if column in ENGINE else column

    if isinstance(asked, Cell):
        parts = [t(f"reports.measure.{asked.measure}", ZH, column=called(asked.column))]
    else:
        parts = ["、".join(called(c) for c in asked.columns)]
    parts += [f"{called(c)} {OPERATORS.get(o, o)} {_value(v)}" for c, o, v in asked.where]
    return ";".join(parts)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return t("reports.yes" if value else "reports.no", ZH)
    return "、".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value).replace("%", "…")


def _said(state: State, department: str) -> str:
    return t(f"reports.{state}", ZH, department=department)
