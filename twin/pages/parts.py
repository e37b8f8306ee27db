"""The small parts every panel is made of: a status said by shape, word and colour, and the four states of a widget."""

from __future__ import annotations

from typing import Any

from twin.errors import NotFound, NotYetKnown, TwinError, VersionGone
from twin.model import Text
from twin.pages.markup import el, icon
from twin.text import words

__all__ = ["STATES", "button", "by_day_and_night", "empty", "failed", "sign", "status", "words"]

STATES = ("fresh", "stale", "held", "failed", "never")
"""The five states of a resource, in the order they are told."""
ICONS = {"fresh": "ok", "stale": "stale", "held": "held", "failed": "failed", "never": "never"}


def status(state: str, *, word: bool = True) -> Any:
    """Say a resource's state by shape, colour and word; without `word` the word is there for those who cannot see."""
    said = el("span", words(f"page.state.{state}"), class_=None if word else "unseen")
    return el("span", icon(ICONS[state], class_="shape"), said, class_=f"status {state}")


def sign(form: str, light: str, dark: str) -> Any:
    """Draw the sign of a class: a box, a line, a point or a word, in the map's colour by day and by night."""
    return el("i", class_=f"sign {form}", style=by_day_and_night(light, dark), aria_hidden="true")


def by_day_and_night(light: str, dark: str) -> dict[str, str]:
    """Give the two values between which the stylesheet chooses by the page's theme, without asking anybody."""
    return {"--light": light, "--dark": dark}


def button(act: str, label: Text, name: str, *, text: bool = False, **more: Any) -> Any:
    """Draw a button with an icon; without `text` its label is its accessible name and tooltip."""
    kind = f"{'button' if text else 'icon-button'} {more.pop('class_', '')}".strip()
    inside = [icon(name), el("span", label)] if text else [icon(name)]
    named = {} if text else {"aria_label": label, "title": label}
    return el("button", *inside, type="button", class_=kind, data_act=act, **named, **more)


def empty(why: Text, then: Text) -> Any:
    """Say that there is nothing, why, and what to do next."""
    return el("div", el("p", why, class_="state-why"), el("p", then, class_="state-next"), class_="state empty")


def _unseen() -> Any:
    return el(
        "div",
        el("p", words("page.state.unseen"), class_="state-why"),
        el("p", words("page.state.unseen_next"), class_="state-next"),
        el("a", words("page.state.unseen_go"), href="/account", class_="button"),
        class_="state empty",
        role="status",
    )


def failed(ask: str, error: BaseException | None = None) -> Any:
    """Say that this one widget failed, why, and offer to try again; `ask` is the question to repeat.

    What is not there, or not for whoever asks, is no failure, and to try again would not bring it.
    """
    if isinstance(error, (NotYetKnown, VersionGone)):
        return empty(Text(error.zh, error.en), words("page.past.other_day"))
    if isinstance(error, NotFound):
        return _unseen()
    why = Text(error.zh, error.en) if isinstance(error, TwinError) else words("page.state.failed_why")
    return el(
        "div",
        el("p", icon("failed", class_="shape"), el("b", words("page.state.failed_title")), class_="state-head"),
        el("p", why, class_="state-why"),
        button("retry", words("page.state.retry"), "reset", text=True, data_ask=ask),
        class_="state failed",
        role="alert",
    )
