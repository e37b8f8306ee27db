"""The village itself, and the one value in which it is joined with what it receives and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from twin.model.drawn import Layer, Theme
from twin.model.received import CodeSystem, Department, Resource
from twin.model.responsibility import ResponsibilityItem
from twin.model.text import UNSAID, Text

Bbox = tuple[float, float, float, float]
"""(west, south, east, north) in degrees, lon and lat of EPSG:4326."""


@dataclass(frozen=True, kw_only=True)
class Village:
    """One village: its names and codes, where it lies, and the coordinate systems its numbers are computed in.

    `bbox` and `plausible_bbox` (the neighbours') are degrees lon/lat; `metric_crs` is the one projected system in
    which areas and lengths are computed; `storage_crs` is the geographic one of the store;
    `accepted_crs` maps "EPSG:n" → accuracy in metres that the data owner has accepted.
    `clock` freezes what counts as now (a demo), None means the real clock. `area_unit` is "mu" or "ha".
    """

    id: str
    name: Text
    code: str
    county: Text
    county_code: str
    bbox: Bbox
    plausible_bbox: Bbox
    metric_crs: str
    storage_crs: str
    center: tuple[float, float]
    zoom: float
    time_zone: str
    area_unit: Literal["mu", "ha"] = "mu"
    accepted_crs: Mapping[str, float] = field(default_factory=dict[str, float])
    clock: datetime | None = None
    attribution: Text = UNSAID
    demo: bool = False


@dataclass(frozen=True, kw_only=True)
class OneMap:
    """A village, as received and as drawn, joined: all that the engine is told."""

    village: Village
    departments: tuple[Department, ...]
    code_systems: tuple[CodeSystem, ...]
    themes: tuple[Theme, ...]
    layers: tuple[Layer, ...]
    responsibilities: tuple[ResponsibilityItem, ...] = ()

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Give every resource of every department, in catalogue order."""
        return tuple(r for d in self.departments for r in d.resources)

    def resource(self, table: str) -> Resource | None:
        """Give the resource whose table is `table`, or None."""
        return next((r for r in self.resources if r.id == table), None)

    def layer(self, layer_id: str) -> Layer | None:
        """Give the layer with this permanent id, or None."""
        return next((x for x in self.layers if x.id == layer_id), None)

    def department(self, department_id: str) -> Department | None:
        """Give the department with this id, or None."""
        return next((d for d in self.departments if d.id == department_id), None)

    def code_system(self, system_id: str) -> CodeSystem | None:
        """Give the code system "name@version", or None."""
        return next((c for c in self.code_systems if c.id == system_id), None)
