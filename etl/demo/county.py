"""A county for benchmarks: villages side by side, streamed to one GeoPackage, with the faults real parcels have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from etl.demo.frame import CRS, X0, Y0, chance

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[int, int], None]
Maker = Callable[[int, int, int], pa.RecordBatch]
PER_VILLAGE = {"parcels": (1_000_000, 300), "buildings": (300_000, 300), "points": (200_000, 300)}
"""Rows, and the villages they are in: 300 villages make exactly 1 M parcels, 300 k buildings and 200 k points."""
VILLAGE_M = 2200.0
VILLAGES_A_ROW = 20
CELLS = 58
BETWEEN = 3
BROKEN_SHARE = 0.025
_CLASSES = np.array(
    ["0101", "0102", "0103", "0201", "0202", "0301", "0302", "0305", "0404", "0702", "1006", "1104", "1107", "1202"]
)
_LOW, _MIDDLE, _HIGH = ((0, 0, 0, 0, 1, 9, 10, 11, 12, 13), (2, 2, 3, 3, 4, 8, 9, 10), (5, 5, 6, 6, 7, 3))
_OWNERS = np.array(["国有", "集体", "农户", "企业"])
_USES, _KINDS = (
    np.array(["住宅", "附属用房", "公共", "厂房"]),
    np.array(["监控", "公厕", "水井", "商店", "学校", "卫生室", "垃圾桶", "传感器"]),
)


def write(villages: int, out: Path, progress: Progress | None = None, *, seed: int = 330521) -> dict[str, int]:
    """Write a county village by village to `out` (a .gpkg, or a folder for county.gpkg); return the rows of each layer.

    EPSG:4549; layers parcels, buildings, points.
    Memory does not grow with `villages`; the same number and seed give the same rows. About 2.5 % of the parcels
    are bow-ties. `progress` is told (villages written, villages to write) over all three layers.
    """
    path = out if out.suffix == ".gpkg" else out / "county.gpkg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    makers = {"parcels": (_parcels, "Polygon"), "buildings": (_buildings, "Polygon"), "points": (_points, "Point")}
    counts = {}
    for k, (layer, (make, kind)) in enumerate(makers.items()):
        first = make(0, rows_before(layer, 1), seed)
        batches = _stream(
            make, villages, layer, seed, lambda n, k=k: progress and progress(k * villages + n, 3 * villages)
        )
        reader = pa.RecordBatchReader.from_batches(first.schema, batches)
        pyogrio.write_arrow(
            reader,
            path,
            layer=layer,
            driver="GPKG",
            geometry_name="geometry",
            geometry_type=kind,
            crs=CRS,
            append=k > 0,
        )
        counts[layer] = rows_before(layer, villages)
    return counts


def write_apart(villages: int, out: Path, progress: Progress | None = None, *, seed: int = 330521) -> dict[str, int]:
    """Write the parcels of each village as its own delivery, `out`/<village code>.fgb; return the rows of the layer.

    The rows are those of `write`, in their order; the same number and seed give the same bytes.
    """
    out.mkdir(parents=True, exist_ok=True)
    for village in range(villages):
        rows = rows_before("parcels", village + 1) - rows_before("parcels", village)
        batch = _parcels(village, rows, seed)
        pyogrio.write_arrow(
            pa.table([*batch.columns], schema=batch.schema),
            out / f"{village_code(village)}.fgb",
            driver="FlatGeobuf",
            geometry_name="geometry",
            geometry_type="Polygon",
            crs=CRS,
            SPATIAL_INDEX="NO",
        )
        if progress:
            progress(village + 1, villages)
    return {"parcels": rows_before("parcels", villages)}


def _stream(
    make: Maker, villages: int, layer: str, seed: int, tell: Callable[[int], object]
) -> Iterator[pa.RecordBatch]:
    for village in range(villages):
        yield make(village, rows_before(layer, village + 1) - rows_before(layer, village), seed)
        tell(village + 1)


def rows_before(layer: str, village: int) -> int:
    """Return how many rows of a layer lie in the villages before this one."""
    rows, villages = PER_VILLAGE[layer]
    return village * rows // villages


def village_code(village: int) -> str:
    """Return the 12-digit code of a village of the bench county: towns 9nn, which no county has."""
    return f"3305219{village // 15:02d}{201 + village % 15:03d}"


def _corner(village: int) -> tuple[float, float]:
    row, column = divmod(village, VILLAGES_A_ROW)
    return X0 + (column - VILLAGES_A_ROW / 2) * VILLAGE_M, Y0 + (row - 7) * VILLAGE_M


def _bent(xy: np.ndarray) -> np.ndarray:
    """Bend the plane a little, the same for all villages, so that neighbours still share their border."""
    x, y = (xy[..., 0] - X0) / 1000, (xy[..., 1] - Y0) / 1000
    dx = 90 * np.sin(1.7 * y + 0.6 * x) + 35 * np.sin(5.1 * y + 1.3)
    dy = 90 * np.sin(1.5 * x + 0.5 * y) + 35 * np.sin(4.7 * x + 0.4)
    return xy + np.stack([dx, dy], axis=-1)


def _height(xy: np.ndarray) -> np.ndarray:
    """Return a valley-and-hill height of 0…1, which decides what grows where."""
    x, y = (xy[..., 0] - X0) / 1000, (xy[..., 1] - Y0) / 1000
    return 0.5 + 0.25 * np.sin(1.3 * x + np.sin(0.7 * y)) + 0.25 * np.sin(1.9 * y + 0.8 * np.sin(1.1 * x))


def _mesh(village: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the nodes and the points between them on edges eastwards and northwards; borders are not shaken."""
    x0, y0 = _corner(village)
    at = np.linspace(0, VILLAGE_M, CELLS + 1)
    nodes = np.stack(np.meshgrid(x0 + at, y0 + at, indexing="ij"), axis=-1)
    step = VILLAGE_M / CELLS
    nodes[1:-1, 1:-1] += rng.uniform(-0.27, 0.27, (CELLS - 1, CELLS - 1, 2)) * step
    share = (np.arange(1, BETWEEN + 1) / (BETWEEN + 1))[:, None]

    def edge(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        points = a[..., None, :] + (b - a)[..., None, :] * share
        inner = (slice(None), slice(1, -1)) if axis == 0 else (slice(1, -1),)
        points[inner] += rng.normal(0, 0.03 * step, points[inner].shape)
        return points

    east, north = edge(nodes[:-1], nodes[1:], 0), edge(nodes[:, :-1], nodes[:, 1:], 1)
    return _bent(nodes), _bent(east), _bent(north)


def _rings(mesh: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the cells' closed rings (cells, points, 2)."""
    nodes, east, north = mesh
    a, b, c, d = nodes[:-1, :-1], nodes[1:, :-1], nodes[1:, 1:], nodes[:-1, 1:]
    sides = (east[:, :-1], north[1:], east[:, 1:, ::-1], north[:-1, :, ::-1])
    flat = [part.reshape(CELLS * CELLS, -1, 2) for part in (a, sides[0], b, sides[1], c, sides[2], d, sides[3], a)]
    return np.round(np.concatenate(flat, axis=1), 3)


def _united(rings: np.ndarray, surplus: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Join `surplus` cells to their eastern neighbours and break some of the others; return parcels and true areas."""
    west = np.arange((CELLS - 1) * CELLS)
    west = np.sort(rng.choice(west[(west // CELLS) % 2 == 0], surplus, replace=False))
    corner = BETWEEN + 1
    left, right = rings[west], rings[west + CELLS]
    joined = np.concatenate([left[:, : corner + 1], right[:, 1 : 3 * corner + 1], left[:, 2 * corner + 1 :]], axis=1)
    single = np.delete(rings, np.concatenate([west, west + CELLS]), axis=0)
    areas = np.concatenate([shapely.area(shapely.polygons(part)) for part in (single, joined)])
    parcels = len(single) + len(joined)
    broken = rng.choice(len(single), round(BROKEN_SHARE * parcels), replace=False)
    rows = broken[:, None]
    single[rows, [corner, 2 * corner]] = single[rows, [2 * corner, corner]]
    return np.concatenate([np.asarray(shapely.polygons(part)) for part in (single, joined)]), areas


def _batch(columns: dict[str, np.ndarray], geometry: Any) -> pa.RecordBatch:
    arrays = [pa.array(values) for values in columns.values()]
    shapes = pa.array(shapely.to_wkb(geometry), pa.binary())
    field = pa.field("geometry", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    schema = pa.schema([*(pa.field(name, array.type) for name, array in zip(columns, arrays, strict=True)), field])
    return pa.record_batch([*arrays, shapes], schema=schema)


def _parcels(village: int, rows: int, seed: int) -> pa.RecordBatch:
    rng = chance(seed, f"county parcels {village}")
    polygons, areas = _united(_rings(_mesh(village, rng)), CELLS * CELLS - rows, rng)
    height = _height(shapely.get_coordinates(shapely.centroid(polygons)))
    pick = rng.random(len(polygons))
    land = np.select(
        [height < 0.38, height < 0.62], [_picked(_LOW, pick), _picked(_MIDDLE, pick)], _picked(_HIGH, pick)
    )
    stated = np.round(areas * (1 + rng.normal(0, 0.012, len(polygons))), 2)
    code = village_code(village)
    columns = {
        "parcel_id": np.array([f"{code}{k + 1:08d}" for k in range(len(polygons))]),
        "land_class": land,
        "village_code": np.full(len(polygons), code),
        "stated_area_m2": stated,
        "owner_kind": rng.choice(_OWNERS, len(polygons), p=[0.06, 0.34, 0.54, 0.06]),
    }
    return _batch(columns, polygons)


def _picked(choices: tuple[int, ...], luck: np.ndarray) -> np.ndarray:
    return _CLASSES[np.array(choices)[(luck * len(choices)).astype(int)]]


def _clusters(village: int, rows: int, rng: np.random.Generator, spread: float) -> np.ndarray:
    x0, y0 = _corner(village)
    centres = rng.uniform(0.12, 0.88, (7, 2)) * VILLAGE_M
    of = rng.choice(7, rows, p=[0.34, 0.2, 0.14, 0.12, 0.09, 0.07, 0.04])
    xy = np.clip(centres[of] + rng.normal(0, spread, (rows, 2)), 15, VILLAGE_M - 15)
    return _bent(xy + np.array((x0, y0)))


def _buildings(village: int, rows: int, seed: int) -> pa.RecordBatch:
    rng = chance(seed, f"county buildings {village}")
    centre, turn = (
        _clusters(village, rows, rng, 85.0),
        rng.choice(rng.uniform(-0.4, 0.4, 7), rows) + rng.normal(0, 0.04, rows),
    )
    half = np.column_stack([rng.uniform(4.5, 8, rows), rng.uniform(4, 6.5, rows)])
    unit = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)], float)
    local = unit * half[:, None]
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    corners = np.stack([local[..., 0] * cos - local[..., 1] * sin, local[..., 0] * sin + local[..., 1] * cos], axis=-1)
    storeys = rng.choice([1, 2, 3, 4, 5], rows, p=[0.2, 0.3, 0.38, 0.1, 0.02])
    code = village_code(village)
    columns = {
        "building_id": np.array([f"{code}B{k + 1:05d}" for k in range(rows)]),
        "village_code": np.full(rows, code),
        "storeys": storeys.astype(np.int32),
        "height_m": np.round(storeys * 3.1 + 1.5, 1),
        "use": rng.choice(_USES, rows, p=[0.78, 0.15, 0.04, 0.03]),
    }
    return _batch(columns, shapely.polygons(np.round(corners + centre[:, None], 3)))


def _points(village: int, rows: int, seed: int) -> pa.RecordBatch:
    rng = chance(seed, f"county points {village}")
    xy, code = np.round(_clusters(village, rows, rng, 170.0), 3), village_code(village)
    kind = rng.choice(_KINDS, rows)
    columns = {
        "point_id": np.array([f"{code}P{k + 1:05d}" for k in range(rows)]),
        "village_code": np.full(rows, code),
        "kind": kind,
        "name": np.array([f"{kind[k]}{k + 1}" for k in range(rows)]),
    }
    return _batch(columns, shapely.points(xy))
