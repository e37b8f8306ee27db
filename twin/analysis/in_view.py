"""How much ground of each class lies in a rectangle of the map, as its legend says; the one sum cut by a view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from twin import classes as classing
from twin import duck, editions
from twin.analysis.sums import in_mu
from twin.errors import BadRequest, NotFound, StoreBroken
from twin.policy import VECTOR_TYPES, Policy, Subject
from twin.store.serving import mercator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.model import Bbox, Classes, Draw, Layer, OneMap, Resource
    from twin.store import Serving

Json = dict[str, Any]
Sums = dict[str, list[float]]

MAX_CUT = 20_000
"""Rows of one table that the view's edge may cross; a table with more is left out rather than waited for."""

WHOLLY = """
SELECT {column} AS value, count(*) AS n, sum(area_m2) AS area_m2 FROM {features}
WHERE xmin >= ? AND ymin >= ? AND xmax <= ? AND ymax <= ?{edition} GROUP BY 1
"""
CUT = """
SELECT {column} AS value, area_m2, ST_AsWKB(geom) AS wkb FROM {features}
WHERE xmax > ? AND ymax > ? AND xmin < ? AND ymin < ?{edition}
AND NOT (xmin >= ? AND ymin >= ? AND xmax <= ? AND ymax <= ?) LIMIT {limit:d}
"""


@dataclass(frozen=True, kw_only=True)
class InView:
    """The rooms that know, and who asks."""

    onemap: OneMap
    serving: Serving
    policy: Policy
    subject: Subject

    def areas(self, bbox: Bbox, year: int | None = None) -> Json:
        """Give {layer: {draw: {class: {count, area_m2, area_mu}}}} inside `bbox` (west, south, east, north; degrees).

        Told for each classed draw of a table whose department states an area. A row wholly inside counts with its
        computed area; of one that the edge cuts, the share inside in EPSG:3857, whose scale varies by less than
        1:5,000 over a kilometre below 50° of latitude. Raises BadRequest for a box turned inside out.
        """
        west, south, east, north = bbox
        if west >= east or south >= north:
            raise BadRequest("范围应为 西,南,东,北(经纬度)", "The box is west, south, east, north in degrees")
        box = mercator(bbox)
        found: dict[str, dict[str, Json]] = {}
        for layer, draw, resource in self._told():
            try:
                sums = self._summed(resource, draw.classes, box, year) if draw.classes else None
            except (NotFound, StoreBroken):
                continue
            if sums is not None:
                found.setdefault(layer.id, {})[draw.id] = _said(sums)
        return {"bbox": list(bbox), "year": year, "areas": found}

    def _told(self) -> Iterator[tuple[Layer, Draw, Resource]]:
        """Give the draws of the legend whose classes cover ground that a department answers for by its area."""
        for layer in self.policy.layers(self.subject):
            for draw in layer.draws:
                resource = self.onemap.resource(draw.table)
                if resource is None or not (resource.kind == "polygon" and resource.stated_area):
                    continue
                listed = draw.classes is not None and draw.in_legend and not draw.filter
                if listed and draw.type in VECTOR_TYPES and self.policy.sees(self.subject, draw.table):
                    yield layer, draw, resource

    def _summed(self, resource: Resource, classes: Classes, box: Bbox, year: int | None) -> Sums | None:
        """Give [rows, m²] by class, None where nothing may be told, is shown in `year`, or too many rows are cut."""
        permit = self.policy.decide(self.subject, "group", resource.id)
        if classes.column not in permit.columns:
            return None
        if permit.smallest_count or permit.precision_m:
            return None  # a box of one's own choice would tell of one person, or of a place more than is told of it
        where = editions.where(self.serving.snapshot(resource.id).manifest.get("years"), year)
        if where is None:
            return None
        connection, features = self.serving.cursor(resource.id, permit)
        edition = f" AND year = {where[0][2]:d}" if where else ""
        parts = {"column": duck.quote(classes.column), "features": features, "edition": edition, "limit": MAX_CUT + 1}
        cut = connection.execute(CUT.format(**parts), [*box, *box]).fetchall()
        if len(cut) > MAX_CUT:
            return None
        sums: Sums = {}
        for value, count, area in connection.execute(WHOLLY.format(**parts), box).fetchall():
            _add(sums, classing.value_of(classes, value), count, area or 0.0)
        for value, area in _inside(cut, box):
            _add(sums, classing.value_of(classes, value), 1, area)
        return sums


def _inside(rows: list[tuple[Any, float | None, bytes]], box: Bbox) -> list[tuple[Any, float]]:
    """Give the class and the m² inside of each row (value, area_m2, wkb in EPSG:3857) that has any."""
    shapes = shapely.from_wkb([bytes(wkb) for _, _, wkb in rows])
    whole = shapely.area(shapes)
    inside = shapely.area(shapely.intersection(shapes, shapely.box(*box)))
    return [
        (value, (area or 0.0) * part / of)
        for (value, area, _), part, of in zip(rows, inside, whole, strict=True)
        if part > 0
    ]


def _add(sums: Sums, value: str, count: int, area: float) -> None:
    found = sums.setdefault(value, [0, 0.0])
    found[0] += count
    found[1] += area


def _said(sums: Sums) -> Json:
    return {v: {"count": int(n), "area_m2": round(a, 1), "area_mu": round(in_mu(a), 3)} for v, (n, a) in sums.items()}
