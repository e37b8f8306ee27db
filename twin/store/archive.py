"""Pre-cut tiles on disk: one PMTiles file an edition, written in the order of its tiles and read by its directory."""

from __future__ import annotations

import bisect
import math
import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pmtiles.reader import Reader
from pmtiles.tile import Compression, TileType, deserialize_directory, zxy_to_tileid
from pmtiles.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from pmtiles.tile import Entry

Tile = tuple[int, int, int, bytes]
"""z, x, y and the gzip-compressed MVT."""
LEVEL = 3
"""How well a tile is packed: 70 MB/s, and within 3 % of what level 5 makes at half that speed."""


def file_name(year: int | None) -> str:
    """Give the name of the archive that holds an edition's pre-cut tiles."""
    return "tiles.pmtiles" if year is None else f"tiles-{year}.pmtiles"


def write(path: Path, tiles: Iterable[Tile], *, source_layer: str, columns: Sequence[str]) -> Path:
    """Write `tiles`, best in the order of `order`, one at a time; `columns` are those single rows carry in them."""
    extent = _Extent()
    with path.open("wb") as file:
        writer = Writer(file)
        for z, x, y, data in tiles:
            writer.write_tile(zxy_to_tileid(z, x, y), data)
            extent.take(z, x, y)
        header = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP, **extent.header()}
        layer = {"id": source_layer, "fields": dict.fromkeys(columns, ""), "minzoom": extent.low, "maxzoom": extent.z}
        writer.finalize(header, {"vector_layers": [layer]})
    return path


def order(z: int, x: int, y: int) -> int:
    """Give a tile's place in an archive: by zoom, then along a Hilbert curve."""
    return zxy_to_tileid(z, x, y)


@dataclass
class _Extent:
    """The box of the finest tiles seen."""

    low: int = 99
    z: int = -1
    west: int = 0
    north: int = 0
    east: int = 0
    south: int = 0

    def take(self, z: int, x: int, y: int) -> None:
        self.low = min(self.low, z)
        if z > self.z:
            self.z, self.west, self.north, self.east, self.south = z, x, y, x + 1, y + 1
        elif z == self.z:
            self.west, self.north = min(self.west, x), min(self.north, y)
            self.east, self.south = max(self.east, x + 1), max(self.south, y + 1)

    def header(self) -> dict[str, int]:
        """Give the header's bounds (degrees · 10⁷)."""
        n = 2**self.z
        lon = [round((x / n * 360 - 180) * 1e7) for x in (self.west, self.east)]
        lat = [round(_latitude(y / n) * 1e7) for y in (self.south, self.north)]
        center = {"center_zoom": self.z, "center_lon_e7": sum(lon) // 2, "center_lat_e7": sum(lat) // 2}
        return {"min_lon_e7": lon[0], "max_lon_e7": lon[1], "min_lat_e7": lat[0], "max_lat_e7": lat[1], **center}


def _latitude(share: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * share))))


class Archive:
    """An archive mapped into memory, its directory read once; the map outlives a removed file. Safe among threads."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._bytes: Callable[[int, int], bytes] = lambda offset, length: mapped[offset : offset + length]
        reader = Reader(self._bytes)
        header = reader.header()
        self._data: int = header["tile_data_offset"]
        self.zooms = range(header["min_zoom"], header["max_zoom"] + 1)
        self._entries = self._directory(header["leaf_directory_offset"], header["root_offset"], header["root_length"])
        self._starts = [entry.tile_id for entry in self._entries]
        layers = reader.metadata().get("vector_layers") or [{}]
        self.columns: frozenset[str] = frozenset(layers[0].get("fields", ()))

    def _directory(self, leaves: int, offset: int, length: int) -> list[Entry]:
        found: list[Entry] = []
        for entry in deserialize_directory(self._bytes(offset, length)):
            if entry.run_length:
                found.append(entry)
            else:
                found += self._directory(leaves, leaves + entry.offset, entry.length)
        return found

    def get(self, z: int, x: int, y: int) -> bytes | None:
        """Give a tile as it lies there (gzip), None where it is empty."""
        wanted = zxy_to_tileid(z, x, y)
        place = bisect.bisect_right(self._starts, wanted) - 1
        if place < 0:
            return None
        entry = self._entries[place]
        if wanted >= entry.tile_id + entry.run_length:
            return None
        return self._bytes(self._data + entry.offset, entry.length)
