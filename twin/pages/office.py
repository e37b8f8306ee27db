"""What one's own account shows of offices: links to further pages, and the purpose named for half an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.pages.markup import el
from twin.pages.plain import button, form, moment
from twin.text import words

if TYPE_CHECKING:
    from twin.api.views import AccountView
    from twin.pages.markup import Node


def offices(view: AccountView) -> list[Node]:
    """Lead to the pages of an office, for whoever has one."""
    if view.owes:
        return []
    return [el("a", words(f"page.office.{o}"), href=f"/{o}?lang={view.language}", class_="link") for o in view.offices]


def purposes(view: AccountView) -> Node:
    """Offer the purposes, one press each; say which holds and until when, and offer to end it."""
    if not view.purposes:
        return None
    titles = {p.id: p.title for p in view.purposes}
    back = {"next": view.next}
    held = None
    if view.purpose in titles and view.until:
        at = moment(view.until, view.zone)[-5:]
        said = el("p", words("page.purpose.holds", purpose=titles[view.purpose], at=at), class_="holds")
        held = el(
            "div",
            said,
            form(view, "/account/purpose", button(words("page.purpose.end"), kind="quiet")),
            class_="holding",
        )
    choices = [
        form(
            view,
            "/account/purpose",
            button(p.title, kind="quiet", aria_pressed="true" if p.id == view.purpose else None),
            purpose=p.id,
            **back,
        )
        for p in view.purposes
    ]
    return el(
        "section",
        el("h2", words("page.purpose.title"), id="purpose"),
        el("p", words("page.purpose.why"), class_="muted"),
        held,
        el("div", choices, class_="purposes"),
    )
