"""The one-map page: where everything lies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from dash import ClientsideFunction, Dash, Input, Output, dcc, html

from twin.errors import TwinError
from twin.map import OneMapView
from twin.pages import bar, boot, card, dialogs, foot, found, graphs, legend, listing, menu, overlay, side, solid
from twin.pages.markup import Markup, drawn
from twin.pages.parts import STATES, failed, words
from twin.policy import noted

if TYPE_CHECKING:
    from dash.development.base_component import Component

    from twin.model import OneMap, Text
    from twin.pages.desk import Desk

PATH = "/"
Answer = TypeVar("Answer")
MAP_OUT = (
    "click",
    "viewState",
    "drawn",
    "measured",
    "ready",
    "error",
    "inView",
    "compare",
    "threeD",
    "selection",
    "tool",
)
"""The map's props that the browser module listens to."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """All that the page is drawn from as it opens; who are shown equal ones are shown the same page."""

    onemap: OneMap
    seen: boot.Known
    kpis: tuple[Mapping[str, Any], ...]
    who: bar.Who
    foreign: tuple[tuple[str, Text], ...]
    today: str

    @classmethod
    def of(cls, desk: Desk) -> Opening:
        """Look once at what one subject may see; raises AuditDown."""
        return cls(
            onemap=desk.onemap,
            seen=desk.known(),
            kpis=tuple(desk.kpis()),
            who=desk.who(),
            foreign=tuple(boot.foreign(desk.rooms.settings)),
            today=f"{datetime.now(ZoneInfo(desk.onemap.village.time_zone)):%Y-%m-%d}",
        )


def layout(given: Opening) -> Component:
    """Give the whole page as it opens; nothing in it is asked for again."""
    onemap, seen = given.onemap, given.seen
    told = {x.id: boot.told(onemap, x, seen) for x in onemap.layers}
    counts = {s: sum(f.state == s for f in seen.states.values()) for s in STATES}
    return html.Div(
        [
            Markup(id="skip", tag="div", className="skip", tree=bar.skip_links()),
            Markup(
                id="bar",
                tag="header",
                className="bar",
                tree=bar.bar(onemap.village, given.kpis, counts, f"{seen.now:%H:%M}", given.who),
            ),
            Markup(
                id="menu",
                tag="section",
                className="menu",
                label=words("page.menu.label"),
                tree=menu.menu(onemap, told, counts, given.foreign),
            ),
            html.Main(_middle(onemap), className="middle", id="map-region", tabIndex=-1),
            html.Aside(side.side(), className="side", id="side", tabIndex=-1),
            Markup(id="foot", tag="footer", className="foot", tree=foot.foot(boot.years(list(told.values())))),
            Markup(
                id="phone-tabs",
                tag="nav",
                className="phone-tabs",
                label=words("page.phone.label"),
                tree=foot.phone_tabs(),
            ),
            Markup(id="found", tag="div", className="found", tree=[]),
            Markup(id="dialogs", tag="div", className="dialogs", tree=dialogs.dialogs(onemap, seen, given.today)),
            Markup(id="notices", tag="div", className="notices", tree=[]),
            dcc.Store(id="opened", data=True),
            *side.stores(),
        ],
        id="page",
        className="page",
    )


def _middle(onemap: OneMap) -> list[Component]:
    return [
        OneMapView(id="map"),
        Markup(
            id="legend", tag="section", className="legend", label=words("page.legend.title"), tree=legend.dock(onemap)
        ),
    ]


LOG = logging.getLogger("onemap.pages")
Question = Mapping[str, Any]
ANSWERS: Mapping[str, tuple[str, Callable[[Desk, Question], list[Any]]]] = {
    "feature": ("feature", card.card),
    "overlay": ("feature", overlay.overlay),
    "list": ("list", listing.listing),
    "search": ("found", found.found),
}
"""What the browser may ask: the place that is filled, and who answers."""


def register(app: Dash, here: Callable[[], Desk], record: Callable[[], object]) -> None:
    """Put the callbacks on `app`: what the browser listens to, and what the server answers, once it is recorded."""
    app.clientside_callback(ClientsideFunction("onemap", "start"), Input("opened", "data"))
    for prop in MAP_OUT:
        function = ClientsideFunction("onemap", f"map_{prop}")
        app.clientside_callback(function, Input("map", prop), prevent_initial_call=True)

    for ask, (place, answer) in ANSWERS.items():
        _register(app, ask, place, _recorded(answer, here, record))

    graphed = _recorded(graphs.graphs, here, record)

    def charts(question: Question | None) -> tuple[list[Any], list[Any]]:
        try:
            return graphed(question)
        except TwinError as error:
            return drawn(failed("charts", error)), []

    app.callback(
        Output("deck", "data"),
        Input("ask-deck", "data"),
        prevent_initial_call=True,
        on_error=_flat,
    )(_recorded(solid.solid, here, record))
    app.clientside_callback(ClientsideFunction("onemap", "deck"), Input("deck", "data"), prevent_initial_call=True)
    app.callback(
        Output("charts-head", "tree"),
        Output("charts", "children"),
        Input("ask-charts", "data"),
        prevent_initial_call=True,
        on_error=lambda error: (_broke("charts", error), []),
    )(charts)


def _recorded(
    answer: Callable[[Desk, Question], Answer], here: Callable[[], Desk], record: Callable[[], object]
) -> Callable[[Question | None], Answer]:
    """Answer whoever asks, once what that tells of people is recorded."""

    def answered(question: Question | None) -> Answer:
        noted.drain()  # what an answer that failed had taken up
        made = answer(here(), question or {})
        record()
        return made

    return answered


def _register(app: Dash, ask: str, place: str, answer: Callable[[Question | None], list[Any]]) -> None:
    def answered(question: Question | None) -> list[Any]:
        try:
            return answer(question)
        except TwinError as error:
            return drawn(failed(ask, error))

    app.callback(
        Output(place, "tree", allow_duplicate=True),
        Input(f"ask-{ask}", "data"),
        prevent_initial_call=True,
        on_error=lambda error: _broke(ask, error),
    )(answered)


def _flat(error: Exception) -> dict[str, Any]:
    """Let nothing stand on the map where it could not be made; the reason goes to the log."""
    LOG.error("answering 'deck' failed", exc_info=error)
    return {"spec": None, "about": None}


def _broke(ask: str, error: Exception) -> list[Any]:
    """Say in the one widget that its answer failed; the reason goes to the log."""
    LOG.error("answering %r failed", ask, exc_info=error)
    return drawn(failed(ask))
