"""Which ground each file of a tileset shows, and whether in detail; read from the tileset's own volumes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

Box = tuple[float, float, float, float]


@lru_cache(maxsize=64)
def regions(tileset: Path, detail_m: float) -> Mapping[str, Box | None]:
    """Give, by its name in the tileset, the box (degrees) of each file that shows its ground to `detail_m` or better.

    None stands for a file whose volume is none of longitudes and latitudes; coarser files are not there. Published
    files never change, so that each tileset is read once.
    """
    root = json.loads(tileset.read_bytes())["root"]
    return dict(_files(root, detail_m))


def _files(tile: Mapping[str, Any], detail_m: float) -> Iterator[tuple[str, Box | None]]:
    contents = [*([tile["content"]] if "content" in tile else []), *tile.get("contents", ())]
    if tile.get("geometricError", 0.0) <= detail_m:
        for content in contents:
            yield content.get("uri", content.get("url", "")), _box(tile["boundingVolume"])
    for child in tile.get("children", ()):
        yield from _files(child, detail_m)


def _box(volume: Mapping[str, Any]) -> Box | None:
    if "region" not in volume:
        return None
    west, south, east, north = (math.degrees(v) for v in volume["region"][:4])
    return west, south, east, north
