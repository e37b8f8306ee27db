"""The 2 m height models: water lies level, fields are terraced, the dam stands, houses and trees rise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from etl.demo.frame import SIZE_M, X0, Y0, chance
from etl.demo.terrain import DAM_CREST_M, DEM_CELL_M, RESERVOIR_LEVEL_M, Terrain, fine_grid, noise, river_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely.geometry.base import BaseGeometry

TERRACE_RISER_M = 2.75
_TREES = {
    "0301": (13.0, 3.0),
    "0302": (11.0, 1.2),
    "0305": (2.6, 0.8),
    "0307": (8.0, 2.5),
    "0201": (2.8, 0.5),
    "0202": (0.7, 0.1),
}


def number(land_class: str) -> int:
    """Return a land class as a whole number, so that it can be painted on a grid."""
    return int(land_class, 36)


def burn(polygons: Iterable[shapely.Polygon], values: Iterable[float], cell: float, mode: str = "I") -> np.ndarray:
    """Paint polygons' values on the window's grid (row 0 north), large ones first: holes show what lies in them."""
    n = round(SIZE_M / cell)
    image = Image.new(mode, (n, n), 0)
    pen = ImageDraw.Draw(image)
    filled = [(shapely.Polygon(p.exterior).area, p, v) for p, v in zip(polygons, values, strict=True)]
    for _, polygon, value in sorted(filled, key=lambda item: -item[0]):
        pen.polygon(pixels(polygon.exterior, cell), fill=value)
    return np.asarray(image)


def pixels(line: BaseGeometry, cell: float) -> list[tuple[float, float]]:
    """Return a line's vertices as (column, row) of the window's grid, so that pixel centres are whole numbers."""
    xy = shapely.get_coordinates(line)
    columns, rows = (xy[:, 0] - X0) / cell - 0.5, (Y0 + SIZE_M - xy[:, 1]) / cell - 0.5
    return list(zip(columns.tolist(), rows.tolist(), strict=True))


def ground(terrain: Terrain, parcels: Sequence[dict[str, Any]]) -> np.ndarray:
    """Return the ground heights (float32, 2 m, row 0 north) with water, terraces, roads and the dam cut in."""
    z = fine_grid(terrain)
    codes = burn([row["geometry"] for row in parcels], [number(row["sandiao"]) for row in parcels], DEM_CELL_M)
    terraced = gaussian_filter(np.isin(codes, [number("0103"), number("0201"), number("0202")]).astype(np.float32), 1.2)
    steep = np.clip((np.linalg.norm(np.gradient(z, DEM_CELL_M), axis=0) - 0.07) / 0.05, 0, 1)
    z = z + terraced * steep * (_stepped(z) - z)
    z = np.where(np.isin(codes, [number("1003"), number("1006"), number("0702")]), gaussian_filter(z, 3), z)
    z = _level_water(z, terrain, parcels, codes)
    return _dammed(z, terrain).astype(np.float32)


def _stepped(z: np.ndarray) -> np.ndarray:
    base, part = np.divmod(z, TERRACE_RISER_M)
    riser = np.clip((part / TERRACE_RISER_M - 0.68) / 0.3, 0, 1)
    return TERRACE_RISER_M * (base + 0.12 * part / TERRACE_RISER_M + 0.88 * riser * riser * (3 - 2 * riser))


def _level_water(z: np.ndarray, terrain: Terrain, parcels: Sequence[dict[str, Any]], codes: np.ndarray) -> np.ndarray:
    ponds = [row for row in parcels if row["sandiao"] == "1104"]
    at = np.array([shapely.get_coordinates(row["geometry"].centroid)[0] for row in ponds])
    levels = terrain.sample(terrain.z, at) - 1.1
    which = burn([row["geometry"] for row in ponds], range(1, len(ponds) + 1), DEM_CELL_M)
    z = np.where(which > 0, np.append(0, levels)[which], z)
    z = np.where(codes == number("1107"), z - 0.7, z)
    s = np.asarray(Image.fromarray(terrain.s[::-1].astype(np.float32)).resize(z.shape, Image.Resampling.BILINEAR))
    z = np.where(
        codes == number("1101"),
        river_level(s) - 0.6,
        np.where(codes == number("1106"), np.minimum(z, river_level(s) + 0.4), z),
    )
    return np.where(codes == number("1103"), RESERVOIR_LEVEL_M, z)


def _dammed(z: np.ndarray, terrain: Terrain) -> np.ndarray:
    axis = np.arange(DEM_CELL_M / 2, SIZE_M, DEM_CELL_M)
    (ax, ay), (bx, by) = terrain.dam
    x, y = axis[None] + X0 - ax, (axis[::-1])[:, None] + Y0 - ay
    length = np.hypot(bx - ax, by - ay)
    tx, ty = (bx - ax) / length, (by - ay) / length
    beyond = np.maximum(0, np.abs(x * tx + y * ty - length / 2) - length / 2)
    away = np.hypot(x * ty - y * tx, beyond)
    bank = DAM_CREST_M - np.clip(away - 3.5, 0, None) / 2.4
    return np.where(away < 60, np.maximum(z, bank), z)


def surface(
    dem: np.ndarray, parcels: Sequence[dict[str, Any]], buildings: Sequence[dict[str, Any]], seed: int
) -> np.ndarray:
    """Return the surface heights (float32, 2 m, row 0 north): ground, trees by land class, and roofs."""
    rng = chance(seed, "crowns")
    codes = burn([row["geometry"] for row in parcels], [number(row["sandiao"]) for row in parcels], DEM_CELL_M)
    crowns = noise(rng, dem.shape, 1.3).astype(np.float32)
    dsm = dem.copy()
    for code, (tall, spread) in _TREES.items():
        here = codes == number(code)
        dsm[here] += np.clip(tall + spread * crowns[here], 0.2, None)
    homes = [row for row in buildings if row["year"] == 2025]
    roofs = burn([row["geometry"] for row in homes], range(1, len(homes) + 1), DEM_CELL_M)
    heights = np.array([0.0, *(row["height_m"] for row in homes)], np.float32)
    return np.where(roofs > 0, dem + heights[roofs], dsm).astype(np.float32)
