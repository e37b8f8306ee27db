"""The last step of a new source: what would be published and what refused, and whose word it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.markup import el
from twin.pages.newcomer_map import small_map
from twin.pages.newcomer_parts import at, drop
from twin.pages.plain import button, field, form
from twin.text import words

if TYPE_CHECKING:
    from twin.api.newcomer_view import NewView
    from twin.pages.markup import Node
    from twin.runs.newcomers import Newcomer


def tried(view: NewView, one: Newcomer) -> Node:
    """Show the trial and what may be done now."""
    tried = one.preview
    if tried.get("faults"):
        return [_faults(view, tried["faults"]), drop(view, one)]
    return [
        el("section", el("h2", one.name), _counts(tried), _state(view, one), class_="tried"),
        _mapped(view, tried),
        _rows(view, tried),
        _refusals(tried),
        drop(view, one) if one.state in ("previewed", "waiting") else None,
    ]


def _faults(view: NewView, faults: list[Mapping[str, str]]) -> Node:
    listed = [el("li", el("b", f["field"]), " ", Text(f["zh"], f["en"])) for f in faults]
    back = el("a", words("page.new.answer_them"), href=at(view, step="3"), class_="link", id="answer-them")
    return el("section", el("h2", words("page.new.open")), el("ul", listed, class_="faults"), back)


def _counts(tried: Mapping[str, Any]) -> Node:
    counts = tried.get("counts", {})
    reason = tried.get("reason", ["", ""])
    said = words(
        "page.new.counts",
        read=counts.get("read", 0),
        published=counts.get("published", 0),
        quarantined=counts.get("quarantined", 0),
        duplicates=counts.get("duplicates", 0),
    )
    return [
        el("p", said, class_="outcome"),
        el("p", Text(*reason), role="alert", class_="wrong") if reason[0] else None,
    ]


def _state(view: NewView, one: Newcomer) -> Node:
    said = el("p", words(f"page.new.state_{one.state}"), class_=f"state is-{one.state}")
    if one.state == "previewed" and view.mine and one.preview.get("status") == "published":
        return [said, el("p", words("page.new.offer_why"), class_="muted"),
                form(view, "/data/new/offer", button(words("page.new.offer"), id="offer"), entry=one.id)]  # fmt: skip
    if one.state == "waiting" and view.mine:
        return [said, el("p", words("page.new.own"), class_="muted")]
    if one.state == "waiting" and view.decides:
        return [said, _decide(view, one)]
    if one.state == "published":
        link = f"/data?r={one.resource}" + ("&lang=en" if view.language == "en" else "")
        home = "/?lang=en" if view.language == "en" else "/"
        return [said, el("p", el("a", words("page.new.see_data"), href=link, class_="link"), " ",
                         el("a", words("page.new.see_map"), href=home, class_="link"))]  # fmt: skip
    return said


def _decide(view: NewView, one: Newcomer) -> Node:
    yes = el(
        "button", words("page.new.approve"), type="submit", name="act", value="approve", class_="main", id="approve"
    )
    no = el("button", words("page.new.back"), type="submit", name="act", value="back", class_="quiet")
    why = field(words("page.new.why"), "why", required=True, maxlength=200, minlength=2)
    return form(view, "/data/new/decide", why, el("p", yes, " ", no), entry=one.id)


def _mapped(view: NewView, tried: Mapping[str, Any]) -> Node:
    if not tried.get("shapes"):
        return None
    good = sum(1 for g, _ in tried["shapes"] if g)
    said = words("page.new.map_said", good=good, bad=len(tried["shapes"]) - good)
    return el(
        "section", el("h2", words("page.new.map")), small_map(view, tried["shapes"]), el("p", said, class_="muted")
    )


def _rows(view: NewView, tried: Mapping[str, Any]) -> Node:
    if not tried.get("rows"):
        return None
    heads = [_head(zh if view.language != "en" else en, sensitivity) for _, zh, en, sensitivity in tried["columns"]]
    rows = [el("tr", [el("td", c) for c in row]) for row in tried["rows"]]
    table = el("table", el("thead", el("tr", heads)), el("tbody", rows), class_="sheetlike")
    title = words("page.new.first_rows", n=len(tried["rows"]))
    return el(
        "section", el("h2", title), el("div", table, class_="scrolls", tabindex="0", role="region", aria_label=title)
    )


def _head(title: str, sensitivity: str) -> Node:
    told = words(f"page.new.class_{sensitivity}") if sensitivity else ""
    return el("th", title, el("br"), el("small", told, class_="muted"), scope="col")


def _refused(row: Mapping[str, Any]) -> Node:
    told = zip(row["reasons"], row["remedies"], strict=True)
    cells = "；".join(f"{k}={v}" for k, v in row["cells"])
    why = el("ul", [el("li", Text(*reason), " → ", Text(*remedy)) for reason, remedy in told])
    return el("li", el("b", words("page.new.row", row=row["row"])), " ", cells, why)


def _refusals(tried: Mapping[str, Any]) -> Node:
    refused = tried.get("refused", [])
    if not refused:
        return None
    listed = [_refused(r) for r in refused]
    title = words("page.new.refused_rows", n=tried["counts"].get("quarantined", len(refused)))
    return el(
        "section",
        el("h2", title),
        el("p", words("page.new.refused_why"), class_="muted"),
        el("ul", listed, class_="refusals"),
    )
