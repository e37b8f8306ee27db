"""Small repeating patterns the orthophotos are made of: grain, mottle and tree crowns, as float32 tiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from etl.demo.frame import SIZE_M, chance

PIXEL_M = 0.5
WIDE = round(SIZE_M / PIXEL_M)
TILE = 1024
SUN_AZIMUTH_DEG, SUN_HEIGHT_DEG = 235.0, 47.0


def sun() -> np.ndarray:
    """Return the unit vector towards the sun: east, north, up."""
    azimuth, height = np.radians(SUN_AZIMUTH_DEG), np.radians(SUN_HEIGHT_DEG)
    return np.array([np.sin(azimuth) * np.cos(height), np.cos(azimuth) * np.cos(height), np.sin(height)])


@dataclass(frozen=True, kw_only=True)
class Textures:
    """Tiles of TILE × TILE pixels: white grain, soft grain, and lit crowns with a tint for each tree."""

    grain: np.ndarray
    soft: np.ndarray
    crown: np.ndarray
    crown_tint: np.ndarray
    culm: np.ndarray
    culm_tint: np.ndarray


@lru_cache(maxsize=1)
def make_textures(seed: int) -> Textures:
    """Make the tiles of one seed."""
    rng = chance(seed, "textures")
    grain = rng.standard_normal((TILE, TILE)).astype(np.float32)
    soft = gaussian_filter(grain, 1.6, mode="wrap")
    crown, crown_tint = _crowns(rng, 5.6)
    culm, culm_tint = _crowns(rng, 3.1)
    return Textures(
        grain=grain, soft=soft / soft.std(), crown=crown, crown_tint=crown_tint, culm=culm, culm_tint=culm_tint
    )


def _crowns(rng: np.random.Generator, spacing_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the brightness of a closed canopy (1 = level ground) and a random number for each tree."""
    spacing = spacing_m / PIXEL_M
    n = round(TILE / spacing)
    gx, gy = np.meshgrid(np.arange(n), np.arange(n))
    trees = (np.column_stack([gx.ravel(), gy.ravel()]) + rng.uniform(0, 1, (n * n, 2)) * 0.95) * (TILE / n) % TILE
    radius = (
        spacing
        * rng.choice([0.5, 0.66, 0.82, 1.05], len(trees), p=[0.25, 0.35, 0.28, 0.12])
        * rng.uniform(0.9, 1.1, len(trees))
    )
    columns, rows = np.meshgrid(np.arange(TILE), np.arange(TILE))
    places = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5
    near = np.asarray(KDTree(trees, boxsize=TILE).query(places, k=3)[1])
    offset = (places[:, None] - trees[near] + TILE / 2) % TILE - TILE / 2
    share = np.hypot(offset[..., 0], offset[..., 1]) / radius[near]
    height = np.sqrt(np.clip(1 - 0.92 * share**2, 0, None)) * radius[near]
    top = height.argmax(axis=1)
    row = np.arange(len(places))
    facing = offset[row, top] / radius[near[row, top]][:, None]
    up = np.sqrt(np.clip(1 - (facing**2).sum(axis=1), 0.05, 1))
    light = sun()
    lit = facing[:, 0] * light[0] - facing[:, 1] * light[1] + up * light[2]
    gap = share[row, top] > 1
    bright = np.where(gap, 0.55, 0.62 + 0.56 * np.clip(lit, 0, None))
    shaped = gaussian_filter(bright.reshape(TILE, TILE), 0.8, mode="wrap")
    return shaped.astype(np.float32), rng.random(len(trees))[near[row, top]].reshape(TILE, TILE).astype(np.float32)


def tile_rows(tile: np.ndarray, first: int, last: int, shift: int = 0) -> np.ndarray:
    """Return a tile repeated over the rows first…last of the picture."""
    rows = np.arange(first + shift, last + shift) % TILE
    return np.take(tile[rows], np.arange(shift, WIDE + shift) % TILE, axis=1)


def enlarged(field: np.ndarray) -> np.ndarray:
    """Return a field of the window enlarged to the picture, smoothly, float32."""
    return np.asarray(Image.fromarray(field.astype(np.float32)).resize((WIDE, WIDE), Image.Resampling.BICUBIC))
