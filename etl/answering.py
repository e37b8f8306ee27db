"""responsibility.toml → who answers for what, proved: one lead for every layer, kind of case and resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import declared
from twin.model import ResponsibilityItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from etl.proofs import Facts
    from twin.declared import Document
    from twin.model import Layer, Resource

FILE = "responsibility.toml"
DERIVED = "derived"
Words = tuple[str, str]


def read(folder: Path) -> tuple[tuple[ResponsibilityItem, ...], Document | None]:
    """Read the items below `folder`, and the document they stand in; a village without the file has none."""
    path = folder / FILE
    if not path.exists():
        return (), None
    document = declared.load(path)
    for key in document.table:
        if key != "item":
            remedy = ("此处只有 [[item]]", "Only [[item]] stands here")
            document.fault((key,), (f"不认识的表 {key}", f"Unknown table {key}"), remedy)
    tables = document.table.get("item", ())
    found = (declared.value_of(document, ResponsibilityItem, ("item", n), table) for n, table in enumerate(tables))
    return tuple(item for item in found if item), document


def prove(
    facts: Facts, items: Sequence[ResponsibilityItem], document: Document | None, layers: Sequence[Layer]
) -> None:
    """Prove the items against departments and resources and, where `layers` are given, against those."""
    if document is None or document.faults:
        return
    departments = {d.id for d in facts.departments}
    drawn = {layer.id: layer.department for layer in layers}
    seen: dict[str, str] = {}
    for number, item in enumerate(items):
        for key, words in (*_staff(item, departments), *_twice(item, seen), *_layers(item, drawn)):
            document.fault(("item", number, key), words, ("改正此项", "Mend this key"))
    for layer in drawn.keys() - {x for item in items for x in item.layers}:
        words = (f"图层 {layer} 没有主办单位", f"Nobody leads the layer {layer}")
        document.fault((), words, ("在一个事项的 layers 中写上", "Name it in one item's layers"))
    _resources(facts, {item.matter for item in items})


def _staff(item: ResponsibilityItem, departments: set[str]) -> Iterator[tuple[str, Words]]:
    for key, names in (("lead", (item.lead,)), ("helpers", item.helpers)):
        for name in names:
            if name not in departments:
                yield key, (f"没有部门 {name}", f"There is no department {name}")
    if item.lead in item.helpers or len(set(item.helpers)) != len(item.helpers):
        yield "helpers", ("主办不能又是协办,协办不能重复", "The lead is no helper, and no helper stands twice")
    if item.limit_working_days < 0:
        yield "limit_working_days", ("时限不能为负", "The limit cannot be negative")


def _twice(item: ResponsibilityItem, seen: dict[str, str]) -> Iterator[tuple[str, Words]]:
    named = (
        ("matter", item.matter),
        *(("layers", x) for x in item.layers),
        *(("categories", x) for x in item.categories),
    )
    for key, name in named:
        if seen.setdefault(f"{key}:{name}", item.matter) != item.matter or (key == "matter" and f"had:{name}" in seen):
            yield key, (f"{name} 只能有一个主办", f"{name} can have one lead only")
    seen[f"had:{item.matter}"] = item.matter


def _layers(item: ResponsibilityItem, drawn: dict[str, str]) -> Iterator[tuple[str, Words]]:
    for layer in item.layers if drawn else ():
        if layer not in drawn:
            yield "layers", (f"没有图层 {layer}", f"There is no layer {layer}")
        elif drawn[layer] != item.lead:
            words = (f"图层 {layer} 申报的单位是 {drawn[layer]}", f"The layer {layer} is declared as {drawn[layer]}'s")
            yield "lead", words


def _resources(facts: Facts, matters: set[str]) -> None:
    for resource in (r for d in facts.departments for r in d.resources):
        place = facts.places.get(f"resource:{resource.id}")
        if place is None or resource.responsibility_item in matters or _exempt(resource):
            continue
        words = (
            f"责任清单中没有“{resource.responsibility_item}”",
            f"“{resource.responsibility_item}” is not in {FILE}",
        )
        place.fault(
            ("responsibility_item",), words, (f"写入 {FILE},或改用其中事项", f"Add it to {FILE}, or use one of its")
        )


def _exempt(resource: Resource) -> bool:
    return resource.reader == DERIVED or not resource.responsibility_item
