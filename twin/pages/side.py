"""The panel on the right: one thing, the theme's charts, or the list; what it holds comes when it is asked for."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from twin.pages.markup import Markup, el, icon
from twin.pages.parts import button, empty, words

TABS = (("feature", "info"), ("charts", "chart"), ("list", "list"))
"""The tabs, in order, and their icons."""


def side() -> list[Any]:
    """Give the panel's tabs and the three places that callbacks fill."""
    return [
        Markup(id="tabs", tag="div", className="tabs-row", tree=_tabs()),
        html.Div(_place("feature", _nothing()), **_panel("feature")),
        html.Div([Markup(id="charts-head", tree=[]), html.Div(id="charts", className="answer")], **_panel("charts")),
        html.Div(_place("list", empty(words("page.list.none"), words("page.list.none_next"))), **_panel("list")),
    ]


def stores() -> list[Any]:
    """Give the questions that the browser asks; one store each, a callback answers it."""
    asks = [dcc.Store(id=f"ask-{name}") for name in ("feature", "charts", "list", "search", "overlay", "deck")]
    return [*asks, dcc.Store(id="deck")]


def _tabs() -> Any:
    def tab(name: str, drawn: str) -> Any:
        return el(
            "button",
            icon(drawn),
            el("span", words(f"page.tab.{name}")),
            el("span", class_="num count", id="list-count") if name == "list" else None,
            type="button",
            role="tab",
            id=f"tab-{name}",
            aria_controls=f"panel-{name}",
            aria_selected="true" if name == "feature" else "false",
            tabindex=0 if name == "feature" else -1,
            data_act="tab",
            data_tab=name,
        )

    return [
        el("div", [tab(*t) for t in TABS], role="tablist", class_="tabs", aria_label=words("page.tab.label")),
        button("close-side", words("page.tab.close"), "close"),
    ]


def _panel(name: str) -> dict[str, Any]:
    return {
        "id": f"panel-{name}",
        "className": "tab-panel",
        "role": "tabpanel",
        "tabIndex": 0,
        "hidden": name != "feature",
        "aria-labelledby": f"tab-{name}",
    }


def _place(name: str, first: Any) -> Any:
    return Markup(id=name, tag="div", className="answer", tree=first)


def _nothing() -> Any:
    return empty(words("page.feature.none"), words("page.feature.none_next"))
