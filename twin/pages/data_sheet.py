"""One dataset's sheet beside the table: what was promised and what came, its fields, its way, its runs, who sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.data_parts import SIGNS, address, cycle, delta
from twin.pages.data_runs import fields, runs
from twin.pages.entries import shape
from twin.pages.grants import lines_table
from twin.pages.markup import el
from twin.pages.plain import button, field, form, moment
from twin.text import catalogue, number, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from twin.api.views import DataSheet, DataView
    from twin.model import Resource
    from twin.pages.markup import Node

TABS = ("overview", "fields", "lineage", "runs", "access")
OWING = ("stale", "failed", "never")


def sheet(view: DataView, close: str) -> Node:
    """Draw the sheet that is open; `close` is the address without it."""
    one = view.sheet
    assert one is not None  # noqa: S101 - asked by the caller
    stands = one.stands
    shown = {"overview": _overview, "fields": _fields, "lineage": _lineage, "runs": runs, "access": _access}[one.tab]
    head = el(
        "header",
        el("h2", stands.title, id="sheet-title", tabindex="-1"),
        el("p", shape(SIGNS[stands.state]), words(f"page.state.{stands.state}"), class_=f"now-state {stands.state}"),
        el("a", words("page.data.close"), href=close, class_="act", id="sheet-close", data_row=stands.resource),
    )
    tabs = [
        el(
            "a", words(f"page.data.tab_{t}"), href=_tab(view, t), id=f"tab-{t}",
            aria_current="page" if t == one.tab else None,
        )
        for t in TABS
    ]  # fmt: skip
    return el(
        "aside",
        head,
        el("nav", tabs, class_="tabs", aria_label=words("page.data.tabs")),
        el("div", shown(view, one), class_="body"),
        class_="over",
        role="dialog",
        aria_labelledby="sheet-title",
    )


def _tab(view: DataView, tab: str, resource: str = "") -> str:
    return address(view, tab="" if tab == "overview" else tab, r=resource or view.values.get("r", ""))


def _overview(view: DataView, one: DataSheet) -> list[Node]:
    return [_now(view, one), _held(view, one), _promise(view, one), _urge(view, one), _schedule(view, one), _facts(one)]


def _now(view: DataView, one: DataSheet) -> Node:
    """Say why it stands as it does, and offer what may be done about it."""
    moves = one.moving
    said = words(f"page.data.phase_{moves.phase}") if moves else None
    told = [said, words("page.data.because", why=moves.reason) if moves.reason.zh else None] if moves else None
    links = [
        el("a", words("page.data.on_map", layer=x.title), href=f"/?l={x.id}&lang={view.language}", class_="link")
        for x in one.visible
    ]
    rerun = None
    if view.starts:
        rerun = el(
            "button", words("page.data.rerun"), type="submit", form="rerun", name="resource",
            value=one.stands.resource, class_="main", id="sheet-rerun",
        )  # fmt: skip
    return el(
        "section",
        el("p", one.stands.reason, class_="reason") if one.stands.reason.zh else None,
        el("p", told, class_="phase") if told else None,
        el("p", rerun, links, class_="row"),
        class_="first",
    )


def _held(view: DataView, one: DataSheet) -> Node:
    """Show what a guard kept back, and let whoever may decide."""
    held = one.held
    if held is None:
        return None
    guards = [el("li", Text(str(g.get("zh", "")), str(g.get("en", "")))) for g in held.guards]
    counts = words("page.data.held_rows", old=_n(held.rows_old), new=_n(held.rows_new))
    decide = None
    if one.decides:
        decide = form(
            view,
            "/data/decide",
            *_back(view),
            _why("decide-why"),
            el(
                "p",
                button(words("page.data.approve"), name="act", value="approve"),
                button(words("page.data.reject"), kind="quiet grave", name="act", value="reject"),
                class_="row",
            ),
            resource=one.stands.resource,
            run=held.run,
        )
    return el(
        "section",
        el("h3", shape("held"), words("page.data.held")),
        el("ul", guards, class_="guards"),
        el("p", counts) if held.rows_new is not None else None,
        el("p", words("page.data.held_meanwhile"), class_="muted"),
        decide or el("p", words("page.data.held_others"), class_="muted"),
        class_="held",
        id="held",
    )


def _back(view: DataView) -> list[Node]:
    return [el("input", type="hidden", name=f"back-{k}", value=v) for k, v in view.values.items()]


def _why(name: str) -> Node:
    kept: dict[str, Any] = {"required": True, "minlength": 2, "maxlength": 400, "autocomplete": "off"}
    return field(words("page.data.why"), name, send="why", why=words("page.data.why_why"), **kept)


def _n(value: int | None) -> str:
    return number(value, "en", 0)


def _at(view: DataView, at: datetime | None) -> str:
    return moment(at, view.zone) if at else "–"


def _promise(view: DataView, one: DataSheet) -> Node:
    """Set what was promised against what came."""
    s = one.stands
    told: list[tuple[str, Node]] = [
        ("promise", cycle(s.update_cycle)),
        ("due", _at(view, s.due_at)),
        ("good", _at(view, s.good_at)),
        ("as_of", str(s.as_of) if s.as_of else "–"),
        ("late", _at(view, s.late_at)),
        ("last", [_at(view, s.last_at), " ", _status(s.last_status)]),
        ("rows", [_n(s.rows), el("span", " ", delta(s.rows_delta), class_="muted")]),
        ("refused", _n(s.rows_quarantined)),
    ]
    return el("section", el("h3", words("page.data.promise_fact")), _listed_facts(told))


def _status(status: str) -> Node:
    known = f"page.data.status_{status}" in catalogue("zh-CN")
    return words(f"page.data.status_{status}") if known else Text(status, status)


def _listed_facts(told: Sequence[tuple[str, Node]]) -> Node:
    pairs = [el("div", el("dt", words(f"page.data.fact_{k}")), el("dd", v)) for k, v in told if v not in ("", None)]
    return el("dl", pairs, class_="facts two")


def _urge(view: DataView, one: DataSheet) -> Node:
    """Name whose it is, how to call them, and where something is owed, what to tell them."""
    s = one.stands
    phone = el("a", s.contact_phone, href=f"tel:{s.contact_phone.replace(' ', '')}") if s.contact_phone else ""
    told: list[tuple[str, Node]] = [("department", s.department_title), ("person", s.contact_person), ("phone", phone)]
    letter = None
    if s.state in OWING:
        text = words("page.data.letter", who=s.contact_person, name=s.title, why=s.reason, place=view.village)
        box: dict[str, Any] = {"rows": 4, "readonly": True, "spellcheck": "false"}
        inside = [text]
        letter = field(words("page.data.letter_title"), "urge-text", tag="textarea", inside=inside, **box)
    return el("section", el("h3", words("page.data.contact")), _listed_facts(told), letter, id="urge")


def _schedule(view: DataView, one: DataSheet) -> Node:
    """Show when it is looked for; whoever may, changes that, for a reason."""
    s = one.stands
    told: list[tuple[str, Node]] = [
        ("cadence", [el("code", s.cadence), el("b", " ", words("page.data.changed")) if s.changed else None]),
        ("next", words("page.data.paused") if s.paused else _at(view, s.next_run_at)),
    ]
    history = [
        el(
            "li",
            el("span", _at(view, c.at), class_="muted"),
            el("b", one.called.get(c.account_id, "")),
            el("span", words("page.data.paused") if c.paused else el("code", c.cadence or s.cadence)),
            el("span", c.why),
        )
        for c in one.changes
    ]
    return el(
        "section",
        el("h3", words("page.data.schedule")),
        _listed_facts(told),
        _change(view, one) if view.plans else None,
        el("ul", history, class_="history") if history else None,
        id="schedule",
    )


def _change(view: DataView, one: DataSheet) -> Node:
    s, hidden = one.stands, {"resource": one.stands.resource}
    kept: dict[str, Any] = {"maxlength": 200, "autocomplete": "off", "spellcheck": "false"}
    cadence = field(words("page.data.cadence"), "cadence", why=words("page.data.cadence_why"), value=s.cadence, **kept)
    act = "resume" if s.paused else "pause"
    return el(
        "div",
        el(
            "details",
            el("summary", words("page.data.cadence_change"), id="cadence-change"),
            form(
                view, "/data/schedule", *_back(view), cadence, _why("cadence-why-it"),
                button(words("page.data.cadence_do")), act="cadence", **hidden,
            ),
        ),
        el(
            "details",
            el("summary", words(f"page.data.{act}"), id="pause-change"),
            form(
                view, "/data/schedule", *_back(view), _why("pause-why"), button(words(f"page.data.{act}")),
                act=act, **hidden,
            ),
        ),
        class_="changes",
    )  # fmt: skip


def _fields(_: DataView, one: DataSheet) -> list[Node]:
    return fields(one)


def _facts(one: DataSheet) -> Node:
    """Give what the official catalogue says of it."""
    r = one.declared
    told: list[tuple[str, Node]] = [
        ("id", el("code", r.id)),
        ("code", el("code", r.code)),
        ("class", " / ".join(r.class_path)),
        ("abstract", r.abstract),
        ("format", r.format),
        ("share", words(f"page.share_type.{r.share_type}")),
        ("condition", r.share_condition),
        ("open", r.open_attr),
        ("basis", r.legal_basis),
        ("retention", r.retention),
    ]
    return el("section", el("h3", words("page.data.catalogue")), _listed_facts(told))


def _lineage(view: DataView, one: DataSheet) -> list[Node]:
    """Show the way from the delivered file to the pages, as it is declared."""
    r = one.declared

    def linked(found: Sequence[Resource]) -> list[Node]:
        return [el("a", x.title, href=_tab(view, "lineage", x.id)) for x in found]

    sources = [el("code", s.location, f" · {s.part}" if s.part else None) for s in r.sources]
    layers = [
        [el("a", x.title, href=f"/?l={x.id}&lang={view.language}") if x in one.visible else x.title] for x in one.layers
    ]
    steps: list[tuple[str, list[Node]]] = [
        ("from", [one.stands.department_title]),
        ("files", sources),
        ("made_of", linked(one.made_of)),
        ("transform", [el("code", r.transform)] if r.transform else []),
        ("table", [[el("code", r.id), " ", el("span", one.stands.version, class_="muted")]]),
        ("layers", layers),
        ("made_into", linked(one.made_into)),
    ]
    drawn = [
        el("li", el("h3", words(f"page.data.way_{k}")), el("ul", [el("li", x) for x in found]))
        for k, found in steps
        if found
    ]
    return [el("ol", drawn, class_="way-of")]


def _access(view: DataView, one: DataSheet) -> list[Node]:
    sees = one.access
    if sees is None:
        return []
    classes = {name: tuple(columns) for name, columns in sees.columns.items()}
    lines = [(x, classes) for x in sees.lines]
    return [
        el("p", words("page.data.access_why"), class_="muted"),
        lines_table(view, words("page.grants.role"), lines, titles=sees.columns),
    ]
