"""The band that says loudly that a page shows a past day, in HTML before any script, and the way there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.markup import el, icon
from twin.pages.parts import button, words
from twin.pages.plain import html

if TYPE_CHECKING:
    from twin.pages.boot import Known
    from twin.pages.desk import Desk

LANGUAGES = ("zh-CN", "en")


def band(desk: Desk, seen: Known) -> str:
    """Write the band of a page of the past in both languages, "" for the present; the style shows one of them."""
    if seen.as_of is None:
        return ""
    told = [_told(desk, seen, language) for language in LANGUAGES]
    return f'<div class="past" id="past" role="status">{"".join(told)}</div>'


def _told(desk: Desk, seen: Known, language: str) -> str:
    at = f"{desk.local(seen.as_of):%Y-%m-%d %H:%M}" if seen.as_of else ""
    missing = _missing(seen)
    inside = [
        icon("history"),
        el("b", words("page.past.word")),
        el("span", words("page.past.at", at=at), class_="past-at"),
        el("span", missing, class_="past-missing") if missing else None,
        el("a", words("page.past.today"), href="/", class_="button past-back", data_act="today"),
    ]
    return html(el("div", inside, class_="past-row", lang=language), language)


def _missing(seen: Known) -> Text | None:
    """Say of how many tables nothing can be shown: not known then, or not kept."""
    parts = [words(f"page.past.{k}", n=len(v)) for k, v in (("unknown", seen.unknown), ("gone", seen.gone)) if v]
    if not parts:
        return None
    return Text("；".join(p.zh for p in parts), "; ".join(p.en for p in parts))


def way(seen: Known, today: str) -> Any:
    """Draw the choice of a day to look at, which opens the page anew; `today` is the last that may be chosen."""
    chosen = f"{seen.as_of:%Y-%m-%d}" if seen.as_of else today
    label = words("page.past.day")
    box = el("input", id="past-day", type="date", max=today, value=chosen, class_="field", aria_label=label)
    go = button("past", words("page.past.go"), "history", text=True)
    return el("div", el("span", label, class_="muted"), box, go, class_="filter-row past-way")
