"""The quarantine desk: refused rows with their reasons in words, filters that count, a small map, what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from twin.model import Text
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.plain import button, field, file_form, form, frame, notices
from twin.pages.refused_map import overview
from twin.pages.refused_row import act_row, covered, now_box, said_at, sheet
from twin.quarantine import rules
from twin.quarantine.listing import STATES
from twin.text import catalogue, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.refused_view import RefusedView, Told
    from twin.pages.markup import Node

PAGE = "/data/quarantine"
SIGNS: Mapping[str, str] = {
    "waiting": "failed", "sent": "held", "returned": "stale", "corrected": "ok", "accepted": "ok",
}  # fmt: skip
COLUMNS = ("number", "state", "set", "place", "reason", "value")


def address(view: RefusedView, **changed: str) -> str:
    """Give the address of this page with some of what it asks changed; "" takes a thing out."""
    asked = {**view.values, **changed, **({"lang": "en"} if view.language == "en" else {})}
    told = {k: v for k, v in asked.items() if v}
    return PAGE + (f"?{urlencode(told)}" if told else "")


def refused(view: RefusedView) -> str:
    """Write the page of the desk."""
    parts = [
        el("div", _states(view), id="refused-states"),
        el("div", _told(view), id="refused-told", class_="told", aria_live="polite"),
        _bar(view),
        _waits(view),
        el(
            "div",
            el("section", _listed(view), id="refused-table", class_="sheet", aria_label=words("page.refused.table")),
            el("div", overview(view, _link(view)), _send(view), _return(view), class_="beside"),
            class_="two",
        ),
        _acts(view),
        el("div", sheet(view, address(view, row=""), _back(view)) if view.sheet else None, id="refused-sheet"),
    ]
    title = words("page.refused.title")
    return frame(view, title, parts, kind="desk", sheets=("data.css", "refused.css"), scripts=("refused.mjs",))


def _link(view: RefusedView) -> Mapping[str, str]:
    """Give the address of each row that the map shows."""
    return {s.row.name: address(view, row=s.row.name) for s, _ in view.pins}


def _back(view: RefusedView) -> list[Node]:
    return [el("input", type="hidden", name=f"back-{k}", value=v) for k, v in view.values.items()]


def _states(view: RefusedView) -> Node:
    counts = view.listed.counts.get("state", {})
    now = view.values.get("state", "")

    def one(state: str) -> Node:
        pressed = now == state
        return el(
            "a", shape(SIGNS[state]), words(f"page.refused.state_{state}"), " ", el("b", str(counts.get(state, 0))),
            href=address(view, state="" if pressed else state, first="", row=""), id=f"state-{state}",
            class_=f"state is-{state}", aria_current="true" if pressed else None,
        )  # fmt: skip

    everything = el(
        "a",
        words("page.refused.rows", n=number(sum(counts.values()), "en", 0)),
        href=address(view, state="", first="", row=""),
        id="state-all",
        class_="state all",
        aria_current=None if now else "true",
    )
    home = "/data" + ("?lang=en" if view.language == "en" else "")
    back = el("a", words("page.refused.to_data"), href=home, class_="link", id="to-data")
    return el(
        "nav", everything, [one(s) for s in STATES], back, class_="states", aria_label=words("page.refused.by_state")
    )


def _told(view: RefusedView) -> list[Node]:
    done = words(f"page.refused.done_{view.done}") if f"page.refused.done_{view.done}" in catalogue("zh-CN") else None
    faults = el("ul", [el("li", f) for f in view.faults], class_="faults", id="faults") if view.faults else None
    return [*notices(view, done), faults]


def _bar(view: RefusedView) -> Node:
    search = el(
        "input", id="refused-q", name="q", type="search", value=view.values.get("q") or None, maxlength=80,
        placeholder=words("page.refused.search"), aria_label=words("page.refused.search"), autocomplete="off",
    )  # fmt: skip
    kept = {"state": view.values.get("state", ""), "lang": view.language}
    hidden = [el("input", type="hidden", name=k, value=v) for k, v in kept.items() if v]
    ruled = {r: rules.title(r) for r in view.listed.counts.get("rule", {})}
    chosen = [
        _choice(view, "rule", ruled),
        _choice(view, "resource", view.resources),
        _choice(view, "department", view.departments) if len(view.listed.counts.get("department", {})) > 1 else None,
    ]
    asked = el(
        "form", search, el("span", chosen, hidden, id="refused-filters", class_="choices"),
        button(words("page.data.show"), kind="quiet plain"), method="get", action=PAGE, role="search", class_="find",
    )  # fmt: skip
    return el("div", asked, class_="tools")


def _choice(view: RefusedView, name: str, titles: Mapping[str, Text]) -> Node:
    counts = view.listed.counts.get(name, {})
    now = view.values.get(name, "")
    listed = sorted((k for k in titles if counts.get(k) or k == now), key=lambda k: -counts.get(k, 0))
    some = [el("option", titles[k], f" ({counts.get(k, 0)})", value=k, selected=k == now) for k in listed]
    label = words(f"page.refused.by_{name}")
    kind = "on" if now else None
    return el(
        "select", el("option", label, value=""), some, id=f"refused-{name}", name=name, aria_label=label, class_=kind
    )


def _waits(view: RefusedView) -> Node:
    """Say which datasets hold decisions that no run has done yet, and offer the run."""
    if not view.waits:
        return None

    def one(resource: str, n: int) -> Node:
        said = words("page.refused.waits_one", name=view.resources[resource], n=n)
        press = button(words("page.refused.rerun"), kind="quiet", id=f"run-{resource}")
        ask = form(view, f"{PAGE}/rerun", *_back(view), press, resource=resource)
        return el("li", el("span", said), ask if view.decides else None)

    return el(
        "section",
        el("b", words("page.refused.waits")),
        el("ul", [one(r, n) for r, n in view.waits.items()]),
        class_="waits",
        id="waits",
    )


# ---- the rows


def _listed(view: RefusedView) -> list[Node]:
    if not view.rows:
        clear = "page.refused.none" if view.values.keys() & {"q", "state", "rule", "resource", "department"} else ""
        said = words(clear or "page.refused.empty")
        home = PAGE + ("?lang=en" if view.language == "en" else "")
        return [
            el("p", said, class_="none-found muted"),
            el("a", words("page.data.clear"), href=home, class_="link") if clear else None,
        ]
    head = el(
        "thead", el("tr", [el("th", words(f"page.refused.col_{c}"), scope="col", class_=f"c-{c}") for c in COLUMNS])
    )
    body = el("tbody", [_row(view, one, n) for n, one in enumerate(view.rows, view.first + 1)])
    return [el("table", head, body, class_="grid data refused"), _pages(view)]


def _row(view: RefusedView, one: Told, n: int) -> Node:
    named = one.stands.row.named
    opened = view.values.get("row") == named.name
    name = el(
        "a", named.key or words("page.refused.no_key"), href=address(view, row=named.name), id=f"row-{named.name}",
        class_="name", aria_expanded="true" if opened else None,
    )  # fmt: skip
    file = named.source.rpartition("/")[2]
    reasons = [
        el("li", el("span", r.said, class_="why"), el("small", words("page.refused.remedy", what=r.remedy)))
        for r in one.whole.reasons
    ]
    state = [shape(SIGNS[one.stands.state]), words(f"page.refused.state_{one.stands.state}")]
    tried = el("small", words("page.refused.tried"), class_="wrong-too") if one.stands.tried else None
    where = said_at(file, named.row)
    department = view.departments.get(named.department, named.department)
    cells: dict[str, Node] = {
        "number": el("span", str(n), class_="num"),
        "state": [*state, tried],
        "set": [el("b", one.resource.title), el("small", department)],
        "reason": el("ul", reasons),
        "value": _values(one),
    }
    place = el("th", name, el("small", where), scope="row", class_="c-place")
    drawn = {c: el("td", v, data_label=words(f"page.refused.col_{c}"), class_=f"c-{c}") for c, v in cells.items()}
    drawn["place"] = place
    return el(
        "tr", [drawn[c] for c in COLUMNS], class_=f"is-{one.stands.state} {'on' if opened else ''}".strip(),
        data_row=named.name,
    )  # fmt: skip


def _values(one: Told) -> Node:
    """Show the values the reasons are about; of a place, its coordinates where they came as columns."""
    blamed = {r.column for r in one.whole.reasons if r.column}
    places = {h for s in one.resource.sources for h in (s.x, s.y) if h}
    ruled = {r.rule for r in one.whole.reasons}
    some = [c for c in one.cells if c.column in blamed or (ruled & rules.OF_PLACE and c.heading in places)]
    if not some:
        return el("span", "–", class_="muted")
    return el("ul", [el("li", el("span", c.heading, class_="heading"), covered(c)) for c in some[:3]], class_="values")


def _pages(view: RefusedView) -> Node:
    last, total = view.first + len(view.rows), len(view.listed.found)
    here = words("page.data.shown", a=view.first + 1, b=last, n=number(total, "en", 0))
    before = address(view, first=str(max(0, view.first - view.page)) if view.first > view.page else "", row="")
    after = address(view, first=str(last), row="")
    return el(
        "p",
        el("span", here, class_="muted"),
        el("a", words("page.data.before"), href=before, rel="prev", class_="link", id="prev") if view.first else None,
        el("a", words("page.data.next"), href=after, rel="next", class_="link", id="next") if last < total else None,
        class_="pages",
    )


# ---- the workbook, and what was decided


def _send(view: RefusedView) -> Node:
    counts = view.listed.counts.get("department", {})
    if not view.decides or not counts:
        return None
    now = view.values.get("department", "")
    some = [
        el("option", view.departments.get(d, d), f" ({n})", value=d, selected=d == now)
        for d, n in sorted(counts.items(), key=lambda pair: -pair[1])
    ]
    chosen = field(words("page.refused.send_to"), "send-department", tag="select", inside=some, send="department")
    why = field(words("page.data.why"), "send-why", send="why", required=True, minlength=2, maxlength=400)
    do = button(words("page.refused.send_do"), id="send-do")
    return el(
        "details",
        el("summary", words("page.refused.send"), id="send"),
        el("p", words("page.refused.send_why"), class_="muted"),
        form(view, f"{PAGE}/send", *_back(view), chosen, why, do),
        class_="side-act",
    )


def _return(view: RefusedView) -> Node:
    if not view.decides:
        return None
    file = field(
        words("page.refused.return_file"), "return-file", send="file", type="file", required=True, accept=".xlsx"
    )
    why = field(words("page.data.why"), "return-why", send="why", required=True, minlength=2, maxlength=400)
    do = button(words("page.refused.return_do"), id="return-do")
    asked = file_form(view, f"{PAGE}/return", *_back(view), file, why, now_box("return-now"), do)
    return el(
        "details",
        el("summary", words("page.refused.return"), id="return"),
        el("p", words("page.refused.return_why"), class_="muted"),
        asked,
        class_="side-act",
        open=bool(view.faults),
    )


def _acts(view: RefusedView) -> Node:
    """List what was decided, the newest first, with what became of it."""
    if not view.acts:
        return None
    names = ("at", "what", "where", "outcome", "why", "by")
    head = el("thead", el("tr", [el("th", words(f"page.refused.act_{c}"), scope="col") for c in names]))
    rows = [act_row(view, a, _back(view)) for a in view.acts]
    return el(
        "details",
        el("summary", words("page.refused.acts", n=len(view.acts)), id="acts"),
        el("table", head, el("tbody", rows), class_="grid acts"),
        class_="acts-of",
        open=view.values.get("view") == "acts" or view.done == "withdraw",
    )
