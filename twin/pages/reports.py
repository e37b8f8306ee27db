"""The page of reports: pick one and its time, see how full it is and who owes what, print it or take it away."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from twin.model import Text
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.plain import button, field, frame, notices
from twin.text import number, words

if TYPE_CHECKING:
    from twin.api.data_views import ReportsView
    from twin.pages.markup import Node
    from twin.reports import Filled
    from twin.reports.filling import Value

SIGNS = {"ok": "ok", "owed": "never", "refused": "eye-off", "small": "info", "broken": "failed"}
EXAMPLES = {"year": "2025", "month": "2025-10", "day": "2025-11-21"}


def reports(view: ReportsView) -> str:
    """Write the page."""
    parts: list[Node] = [el("p", _link(words("page.reports.to_data"), "/data", view)), *notices(view), _choose(view)]
    if view.filled is None and not view.form:
        parts.append(_listed(view))
    if view.filled is not None:
        parts += [_sum(view, view.filled), _taken(view.filled), _cells(view.filled), _lists(view.filled)]
    title = view.filled.form.title if view.filled else words("page.office.reports")
    return frame(view, title, parts, kind="desk reports", sheets=("data.css",), scripts=("data-print.mjs",))


def _link(said: Text, to: str, view: ReportsView, **asked: str) -> Node:
    kept = {**asked, **({"lang": "en"} if view.language == "en" else {})}
    return el("a", said, href=to + (f"?{urlencode(kept)}" if kept else ""), class_="link")


def _choose(view: ReportsView) -> Node:
    options = [el("option", f.title, value=f.id, selected=f.id == view.form) for f in view.forms]
    span = next((f.span for f in view.forms if f.id == view.form), "month")
    period: dict[str, Any] = {"maxlength": 10, "autocomplete": "off", "value": view.period or None}
    return el(
        "form",
        el("input", type="hidden", name="lang", value="en") if view.language == "en" else None,
        field(words("page.reports.which"), "name", tag="select", inside=options),
        field(
            words("page.reports.period"), "period", placeholder=EXAMPLES[span],
            why=words("page.reports.period_why"), **period,
        ),
        button(words("page.reports.fill"), id="report-fill"),
        method="get",
        action="/reports",
        class_="choose",
    )  # fmt: skip


def _listed(view: ReportsView) -> Node:
    rows = [
        el(
            "li",
            _link(f.title, "/reports", view, name=f.id),
            el("span", _size(len(f.cells), len(f.lists)), class_="muted"),
        )
        for f in view.forms
    ]
    if not rows:
        return el("p", words("page.reports.none"), class_="none-found muted")
    return el("ul", rows, class_="report-list")


def _size(cells: int, lists: int) -> Text:
    return words("page.reports.size", cells=str(cells), lists=str(lists))


def _sum(view: ReportsView, filled: Filled) -> Node:
    """Say how many cells are filled, and which department owes how many of the rest."""
    states = Counter(v.origin.state for v in filled.cells.values())
    owed = Counter(v.origin.department for v in filled.cells.values() if v.origin.state == "owed")
    whole = len(filled.cells)
    said = words("page.reports.filled", n=number(states["ok"], "en", 0), of=number(whole, "en", 0))
    owing = [
        el("li", _link(Text(name, name), "/data", view, department=view.departments[name]) if name in view.departments
           else name, " ", words("page.reports.owes", n=str(n)))
        for name, n in owed.most_common()
    ]  # fmt: skip
    others = [
        el("li", shape(SIGNS[s]), words(f"page.reports.state_{s}"), " ", str(states[s]))
        for s in ("refused", "small", "broken")
        if states[s]
    ]
    return el(
        "section",
        el("p", el("b", Text(filled.period.zh, _period(filled))), " · ", said, class_="full"),
        el("meter", value=str(states["ok"]), max=str(max(1, whole)), aria_label=said) if whole else None,
        el("h2", words("page.reports.owed")) if owing else None,
        el("ul", owing, class_="owing") if owing else None,
        el("ul", others, class_="chips") if others else None,
        class_="sum",
    )


def _period(filled: Filled) -> str:
    first = filled.period.first
    return {"year": f"{first:%Y}", "month": f"{first:%Y-%m}", "day": f"{first:%Y-%m-%d}"}[filled.period.span]


def _taken(filled: Filled) -> Node:
    asked = f"?period={_period(filled)}"
    base = f"/api/v1/reports/{filled.form.id}"
    links = [
        el(
            "a",
            words(f"page.reports.{kind}"),
            href=f"{base}.{kind}{asked}",
            class_="main",
            download=True,
            id=f"report-{kind}",
        )
        for kind in ("xlsx", "pdf")
    ]
    press = el("button", words("page.reports.print"), type="button", class_="quiet", id="report-print", hidden=True)
    return el("p", links, press, class_="row taken")


def _cells(filled: Filled) -> Node:
    if not filled.cells:
        return None
    heads = ("cell", "value", "state", "from", "as_of")
    head = el("thead", el("tr", [el("th", words(f"page.reports.{h}"), scope="col") for h in heads]))
    body = [_cell(c.title, c.unit, filled.cells[c.id]) for c in filled.form.cells]
    return el("section", el("h2", words("page.reports.cells")), el("table", head, el("tbody", body), class_="grid"))


def _cell(title: Text, unit: str, value: Value) -> Node:
    origin, fine = value.origin, value.origin.state == "ok"
    content = value.content
    shown = (
        number(content, "en", value.decimals) if fine and value.decimals is not None else str(content) if fine else "–"
    )
    state = [shape(SIGNS[origin.state]), words(f"page.reports.state_{origin.state}")]
    stale = el("b", " ", words("page.state.stale"), class_="worse") if origin.stale else None
    told: dict[str, Node] = {
        "value": [shown, f" {unit}" if unit and fine else None],
        "state": [state, stale],
        "from": [origin.department, el("span", f" {origin.resource}", class_="muted") if origin.resource else None],
        "as_of": str(origin.as_of) if origin.as_of else "–",
    }
    cells = [
        el("td", v, data_label=words(f"page.reports.{k}"), class_="num" if k == "value" else None)
        for k, v in told.items()
    ]
    return el("tr", el("th", title, scope="row"), cells, class_=f"is-{origin.state}")


def _lists(filled: Filled) -> Node:
    lines = []
    for rows in filled.form.lists:
        origin, n = filled.list_origins[rows.id], len(filled.lists[rows.id])
        note = filled.list_notes.get(rows.id, "")
        told = note or words("page.reports.rows", n=number(n, "en", 0))
        lines.append(
            el(
                "li",
                shape(SIGNS[origin.state]),
                el("b", rows.title),
                " ",
                told,
                " ",
                el("span", origin.department, class_="muted"),
            )
        )
    return el("section", el("h2", words("page.reports.lists")), el("ul", lines, class_="owing")) if lines else None
