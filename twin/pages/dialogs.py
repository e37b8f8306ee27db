"""The windows that open over the page: how fresh each resource is, and what the keys do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.model import OneMap, Resource, Text
from twin.pages import past
from twin.pages.boot import WORST, Known
from twin.pages.markup import el
from twin.pages.parts import button, status, words
from twin.text import age, both, day

if TYPE_CHECKING:
    from twin.freshness import Freshness


def dialogs(onemap: OneMap, seen: Known, today: str) -> list[Any]:
    """Draw every window, closed; `today` is the village's day (YYYY-MM-DD)."""
    return [_health(onemap, seen, today), _share()]


def _window(name: str, title: Text, *inside: Any) -> Any:
    head = el(
        "div",
        el("h2", title, id=f"{name}-title"),
        button("shut", words("page.dialog.close"), "close"),
        class_="dialog-head",
    )
    return el("dialog", head, *inside, id=f"dialog-{name}", aria_labelledby=f"{name}-title", class_="dialog")


def _health(onemap: OneMap, seen: Known, today: str) -> Any:
    def order(resource: Resource) -> int:
        return WORST.index(seen.states[resource.id].state)

    rows = [_row(onemap, r, seen.states[r.id]) for r in sorted(onemap.resources, key=order)]
    heads = ("state", "resource", "department", "as_of", "age", "reason")
    table = el(
        "table",
        el("thead", el("tr", [el("th", words(f"page.health.{h}"), scope="col") for h in heads])),
        el("tbody", rows),
        class_="grid",
    )
    box = el("div", table, class_="scroll-x", tabindex=0, role="region", aria_labelledby="health-title")
    why = el("p", words("page.health.why"), class_="muted")
    return _window("health", words("page.health.title"), why, past.way(seen, today), box)


def _row(onemap: OneMap, resource: Resource, state: Freshness) -> Any:
    department = onemap.department(resource.department)
    reason = Text(state.reason_zh, state.reason_en) if state.reason_zh and state.state != "fresh" else None
    return el(
        "tr",
        el("td", status(state.state)),
        el("th", resource.title, scope="row"),
        el("td", department.title if department else resource.department),
        el("td", day(state.as_of), class_="num"),
        el("td", both(lambda language: age(state.age_seconds, language))),
        el("td", reason or _cadence(resource, state)),
    )


def _cadence(resource: Resource, state: Freshness) -> Any:
    if state.state == "stale":
        return words("page.health.late", cycle=words(f"page.cycle.{resource.update_cycle}"))
    if state.state == "never":
        return words("page.health.never")
    return ""


def _share() -> Any:
    link = el(
        "input", id="share-link", type="text", readonly=True, aria_label=words("page.share_link.label"), class_="field"
    )
    copy = button("copy", words("page.share_link.copy"), "copy", text=True, class_="main")
    said = el("p", id="share-said", role="status", class_="muted")
    why = el("p", words("page.share_link.why"), class_="muted")
    return _window("share", words("page.share_link.title"), why, el("div", link, copy, class_="filter-row"), said)
