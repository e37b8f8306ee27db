"""What people and water laid on the land before fields were cut: river, roads, ponds, hamlets and yards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import ArrayLike

from etl.demo.frame import chance
from etl.demo.lines import level_lines
from etl.demo.terrain import DAMMED, RESERVOIR_LEVEL_M, Terrain, Valley

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Offset = float | Callable[[ArrayLike], np.ndarray]
BRIDGES_S = ((350.0, "石埠桥"), (1455.0, "溪口桥"), (2640.0, "东坞桥"))
NEW_BRIDGE_S = 2020.0
ROW_M, LOT_M, LANE_M = 23.0, 15.2, 4.0


@dataclass(frozen=True, kw_only=True)
class Road:
    """A road's centre line with what an inventory says of it."""

    name: str
    kind: str
    width_m: float
    surface: str
    line: shapely.LineString
    since: int = 2000


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A laid-out place that fields must respect: its land class and who stands on it."""

    kind: str
    land_class: str
    polygon: BaseGeometry
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A row of house lots between two lanes, in valley coordinates along a road."""

    hamlet: str
    road: str
    side: int
    row: int
    s0: float
    s1: float
    offset: float
    polygon: shapely.Polygon


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Everything laid out, in order of precedence where places would overlap."""

    roads: tuple[Road, ...]
    plots: tuple[Plot, ...]
    blocks: tuple[Block, ...]
    river: shapely.Polygon
    reservoir: shapely.Polygon
    streams: tuple[tuple[str, shapely.LineString], ...]


@dataclass(frozen=True, kw_only=True)
class Hamlet:
    """One side of a road lined with rows of houses, from `s0` to `s1` along the valley."""

    name: str
    road: str
    side: int
    s0: float
    s1: float
    rows: int


HAMLETS = (
    Hamlet(name="上塘", road="溪口路", side=1, s0=215, s1=690, rows=5),
    Hamlet(name="上塘", road="溪口路", side=-1, s0=300, s1=560, rows=1),
    Hamlet(name="溪口", road="溪口路", side=1, s0=1080, s1=1950, rows=6),
    Hamlet(name="溪口", road="溪口路", side=-1, s0=1170, s1=1760, rows=2),
    Hamlet(name="东坞", road="溪口路", side=1, s0=2240, s1=2680, rows=5),
    Hamlet(name="东坞", road="溪口路", side=-1, s0=2330, s1=2600, rows=1),
    Hamlet(name="前山", road="环村路", side=-1, s0=1060, s1=1800, rows=5),
    Hamlet(name="南坞", road="环村路", side=-1, s0=2300, s1=2620, rows=2),
    Hamlet(name="石埠", road="环村路", side=-1, s0=470, s1=920, rows=3),
)


def main_road(s: ArrayLike) -> np.ndarray:
    """Return the offset of 溪口路 from the valley axis, metres north."""
    s = np.asarray(s, float)
    return 178 + 24 * np.sin(s / 330 + 1.1) + 7 * np.sin(s / 140)


def ring_road(s: ArrayLike) -> np.ndarray:
    """Return the offset of 环村路 from the valley axis, metres (south is negative)."""
    s = np.asarray(s, float)
    return -(182 + 20 * np.sin(s / 290 + 0.5) + 6 * np.sin(s / 120 + 2))


ROADS_AT = {"溪口路": main_road, "环村路": ring_road}


def river_half_width(s: ArrayLike) -> np.ndarray:
    """Return half the width of the water, metres."""
    return 12.5 + 2.5 * np.sin(np.asarray(s, float) / 210)


def strip(valley: Valley, s0: float, s1: float, low: Offset, high: Offset) -> shapely.Polygon:
    """Return the polygon between two offsets (numbers or functions of s) from `s0` to `s1`."""
    s = np.linspace(s0, s1, max(2, int(abs(s1 - s0) / 8) + 1))
    near, far = (edge(s) if callable(edge) else np.full_like(s, edge) for edge in (low, high))
    return shapely.Polygon(np.vstack([valley.at(s, near), valley.at(s[::-1], far[::-1])]))


def _line(points: np.ndarray) -> shapely.LineString:
    return shapely.LineString(shapely.get_coordinates(shapely.LineString(points).simplify(0.15)))


def _ring(valley: Valley) -> shapely.LineString:
    (west, _), _, (east, _) = BRIDGES_S
    s = np.linspace(west + 40, east - 40, 300)
    middle = valley.at(s, ring_road(s))
    ends = [
        valley.at(at, np.linspace(edge[0], edge[1], 12))
        for at, edge in (
            (west, (float(main_road(west)), float(ring_road(west)) + 60)),
            (east, (float(ring_road(east)) + 60, float(main_road(east)))),
        )
    ]
    return _line(_rounded(np.vstack([ends[0], middle, ends[1]])))


def _rounded(points: np.ndarray) -> np.ndarray:
    line = shapely.LineString(points)
    at = np.arange(0, line.length, 6.0)
    dense = shapely.get_coordinates(shapely.line_interpolate_point(line, np.append(at, line.length)))
    kernel = np.hanning(9) / np.hanning(9).sum()
    padded = np.vstack([np.repeat(dense[:1], 4, 0), dense, np.repeat(dense[-1:], 4, 0)])
    return np.column_stack([np.convolve(padded[:, k], kernel, "valid") for k in (0, 1)])


def _beside(xy: np.ndarray, offset: float) -> np.ndarray:
    along = np.gradient(xy, axis=0)
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.linalg.norm(along, axis=1)[:, None]
    return _rounded(xy + normal * offset)


def make_roads(terrain: Terrain, seed: int) -> tuple[Road, ...]:
    """Lay the main road and the ring along the valley, bridges across, and roads up the side valleys."""
    valley, s = terrain.valley, np.linspace(-150, 3250, 500)
    roads = [
        Road(name="溪口路", kind="乡道", width_m=7.0, surface="沥青", line=_line(valley.at(s, main_road(s)))),
        Road(name="环村路", kind="村道", width_m=5.0, surface="水泥", line=_ring(valley)),
        _crossing(valley, "溪口桥路", BRIDGES_S[1][0], 2000),
        _crossing(valley, "溪南连接线", NEW_BRIDGE_S, 2023),
    ]
    for stream, name, share, road in (
        (DAMMED, "上塘路", 0.425, main_road),
        ("石坞溪", "石坞路", 0.58, main_road),
        ("前山溪", "前山路", 0.50, ring_road),
        ("南坞溪", "南坞路", 0.50, ring_road),
    ):
        roads.append(_valley_road(terrain, stream, name, share, road))
    return (*roads, *_tracks(valley, chance(seed, "tracks")), *_paths(terrain))


def _crossing(valley: Valley, name: str, s: float, since: int) -> Road:
    d = np.linspace(float(ring_road(s)), float(main_road(s)), 20)
    bow = 10 * np.sin(np.linspace(0, np.pi, 20))
    return Road(name=name, kind="村道", width_m=5.0, surface="水泥", line=_line(valley.at(s + bow, d)), since=since)


def _valley_road(
    terrain: Terrain, stream: str, name: str, share: float, start: Callable[[ArrayLike], np.ndarray]
) -> Road:
    side = next(one for one in terrain.streams if one.name == stream)
    line = _beside(side.xy, 13.0)
    d = np.array([_offset_of(terrain, p) for p in line])
    first = int(np.argmax(np.abs(d[:, 1]) > np.abs(start(d[:, 0]))))
    joint = terrain.valley.at(d[first, 0], start(d[first, 0]))
    last = int(share * len(line))
    return Road(
        name=name, kind="村道", width_m=3.5, surface="水泥", line=_line(np.vstack([joint, line[first + 1 : last]]))
    )


def _offset_of(terrain: Terrain, point: np.ndarray) -> tuple[float, float]:
    xy = point[None]
    return float(terrain.sample(terrain.s, xy)[0]), float(terrain.sample(terrain.d, xy)[0])


def _tracks(valley: Valley, rng: np.random.Generator) -> list[Road]:
    found = []
    for s in np.arange(120, 2900, 235) + rng.uniform(-40, 40, 12):
        for low, high in ((16, main_road), (-16, ring_road)):
            if min(abs(s - b) for b in (350, 1455, 2640, 2020)) < 60 or rng.random() < 0.12:
                continue
            d = np.linspace(low + float(valley.river(s)), float(high(s)), 8)
            found.append(valley.at(s + rng.uniform(-14, 14) * np.linspace(0, 1, 8), d))
    for s0, s1, share in ((420, 1400, 0.52), (1500, 2090, 0.5), (1000, 1420, -0.5), (1880, 2590, -0.55)):
        s = np.linspace(s0, s1, 60)
        other = main_road(s) if share < 0 else ring_road(s)
        found.append(valley.at(s, valley.river(s) * (1 - abs(share)) + abs(share) * other))
    return [
        Road(name=f"机耕路{k + 1}", kind="机耕路", width_m=2.6, surface="水泥" if k % 3 else "砂石", line=_line(line))
        for k, line in enumerate(found)
    ]


def _paths(terrain: Terrain) -> list[Road]:
    found = []
    for k, stream in enumerate(one for one in terrain.streams if one.order == 1):
        line = _beside(stream.xy[int(0.42 * len(stream.xy)) :], -9.0)
        found.append(Road(name=f"山径{k + 1}", kind="登山步道", width_m=1.2, surface="土路", line=_line(line)))
    return found


def make_reservoir(terrain: Terrain) -> shapely.Polygon:
    """Return the water behind the dam: the land upstream that lies under the reservoir's level."""
    side = next(one for one in terrain.streams if one.name == DAMMED)
    dam = shapely.LineString(terrain.dam)
    rings = [line for line in level_lines(terrain.z, RESERVOIR_LEVEL_M) if not line.is_empty]
    faces = shapely.get_parts(shapely.polygonize([shapely.unary_union([*rings, _longer(dam, 30)])]))
    cut = shapely.line_locate_point(shapely.LineString(side.xy), dam.intersection(shapely.LineString(side.xy)).centroid)
    inside = shapely.line_interpolate_point(shapely.LineString(side.xy), cut + 60)
    lake = next(face for face in faces if face.contains(inside))
    smooth = shapely.Polygon(lake.exterior).buffer(-6).buffer(6).simplify(0.5).difference(_longer(dam, 30).buffer(9.2))
    return shapely.Polygon(shapely.get_coordinates(smooth))


def _longer(line: shapely.LineString, by: float) -> shapely.LineString:
    (ax, ay), (bx, by_) = line.coords[0], line.coords[-1]
    k = by / line.length
    return shapely.LineString([(ax - (bx - ax) * k, ay - (by_ - ay) * k), (bx + (bx - ax) * k, by_ + (by_ - ay) * k)])
