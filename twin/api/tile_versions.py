"""What one asker may be shown of a layer, a table or the ground: the version's name, who may keep it, what counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.errors import NotFound
from twin.geodesy import from_mercator
from twin.policy import VECTOR_TYPES, delivered, noted
from twin.scenes.regions import regions
from twin.web_mercator_quad import bounds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twin.api.rooms import Rooms
    from twin.api.tile_address import Wanted
    from twin.model import Bbox
    from twin.policy import Permit, Subject
    from twin.store import Snapshot

TILESET = "tileset.json"
NO_GROUND = "none"


@dataclass(frozen=True, kw_only=True)
class Version:
    """The name of the very bytes, whether everybody is shown them, and the permits by which their ground counts."""

    token: str
    is_open: bool
    counts: tuple[Permit, ...] = ()


def version(rooms: Rooms, subject: Subject, wanted: Wanted) -> Version:
    """Name the version of what is wanted and what `subject` may see of it; raises NotFound, StoreBroken."""
    tiles, policy = rooms.tiles, rooms.policy
    if wanted.kind == "scene":
        token = tiles.scene(subject, wanted.name, wanted.path)[1][:24]
        counts = _counting(rooms, subject, [wanted.name])
        return Version(token=token, is_open=_is_open(rooms, wanted.name), counts=counts)
    if wanted.kind == "terrain":
        ground = tiles.ground(subject)
        if ground is None:
            return Version(token=NO_GROUND, is_open=True)
        is_open, counts = _is_open(rooms, ground.table), _counting(rooms, subject, [ground.table])
        return Version(token=ground.version, is_open=is_open, counts=counts)
    layer = policy.layer(subject, wanted.name)
    types = {"raster"} if wanted.kind == "png" else VECTOR_TYPES
    counts = _counting(rooms, subject, dict.fromkeys(d.table for d in layer.draws if d.type in types))
    return Version(token=tiles.versions(subject, layer), is_open=layer.share == "open", counts=counts)


def _is_open(rooms: Rooms, table: str) -> bool:
    resource = rooms.onemap.resource(table)
    return resource is None or resource.share_type == "unconditional"


def _counting(rooms: Rooms, subject: Subject, tables: Iterable[str]) -> tuple[Permit, ...]:
    """Give the permits of those tables whose ground counts when it is told to `subject`."""
    seen = [rooms.policy.decide(subject, "tile", t) for t in tables if rooms.policy.sees(subject, t, "tile")]
    return tuple(p for p in seen if p.counts)


def told(rooms: Rooms, wanted: Wanted, permits: tuple[Permit, ...]) -> tuple[noted.Told, ...]:
    """Give the ground that the tile shows in detail: its square, as far as each table reaches."""
    if wanted.kind != "scene" and not _is_detailed(wanted):
        return ()
    found = ((p, _box(rooms, wanted, p.resource)) for p in permits)
    return tuple(
        noted.Told(table=p.resource, limit_km2=p.max_km2, cells=frozenset(delivered.cells(box)))
        for p, box in found
        if box is not None
    )


def _is_detailed(wanted: Wanted) -> bool:
    return delivered.is_detailed(
        wanted.at.z, delivered.VECTOR_PIXELS if wanted.kind == "mvt" else delivered.IMAGE_PIXELS
    )


def _box(rooms: Rooms, wanted: Wanted, table: str) -> Bbox | None:
    """Give the box (degrees) of the ground of `table` that the tile shows, None where it shows none."""
    try:
        snapshot = rooms.store.current(table)
    except NotFound:
        return None
    reach = snapshot.manifest.get("bbox") or None
    if wanted.kind == "scene":
        return _scene_box(snapshot, wanted.path, reach)
    west, south, east, north = bounds(wanted.at.z, wanted.at.x, wanted.at.y)
    lon, lat = from_mercator([west, east], [south, north])
    square = (float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1]))
    return square if reach is None else delivered.common(square, reach)


def _scene_box(snapshot: Snapshot, path: str, reach: Bbox | None) -> Bbox | None:
    """Give the box of one file of a scene: none for the tileset itself, all the table reaches where it says no more."""
    name = f"scene/{TILESET}"
    if path == TILESET or name not in snapshot.manifest["files"]:
        return None
    listed = regions(snapshot.file(name), delivered.DETAIL_M)
    return (listed[path] or reach) if path in listed else None
