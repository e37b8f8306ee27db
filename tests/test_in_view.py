"""What the legend says of the ground in view is what the metric system says, cut at the view's edge and no further."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import shapely

from tests import serving_fixture as village
from tests.serving_fixture import LAT, LON, STEP
from tests.test_analysis import by_hand
from twin.api import rooms
from twin.errors import BadRequest
from twin.policy import ANONYMOUS_LOCAL

if TYPE_CHECKING:
    from twin.api.rooms import Rooms
    from twin.model import Bbox

LOCAL = ANONYMOUS_LOCAL
ALL: Bbox = (LON - STEP, LAT - STEP, LON + 4 * STEP, LAT + 4 * STEP)
HALF: Bbox = (LON + 0.25 * STEP, LAT - STEP, LON + 1.7 * STEP, LAT + 1.4 * STEP)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    return rooms(*village.build(tmp_path_factory.mktemp("in_view"), with_rasters=False))


@pytest.mark.parametrize("box", [ALL, HALF])
def test_each_class_has_the_area_that_lies_in_view(built: Rooms, box: Bbox) -> None:
    found = built.analysis.in_view(LOCAL, box)["areas"]["L06"]["cover"]
    expected = {v: a for v, a in by_hand(shapely.geometry.mapping(shapely.box(*box))).items() if v}
    assert {v: c["count"] for v, c in found.items()} == {v: n for v, (n, _) in expected.items()}
    for value, (_, area) in expected.items():
        assert found[value]["area_m2"] == pytest.approx(area, rel=2e-4)
        assert found[value]["area_mu"] == pytest.approx(area * 3 / 2000, rel=2e-4)


def test_what_lies_wholly_in_view_counts_with_its_stored_area(built: Rooms) -> None:
    found = built.analysis.in_view(LOCAL, ALL)["areas"]["L06"]["cover"]
    stored = built.serving.groups("cover", "land_class", "area_m2", [("year", "=", 2025)])
    assert {v: c["area_m2"] for v, c in found.items()} == {r["land_class"]: round(r["value"], 1) for r in stored}


def test_the_year_chooses_the_edition(built: Rooms) -> None:
    now, then = (built.analysis.in_view(LOCAL, ALL, year=y)["areas"]["L06"]["cover"] for y in (2025, 2020))
    assert (now["0101"]["count"], then["0101"]["count"]) == (5, 4)
    assert built.analysis.in_view(LOCAL, ALL, year=2019)["areas"] == {}


def test_only_ground_whose_department_states_an_area_is_summed(built: Rooms) -> None:
    assert set(built.analysis.in_view(LOCAL, ALL)["areas"]) == {"L06"}, "red lines and grids here state none"


def test_a_neighbour_that_only_touches_the_edge_is_not_in_view(built: Rooms) -> None:
    box = (LON + STEP, LAT + STEP, LON + 2 * STEP, LAT + 2 * STEP)
    found = built.analysis.in_view(LOCAL, box)["areas"]["L06"]["cover"]
    assert sum(c["area_m2"] for c in found.values()) == pytest.approx(10639.2, abs=1)


def test_classes_by_a_column_that_may_not_be_grouped_by_are_left_out(built: Rooms) -> None:
    layer = next(x for x in built.onemap.layers if x.id == "L06")
    draw = replace(layer.draws[0], classes=replace(layer.draws[0].classes, column="owner_name"))
    there = replace(built.onemap, layers=(replace(layer, draws=(draw,)),))
    analysis = type(built.analysis)(there, built.serving, type(built.policy)(there))
    assert analysis.in_view(LOCAL, ALL)["areas"] == {}


def test_a_box_turned_inside_out_is_refused(built: Rooms) -> None:
    with pytest.raises(BadRequest):
        built.analysis.in_view(LOCAL, (120.0, 30.0, 119.0, 31.0))
