"""What the steps of a new source share: the address of a step, a refusal's reason, the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.pages.markup import el
from twin.pages.plain import button, form
from twin.text import words

if TYPE_CHECKING:
    from twin.api.newcomer_view import NewView
    from twin.pages.markup import Node
    from twin.runs.newcomers import Newcomer


def at(view: NewView, **more: str) -> str:
    """Give the address of a step of the source that is shown."""
    said = {"entry": view.source.id if view.source else "", "lang": "en" if view.language == "en" else "", **more}
    return "/data/new?" + "&".join(f"{k}={v}" for k, v in said.items() if v)


def reason(one: Newcomer) -> Node:
    """Say why the last step came to nothing."""
    return el("p", one.reason, role="alert", class_="wrong") if one.reason.zh else None


def drop(view: NewView, one: Newcomer) -> Node:
    """Offer to give the source up."""
    if not view.mine:
        return None
    return form(view, "/data/new/drop", button(words("page.new.drop"), kind="quiet grave"), entry=one.id)
