"""The list behind a number or a layer: rows of one table, a page at a time, sorted and limited by the server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from twin import editions
from twin.entities import box_of
from twin.errors import BadRequest, NotFound
from twin.model import Field, Indicator, Layer, Resource, Text
from twin.pages.markup import drawn, el, icon
from twin.pages.narrowing import Narrowed, narrowed
from twin.pages.parts import button, empty, words
from twin.pages.record import language_of
from twin.policy import VECTOR_TYPES, noted
from twin.text import both, number, plain

if TYPE_CHECKING:
    from twin.pages.desk import Desk

PAGE = 20
MOST_COLUMNS = 3
BOX = ("xmin", "ymin", "xmax", "ymax")
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One list: heading, table, condition, the tables one may change to, and whether every row is urgent.

    `of` are the words of the one group of an indicator that the list is of, None where it is of all.
    """

    title: Text
    resource: Resource
    where: tuple[tuple[str, str, Any], ...] = ()
    of: Text | None = None
    tables: tuple[Resource, ...] = ()
    urgent: bool = False


def listing(desk: Desk, question: Mapping[str, Any]) -> list[Any]:
    """Answer for a list: `question` names an indicator, layer or table, the page and the sorting; raises TwinError."""
    wanted = _wanted(desk, question)
    asked = desk.asked(question)
    years = desk.manifest(wanted.resource.id).get("years")
    edition = editions.where(years, asked.year)
    where = [*wanted.where, *(edition or ())]
    permit = desk.rooms.policy.decide(desk.subject, "select", wanted.resource.id)
    desk.rooms.policy.columns(desk.subject, wanted.resource.id, [c for c, _, _ in wanted.where], "filter")
    total = desk.rooms.serving.count(wanted.resource.id, where, permit=permit) if edition is not None else 0
    listed = min(total, permit.max_rows)
    pages = max(1, -(-listed // PAGE))
    page = min(max(0, int(question.get("page") or 0)), pages - 1)
    columns = _columns(desk, wanted)
    head = _head(wanted, total, edition[0][2] if edition else None, question)
    limit = _way_back(wanted, narrowed(desk, wanted.resource, wanted.where, edition or ()) if total else None)
    if not total:
        return drawn(head, limit, empty(words("page.list.empty"), words("page.list.empty_next")))
    order = _sorting(desk, wanted, question)
    rows = _rows(desk, wanted.resource, columns, where=where, order=order, page=page)
    table = _table(desk, wanted, columns, rows, question)
    about = {"data_fit": _extent(rows), "data_layer": (wanted.resource.layers or ("",))[0]}
    more = el("p", words("page.list.most", n=listed), class_="muted", role="note") if listed < total else None
    return drawn(head, limit, more, el("div", table, class_="scroll-x", **about), _pager(page, pages))


def _extent(rows: Sequence[Row]) -> str | None:
    """Give the box around all rows of the page, as JSON for the map to show."""
    boxes = [r["_bbox"] for r in rows if r["_bbox"]]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return json.dumps([min(west), min(south), max(east), max(north)])


def _wanted(desk: Desk, question: Mapping[str, Any]) -> Wanted:
    kind, name = question.get("kind"), str(question.get("id", ""))
    if kind == "indicator":
        return _of_indicator(desk, desk.indicator(name), str(question.get("of") or ""))
    if kind == "layer":
        layer = desk.rooms.policy.layer(desk.subject, name)
        tables = _tables(desk, layer)
        if not tables:
            raise NotFound(f"图层 {name} 没有可列出的表", f"Layer {name} has no table to list", layer=name)
        chosen = next((r for r in tables if r.id == question.get("table")), tables[0])
        return Wanted(title=layer.title, resource=chosen, tables=tables)
    resource = _resource(desk, name)
    return Wanted(title=resource.title, resource=resource)


def _of_indicator(desk: Desk, indicator: Indicator, of: str) -> Wanted:
    """Give the list behind an indicator, or behind its one group `of`."""
    counted = desk.rooms.indicators
    return Wanted(
        title=indicator.title,
        resource=_resource(desk, indicator.table),
        where=counted.narrowed(desk.subject, indicator, of) if of else indicator.where,
        of=both(lambda language: counted.named(indicator, of, language)) if of else None,
        urgent=indicator.tone == "danger",
    )


def _resource(desk: Desk, table: str) -> Resource:
    return desk.rooms.policy.resource(desk.subject, table)


def _tables(desk: Desk, layer: Layer) -> tuple[Resource, ...]:
    drawn_ = dict.fromkeys(d.table for d in layer.draws if d.type in VECTOR_TYPES and d.interactive)
    return tuple(_resource(desk, t) for t in drawn_ if desk.rooms.policy.sees(desk.subject, t))


def _columns(desk: Desk, wanted: Wanted) -> list[Field]:
    """Give the columns of the list: a deadline first, then what the card shows first, but nothing all rows share."""
    resource = wanted.resource
    shared = {c for c, operator, _ in wanted.where if operator == "="}
    permitted = desk.rooms.policy.columns(desk.subject, resource.id)
    stored = desk.rooms.serving.columns(resource.id)
    shown = [c for x in desk.onemap.layers for d in x.draws if d.table == resource.id for c in d.popup]
    names = [c for c in dict.fromkeys([*shown, *(f.name for f in resource.fields)]) if c in permitted and c in stored]
    left = [n for n in names if n not in (resource.title_field, resource.key) and n not in shared]
    left.sort(key=lambda n: not n.startswith("deadline"))
    return [f for f in (resource.field_named(n) for n in left) if f is not None][:MOST_COLUMNS]


def _rows(
    desk: Desk, resource: Resource, columns: Sequence[Field], *, where: Sequence[Any], order: list[str], page: int
) -> list[Row]:
    stored = desk.rooms.serving.columns(resource.id)
    names = dict.fromkeys(["id", resource.title_field or "id", resource.key, *(f.name for f in columns)])
    permitted = desk.rooms.policy.columns(desk.subject, resource.id)
    wanted = [n for n in names if n in stored and n in permitted]
    boxed = [c for c in BOX if c in stored]
    permit = desk.rooms.policy.decide(desk.subject, "select", resource.id)
    few = min(PAGE, permit.max_rows - page * PAGE)
    found = desk.rooms.serving.select(
        resource.id, [*wanted, *boxed], where, order_by=order, limit=few, offset=page * PAGE, permit=permit
    )
    shown = desk.rooms.policy.reveal(desk.subject, resource.id, [{k: r[k] for k in wanted} for r in found])
    boxes = [box_of(r) if boxed else None for r in found]
    noted.place(permit, boxes)
    return [{**told, "_bbox": box} for told, box in zip(shown, boxes, strict=True)]


def _sorting(desk: Desk, wanted: Wanted, question: Mapping[str, Any]) -> list[str]:
    """Give the order: as asked, else by deadline where there is one, else by id; raises BadRequest if hidden."""
    asked = str(question.get("sort") or "")
    column = asked.removeprefix("-")
    if column:
        if column not in desk.rooms.policy.columns(desk.subject, wanted.resource.id, [column], "sort"):
            raise BadRequest(f"不能按 {column} 排序", f"It cannot be sorted by {column}", column=column)
        return [asked, "id"]
    sortable = desk.rooms.policy.columns(desk.subject, wanted.resource.id, None, "sort")
    due = next((f.name for f in wanted.resource.fields if f.name.startswith("deadline") and f.name in sortable), "")
    return [due, "id"] if due else ["id"]


def _head(wanted: Wanted, total: int, year: int | None, question: Mapping[str, Any]) -> Any:
    language = language_of(question)
    under = [words("page.list.total", n=number(total, language, 0))]
    if wanted.resource.title != wanted.title:
        under += [" · ", wanted.resource.title]
    if year:
        under += [" · ", words("page.list.year", year=year)]

    def choice(resource: Resource) -> Any:
        current = "true" if resource is wanted.resource else None
        return el(
            "button",
            resource.title,
            type="button",
            class_="choice",
            data_act="list-table",
            data_table=resource.id,
            aria_current=current,
        )

    choices = [choice(r) for r in wanted.tables] if len(wanted.tables) > 1 else []
    return el(
        "div",
        el("h2", wanted.title),
        el("p", under, class_="muted", data_total=total, role="status"),
        el("div", choices, class_="choices", role="group", aria_label=words("page.list.of")) if choices else None,
        class_="list-head",
    )


def _way_back(wanted: Wanted, on_map: Narrowed | None) -> Any:
    """Draw what list and map are limited to, to be pressed away; the browser shows it of a map while it is so."""
    about = {"data_layer": on_map.layer, "data_hide": json.dumps(on_map.hide)} if on_map else {}
    if wanted.of:
        act, said, why = "list-all", words("page.list.only", name=wanted.of), words("page.list.only_why")
    elif on_map:
        act, said, why = "widen", _left(on_map.stay), words("page.list.on_map_why")
        about = {**about, "hidden": True}
    else:
        return None
    inside = (icon("filter"), el("span", said), icon("close"))
    chip = el("button", *inside, type="button", class_="choice limit", data_act=act, title=why, **about)
    return el("div", chip, class_="limits")


def _left(stay: Sequence[Text]) -> Text:
    if len(stay) == 1:
        return words("page.list.on_map", name=stay[0])
    return words("page.list.on_map_more", name=stay[0], n=len(stay))


def _table(
    desk: Desk, wanted: Wanted, columns: Sequence[Field], rows: Sequence[Row], question: Mapping[str, Any]
) -> Any:
    resource = wanted.resource
    title = resource.field_named(resource.title_field or resource.key)
    first = Field(name="id", title=resource.title, type="string", source="") if title is None else title
    heads = [_heading(f, question) for f in (first, *columns)]
    body = [_row(desk, wanted, columns, r, language_of(question)) for r in rows]
    label = el("caption", resource.title, class_="unseen")
    return el("table", label, el("thead", el("tr", heads)), el("tbody", body), class_="grid")


def _heading(field: Field, question: Mapping[str, Any]) -> Any:
    asked = str(question.get("sort") or "")
    way = "ascending" if asked == field.name else "descending" if asked == f"-{field.name}" else None
    following = f"-{field.name}" if way == "ascending" else field.name
    unit = el("span", f" ({field.unit})", class_="muted") if field.unit else None
    inside = [field.title, unit]
    if field.sensitivity in ("public", "internal"):
        mark = {"ascending": icon("up"), "descending": icon("down")}.get(way or "")
        label = words("page.list.sort", name=field.title)
        inside = [el("button", *inside, mark, type="button", data_act="sort", data_sort=following, title=label)]
    return el("th", inside, scope="col", aria_sort=way, class_="number" if field.type == "number" else None)


def _row(desk: Desk, wanted: Wanted, columns: Sequence[Field], row: Row, language: str) -> Any:
    resource = wanted.resource
    about = {
        "data_table": resource.id,
        "data_id": row["id"],
        "data_layer": (resource.layers or ("",))[0],
        "data_bbox": json.dumps(row["_bbox"]) if row["_bbox"] else None,
    }
    link = el("button", resource.title_of(row, language), type="button", data_act="row", **about)
    cells = [_cell(desk, f, row.get(f.name), language, _late(desk, wanted, f, row.get(f.name))) for f in columns]
    return el("tr", el("th", link, scope="row"), cells)


def _late(desk: Desk, wanted: Wanted, field: Field, value: Any) -> Any:
    """Say how many days ago a deadline was, in a list of which every row is urgent."""
    if not (wanted.urgent and value and field.type == "datetime" and field.name.startswith("deadline")):
        return None
    days = desk.days_late(value)
    return el("span", words("page.list.late", n=days), class_="late") if days else None


def _cell(desk: Desk, field: Field, value: Any, language: str, late: Any) -> Any:
    if isinstance(value, datetime):
        return el("td", late, f"{desk.local(value):%Y-%m-%d %H:%M}", class_="num")
    if field.type == "integer" and not field.unit and value is not None:
        return el("td", str(value), class_="num number")
    return el("td", plain(value, language), class_="num number" if field.type in ("number", "integer") else None)


def _pager(page: int, pages: int) -> Any:
    if pages < 2:
        return None
    back = button("page", words("page.list.earlier"), "left", data_page=page - 1, disabled=page == 0, class_="framed")
    on = button(
        "page", words("page.list.later"), "right", data_page=page + 1, disabled=page == pages - 1, class_="framed"
    )
    return el("div", back, el("span", words("page.list.page", page=page + 1, pages=pages)), on, class_="pager")
