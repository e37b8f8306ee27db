"""What lies at a point, and what lies inside a drawn polygon: exact areas in the village's metric system, by class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry import shape

from twin import classes as classing
from twin import duck, editions, geodesy
from twin.errors import BadRequest, NotFound, StoreBroken
from twin.policy import VECTOR_TYPES, Policy, Subject

if TYPE_CHECKING:
    from twin.model import Draw, Layer, OneMap, Resource
    from twin.store import Serving

Json = dict[str, Any]
Shapes = NDArray[np.object_]

MAX_VERTICES = 5_000
MAX_AREA_M2 = 50_000_000.0
MAX_ROWS = 60_000
"""Rows of one table an overlay computes with; a larger polygon is asked to be smaller."""
LISTED = 50
TOUCH_M2 = 0.01
"""A polygon that shares less only touches: neighbours along a drawn boundary are not inside."""
STEP_DEGREES = 0.01
"""Edges are cut at about 1 km before they are projected: a straight edge then strays by a centimetre at most."""
FORBIDDEN = "forbidden"
"""A table with this column holds control lines: what must not be done there."""

AT_POINT = """
SELECT {columns}, ST_Distance(geom, ST_Point(?, ?)) AS distance FROM {features}
WHERE xmin <= ? AND xmax >= ? AND ymin <= ? AND ymax >= ?{edition} AND ST_DWithin(geom, ST_Point(?, ?), ?)
ORDER BY distance LIMIT 20
"""
INSIDE = """
SELECT {columns}, ST_AsWKB(geom) AS wkb FROM {features}
WHERE xmin <= ? AND xmax >= ? AND ymin <= ? AND ymax >= ?{edition} LIMIT {limit:d}
"""


@dataclass(frozen=True, kw_only=True)
class Within:
    """The rows of one table that touch a polygon: values, and how much of each lies inside (m², m, or 1)."""

    resource: Resource
    layer: Layer
    draw: Draw
    rows: list[Json]
    inside: NDArray[np.float64]


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
            for row in self._at(subject, resource, (x, y, radius), year):
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
        polygon = _polygon(geometry)
        metric = self._metric(np.array([shapely.segmentize(polygon, STEP_DEGREES)], dtype=object), "EPSG:4326")[0]
        area = float(shapely.area(metric))
        if area > MAX_AREA_M2:
            limit = MAX_AREA_M2 / 1e6
            raise BadRequest(f"范围过大:最多 {limit:.0f} 平方公里", f"The area is too large: {limit:.0f} km² at most")
        parts, broken = [], []
        for layer, draw, resource in self._once(self._drawn(subject, layers)):
            try:
                parts.append(self._within(subject, (layer, draw, resource), polygon, metric, year))
            except NotFound:
                continue
            except StoreBroken as error:
                broken.append({"table": resource.id, "zh": error.zh, "en": error.en})
        return {
            "area_m2": round(area, 2),
            "area_mu": _mu(area),
            "perimeter_m": round(float(shapely.length(metric)), 2),
            "crs": self._onemap.village.metric_crs,
            "tables": [self._summed(p, area, language) for p in parts if p.rows],
            "controls": [c for p in parts for c in _controls(p, language)],
            "duty": [d for p in parts for d in _duty(p, language)],
            "broken": broken,
        }

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
            return self._rows(subject, resource, year, AT_POINT, [x, y, *box, x, y, radius])
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
        """Run one of the queries above over the edition of `year`; personal values arrive masked."""
        where = editions.where(self._serving.snapshot(resource.id).manifest.get("years"), year)
        stored = self._serving.columns(resource.id)
        if where is None or "geom" not in stored:
            return []
        names = [c for c in self._policy.columns(subject, resource.id) if c in stored]
        connection, features = self._serving.cursor(resource.id)
        edition = f" AND year = {where[0][2]:d}" if where else ""
        text = sql.format(
            columns=", ".join(duck.quote(n) for n in names), features=features, edition=edition, limit=MAX_ROWS + 1
        )
        result = connection.execute(text, values)
        extra = [d[0] for d in result.description or ()][len(names) :]
        rows = result.fetchall()
        shown = self._policy.reveal(subject, resource.id, (dict(zip(names, r, strict=False)) for r in rows))
        return [{**s, **dict(zip(extra, r[len(names) :], strict=True))} for s, r in zip(shown, rows, strict=True)]

    def _within(
        self,
        subject: Subject,
        what: tuple[Layer, Draw, Resource],
        polygon: shapely.Geometry,
        metric: shapely.Geometry,
        year: int | None,
    ) -> Within:
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
        kept = [{k: v for k, v in r.items() if k != "wkb"} for r, t in zip(rows, touched, strict=True) if t]
        return Within(resource=resource, layer=layer, draw=draw, rows=kept, inside=inside[touched])

    def _inside(self, rows: Sequence[Json], metric: shapely.Geometry) -> NDArray[np.float64]:
        """Give how much of each row lies inside (m² or m; 1 for a point), NaN where it does not touch."""
        inside = np.full(len(rows), np.nan)
        if not rows:
            return inside
        shapes = self._metric(shapely.from_wkb([bytes(r["wkb"]) for r in rows]), "EPSG:3857")
        dimension = shapely.get_dimensions(shapes)
        shapely.prepare(metric)
        touched = shapely.intersects(metric, shapes)
        whole = shapely.contains(metric, shapes)
        cut = touched & ~whole
        inside[whole] = _measure(shapes[whole], dimension[whole])
        stored = np.array([r.get("area_m2") or np.nan for r in rows], np.float64)
        inside[whole] = np.where(np.isnan(stored[whole]), inside[whole], stored[whole])
        inside[cut] = _measure(shapely.intersection(shapes[cut], metric), dimension[cut])
        return np.where((dimension == 2) & (inside < TOUCH_M2), np.nan, inside)

    def _metric(self, shapes: Shapes, crs: str) -> Shapes:
        village = self._onemap.village
        return geodesy.transform_geometry(shapes, crs, village.metric_crs, accepted=village.accepted_crs)

    def _summed(self, part: Within, area: float, language: str) -> Json:
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
            **({"area_mu": _mu(total), "share": round(total / area, 4)} if resource.kind == "polygon" else {}),
            "classes": self._classed(part, measure, language),
            "listed": [
                {"id": r["id"], "entity": resource.entity_id(r["id"]), "title": resource.title_of(r, language)}
                for r in part.rows[:LISTED]
            ],
        }

    def _classed(self, part: Within, measure: str, language: str) -> list[Json]:
        classes = part.draw.classes
        if classes is None:
            return []
        named = classing.by_value(self._onemap, classes)
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
                **({"area_mu": _mu(amount)} if measure == "area_m2" else {}),
            }
            for value, (count, amount) in sorted(sums.items(), key=lambda v: (-v[1][1], -v[1][0]))
        ]


def _measure(shapes: Shapes, dimension: NDArray[np.integer]) -> NDArray[np.float64]:
    """Give area, length or 1 of each shape by the dimension of the row it is (a part) of."""
    return np.select([dimension == 2, dimension == 1], [shapely.area(shapes), shapely.length(shapes)], 1.0)


def _mu(area_m2: float) -> float:
    return round(area_m2 / geodesy.MU_M2, 4)


def _controls(part: Within, language: str) -> list[Json]:
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


def _duty(part: Within, language: str) -> list[Json]:
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


def _polygon(geometry: Mapping[str, Any]) -> shapely.Geometry:
    """Read a GeoJSON polygon (or a Feature of one); raises BadRequest."""
    bare = geometry.get("geometry") if geometry.get("type") == "Feature" else geometry
    if not isinstance(bare, Mapping) or bare.get("type") not in ("Polygon", "MultiPolygon"):
        raise BadRequest("请提交 GeoJSON 多边形", "Send a GeoJSON Polygon or MultiPolygon")
    try:
        polygon = shapely.force_2d(shape(dict(bare)))
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as wrong:
        raise BadRequest("多边形的坐标无法读取", "The polygon's coordinates cannot be read") from wrong
    xy = shapely.get_coordinates(polygon)
    if len(xy) > MAX_VERTICES:
        raise BadRequest(f"顶点过多:最多 {MAX_VERTICES} 个", f"Too many vertices: {MAX_VERTICES} at most")
    if polygon.is_empty or not np.isfinite(xy).all() or (np.abs(xy) > [180, 85]).any():
        raise BadRequest("坐标应为经纬度(经度在前)", "Coordinates must be degrees, longitude first")
    if not polygon.is_valid:
        raise BadRequest("多边形的边线自相交,请重画", "The polygon's outline crosses itself: draw it again")
    return polygon
