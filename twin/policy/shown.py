"""The village as one subject may know of it; what a page lists is listed from here, so that the hidden is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from twin.errors import BadRequest, NotFound, Refused

if TYPE_CHECKING:
    from twin.model import Indicator, Layer, OneMap, Theme
    from twin.policy.rules import Policy, Subject


def view(onemap: OneMap, policy: Policy, subject: Subject) -> OneMap:
    """Give `onemap` with only the layers, draws, resources and indicators that `subject` may see."""
    layers = tuple(drawn for x in policy.layers(subject) if (drawn := _layer(policy, subject, x)).draws)
    departments = tuple(
        replace(d, resources=tuple(r for r in d.resources if policy.sees(subject, r.id))) for d in onemap.departments
    )
    themes = tuple(_theme(policy, subject, t) for t in onemap.themes)
    return replace(onemap, layers=layers, departments=departments, themes=themes)


def _layer(policy: Policy, subject: Subject, layer: Layer) -> Layer:
    return replace(layer, draws=tuple(d for d in layer.draws if policy.sees(subject, d.table)))


def _theme(policy: Policy, subject: Subject, theme: Theme) -> Theme:
    return replace(theme, indicators=tuple(i for i in theme.indicators if _counts(policy, subject, i)))


def _counts(policy: Policy, subject: Subject, indicator: Indicator) -> bool:
    """Say whether `subject` may have this number made: the table, and every column it is made of."""
    used = [column for column, _, _ in indicator.where]
    used += [column for column in (indicator.column, indicator.by) if column]
    try:
        policy.columns(subject, indicator.table, used, "count")
    except (NotFound, BadRequest, Refused):
        return False
    return True
