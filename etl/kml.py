"""What a KML file says: placemarks, their own named values and their geometry; links and overlays are not followed.

GDAL's KML drivers garble Chinese names of values, so the few elements that matter are read here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pyarrow as pa
import shapely
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from etl.job import Job

_MAX_DEPTH = 64
_MAX_GEOMETRIES = 8


@dataclass(kw_only=True)
class Mark:
    """One placemark: its values by name ("Name", "description", then its own), its geometry or None, what was odd."""

    values: dict[str, str]
    geometry: Any = None
    notes: list[str] = field(default_factory=list)


def batches(job: Job) -> Iterator[pa.RecordBatch]:
    """Give the placemarks (of the folder `job.part` where it is named) as batches with WKB in EPSG:4326, lon lat.

    Raises SourceError where the file is not well-formed KML.
    """
    try:
        marks = list(_marks(job))
    except (ParseError, DefusedXmlException, ValueError) as wrong:
        raise SourceError(
            f"“{job.name}”不是完整的 KML({str(wrong)[:80]})。请报送单位重新导出。",
            f"“{job.name}” is not well-formed KML ({str(wrong)[:80]}). Ask the sender to export it again.",
            file=job.name,
        ) from wrong
    names = list(dict.fromkeys(name for mark in marks for name in mark.values))
    for start in range(0, max(1, len(marks)), job.batch_rows):
        chunk = marks[start : start + job.batch_rows]
        shapes = np.array([m.geometry for m in chunk], dtype=object)
        columns = [pa.array([m.values.get(n) for m in chunk], pa.string()) for n in names]
        rows = pa.array([str(start + i + 1) for i in range(len(chunk))], pa.string())
        notes = pa.array([",".join(m.notes) or None for m in chunk], pa.string())
        tail = [rows, pa.array(shapely.to_wkb(shapes), pa.binary()), notes]
        yield pa.RecordBatch.from_arrays([*columns, *tail], names=[*names, "_row", "_geometry", "_note"])


def _marks(job: Job) -> Iterator[Mark]:
    path: list[Element] = []
    inside = 0 if job.part else 1
    for event, element in iterparse(job.path, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            path.append(element)
            if len(path) > _MAX_DEPTH:
                raise ValueError("too deep")
            continue
        path.pop()
        kind = _tag(element)
        if job.part and kind == "name" and path and _tag(path[-1]) in ("Folder", "Document"):
            inside += int((element.text or "").strip() == job.part)
        if kind == "Placemark":
            if inside:
                yield _mark(element)
            element.clear()
        elif kind in ("Folder", "Document") and job.part and inside and _name(element) == job.part:
            inside -= 1


def _mark(element: Element) -> Mark:
    mark = Mark(values={})
    for child in element:
        kind = _tag(child)
        if kind == "name":
            mark.values["Name"] = (child.text or "").strip()
        elif kind == "description":
            mark.values["description"] = (child.text or "").strip()
        elif kind == "ExtendedData":
            _own_values(child, mark)
        elif kind in _SHAPES:
            mark.geometry = _shape(child, mark, 0)
    return mark


def _own_values(element: Element, mark: Mark) -> None:
    for one in element.iter():
        kind, name = _tag(one), one.get("name", "")
        if kind == "SimpleData" and name:
            mark.values[name] = (one.text or "").strip()
        elif kind == "Data" and name:
            value = next((c for c in one if _tag(c) == "value"), None)
            mark.values[name] = "" if value is None else (value.text or "").strip()


_SHAPES = frozenset({"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry"})


def _shape(element: Element, mark: Mark, depth: int) -> Any:
    kind = _tag(element)
    try:
        if kind == "MultiGeometry":
            return _several(element, mark, depth)
        if kind == "Polygon":
            rings = [_ring(r, mark) for r in element.iter() if _tag(r) == "LinearRing"]
            return shapely.Polygon(rings[0], rings[1:]) if rings else None
        points = _points(element)
        return shapely.Point(points[0]) if kind == "Point" else shapely.LineString(points)
    except (ValueError, IndexError, shapely.errors.GEOSException):
        mark.notes.append("unreadable_geometry")
        return None


def _several(element: Element, mark: Mark, depth: int) -> Any:
    if depth >= _MAX_GEOMETRIES:
        mark.notes.append("nested_geometry")
        return None
    parts = [s for c in element if _tag(c) in _SHAPES and (s := _shape(c, mark, depth + 1)) is not None]
    flat = [p for part in parts for p in getattr(part, "geoms", [part])]
    kinds = {p.geom_type for p in flat}
    if kinds == {"Polygon"}:
        return shapely.MultiPolygon(flat)
    if kinds == {"LineString"}:
        return shapely.MultiLineString(flat)
    return shapely.MultiPoint(flat) if kinds == {"Point"} else shapely.GeometryCollection(flat)


def _ring(element: Element, mark: Mark) -> list[tuple[float, float]]:
    points = _points(element)
    if points[0] != points[-1]:
        mark.notes.append("unclosed_ring")
        points.append(points[0])
    return points


def _points(element: Element) -> list[tuple[float, float]]:
    text = next((c.text or "" for c in element if _tag(c) == "coordinates"), "")
    points = [(float(x), float(y)) for x, y, *_ in (p.split(",") for p in text.split())]
    if not points or not np.isfinite(points).all():
        raise ValueError(text[:40])
    return points


def _name(element: Element) -> str:
    return next(((c.text or "").strip() for c in element if _tag(c) == "name"), "")


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]
