"""Tiles cut at publish time: which zooms of a snapshot there are, and the bytes of one of them."""

from __future__ import annotations

import enum
import gzip
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from twin.store import archive, quadgrid

if TYPE_CHECKING:
    from collections.abc import Collection

    from twin.store.archive import Archive
    from twin.store.verified import Snapshot


class Absent(enum.Enum):
    """What `lookup` gives where the tile was not cut at publish time: the caller computes it."""

    ABSENT = "absent"


ABSENT: Literal[Absent.ABSENT] = Absent.ABSENT
_open = lru_cache(maxsize=64)(archive.Archive)
"""Archives by path: published files never change."""


def lookup(snapshot: Snapshot, year: int | None, z: int, x: int, y: int) -> bytes | Absent | None:
    """Give the MVT bytes (uncompressed) of a pre-cut tile, None where it is empty, ABSENT where z was not cut.

    `year` is an edition the table has, None where it has none.
    """
    found = packed(snapshot, year, z, x, y)
    return gzip.decompress(found) if isinstance(found, bytes) else found


def packed(
    snapshot: Snapshot,
    year: int | None,
    z: int,
    x: int,
    y: int,
    *,
    wanted: Collection[str] = (),
    permitted: Collection[str] | None = None,
) -> bytes | Absent | None:
    """Give the same bytes gzip-compressed as they lie there.

    A tile that holds the rows themselves is ABSENT too where it lacks a column that is `wanted` or carries one that is
    not `permitted` (None: all are), because the declarations changed since it was cut.
    """
    cut = _archive(snapshot, year)
    if cut is None or z not in cut.zooms:
        return ABSENT
    if holds_rows(z) and not _fits(cut.columns, wanted, permitted):
        return ABSENT
    return cut.get(z, x, y)


def holds_rows(z: int) -> bool:
    """Say whether a pre-cut tile of zoom `z` holds the rows themselves rather than cells."""
    return z not in quadgrid.ZOOMS


def _fits(columns: frozenset[str], wanted: Collection[str], permitted: Collection[str] | None) -> bool:
    return columns.issuperset(wanted) and (permitted is None or columns.issubset(permitted))


def _archive(snapshot: Snapshot, year: int | None) -> Archive | None:
    name = archive.file_name(year)
    return _open(snapshot.file(name)) if snapshot.has(name) else None
