"""What lies at a point, and what lies inside a drawn polygon: exact areas in the village's metric system, by class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twin import duck, editions, geodesy
from twin.analysis import polygons, sums
from twin.analysis.in_view import InView
from twin.errors import BadRequest, NotFound, RowLimit, StoreBroken
from twin.policy import VECTOR_TYPES, Policy, Subject, noted

if TYPE_CHECKING:
    from twin.model import Bbox, Draw, Layer, OneMap, Resource
    from twin.store import Serving

Json = dict[str, Any]
Shapes = NDArray[np.object_]

MAX_AREA_M2 = 50_000_000.0
MAX_ROWS = 60_000
"""Rows of one table an overlay computes with; a larger polygon is asked to be smaller."""
STEP_DEGREES = 0.01
"""Edges are cut at about 1 km before they are projected: a straight edge then strays by a centimetre at most."""

AT_POINT = """
SELECT {columns}, ST_Distance(geom, ST_Point(?, ?)) AS distance FROM {features}
WHERE xmin <= ? AND xmax >= ? AND ymin <= ? AND ymax >= ?{edition} AND ST_DWithin(geom, ST_Point(?, ?), ?)
ORDER BY distance LIMIT 20
"""
INSIDE = """
SELECT {columns}, ST_AsWKB(geom) AS wkb FROM {features}
WHERE xmin <= ? AND xmax >= ? AND ymin <= ? AND ymax >= ?{edition} LIMIT {limit:d}
"""


class Analysis:
    """Questions about places over a village's served tables; every column passes the policy."""

    def __init__(self, onemap: OneMap, serving: Serving, policy: Policy) -> None:
        self._onemap = onemap
        self._serving = serving
        self._policy = policy

    def identify(
        self,
        subject: Subject,
        point: tuple[float, float],
        layers: Sequence[str] = (),
        *,
        radius_m: float = 5.0,
        year: int | None = None,
        language: str = "zh-CN",
    ) -> list[Json]:
        """Give what lies at `point` (lon, lat) within `radius_m`, top layer first."""
        x, y = (float(v) for v in geodesy.to_mercator(*point))
        radius = radius_m / math.cos(math.radians(point[1]))
        found: dict[tuple[str, str], Json] = {}
        for layer, draw, resource in reversed(list(self._drawn(subject, layers))):
            rows = self._at(subject, resource, (x, y, radius), year)
            if rows:
                noted.place(self._policy.decide(subject, "select", resource.id), [(*point, *point)])
            for row in rows:
                found.setdefault(
                    (resource.id, row["id"]),
                    {
                        "layer": layer.id,
                        "draw": draw.id,
                        "table": resource.id,
                        "id": row["id"],
                        "entity": resource.entity_id(row["id"]),
                        "title": resource.title_of(row, language),
                        "distance_m": round(row["distance"] * math.cos(math.radians(point[1])), 2),
                    },
                )
        return list(found.values())

    def overlay(
        self,
        subject: Subject,
        geometry: Mapping[str, Any],
        layers: Sequence[str] = (),
        *,
        year: int | None = None,
        language: str = "zh-CN",
    ) -> Json:
        """Give areas (m², 亩) and counts by class inside a GeoJSON polygon (lon, lat), control lines, duty holders.

        Areas are planar in `Village.metric_crs`; a row wholly inside counts with its stored computed area.
        Raises BadRequest for what is no polygon, has too many vertices, or is too large.
        """
        polygon = polygons.read(geometry)
        metric = self._measured(polygon)
        area = float(shapely.area(metric))
        parts, broken, limited = [], [], []
        for layer, draw, resource in self._once(self._drawn(subject, layers)):
            if self._policy.decide(subject, "count", resource.id).smallest_count:
                continue  # people are counted in the fixed areas only: two outlines would tell of one
            try:
                parts.append(self._within(subject, (layer, draw, resource), polygon, metric, year))
            except NotFound:
                continue
            except RowLimit as error:
                limited.append({"table": resource.id, "zh": error.zh, "en": error.en})
            except StoreBroken as error:
                broken.append({"table": resource.id, "zh": error.zh, "en": error.en})
        return {
            "area_m2": round(area, 2),
            "area_mu": sums.in_mu(area),
            "perimeter_m": round(float(shapely.length(metric)), 2),
            "crs": self._onemap.village.metric_crs,
            "tables": [sums.summed(self._onemap, p, area, language) for p in parts if p.rows],
            "controls": [c for p in parts for c in sums.controls(p, language)],
            "duty": [d for p in parts for d in sums.duty(p, language)],
            "broken": broken,
            "limited": limited,
        }

    def _measured(self, polygon: shapely.Geometry) -> Any:
        """Give a polygon (lon, lat) in metres; raises BadRequest for one too large to be answered."""
        metric = self._metric(np.array([shapely.segmentize(polygon, STEP_DEGREES)], dtype=object), "EPSG:4326")[0]
        if shapely.area(metric) > MAX_AREA_M2:
            limit = MAX_AREA_M2 / 1e6
            raise BadRequest(f"范围过大:最多 {limit:.0f} 平方公里", f"The area is too large: {limit:.0f} km² at most")
        return metric

    def in_view(self, subject: Subject, bbox: Bbox, *, year: int | None = None) -> Json:
        """Give the areas of each class inside `bbox`, as `InView.areas` tells them; raises BadRequest."""
        asked = InView(onemap=self._onemap, serving=self._serving, policy=self._policy, subject=subject)
        return asked.areas(bbox, year)

    def _drawn(self, subject: Subject, layers: Sequence[str]) -> Iterator[tuple[Layer, Draw, Resource]]:
        """Give what a person can point at, bottom first; raises NotFound for a layer that may not be seen."""
        chosen = {self._policy.layer(subject, x).id for x in layers}
        for layer in self._policy.layers(subject):
            if chosen and layer.id not in chosen:
                continue
            for draw in layer.draws:
                resource = self._onemap.resource(draw.table)
                drawn = draw.type in VECTOR_TYPES and draw.interactive and self._policy.sees(subject, draw.table)
                if resource is not None and drawn:
                    yield layer, draw, resource

    @staticmethod
    def _once(drawn: Iterator[tuple[Layer, Draw, Resource]]) -> list[tuple[Layer, Draw, Resource]]:
        """Give each table once: by the draw that has classes, else by the first."""
        best: dict[str, tuple[Layer, Draw, Resource]] = {}
        for layer, draw, resource in drawn:
            if resource.id not in best or (draw.classes and not best[resource.id][1].classes):
                best[resource.id] = (layer, draw, resource)
        return list(best.values())

    def _at(self, subject: Subject, resource: Resource, at: tuple[float, float, float], year: int | None) -> list[Json]:
        x, y, radius = at
        box = [x + radius, x - radius, y + radius, y - radius]
        try:
            rows = self._rows(subject, resource, year, AT_POINT, [x, y, *box, x, y, radius])
            return self._revealed(subject, resource, rows, "distance")
        except (NotFound, StoreBroken):
            return []

    def _rows(
        self,
        subject: Subject,
        resource: Resource,
        year: int | None,
        sql: str,
        values: Sequence[float],
    ) -> list[Json]:
        """Run one of the queries above over the edition of `year`; columns are those `subject` may see, not masked."""
        where = editions.where(self._serving.snapshot(resource.id).manifest.get("years"), year)
        stored = self._serving.columns(resource.id)
        if where is None or "geom" not in stored:
            return []
        names = [c for c in self._policy.columns(subject, resource.id) if c in stored]
        permit = self._policy.decide(subject, "select", resource.id)
        connection, features = self._serving.cursor(resource.id, permit)
        edition = f" AND year = {where[0][2]:d}" if where else ""
        text = sql.format(
            columns=", ".join(duck.quote(n) for n in names), features=features, edition=edition, limit=MAX_ROWS + 1
        )
        result = connection.execute(text, values)
        extra = [d[0] for d in result.description or ()][len(names) :]
        return [dict(zip([*names, *extra], r, strict=True)) for r in result.fetchall()]

    def _revealed(self, subject: Subject, resource: Resource, rows: Sequence[Json], *extra: str) -> list[Json]:
        """Give rows as `subject` may read them, with what the query computed; raises RowLimit."""
        shown = self._policy.reveal(subject, resource.id, rows)
        return [{**s, **{e: r[e] for e in extra}} for s, r in zip(shown, rows, strict=True)]

    def _within(
        self,
        subject: Subject,
        what: tuple[Layer, Draw, Resource],
        polygon: shapely.Geometry,
        metric: shapely.Geometry,
        year: int | None,
    ) -> sums.Within:
        layer, draw, resource = what
        west, south, east, north = shapely.bounds(polygon)
        (x0, x1), (y0, y1) = geodesy.to_mercator([west, east], [south, north])
        rows = self._rows(subject, resource, year, INSIDE, [float(v) for v in (x1, x0, y1, y0)])
        if len(rows) > MAX_ROWS:
            raise BadRequest(
                f"范围内“{resource.title.zh}”超过 {MAX_ROWS} 个,请缩小范围",
                f"More than {MAX_ROWS} of {resource.title.en!r} lie there: draw a smaller area",
            )
        inside = self._inside(rows, metric)
        touched = ~np.isnan(inside)
        kept = self._revealed(subject, resource, [r for r, t in zip(rows, touched, strict=True) if t])
        return sums.Within(resource=resource, layer=layer, draw=draw, rows=kept, inside=inside[touched])

    def _inside(self, rows: Sequence[Json], metric: shapely.Geometry) -> NDArray[np.float64]:
        """Give how much of each row lies inside (m² or m; 1 for a point), NaN where it does not touch."""
        if not rows:
            return np.empty(0)
        shapes = self._metric(shapely.from_wkb([bytes(r["wkb"]) for r in rows]), "EPSG:3857")
        return polygons.inside(shapes, np.array([r.get("area_m2") or np.nan for r in rows], np.float64), metric)

    def _metric(self, shapes: Shapes, crs: str) -> Shapes:
        village = self._onemap.village
        return geodesy.transform_geometry(shapes, crs, village.metric_crs, accepted=village.accepted_crs)
