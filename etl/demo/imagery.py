"""The orthophotos of 2020 and 2025: painted from land form, parcels and buildings, written as plain GeoTIFFs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

from etl.demo import groundcover, rooftops
from etl.demo.frame import YEARS, chance
from etl.demo.surface import burn
from etl.demo.terrain import DEM_CELL_M, noise
from etl.demo.textures import PIXEL_M, WIDE, Textures, enlarged, make_textures, sun
from twin import rasters

if TYPE_CHECKING:
    from pathlib import Path

    from etl.demo.village import Truth

_BAND_ROWS = 500
_SHADOW = np.array([0.50, 0.53, 0.60], np.float32)


def paint(truth: Truth, year: int) -> np.ndarray:
    """Return the orthophoto of one year: uint8 (3, 6000, 6000), row 0 north, 0.5 m pixels."""
    parcels = [row for row in truth.tables["parcels"] if row["year"] == year]
    everywhere = [*parcels, *truth.surroundings]
    houses = [row for row in truth.tables["buildings"] if row["year"] == year]
    pid = _ragged(
        burn([row["geometry"] for row in everywhere], range(1, len(everywhere) + 1), PIXEL_M).astype(np.uint16),
        everywhere,
        truth.seed,
    )
    trees = rooftops.single_trees(truth.tables, year, truth.seed)
    out = np.empty((WIDE, WIDE, 3), np.uint8)
    _paint_ground(
        out,
        pid,
        groundcover.make_cover(everywhere, year, truth.seed),
        truth,
        rooftops.cast_shadows(houses, trees),
        year,
    )
    school = next((row["geometry"] for row in parcels if row["zone"] == "school"), None)
    picture = Image.fromarray(out)
    pen = ImageDraw.Draw(picture)
    rooftops.draw_shore(pen, parcels)
    rooftops.draw_markings(pen, truth.tables, school)
    rooftops.draw_roofs(pen, houses, year)
    rooftops.draw_trees(pen, trees, year, truth.seed)
    return np.moveaxis(np.asarray(picture.filter(ImageFilter.GaussianBlur(0.55))), 2, 0)


def _paint_ground(
    out: np.ndarray, pid: np.ndarray, cover: groundcover.Cover, truth: Truth, cast: np.ndarray, year: int
) -> None:
    textures, shade = make_textures(truth.seed), enlarged(_light(truth))
    mottle = enlarged(_mottle(truth.seed))

    def band(first: int) -> None:
        rows = slice(first, first + _BAND_ROWS)
        _paint_rows(out, rows, pid, cover, textures, mottle, shade, cast, year)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(band, range(0, WIDE, _BAND_ROWS)))


def _paint_rows(
    out: np.ndarray, rows: slice, pid: np.ndarray, cover: groundcover.Cover, textures: Textures, mottle: np.ndarray,
    shade: np.ndarray, cast: np.ndarray, year: int,
) -> None:  # fmt: skip
    rgb = np.empty((rows.stop - rows.start, WIDE, 3), np.float32)
    band = groundcover.Band(
        pid=pid[rows], rgb=rgb, first=rows.start, cover=cover, textures=textures, mottle=mottle[rows], year=year
    )
    groundcover.paint_band(band)
    bund, wall = groundcover.edges(pid[rows], cover.codes)
    rgb[bund] = rgb[bund] * 0.55 + np.array((104, 112, 70), np.float32) * 0.40
    rgb[wall] *= 0.75
    rgb *= shade[rows][..., None]
    dark = (cast[rows] > 0)[..., None]
    rgb *= np.where(dark, _SHADOW, np.float32(1))
    np.clip(rgb * 1.06 + 6, 0, 255, out=rgb)
    out[rows] = rgb.astype(np.uint8)


def _ragged(pid: np.ndarray, parcels: list[dict], seed: int) -> np.ndarray:
    """Fray the borders between woods: a stand's edge is crowns, not a surveyor's line."""
    rng, n = chance(seed, "ragged"), WIDE // 2
    woods = np.array([False, *(row["sandiao"] in groundcover.WOODS for row in parcels)])
    sway = [
        np.asarray(Image.fromarray(noise(rng, (n // 4, n // 4), 1.6).astype(np.float32)).resize((n, n))) * 9
        for _ in (0, 1)
    ]
    rows, columns = (np.clip(np.add.outer(*axes) * 2 + shift.astype(np.int32), 0, WIDE - 1) for axes, shift in zip(
        ((np.arange(n), np.zeros(n, int)), (np.zeros(n, int), np.arange(n))), sway, strict=True))  # fmt: skip
    there = np.repeat(np.repeat(pid[rows, columns], 2, axis=0), 2, axis=1)
    return np.where(woods[pid] & woods[there], there, pid)


def _mottle(seed: int) -> np.ndarray:
    rng, n = chance(seed, "mottle"), round(WIDE * PIXEL_M / DEM_CELL_M)
    mixed = 0.75 * noise(rng, (n, n), 4.0) + 0.55 * noise(rng, (n, n), 14) + 0.35 * noise(rng, (n, n), 45)
    return mixed / mixed.std()


def _light(truth: Truth) -> np.ndarray:
    """Return how bright the sun makes the ground (1 = level), with the shadows woods throw on open land."""
    light, z = (
        sun(),
        np.where(truth.dsm - truth.dem > 4, gaussian_filter(truth.dem, 2.5), gaussian_filter(truth.dem, 0.7)),
    )
    north, east = np.gradient(z, DEM_CELL_M)
    lit = (-east * light[0] + north * light[1] + light[2]) / np.sqrt(1 + east**2 + north**2)
    woods = gaussian_filter(((truth.dsm - truth.dem > 4) & ~_roofed(truth)).astype(np.float32), 2)
    bright = 1.04 + (1.0 + 0.75 * woods) * (np.clip(lit, 0, None) - light[2])
    open_land = np.where(_roofed(truth), truth.dem, truth.dsm)
    shadow = np.zeros(z.shape, bool)
    for k in range(1, 10):
        columns, rows = round(light[0] * k), round(-light[1] * k)
        rise = DEM_CELL_M * np.hypot(columns, rows) * light[2] / np.hypot(light[0], light[1])
        shadow |= np.roll(open_land, (-rows, -columns), axis=(0, 1)) - rise > open_land + 1.5
    woody = truth.dsm - truth.dem > 2
    for edge in (np.s_[:24], np.s_[-24:], np.s_[:, :24], np.s_[:, -24:]):
        shadow[edge] = False
    soft = gaussian_filter((shadow & ~woody).astype(np.float32), 0.6)
    return (np.clip(bright, 0.42, 1.7) * (1 - 0.42 * soft)).astype(np.float32)


def _roofed(truth: Truth) -> np.ndarray:
    """Return where the surface model stands on roofs: their shadows are drawn one by one, in their own year."""
    homes = [row["geometry"].buffer(2 * DEM_CELL_M) for row in truth.tables["buildings"] if row["year"] == YEARS[-1]]
    return burn(homes, [1] * len(homes), DEM_CELL_M) > 0


def write(truth: Truth, year: int, path: Path) -> None:
    """Write the orthophoto of one year as a plain striped GeoTIFF (no tiles, no overviews), EPSG:4549."""
    rasters.write_geotiff(path, paint(truth, year), truth.bounds, truth.crs)


def write_heights(heights: np.ndarray, truth: Truth, path: Path) -> None:
    """Write a height grid (float32 metres) as a plain GeoTIFF, EPSG:4549, nodata -9999."""
    rasters.write_geotiff(path, heights, truth.bounds, truth.crs, nodata=-9999.0)
