"""Delivered geometry → stored geometry: read, placed in the storage CRS, mended, measured; whole batches at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twin import geodesy

if TYPE_CHECKING:
    from twin.model import Bbox, Kind, Village

Shapes = NDArray[np.object_]
Flags = NDArray[np.bool_]

LARGEST_REPAIR = 0.01
"""Mending may change an area by this ratio; beyond it somebody who knows the ground must say which shape is meant."""
WIDEST_GAP = 0.05
"""A drawn line counts as a ring left open where its ends lie closer than this ratio of its length."""
_TYPES: dict[Kind, tuple[int, ...]] = {"polygon": (3, 6), "line": (1, 5), "point": (0, 4)}
_LINESTRING, _LINEARRING, _POLYGON = 1, 2, 3
_SURE = 1e-15
"""Areas (square degrees, 1e-5 m²) from which the sign tells how a ring is turned, however its sum was rounded."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where a source's coordinates come from and where they belong; boxes are degrees lon, lat."""

    kind: Kind
    source_crs: str
    storage_crs: str
    metric_crs: str
    accepted: dict[str, float]
    bbox: Bbox
    plausible_bbox: Bbox
    within_village: bool

    @property
    def planar(self) -> bool:
        """Say whether the source's own plane is the metric one, so that areas need no second projection."""
        return self.source_crs == self.metric_crs or _same_zone(self.source_crs, self.metric_crs)


def frame_of(village: Village, kind: Kind, source_crs: str, *, within_village: bool) -> Frame:
    """Join a village and one source's CRS; raises CrsError where the way between them is not allowed."""
    geodesy.transformer(source_crs, village.storage_crs, accepted=village.accepted_crs)
    return Frame(
        kind=kind,
        source_crs=source_crs,
        storage_crs=village.storage_crs,
        metric_crs=village.metric_crs,
        accepted=dict(village.accepted_crs),
        bbox=village.bbox,
        plausible_bbox=village.plausible_bbox,
        within_village=within_village,
    )


@dataclass(kw_only=True)
class Placed:
    """A batch of geometries in the storage CRS (valid, exteriors counter-clockwise), and what was met on the way.

    `measure` is m² of polygons, m of lines, NaN of points; `reasons` and `repairs` hold only the rows concerned.
    """

    shapes: Shapes
    measure: NDArray[np.float64]
    reasons: dict[int, list[str]] = field(default_factory=dict)
    repairs: dict[int, list[str]] = field(default_factory=dict)

    def refuse(self, rows: Flags, rule: str) -> None:
        """Give every flagged row the reason `rule`, and no geometry to publish."""
        for row in np.flatnonzero(rows):
            self.reasons.setdefault(int(row), []).append(rule)
            self.shapes[row] = None

    def mend(self, rows: Flags, what: str) -> None:
        """Note that every flagged row was changed by `what`."""
        for row in np.flatnonzero(rows):
            self.repairs.setdefault(int(row), []).append(what)

    def wkb(self) -> pa.Array:
        """Give the geometries as WKB, null where there is none."""
        return pa.array(shapely.to_wkb(self.shapes), pa.binary())


def place(wkb: pa.Array, frame: Frame) -> Placed:
    """Take WKB in the source CRS (x, y order; null for none) to where it is published from; never raises for a row."""
    placed = _read(wkb)
    deep = shapely.has_z(placed.shapes) | shapely.has_m(placed.shapes)
    if deep.any():
        placed.shapes[deep] = shapely.force_2d(placed.shapes[deep])
    _refuse_not_finite(placed)
    _fit_kind(placed, frame.kind)
    source = placed.shapes
    placed.shapes = _moved(source, frame.source_crs, frame.storage_crs, frame)
    _refuse_misplaced(placed, source, frame)
    invalid = _present(placed.shapes) & ~shapely.is_valid(placed.shapes)
    if frame.kind == "polygon":
        _mend_invalid(placed, invalid, frame)
        _orient(placed.shapes)
    else:
        placed.refuse(invalid, "geometry_unreadable")
    placed.measure = _measure(placed, source, invalid, frame)
    return placed


def _present(shapes: Shapes) -> Flags:
    return ~shapely.is_missing(shapes)


def _read(wkb: pa.Array) -> Placed:
    raw = np.asarray(wkb.to_numpy(zero_copy_only=False), dtype=object)
    shapes = np.asarray(shapely.from_wkb(raw, on_invalid="ignore"), dtype=object)
    placed = Placed(shapes=shapes, measure=np.full(len(raw), np.nan))
    given = np.asarray(wkb.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    broken = given & shapely.is_missing(shapes)
    if broken.any():
        shapes[broken] = shapely.from_wkb(raw[broken], on_invalid="fix")
        closed = broken & _present(shapes)
        placed.mend(closed, "ring_unclosed")
        placed.refuse(broken & ~closed, "geometry_unreadable")
    placed.refuse(~given | shapely.is_empty(shapes), "geometry_missing")
    return placed


def _refuse_not_finite(placed: Placed) -> None:
    if not np.isfinite(shapely.get_coordinates(placed.shapes)).all():
        xy, rows = shapely.get_coordinates(placed.shapes, return_index=True)
        bad = ~np.isfinite(xy).all(axis=1)
        flags = np.zeros(len(placed.shapes), dtype=bool)
        flags[rows[bad]] = True
        placed.refuse(flags, "geometry_not_finite")


def _fit_kind(placed: Placed, kind: Kind) -> None:
    """Refuse other kinds; a drawn outline (a line that ends where it began, or nearly) is taken for its polygon."""
    types = shapely.get_type_id(placed.shapes)
    outline = np.isin(types, (_LINESTRING, _LINEARRING)) if kind == "polygon" else np.zeros(len(types), dtype=bool)
    for row in np.flatnonzero(outline):
        polygon, closed = _polygon_of(placed.shapes[row])
        if polygon is not None:
            placed.shapes[row] = polygon
            types[row] = 3
            if not closed:
                placed.repairs.setdefault(int(row), []).append("ring_unclosed")
    placed.refuse(_present(placed.shapes) & ~np.isin(types, _TYPES[kind]), "geometry_kind")


def _polygon_of(line: Any) -> tuple[Any, bool]:
    points = shapely.get_coordinates(line)
    gap = float(np.hypot(*(points[0] - points[-1])))
    if len(points) < 3 or gap > WIDEST_GAP * shapely.length(line) or (gap == 0 and len(points) < 4):
        return None, False
    ring = points if gap == 0 else np.vstack([points, points[:1]])
    return shapely.polygons(ring), gap == 0


def _moved(shapes: Shapes, crs_from: str, crs_to: str, frame: Frame) -> Shapes:
    way = geodesy.transformer(crs_from, crs_to, accepted=frame.accepted)
    if not way.steps:
        return shapes.copy()
    xy = shapely.get_coordinates(shapes)
    x, y = way.transform(xy[:, 0], xy[:, 1])
    return np.asarray(shapely.set_coordinates(shapes.copy(), np.column_stack([x, y])), dtype=object)


def _refuse_misplaced(placed: Placed, source: Shapes, frame: Frame) -> None:
    box = shapely.bounds(placed.shapes)
    present = _present(placed.shapes)
    lost = present & ~_touches(box, frame.plausible_bbox)
    if lost.any():
        swapped = np.zeros(len(lost), dtype=bool)
        swapped[lost] = _falls_here_exchanged(source[lost], frame)
        placed.refuse(swapped, "axes_swapped")
        placed.refuse(lost & ~swapped, "outside_plausible")
    huge = present & ~lost & _reaches_far(box, frame.plausible_bbox)
    placed.refuse(huge, "geometry_too_large")
    if frame.within_village:
        placed.refuse(present & ~lost & ~huge & ~_touches(box, frame.bbox), "outside_village")


def _touches(bounds: NDArray[np.float64], box: Bbox) -> Flags:
    west, south, east, north = box
    near = (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    return near & np.isfinite(bounds).all(axis=1)


def _reaches_far(bounds: NDArray[np.float64], box: Bbox) -> Flags:
    """Tell which boxes reach beyond the plausible one by more than its own width or height."""
    west, south, east, north = box
    wide, high = east - west, north - south
    far = (bounds[:, 0] < west - wide) | (bounds[:, 2] > east + wide)
    return far | (bounds[:, 1] < south - high) | (bounds[:, 3] > north + high)


def _falls_here_exchanged(source: Shapes, frame: Frame) -> Flags:
    exchanged = shapely.transform(source.copy(), lambda xy: xy[:, ::-1])
    return _touches(shapely.bounds(_moved(exchanged, frame.source_crs, frame.storage_crs, frame)), frame.plausible_bbox)


def _mend_invalid(placed: Placed, invalid: Flags, frame: Frame) -> None:
    if not invalid.any():
        return
    rows = np.flatnonzero(invalid)
    mended = shapely.make_valid(placed.shapes[rows], method="structure", keep_collapsed=False)
    before = _area(placed.shapes[rows], frame)
    after = _area(mended, frame)
    kept = ~shapely.is_empty(mended) & np.isin(shapely.get_type_id(mended), _TYPES["polygon"])
    kept &= np.abs(after - before) <= LARGEST_REPAIR * np.maximum(after, before)
    good, bad = np.zeros(len(invalid), dtype=bool), np.zeros(len(invalid), dtype=bool)
    good[rows[kept]], bad[rows[~kept]] = True, True
    placed.shapes[rows[kept]] = mended[kept]
    placed.mend(good, "self_intersection")
    placed.refuse(bad, "geometry_repair_area")


def _area(shapes: Shapes, frame: Frame) -> NDArray[np.float64]:
    return np.asarray(shapely.area(_moved(shapes, frame.storage_crs, frame.metric_crs, frame)), np.float64)


def _measure(placed: Placed, source: Shapes, changed: Flags, frame: Frame) -> NDArray[np.float64]:
    if frame.kind not in ("polygon", "line"):
        return np.full(len(source), np.nan)
    size = shapely.area if frame.kind == "polygon" else shapely.length
    if not frame.planar and frame.kind == "polygon":
        return _areas(placed.shapes, frame)
    if not frame.planar:
        return np.asarray(size(_moved(placed.shapes, frame.storage_crs, frame.metric_crs, frame)), np.float64)
    measured = np.asarray(size(source), np.float64)
    if changed.any():
        rows = np.flatnonzero(changed)
        measured[rows] = size(_moved(placed.shapes[rows], frame.storage_crs, frame.metric_crs, frame))
    return measured


def _orient(shapes: Shapes) -> None:
    """Turn exteriors counter-clockwise in place, touching no single ring that surely is turned so already."""
    rows = _single_rings(shapes)
    rest = np.ones(len(shapes), dtype=bool)
    rest[rows[_ring_areas(shapes[rows], shapely.get_coordinates(shapes[rows])) > _SURE]] = False
    if rest.any():
        shapes[rest] = shapely.orient_polygons(shapes[rest])


def _areas(shapes: Shapes, frame: Frame) -> NDArray[np.float64]:
    """Give the areas (m²) of polygons in the storage CRS; single rings are measured without being built again."""
    rows = _single_rings(shapes)
    xy = shapely.get_coordinates(shapes[rows])
    way = geodesy.transformer(frame.storage_crs, frame.metric_crs, accepted=frame.accepted)
    moved = np.column_stack(way.transform(xy[:, 0], xy[:, 1]))
    measured = np.full(len(shapes), np.nan)
    measured[rows] = np.abs(_ring_areas(shapes[rows], moved))
    rest = np.ones(len(shapes), dtype=bool)
    rest[rows] = False
    if rest.any():
        measured[rest] = _area(shapes[rest], frame)
    return measured


def _single_rings(shapes: Shapes) -> NDArray[np.intp]:
    single = (shapely.get_type_id(shapes) == _POLYGON) & (shapely.get_num_interior_rings(shapes) == 0)
    return np.flatnonzero(single & ~shapely.is_empty(shapes))


def _ring_areas(rings: Shapes, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the areas (counter-clockwise positive) of polygons of one ring whose vertices are `xy`, as GEOS does.

    The vertices are summed in its order, so that the last bit of an area does not hang on who measured it.
    """
    counts = shapely.get_num_coordinates(rings)
    ends = np.cumsum(counts)
    owner = np.repeat(np.arange(len(rings)), counts)
    x, y = xy[:, 0], xy[:, 1]
    part = np.zeros(len(xy))
    part[1:-1] = (x[1:-1] - x[(ends - counts)[owner[1:-1]]]) * (y[2:] - y[:-2])
    part[ends - 1] = 0.0
    part[ends - counts] = 0.0
    return np.bincount(owner, weights=part, minlength=len(rings)) / 2.0


def _same_zone(a: str, b: str) -> bool:
    """Say whether two CGCS2000 zones differ in nothing but the zone number before the easting."""
    numbers = [int(crs.rpartition(":")[2]) for crs in (a, b) if crs.upper().startswith("EPSG:")]
    zones = [geodesy.gauss_kruger(n) for n in numbers]
    if len(zones) != 2 or zones[0] is None or zones[1] is None:
        return False
    return zones[0].central_meridian == zones[1].central_meridian
