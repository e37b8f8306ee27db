"""Which reasons of refusal there are, and which a person may accept a row in spite of; etl's list is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.model import Text
from twin.text import catalogue, words

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCEPTABLE = frozenset({"outside_village", "below_minimum", "above_maximum", "too_long", "code_abolished"})
"""What a person who looked may know better than a rule: a plausible limit, a neighbour's ground, a code of last year.

Not among them: what has no value or no shape, what would be published twice, and numbers that prove themselves.
"""
NEVER = frozenset(
    {
        "required_missing", "type_unreadable", "not_above", "area_not_positive", "pattern", "id_damaged",
        "code_unknown", "duplicate_key", "totals_row", "row_unreadable", "geometry_missing", "geometry_not_finite",
        "geometry_unreadable", "geometry_kind", "geometry_repair_area", "axes_swapped", "outside_plausible",
        "id_fifteen", "card_invalid", "plate_invalid", "before_other", "control_character", "formula_empty",
        "cell_error", "row_ragged", "mixed_encoding", "geometry_unsupported", "coordinate_unreadable",
        "geometry_too_large",
    }
)  # fmt: skip
OF_PLACE = frozenset({"outside_village", "axes_swapped", "outside_plausible"})
EXCHANGED = "axes_swapped"
"""The reason that exchanging a row's coordinates removes."""


def rule_of(reason: str) -> str:
    """Give the rule of a reason "rule|column"."""
    return reason.partition("|")[0]


def acceptable(reasons: Iterable[str]) -> tuple[str, ...]:
    """Give those of a row's reasons that it may be accepted in spite of."""
    return tuple(r for r in reasons if rule_of(r) in ACCEPTABLE)


def title(rule: str) -> Text:
    """Give a rule in plain words."""
    known = f"page.refused.rule_{rule}" in catalogue("zh-CN")
    return words(f"page.refused.rule_{rule}") if known else Text(rule, rule)
