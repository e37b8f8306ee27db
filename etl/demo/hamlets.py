"""Where houses stand: rows of lots along the roads, the public yards, ponds and works among them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import shapely

from etl.demo.frame import chance
from etl.demo.layout import (
    HAMLETS,
    LANE_M,
    LOT_M,
    ROADS_AT,
    ROW_M,
    Block,
    Hamlet,
    Plot,
    Road,
    main_road,
    ring_road,
    river_half_width,
    strip,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike
    from shapely.geometry.base import BaseGeometry

    from etl.demo.terrain import Terrain, Valley

FIRST_ROW_M = 8.5


def _road_strip(valley: Valley, road: str, side: int, s0: float, s1: float, near: float, far: float) -> shapely.Polygon:
    at = ROADS_AT[road]
    return strip(valley, s0, s1, lambda s: at(s) + side * near, lambda s: at(s) + side * far)


def make_blocks(terrain: Terrain, reserved: BaseGeometry, seed: int) -> tuple[Block, ...]:
    """Lay blocks of five to seven lots in rows behind each hamlet's road, where the ground is fit to build on."""
    rng = chance(seed, "blocks")
    found: list[Block] = []
    for hamlet in HAMLETS:
        found += _hamlet_blocks(terrain, hamlet, reserved, rng)
    return tuple(found)


def _hamlet_blocks(terrain: Terrain, hamlet: Hamlet, reserved: BaseGeometry, rng: np.random.Generator) -> list[Block]:
    edges = [hamlet.s0]
    while edges[-1] < hamlet.s1:
        edges.append(edges[-1] + LOT_M * rng.integers(4, 8) + LANE_M)
    found, west, east = [], hamlet.s0, hamlet.s1
    for row in range(hamlet.rows):
        near = FIRST_ROW_M + row * ROW_M
        for s0, s1 in itertools.pairwise(edges):
            start, end = max(s0, west), min(s1 - LANE_M, east)
            if end - start < 1.6 * LOT_M:
                continue
            polygon = _road_strip(terrain.valley, hamlet.road, hamlet.side, start, end, near, near + ROW_M - LANE_M)
            if _buildable(terrain, polygon) and not polygon.intersects(reserved):
                found.append(
                    Block(
                        hamlet=hamlet.name,
                        road=hamlet.road,
                        side=hamlet.side,
                        row=row,
                        s0=start,
                        s1=end,
                        offset=near,
                        polygon=polygon,
                    )
                )
        west, east = west + rng.uniform(-6, 55), east - rng.uniform(-6, 55)
    return found


def _buildable(terrain: Terrain, polygon: shapely.Polygon) -> bool:
    xy = shapely.get_coordinates(polygon)
    return bool((terrain.sample(terrain.rise, xy) < 17).all() and (terrain.sample(terrain.slope, xy) < 0.24).all())


def make_yards(terrain: Terrain) -> tuple[Plot, ...]:
    """Set aside the yards of the committee, the school, the clinic, shops, works and the square."""
    valley = terrain.valley

    def yard(kind: str, code: str, name: str, road: str, side: int, s0: float, s1: float, far: float) -> Plot:
        return Plot(kind=kind, land_class=code, name=name, polygon=_road_strip(valley, road, side, s0, s1, 6.0, far))

    return (
        yard("committee", "08H1", "示范村村民委员会", "溪口路", 1, 1384, 1440, 52),
        yard("square", "0810", "溪口文化广场", "溪口路", 1, 1444, 1492, 52),
        yard("school", "08H2", "示范村小学", "溪口路", 1, 1642, 1720, 76),
        yard("clinic", "08H2", "示范村卫生室", "溪口路", 1, 1338, 1380, 30),
        yard("shops", "05H1", "溪口商业街", "溪口路", -1, 1466, 1530, 46),
        yard("works", "0601", "石坞竹制品厂", "溪口路", 1, 2095, 2160, 62),
        yard("works", "0601", "示范村茶叶加工厂", "溪口路", 1, 2022, 2085, 50),
        yard("inn", "05H1", "前山民宿", "环村路", -1, 1832, 1880, 44),
        yard("care", "08H2", "居家养老服务照料中心", "环村路", -1, 1400, 1446, 32),
        yard("depot", "0809", "前山垃圾分拣中心", "环村路", -1, 2100, 2126, 26),
        yard("depot", "0809", "溪口污水处理终端", "溪口路", -1, 1775, 1800, 28),
    )


def make_ponds(terrain: Terrain) -> tuple[Plot, ...]:
    """Dig two rows of fish ponds by the river, the half-moon pond of 溪口 and a few small tanks."""
    valley, found = terrain.valley, []
    for row, (near, far) in enumerate(((0.10, 0.47), (0.53, 0.90))):
        s = 2048.0
        for k in range(7):
            wide = (50, 58, 46, 62, 54, 48, 60, 52)[k]
            found.append(
                Plot(
                    kind="fish pond",
                    land_class="1104",
                    name=f"{row * 7 + k + 1}号塘",
                    polygon=_between(valley, s, s + wide, near, far),
                )
            )
            s += wide + 4.5
    t = np.linspace(0, np.pi, 24)
    moon = np.vstack([valley.at(1300 + 30 * np.cos(t), main_road(1300) + 40 + 24 * np.sin(t))])
    found.append(Plot(kind="pond", land_class="1104", name="月塘", polygon=shapely.Polygon(moon)))
    for name, s, d, r in (
        ("石埠塘", 900, -262, 21),
        ("上塘小塘", 720, 262, 17),
        ("东坞塘", 2560, 300, 15),
        ("南坞塘", 2230, -290, 18),
    ):
        ring = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        wave = r * (1 + 0.16 * np.sin(2 * ring + s) + 0.08 * np.sin(3 * ring))
        found.append(
            Plot(
                kind="pond",
                land_class="1104",
                name=name,
                polygon=shapely.Polygon(valley.at(s + 1.3 * wave * np.cos(ring), d + wave * np.sin(ring))),
            )
        )
    return tuple(found)


def _between(valley: Valley, s0: float, s1: float, near: float, far: float) -> shapely.Polygon:
    """Return the plot between two shares of the way from the river's south bank to the ring road."""

    def at(share: float) -> Callable[[ArrayLike], np.ndarray]:
        def offset(s: ArrayLike) -> np.ndarray:
            bank = valley.river(s) - river_half_width(s) - 7
            return bank + share * (ring_road(s) + 6 - bank)

        return offset

    return strip(valley, s0, s1, at(near), at(far)).buffer(-2.5, quad_segs=3).buffer(2.5, quad_segs=3)


def newest(blocks: tuple[Block, ...]) -> set[int]:
    """Return the blocks that were still fields in 2020: the rearmost block of three hamlets."""
    return {
        max((b.row, b.s0, k) for k, b in enumerate(blocks) if b.hamlet == name)[2] for name in ("溪口", "前山", "东坞")
    }


def make_lanes(terrain: Terrain, blocks: tuple[Block, ...]) -> list[Road]:
    """Return the lanes behind each row of houses and between the blocks, as centre lines joined to the road."""
    sides: dict[tuple[str, str, int], list[Block]] = {}
    for block in blocks:
        sides.setdefault((block.hamlet, block.road, block.side), []).append(block)
    found: list[Road] = []
    for (hamlet, road, side), members in sides.items():
        for line in (
            *_behind_rows(terrain.valley, road, side, members),
            *_between_blocks(terrain.valley, road, side, members),
        ):
            number = sum(lane.name.startswith(hamlet) for lane in found) + 1
            found.append(Road(name=f"{hamlet}{number}弄", kind="巷弄", width_m=3.5, surface="水泥", line=line))
    return found


def _behind_rows(valley: Valley, road: str, side: int, members: list[Block]) -> list[shapely.LineString]:
    found = []
    for row in sorted({block.row for block in members}):
        mine = [block for block in members if block.row == row]
        s = np.arange(min(b.s0 for b in mine) - 2, max(b.s1 for b in mine) + 2, 6.0)
        d = ROADS_AT[road](s) + side * (mine[0].offset + ROW_M - LANE_M / 2)
        found.append(shapely.LineString(valley.at(s, d)).simplify(0.1))
    return found


def _between_blocks(valley: Valley, road: str, side: int, members: list[Block]) -> list[shapely.LineString]:
    found = []
    for s in sorted({round(block.s0, 3) - LANE_M / 2 for block in members}):
        deepest = max(b.offset for b in members if b.s0 - LANE_M < s < b.s1 + LANE_M) + ROW_M - LANE_M / 2
        d = float(ROADS_AT[road](s)) + side * np.array([0.0, deepest])
        found.append(shapely.LineString(valley.at([s, s], d)))
    return found
