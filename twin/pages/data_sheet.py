"""One dataset's sheet beside the table: what was promised and what came, its fields, its way, its runs, who sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin import map as map_component
from twin.model import Text
from twin.pages.data_acts import at, facts, held, schedule
from twin.pages.data_parts import SIGNS, address, cycle, delta, to_refused
from twin.pages.data_runs import fields, runs
from twin.pages.data_versions import versions
from twin.pages.data_way import lineage
from twin.pages.entries import shape
from twin.pages.grants import lines_table
from twin.pages.markup import el
from twin.pages.plain import field
from twin.runs.moving import said
from twin.text import catalogue, number, words

if TYPE_CHECKING:
    from twin.api.data_views import DataSheet, DataView
    from twin.pages.markup import Node
    from twin.runs.values import Standing

TABS = ("overview", "fields", "lineage", "runs", "versions", "access")
OWING = ("stale", "failed", "never")


def sheet(view: DataView, close: str) -> Node:
    """Draw the sheet that is open; `close` is the address without it."""
    one = view.sheet
    assert one is not None  # noqa: S101 - asked by the caller
    stands = one.stands
    shown = {
        "overview": _overview, "fields": _fields, "lineage": lineage, "runs": runs, "versions": versions,
        "access": _access,
    }[one.tab]  # fmt: skip
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
        "div",
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
    if one.stands.state == "unshared":
        return [_now(view, one), _law(one), _contact(view, one), _facts(one)]
    return [
        _now(view, one), held(view, one), _place(one), _promise(view, one), _contact(view, one),
        schedule(view, one), _facts(one),
    ]  # fmt: skip


def _law(one: DataSheet) -> Node:
    """Say by which law it is not shared; nobody is asked for it."""
    r = one.declared
    told: list[tuple[str, Node]] = [("condition", r.share_condition), ("basis", r.legal_basis)]
    return el("section", el("h3", words("page.data.unshared_why")), facts(told))


def _place(one: DataSheet) -> Node:
    """Leave room for a small map of the layer, which leads to the whole one; without a script its extent is drawn."""
    if not one.visible or len(one.box) != 4:
        return None
    layer = min(one.visible, key=lambda x: len(x.draws))  # the one that shows little else
    extent = ",".join(f"{v:.6f}" for v in one.box)
    return el(
        "section",
        el("h3", words("page.data.preview_map")),
        el(
            "div", el("p", words("page.data.no_map"), class_="muted"), id="map", class_="small-map",
            data_title=words("page.data.preview_of", layer=layer.title), data_layer=layer.id,
            data_table=one.stands.resource, data_extent=extent,
            data_library=map_component.url("vendor/maplibre-gl.mjs"),
            data_sheet=map_component.url("vendor/maplibre-gl.css"), data_style="/api/v1/style.json",
            data_ground=one.ground,
        ),
        class_="mapped",
    )  # fmt: skip


def _now(view: DataView, one: DataSheet) -> Node:
    """Say why it stands as it does, and offer what may be done about it."""
    moves = one.moving
    phase = said(moves, view.now_real) if moves else None
    told = [phase, words("page.data.because", why=moves.reason) if moves.reason.zh else None] if moves else None
    links = [
        el("a", words("page.data.on_map", layer=x.title), href=f"/?l={x.id}&lang={view.language}", class_="link")
        for x in one.visible
    ]
    rerun = None
    if view.starts and one.stands.state != "unshared":
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


def _promise(view: DataView, one: DataSheet) -> Node:
    """Set what was promised against what came."""
    s = one.stands
    told: list[tuple[str, Node]] = [
        ("promise", cycle(s.update_cycle)),
        ("due", at(view, s.due_at)),
        ("good", at(view, s.good_at)),
        ("as_of", str(s.as_of) if s.as_of else "–"),
        ("late", at(view, s.late_at)),
        ("last", [at(view, s.last_at), " ", _status(s.last_status)]),
        ("rows", [number(s.rows, "en", 0), el("span", " ", delta(s.rows_delta), class_="muted")]),
        ("refused", _refused(view, s)),
    ]
    return el("section", el("h3", words("page.data.promise_fact")), facts(told))


def _refused(view: DataView, s: Standing) -> Node:
    link = to_refused(view, s.resource) if s.rows_quarantined else None
    return [number(s.rows_quarantined, "en", 0), " " if link else None, link]


def _status(status: str) -> Node:
    known = f"page.data.status_{status}" in catalogue("zh-CN")
    return words(f"page.data.status_{status}") if known else Text(status, status)


def _contact(view: DataView, one: DataSheet) -> Node:
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
    return el("section", el("h3", words("page.data.contact")), facts(told), letter, id="urge")


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
    return el("section", el("h3", words("page.data.catalogue")), facts(told))


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
