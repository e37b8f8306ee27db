"""Vector files as departments make them: shapefiles in GBK, GeoPackage, geodatabase, GeoJSON, KML and DXF."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import ezdxf
import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from ezdxf.filemanagement import new

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Row = dict[str, Any]
GEOMETRY = "geometry"
FIXED_DATE = "2025-11-20"
"""The date written into files' headers, so that the same village gives the same bytes."""


def shapefile(
    path: Path, rows: Sequence[Row], crs: str, *, encoding: str = "GB18030", cpg: str = "", prj: bool = True
) -> None:
    """Write a shapefile whose text is in `encoding`; `cpg` is what the .cpg says of it ("" = there is none)."""
    options = {"DBF_DATE_LAST_UPDATE": FIXED_DATE}
    _write(path, rows, crs, driver="ESRI Shapefile", encoding=encoding, layer_options=options)
    sidecar = path.with_suffix(".cpg")
    sidecar.unlink(missing_ok=True)
    if cpg:
        sidecar.write_text(cpg, "ascii")
    if not prj:
        path.with_suffix(".prj").unlink()


def geopackage(path: Path, layer: str, rows: Sequence[Row], crs: str) -> None:
    """Write, or add, one layer of a GeoPackage."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{FIXED_DATE}T00:00:00.000Z"})
    _write(path, rows, crs, driver="GPKG", layer=layer, append=path.exists())


def geodatabase(path: Path, layer: str, rows: Sequence[Row], crs: str) -> None:
    """Write one feature class of a file geodatabase (a folder)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Field .* of type Integer64")
        _write(path, rows, crs, driver="OpenFileGDB", layer=layer)


def geojson(path: Path, rows: Sequence[Row], *, unclosed: Sequence[Row] = ()) -> None:
    """Write GeoJSON without a crs member, coordinates as they are; rings of the rows in `unclosed` are left open."""
    open_rows = {id(row) for row in unclosed}
    features = []
    for row in rows:
        shape = json.loads(shapely.to_geojson(row[GEOMETRY]))
        if id(row) in open_rows:
            shape["coordinates"][0].pop()
        features.append({"type": "Feature", "properties": _facts(row), "geometry": shape})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1), "utf-8"
    )


def kml(path: Path, title: str, rows: Sequence[Row]) -> None:
    """Write placemarks as a phone map exports them: the name, and everything else as ExtendedData; lon, lat."""
    marks = []
    for row in rows:
        data = "".join(
            f'<Data name="{k}"><value>{escape(str(v))}</value></Data>' for k, v in _facts(row).items() if k != "Name"
        )
        point = f"<Point><coordinates>{row[GEOMETRY].x:.8f},{row[GEOMETRY].y:.8f},0</coordinates></Point>"
        marks.append(
            f"<Placemark><name>{escape(row['Name'])}</name><ExtendedData>{data}</ExtendedData>{point}</Placemark>"
        )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}<name>{escape(title)}</name>\n" + "\n".join(marks) + "\n</Document></kml>\n", "utf-8")


def dxf(path: Path, rows: Sequence[Row]) -> None:
    """Write lines as closed or open polylines of a plan drawing, one drawing layer per `Layer`; a DXF states no CRS."""
    ezdxf.options.write_fixed_meta_data_for_testing = True  # pyright: ignore[reportPrivateImportUsage]
    drawing = new("R2010")
    space = drawing.modelspace()
    for row in rows:
        if row["Layer"] not in drawing.layers:
            drawing.layers.add(row["Layer"], color=1 + len(drawing.layers) % 6)
        points = shapely.get_coordinates(row[GEOMETRY]).round(3).tolist()
        closed = points[0] == points[-1]
        space.add_lwpolyline(points[:-1] if closed else points, close=closed, dxfattribs={"layer": row["Layer"]})
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.saveas(path)


def _facts(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != GEOMETRY}


def _write(path: Path, rows: Sequence[Row], crs: str, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [key for key in rows[0] if key != GEOMETRY]
    columns = [_column([row[name] for row in rows]) for name in names]
    shapes = np.array([row[GEOMETRY] for row in rows], dtype=object)
    kind = shapes[0].geom_type
    pyogrio.raw.write(path, shapely.to_wkb(shapes), columns, names, geometry_type=kind, crs=crs, **options)


def _column(values: list[Any]) -> np.ndarray:
    if any(isinstance(value, str) for value in values):
        return np.array(values, dtype=object)
    if any(value is None or isinstance(value, float) for value in values):
        return np.array(values, dtype=np.float64)
    return np.array(values, dtype=np.int64)
