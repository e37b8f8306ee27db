"""Every way of asking at room level: one function each, from a built village and a subject to the bytes that come back.

The same table serves one level up: `tests/matrix/http.py` asks the same of routes, with the same oracle and canaries.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tests.matrix import village
from tests.matrix.oracle import TABLES
from tests.serving_fixture import LAT, LON, STEP
from twin.api import listings
from twin.errors import BadRequest, NeedsPurpose, NotFound
from twin.pages.desk import Desk
from twin.pages.listing import listing
from twin.tiles import Address

if TYPE_CHECKING:
    from twin.api import Rooms
    from twin.policy import Subject

Ask = Callable[["Rooms", "Subject", str, str], Any]
ZOOMS = (10, 15)


def middle(table: str, area: str) -> tuple[float, float]:
    """Give a place inside the row of `area` (lon, lat)."""
    inside = 0.5 if village.KINDS[table] == "polygon" else 0.0
    east, north = village.PLACE[area] + inside, village.NUMBER[table] * 4 + 0.3 + inside
    return LON + east * STEP, LAT + north * STEP


def around(table: str, area: str, steps: float = 3.0) -> tuple[float, float, float, float]:
    """Give a box around the row, which reaches no row of another table or area."""
    lon, lat = middle(table, area)
    return lon - steps / 2 * STEP, lat - steps / 2 * STEP, lon + steps / 2 * STEP, lat + steps / 2 * STEP


def at(table: str, area: str, z: int) -> Address:
    """Give the tile of the row's place."""
    lon, lat = middle(table, area)
    north = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return Address(z=z, x=int((lon + 180) / 360 * 2**z), y=int(north * 2**z))


def _ring(box: tuple[float, float, float, float]) -> Mapping[str, Any]:
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _tiles(rooms: Rooms, subject: Subject, table: str, area: str) -> bytes:
    found = b""
    for layer in rooms.policy.layers(subject):
        for z in ZOOMS:
            found += rooms.tiles.vector(subject, layer, at(table, area, z))
            found += gzip.decompress(rooms.tiles.packed(subject, layer, at(table, area, z)) or gzip.compress(b""))
    return found


def _found(rooms: Rooms, subject: Subject, table: str, area: str) -> Any:
    typed = [village.canary(table, area, c) for c in village.COLUMNS]
    return [hit for word in typed for hit in rooms.search.find(subject, word)]


def _uses(rooms: Rooms, subject: Subject, table: str, area: str) -> Any:
    """Ask for the rows through every column that may be used, by the value that stands there."""
    told = []
    for action in ("filter", "sort", "group", "count"):
        for column in village.COLUMNS:
            try:
                rooms.policy.columns(subject, table, [column], action)
            except (BadRequest, NotFound, NeedsPurpose):
                continue
            permit = rooms.policy.decide(subject, action, table)
            value = village.canary(table, area, column)
            told.append((action, column, rooms.serving.count(table, [(column, "=", value)], permit=permit)))
    return told


def _listed(rooms: Rooms, subject: Subject, table: str, area: str) -> Any:
    """Ask for the list of the table, and for it in the order of every column."""
    if area != "own":
        return ""
    desk = Desk.open(rooms.onemap, rooms.store, rooms.settings, subject)
    assert desk.rooms is rooms
    told = [repr(listing(desk, {"kind": "table", "id": table, "language": "en"}))]
    for column in village.COLUMNS:
        try:
            told.append(repr(listing(desk, {"kind": "table", "id": table, "sort": f"-{column}"})))
        except (BadRequest, NotFound, NeedsPurpose):
            continue
    return told


def _catalogue(rooms: Rooms, subject: Subject, table: str, area: str) -> Any:
    """Ask for all that is listed, once."""
    if (table, area) != ("thing", "own"):
        return []
    return [ask(rooms, subject, "en") for ask in (listings.catalog, listings.layers, listings.themes)]


ROOMS: Mapping[str, Ask] = {
    "feature": lambda r, s, t, a: r.entities.feature(s, t, village.canary(t, a, "id")),
    "entity": lambda r, s, t, a: r.entities.entity(s, f"{t}:{village.canary(t, a, 'id')}"),
    "identify": lambda r, s, t, a: r.analysis.identify(s, middle(t, a)),
    "overlay": lambda r, s, t, a: r.analysis.overlay(s, _ring(around(t, a))),
    "in_view": lambda r, s, t, a: r.analysis.in_view(s, around(t, a)),
    "search": _found,
    "tiles": _tiles,
    "indicators": lambda r, s, t, a: r.indicators.theme(s, "t") if (t, a) == ("thing", "own") else [],
    "uses": _uses,
    "list": _listed,
    "catalogue": _catalogue,
}
"""Every room function that answers with rows, places, numbers or names."""


def body(ask: Ask, rooms: Rooms, subject: Subject, table: str, area: str) -> bytes:
    """Give what comes back, as bytes to search; a refusal comes back as nothing."""
    try:
        found = ask(rooms, subject, table, area)
    except (NotFound, BadRequest):
        return b""
    return found if isinstance(found, bytes) else json.dumps(found, ensure_ascii=False, default=str).encode()


assert set(TABLES) == set(village.KINDS)
