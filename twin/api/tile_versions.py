"""What one asker may be shown of a layer, a table or the ground: the version's name, who may keep it, what counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.errors import NotFound
from twin.geodesy import from_mercator
from twin.policy import VECTOR_TYPES, delivered, noted
from twin.scenes.regions import regions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from twin.api.rooms import Rooms
    from twin.api.tile_address import Wanted
    from twin.model import Bbox
    from twin.policy import Permit, Subject
    from twin.store import Snapshot
    from twin.web_mercator_quad import Bounds

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
    found = ((p, frozenset(_cells(rooms, wanted, p))) for p in permits)
    return tuple(noted.Told(table=p.resource, limit_km2=p.max_km2, cells=cells) for p, cells in found if cells)


def _is_detailed(wanted: Wanted) -> bool:
    return delivered.is_detailed(
        wanted.at.z, delivered.VECTOR_PIXELS if wanted.kind == "mvt" else delivered.IMAGE_PIXELS
    )


def _cells(rooms: Rooms, wanted: Wanted, permit: Permit) -> Iterator[delivered.Cell]:
    """Give the cells of the table of `permit` that the tile shows: of its square, and of what reaches out of it."""
    try:
        snapshot = rooms.store.current(permit.resource)
    except NotFound:
        return
    reach = snapshot.manifest.get("bbox") or None
    if wanted.kind == "scene":
        box = _scene_box(snapshot, wanted.path, reach)
    else:
        [square] = _degrees([wanted.at.bounds()])
        box = square if reach is None else delivered.common(square, reach)
    if box is not None:
        yield from delivered.cells(box)
    if wanted.kind == "mvt":
        for out in _degrees(rooms.tiles.beyond(permit, wanted.at)):
            yield from delivered.cells(out)


def _degrees(boxes: Sequence[Bounds]) -> list[Bbox]:
    if not boxes:
        return []
    west, south, east, north = zip(*boxes, strict=True)
    (x0, y0), (x1, y1) = from_mercator(west, south), from_mercator(east, north)
    return [(float(a), float(b), float(c), float(d)) for a, b, c, d in zip(x0, y0, x1, y1, strict=True)]


def _scene_box(snapshot: Snapshot, path: str, reach: Bbox | None) -> Bbox | None:
    """Give the box of one file of a scene: none for the tileset itself, all the table reaches where it says no more."""
    name = f"scene/{TILESET}"
    if path == TILESET or name not in snapshot.manifest["files"]:
        return None
    listed = regions(snapshot.file(name), delivered.DETAIL_M)
    return (listed[path] or reach) if path in listed else None
