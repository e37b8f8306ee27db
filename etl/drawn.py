"""What sound layers and themes satisfy against a catalogue: their tables, columns, departments and code systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.proofs import COMPUTED, LAND_FIELDS, PROVENANCE, Facts
from twin.declared import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.model import Layer, Resource, Theme


def columns(value: Resource) -> set[str]:
    """Give the columns a published table of `value` has."""
    return {f.name for f in value.fields} | set(COMPUTED) | set(PROVENANCE)


def layers(facts: Facts, values: Sequence[Layer]) -> list[Fault]:
    """Prove the layers: ids unique, tables, columns and departments there, land codes named with their version."""
    found: list[Fault] = []
    tables, seen = facts.tables(), set[str]()
    departments = {d.id for d in facts.departments}
    for layer in values:
        if layer.id in seen:
            found.append(_layer_fault(layer, "id", f"图层 {layer.id} 重复", f"Layer {layer.id} stands twice"))
        seen.add(layer.id)
        if layer.department not in departments:
            zh, en = f"没有部门 {layer.department}", f"There is no department {layer.department}"
            found.append(_layer_fault(layer, "department", zh, en))
        found += _layer_codes(facts, layer, tables) + _draws(facts, layer, tables)
    return found


def _layer_codes(facts: Facts, layer: Layer, tables: Mapping[str, Resource]) -> list[Fault]:
    drawn = [tables[d.table] for d in layer.draws if d.table in tables]
    systems = {f.code_system for r in drawn for f in r.fields if f.name in LAND_FIELDS}
    if layer.code_system and layer.code_system not in facts.systems():
        zh, en = f"没有代码表 {layer.code_system}", f"There is no code system {layer.code_system}"
        return [_layer_fault(layer, "code_system", zh, en)]
    if systems and layer.code_system not in systems:
        listed = " / ".join(sorted(systems))
        zh, en = f"土地图层须申报 code_system({listed})", f"A land layer must name its code_system ({listed})"
        return [_layer_fault(layer, "code_system", zh, en)]
    return []


def _draws(facts: Facts, layer: Layer, tables: Mapping[str, Resource]) -> list[Fault]:
    found: list[Fault] = []
    for draw in layer.draws:
        place = f"draws.{draw.id}"
        table = tables.get(draw.table)
        if table is None:
            zh, en = f"没有表 {draw.table}", f"There is no table {draw.table}"
            found.append(_layer_fault(layer, place, zh, en))
            continue
        classes = (draw.classes.column,) if draw.classes else ()
        for name in (*draw.columns, *draw.popup, *classes):
            if name not in columns(table):
                zh, en = f"表 {table.id} 没有列 {name}", f"Table {table.id} has no column {name}"
                found.append(_layer_fault(layer, place, zh, en))
        if draw.classes and draw.classes.system and draw.classes.system not in facts.systems():
            zh, en = f"没有代码表 {draw.classes.system}", f"There is no code system {draw.classes.system}"
            found.append(_layer_fault(layer, place, zh, en))
    return found


def _layer_fault(layer: Layer, field: str, zh: str, en: str) -> Fault:
    return Fault(
        file=f"layers/{layer.theme}/{layer.slug}.py",
        line=1,
        field=f"{layer.id}.{field}",
        zh=zh,
        en=en,
        remedy_zh="改图层的申报,或在目录中补上",
        remedy_en="Mend the layer's declaration, or add it to the catalogue",
    )


def themes(facts: Facts, values: Sequence[Theme]) -> list[Fault]:
    """Prove that every indicator's table and columns are there."""
    found: list[Fault] = []
    tables = facts.tables()
    for theme in values:
        for item in theme.indicators:
            table = tables.get(item.table)
            names = [n for n in (item.column, item.by, *(w[0] for w in item.where)) if n]
            missing = [item.table] if table is None else [n for n in names if n not in columns(table)]
            found += [_indicator_fault(theme, item.id, name) for name in missing]
    return found


def _indicator_fault(theme: Theme, indicator: str, name: str) -> Fault:
    return Fault(
        file="layers/__init__.py",
        line=1,
        field=f"{theme.id}.{indicator}",
        zh=f"指标所用的 {name} 不存在",
        en=f"The indicator uses {name}, which is not there",
        remedy_zh="改指标,或在目录中补上",
        remedy_en="Mend the indicator, or add it to the catalogue",
    )
