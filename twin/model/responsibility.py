"""Who answers for what, as a frozen value: one lead a matter, its helpers, where, and within how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class ResponsibilityItem:
    """One matter (责任事项): the department that leads it (主办) and those that help (协办).

    `matter` is what resources call it in `responsibility_item`. `limit_working_days` 0 is a standing duty. `layers` are
    the layers the lead answers for, `categories` the kinds of case ("大类/小类") that go to it.
    """

    matter: str
    title: Text
    legal_basis: str
    lead: str
    helpers: tuple[str, ...]
    place: Text
    limit_working_days: int
    layers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


def item_of_layer(items: Iterable[ResponsibilityItem], layer_id: str) -> ResponsibilityItem | None:
    """Give the item whose lead answers for a layer, or None."""
    return next((i for i in items if layer_id in i.layers), None)


def item_of_case(items: Iterable[ResponsibilityItem], category: str, subcategory: str) -> ResponsibilityItem | None:
    """Give the item a case of this kind goes to, or None."""
    return next((i for i in items if f"{category}/{subcategory}" in i.categories), None)
