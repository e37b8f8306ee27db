"""The demo village is what it says it is: exact, repeatable, and believable as a village in a valley."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
import shapely

from etl.demo import imagery, people, village
from etl.demo.frame import BOUNDS, CLOCK, VILLAGE_CODE, YEARS
from etl.demo.tiling import faces_of, is_exact
from twin.rasters.describe import describe


def digest(truth):
    """Hash every table, row by row, geometry as WKB, and the height grids."""
    total = hashlib.sha256(shapely.to_wkb(truth.boundary))
    for name in sorted(truth.tables):
        for row in truth.tables[name]:
            for column in sorted(row):
                value = row[column]
                total.update(shapely.to_wkb(value) if isinstance(value, shapely.Geometry) else repr(value).encode())
    total.update(truth.dem.tobytes())
    total.update(truth.dsm.tobytes())
    return total.hexdigest()


@pytest.fixture(scope="module")
def truth():
    return village.build()


@pytest.fixture(scope="module")
def tables(truth):
    return truth.tables


def of_year(rows, year=2025):
    return [row for row in rows if row["year"] == year]


def shapes(rows):
    return np.array([row["geometry"] for row in rows], dtype=object)


def test_the_same_seed_gives_the_same_village_to_the_last_byte_and_another_seed_another(truth):
    assert digest(village.build()) == digest(truth)
    other = village.build(7)
    assert other.boundary.wkb != truth.boundary.wkb
    assert is_exact(shapes(of_year(other.tables["parcels"])), other.boundary)


@pytest.mark.parametrize("year", YEARS)
def test_parcels_tile_the_village_without_gap_or_overlap(truth, year):
    polygons = shapes(of_year(truth.tables["parcels"], year))
    assert abs(shapely.area(polygons).sum() - truth.boundary.area) < 1e-6
    assert shapely.coverage_is_valid(polygons)
    assert shapely.is_valid(polygons).all()
    assert set(shapely.get_type_id(polygons)) == {3}
    assert shapely.STRtree(polygons).query(polygons, predicate="overlaps").size == 0


def test_tiling_check_sees_a_gap_and_an_overlap():
    square = shapely.box(0, 0, 10, 10)
    halves = faces_of(square, [shapely.LineString([(5, -1), (5, 11)])])
    assert is_exact(halves, square)
    assert not is_exact(halves[:1], square)
    assert not is_exact(np.array([shapely.box(0, 0, 6, 10), shapely.box(5, 0, 9, 10)], dtype=object), square)


@pytest.mark.parametrize("year", YEARS)
def test_plan_zones_tile_the_village(truth, year):
    polygons = shapes(of_year(truth.tables["plan_zones"], year))
    assert abs(shapely.area(polygons).sum() - truth.boundary.area) < 1e-6
    assert shapely.coverage_is_valid(polygons)


def test_twelve_grids_tile_the_village_numbered_west_to_east_then_north_to_south(truth):
    rows = truth.tables["grids"]
    assert [row["grid_code"] for row in rows] == [f"{VILLAGE_CODE}{k:03d}" for k in range(1, 13)]
    assert is_exact(shapes(rows), truth.boundary)
    middle = shapely.get_coordinates(shapely.centroid(shapes(rows)))
    assert (np.diff(middle[:6, 0]) > 0).all()
    assert (np.diff(middle[6:, 0]) > 0).all()
    assert middle[:6, 1].min() > middle[6:, 1].max()
    assert all(row["households"] > 0 for row in truth.tables["care"])


def test_the_counts_of_the_village_are_those_announced(truth, tables):
    assert len(tables["households"]) == 512
    assert len({row["building_id"] for row in tables["buildings"]}) == 691
    assert {year: len(of_year(tables["parcels"], year)) for year in YEARS} == {2020: 2117, 2025: 2130}
    assert len(tables["cases"]) == 64
    assert 6e6 < truth.boundary.area < 9e6


def test_parcel_numbers_are_unique_in_a_year_and_survive_five_years_where_the_shape_did(tables):
    old, new = ({row["parcel_id"]: row for row in of_year(tables["parcels"], year)} for year in YEARS)
    assert len(old) == len(of_year(tables["parcels"], 2020))
    assert len(new) == len(of_year(tables["parcels"], 2025))
    assert all(len(number) == 20 and number.startswith(VILLAGE_CODE) for number in new)
    kept = old.keys() & new.keys()
    assert len(kept) > 0.95 * len(old)
    assert all(abs(old[n]["geometry"].area - new[n]["geometry"].area) < 0.02 for n in kept)


def test_something_changed_between_the_years(tables):
    kinds = {year: Counter(row["sandiao"] for row in of_year(tables["parcels"], year)) for year in YEARS}
    assert kinds[2025]["1104"] > kinds[2020]["1104"]
    assert kinds[2025]["1202"] > kinds[2020]["1202"]
    assert kinds[2025]["0101"] < kinds[2020]["0101"]
    homes = {year: len(of_year(tables["homesteads"], year)) for year in YEARS}
    assert homes[2025] == 512
    assert 0 < homes[2025] - homes[2020] < 40
    assert any(row["since_year"] > 2020 for row in tables["roads"])


def test_paddies_lie_low_and_forest_high(truth):
    rows = of_year(truth.tables["parcels"])
    height = {
        code: np.mean([row["elevation_m"] for row in rows if row["sandiao"].startswith(code)])
        for code in ("0101", "02", "03")
    }
    assert height["0101"] < height["02"] < height["03"]
    slope = {
        code: np.mean([row["slope"] for row in rows if row["sandiao"].startswith(code)]) for code in ("0101", "03")
    }
    assert slope["0101"] < 0.05 < 0.2 < slope["03"]


def test_houses_stand_by_roads_and_main_roads_follow_the_valley(tables):
    houses = shapely.centroid(shapes([row for row in of_year(tables["buildings"]) if row["use"] == "住宅"]))
    away = shapely.STRtree(shapes(tables["roads"])).query_nearest(houses, return_distance=True, all_matches=False)[1]
    assert (away < 60).mean() >= 0.95
    paddies = np.mean([row["elevation_m"] for row in of_year(tables["parcels"]) if row["sandiao"] == "0101"])
    main = [row["elevation_m"] for row in of_year(tables["parcels"]) if row["sandiao"] == "1003"]
    assert abs(np.mean(main) - paddies) < 8


@pytest.mark.parametrize("year", YEARS)
def test_every_homestead_holds_its_houses_and_stands_alone(tables, year):
    yards = {row["parcel_id"]: row["geometry"] for row in of_year(tables["homesteads"], year)}
    houses = [row for row in of_year(tables["buildings"], year) if row["homestead_id"]]
    assert {row["homestead_id"] for row in houses} == set(yards)
    assert all(yards[row["homestead_id"]].buffer(0.005).covers(row["geometry"]) for row in houses)
    polygons = np.array(list(yards.values()), dtype=object)
    a, b = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    assert (shapely.area(shapely.intersection(polygons[a[a < b]], polygons[b[a < b]])) < 0.01).all()


def test_homesteads_lie_on_homestead_land_and_nothing_is_built_on_water(tables):
    parcels = of_year(tables["parcels"])
    homes = shapely.union_all(shapes([row for row in parcels if row["sandiao"] == "0702"]))
    yards = shapes(of_year(tables["homesteads"]))
    assert shapely.area(yards - homes).sum() < 0.01 * shapely.area(yards).sum()
    water = shapely.union_all(
        shapes([row for row in parcels if row["sandiao"][:2] == "11" and row["sandiao"] != "1109"])
    )
    assert not shapely.intersects(shapes(of_year(tables["buildings"])), water).any()


def test_some_homesteads_grew_and_some_exceed_what_was_approved(tables):
    old = {row["parcel_id"]: row["area_m2"] for row in of_year(tables["homesteads"], 2020)}
    new = of_year(tables["homesteads"])
    grown = [row for row in new if row["area_m2"] > old.get(row["parcel_id"], row["area_m2"]) + 1]
    beyond = [row for row in new if row["area_m2"] > row["approved_area_m2"] + 1]
    assert 60 < len(grown) < 200
    assert 60 < len(beyond) < 260


def test_the_homestead_of_the_documentation_is_there(tables):
    rows = {row["year"]: row for row in tables["homesteads"] if row["parcel_id"] == "ZD-0118"}
    assert {year: round(row["area_m2"], 1) for year, row in rows.items()} == {2020: 118.0, 2025: 131.2}
    assert rows[2025]["approved_area_m2"] == 124.6
    assert rows[2025]["address"] == "溪口38号"
    home = next(row for row in tables["households"] if row["household_id"] == rows[2025]["household_id"])
    assert (home["head_name"][0], home["persons"], home["residents"]) == ("张", 5, 4)
    late = [row for row in tables["cases"] if row["alert"] == "超期"]
    assert any("L-0231" in row["content"] and (CLOCK - row["due_at"]).days == 3 for row in late)


def test_resident_numbers_are_right_in_form_and_belong_to_no_county(tables):
    numbers = [member["id_card"] for row in tables["households"] for member in row["members"]]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith(people.NOWHERE) and len(number) == 18 for number in numbers)
    assert all(people.check_digit(number[:17]) == number[17] for number in numbers)
    assert people.check_digit("11010519491231002") == "X"
    assert all(row["phone"].startswith("1390000") and len(row["phone"]) == 11 for row in tables["households"])


def test_members_agree_with_their_numbers_and_households_with_their_members(tables):
    for row in tables["households"]:
        assert row["persons"] == len(row["members"]) >= row["residents"] >= 1
        assert row["head_name"] == row["members"][0]["name"]
        for member in row["members"]:
            assert member["id_card"][6:14] == f"{member['birth_date']:%Y%m%d}"
            assert (int(member["id_card"][16]) % 2 == 1) == (member["sex"] == "男")


def test_everything_lies_in_the_village(truth):
    wide = truth.boundary.buffer(0.01)
    astray = {
        (name, str(row.get("name", "")))
        for name, rows in truth.tables.items()
        for row in rows
        if "geometry" in row and not wide.covers(row["geometry"])
    }
    assert astray == set()


def test_heights_are_a_land_surface_with_level_water_and_things_on_top(truth):
    assert truth.dem.shape == truth.dsm.shape == (1500, 1500)
    assert truth.dem.dtype == truth.dsm.dtype == np.float32
    assert truth.bounds == BOUNDS
    assert 20 < truth.dem.min() < truth.dem.max() < 300
    assert (truth.dsm >= truth.dem - 0.01).all()
    for row in truth.tables["water_bodies"]:
        if row["kind"] == "水库":
            at = shapely.get_coordinates(row["geometry"].buffer(-8).boundary)
            columns, rows = ((at - (BOUNDS[0], BOUNDS[1])) / 2).astype(int).T
            assert np.allclose(truth.dem[1499 - rows, columns], 86.4)
    for row in truth.tables["places"]:
        if row["kind"] == "山峰":
            column, line = int((row["geometry"].x - BOUNDS[0]) / 2), 1499 - int((row["geometry"].y - BOUNDS[1]) / 2)
            assert abs(truth.dem[line, column] - row["elevation_m"]) < 3


def test_cases_belong_to_the_weeks_before_the_clock(tables):
    sent = [row["sent_at"] for row in tables["cases"]]
    assert min(sent).isoformat() >= "2025-09-01"
    assert max(sent) <= CLOCK
    assert all(
        (row["alert"] == "超期") == (row["state"] != "办结" and row["due_at"] < CLOCK) for row in tables["cases"]
    )
    assert len({row["case_id"] for row in tables["cases"]}) == 64


KEYS = {
    "grids": "grid_code", "households": "household_id", "roads": "road_id", "rivers": "river_id", "places": "place_id",
    "contours": "contour_id", "cases": "case_id", "enterprises": "enterprise_id", "ancient_trees": "tree_id",
    "bus_stops": "stop_id", "water_stations": "station_id", "geohazards": "hazard_id", "address_points": "address_id",
}  # fmt: skip


@pytest.mark.parametrize(("table", "key"), sorted(KEYS.items()))
def test_keys_are_unique(tables, table, key):
    keys = [row[key] for row in tables[table]]
    assert len(set(keys)) == len(keys)
    yearly = {"parcels": "parcel_id", "buildings": "building_id", "homesteads": "parcel_id", "crops": "plot_code"}
    for name, column in yearly.items():
        pairs = [(row["year"], row[column]) for row in tables[name]]
        assert len(set(pairs)) == len(pairs)


def test_orthophotos_show_both_years_at_half_a_metre_and_are_written_as_plain_geotiffs(truth, tmp_path):
    pictures = {year: imagery.paint(truth, year) for year in YEARS}
    for picture in pictures.values():
        assert (picture.shape, picture.dtype) == ((3, 6000, 6000), np.uint8)
    paddy = next(
        row["geometry"].point_on_surface()
        for row in of_year(truth.tables["parcels"])
        if row["sandiao"] == "0101" and row["area_m2"] > 1500
    )
    column, line = int((paddy.x - BOUNDS[0]) * 2), int((BOUNDS[3] - paddy.y) * 2)
    early, late = (
        picture[:, line - 8 : line + 8, column - 8 : column + 8].mean((1, 2)) for picture in pictures.values()
    )
    assert early[1] > early[0]  # rice is green in June
    assert late[0] > late[1]  # and golden in autumn
    imagery.write_heights(truth.dem, truth, tmp_path / "dem.tif")
    described = describe(tmp_path / "dem.tif")
    assert (described.width, described.height, described.bounds) == (1500, 1500, BOUNDS)
    assert '"EPSG","4549"' in described.crs


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 8, 11, 20, 99, 123, 777, 2024])
def test_any_seed_makes_a_whole_village(seed):
    made = village.build(seed)
    for year in YEARS:
        assert is_exact(shapes(of_year(made.tables["parcels"], year)), made.boundary)
    assert len(made.tables["households"]) == 512
    assert all(row["households"] > 0 for row in made.tables["care"])
    assert any(row["kind"] == "水库" and row["geometry"].area > 20_000 for row in made.tables["water_bodies"])
