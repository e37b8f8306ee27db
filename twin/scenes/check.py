"""A tileset read back as others would read it: every way in which it could fail to show, as a sentence."""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.scenes import b3dm, earth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLACK = 1e-9
"""Radians that a child's region may reach beyond its parent's (millimetres)."""
SLACK_M = 0.05


def check(directory: Path) -> list[str]:
    """Give what is wrong with the tileset in `directory`, in English sentences for the log; [] where it is sound."""
    try:
        tileset = json.loads((directory / "tileset.json").read_bytes())
        root = tileset["root"]
        matrix = np.array(root["transform"]).reshape(4, 4).T
    except (OSError, ValueError, KeyError) as error:
        return [f"tileset.json cannot be read: {error}"]
    faults = [] if tileset["asset"]["version"] in ("1.0", "1.1") else ["asset.version is neither 1.0 nor 1.1"]
    if not np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-9):
        faults.append("root.transform is not a rotation and a shift")
    if abs(np.linalg.norm(matrix[:3, 3]) - earth.A) > 30_000:
        faults.append("root.transform does not lead to the surface of the earth")
    return faults + list(_walk(root, tileset["geometricError"], None, directory, matrix))


def _walk(
    tile: dict[str, Any], error: float, outer: list[float] | None, directory: Path, matrix: np.ndarray
) -> Iterator[str]:
    region = tile["boundingVolume"]["region"]
    if tile["geometricError"] > error:
        yield "geometricError grows from a tile to its child"
    if outer and not _within(region, outer):
        yield "a child's region leaves its parent's"
    children = tile.get("children", [])
    if not children and "content" not in tile:
        yield "a leaf has no content"
    if "content" in tile:
        yield from _content(directory / tile["content"]["uri"], region, matrix)
    for child in children:
        yield from _walk(child, tile["geometricError"], region, directory, matrix)


def _within(inner: list[float], outer: list[float]) -> bool:
    lows = all(inner[i] >= outer[i] - SLACK for i in (0, 1, 4))
    return lows and all(inner[i] <= outer[i] + SLACK for i in (2, 3, 5))


def _content(path: Path, region: list[float], matrix: np.ndarray) -> Iterator[str]:
    try:
        count, properties, model = b3dm.decode(path.read_bytes())
    except (OSError, ValueError, KeyError, struct.error) as error:
        yield f"{path.name} cannot be read: {error}"
        return
    if len(properties.get("id", [])) != count or len(set(properties["id"])) != count:
        yield f"{path.name}: not every feature has an id of its own"
    attributes = model.meshes[0].primitives[0].attributes
    batch = _array(model, getattr(attributes, b3dm.BATCH))
    if sorted(set(batch.ravel().tolist())) != list(range(count)):
        yield f"{path.name}: batch ids are not 0 … {count - 1}"
    positions = _array(model, attributes.POSITION)
    for primitive in model.meshes[0].primitives:
        if _array(model, primitive.indices).max() >= len(positions):
            yield f"{path.name}: an index points beyond the vertices"
    yield from _inside(path.name, positions, region, matrix)


def _inside(name: str, positions: np.ndarray, region: list[float], matrix: np.ndarray) -> Iterator[str]:
    """Undo glTF's y-up, go to the earth's centre and compare with the region."""
    upright = positions.astype(float) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    world = upright @ matrix[:3, :3].T + matrix[:3, 3]
    lon, lat, height = (a.ravel() for a in np.meshgrid(region[0:3:2], region[1:4:2], region[4:]))
    box = earth.ecef(np.degrees(lon), np.degrees(lat), height)
    reach = math.dist(box.min(axis=0), box.max(axis=0)) / 2 + SLACK_M
    if np.linalg.norm(world - (box.min(axis=0) + box.max(axis=0)) / 2, axis=1).max() > reach:
        yield f"{name}: vertices lie outside the tile's region"


def _array(model: Any, number: Any) -> np.ndarray:
    accessor = model.accessors[number]
    view = model.bufferViews[accessor.bufferView]
    kind = {5125: "<u4", 5126: "<f4"}[accessor.componentType]
    data = model.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    array = np.frombuffer(data, kind)
    return array.reshape(-1, 3) if accessor.type == "VEC3" else array
