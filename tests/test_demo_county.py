"""The benchmark county: exact counts, shared borders, the faults it promises, and memory that does not grow."""

from __future__ import annotations

import numpy as np
import pyogrio
import pytest
import shapely

from etl.demo import county


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("county")
    told = []
    counts = county.write(3, out, lambda done, total: told.append((done, total)))
    return out / "county.gpkg", counts, told


def read(path, layer):
    meta, table = pyogrio.read_arrow(path, layer=layer)
    shapes = shapely.from_wkb(table[meta["geometry_name"]].to_numpy(zero_copy_only=False))
    return meta, table, shapes


def test_three_villages_have_exactly_their_share_of_a_million(written):
    path, counts, told = written
    assert counts == {"parcels": 10_000, "buildings": 3_000, "points": 2_000}
    for layer, rows in counts.items():
        info = pyogrio.read_info(path, layer=layer)
        assert (info["features"], info["crs"]) == (rows, "EPSG:4549")
    assert told[0] == (1, 9)
    assert told[-1] == (9, 9)


def test_three_hundred_villages_would_have_a_million_parcels():
    rows = {layer: county.rows_before(layer, 300) for layer in county.PER_VILLAGE}
    assert rows == {"parcels": 1_000_000, "buildings": 300_000, "points": 200_000}


def test_two_to_three_percent_of_the_parcels_are_bow_ties_and_the_others_sound(written):
    _, _, shapes = read(written[0], "parcels")
    broken = ~shapely.is_valid(shapes)
    assert broken.sum() == 249
    assert all("Self-intersection" in reason for reason in shapely.is_valid_reason(shapes[broken]))


def test_parcels_carry_the_promised_columns(written):
    _, table, shapes = read(written[0], "parcels")
    assert table.column_names[:5] == ["parcel_id", "land_class", "village_code", "stated_area_m2", "owner_kind"]
    numbers = table["parcel_id"].to_pylist()
    assert len(set(numbers)) == len(numbers)
    assert all(len(n) == 20 for n in numbers)
    assert len(set(table["village_code"].to_pylist())) == 3
    assert all(len(code) == 4 for code in set(table["land_class"].to_pylist()))
    sound = shapely.is_valid(shapes)
    ratio = table["stated_area_m2"].to_numpy()[sound] / shapely.area(shapes[sound])
    assert 0.9 < ratio.min() < ratio.max() < 1.1


def test_sound_parcels_of_neighbouring_villages_share_their_border(monkeypatch, tmp_path):
    monkeypatch.setattr(county, "BROKEN_SHARE", 0.0)
    county.write(2, tmp_path / "two.gpkg")
    _, _, shapes = read(tmp_path / "two.gpkg", "parcels")
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.coverage_union_all(shapes).geom_type == "Polygon"


def test_the_same_seed_gives_the_same_county_and_another_another(written, tmp_path):
    county.write(3, tmp_path / "again")
    county.write(3, tmp_path / "other", seed=1)
    for layer in ("parcels", "buildings", "points"):
        _, table, shapes = read(written[0], layer)
        _, same, same_shapes = read(tmp_path / "again" / "county.gpkg", layer)
        _, _, other_shapes = read(tmp_path / "other" / "county.gpkg", layer)
        assert table.drop_columns(["geom"]).equals(same.drop_columns(["geom"]))
        assert np.array_equal(shapely.to_wkb(shapes), shapely.to_wkb(same_shapes))
        assert not np.array_equal(shapely.to_wkb(shapes), shapely.to_wkb(other_shapes))


def test_no_village_code_of_the_county_is_that_of_the_demo_village():
    codes = {county.village_code(k) for k in range(300)}
    assert len(codes) == 300
    assert "330521199201" not in codes
    assert all(len(code) == 12 and code.startswith("330521") for code in codes)
