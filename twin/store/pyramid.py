"""Tiles cut at publish time: which zooms of a snapshot there are, and the bytes of one of them."""

from __future__ import annotations

import enum
import gzip
import mmap
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pmtiles.reader import Reader

from twin.store import quadgrid

if TYPE_CHECKING:
    from pathlib import Path

    from twin.store.verified import Snapshot


class Absent(enum.Enum):
    """What `lookup` gives where the zoom was not cut at publish time: the caller computes the tile."""

    ABSENT = "absent"


ABSENT: Literal[Absent.ABSENT] = Absent.ABSENT


def lookup(snapshot: Snapshot, year: int | None, z: int, x: int, y: int) -> bytes | Absent | None:
    """Give the MVT bytes (uncompressed) of a pre-cut tile, None where it is empty, ABSENT where z was not cut.

    `year` is an edition the table has, None where it has none.
    """
    name = quadgrid.file_name(year)
    if z not in quadgrid.ZOOMS or not snapshot.has(name):
        return ABSENT
    data = _reader(snapshot.file(name)).get(z, x, y)
    return None if data is None else gzip.decompress(data)


@lru_cache(maxsize=64)
def _reader(path: Path) -> Reader:
    """Map an archive into memory; published files never change, and the map outlives a removed version."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return Reader(lambda offset, length: mapped[offset : offset + length])
