"""The desk's small map: drawn tiles under numbered pins in one SVG, each pin a link; it needs no script and no GPU."""

from __future__ import annotations

from math import asinh, cos, floor, pi, radians, tan
from typing import TYPE_CHECKING

from twin.pages.markup import el
from twin.quarantine import rules
from twin.text import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.api.refused_view import RefusedView, Told
    from twin.model import Bbox
    from twin.pages.markup import Node
    from twin.quarantine.places import Place

SIDE = 256
WIDEST = 560
"""Pixels of the ground that the overview is at most wide."""
DEEPEST, SHALLOWEST = 17, 8
MARGIN = 0.06
CLOSE_M = 60.0
DEGREE_M = 111_320.0


class Frame:
    """A part of the web mercator world at one zoom: degrees to the pixels of the picture."""

    def __init__(self, box: Bbox) -> None:
        west, south, east, north = box
        self.zoom = next((z for z in range(DEEPEST, SHALLOWEST, -1) if _x(east, z) - _x(west, z) <= WIDEST), SHALLOWEST)
        self.left, self.top = _x(west, self.zoom), _y(north, self.zoom)
        self.width, self.height = _x(east, self.zoom) - self.left, _y(south, self.zoom) - self.top

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        """Give the pixel of a place."""
        return round(_x(lon, self.zoom) - self.left, 1), round(_y(lat, self.zoom) - self.top, 1)

    def holds(self, lon: float, lat: float) -> bool:
        """Say whether a place is in the picture."""
        x, y = self.at(lon, lat)
        return 0 <= x <= self.width and 0 <= y <= self.height

    def tiles(self, layer: str) -> list[Node]:
        """Draw the tiles of a layer that are under the picture."""
        x0, x1 = floor(self.left / SIDE), floor((self.left + self.width) / SIDE)
        y0, y1 = floor(self.top / SIDE), floor((self.top + self.height) / SIDE)
        return [
            el(
                "image", href=f"/tiles/drawn/{layer}/{self.zoom}/{x}/{y}.png", x=f"{x * SIDE - self.left:.1f}",
                y=f"{y * SIDE - self.top:.1f}", width=str(SIDE), height=str(SIDE),
            )
            for x in range(x0, x1 + 1)
            for y in range(y0, y1 + 1)
        ]  # fmt: skip


def _x(lon: float, zoom: int) -> float:
    return (lon + 180) / 360 * SIDE * 2**zoom


def _y(lat: float, zoom: int) -> float:
    return (1 - asinh(tan(radians(lat))) / pi) / 2 * SIDE * 2**zoom


def _wider(box: Bbox) -> Bbox:
    west, south, east, north = box
    dx, dy = (east - west) * MARGIN, (north - south) * MARGIN
    return west - dx, south - dy, east + dx, north + dy


def overview(view: RefusedView, links: Mapping[str, str]) -> Node:
    """Draw where the rows found lie: those of this page with the numbers of the list, the others as dots."""
    frame = Frame(_wider(view.ground.bbox))
    numbers = {one.stands.row.name: n for n, one in enumerate(view.rows, view.first + 1)}
    inside = [(s, p) for s, p in view.pins if p.how != "away" and frame.holds(p.lon, p.lat)]
    dots = [_dot(frame, s.row.name, p, links) for s, p in inside if s.row.name not in numbers]
    pins = [
        _pin(frame, numbers[s.row.name], p, links[s.row.name], opened=view.values.get("row") == s.row.name)
        for s, p in inside
        if s.row.name in numbers
    ]
    off = [(s, p) for s, p in view.pins if (s, p) not in inside]
    picture = el(
        "svg", [frame.tiles(layer) for layer in view.base], dots, pins, viewBox=_box(frame), role="group",
        aria_label=words("page.refused.map"), class_="small-map",
    )  # fmt: skip
    outside = [el("a", str(numbers[s.row.name]), href=links[s.row.name]) for s, _ in off if s.row.name in numbers]
    facts: list[Node] = [
        words("page.refused.on_map", n=len(inside), all=len(view.listed.found)),
        [words("page.refused.off_map", n=len(off)), *((" ", o) for o in outside)] if off else None,
        words("page.refused.unplaced", n=view.unplaced) if view.unplaced else None,
        words("page.refused.more_places", n=view.more_places) if view.more_places else None,
    ]
    swapped = any(p.how == "exchanged" for _, p in inside)
    return el(
        "figure",
        picture if view.pins else None,
        el("figcaption", [el("span", f) for f in facts if f]),
        el("small", words("page.refused.exchanged_sign"), class_="muted") if swapped else None,
        class_="map-of",
        id="refused-map",
    )


def _box(frame: Frame) -> str:
    return f"0 0 {frame.width:.1f} {frame.height:.1f}"


def _dot(frame: Frame, name: str, place: Place, links: Mapping[str, str]) -> Node:
    x, y = frame.at(place.lon, place.lat)
    return el(
        "a", el("circle", cx=str(x), cy=str(y), r="5", class_=f"dot {place.how}"), href=links[name], tabindex="-1"
    )


def _pin(frame: Frame, number: int, place: Place, link: str, *, opened: bool) -> Node:
    x, y = frame.at(place.lon, place.lat)
    drawn = [
        el("circle", cx=str(x), cy=str(y), r="12"),
        el("text", str(number), x=str(x), y=str(y + 4), text_anchor="middle"),
    ]
    kind = f"pin {place.how} {'on' if opened else ''}".strip()
    return el("a", drawn, href=link, class_=kind, aria_label=words("page.refused.pin", n=number))


def close_up(view: RefusedView, one: Told) -> Node:
    """Draw one row's own shape on the ground about it."""
    place = one.place
    if place is None:
        said = rules.OF_PLACE & {r.rule for r in one.whole.reasons}
        return el("p", words("page.refused.no_place"), class_="muted") if said else None
    if place.how == "away":
        return el("p", words("page.refused.away", lon=f"{place.lon:.5f}", lat=f"{place.lat:.5f}"), class_="muted")
    frame = Frame(_around(place))
    lines = [
        el("polyline", points=" ".join(f"{x},{y}" for x, y in (frame.at(*p) for p in ring)), class_="outline")
        for ring in place.outline
    ]
    x, y = frame.at(place.lon, place.lat)
    mark = None if lines else el("circle", cx=str(x), cy=str(y), r="8", class_=f"dot {place.how}")
    return el(
        "figure",
        el(
            "svg", [frame.tiles(layer) for layer in view.base], lines, mark, viewBox=_box(frame), role="img",
            aria_label=words("page.refused.map_row"), class_="small-map close",
        ),
        el("figcaption", words(f"page.refused.place_{place.how}")),
        class_="map-of",
    )  # fmt: skip


def _around(place: Place) -> Bbox:
    points = [p for ring in place.outline for p in ring] or [(place.lon, place.lat)]
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    half = max((north - south) * 0.75, (east - west) * 0.5, CLOSE_M / DEGREE_M)
    wide = half * 1.6 / cos(radians(place.lat))
    lon, lat = (west + east) / 2, (south + north) / 2
    return lon - wide, lat - half, lon + wide, lat + half
