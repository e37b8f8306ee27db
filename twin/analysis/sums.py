"""What the rows inside a polygon add up to: areas and counts by class, control lines, people on duty; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twin import classes as classing
from twin import geodesy

if TYPE_CHECKING:
    from twin.model import Draw, Layer, OneMap, Resource

Json = dict[str, Any]
LISTED = 50
FORBIDDEN = "forbidden"
"""A table with this column holds control lines: what must not be done there."""


@dataclass(frozen=True, kw_only=True)
class Within:
    """The rows of one table that touch a polygon: values, and how much of each lies inside (m², m, or 1)."""

    resource: Resource
    layer: Layer
    draw: Draw
    rows: list[Json]
    inside: NDArray[np.float64]


def summed(onemap: OneMap, part: Within, area: float, language: str) -> Json:
    """Give what one table has inside: its whole, its classes and its first rows; `area` is the polygon's (m²)."""
    resource = part.resource
    total = float(part.inside.sum())
    measure = {"polygon": "area_m2", "line": "length_m"}.get(resource.kind, "")
    return {
        "table": resource.id,
        "layer": part.layer.id,
        "title": resource.title.in_(language),
        "kind": resource.kind,
        "department": resource.department,
        "count": len(part.rows),
        **({measure: round(total, 2)} if measure else {}),
        **({"area_mu": in_mu(total), "share": round(total / area, 4)} if resource.kind == "polygon" else {}),
        "classes": _classed(onemap, part, measure, language),
        "listed": [
            {"id": r["id"], "entity": resource.entity_id(r["id"]), "title": resource.title_of(r, language)}
            for r in part.rows[:LISTED]
        ],
    }


def _classed(onemap: OneMap, part: Within, measure: str, language: str) -> list[Json]:
    classes = part.draw.classes
    if classes is None:
        return []
    named = classing.by_value(onemap, classes)
    sums: dict[str, list[float]] = {}
    for row, inside in zip(part.rows, part.inside, strict=True):
        found = sums.setdefault(classing.value_of(classes, row.get(classes.column)), [0, 0.0])
        found[0] += 1
        found[1] += float(inside)
    return [
        {
            "value": value,
            "title": named[value].title.in_(language) if value in named else value,
            "colour": named[value].colour if value in named else classes.other,
            "count": int(count),
            **({measure: round(amount, 2)} if measure else {}),
            **({"area_mu": in_mu(amount)} if measure == "area_m2" else {}),
        }
        for value, (count, amount) in sorted(sums.items(), key=lambda v: (-v[1][1], -v[1][0]))
    ]


def in_mu(area_m2: float) -> float:
    """Give an area in 亩 (GB 3100: 15 are one hectare)."""
    return round(area_m2 / geodesy.MU_M2, 4)


def controls(part: Within, language: str) -> list[Json]:
    """Give the control lines touched: what is forbidden there, and whom to ask."""
    if part.resource.field_named(FORBIDDEN) is None:
        return []
    measure = "area_m2" if part.resource.kind == "polygon" else "length_m"
    classes = part.draw.classes
    return [
        {
            "table": part.resource.id,
            "layer": part.layer.id,
            "id": row["id"],
            "entity": part.resource.entity_id(row["id"]),
            "title": part.resource.title_of(row, language),
            "type": row.get(classes.column) if classes else None,
            FORBIDDEN: row.get(FORBIDDEN),
            "contact": row.get("contact"),
            measure: round(float(inside), 2),
        }
        for row, inside in zip(part.rows, part.inside, strict=True)
    ]


def duty(part: Within, language: str) -> list[Json]:
    """Give the people on duty the rows name: a `<role>_name` beside a `<role>_phone`, each once."""
    found: dict[tuple[Any, Any], Json] = {}
    for field in part.resource.fields:
        phone = f"{field.name.removesuffix('_name')}_phone"
        private = field.sensitivity not in ("public", "internal")
        if not field.name.endswith("_name") or private or part.resource.field_named(phone) is None:
            continue
        for row in part.rows:
            if row.get(field.name):
                told = {"role": field.title.in_(language), "name": row[field.name], "phone": row.get(phone)}
                place = {"table": part.resource.id, "id": row["id"], "title": part.resource.title_of(row, language)}
                found.setdefault((row[field.name], row.get(phone)), {**told, **place})
    return list(found.values())
