"""Buildings → a 3D Tiles tileset: a quadtree whose leaves hold a few hundred buildings each."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from twin import rasters
from twin.scenes import b3dm, earth, mesh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LEAF = 400
"""Buildings a content tile may hold."""
SUNK_M = 0.5
"""How far walls go into the ground, so that no slope shows a gap."""


@dataclass(frozen=True, kw_only=True)
class Solid:
    """One building: its entity id, name, footprint (polygon, degrees lon/lat) and height above the ground in metres."""

    id: str
    name: str
    footprint: shapely.Geometry
    height_m: float
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Raised:
    solids: Sequence[Solid]
    base_m: np.ndarray
    top_m: np.ndarray
    middle: np.ndarray
    bounds: np.ndarray
    origin: tuple[float, float]


def write_tileset(features: Sequence[Solid], directory: Path, *, ground: Path | None = None) -> list[Path]:
    """Write `tileset.json` and its content tiles into `directory`; give the files written.

    `ground` is a terrain COG (twin.rasters) on which the buildings are set; without it they stand at height 0. Heights
    are the ground's own (above the geoid) used as ellipsoidal ones, as flat map terrain does, so that the two meet.
    Features without a usable height or footprint are left out. Raises ValueError where none is left.
    """
    solids = [s for s in features if s.height_m > 0 and not shapely.is_empty(s.footprint)]
    if not solids:
        raise ValueError("no building has a footprint and a height")
    directory.mkdir(parents=True, exist_ok=True)
    raised = _raise(solids, ground)
    written: list[Path] = []
    root = _node(raised, np.arange(len(solids)), "0", directory, written)
    root["transform"] = earth.transform(*raised.origin)
    root["refine"] = "ADD"
    tileset = {
        "asset": {"version": "1.0", "tilesetVersion": "1"},
        "properties": {"height_m": {"minimum": _least(raised), "maximum": _most(raised)}},
        "geometricError": root["geometricError"] * 2 + 1,
        "root": root,
    }
    path = directory / "tileset.json"
    path.write_text(json.dumps(tileset), encoding="utf-8")
    return [path, *written]


def _least(raised: _Raised) -> float:
    return min(s.height_m for s in raised.solids)


def _most(raised: _Raised) -> float:
    return max(s.height_m for s in raised.solids)


def _raise(solids: Sequence[Solid], ground: Path | None) -> _Raised:
    footprints = np.array([s.footprint for s in solids])
    low, middle_height = _ground(footprints, ground)
    bounds = shapely.bounds(footprints)
    whole = shapely.total_bounds(footprints)
    return _Raised(
        solids=solids,
        base_m=low - SUNK_M if ground else low,
        top_m=middle_height + np.array([s.height_m for s in solids]),
        middle=(bounds[:, :2] + bounds[:, 2:]) / 2,
        bounds=bounds,
        origin=(float(whole[0] + whole[2]) / 2, float(whole[1] + whole[3]) / 2),
    )


def _ground(footprints: np.ndarray, ground: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Give the lowest and the middle ground height under each footprint; 0 where the terrain does not know."""
    if ground is None:
        return np.zeros(len(footprints)), np.zeros(len(footprints))
    xy, owner = shapely.get_coordinates(footprints, return_index=True)
    x = np.radians(xy[:, 0]) * earth.A
    y = np.log(np.tan(math.pi / 4 + np.radians(xy[:, 1]) / 2)) * earth.A
    heights = rasters.sample(ground, x, y)
    known = ~np.isnan(heights)
    usual = float(np.median(heights[known])) if known.any() else 0.0
    heights = np.where(known, heights, usual)
    low = np.full(len(footprints), np.inf)
    np.minimum.at(low, owner, heights)
    mean = np.bincount(owner, heights, len(footprints)) / np.bincount(owner, minlength=len(footprints))
    return low, mean


def _node(raised: _Raised, chosen: np.ndarray, name: str, directory: Path, written: list[Path]) -> dict[str, Any]:
    """Give the tile of the `chosen` buildings, writing its content if it is a leaf, its children's if not."""
    region, diagonal = _region(raised, chosen)
    node: dict[str, Any] = {"boundingVolume": {"region": region}}
    quarters = _quarters(raised, chosen) if len(chosen) > LEAF else []
    if len(quarters) > 1:
        node["geometricError"] = diagonal
        node["children"] = [_node(raised, q, f"{name}{i}", directory, written) for i, q in enumerate(quarters)]
        return node
    path = directory / f"{name}.b3dm"
    path.write_bytes(_content(raised, chosen))
    written.append(path)
    return node | {"geometricError": 0.0, "content": {"uri": path.name}}


def _quarters(raised: _Raised, chosen: np.ndarray) -> list[np.ndarray]:
    east, north = (raised.middle[chosen] > np.median(raised.middle[chosen], axis=0)).T
    quarters = [chosen[(east == e) & (north == n)] for n in (False, True) for e in (False, True)]
    return [q for q in quarters if len(q)]


def _region(raised: _Raised, chosen: np.ndarray) -> tuple[list[float], float]:
    west, south = raised.bounds[chosen, :2].min(axis=0)
    east, north = raised.bounds[chosen, 2:].max(axis=0)
    low, high = float(raised.base_m[chosen].min()), float(raised.top_m[chosen].max())
    corners = earth.local(np.array([west, east]), np.array([south, north]), np.array([low, high]), raised.origin)
    radians = [float(v) for v in np.radians([west, south, east, north])]
    return [*radians, low, high], float(np.linalg.norm(corners[1] - corners[0]))


def _content(raised: _Raised, chosen: np.ndarray) -> bytes:
    solids = [raised.solids[i] for i in chosen]
    shape = mesh.extrude([s.footprint for s in solids], raised.base_m[chosen], raised.top_m[chosen], raised.origin)
    names = sorted({k for s in solids for k in s.properties})
    properties: dict[str, Sequence[Any]] = {name: [s.properties.get(name) for s in solids] for name in names}
    properties |= {"id": [s.id for s in solids], "name": [s.name for s in solids]}
    properties["height_m"] = [s.height_m for s in solids]
    return b3dm.encode(shape, properties, len(solids))
