"""Areas are codes: whoever holds a prefix holds what begins with it, and a code of no known form holds nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.matrix import village
from twin.policy import Subject, areas

VILLAGE = "330521001001"
THING = next(r for r in village.resources() if r.id == "thing")
PLOT = next(r for r in village.resources() if r.id == "plot")
ASKER = Subject(id="a", role="official")


@pytest.mark.parametrize("prefix", ["330521", "330521001", VILLAGE])
def test_a_county_town_or_village_code_is_held_as_it_is(prefix: str) -> None:
    assert areas.held(replace(ASKER, prefix=prefix), "prefix") == (prefix,)
    assert areas.held(replace(ASKER, prefix=prefix), "scopes") == (prefix,)
    assert areas.is_code(prefix)


@pytest.mark.parametrize("prefix", ["3", "33", "3305", "33052", "3305210", "33052100", "3305210010", "330521001001001",
                                    "33052a", " 330521", "330521 ", "330521%", "３３０５２１", "' OR 1=1", "330521\n"])  # fmt: skip
@pytest.mark.parametrize("reach", ["prefix", "grid", "scopes"])
def test_any_other_prefix_holds_nothing_at_all(prefix: str, reach: str) -> None:
    holder = replace(ASKER, prefix=prefix, grid="330521001001001", scopes=("area:330521",))
    assert areas.held(holder, reach) == ()
    assert areas.held(holder, "store") is None


def test_no_prefix_is_everything_of_the_store_and_no_grid_is_nothing() -> None:
    assert areas.held(ASKER, "prefix") is None
    assert areas.held(ASKER, "scopes") is None
    assert areas.held(ASKER, "grid") == ()


def test_a_grid_is_fifteen_digits_inside_the_prefix() -> None:
    grid = f"{VILLAGE}007"
    assert areas.held(replace(ASKER, grid=grid), "grid") == (grid,)
    assert areas.held(replace(ASKER, grid=grid, prefix=VILLAGE), "grid") == (grid,)
    assert areas.held(replace(ASKER, grid=grid, prefix="330522"), "grid") == ()
    for wrong in (VILLAGE, f"{grid}1", grid[:-1], grid.replace("0", "o")):
        assert areas.held(replace(ASKER, grid=wrong), "grid") == ()


def test_the_areas_of_a_key_are_those_it_names_inside_its_prefix() -> None:
    key = replace(ASKER, scopes=("layer:M1:read", "area:330522", f"area:{VILLAGE}", "area:3", f"area:{VILLAGE}"))
    assert areas.held(key, "scopes") == (VILLAGE, "330522")
    assert areas.held(replace(key, prefix="330521"), "scopes") == (VILLAGE,)
    assert areas.held(replace(key, scopes=("area:x",)), "scopes") == ()
    assert areas.held(replace(key, scopes=("layer:M1:read",)), "scopes") is None


def test_rows_are_limited_by_their_own_code_or_belong_to_the_village() -> None:
    assert areas.rows(None, THING, VILLAGE) == ()
    assert areas.rows((), THING, VILLAGE) is None
    assert areas.rows(("330521",), THING, VILLAGE) == (("area_code", "prefix", ("330521",)),)
    assert areas.rows(("330521001",), PLOT, VILLAGE) == ()
    assert areas.rows(("330522", "330521"), PLOT, VILLAGE) == ()
    assert areas.rows(("330522",), PLOT, VILLAGE) is None
    assert areas.rows((f"{VILLAGE}007",), PLOT, VILLAGE) is None
