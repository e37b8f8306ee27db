"""The ledger of ground delivered: cells of one size, a year's union, a limit that says whom to ask."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from tests.serving_fixture import LAT, LON
from twin.errors import Refused
from twin.policy import delivered
from twin.policy.delivered import CELL_KM2, Delivery

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ASK = ("自然资源局", "the Natural Resources Bureau")


def test_cells_are_of_one_size_everywhere_and_counted_once() -> None:
    for lat in (0.0, 30.53, 60.0):
        x, y = delivered.cell_of(LON, lat)
        assert delivered.cell_of(LON, lat) == (x, y)
        radius = delivered.RADIUS_M
        south, north = (math.degrees(math.asin((y + n) * 100.0 / radius - 1.0)) for n in (0, 1))
        ground = (
            radius**2
            * math.radians(math.degrees(100.0 / radius))
            * (math.sin(math.radians(north)) - math.sin(math.radians(south)))
        )
        assert ground == pytest.approx(CELL_KM2 * 1e6, rel=1e-6)
        assert delivered.cell_of(LON, (south + north) / 2) == (x, y)
    assert delivered.km2([(1, 1), (1, 1), (2, 1)]) == 0.02
    assert delivered.km2([]) == 0.0
    assert CELL_KM2 == 0.01


def test_a_box_is_the_cells_it_touches() -> None:
    box = (LON, LAT, LON + 0.01, LAT + 0.01)
    found = set(delivered.cells(box))
    assert len(found) == delivered.count_of(box)
    assert delivered.cell_of(LON, LAT) in found
    assert delivered.cell_of(LON + 0.01, LAT + 0.01) in found
    true_km2 = (math.radians(0.01) * 6371.007) ** 2 * math.cos(math.radians(LAT))
    assert true_km2 <= delivered.km2(found) <= true_km2 * 1.25
    assert delivered.count_of((LON, LAT, LON, LAT)) == 1
    assert delivered.count_of((LON, LAT, LON - 1, LAT)) == 0
    assert delivered.cell_of(-180, -90) == (0, 0)
    assert delivered.cell_of(-180, -95) == (0, 0)
    assert delivered.cell_of(0, 95) == delivered.cell_of(0, 90)


def test_what_was_delivered_counts_for_a_year_and_once() -> None:
    year = timedelta(days=365)
    told = [
        Delivery(cell=(1, 1), at=NOW), Delivery(cell=(1, 1), at=NOW - timedelta(days=3)),
        Delivery(cell=(2, 1), at=NOW - year + timedelta(seconds=1)), Delivery(cell=(3, 1), at=NOW - year),
        Delivery(cell=(4, 1), at=NOW + timedelta(seconds=1)),
    ]  # fmt: skip
    assert delivered.held(told, NOW) == {(1, 1), (2, 1)}


def test_beyond_the_limit_it_is_refused_and_says_whom_to_ask() -> None:
    box = (LON, LAT, LON + 0.01, LAT + 0.01)
    cells = delivered.new_cells((), [box], limit_km2=25.0, ask=ASK)
    assert cells == set(delivered.cells(box))
    assert delivered.new_cells(cells, [box], limit_km2=0.001, ask=ASK) == frozenset()
    whole = delivered.km2(cells)
    assert delivered.new_cells((), [box, box], limit_km2=whole, ask=ASK) == cells
    far = (LON + 0.1, LAT, LON + 0.1, LAT)
    assert len(delivered.new_cells(cells, [far], limit_km2=whole + CELL_KM2, ask=ASK)) == 1
    with pytest.raises(Refused) as refused:
        delivered.new_cells(cells, [far], limit_km2=whole, ask=ASK)
    assert "请联系自然资源局" in refused.value.zh
    assert f"this would make {whole + CELL_KM2:.2f}): ask the Natural Resources Bureau" in refused.value.en
    assert refused.value.where == {"limit_km2": str(whole)}
    with pytest.raises(Refused, match="a year"):
        delivered.new_cells((), [(100.0, 20.0, 120.0, 40.0)], limit_km2=25.0, ask=ASK)


def test_the_count_of_a_huge_box_is_not_made_cell_by_cell() -> None:
    side = math.degrees(100.0 / delivered.RADIUS_M)
    west, south = delivered.cell_of(LON, 0.0)
    box = (LON, 0.0, LON + side * (delivered.MOST_CELLS - 1), 0.0)
    assert delivered.count_of(box) in (delivered.MOST_CELLS, delivered.MOST_CELLS + 1)
    assert (west, south) == next(iter(delivered.cells(box)))


@pytest.mark.parametrize(("zoom", "detailed"), [(16, False), (16.9, False), (17, True), (22, True)])
def test_detail_begins_where_a_pixel_is_half_a_millimetre_at_one_to_two_thousand(zoom: float, detailed: bool) -> None:
    assert delivered.is_detailed(zoom) is detailed
