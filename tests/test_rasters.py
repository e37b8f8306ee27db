"""Rasters: warped once, served as blocks, heights that survive the trip."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests import warping
from twin import rasters
from twin.errors import SourceError, StoreBroken

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:4549"
WEST, SOUTH = 497_000.0, 3_379_000.0
"""Easting and northing near the demo village, metres."""


def photo(path: Path, colour: tuple[int, int, int], *, east: float = 0.0, size: int = 600, crs: str = CRS) -> Path:
    array = np.empty((3, size, size), np.uint8)
    array[:] = np.array(colour, np.uint8)[:, None, None]
    box = (WEST + east, SOUTH, WEST + east + size / 2, SOUTH + size / 2)
    rasters.write_geotiff(path, array, box, crs)
    return path


def terrain(path: Path, *, size: int = 200, hole: bool = False) -> Path:
    rows, columns = np.mgrid[0:size, 0:size]
    heights = (20 + columns * 0.5 + rows * 0.25).astype("float32")
    if hole:
        heights[: size // 4] = -9999
    rasters.write_geotiff(path, heights, (WEST, SOUTH, WEST + 2 * size, SOUTH + 2 * size), CRS, nodata=-9999)
    return path


def image(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(int)


def heights(data: bytes) -> np.ndarray:
    opened = Image.open(io.BytesIO(data))
    assert opened.format == "PNG"
    rgb = np.asarray(opened.convert("RGB")).astype(int)
    return -10000 + (rgb[..., 0] * 65536 + rgb[..., 1] * 256 + rgb[..., 2]) * 0.1


def middle(grid: rasters.Grid, z: int) -> tuple[int, int, int]:
    scale = 2.0 ** (z - grid.zoom)
    return z, int((grid.x + grid.columns / 2) * scale), int((grid.y + grid.rows / 2) * scale)


def covering(path: Path, grid: rasters.Grid, z: int) -> dict[tuple[int, int], bytes]:
    level = grid.zoom - z
    columns = range(grid.x >> level, ((grid.x + grid.columns - 1) >> level) + 1)
    rows = range(grid.y >> level, ((grid.y + grid.rows - 1) >> level) + 1)
    found = {(x, y): rasters.tile(path, z, x, y) for x in columns for y in rows}
    return {k: v for k, v in found.items() if v}


@pytest.fixture(scope="module")
def cog(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, rasters.Grid]:
    folder = tmp_path_factory.mktemp("photo")
    out = folder / "2025.tif"
    sources = [photo(folder / "a.tif", (200, 40, 40)), photo(folder / "b.tif", (40, 40, 200), east=200)]
    return out, warping.cog(sources, out, crs=CRS)


def test_the_cog_is_valid_and_on_the_webs_grid(cog) -> None:
    path, grid = cog
    with rasterio.open(path) as dataset:
        assert dataset.crs.to_epsg() == 3857
        assert dataset.block_shapes[0] == (256, 256)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.overviews(1)[:2] == [2, 4]
        assert dataset.transform.a == pytest.approx(grid.resolution)
    assert grid.zoom == 18  # 0.5 m at 30.5° N is 0.58 m of mercator
    assert rasters.grid_of(path) == grid
    assert list(path.parent.glob(".warp-*")) == []


def test_every_zoom_shows_the_photo_and_nothing_beyond_it(cog) -> None:
    path, grid = cog
    for z in range(grid.zoom + 2, grid.zoom - 8, -1):
        pixels = image(rasters.tile(path, *middle(grid, z)))
        assert pixels.shape == (256, 256, 4)
        seen = pixels[pixels[..., 3] > 250]
        assert len(seen)
        assert np.abs(seen[:, 1] - 40).max() < 24
    z, x, y = middle(grid, grid.zoom)
    assert rasters.tile(path, z, x + 500, y) is None
    assert rasters.tile(path, 5, 0, 0) is None


def test_all_the_tiles_of_a_zoom_cover_what_was_photographed(cog) -> None:
    path, grid = cog
    for z in (grid.zoom, grid.zoom - 1, grid.zoom - 2):
        opaque = sum((image(t)[..., 3] > 127).sum() for t in covering(path, grid, z).values())
        area = opaque * (grid.resolution * 2 ** (grid.zoom - z)) ** 2 * np.cos(np.radians(30.53)) ** 2
        assert area == pytest.approx(500 * 300, rel=0.02)


def test_where_sources_overlap_the_later_one_is_on_top(cog) -> None:
    path, grid = cog
    pixels = np.concatenate([image(t).reshape(-1, 4) for t in covering(path, grid, grid.zoom).values()])
    pixels = pixels[pixels[:, 3] > 250]
    red, blue = (pixels[:, 0] > 150).sum(), (pixels[:, 2] > 150).sum()
    assert red / (red + blue) == pytest.approx(200 / 500, abs=0.02)


def test_the_crs_is_the_callers_word_not_the_files(tmp_path: Path) -> None:
    bare = photo(tmp_path / "bare.tif", (9, 99, 9), crs="")
    assert warping.cog([bare], tmp_path / "out.tif", crs=CRS).zoom == 18


def test_what_is_no_photo_or_no_terrain_is_refused(tmp_path: Path) -> None:
    dem, rgb = terrain(tmp_path / "dem.tif"), photo(tmp_path / "rgb.tif", (1, 2, 3))
    with pytest.raises(SourceError):
        warping.cog([dem], tmp_path / "a.tif", crs=CRS)
    with pytest.raises(SourceError):
        warping.cog([rgb], tmp_path / "b.tif", crs=CRS, form=rasters.TERRAIN)


def test_heights_survive_to_a_tenth_of_a_metre(tmp_path: Path) -> None:
    out = tmp_path / "terrain.tif"
    grid = warping.cog([terrain(tmp_path / "dem.tif")], out, crs=CRS, form=rasters.TERRAIN)
    z, x, y = middle(grid, grid.zoom)
    with rasterio.open(out) as dataset:
        column, row = (x - grid.x) * 256, (y - grid.y) * 256
        true = dataset.read(1, window=((row, row + 256), (column, column + 256)))
    known = true != -32768
    assert known.any()
    assert np.abs(heights(rasters.terrain_tile(out, z, x, y)) - true)[known].max() <= 0.0501


def test_no_cliff_stands_where_heights_are_unknown(tmp_path: Path) -> None:
    out = tmp_path / "terrain.tif"
    grid = warping.cog([terrain(tmp_path / "dem.tif", hole=True)], out, crs=CRS, form=rasters.TERRAIN)
    for z in range(grid.zoom, grid.zoom - 4, -1):
        found = heights(rasters.terrain_tile(out, *middle(grid, z)))
        assert found.min() > 10
        assert found.max() < 180
        assert np.abs(np.diff(found, axis=0)).max() < 12 * 2 ** (grid.zoom - z)
    assert rasters.terrain_tile(out, grid.zoom, 0, 0) is None


def test_heights_are_sampled_where_they_are_and_nan_elsewhere(tmp_path: Path) -> None:
    out = tmp_path / "terrain.tif"
    grid = warping.cog([terrain(tmp_path / "dem.tif")], out, crs=CRS, form=rasters.TERRAIN)
    west, south, east, north = grid.bounds
    found = rasters.sample(out, np.array([(west + east) / 2, west - 1e5]), np.array([(south + north) / 2] * 2))
    assert np.isnan(found[1])


def test_threads_read_tiles_side_by_side(cog) -> None:
    path, grid = cog
    seen: list[bytes | None] = []
    address = middle(grid, grid.zoom - 4)
    threads = [
        threading.Thread(target=lambda: seen.extend(rasters.tile(path, *address) for _ in range(5))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 30
    assert len(set(seen)) == 1


def test_a_missing_or_broken_file_is_said_to_be_broken(tmp_path: Path) -> None:
    (tmp_path / "broken.tif").write_bytes(b"II*\0 not a tiff")
    for name in ("missing.tif", "broken.tif"):
        with pytest.raises(StoreBroken):
            rasters.tile(tmp_path / name, 15, 0, 0)
        with pytest.raises(StoreBroken):
            rasters.terrain_tile(tmp_path / name, 15, 0, 0)
