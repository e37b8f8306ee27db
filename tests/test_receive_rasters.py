"""A department's raster from its file to its tiles: decoded and warped only in the cage, whoever made the file."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

import tests
from etl import cage, catalog, ledger, run, sandbox
from etl import rasters as receiving_rasters
from tests import receiving, warping
from twin import rasters
from twin.settings import Settings
from twin.store import Store

REPO = Path(__file__).parents[1]
CANARY = "canary-8f2c"
WEST, SOUTH = 497_000.0, 3_379_000.0
RESOURCE = """
[department]
id = "land"
title = {{ zh = "自然资源局", en = "Land Bureau" }}
provider_code = "X"

[[resource]]
id = "photo"
code = "1"
title = {{ zh = "影像", en = "Photo" }}
class_path = ["试验"]
abstract = {{ zh = "影像", en = "Photo" }}
format = "GeoTIFF"
reader = "raster"
kind = "raster"
key = ""
share_type = "unconditional"
share_condition = ""
share_method = ""
open_attr = "开放"
update_cycle = "每年"
cadence_seconds = 31536000
published = 2024-01-01
theme = "planning"
layers = []
{options}
"""
SOURCE = """
[[resource.source]]
location = "01_land/{name}"
year = 2025
as_of = 2025-10-01
crs = "{crs}"
"""


def declared(root: Path, *names: str, role: str = "", crs: str = "EPSG:4549") -> tuple[Settings, catalog.Catalog]:
    """Declare one raster resource of the files `names`; give the settings and the catalogue."""
    options = f'options = {{ role = "{role}" }}' if role else ""
    sources = "".join(SOURCE.format(name=name, crs=crs) for name in names)
    receiving.village(root, RESOURCE.format(options=options) + sources)
    (root / "raw" / "01_land").mkdir(parents=True, exist_ok=True)
    return Settings(data=root, village=root), catalog.read(root)


def receive(place: tuple[Settings, catalog.Catalog], **flags) -> ledger.Report:
    settings, known = place
    return run.run(known.resource("photo"), known, settings, **flags)


def photo(path: Path, colour: tuple[int, int, int] = (200, 40, 40), *, east: float = 0.0, size: int = 600) -> Path:
    array = np.empty((3, size, size), np.uint8)
    array[:] = np.array(colour, np.uint8)[:, None, None]
    rasters.write_geotiff(path, array, (WEST + east, SOUTH, WEST + east + size / 2, SOUTH + size / 2), "EPSG:4549")
    return path


def at(root: Path, name: str) -> Path:
    return root / "raw" / "01_land" / name


# what is published


def test_a_mosaic_is_published_as_one_cog_the_same_as_if_no_cage_stood_between(tmp_path: Path) -> None:
    place = declared(tmp_path, "a.tif", "b.tif")
    paths = [photo(at(tmp_path, "a.tif")), photo(at(tmp_path, "b.tif"), (40, 40, 200), east=200)]
    report = receive(place)
    assert (report.status, report.counts["published"]) == ("published", 2)
    published = Store(place[0].store).current("photo").file("2025.tif")
    warping.cog(paths, tmp_path / "direct.tif", crs="EPSG:4549")
    with rasterio.open(published) as caged, rasterio.open(tmp_path / "direct.tif") as direct:
        assert caged.transform == direct.transform
        assert (caged.read() == direct.read()).all()
    assert list(tmp_path.rglob(".warp-*")) == []


@pytest.mark.parametrize("kind", ["uint8", "int16", "float64"])
def test_heights_of_any_type_are_published_where_they_are_known(tmp_path: Path, kind: str) -> None:
    place = declared(tmp_path, "dem.tif", role="terrain")
    heights = np.full((300, 300), 37, kind)
    heights[:100] = 0
    rasters.write_geotiff(
        at(tmp_path, "dem.tif"), heights, (WEST, SOUTH, WEST + 600, SOUTH + 600), "EPSG:4549", nodata=0
    )
    assert receive(place).status == "published"
    with rasterio.open(Store(place[0].store).current("photo").file("terrain.tif")) as dataset:
        found = dataset.read(1)
    known = found != dataset.nodata
    assert set(np.unique(np.rint(found[known]))) == {37}
    true = 600 * 400 / np.cos(np.radians(30.53)) ** 2 / dataset.transform.a**2
    assert known.sum() == pytest.approx(true, rel=0.02)


def test_heights_that_are_no_numbers_are_unknown(tmp_path: Path) -> None:
    place = declared(tmp_path, "dem.tif", role="terrain")
    heights = np.full((300, 300), 37, "float32")
    heights[100:110] = np.nan
    heights[200:210] = np.inf
    rasters.write_geotiff(at(tmp_path, "dem.tif"), heights, (WEST, SOUTH, WEST + 600, SOUTH + 600), "EPSG:4549")
    assert receive(place).status == "published"
    with rasterio.open(Store(place[0].store).current("photo").file("terrain.tif")) as dataset:
        assert np.isfinite(dataset.read(1)).all()


# what is refused


def vrt(canary: Path) -> str:
    return (
        f"<VRTDataset rasterXSize='64' rasterYSize='64'><SRS>EPSG:4549</SRS><GeoTransform>{WEST},1,0,{SOUTH},0,-1"
        f"</GeoTransform><VRTRasterBand dataType='Byte' band='1'><SimpleSource><SourceFilename relativeToVRT='0'>"
        f"{canary}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def changed(path: Path, tags: dict[int, int]) -> Path:
    """Overwrite tags (as 4-byte numbers) of the first directory of a little-endian TIFF."""
    data = bytearray(path.read_bytes())
    start = struct.unpack_from("<I", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, start)[0]):
        tag = struct.unpack_from("<H", data, start + 2 + 12 * i)[0]
        if tag in tags:
            struct.pack_into("<HHII", data, start + 2 + 12 * i, tag, 4, 1, tags[tag])
    path.write_bytes(data)
    return path


def holed(path: Path) -> Path:
    """Write a photograph whose corners decode, and whose middle does not."""
    noise = np.random.default_rng(1).integers(0, 5, (3, 800, 800), np.uint8) * 50
    profile = {"driver": "GTiff", "count": 3, "width": 800, "height": 800, "dtype": "uint8", "compress": "deflate"}
    transform = rasterio.transform.from_bounds(WEST, SOUTH, WEST + 400, SOUTH + 400, 800, 800)
    with rasterio.open(path, "w", **profile, crs="EPSG:4549", transform=transform, tiled=True) as dataset:
        dataset.write(noise)
    with rasterio.open(path) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_1_1", dm="TIFF", bidx=1))
    data = bytearray(path.read_bytes())
    data[offset : offset + 4000] = b"\xff" * 4000
    path.write_bytes(data)
    return path


def one_block(path: Path, side: int = 31_000, block: int = 31_000) -> Path:
    """Write a sound file of a few bytes that holds blocks of a gigapixel, or gigapixels of small blocks."""
    profile = {"driver": "GTiff", "count": 3, "width": side, "height": side, "dtype": "uint8", "sparse_ok": True}
    transform = rasterio.transform.from_bounds(WEST, SOUTH, WEST + 400, SOUTH + 400, side, side)
    with rasterio.open(
        path, "w", **profile, crs="EPSG:4549", transform=transform, compress="deflate", blockysize=block
    ):
        pass
    return path


HOSTILE = {
    "a-vrt": lambda p, c: p.write_text(vrt(c)),
    "a-vrt-behind-the-mark-of-a-tiff": lambda p, c: p.write_bytes(b"II*\0" + vrt(c).encode()),
    "a-flood-of-pixels": lambda p, c: changed(photo(p), {256: 3_000_000, 257: 3_000_000}),
    "a-flood-that-holds-together": lambda p, c: one_block(p, 90_000, 512),
    "a-block-of-a-gigapixel": lambda p, c: one_block(p),
    "a-file-cut-off": lambda p, c: p.write_bytes(photo(p).read_bytes()[:100_000]),
    "a-hole-in-the-middle": lambda p, c: holed(p),
    "one-band": lambda p, c: rasters.write_geotiff(p, np.zeros((9, 9), "uint8"), (WEST, SOUTH, WEST + 9, SOUTH + 9), "EPSG:4549"),
    "at-the-end-of-the-world": lambda p, c: rasters.write_geotiff(p, np.zeros((3, 9, 9), "uint8"), (WEST, SOUTH, 1e300, 1e301), "EPSG:4549"),
}  # fmt: skip
"""Rasters that must be refused: (file, canary)."""
SOUND = {
    "sound": lambda p, c: photo(p),
    "overviews-that-are-a-vrt": lambda p, c: (photo(p), p.with_name(p.name + ".ovr").write_text(vrt(c))),
    "a-side-file-with-a-link": lambda p, c: (photo(p), p.with_name(p.name + ".aux.xml").write_text(f"<PAMDataset><Metadata domain='xml:VRT' format='xml'>{vrt(c)}</Metadata><PAMRasterBand band='1'><HistItem>{c}</HistItem></PAMRasterBand></PAMDataset>")),
}  # fmt: skip
"""Rasters that may be published, but whose references must not be followed."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Settings, catalog.Catalog], str]:
    """Give a place where a sound photograph was published, and its version."""
    root = tmp_path_factory.mktemp("place")
    place = declared(root, "a.tif")
    photo(at(root, "a.tif"))
    return place, receive(place).version


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_raster_is_refused_with_a_reason_and_the_version_before_stays(published, name: str) -> None:
    place, before = published
    root = place[0].data
    at(root, "a.tif").unlink()
    HOSTILE[name](at(root, "a.tif"), root / CANARY)
    report = receive(place)
    assert report.status == "refused", report
    assert report.reason_zh
    assert report.reason_en
    assert "自身出错" not in report.reason_zh
    assert "意外退出" not in report.reason_zh, "refused by a sentence, not by a crash"
    assert Store(place[0].store).current("photo").version == before
    assert list(root.rglob(".warp-*")) == []


def test_rasters_that_together_would_fill_the_disk_are_refused(tmp_path: Path) -> None:
    place = declared(tmp_path, "a.tif", "b.tif")
    photo(at(tmp_path, "a.tif"), size=50)
    fine = np.zeros((3, 400, 400), np.uint8)
    east = WEST + 9_000
    rasters.write_geotiff(at(tmp_path, "b.tif"), fine, (east, SOUTH + 9000, east + 4, SOUTH + 9004), "EPSG:4549")
    report = receive(place)
    assert report.status == "refused"
    assert "pixels" in report.reason_en


def test_a_raster_in_a_secret_system_is_refused(tmp_path: Path) -> None:
    place = declared(tmp_path, "a.tif", crs="gcj02")
    box = (119.96, 30.52, 119.97, 30.53)
    rasters.write_geotiff(at(tmp_path, "a.tif"), np.zeros((3, 90, 90), np.uint8), box, "")
    report = receive(place)
    assert report.status == "refused"
    assert "original" in report.reason_en


@pytest.mark.parametrize("reader", ["segfault", "leave", "hog", "spin", "garbage", "liar", "slow"])
def test_a_child_that_misbehaves_while_it_warps_dies_alone_and_nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    monkeypatch.setattr(sandbox, "ENTRY", "tests.misbehaving")
    monkeypatch.setattr(cage, "PACKAGES", (*cage.PACKAGES, tests))
    monkeypatch.setattr(receiving_rasters, "WARPER", reader)
    monkeypatch.setattr(
        receiving_rasters, "_limits", lambda _: sandbox.Limits(cpu_seconds=2, memory_bytes=1 << 30, silence_seconds=20)
    )
    place = declared(tmp_path, "a.tif")
    photo(at(tmp_path, "a.tif"))
    report = receive(place)
    assert report.status == "refused"
    assert "a.tif" in report.reason_zh
    assert not (place[0].store / "photo" / "current.json").exists()
    assert list(tmp_path.rglob("*.tif")) == [at(tmp_path, "a.tif")]


# seen from outside


PROBE = """
import sys
from pathlib import Path
from etl import cage, catalog, run
from twin.settings import Settings
if sys.argv[1] == "limits":
    cage.bubblewrap = lambda: None
for place in map(Path, sys.argv[2:]):
    known = catalog.read(place)
    report = run.run(known.resource("photo"), known, Settings(data=place, village=place))
    print("DONE", place.name, report.status)
"""
CALLS = "trace=open,openat,openat2,connect,sendto,execve,clone,clone3,fork,vfork"


def traced(mode: str, places: list[Path], trace: Path) -> subprocess.CompletedProcess[str]:
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-f", "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("strace is not installed or not permitted here")
    if mode == "bubblewrap" and cage.bubblewrap() is None:
        pytest.skip("bubblewrap is not installed, or the kernel does not let it work")
    command = [strace, "-f", "--seccomp-bpf", "-qq", "-s", "300", "-e", CALLS, "-o", str(trace)]
    return subprocess.run(
        [*command, sys.executable, "-c", PROBE, mode, *map(str, places)], cwd=REPO, capture_output=True, text=True,
        env={**cage.environment(), "PYTHONPATH": str(REPO)}, check=True, timeout=240,
    )  # fmt: skip


def opens(lines: list[str], name: str) -> tuple[list[str], list[str]]:
    """Give the lines that open a file called `name`: those of the first process and its threads, and all others'."""
    calls = [(who, call.strip()) for who, _, call in (line.partition(" ") for line in lines)]
    others = {who for who, call in calls[1:] if "execve(" in call}
    ours, theirs, inside = [], [], {calls[0][0]}
    for who, call in calls:
        if who in inside and (born := re.search(r"(?:clone3?|v?fork)\b.* = (\d+)$", call)):
            inside |= {born[1]} - others
        elif "open" in call and name in call:
            (ours if who in inside else theirs).append(call)
    return ours, theirs


@pytest.mark.parametrize("mode", ["limits", "bubblewrap"])
def test_the_kernel_saw_only_caged_children_decode_rasters(tmp_path: Path, mode: str) -> None:
    places = []
    canary = tmp_path / f"{CANARY}.tif"
    rasters.write_geotiff(canary, np.zeros((64, 64), np.uint8), (WEST, SOUTH, WEST + 64, SOUTH + 64), "EPSG:4549")
    for name, make in {**SOUND, **HOSTILE}.items():
        root = tmp_path / name
        declared(root, "foreign.tif")
        make(at(root, "foreign.tif"), canary)
        places.append(root)
    done = traced(mode, places, tmp_path / "trace")
    assert done.stdout.splitlines() == [
        *(f"DONE {name} published" for name in SOUND),
        *(f"DONE {name} refused" for name in HOSTILE),
    ]
    lines = (tmp_path / "trace").read_text(errors="replace").splitlines()
    ours, theirs = opens(lines, "foreign.tif")
    assert theirs, "the children do open what was delivered"
    assert ours
    assert [line for line in ours if "O_CLOEXEC" not in line] == [], "Python hashes it; GDAL opens without O_CLOEXEC"
    assert any("O_CLOEXEC" not in line for line in theirs), "as it does in the children"
    assert [line for line in lines if CANARY in line and "open" in line] == []
    assert [line for line in lines if ("connect(" in line or "sendto(" in line) and "AF_INET" in line] == []
