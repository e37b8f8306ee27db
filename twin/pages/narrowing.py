"""What a list leaves of the map: the classes of a layer that hold none of its rows, hidden meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin import classes as classing

if TYPE_CHECKING:
    from twin.model import Classes, Draw, Layer, Resource, Text
    from twin.pages.desk import Desk

Where = Sequence[tuple[str, str, Any]]


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """One layer with the class values to hide, and the words of those that stay."""

    layer: str
    hide: tuple[str, ...]
    stay: tuple[Text, ...]


def narrowed(desk: Desk, resource: Resource, where: Where, edition: Where) -> Narrowed | None:
    """Give what a layer hides so that it shows just the rows of `where` in `edition`.

    None where no layer's classes tell those rows from the rest, where there is nothing to hide, or where a class of
    few people would be told of by it.
    """
    permit = desk.rooms.policy.decide(desk.subject, "group", resource.id)
    if not where or permit.smallest_count:
        return None
    drawn = ((x, d.classes) for x in desk.rooms.policy.layers(desk.subject) for d in x.draws if _tells(resource, d))
    for layer, classes in drawn:
        if classes is None or classes.column not in permit.columns:
            continue
        kept = _amounts(desk, resource, classes, [*where, *edition])
        everything = _amounts(desk, resource, classes, edition)
        named = classing.by_value(desk.onemap, classes)
        there = _amounts(desk, resource, classes, ())
        hide = tuple(v for v in _values(desk, layer, resource, classes) if v in there and v not in kept)
        if hide and all(v in named and everything[v] == n for v, n in kept.items()):
            return Narrowed(layer=layer.id, hide=hide, stay=tuple(named[v].title for v in kept))
    return None


def _tells(resource: Resource, draw: Draw) -> bool:
    return draw.table == resource.id and draw.in_legend and draw.classes is not None


def _amounts(desk: Desk, resource: Resource, classes: Classes, where: Where) -> Mapping[str, int]:
    """Count the rows of each class, the most first."""
    found: dict[str, int] = {}
    permit = desk.rooms.policy.decide(desk.subject, "group", resource.id)
    for row in desk.rooms.serving.groups(resource.id, classes.column, "count", where, permit=permit):
        value = classing.value_of(classes, row[classes.column])
        found[value] = found.get(value, 0) + row["value"]
    return found


def _values(desk: Desk, layer: Layer, resource: Resource, classes: Classes) -> Sequence[str]:
    """Give every class value by which a layer draws this column, in whichever of its draws."""
    by = [d.classes for d in layer.draws if d.classes and d.table == resource.id and d.classes.column == classes.column]
    return tuple(dict.fromkeys(v for c in by for v in classing.by_value(desk.onemap, c)))
