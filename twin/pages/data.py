"""The data team's table: counts that filter, filters that count, one row a dataset with its reason in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.model import Text
from twin.pages.data_parts import PENDING, SIGNS, address, cycle, delta, to_refused
from twin.pages.data_sheet import sheet
from twin.pages.entries import shape
from twin.pages.markup import el
from twin.pages.plain import button, form, frame, moment, notices
from twin.runs.moving import said
from twin.text import catalogue, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.data_views import DataView
    from twin.freshness import State
    from twin.pages.markup import Node
    from twin.runs.moving import Moving
    from twin.runs.values import Standing

ORDER: tuple[State, ...] = ("fresh", "stale", "failed", "held", "never", "unshared")
COLUMNS: tuple[tuple[str, str], ...] = (
    ("state", "rank"), ("name", "place"), ("theme", "theme"), ("who", "department"), ("promise", "due_at"),
    ("good", "good_at"), ("reason", ""), ("delta", "rows_delta"), ("acts", ""),
)  # fmt: skip
"""Each column and the order its head sorts by, "" for none."""
FALLING = ("good_at", "rows_delta")
"""What is sorted falling first: the newest, the most."""


def data(view: DataView) -> str:
    """Write the page of the table."""
    parts = [
        el("div", _states(view), id="data-states"),
        el("div", _told(view), id="data-told", class_="told", aria_live="polite"),
        el("div", _silent(view), id="data-silent"),
        _bar(view),
        el("section", _listed(view), id="data-table", class_="sheet", aria_label=words("page.data.table")),
        el("div", sheet(view, address(view, r="", tab="")) if view.sheet else None, id="data-sheet"),
        _rerun(view),
    ]
    return frame(view, words("page.office.data"), parts, kind="desk", sheets=("data.css",), scripts=("data.mjs",))


def _silent(view: DataView) -> Node:
    """Say that nobody receives, and what to do about it: what is pressed here would wait."""
    if view.receives:
        return None
    return el(
        "p", shape("stale"), el("b", words("page.data.silent")), " ", words("page.data.silent_do"), " ",
        el("code", "make run"), " / ", el("code", "python -m etl schedule"), role="status", class_="silent",
    )  # fmt: skip


def _rerun(view: DataView) -> Node:
    """Make the one form that every button of rerunning sends, each with its own dataset."""
    sent = form(view, "/data/rerun", *_kept(view))
    return {**sent, "a": {**sent["a"], "id": "rerun"}}


def _kept(view: DataView) -> list[Node]:
    return [el("input", type="hidden", name=f"back-{k}", value=v) for k, v in view.values.items()]


def _states(view: DataView) -> Node:
    """Count by state, true under the other filters; each count is a filter, pressed again it is none."""
    counts = view.counts.get("state", {})
    now = view.values.get("state", "")

    def one(state: State) -> Node:
        pressed = now == state
        to = address(view, state="" if pressed else state, first="")
        inside = [shape(SIGNS[state]), words(f"page.state.{state}"), " ", el("b", str(counts.get(state, 0)))]
        if state == "unshared" and not (counts.get(state) or pressed):
            return None
        return el("a", inside, href=to, id=f"state-{state}", class_=f"state {state}", aria_current=_true(pressed))

    everything = el(
        "a",
        words("page.data.sets", n=number(sum(counts.values()), "en", 0)),
        href=address(view, state="", first=""),
        id="state-all",
        class_="state all",
        aria_current=_true(not now),
    )
    label = words("page.data.by_state")
    return el("nav", everything, [one(s) for s in ORDER], to_refused(view), class_="states", aria_label=label)


def _true(so: object) -> str | None:
    return "true" if so else None


def _told(view: DataView) -> list[Node]:
    done = words(f"page.data.done_{view.done}") if f"page.data.done_{view.done}" in catalogue("zh-CN") else None
    log = None
    if view.done == "rerun" and view.was:
        log = el("a", words("page.data.log"), href=address(view, r=view.was, tab="runs"), class_="link")
    return [*notices(view, done), log]


def _bar(view: DataView) -> Node:
    """Make the search and the filters, each value with how many it would show; and the press that reruns all failed."""
    language = view.language
    search = el(
        "input",
        id="data-q",
        name="q",
        type="search",
        value=view.values.get("q") or None,
        placeholder=words("page.data.search"),
        aria_label=words("page.data.search"),
        autocomplete="off",
        maxlength=80,
    )
    kept = {k: v for k, v in view.values.items() if k in ("state", "sort", "down")}
    hidden = [el("input", type="hidden", name=k, value=v) for k, v in {**kept, "lang": language}.items()]
    chosen = [
        _choice(view, "theme", view.themes),
        _choice(view, "department", view.departments),
        _choice(view, "cycle", {c: cycle(c) for c in view.counts.get("update_cycle", {})}),
    ]
    asked = el(
        "form",
        search,
        el("span", chosen, hidden, id="data-filters", class_="choices"),
        button(words("page.data.show"), kind="quiet plain"),
        method="get",
        action="/data",
        role="search",
        class_="find",
    )
    printed = el("a", words("page.data.reports"), href=_reports(view), class_="link", id="to-reports")
    return el("div", asked, el("div", _add(view), printed, _all_failed(view), id="data-all"), class_="tools")


def _add(view: DataView) -> Node:
    """Lead to the four steps by which a new source comes in, for whoever may bring one."""
    to = "/data/new" + ("?lang=en" if view.language == "en" else "")
    return el("a", words("page.new.add"), href=to, class_="link", id="add-source") if view.starts else None


def _reports(view: DataView) -> str:
    return "/reports" + ("?lang=en" if view.language == "en" else "")


def _choice(view: DataView, name: str, titles: Mapping[str, Text]) -> Node:
    counts = view.counts.get("update_cycle" if name == "cycle" else name, {})
    now = view.values.get(name, "")
    listed = [k for k in titles if counts.get(k) or k == now]
    some = [
        el("option", titles[k], f" ({counts.get(k, 0)})", value=k, selected=k == now)
        for k in sorted(listed, key=lambda k: -counts.get(k, 0))
    ]
    label = words(f"page.data.by_{name}")
    every = el("option", label, value="")
    return el("select", every, some, id=f"data-{name}", name=name, aria_label=label, class_="on" if now else None)


def _all_failed(view: DataView) -> Node:
    failed = view.counts.get("state", {}).get("failed", 0)
    if not view.starts or not failed:
        return None
    return el(
        "details",
        el("summary", words("page.data.rerun_failed", n=failed), class_="quiet", id="rerun-failed"),
        form(
            view,
            "/data/rerun-failed",
            *_kept(view),
            el("p", words("page.data.rerun_failed_sure", n=failed)),
            button(words("page.data.rerun_failed_do", n=failed), id="rerun-failed-do"),
        ),
        class_="sure",
    )


# ---- the rows


def _listed(view: DataView) -> list[Node]:
    if not view.rows:
        return [el("p", words("page.data.none"), class_="none-found muted"), _clear(view)]
    head = el("thead", el("tr", [_head(view, name, sort) for name, sort in COLUMNS]))
    body = el("tbody", [_row(view, row) for row in view.rows])
    return [el("table", head, body, class_="grid data"), _pages(view)]


def _clear(view: DataView) -> Node:
    return el(
        "a", words("page.data.clear"), href="/data" + ("?lang=en" if view.language == "en" else ""), class_="link"
    )


def _head(view: DataView, name: str, sort: str) -> Node:
    label = words(f"page.data.col_{name}")
    if not sort:
        return el("th", label, scope="col", class_=f"c-{name}")
    here = (view.values.get("sort") or "rank") == sort
    falls = bool(view.values.get("down"))
    turned = (not falls) if here else sort in FALLING
    to = address(view, sort="" if sort == "rank" else sort, down="1" if turned else "", first="")
    sign = el("span", "▾" if falls else "▴", class_="way-sorted", aria_hidden="true") if here else None
    how = ("descending" if falls else "ascending") if here else None
    return el("th", el("a", label, sign, href=to, id=f"by-{name}"), scope="col", aria_sort=how, class_=f"c-{name}")


def _row(view: DataView, row: Standing) -> Node:
    moves = view.moving.get(row.resource)
    open_here = view.values.get("r") == row.resource
    name = el(
        "a",
        row.title,
        href=address(view, r=row.resource, tab=""),
        id=f"row-{row.resource}",
        class_="name",
        aria_expanded="true" if open_here else None,
    )
    cells: dict[str, Node] = {
        "state": [shape(SIGNS[row.state]), words(f"page.state.{row.state}")],
        "theme": view.themes.get(row.theme, row.theme),
        "who": [el("span", row.department_title, class_="dept"), " ", el("span", row.contact_person, class_="muted")],
        "promise": [cycle(row.update_cycle), el("b", " ", words("page.data.paused")) if row.paused else None],
        "good": when(view, row),
        "reason": [_phase(view, moves, row.resource), el("span", row.reason, title=row.reason, class_="why")],
        "delta": el("span", delta(row.rows_delta), class_="num"),
        "acts": _acts(view, row, moves),
    }
    drawn = [
        el("td", cells[c], data_label=words(f"page.data.col_{c}"), class_=f"c-{c}")
        for c, _ in COLUMNS
        if c not in ("name", "state")
    ]
    state = el("td", cells["state"], class_="c-state")
    told = "on" if open_here else None
    return el(
        "tr", state, el("th", name, scope="row", class_="c-name"), drawn, class_=f"{row.state} {told or ''}".strip(),
        data_resource=row.resource, data_moving=moves.phase if moves and moves.phase in PENDING else None,
    )  # fmt: skip


def when(view: DataView, row: Standing) -> str:
    """Write when something was last received well, the year only where it is another."""
    if row.good_at is None:
        return "–"
    said = moment(row.good_at, view.zone)
    return said[5:] if said[:4] == moment(view.now, view.zone)[:4] else said[:10]


def _phase(view: DataView, moves: Moving | None, resource: str) -> Node:
    """Say what was asked of a row and how far it is."""
    shown = moves if moves and moves.phase in PENDING else None
    told = said(shown, view.now_real) if shown else None
    return el("b", told, class_="phase", id=f"phase-{resource}", hidden=not shown)


def _acts(view: DataView, row: Standing, moves: Moving | None) -> Node:
    acts: list[Node] = []
    if row.state == "held":
        acts.append(el("a", words("page.data.decide"), href=address(view, r=row.resource, tab=""), class_="act must"))
    elif row.state in ("stale", "never"):
        acts.append(
            el("a", words("page.data.urge"), href=address(view, r=row.resource, tab="") + "#urge", class_="act")
        )
    if view.starts and row.state != "unshared":
        busy = bool(moves and moves.phase in PENDING)
        acts.append(
            el(
                "button", words("page.data.rerun"), type="submit", form="rerun", name="resource", value=row.resource,
                class_="act", aria_label=words("page.data.rerun_of", name=row.title), disabled=busy,
                id=f"rerun-{row.resource}",
            )
        )  # fmt: skip
    log = address(view, r=row.resource, tab="runs")
    acts.append(
        el("a", words("page.data.log"), href=log, class_="act", aria_label=words("page.data.log_of", name=row.title))
    )
    return acts


def _pages(view: DataView) -> Node:
    last = view.first + len(view.rows)
    here = words("page.data.shown", a=view.first + 1, b=last, n=number(view.total, "en", 0))
    before = address(view, first=str(max(0, view.first - view.page)) if view.first > view.page else "")
    return el(
        "p",
        el("span", here, class_="muted"),
        el("a", words("page.data.before"), href=before, rel="prev", class_="link", id="prev") if view.first else None,
        el("a", words("page.data.next"), href=address(view, first=str(last)), rel="next", class_="link", id="next")
        if last < view.total
        else None,
        class_="pages",
    )
