"""A served row as each protocol writes it: GeoJSON, GML 3.2 and Esri's JSON, exact to the last digit; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import shapely
import shapely.geometry

Row = dict[str, Any]
POLE = ("id", "lon", "lat")
"""What of a lamp post is its identity and its place rather than a column."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One row of a service: its identity there, its number in the table (from 1), its columns and its shape."""

    id: str
    number: int
    columns: Mapping[str, Any]
    shape: Any


def pole(row: Row) -> Feature:
    """Give a lamp post as a feature."""
    columns = {k: v for k, v in row.items() if k not in POLE}
    return Feature(
        id=row["id"], number=int(row["number"]), columns=columns, shape=shapely.Point(row["lon"], row["lat"])
    )


def _turned(shape: Any) -> Any:
    return shapely.transform(shape, lambda xy: xy[:, ::-1])


def geojson(feature: Feature, *, exchanged: bool) -> Row:
    """Give a GeoJSON feature, longitude first unless the axes are `exchanged`."""
    shape = feature.shape if feature.shape is None or not exchanged else _turned(feature.shape)
    place = None if shape is None else shapely.geometry.mapping(shape)
    return {"type": "Feature", "id": feature.id, "geometry": place, "properties": dict(feature.columns)}


def esri(feature: Feature, *, exchanged: bool) -> Row:
    """Give a feature of Esri's JSON; outer rings run clockwise."""
    attributes = {**feature.columns, "OBJECTID": feature.number}
    if feature.shape is None:
        return {"attributes": attributes}
    shape = _turned(feature.shape) if exchanged else feature.shape
    parts: list[Any] = list(shapely.get_parts(shape))
    if shape.geom_type == "Point":
        place: Row = {"x": shapely.get_x(shape), "y": shapely.get_y(shape)}
    elif shape.geom_type.endswith("LineString"):
        place = {"paths": [_pairs(p) for p in parts]}
    else:
        turned: list[Any] = [shapely.polygons(p.exterior, list(p.interiors)) for p in parts]
        rings = [r for p in turned for r in shapely.get_rings(shapely.orient_polygons(p, exterior_cw=True))]
        place = {"rings": [_pairs(r) for r in rings]}
    return {"attributes": attributes, "geometry": place}


def gml(feature: Feature, system: str, *, exchanged: bool) -> str:
    """Give a GML member; by its URN the system has northing or latitude first."""
    columns = "".join(f"<t:{k}>{escape(str(v))}</t:{k}>" for k, v in feature.columns.items() if v is not None)
    place = ""
    if feature.shape is not None:
        shape = feature.shape if exchanged else _turned(feature.shape)
        place = f"<t:geom>{_gml(shape, f'srsName={quoteattr(system)}', feature.id)}</t:geom>"
    return f"<t:stand gml:id={quoteattr(feature.id)}>{columns}{place}</t:stand>"


def _gml(shape: Any, system: str, name: str) -> str:
    top = f"gml:{{}} {system} gml:id={quoteattr('g' + name)}".strip()
    if shape.geom_type == "Point":
        return f"<{top.format('Point')}><gml:pos>{_listed(shape)}</gml:pos></gml:Point>"
    if shape.geom_type == "LineString":
        return f"<{top.format('LineString')}><gml:posList>{_listed(shape)}</gml:posList></gml:LineString>"
    if shape.geom_type == "Polygon":
        rings = "".join(
            f"<gml:{where}><gml:LinearRing><gml:posList>{_listed(ring)}</gml:posList></gml:LinearRing></gml:{where}>"
            for where, ring in [("exterior", shape.exterior), *(("interior", r) for r in shape.interiors)]
        )
        return f"<{top.format('Polygon')}>{rings}</gml:Polygon>"
    many, one = {"MultiPolygon": ("MultiSurface", "surface"), "MultiLineString": ("MultiCurve", "curve")}[
        shape.geom_type
    ]
    members = "".join(
        f"<gml:{one}Member>{_gml(p, '', f'{name}.{n}')}</gml:{one}Member>" for n, p in enumerate(shape.geoms)
    )
    return f"<{top.format(many)}>{members}</gml:{many}>"


def _listed(shape: shapely.Geometry) -> str:
    return " ".join(repr(float(v)) for pair in shapely.get_coordinates(shape).tolist() for v in pair)


def _pairs(shape: shapely.Geometry) -> list[list[float]]:
    return shapely.get_coordinates(shape).tolist()
