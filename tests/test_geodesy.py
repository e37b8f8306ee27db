"""What is true of coordinate systems: the allow-list, zones, axis order, obfuscated coordinates, areas."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import geodesy
from twin.errors import CrsError

DEGREE_M = 111_320.0
CITIES = Path(__file__).parents[2] / "shared/data/deqing_cn/gcoord_city_pairs.json"
KINGSTON = Path(__file__).parents[2] / "shared/data/kingston_st_mary_uk"
ACCEPTED = {"EPSG:27700": 5.0}
CHINA = (st.floats(73.7, 134.7), st.floats(16.8, 53.5))
ZONES = [*range(4491, 4555)]


def metres(lon_a, lat_a, lon_b, lat_b):
    return np.hypot((lon_a - lon_b) * DEGREE_M * np.cos(np.radians(lat_b)), (lat_a - lat_b) * DEGREE_M)


def esri(code: int) -> str:
    return pyproj.CRS(code).to_wkt("WKT1_ESRI")


# the allow-list


def test_a_point_of_the_county_has_the_coordinates_the_county_knows():
    x, y = geodesy.transformer("EPSG:4490", "EPSG:4528")(119.97, 30.53)
    assert (round(float(x), 1), round(float(y), 1)) == (40497120.9, 3378868.0)
    assert np.allclose(geodesy.transformer("EPSG:4528", "EPSG:4549")(x, y), (float(x) - 40_000_000, float(y)))


@pytest.mark.parametrize(("one", "other"), [("EPSG:4490", "EPSG:4326"), ("EPSG:4480", "EPSG:4490")])
def test_cgcs2000_and_wgs84_are_taken_as_identical(one, other):
    way = geodesy.transformer(one, other)
    assert way.steps == ()
    assert way(119.97, 30.53) == (119.97, 30.53)


@pytest.mark.parametrize("code", ZONES)
def test_every_zone_goes_to_degrees_and_back_within_a_tenth_of_a_millimetre(code):
    zone = geodesy.gauss_kruger(code)
    assert zone is not None
    assert zone.crs == f"EPSG:{code}"
    lon, lat = np.array([zone.central_meridian - 1.4, zone.central_meridian + 1.4]), np.array([18.0, 53.0])
    x, y = geodesy.transformer("EPSG:4490", zone.crs)(lon, lat)
    back = geodesy.transformer(zone.crs, "EPSG:4490")(x, y)
    assert np.abs(metres(*back, lon, lat)).max() < 1e-4


@pytest.mark.parametrize("crs", ["EPSG:4610", "EPSG:2365", "EPSG:2385", "EPSG:4214", "EPSG:2437", "EPSG:4555"])
def test_old_chinese_systems_are_refused_with_the_bureau_to_ask(crs):
    with pytest.raises(CrsError) as refused:
        geodesy.transformer(crs, "EPSG:4490")
    assert "自然资源和规划局" in refused.value.zh
    assert "parameter set" in refused.value.en


@pytest.mark.parametrize("crs", ["EPSG:27700", "EPSG:2154", "EPSG:999999", "EPSG:0", "nonsense", ""])
def test_what_the_village_did_not_accept_is_refused(crs):
    with pytest.raises(CrsError, match="accepted_crs"):
        geodesy.transformer(crs, "EPSG:4490")


def test_an_accepted_system_needs_an_operation_as_good_as_its_owner_said():
    x, y = geodesy.transformer("EPSG:27700", "EPSG:4326", accepted=ACCEPTED)(365000.0, 167000.0)
    assert (round(float(x), 3), round(float(y), 3)) == (-2.505, 51.401)
    with pytest.raises(CrsError, match="accurate to"):
        geodesy.transformer("EPSG:27700", "EPSG:4326", accepted={"EPSG:27700": 0.1})


def test_no_operation_in_use_is_ballpark():
    for code in (*ZONES, 27700):
        way = geodesy.transform._best(code, 4326 if code == 27700 else 4490)
        assert "ballpark" not in way.description.lower()


def test_a_transformer_is_safe_to_share_between_threads():
    way = geodesy.transformer("EPSG:4549", "EPSG:4490")
    x, y = np.random.default_rng(1).uniform(490_000, 510_000, 20_000), np.full(20_000, 3_379_000.0)
    want = way(x, y)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: way(x, y), range(16)):
            assert np.array_equal(got[0], want[0])


def test_nulls_stay_null_and_wkb_is_taken_as_well_as_shapes():
    shapes = np.array([shapely.Point(119.97, 30.53), None], object)
    for given_ in (shapes, shapely.to_wkb(shapes)):
        moved = geodesy.transform_geometry(given_, "EPSG:4490", "EPSG:4549")
        assert moved[1] is None
        assert round(moved[0].x) == 497121


# what a file states


@pytest.mark.parametrize("code", [*ZONES, 4490, 4326])
@pytest.mark.parametrize("form", ["WKT1_ESRI", "WKT2_2019"])
def test_every_definition_in_use_is_identified(code, form):
    found = geodesy.identify(pyproj.CRS(code).to_wkt(form))
    assert geodesy.same(found, f"EPSG:{code}")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("40500000.0", "39500000.0"),
        ("40500000.0", "500000.0"),
        ("Zone_40", "Zone_39"),
        ('"Central_Meridian",120.0', '"Central_Meridian",117.0'),
        ('"Scale_Factor",1.0', '"Scale_Factor",0.9996'),
        ('UNIT["Meter",1.0]', 'UNIT["Kilometer",1000.0]'),
        ('"Latitude_Of_Origin",0.0', '"Latitude_Of_Origin",30.0'),
    ],
)
def test_a_prj_whose_name_and_numbers_disagree_is_refused(right, wrong):
    text = esri(4528)
    assert right in text
    with pytest.raises(CrsError, match="contradicts"):
        geodesy.identify(text.replace(right, wrong))


@pytest.mark.parametrize("name", ["CGCS_2000_3_Degree_GK_Zone_40", "CGCS2000_3_degree_GK_zone_40", "未命名"])
def test_other_spellings_of_the_name_are_the_same_zone(name):
    assert geodesy.identify(esri(4528).replace("CGCS2000_3_Degree_GK_Zone_40", name)) == "EPSG:4528"


def test_a_cm_definition_has_no_prefix():
    assert geodesy.identify(esri(4549)) == "EPSG:4549"


@pytest.mark.parametrize("code", [4610, 2365, 4214, 2437, 32650, 4555])
def test_a_prj_of_a_refused_system_is_refused(code):
    with pytest.raises(CrsError):
        geodesy.identify(esri(code))


@pytest.mark.parametrize(
    "text", ["", "  ", "PROJCS[", "x" * 100_000, "+proj=longlat", "{}", "/etc/passwd", "EPSG:27700"]
)
def test_no_statement_or_nonsense_is_refused(text):
    with pytest.raises(CrsError):
        geodesy.identify(text)


def test_the_british_prj_is_identified_once_accepted():
    path = KINGSTON / "buildings.prj"
    if not path.exists():
        pytest.skip("../shared/data is absent")
    assert geodesy.identify(path.read_text(), accepted=ACCEPTED) == "EPSG:27700"
    with pytest.raises(CrsError):
        geodesy.identify(path.read_text())


# zones and axes


@pytest.mark.parametrize("zone", range(25, 46))
def test_zone_detection_round_trips_for_every_3_degree_zone(zone):
    crs = f"EPSG:{4513 + zone - 25}"
    lon = np.linspace(3 * zone - 1.5, 3 * zone + 1.5, 9)
    x, y = geodesy.transformer("EPSG:4490", crs)(lon, np.linspace(18, 53, 9))
    assert geodesy.detect_gauss_kruger(x, y).crs == crs
    exchanged = geodesy.detect_gauss_kruger(y, x)
    assert (exchanged.crs, exchanged.swapped) == (crs, True)


@pytest.mark.parametrize("zone", range(13, 24))
def test_zone_detection_round_trips_for_every_6_degree_zone(zone):
    crs = f"EPSG:{4491 + zone - 13}"
    x, y = geodesy.transformer("EPSG:4490", crs)(np.linspace(6 * zone - 6, 6 * zone, 9), np.linspace(18, 53, 9))
    assert geodesy.detect_gauss_kruger(x, y).crs == crs


def test_six_digit_eastings_are_never_guessed():
    with pytest.raises(CrsError, match="central meridian"):
        geodesy.detect_gauss_kruger([496833.1], [3379200.6])


@pytest.mark.parametrize("eastings", [[40_500_000.0, 39_500_000.0], [24_500_000.0], [46_500_000.0], [12_500_000.0]])
def test_two_zones_or_no_zone_are_refused(eastings):
    with pytest.raises(CrsError, match="zone"):
        geodesy.detect_gauss_kruger(eastings, [3_379_000.0] * len(eastings))


def test_nothing_finite_is_no_zone():
    with pytest.raises(CrsError):
        geodesy.detect_gauss_kruger([np.nan], [np.inf])


def test_exchanged_axes_are_flagged_row_by_row():
    box = (119.5, 30.2, 120.4, 30.9)
    lon, lat = [119.97, 30.53, 0.0, np.nan], [30.53, 119.97, 0.0, 30.53]
    assert geodesy.axis_swapped(lon, lat, box).tolist() == [False, True, False, False]
    assert geodesy.within(lon, lat, box).tolist() == [True, False, False, False]


# obfuscated coordinates


def test_the_map_services_coordinates_of_664_cities_are_undone_to_within_7_centimetres():
    if not CITIES.exists():
        pytest.skip("../shared/data is absent")
    cities = json.loads(CITIES.read_text("utf-8"))
    assert len(cities) == 664
    wgs, gcj, bd = (np.array([c["coords"][k] for c in cities]).T for k in ("WGS84", "GCJ02", "BD09"))
    worst = {
        "gcj02 → wgs84": metres(*geodesy.gcj02_to_wgs84(*gcj), *wgs).max(),
        "bd09 → wgs84": metres(*geodesy.bd09_to_wgs84(*bd), *wgs).max(),
        "bd09 → gcj02": metres(*geodesy.bd09_to_gcj02(*bd), *gcj).max(),
        "wgs84 → gcj02": metres(*geodesy.wgs84_to_gcj02(*wgs), *gcj).max(),
    }
    print({k: round(float(v), 4) for k, v in worst.items()})
    assert {k: round(float(v), 3) for k, v in worst.items()} == {
        "gcj02 → wgs84": 0.066,
        "bd09 → wgs84": 0.063,
        "bd09 → gcj02": 0.012,
        "wgs84 → gcj02": 0.066,
    }


def test_the_service_constant_is_found_again_in_either_half_of_the_cities(monkeypatch):
    if not CITIES.exists():
        pytest.skip("../shared/data is absent")
    monkeypatch.setattr(geodesy.obfuscated, "SERVICE_OFFSET_M", (0.0, 0.0))
    cities = {tuple(c["coords"]["WGS84"]): c["coords"]["GCJ02"] for c in json.loads(CITIES.read_text("utf-8"))}
    wgs, gcj = np.array([*cities]).T, np.array([*cities.values()]).T
    x, y = geodesy.wgs84_to_gcj02(*wgs)
    east, north = (gcj[0] - x) * DEGREE_M * np.cos(np.radians(wgs[1])), (gcj[1] - y) * DEGREE_M
    for half in (slice(0, None, 2), slice(1, None, 2)):
        assert max(abs(east[half].mean() - 0.48), abs(north[half].mean() - 0.47)) < 0.01
    assert max(east.std(), north.std()) < 0.02


@given(*CHINA)
def test_the_inverse_of_gcj02_is_exact(lon, lat):
    assert metres(*geodesy.gcj02_to_wgs84(*geodesy.wgs84_to_gcj02(lon, lat)), lon, lat) < 1e-6
    assert metres(*geodesy.wgs84_to_gcj02(*geodesy.gcj02_to_wgs84(lon, lat)), lon, lat) < 1e-6


@given(*CHINA)
def test_the_inverse_of_bd09_is_exact(lon, lat):
    assert metres(*geodesy.bd09_to_wgs84(*geodesy.wgs84_to_bd09(lon, lat)), lon, lat) < 1e-6
    assert metres(*geodesy.gcj02_to_bd09(*geodesy.bd09_to_gcj02(lon, lat)), lon, lat) < 1e-6


def test_the_shift_at_deqing_is_some_520_metres():
    assert 515 < metres(*geodesy.wgs84_to_gcj02(119.97, 30.53), 119.97, 30.53) < 530


@pytest.mark.parametrize(("lon", "lat"), [(-2.45, 51.4), (139.7, 35.7), (0.0, 0.0), (180.0, 90.0)])
def test_nothing_is_shifted_outside_china(lon, lat):
    for shift in (geodesy.wgs84_to_gcj02, geodesy.gcj02_to_wgs84, geodesy.gcj02_to_bd09, geodesy.bd09_to_wgs84):
        assert shift(lon, lat) == (lon, lat)


def test_nan_and_empty_arrays_go_through():
    x, _ = geodesy.bd09_to_wgs84([np.nan, 120.0], [30.0, 30.0])
    assert np.isnan(x[0])
    assert np.isfinite(x[1])
    assert geodesy.gcj02_to_wgs84([], [])[0].size == 0


# measures


@given(st.floats(1, 500), st.floats(480_000, 520_000), st.floats(2_000_000, 5_000_000))
def test_a_square_has_the_area_of_a_square(side, x, y):
    square = shapely.box(x, y, x + side, y + side)
    assert geodesy.area_m2([square], "EPSG:4549")[0] == pytest.approx(side**2, rel=1e-6)
    assert geodesy.length_m([square], "EPSG:4549")[0] == pytest.approx(4 * side, rel=1e-6)


@settings(deadline=None)
@given(st.floats(50, 500), st.floats(490_000, 510_000), st.floats(3_300_000, 3_400_000))
def test_an_area_survives_storage_in_degrees(side, x, y):
    square = [shapely.box(x, y, x + side, y + side)]
    stored = geodesy.transform_geometry(square, "EPSG:4549", "EPSG:4490")
    measured = geodesy.area_m2(stored, "EPSG:4490", metric_crs="EPSG:4549")
    assert measured[0] == pytest.approx(side**2, rel=1e-6)


def test_fifteen_mu_are_a_hectare():
    assert pytest.approx(10_000) == 15 * geodesy.MU_M2


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:3857"])
def test_areas_are_never_measured_in_degrees_or_in_mercator(crs):
    with pytest.raises(CrsError):
        geodesy.area_m2([shapely.box(0, 0, 1, 1)], crs)


def test_degrees_passed_off_as_metres_are_noticed():
    with pytest.raises(CrsError, match="degrees"):
        geodesy.area_m2([shapely.box(119.9, 30.5, 120.0, 30.6)], "EPSG:4549")


def test_mercator_is_the_web_maps_own():
    x, y = geodesy.to_mercator(119.97, 30.53)
    assert (round(float(x), 2), round(float(y), 2)) == (13354999.31, 3571859.95)
    assert np.allclose(geodesy.from_mercator(x, y), (119.97, 30.53))


def test_projjson_names_its_code():
    assert geodesy.projjson("EPSG:4490")["id"] == {"authority": "EPSG", "code": 4490}
    with pytest.raises(CrsError):
        geodesy.projjson("EPSG:123456")
