"""What the data team's table and its sheet share: signs of states, addresses, and how a cycle and a change are said."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from twin.model import Text
from twin.pages.markup import el
from twin.text import catalogue, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.data_views import DataView
    from twin.freshness import State
    from twin.pages.markup import Node

SIGNS: Mapping[State, str] = {
    "fresh": "ok",
    "stale": "stale",
    "failed": "failed",
    "held": "held",
    "never": "never",
    "unshared": "unshared",
}
PENDING = ("asked", "queued", "running", "retry")
"""Phases of what has not ended."""


def address(view: DataView, **changed: str) -> str:
    """Give the address of this page with some of what it asks changed; "" takes a thing out."""
    asked = {**view.values, **changed, **({"lang": "en"} if view.language == "en" else {})}
    told = {k: v for k, v in asked.items() if v}
    return "/data" + (f"?{urlencode(told)}" if told else "")


def to_refused(view: DataView, resource: str = "") -> Node:
    """Lead to the refused rows (of a dataset), for whoever may see those."""
    if not view.mends:
        return None
    asked = {k: v for k, v in {"resource": resource, "lang": "en" if view.language == "en" else ""}.items() if v}
    to = "/data/quarantine" + (f"?{urlencode(asked)}" if asked else "")
    said = words("page.data.refused_open") if resource else words("page.refused.title")
    return el("a", said, href=to, class_="act" if resource else "link", id=None if resource else "to-refused")


def cycle(name: str) -> Text:
    """Give the words of an update cycle, as the official catalogue names it."""
    return words(f"page.cycle.{name}") if f"page.cycle.{name}" in catalogue("zh-CN") else Text(name, name)


def delta(n: int | None) -> str:
    """Write how many rows more or fewer there are."""
    return "–" if n is None else f"{n:+,}".replace("-", "−") if n else "±0"
