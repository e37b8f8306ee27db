"""Flipped bytes: whatever byte of whatever published file changes, it is detected and never served."""

from __future__ import annotations

import functools
import os
import random
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from tests import keeping, warping
from twin import rasters, scenes
from twin.errors import NotFound, StoreBroken
from twin.store import Serving, Snapshot, Store, pyramid, quadgrid

if TYPE_CHECKING:
    from pathlib import Path

SEED = 20251121
SAMPLED = 40
EVERY = 10_000
"""Flips over all kinds in the long sweep."""


def _everything(directory: Path, *, value: float) -> dict[str, object]:
    """Write a version that holds every kind of file we publish."""
    fields = keeping.fill(directory, n=600, value=value)
    bounds = (13355000.0, 3571000.0, 13355300.0, 3571300.0)
    photo = np.random.default_rng(1).integers(0, 255, (3, 300, 300), dtype=np.uint8)
    rasters.write_geotiff(directory / "photo.tif", photo, bounds, "EPSG:3857")
    rasters.write_geotiff(directory / "dem.tif", photo[0].astype("float32"), bounds, "EPSG:3857", nodata=-9999)
    warping.cog([directory / "photo.tif"], directory / "base.tif", crs="EPSG:3857")
    warping.cog([directory / "dem.tif"], directory / "terrain.tif", crs="EPSG:3857", form=rasters.TERRAIN)
    house = scenes.Solid(
        id="building:B1", name="b", footprint=shapely.box(119.97, 30.53, 119.9701, 30.5301), height_m=6.0
    )
    scenes.write_tileset([house], directory / "scene")
    for name in ("photo.tif", "dem.tif"):
        (directory / name).unlink()
    return fields


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Snapshot]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quadgrid, "LARGE", 500)
        root = tmp_path_factory.mktemp("flips") / "store"
        good = Store(root).publish("land_cover", functools.partial(_everything, value=1.0)).version
        return root, good, Store(root).publish("land_cover", functools.partial(_everything, value=2.0))


FILES = (
    "part.parquet", "serving.duckdb", "tiles-2025.pmtiles", "base.tif", "terrain.tif",
    "scene/tileset.json", "scene/0.b3dm", "manifest.json",
)  # fmt: skip


def _flip(path: Path, at: int, bit: int) -> None:
    """Change one bit and put the file's times back, as a failing disk would leave them."""
    stat = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _prove(root: Path, good: str, path: Path, name: str, at: int, bit: int) -> None:
    _flip(path, at, bit)
    try:
        store = Store(root)
        current = store.current("land_cover")
        assert current.version == good, f"{name} byte {at} bit {bit} is served"
        assert name in current.degraded
        assert [f.file for f in store.faults()] == [name]
    finally:
        _flip(path, at, bit)


def test_the_version_holds_every_kind_of_file(published) -> None:
    assert set(FILES) - {"manifest.json"} == set(published[2].manifest["files"])


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_of_any_published_file_is_detected_and_never_served(published, name: str) -> None:
    root, good, snapshot = published
    path = snapshot.path / name
    size = path.stat().st_size
    chosen = random.Random(SEED)
    for at in [0, size - 1, *(chosen.randrange(size) for _ in range(SAMPLED))]:
        _prove(root, good, path, name, at, chosen.randrange(8))
    assert Store(root).current("land_cover").version == snapshot.version


def _pointer(published, at: int, bit: int) -> None:
    root, _, snapshot = published
    path = root / "land_cover" / "current.json"
    _flip(path, at, bit)
    try:
        store = Store(root)
        current = store.current("land_cover")
        assert current.version == snapshot.version
        assert "current.json" in current.degraded
        assert [f.file for f in store.faults()] == ["current.json"]
    finally:
        _flip(path, at, bit)


def test_every_flipped_byte_of_the_pointer_is_detected_and_the_right_version_served(published) -> None:
    for at in range((published[0] / "land_cover" / "current.json").stat().st_size):
        _pointer(published, at, at % 8)


def test_serving_leaves_a_damaged_copy_for_the_good_one_before_it(published, tmp_path: Path) -> None:
    root = tmp_path / "store"
    shutil.copytree(published[0], root)
    serving = Serving(Store(root))
    assert serving.get("land_cover", "P00001")["stated_area_m2"] == 2.0
    path = root / "land_cover" / f"v={published[2].version}" / "serving.duckdb"
    _flip(path, path.stat().st_size // 2, 3)
    assert serving.store.verify("land_cover")[0].file == "serving.duckdb"
    assert serving.get("land_cover", "P00001")["stated_area_m2"] == 1.0
    assert pyramid.lookup(serving.snapshot("land_cover"), 2025, 8, 0, 0) is None


def test_a_scrub_of_a_sound_store_finds_nothing(published) -> None:
    assert Store(published[0]).verify() == []
    with pytest.raises((NotFound, StoreBroken)):
        Store(published[0]).current("no_such_table")


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_ten_thousand_flips_over_all_kinds_and_every_byte_of_the_small_ones(published) -> None:
    root, good, snapshot = published
    chosen = random.Random(SEED + 1)
    for n in range(EVERY):
        name = FILES[n % len(FILES)]
        path = snapshot.path / name
        _prove(root, good, path, name, chosen.randrange(path.stat().st_size), chosen.randrange(8))
    for name in ("manifest.json", "scene/tileset.json"):
        path = snapshot.path / name
        for at in range(path.stat().st_size):
            _prove(root, good, path, name, at, at % 8)
    for at in range((root / "land_cover" / "current.json").stat().st_size):
        for bit in range(8):
            _pointer(published, at, bit)
