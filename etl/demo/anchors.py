"""Where the things of a declaration lie in the demo village: by a brook, on a road, in a field, at somebody's house."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from etl.demo.frame import YEARS
from etl.demo.grids import grid_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.demo.village import Truth
    from twin.model import Resource

Row = dict[str, Any]
ROADSIDE_M = 3.0
SITE_M = 22.0
_HAMLET = re.compile(r"^\D+")
POINTS = (
    ("断面|排污口|水闸|泵站|饮水", "rivers"),
    ("水库|山塘", "waters"),
    ("尾水", "ponds"),
    ("病虫|土壤|秸秆", "fields"),
    ("森林|松材", "forest"),
    ("桥", "crossings"),
    ("公交|交通事故|路灯|停车|视频|占道|消火栓|广告|基站|广播|压力", "roads"),
    ("企业|主体|作坊|工坊|食品|特种|风险源|安全生产|排污|药店|排放|治安重点", "firms"),
    ("走访|光伏|燃气场站|巡查事件|重点场所|雷电|高风险|集体资产|畜禽", "houses"),
    ("", "halls"),
)
POLYGONS = (
    ("人流|宽带|学区|小区|停电|停水", "grids"),
    ("农田|粮|耕地|试验|整治|流转", "plots"),
    ("村落|文物|违法", "buildings"),
    ("湿地", "surfaces"),
    ("", "sites"),
)
LINES = (("渠|堤", "brooks"), ("", "streets"))
"""By kind of geometry: the first row whose words stand in a resource's titles says from which pool it is drawn."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One place, and what a clerk would say of it."""

    geometry: Any
    name: str = ""
    hamlet: str = ""
    address: str = ""
    grid_code: str = ""
    grid_name: str = ""
    road: str = ""
    river: str = ""
    holder: str = ""


class Ground:
    """The pools of places of one village, each made when it is first asked for."""

    def __init__(self, truth: Truth) -> None:
        """Look at the village as it is now."""
        self.truth = truth
        self.homes = truth.tables["households"]
        self._trees: dict[str, shapely.STRtree] = {}

    def spots(self, resource: Resource, count: int, rng: np.random.Generator) -> list[Spot]:
        """Give `count` places (fewer where the village has fewer) that suit the resource, told by what is near."""
        pool = self._pool(resource)
        picked = sorted(rng.permutation(len(pool))[:count].tolist())
        return self._told([pool[k] for k in picked])

    def _pool(self, resource: Resource) -> list[Spot]:
        rules = {"point": POINTS, "polygon": POLYGONS, "line": LINES}.get(resource.kind, (("", "houses"),))
        words = f"{resource.title.zh} {resource.class_path[-1]}"
        if resource.key == "grid_code":
            return self.grids
        return getattr(self, next(pool for pattern, pool in rules if re.search(pattern, words)))

    def _now(self, table: str) -> list[Row]:
        return [r for r in self.truth.tables[table] if r.get("year", YEARS[-1]) == YEARS[-1]]

    def _table(self, table: str, largest: int = 0) -> list[Spot]:
        rows = self._now(table)
        if largest:
            rows = sorted(rows, key=lambda r: -r["geometry"].area)[:largest]
        return [Spot(geometry=r["geometry"], name=str(r.get("name", ""))) for r in rows]

    def _inside(self, table: str, largest: int = 0) -> list[Spot]:
        return [replace(s, geometry=s.geometry.representative_point()) for s in self._table(table, largest)]

    @cached_property
    def houses(self) -> list[Spot]:
        """Every household's house."""
        return [Spot(geometry=r["geometry"]) for r in self.homes]

    @cached_property
    def halls(self) -> list[Spot]:
        """Public places: the hall, the clinic, the school, the squares."""
        return self._table("public_facilities")

    @cached_property
    def firms(self) -> list[Spot]:
        """Firms and homestays."""
        return self._table("enterprises") + self._table("homestays")

    @cached_property
    def waters(self) -> list[Spot]:
        """Reservoirs and ponds, as points."""
        return [s for s in self._inside("water_bodies") if "溪" not in s.name]

    @cached_property
    def surfaces(self) -> list[Spot]:
        """Reservoirs and ponds, as surfaces."""
        return self._table("water_bodies")

    @cached_property
    def ponds(self) -> list[Spot]:
        """Fish ponds."""
        return self._inside("fish_ponds")

    @cached_property
    def fields(self) -> list[Spot]:
        """Points in fields."""
        return self._inside("crops", 300)

    @cached_property
    def plots(self) -> list[Spot]:
        """Fields as surfaces, the large ones."""
        return self._table("crops", 80)

    @cached_property
    def forest(self) -> list[Spot]:
        """Points in woods."""
        return self._inside("forest_stands")

    @cached_property
    def buildings(self) -> list[Spot]:
        """Houses as footprints."""
        return self._table("buildings")

    @cached_property
    def grids(self) -> list[Spot]:
        """The twelve grids, each told by itself."""
        rows = self.truth.tables["grids"]
        return [Spot(geometry=r["geometry"], name=r["grid_name"]) for r in rows]

    @cached_property
    def sites(self) -> list[Spot]:
        """Small squares of building land around public places and firms."""
        return [
            replace(s, geometry=shapely.box(*s.geometry.buffer(SITE_M).bounds))
            for s in [*self.halls, *self.firms]
            if self.truth.boundary.contains(s.geometry.buffer(2 * SITE_M))
        ]

    @cached_property
    def streets(self) -> list[Spot]:
        """Road centre lines of some length."""
        return [s for s in self._table("roads") if s.geometry.length > 80]

    @cached_property
    def brooks(self) -> list[Spot]:
        """The river and its brooks."""
        return self._table("rivers")

    @cached_property
    def rivers(self) -> list[Spot]:
        """Points along the brooks."""
        return [replace(s, geometry=p) for s in self.brooks for p in _along(s.geometry, 220.0)]

    @cached_property
    def roads(self) -> list[Spot]:
        """Points beside the roads."""
        return [
            replace(s, geometry=shapely.Point(p.x + ROADSIDE_M, p.y))
            for s in self.streets
            for p in _along(s.geometry, 90.0)
        ]

    @cached_property
    def crossings(self) -> list[Spot]:
        """Where a road crosses a brook."""
        found = [
            Spot(geometry=p, name=s.name)
            for s in self.streets
            for b in self.brooks
            for p in shapely.get_parts(s.geometry.intersection(b.geometry))
            if p.geom_type == "Point"
        ]
        return found or self.rivers

    def _told(self, spots: Sequence[Spot]) -> list[Spot]:
        """Say of each place in which grid it lies and whose house, road and brook are next to it."""
        if not spots:
            return []
        shapes = [s.geometry for s in spots]
        names = {g["grid_code"]: g["grid_name"] for g in self.truth.tables["grids"]}
        at = [shape.representative_point() for shape in shapes]
        codes = grid_of(at, self.truth.tables["grids"])
        home = self._nearest("households", at)
        road, river = self._nearest("roads", at), self._nearest("rivers", at)
        return [
            replace(
                spot,
                hamlet=(_HAMLET.match(h["address"]) or [""])[0],
                address=h["address"],
                holder=h["head_name"],
                grid_code=code,
                grid_name=names[code],
                road=r["name"] or "村道",
                river=w["name"],
            )
            for spot, code, h, r, w in zip(spots, codes, home, road, river, strict=True)
        ]

    def _nearest(self, table: str, points: Sequence[shapely.Point]) -> list[Row]:
        rows = self.truth.tables[table]
        if table not in self._trees:
            self._trees[table] = shapely.STRtree([r["geometry"] for r in rows])
        return [rows[int(k)] for k in self._trees[table].nearest(np.array(points, dtype=object))]


def _along(line: shapely.LineString, step_m: float) -> list[shapely.Point]:
    return [line.interpolate(s) for s in np.arange(step_m / 2, line.length, step_m).tolist()]
