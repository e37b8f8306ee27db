"""What would become of a source if it were let in: the real road, walked aside, and what is told of it masked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import shapely

from etl import catalog, run, tasks
from etl.looking import landing
from twin import durable
from twin.errors import NotFound
from twin.policy.masks import mask
from twin.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from etl.ledger import Report
    from etl.looking.values import Look
    from twin.model import Resource
    from twin.settings import Settings

SHOWN_ROWS, SHOWN_REFUSED = 12, 30
MOST_SHAPES, MOST_VERTICES = 400, 24
PERSONAL = ("personal", "sensitive")
HIDDEN = "***"
ABOUT_M = 3
"""Decimals of a degree that are told of where people are: some 100 m."""


def preview(
    look: Look, path: Path | None, place: str, resource: str, text: str, *, settings: Settings
) -> dict[str, Any]:
    """Receive what was brought into a store that is thrown away; give what is shown of it, personal values masked.

    Faults of the declaration are told in it; what `landing` and the readers refuse is raised.
    """
    faults = landing.prove(settings.village, resource, text)
    if faults:
        told = [{"field": f.field, "zh": f"{f.zh};{f.remedy_zh}", "en": f"{f.en}; {f.remedy_en}"} for f in faults]
        return {"faults": told}
    room = settings.data / "run" / "trying"
    durable.make_directory(room)
    with durable.staging(room) as desk:
        aside = dataclasses.replace(settings, data=desk / "data")
        village = landing.beside(settings.village, desk / "village", resource, text)
        if path is not None:
            landing.land(path, aside.raw, place, look)
        known = catalog.read(village)
        declared = known.resource(resource)
        if declared is None:
            raise NotFound(f"没有 {resource}", f"There is no {resource}")
        report = run.run(declared, known, dataclasses.replace(aside, village=village), accept=True)
        return _told(declared, report, aside)


def _told(declared: Resource, report: Report, aside: Settings) -> dict[str, Any]:
    told: dict[str, Any] = {
        "faults": [],
        "status": report.status,
        "reason": [report.reason_zh, report.reason_en],
        "counts": dict(report.counts),
        "rules": dict(report.rules),
        "kind": declared.kind,
        "columns": [[f.name, f.title.zh, f.title.en, f.sensitivity or ""] for f in declared.fields],
        "rows": [],
        "refused": [],
        "shapes": [],
    }
    store = Store(aside.store)
    for name, tell in (("", _rows), ("_quarantine", _refused)):
        try:
            snapshot = (tasks.quarantine(aside) if name else store).current(declared.id)
        except NotFound:
            continue
        table = pq.read_table(min(snapshot.path.glob("*.parquet")))
        told |= tell(declared, table, told)
    return told


def _rows(declared: Resource, table: pa.Table, told: Mapping[str, Any]) -> dict[str, Any]:
    del told
    names = [f.name for f in declared.fields]
    first = table.slice(0, SHOWN_ROWS).select(names).to_pylist()
    rows = [[_shown(declared, n, row[n]) for n in names] for row in first]
    if "geometry" not in table.schema.names:
        return {"rows": rows}
    return {"rows": rows, "shapes": _shapes(table, declared, good=True)}


def _refused(declared: Resource, table: pa.Table, told: Mapping[str, Any]) -> dict[str, Any]:
    by_heading = {f.source: f.name for f in declared.fields}
    found = [
        {
            "row": row["_row"],
            "reasons": [[r["zh"], r["en"]] for r in row["reasons"]],
            "remedies": [[r["remedy_zh"], r["remedy_en"]] for r in row["reasons"]],
            "cells": [
                [k, _shown(declared, by_heading[k], v)]
                for k, v in _raw(row["raw"]).items()
                if k in by_heading and v not in (None, "")
            ][:6],
        }
        for row in table.slice(0, SHOWN_REFUSED).to_pylist()
    ]
    return {"refused": found, "shapes": [*told["shapes"], *_shapes(table, declared, good=False)]}


def _raw(raw: Any) -> Mapping[str, Any]:
    return json.loads(raw) if isinstance(raw, str) else dict(raw or ())


def _shown(declared: Resource, column: str, value: Any) -> str:
    """Say one value as whoever tries a source may read it: personal ones masked, unclassified ones not at all."""
    item = declared.field_named(column)
    if value is None or item is None:
        return ""
    if item.sensitivity is None:
        return HIDDEN
    if item.sensitivity in PERSONAL:
        return str(mask(column, value, item.meaning))
    return str(value)[:60]


def _shapes(table: pa.Table, declared: Resource, *, good: bool) -> list[list[Any]]:
    """Give what a small map draws: [good, [[lon, lat] …]], few and coarse; where people are only roughly."""
    raw = [g for g in table.column("geometry").to_pylist() if g is not None][:MOST_SHAPES]
    if not raw:
        return []
    shapes = shapely.from_wkb(np.array(raw, object))
    decimals = ABOUT_M if declared.about_persons else 6
    found: list[list[Any]] = []
    for shape in shapes:
        one = max(shapely.get_parts(shape), key=lambda g: g.length) if shape.geom_type.startswith("Multi") else shape
        line = one.exterior if one.geom_type == "Polygon" else one
        points = shapely.get_coordinates(line).tolist()
        step = max(1, len(points) // MOST_VERTICES)
        found.append([good, [[round(float(x), decimals), round(float(y), decimals)] for x, y in points[::step]]])
    return found
