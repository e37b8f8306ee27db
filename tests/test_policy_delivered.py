"""The arithmetic of ground delivered: cells of one size, a year's union, a limit."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest

from tests.serving_fixture import LAT, LON
from twin.policy import delivered
from twin.policy.delivered import CELL_KM2

TODAY = date(2026, 1, 1)
DAY = timedelta(days=1)


def test_cells_are_of_one_size_everywhere() -> None:
    for lat in (0.0, 30.53, 60.0):
        x, y = delivered.cell_of(LON, lat)
        radius = delivered.RADIUS_M
        south, north = (math.degrees(math.asin((y + n) * 100.0 / radius - 1.0)) for n in (0, 1))
        ground = (
            radius**2
            * math.radians(math.degrees(100.0 / radius))
            * (math.sin(math.radians(north)) - math.sin(math.radians(south)))
        )
        assert ground == pytest.approx(CELL_KM2 * 1e6, rel=1e-6)
        assert delivered.cell_of(LON, (south + north) / 2) == (x, y)
    assert delivered.km2({(1, 1), (2, 1)}) == 0.02
    assert delivered.km2(()) == 0.0
    assert CELL_KM2 == 0.01


def test_a_box_is_the_cells_it_touches() -> None:
    box = (LON, LAT, LON + 0.01, LAT + 0.01)
    found = list(delivered.cells(box))
    assert len(found) == len(set(found))
    assert delivered.cell_of(LON, LAT) in found
    assert delivered.cell_of(LON + 0.01, LAT + 0.01) in found
    true_km2 = (math.radians(0.01) * 6371.007) ** 2 * math.cos(math.radians(LAT))
    assert true_km2 <= delivered.km2(found) <= true_km2 * 1.25
    assert len(list(delivered.cells((LON, LAT, LON, LAT)))) == 1
    assert list(delivered.cells((LON, LAT, LON - 1, LAT))) == []
    assert delivered.cell_of(-180, -90) == (0, 0)
    assert delivered.cell_of(-180, -95) == (0, 0)
    assert delivered.cell_of(0, 95) == delivered.cell_of(0, 90)


def test_a_box_that_is_told_is_the_cells_along_its_sides() -> None:
    box = (LON, LAT, LON + 0.01, LAT + 0.01)
    whole, sides = set(delivered.cells(box)), list(delivered.along(box))
    xs, ys = {x for x, _ in whole}, {y for _, y in whole}
    assert len(sides) == len(set(sides)) == 2 * (len(xs) + len(ys)) - 4
    assert set(sides) == {c for c in whole if c[0] in (min(xs), max(xs)) or c[1] in (min(ys), max(ys))}
    small = (LON, LAT, LON + 0.0004, LAT + 0.0004)
    assert set(delivered.along(small)) == set(delivered.cells(small))
    assert len(list(delivered.along((LON, LAT, LON, LAT)))) == 1
    flat = (LON, LAT, LON + 0.01, LAT)
    assert list(delivered.along(flat)) == list(delivered.cells(flat))


def test_two_boxes_share_what_lies_in_both() -> None:
    assert delivered.common((0, 0, 2, 2), (1, -1, 3, 1)) == (1, 0, 2, 1)
    assert delivered.common((1, -1, 3, 1), (0, 0, 2, 2)) == (1, 0, 2, 1)
    assert delivered.common((0, 0, 1, 1), (1, 1, 2, 2)) == (1, 1, 1, 1)
    assert delivered.common((0, 0, 1, 1), (1.1, 0, 2, 1)) is None
    assert delivered.common((0, 0, 1, 1), (0, 1.1, 1, 2)) is None


def test_what_was_delivered_counts_for_a_year_and_once() -> None:
    held = {(1, 1): TODAY, (2, 1): TODAY - 365 * DAY, (3, 1): TODAY - 366 * DAY}
    assert delivered.usage(held, TODAY) == delivered.Usage(km2=0.02, since=TODAY - 365 * DAY)
    assert delivered.usage(held, TODAY + DAY) == delivered.Usage(km2=0.01, since=TODAY)
    assert delivered.usage({}, TODAY) == delivered.Usage(km2=0.0, since=None)


def test_the_limit_is_on_the_union_and_what_counts_already_may_be_delivered_again() -> None:
    held = {(1, 1): TODAY, (2, 1): TODAY - DAY, (9, 9): TODAY - 400 * DAY}
    assert delivered.passes(held, {(1, 1), (2, 1)}, TODAY, 0.001) is None
    assert delivered.passes(held, {(1, 1), (3, 1)}, TODAY, 0.03) is None
    assert delivered.passes(held, {(1, 1), (3, 1)}, TODAY, 0.029) == 0.03
    assert delivered.passes(held, [(3, 1), (3, 1)], TODAY, 0.03) is None
    assert delivered.passes(held, {(9, 9)}, TODAY, 0.02) == 0.03
    assert delivered.passes({}, (), TODAY, 0.0) is None
    assert delivered.passes({(1, 1): TODAY - 365 * DAY}, {(1, 1)}, TODAY, 0.0) is None


@pytest.mark.parametrize(
    ("zoom", "pixels", "detailed"),
    [(16, 256, False), (16.9, 256, False), (17, 256, True), (22, 256, True), (12, 4096, False), (13, 4096, True)],
)
def test_detail_begins_where_a_step_is_half_a_millimetre_at_one_to_two_thousand(
    zoom: float, pixels: int, detailed: bool
) -> None:
    assert delivered.is_detailed(zoom, pixels) is detailed
    assert (2 * math.pi * 6_378_137 / 2**zoom / pixels <= delivered.DETAIL_M) is detailed
