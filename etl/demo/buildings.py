"""The homesteads on their lots and the buildings on them, in 2020 and in 2025."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.frame import YEARS, chance
from etl.demo.layout import LOT_M, ROADS_AT, Block, Plot, Road

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from etl.demo.terrain import Terrain

Row = dict[str, Any]
HOUSEHOLDS = 512
NEW_LOTS = 18
# the homestead the documentation walks through: 溪口38号, 118.0 m² in 2020, 131.2 m² in 2025, approved 124.6 m²
WALKED = {
    "hamlet": "溪口",
    "number": 38,
    "index": 117,
    "width": 10.25,
    "depth": 12.8,
    "added": 1.2878,
    "approved": 124.6,
}


@dataclass(frozen=True, kw_only=True)
class Lot:
    """A place for one homestead: centre, direction of its road side, width, depth and where the yard lies."""

    hamlet: str
    centre: tuple[float, float]
    angle: float
    width: float
    depth: float
    back: float
    number: int = 0
    since: int = 2000


def rectangle(
    centre: tuple[float, float], angle: float, x: tuple[float, float], y: tuple[float, float]
) -> shapely.Polygon:
    """Return the rectangle x0–x1 along `angle` and y0–y1 across it, about `centre`."""
    corners = np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return shapely.set_precision(shapely.Polygon(corners @ turn + centre), 0.001)


def lots_of(terrain: Terrain, blocks: Sequence[Block], new: set[int], seed: int) -> list[Lot]:
    """Divide blocks into lots; drop the ones that would leave their block and those left as gardens."""
    rng, found = chance(seed, "lots"), []
    for k, block in enumerate(blocks):
        n = max(1, int((block.s1 - block.s0) / LOT_M))
        pitch = (block.s1 - block.s0) / n
        for i in range(n):
            lot = _lot(terrain, block, block.s0 + (i + 0.5) * pitch, pitch, 2025 if k in new else 2000, rng)
            if block.polygon.contains(_outline(lot)):
                found.append(lot)
    return _chosen(_apart(found), rng)


def _outline(lot: Lot) -> shapely.Polygon:
    return rectangle(lot.centre, lot.angle, (-lot.width / 2, lot.width / 2), (-lot.depth / 2, lot.depth / 2))


def _apart(lots: list[Lot]) -> list[Lot]:
    """Drop every lot that would overlap an earlier one, as on the inner side of a bend."""
    outlines = np.array([_outline(lot) for lot in lots])
    first, second = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    late = set(second[first < second].tolist())
    return [lot for k, lot in enumerate(lots) if k not in late]


def _lot(terrain: Terrain, block: Block, s: float, pitch: float, since: int, rng: np.random.Generator) -> Lot:
    valley, at = terrain.valley, ROADS_AT[block.road]
    depth = float(rng.choice([12.6, 13.8, 15.2, 16.4], p=[0.3, 0.35, 0.25, 0.1]))
    width = float(min(pitch - 1.6, rng.uniform(10.2, 13.4)))
    d = float(at(s)) + block.side * (block.offset + 9.5)
    ahead = valley.at([s - 8, s + 8], [float(at(s - 8)), float(at(s + 8))])
    angle = float(np.arctan2(*(ahead[1] - ahead[0])[::-1])) + rng.normal(0, 0.012)
    x, y = valley.at(s + rng.uniform(-0.4, 0.4), d + rng.uniform(-0.5, 0.5))
    return Lot(
        hamlet=block.hamlet, centre=(float(x), float(y)), angle=angle, width=width, depth=depth, back=1.0, since=since
    )


def _chosen(lots: list[Lot], rng: np.random.Generator) -> list[Lot]:
    """Keep 512 lots, old and new, numbered within their hamlet from west to east."""
    old = [lot for lot in lots if lot.since < 2025]
    new = [lot for lot in lots if lot.since == 2025][:NEW_LOTS]
    keep = sorted(rng.permutation(len(old))[: HOUSEHOLDS - len(new)])
    kept, counts = [*(old[k] for k in keep), *new], {}
    for k, lot in enumerate(kept):
        counts[lot.hamlet] = counts.get(lot.hamlet, 0) + 1
        kept[k] = replace(lot, number=counts[lot.hamlet])
    walked = next(k for k, lot in enumerate(kept) if (lot.hamlet, lot.number) == (WALKED["hamlet"], WALKED["number"]))
    kept[walked] = replace(kept[walked], width=WALKED["width"], depth=WALKED["depth"])
    kept[walked], kept[WALKED["index"]] = kept[WALKED["index"]], kept[walked]
    return kept


@dataclass(kw_only=True)
class Estate:
    """Homestead and building rows as they are collected, with the counter of building numbers."""

    homesteads: list[Row] = field(default_factory=list)
    buildings: list[Row] = field(default_factory=list)
    count: int = 0

    def build(self, shapes: dict[int, shapely.Polygon], **facts: Any) -> None:
        """Add one building in each year that `shapes` has a footprint for."""
        self.count += 1
        number = f"B{self.count:04d}"
        for year, polygon in shapes.items():
            storeys = facts.get(f"storeys_{year}", facts["storeys"])
            row = {key: value for key, value in facts.items() if not key.startswith("storeys_")}
            row |= {"building_id": number, "year": year, "storeys": storeys, "geometry": polygon}
            row["height_m"] = round(storeys * facts["storey_m"] + facts["roof_m"], 1)
            self.buildings.append({key: value for key, value in row.items() if key not in ("storey_m", "roof_m")})


def settle(lots: Sequence[Lot], seed: int) -> Estate:
    """Put a homestead and its house (and sometimes a shed in the yard) on every lot."""
    rng, estate = chance(seed, "houses"), Estate()
    for k, lot in enumerate(lots):
        _homestead(estate, k, lot, rng)
    return estate


def _homestead(estate: Estate, k: int, lot: Lot, rng: np.random.Generator) -> None:
    parcel_id, household_id = f"ZD-{k + 1:04d}", f"H{k + 1:04d}"
    grows = lot.since < 2025 and rng.random() < 0.22
    added = rng.uniform(0.5, 1.5) if grows else 0.0
    added = WALKED["added"] if k == WALKED["index"] else added
    half, front = lot.width / 2, -lot.depth / 2
    shapes = {
        year: rectangle(lot.centre, lot.angle, (-half, half), (front + (added if year == 2020 else 0), lot.depth / 2))
        for year in YEARS
    }
    if lot.since == 2025:
        del shapes[2020]
    base = shapes.get(2020, shapes[2025]).area
    approved = round(base if rng.random() < 0.8 else base * rng.uniform(0.94, 1.0), 1)
    approved = WALKED["approved"] if k == WALKED["index"] else approved
    for year, polygon in shapes.items():
        estate.homesteads.append(
            {
                "parcel_id": parcel_id,
                "year": year,
                "household_id": household_id,
                "approved_area_m2": approved,
                "address": f"{lot.hamlet}{lot.number}号",
                "hamlet": lot.hamlet,
                "area_m2": round(polygon.area, 2),
                "geometry": polygon,
            }
        )
    _house(estate, lot, parcel_id, household_id, added, rng)


def _house(estate: Estate, lot: Lot, parcel_id: str, household_id: str, added: float, rng: np.random.Generator) -> None:
    built, structure, storeys = _construction(lot, rng)
    half = lot.width / 2 - rng.uniform(0.3, 0.9)
    deep = float(min(lot.depth - added - 2.2, rng.uniform(8.2, 10.8)))
    back = lot.depth / 2 - rng.uniform(0.3, 0.9)
    fronts = {year: back - deep - (added * 0.8 if year == 2025 else 0) for year in YEARS if lot.since <= year}
    shapes = {year: rectangle(lot.centre, lot.angle, (-half, half), (front, back)) for year, front in fronts.items()}
    raised = storeys + (1 if rng.random() < 0.07 and structure in ("砖混", "钢混") and storeys < 4 else 0)
    facts = {
        "structure": structure,
        "use": "住宅",
        "built_year": built,
        "homestead_id": parcel_id,
        "household_id": household_id,
        "hamlet": lot.hamlet,
        "address": f"{lot.hamlet}{lot.number}号",
        "name": "",
        "angle": lot.angle,
        "roof": "gable" if built < 2012 or rng.random() < 0.6 else "flat",
    }
    estate.build(shapes, storeys=storeys, storeys_2025=raised, storey_m=3.1, roof_m=1.6, **facts)
    yard = (-lot.depth / 2 + added + 0.3, lot.depth - added - deep - 1.9)
    if yard[1] > 2.6 and rng.random() < 0.72:
        shed = dict.fromkeys(shapes, _shed(lot, half, yard, rng))
        facts |= {"use": "附属用房", "structure": "砖木", "roof": "flat"}
        estate.build(shed, storeys=1, storey_m=2.6, roof_m=0.4, **facts)


def _construction(lot: Lot, rng: np.random.Generator) -> tuple[int, str, int]:
    """Return the year a house was built in, its structure and its storeys."""
    wave = rng.choice([1968, 1978, 1988, 1996, 2004, 2012, 2017], p=[0.03, 0.07, 0.17, 0.25, 0.25, 0.16, 0.07])
    built = int(wave + rng.integers(-4, 3)) if lot.since < 2025 else int(rng.integers(2021, 2025))
    if (lot.hamlet, lot.number) == (WALKED["hamlet"], WALKED["number"]):
        return 2009, "砖混", 3
    if built < 1989:
        return (built, "土木", 1) if built < 1974 else (built, "砖木", int(rng.integers(1, 3)))
    if built < 2009 or rng.random() < 0.5:
        return built, "砖混", int(rng.choice([2, 3, 3, 4]))
    return built, "钢混", int(rng.choice([3, 3, 4]))


def _shed(lot: Lot, half: float, yard: tuple[float, float], rng: np.random.Generator) -> shapely.Polygon:
    wide = rng.uniform(2.8, 4.2)
    x = (-half, -half + wide) if rng.random() < 0.5 else (half - wide, half)
    return rectangle(lot.centre, lot.angle, x, (yard[0], yard[0] + min(3.4, yard[1] - 1.2)))


# kind of yard: (use, storeys, storey height, structure, (x0, x1, y0, y1) as shares of the yard's own frame)
_PUBLIC = {
    "committee": (
        ("行政办公", 3, 3.4, "钢混", (0.08, 0.62, 0.52, 0.86)),
        ("文化礼堂", 2, 4.2, "钢混", (0.68, 0.93, 0.2, 0.86)),
    ),
    "school": (
        ("学校", 4, 3.6, "钢混", (0.06, 0.62, 0.72, 0.92)),
        ("学校", 3, 3.6, "钢混", (0.06, 0.2, 0.18, 0.66)),
        ("学校", 1, 6.0, "钢混", (0.72, 0.94, 0.55, 0.92)),
    ),
    "clinic": (("医疗卫生", 2, 3.4, "砖混", (0.12, 0.88, 0.3, 0.85)),),
    "shops": (
        ("商业", 2, 3.6, "砖混", (0.05, 0.47, 0.12, 0.42)),
        ("商业", 2, 3.6, "砖混", (0.52, 0.95, 0.12, 0.42)),
        ("农贸市场", 1, 5.5, "钢混", (0.12, 0.6, 0.56, 0.9)),
    ),
    "works": (
        ("厂房", 1, 8.0, "钢混", (0.08, 0.6, 0.12, 0.56)),
        ("厂房", 1, 7.0, "钢混", (0.08, 0.6, 0.62, 0.92)),
        ("厂房办公", 3, 3.4, "砖混", (0.7, 0.92, 0.3, 0.85)),
    ),
    "inn": (("民宿", 3, 3.2, "砖混", (0.1, 0.44, 0.3, 0.8)), ("民宿", 2, 3.2, "砖木", (0.55, 0.9, 0.4, 0.85))),
    "care": (("养老服务", 2, 3.4, "砖混", (0.1, 0.9, 0.4, 0.85)),),
    "depot": (("公用设施", 1, 4.5, "砖混", (0.15, 0.7, 0.3, 0.8)),),
}


def yard_frame(yard: BaseGeometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a yard's south-western corner, its eastward and its northward side, as vectors in metres."""
    ring = shapely.get_coordinates(shapely.minimum_rotated_rectangle(yard))[:4]
    sides = sorted((ring[1] - ring[0], ring[2] - ring[1]), key=lambda side: abs(side[0]) / np.linalg.norm(side))
    along, across = sides[1] * np.sign(sides[1][0]), sides[0] * np.sign(sides[0][1])
    outward = along / np.linalg.norm(along) + across / np.linalg.norm(across)
    return ring[(ring @ outward).argmin()], along, across


def public_buildings(estate: Estate, yards: Sequence[Plot]) -> None:
    """Put the public and the working buildings into their yards."""
    for yard in yards:
        origin, along, across = yard_frame(yard.polygon)
        for use, storeys, tall, structure, (x0, x1, y0, y1) in _PUBLIC.get(yard.kind, ()):
            corners = [origin + along * x + across * y for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
            polygon = shapely.set_precision(shapely.Polygon(corners), 0.001)
            estate.build(
                dict.fromkeys(YEARS, polygon),
                storeys=storeys,
                storey_m=tall,
                roof_m=0.8,
                structure=structure,
                use=use,
                built_year=2008,
                homestead_id="",
                household_id="",
                hamlet="",
                address="",
                name=yard.name,
                angle=float(np.arctan2(along[1], along[0])),
                roof="metal" if use == "厂房" else "flat",
            )


def roadside(road: Road, fraction: float, side: float) -> shapely.Point:
    """Return a point beside a road, `side` metres left of its centre line."""
    at = road.line.length * fraction
    a, b = (shapely.get_coordinates(road.line.interpolate(p))[0] for p in (at - 1, at + 1))
    t = (b - a) / np.linalg.norm(b - a)
    return shapely.Point(np.round((a + b) / 2 + side * np.array([-t[1], t[0]]), 3))
