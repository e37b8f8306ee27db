"""The defects planted in the demo's deliveries: every kind, where, how many, and what receiving must make of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import shapely
from shapely import affinity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Row = dict[str, Any]
Outcome = Literal["repaired", "quarantined", "duplicate", "published", "refused"]
DefectTable = dict[str, dict[str, int]]


@dataclass(frozen=True, kw_only=True)
class Defect:
    """What becomes of one kind of defect: its row is quarantined, repaired, dropped as a duplicate, or published.

    `rule` is the reason (quarantined), the repair (repaired), or the warning (published) that the ledger must show;
    "refused" means that the delivery as a whole is sent back.
    """

    outcome: Outcome
    rule: str


DEFECTS: Mapping[str, Defect] = MappingProxyType({
    "bow_tie": Defect(outcome="quarantined", rule="geometry_repair_area"),
    "small_loop": Defect(outcome="repaired", rule="self_intersection"),
    "ring_unclosed": Defect(outcome="repaired", rule="ring_unclosed"),
    "duplicate_identical": Defect(outcome="duplicate", rule=""),
    "duplicate_conflicting": Defect(outcome="quarantined", rule="duplicate_key"),
    "code_unknown": Defect(outcome="quarantined", rule="code_unknown"),
    "code_abolished": Defect(outcome="quarantined", rule="code_abolished"),
    "axes_swapped": Defect(outcome="quarantined", rule="axes_swapped"),
    "area_mismatch": Defect(outcome="published", rule="area_mismatch"),
    "area_not_positive": Defect(outcome="quarantined", rule="area_not_positive"),
    "outside_village": Defect(outcome="quarantined", rule="outside_village"),
    "totals_row": Defect(outcome="quarantined", rule="totals_row"),
    "id_damaged": Defect(outcome="quarantined", rule="id_damaged"),
    "required_missing": Defect(outcome="quarantined", rule="required_missing"),
    "crs_absent": Defect(outcome="refused", rule="crs"),
})  # fmt: skip

PLANTED: Mapping[str, Mapping[str, int]] = MappingProxyType({
    "bow_tie": {"land_cover": 3, "farm_contract": 2, "building": 1},
    "small_loop": {"land_cover": 4, "plan_zone": 2, "forest_stand": 1},
    "ring_unclosed": {"pond": 2, "hazard_zone": 1, "change_spot": 1},
    "duplicate_identical": {
        "land_cover": 3, "farm_contract": 4, "enterprise": 2, "case_order": 2,
        "volunteer_service": 2, "farm_machine": 1, "legal_adviser": 2,
    },
    "duplicate_conflicting": {"homestead": 2, "house_survey": 2, "address_point": 3},
    "code_unknown": {"land_cover": 4, "plan_zone": 2, "farm_contract": 3, "house_survey": 1},
    "code_abolished": {"land_cover": 3, "plan_zone": 2},
    "axes_swapped": {"address_point": 3, "place_name": 1, "aed": 1, "bridge": 1, "grain_store": 1},
    "area_mismatch": {"land_cover": 5, "homestead": 3, "farm_contract": 4},
    "area_not_positive": {"land_cover": 3, "farm_contract": 2, "facility_farm": 1},
    "outside_village": {"enterprise": 2, "bus_stop": 1, "geohazard": 1, "sanitation_point": 1},
    "totals_row": {
        "household_sorting": 10, "house_survey": 1, "population": 2, "public_facility": 1, "case_order": 1,
        "geohazard": 1, "sewage_terminal": 1, "shelter": 1, "farm_subsidy": 1, "police_case": 1, "hydrant": 1,
        "elder_checkup": 1, "relief_village": 1, "toilet_retrofit": 1,
    },
    "id_damaged": {"household_sorting": 4, "house_survey": 3, "farm_contract": 2},
    "required_missing": {
        "case_order": 1, "transformer": 1, "village_audit": 1, "service_rating": 2, "relief_supplies": 1,
    },
    "crs_absent": {"sewer_pipe": 1},
})  # fmt: skip
"""kind → resource → how many rows (for `crs_absent`: deliveries). One row carries one defect."""


@dataclass(kw_only=True)
class Planter:
    """Plant the defects of `PLANTED` and count what was truly planted; never two in one row."""

    table: DefectTable = field(default_factory=dict)
    _used: dict[str, set[int]] = field(default_factory=dict)

    def count(self, kind: str, resource: str, number: int) -> None:
        """Add `number` planted defects of a kind to the table."""
        if number:
            row = self.table.setdefault(kind, {})
            row[resource] = row.get(resource, 0) + number

    def wanted(self, kind: str, resource: str) -> int:
        """Say how many defects of a kind are to be planted in a resource."""
        return PLANTED[kind].get(resource, 0)

    def some(self, kind: str, resource: str, rows: Sequence[Row], fit: Callable[[Row], bool] = bool) -> list[Row]:
        """Choose as many rows as `PLANTED` says, evenly spread among the untouched ones that `fit`, and count them."""
        wanted = PLANTED[kind].get(resource, 0)
        used = self._used.setdefault(resource, set())
        free = [row for row in rows if id(row) not in used and fit(row)]
        step = max(1, len(free) // (wanted + 1))
        chosen = free[step - 1 :: step][:wanted]
        used.update(id(row) for row in chosen)
        self.count(kind, resource, len(chosen))
        return chosen

    def repeat(
        self,
        resource: str,
        rows: list[Row],
        change: Callable[[Row], Row] | None = None,
        fit: Callable[[Row], bool] = bool,
    ) -> None:
        """Append copies of rows that `fit`: identical ones, or with `change` ones that contradict the first."""
        kind = "duplicate_identical" if change is None else "duplicate_conflicting"
        for row in self.some(kind, resource, rows, fit):
            rows.append(dict(row) if change is None else change(dict(row)))
            self._used[resource].add(id(rows[-1]))


def bow_tie(polygon: shapely.Polygon) -> shapely.Polygon:
    """Cross a polygon over itself: an hourglass in its envelope, whose halves cancel out."""
    west, south, east, north = affinity.scale(polygon, 0.8, 0.8).bounds
    return shapely.Polygon([(west, south), (east, north), (east, south), (west, north), (west, south)])


def small_loop(polygon: shapely.Polygon, reach: float = 0.25) -> shapely.Polygon:
    """Draw a slip of the hand into the longest edge: a loop of under a square metre that crosses itself."""
    ring = shapely.get_coordinates(polygon.exterior)
    steps = ring[1:] - ring[:-1]
    k = int((steps**2).sum(axis=1).argmax())
    a, step = ring[k], steps[k]
    out = reach * step[[1, 0]] * (1, -1) / float((step**2).sum()) ** 0.5
    half = min(0.1, 1.5 / float((step**2).sum()) ** 0.5)
    p, s = a + step * (0.5 - half), a + step * (0.5 + half)
    points = [*ring[: k + 1], p, s + out, p + out, s, *ring[k + 1 :]]
    return shapely.Polygon(points, [shapely.get_coordinates(hole) for hole in polygon.interiors])


def in_scientific_notation(number: str) -> str:
    """Give a resident number as a spreadsheet shows it once it has eaten it: 3.30599E+17."""
    return f"{float(number[:17] + '0'):.5E}"


def rounded_number(number: str) -> int:
    """Give a resident number as a spreadsheet stores it: fifteen digits kept, the rest zero."""
    return int(number[:15] + "000")
