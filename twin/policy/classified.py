"""What class every column has, and which columns a layer draws; the only one that knows the engine's own columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twin.errors import DeclarationError

if TYPE_CHECKING:
    from twin.model import Draw, OneMap, Resource, Sensitivity

ENGINE: Mapping[str, Sensitivity] = {
    "year": "public",
    "area_m2": "public",
    "length_m": "public",
    "area_disagrees": "public",
    "_resource": "internal",
    "_run": "internal",
    "_source": "internal",
    "_source_sha256": "internal",
    "_row": "internal",
}
"""The columns the engine adds to every row; `id` has the class of the resource's key field."""
IN_TILES: frozenset[Sensitivity | None] = frozenset({"public"})
"""Tiles are cached and copied; only public columns enter one, whoever asks."""
ROWLESS = frozenset({"raster", "scene"})
"""Kinds of resource whose files hold no rows, hence no key."""
DEEPEST = 16
"""The last zoom whose vector tiles a browser asks for: closer, it draws from those."""
VECTOR_TYPES = frozenset({"fill", "line", "circle", "symbol", "fill-extrusion", "heatmap"})


def class_of(resource: Resource, column: str) -> Sensitivity | None:
    """Give the sensitivity class of a column of `resource`; None for what is unclassified or unknown, alike."""
    name = resource.key if column == "id" else column
    declared = resource.field_named(name)
    if declared is not None:
        return declared.sensitivity
    return ENGINE.get(name)


def columns_of(resource: Resource) -> tuple[str, ...]:
    """Give every column a row of `resource` may have: id, the declared fields, the engine's own."""
    return tuple(dict.fromkeys(("id", *(f.name for f in resource.fields), *ENGINE)))


def named_in(expression: Any) -> Iterator[str]:
    """Give every column a MapLibre expression reads by `get` or `has`."""
    if isinstance(expression, Mapping):
        for value in expression.values():
            yield from named_in(value)
    elif isinstance(expression, Sequence) and not isinstance(expression, str):
        if len(expression) == 2 and expression[0] in ("get", "has") and isinstance(expression[1], str):
            yield expression[1]
        else:
            for value in expression:
                yield from named_in(value)


def drawn_columns(draw: Draw) -> tuple[str, ...]:
    """Give the columns a draw needs in its tiles: class column, declared ones, and all its expressions read."""
    named = [draw.classes.column] if draw.classes else []
    named += [*draw.columns, *named_in(draw.paint), *named_in(draw.layout), *named_in(draw.filter)]
    return tuple(dict.fromkeys(c for c in named if c != "id"))


def faults(onemap: OneMap) -> list[DeclarationError]:
    """List every drawn, carded or counted column that its resource does not classify for that use."""
    found: list[DeclarationError] = []
    for layer in onemap.layers:
        for draw in layer.draws:
            resource = onemap.resource(draw.table)
            if resource is None:
                found.append(_fault(layer.id, draw.table, "没有这个资源", "is no catalogued resource"))
                continue
            drawn = drawn_columns(draw) if draw.type in VECTOR_TYPES else ()
            found += [
                _fault(layer.id, f"{draw.table}.{c}", "不是公开字段,不能进入瓦片", "is not public and cannot be drawn")
                for c in drawn
                if class_of(resource, c) not in IN_TILES
            ]
            found += [
                _fault(layer.id, f"{draw.table}.{c}", "未分类,不能显示", "is unclassified and cannot be shown")
                for c in draw.popup
                if class_of(resource, c) is None
            ]
    return found


def _fault(layer: str, what: str, zh: str, en: str) -> DeclarationError:
    return DeclarationError(f"{what} {zh}", f"{what} {en}", layer=layer)
