"""What a delivered GeoTIFF says of itself, looked at without trusting it, and how it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from twin.web_mercator_quad import Bounds

_OUT_OF_MEMORY = ("memory", "allocat")


@dataclass(frozen=True, kw_only=True)
class Described:
    """A GeoTIFF's size in pixels, bands, type, bounds in its own system (`crs` is WKT, "" where it states none)."""

    width: int
    height: int
    bands: int
    dtype: str
    nodata: float | None
    bounds: Bounds
    crs: str
    north_up: bool
    georeferenced: bool


class NotAGeoTiff(Exception):
    """The file is no GeoTIFF, or its blocks do not decode."""


def drivers() -> frozenset[str]:
    """Give the names of the formats that could be opened in this process."""
    with rasterio.Env() as env:
        return frozenset(env.drivers())


@contextlib.contextmanager
def decoding() -> Iterator[None]:
    """Say what went wrong with a delivered file: raises MemoryError where it needs too much, NotAGeoTiff otherwise."""
    try:
        yield
    except (RasterioError, ValueError) as wrong:
        said = f"{wrong} {wrong.__cause__ or ''}"
        if any(word in said.lower() for word in _OUT_OF_MEMORY):
            raise MemoryError(said) from wrong
        raise NotAGeoTiff(said) from wrong


def describe(path: Path) -> Described:
    """Describe a GeoTIFF by its head alone; opens by the GTiff driver only. Raises as `decoding` does."""
    with decoding(), rasterio.open(path, driver="GTiff", sharing=False) as dataset:
        return Described(
            width=dataset.width,
            height=dataset.height,
            bands=dataset.count,
            dtype=str(dataset.dtypes[0]),
            nodata=dataset.nodata,
            bounds=tuple(dataset.bounds),
            crs=dataset.crs.to_wkt() if dataset.crs else "",
            north_up=dataset.transform.b == dataset.transform.d == 0 and dataset.transform.e < 0,
            georeferenced=not dataset.transform.is_identity,
        )


def prove_corners(path: Path) -> None:
    """Decode the corner blocks of a GeoTIFF: a file that was cut off shows here. Raises as `decoding` does."""
    with decoding(), rasterio.open(path, driver="GTiff", sharing=False) as dataset:
        for x in (0, max(0, dataset.width - 16)):
            for y in (0, max(0, dataset.height - 16)):
                dataset.read(1, window=Window(x, y, min(16, dataset.width), min(16, dataset.height)))  # type: ignore[call-arg]
