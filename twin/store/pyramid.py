"""Tiles cut at publish time: which zooms a snapshot has pre-tiled, and the bytes of one of them."""

from __future__ import annotations

import enum

from twin.store.snapshots import Snapshot


class Absent(enum.Enum):
    """What `lookup` gives where the zoom was not cut at publish time: the caller computes the tile."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


def lookup(snapshot: Snapshot, year: int | None, z: int, x: int, y: int) -> bytes | None | Absent:
    """Give the MVT bytes (uncompressed) of a pre-cut tile, None where it is empty, ABSENT where z was not cut."""
    _ = (snapshot, year, z, x, y)
    return ABSENT
