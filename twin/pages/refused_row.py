"""One refused row's sheet: why, where, every value as it came, and the forms that correct, accept or take back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.plain import button, field, form, moment
from twin.pages.refused_map import close_up
from twin.quarantine import rules
from twin.text import words

if TYPE_CHECKING:
    from twin.api.refused_view import ActTold, RefusedView, Told
    from twin.pages.markup import Node
    from twin.quarantine.seen import Cell

PAGE = "/data/quarantine"
MOST_CODES = 400
SIGNS = {"applied": "ok", "superseded": "stale", "gone": "stale", "still": "failed", "waits": "held", "sent": "held"}


def sheet(view: RefusedView, close: str, back: list[Node]) -> Node:
    """Draw the sheet of the row that is open; `close` is the address without it."""
    one = view.sheet
    assert one is not None  # noqa: S101 - asked by the caller
    state = one.stands.state
    sign = {"waiting": "failed", "sent": "held", "returned": "stale"}.get(state, "ok")
    head = el(
        "header",
        el("h2", one.stands.row.named.key or words("page.refused.no_key"), id="sheet-title", tabindex="-1"),
        el("p", shape(sign), words(f"page.refused.state_{state}"), class_=f"now-state is-{state}"),
        el("a", words("page.data.close"), href=close, class_="act", id="sheet-close", data_row=one.stands.row.name),
    )
    body = [
        _reasons(one),
        _where(view, one),
        close_up(view, one),
        _history(view, back),
        _correct(view, one, back),
        _accept(view, one, back),
        _rest(one),
    ]
    return el(
        "aside", head, el("div", body, class_="body"), class_="over", role="dialog", aria_labelledby="sheet-title"
    )


def covered(cell: Cell) -> Node:
    """Show a value as it may be shown, and say where it is not the value itself."""
    if cell.shown is None:
        return el("em", words("page.refused.nothing"), class_="muted")
    told = el("small", words("page.feature.masked"), class_="masked") if cell.covered else None
    return el("span", el("code", cell.shown), " " if cell.unit else None, cell.unit or None, told)


def said_at(file: str, row: str) -> Text:
    """Say where a row stands: file, sheet, row."""
    sheet_name, _, line = row.rpartition("!")
    return words("page.refused.at", file=f"{file} · {sheet_name}" if sheet_name else file, row=line)


def now_box(name: str) -> Node:
    """Offer to ask for the run at once."""
    box = el("input", type="checkbox", name="now", value="1", id=name, checked=True)
    return el("label", box, el("span", words("page.refused.now")), class_="tick", for_=name)


def _reasons(one: Told) -> Node:
    listed = [
        el("li", el("b", r.said), el("span", words("page.refused.remedy", what=r.remedy), class_="muted"))
        for r in one.whole.reasons
    ]
    tried = el("p", words("page.refused.tried_why"), class_="must") if one.stands.tried else None
    return el("section", el("h3", words("page.refused.reasons")), el("ul", listed, class_="reasons"), tried)


def _where(view: RefusedView, one: Told) -> Node:
    named = one.stands.row.named
    lang = "&lang=en" if view.language == "en" else ""
    to_set = el("a", one.resource.title, href=f"/data?r={named.resource}&tab=runs{lang}", class_="link")
    sheet_name, _, line = named.row.rpartition("!")
    facts: list[tuple[str, Node]] = [
        ("set", [to_set, " ", el("span", view.departments.get(named.department, ""), class_="muted")]),
        ("file", el("code", named.source)),
        ("sheet", sheet_name),
        ("line", line),
        ("year", str(one.stands.row.year or "")),
    ]
    pairs = [el("div", el("dt", words(f"page.refused.fact_{k}")), el("dd", v)) for k, v in facts if v]
    return el("section", el("h3", words("page.refused.where")), el("dl", pairs, class_="facts two"))


def _why(name: str, typed: str = "") -> Node:
    kept: dict[str, Any] = {"required": True, "minlength": 2, "maxlength": 400, "autocomplete": "off"}
    kept |= {"value": typed} if typed else {}
    return field(words("page.data.why"), name, send="why", why=words("page.data.why_why"), **kept)


def _correct(view: RefusedView, one: Told, back: list[Node]) -> Node:
    """Offer the values to be mended: those the reasons are about first, the others behind a fold."""
    if not view.decides:
        return None
    if not one.stands.row.kept:
        return el("section", el("h3", words("page.refused.correct")), el("p", words("page.refused.not_kept")))
    blamed = {r.column for r in one.whole.reasons if r.column}
    places = {h for s in one.resource.sources for h in (s.x, s.y) if h}
    first, other = [], []
    for number, cell in enumerate(one.cells):
        if cell.mendable:
            wanted = cell.column in blamed or cell.heading in view.wrong or (cell.heading in places and not blamed)
            (first if wanted else other).append(_field(view, cell, number))
    swap = None
    if any(rules.rule_of(r) == rules.EXCHANGED for r in one.stands.row.named.rules):
        box = el("input", type="checkbox", name="exchange", value="1", id="exchange")
        swap = el("label", box, el("span", words("page.refused.exchange")), class_="tick", for_="exchange")
    fold = (
        el("details", el("summary", words("page.refused.other_values", n=len(other))), other)
        if first or swap
        else other
    )
    return el(
        "section",
        el("h3", words("page.refused.correct")),
        form(
            view, f"{PAGE}/correct", *back, swap, first, fold,
            _why("correct-why", view.typed_in.get("", "")), now_box("correct-now"),
            button(words("page.refused.correct_do"), id="correct-do"), row=one.stands.row.name,
        ),
        id="correct",
    )  # fmt: skip


def _field(view: RefusedView, cell: Cell, number: int) -> Node:
    name = f"value-{number}"
    typed = view.typed_in.get(cell.heading)
    value = typed if typed is not None else "" if cell.covered else (cell.shown or "")
    more: dict[str, Any] = {"autocomplete": "off", "spellcheck": "false", "maxlength": 2000}
    listed = None
    system = view.systems.get(cell.codes)
    if system is not None:
        more["list"] = f"codes-{number}"
        some = [c for c in system.codes if not c.abolished][:MOST_CODES]
        listed = el("datalist", [el("option", c.title, value=c.code) for c in some], id=f"codes-{number}")
    wrong = view.wrong.get(cell.heading)
    told = wrong or (words("page.refused.covered", value=cell.shown) if cell.covered else None)
    if cell.unit and told is None:
        told = words("page.refused.unit", unit=cell.unit)
    same = cell.heading in (cell.title.zh, cell.title.en)
    label = cell.title if same else Text(f"{cell.title.zh} · {cell.heading}", f"{cell.title.en} · {cell.heading}")
    drawn = field(label, name, why=told, value=value or None, **({"aria_invalid": "true"} if wrong else {}), **more)
    return el("div", drawn, listed, class_="bad" if wrong else None)


def _accept(view: RefusedView, one: Told, back: list[Node]) -> Node:
    """Offer to take the row in spite of its reasons, where a person may know better than the rule."""
    if not view.decides:
        return None
    if not one.accepts:
        return el(
            "section", el("h3", words("page.refused.accept")), el("p", words("page.refused.never"), class_="muted")
        )
    rest = len(one.stands.row.named.rules) - len(one.accepts)
    return el(
        "section",
        el("h3", words("page.refused.accept")),
        el("p", words("page.refused.accept_rest"), class_="muted") if rest else None,
        form(
            view, f"{PAGE}/accept", *back, _why("accept-why"), now_box("accept-now"),
            button(words("page.refused.accept_do"), kind="quiet", id="accept-do"), row=one.stands.row.name,
        ),
        id="accept",
    )  # fmt: skip


def _rest(one: Told) -> Node:
    """Show every value as it came."""
    rows = [
        el("tr", el("th", c.heading, scope="row"), el("td", covered(c), data_label=words("page.refused.col_value")))
        for c in one.cells
    ]
    return el(
        "section",
        el("h3", words("page.refused.as_sent")),
        el("table", el("tbody", rows), class_="grid as-sent"),
    )


def _history(view: RefusedView, back: list[Node]) -> Node:
    if not view.row_acts:
        return None
    listed = [el("li", _act(view, a), _withdraw(view, a, back, "row-")) for a in view.row_acts]
    return el("section", el("h3", words("page.refused.decided")), el("ul", listed, class_="history"))


def _act(view: RefusedView, one: ActTold) -> list[Node]:
    return [
        el("span", moment(one.act.at, view.zone), class_="muted"),
        el("b", one.by),
        _what(one),
        el("span", one.act.why),
        _outcome(one),
    ]


def _what(one: ActTold) -> Node:
    kind = "return" if one.act.kind == "correct" and one.act.book else one.act.kind
    said = [words(f"page.refused.kind_{kind}")]
    if one.act.kind == "correct":
        titles = {f.source: f.title for f in one.resource.fields}
        said += [
            el("small", titles.get(h, words("page.refused.geometry") if h[0] == "@" else h)) for h in one.act.changes
        ]
    if one.act.kind == "accept":
        said += [el("small", rules.title(rules.rule_of(r))) for r in one.act.on.rules]
    return el("span", said, class_="what")


def _outcome(one: ActTold) -> Node:
    sign = SIGNS.get(one.outcome)
    return el("span", shape(sign) if sign else None, words(f"page.refused.outcome_{one.outcome}"), class_="outcome-of")


def _withdraw(view: RefusedView, one: ActTold, back: list[Node], place: str) -> Node:
    if not view.decides or not one.act.holds:
        return None
    name = f"{place}withdraw-{one.act.id}"
    return el(
        "details",
        el("summary", words("page.refused.withdraw"), id=name),
        form(
            view, f"{PAGE}/withdraw", *back, _why(f"{name}-why"), now_box(f"{name}-now"),
            button(words("page.refused.withdraw"), kind="quiet grave"), act=str(one.act.id),
        ),
        class_="take-back",
    )  # fmt: skip


def act_row(view: RefusedView, one: ActTold, back: list[Node]) -> Node:
    """Draw one act as a row of the list of acts."""
    named = one.act.on
    file = named.source.rpartition("/")[2]
    taken = (
        [words("page.refused.taken_back", who=one.withdrawn_by, why=one.act.withdrawn_why)] if one.withdrawn_by else []
    )
    cells: tuple[tuple[str, Node], ...] = (
        ("at", moment(one.act.at, view.zone)),
        ("what", _what(one)),
        ("where", [el("b", one.resource.title), " ", said_at(file, named.row)]),
        ("outcome", [_outcome(one), el("small", taken) if taken else None, _withdraw(view, one, back, "")]),
        ("why", one.act.why),
        ("by", one.by),
    )
    return el("tr", [el("td", v, data_label=words(f"page.refused.act_{k}")) for k, v in cells], id=f"act-{one.act.id}")
