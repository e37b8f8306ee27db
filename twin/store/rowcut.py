"""Zooms cut at publish whose tiles hold the rows themselves, by the rules that would answer a request for them.

A tile of few rows is computed in a few milliseconds when it is asked for; one of thousands is not. So the zooms right
above the cells are cut while their tiles hold many rows each, which also bounds the tiles by the rows there are. All
tiles below one of the coarsest of these zooms come of one query: planning a query costs as much as a small tile.
"""

from __future__ import annotations

import gzip
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from twin import duck
from twin.store import archive, cut
from twin.web_mercator_quad import HALF_M, side_m

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from twin.store.archive import Tile

ZOOMS = range(13, 18)
"""From where the cells end."""
CROWDED = 40
"""Rows a tile must hold on average for its zoom to be cut; sparser ones are quick to compute."""
REPEATED = 3
"""How often a row may lie in tiles of one zoom, on average: beyond, rows are larger than tiles."""
MEMORY = "128MB"
AHEAD = 8
"""Answers waiting to be written at a time."""
SPANS = """
SELECT greatest(ceil((xmin + {earth}) / {side} - {buffer})::BIGINT - 1, 0) AS x0,
       least(floor((xmax + {earth}) / {side} + {buffer})::BIGINT, {last}) AS x1,
       greatest(ceil(({earth} - ymax) / {side} - {buffer})::BIGINT - 1, 0) AS y0,
       least(floor(({earth} - ymin) / {side} + {buffer})::BIGINT, {last}) AS y1
FROM {features} WHERE xmin IS NOT NULL{edition}
"""
SPREAD = "SELECT count(*), coalesce(sum((x1 - x0 + 1) * (y1 - y0 + 1)), 0)::BIGINT FROM ({spans})"
TOUCHED = """
SELECT DISTINCT x, unnest(range(y0, y1 + 1)) AS y FROM (SELECT unnest(range(x0, x1 + 1)) AS x, y0, y1 FROM ({spans}))
"""


class RowCutter:
    """Cut tiles of a finished serving copy on as many threads as there are cores; close it when done."""

    def __init__(self, serving: Path, *, columns: Sequence[str], source_layer: str, dimension: int) -> None:
        self._root = duck.connect(threads=1, memory=MEMORY)
        self._root.execute(f"ATTACH {duck.literal(serving)} AS cutting (READ_ONLY)")
        self._known = cut.types(self._root, "cutting.features")
        self.columns = tuple(c for c in columns if c in self._known)
        self._layer = source_layer
        self._dimension = dimension
        self._local = threading.local()

    def close(self) -> None:
        """Let the file go."""
        self._root.close()

    def tiles(self, year: int | None) -> Iterator[Tile]:
        """Give the tiles of an edition, zoom by zoom in the order of archives, a few at a time in memory."""
        zooms = self._worth(year)
        parents = self._touched(zooms[0], year) if zooms else []
        with ThreadPoolExecutor(duck.cores(), thread_name_prefix="cut") as workers:
            for z in zooms:
                for some in _batches(parents, AHEAD):
                    for tiles in workers.map(lambda parent, z=z: self._below(parent, z, year), some):
                        yield from tiles

    def _worth(self, year: int | None) -> range:
        """Give the zooms to be cut for an edition: a zoom that is crowded has none but crowded ones above it."""
        low, high = 0, len(ZOOMS)
        while low < high:
            middle = (low + high) // 2
            if self._crowded(ZOOMS[middle], year):
                low = middle + 1
            else:
                high = middle
        return ZOOMS[:low]

    def _crowded(self, z: int, year: int | None) -> bool:
        """Say whether the rows of an edition make it worth cutting `z`."""
        spans = self._spans(z, year)
        rows, entries = self._root.execute(SPREAD.format(spans=spans)).fetchall()[0]
        if entries > REPEATED * rows:
            return False
        touched = self._root.execute(f"SELECT count(*) FROM ({TOUCHED.format(spans=spans)})").fetchall()[0][0]
        return 0 < touched * CROWDED <= entries

    def _touched(self, z: int, year: int | None) -> list[tuple[int, int, int]]:
        """Give the tiles that rows of an edition touch at `z`, in the order of archives."""
        found = self._root.execute(TOUCHED.format(spans=self._spans(z, year))).fetchall()
        return sorted(((z, x, y) for x, y in found), key=lambda at: archive.order(*at))

    def _spans(self, z: int, year: int | None) -> str:
        return SPANS.format(
            earth=HALF_M,
            side=side_m(z),
            buffer=cut.BUFFER,
            last=2**z - 1,
            features="cutting.features",
            edition=cut.edition(year),
        )

    def _below(self, parent: tuple[int, int, int], z: int, year: int | None) -> list[Tile]:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._root.cursor()
        sql = cut.descendants(
            "cutting.features", self._known, self.columns, parent, z, dimension=self._dimension, year=year
        )
        found = self._local.connection.execute(sql, [self._layer]).fetchall()
        tiles = [(z, x, y, gzip.compress(bytes(data), archive.LEVEL, mtime=0)) for x, y, data in found]
        return sorted(tiles, key=lambda tile: archive.order(*tile[:3]))


def _batches(wanted: Sequence[tuple[int, int, int]], size: int) -> Iterator[list[tuple[int, int, int]]]:
    rest = iter(wanted)
    while some := list(itertools.islice(rest, size)):
        yield some
