"""Delivered rasters: proved to be GeoTIFFs of a believable size that lie somewhere; nothing is made of them here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from etl import refusals
from twin.rasters.describe import Described, NotAGeoTiff, describe, drivers, prove_corners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.job import Job

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ALLOWED = frozenset({"GTiff"})
MAX_PIXELS = 4_000_000_000
MAX_RATIO = 1000


def read(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Look at a GeoTIFF; one row: xmin, ymin, xmax, ymax (its own system), width, height, bands, dtype, nodata.

    Raises SourceError where it is another format, a pixel flood, damaged, rotated, or without a position.
    """
    if surplus := drivers() - ALLOWED:
        raise RuntimeError(f"GDAL_SKIP must also name {sorted(surplus)}")
    with job.main.open("rb") as file:
        magic = file.read(4)
    if job.main.suffix.lower() not in (".tif", ".tiff") or magic not in _MAGIC:
        raise refusals.refused(job.name, "不是 GeoTIFF，请导出为 GeoTIFF", "it is not a GeoTIFF; export it as one")
    try:
        found = describe(job.main)
        _believable(job, found)
        prove_corners(job.main)
    except NotAGeoTiff as wrong:
        raise refusals.damaged(job.name) from wrong
    report.update(driver="GTiff", crs_in_file=found.crs, encoding="", how="format", declared="")
    west, south, east, north = found.bounds
    facts = {
        "xmin": west, "ymin": south, "xmax": east, "ymax": north, "width": found.width, "height": found.height,
        "bands": found.bands, "dtype": found.dtype, "nodata": found.nodata, "_row": "1",
        "_geometry": None, "_note": None,
    }  # fmt: skip
    types = {"nodata": pa.float64(), "_geometry": pa.binary(), "_note": pa.string()}
    arrays = [pa.array([v], types.get(k)) for k, v in facts.items()]
    yield pa.RecordBatch.from_arrays(arrays, names=list(facts))


def _believable(job: Job, found: Described) -> None:
    pixels = found.width * found.height
    unpacked = pixels * found.bands * np.dtype(found.dtype).itemsize
    if pixels > MAX_PIXELS or unpacked > max(1 << 30, MAX_RATIO * job.main.stat().st_size):
        raise refusals.refused(
            job.name,
            f"{found.width} × {found.height} 像素与文件大小不相称，请分幅",
            f"its {found.width} × {found.height} pixels do not fit its size in bytes; split it",
        )
    if not found.georeferenced:
        raise refusals.refused(
            job.name, "没有坐标定位信息，请导出带坐标的 GeoTIFF", "it has no position; export it georeferenced"
        )
    if not found.north_up:
        raise refusals.refused(job.name, "影像是旋转的，请先纠正为正北朝上", "it is rotated; rectify it north up first")
