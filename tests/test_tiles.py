"""A tile is what the rows are: every table, the right edition, nothing private; and it survives what is wrong."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import mapbox_vector_tile
import pytest

from tests import serving_fixture as village
from twin import duck
from twin.api import mvt, rooms
from twin.errors import NotFound, StoreBroken
from twin.policy import ANONYMOUS_LOCAL, Policy
from twin.store import Serving, cut
from twin.tiles import Address, Tiles

if TYPE_CHECKING:
    from pathlib import Path

    from twin.api.rooms import Rooms

LOCAL = ANONYMOUS_LOCAL


def at(lon: float, lat: float, z: int, year: int | None = None) -> Address:
    n = 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return Address(z=z, x=int((lon + 180) / 360 * n), y=int(y), year=year)


HERE = (119.9715, 30.5315)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    return rooms(*village.build(tmp_path_factory.mktemp("tiles")))


def test_a_tile_has_one_source_layer_per_table_with_class_and_id(built: Rooms) -> None:
    tile = built.tiles.vector(LOCAL, built.onemap.layer("L06"), at(*HERE, 14))
    found = mapbox_vector_tile.decode(tile)
    assert set(found) == {"cover", "road"}
    assert found["cover"]["extent"] == 4096
    assert sorted(f["properties"]["id"] for f in found["cover"]["features"]) == [f"P{k}" for k in range(1, 10)]
    assert {f["properties"]["land_class"] for f in found["cover"]["features"]} == {"0101", "0103"}
    assert [set(f["properties"]) for f in found["road"]["features"]] == [{"id"}]


def test_geometry_lies_where_the_row_lies(built: Rooms) -> None:
    where = at(*HERE, 16)
    tile = mapbox_vector_tile.decode(built.tiles.vector(LOCAL, built.onemap.layer("L16"), where))
    hall = next(f for f in tile["house"]["features"] if f["properties"]["id"] == "H1")
    x, y = hall["geometry"]["coordinates"]
    west, south, east, north = where.bounds()
    merc_x = west + x / 4096 * (east - west)
    merc_y = south + y / 4096 * (north - south)
    lon = merc_x / 20037508.342789244 * 180
    lat = math.degrees(math.atan(math.sinh(merc_y / 20037508.342789244 * math.pi)))
    assert lon == pytest.approx(119.9715, abs=2e-6)
    assert lat == pytest.approx(30.5315, abs=2e-6)


def test_the_year_chooses_the_edition(built: Rooms) -> None:
    def class_of_p5(year: int | None) -> list[str]:
        tile = built.tiles.vector(LOCAL, built.onemap.layer("L06"), at(*HERE, 14, year))
        features = mapbox_vector_tile.decode(tile)["cover"]["features"]
        return [f["properties"]["land_class"] for f in features if f["properties"]["id"] == "P5"]

    assert class_of_p5(2020) == ["0103"]
    assert class_of_p5(2025) == ["0101"]
    assert class_of_p5(None) == ["0101"]
    assert class_of_p5(2023) == ["0103"]
    tile = built.tiles.vector(LOCAL, built.onemap.layer("L06"), at(*HERE, 14, 2019))
    assert "cover" not in mapbox_vector_tile.decode(tile)


@pytest.mark.parametrize("z", [8, 10, 12, 14, 15, 16])
def test_every_row_is_in_some_tile_at_every_zoom(built: Rooms, z: int) -> None:
    low, high = at(village.LON, village.LAT, z), at(village.LON + 0.003, village.LAT + 0.003, z)
    found = set()
    for x in range(low.x, high.x + 1):
        for y in range(high.y, low.y + 1):
            tile = built.tiles.vector(LOCAL, built.onemap.layer("L06"), Address(z=z, x=x, y=y))
            layer = mapbox_vector_tile.decode(tile).get("cover", {"features": []})
            found |= {f["properties"]["id"] for f in layer["features"]}
    assert found == {f"P{k}" for k in range(1, 10)}


def test_tables_drawn_only_closer_are_not_in_the_tile(built: Rooms) -> None:
    tile = built.tiles.vector(LOCAL, built.onemap.layer("L16"), at(*HERE, 11))
    assert set(mapbox_vector_tile.decode(tile)) == {"grid"}


def test_no_private_value_is_in_any_tile(built: Rooms) -> None:
    seen = b""
    for layer in built.policy.layers(LOCAL):
        for z in range(6, 17):
            seen += built.tiles.vector(LOCAL, layer, at(*HERE, z))
    assert b"0101" in seen
    for canary in (*village.CANARY.values(), "13900000103", "139****0103"):
        assert canary.encode() not in seen


def test_a_layer_of_unshared_tables_has_empty_tiles(built: Rooms) -> None:
    assert built.tiles.vector(LOCAL, built.onemap.layer("L17"), at(*HERE, 14)) == b""


def test_a_tile_far_away_is_empty(built: Rooms) -> None:
    assert built.tiles.vector(LOCAL, built.onemap.layer("L06"), at(10.0, 50.0, 14)) == b""


def test_lines_and_polygons_that_cross_many_tiles_are_cut_to_the_tile(built: Rooms) -> None:
    tile = built.tiles.vector(LOCAL, built.onemap.layer("L16"), at(*HERE, 20))
    ring = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True}).get("grid")
    if ring:
        flat = [c for f in ring["features"] for part in f["geometry"]["coordinates"] for c in part]
        assert max(abs(v) for pair in flat for v in pair) <= 4096 * 2 + 64


def test_rasters_follow_the_year_and_end_at_their_edge(built: Rooms) -> None:
    layer = built.onemap.layer("L02")
    old = built.tiles.raster(LOCAL, layer, at(*HERE, 16, 2020))
    new = built.tiles.raster(LOCAL, layer, at(*HERE, 16, 2025))
    assert old
    assert new
    assert old != new
    assert built.tiles.raster(LOCAL, layer, at(*HERE, 16, 2019)) is None
    assert built.tiles.raster(LOCAL, layer, at(100.0, 30.0, 16)) is None
    with pytest.raises(NotFound):
        built.tiles.raster(LOCAL, built.onemap.layer("L06"), at(*HERE, 16))


def test_terrain_is_that_of_the_hillshade(built: Rooms) -> None:
    png = built.tiles.terrain(LOCAL, at(*HERE, 14))
    assert png is not None
    assert png.startswith(b"\x89PNG")


def test_versions_change_with_data_and_with_declaration(built: Rooms, tmp_path: Path) -> None:
    onemap, store, settings = village.build(tmp_path, with_rasters=False)
    there = rooms(onemap, store, settings)
    layer = onemap.layer("L06")
    before = there.tiles.versions(LOCAL, layer)
    assert there.tiles.versions(LOCAL, replace(layer, draws=layer.draws[:1])) != before
    village.publish(store, "road", village.TABLES["road"], kind="line", run="r2")
    assert there.tiles.versions(LOCAL, layer) != before


def test_a_broken_store_says_so_instead_of_an_empty_map(tmp_path: Path) -> None:
    onemap, store, settings = village.build(tmp_path, with_rasters=False)
    path = store.current("cover").file("serving.duckdb")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    serving = Serving(type(store)(settings.store))
    tiles = Tiles(onemap, serving, Policy(onemap))
    with pytest.raises(StoreBroken):
        tiles.vector(LOCAL, onemap.layer("L06"), at(*HERE, 14))


def test_large_tables_keep_every_row_and_area_at_low_zooms(tmp_path: Path) -> None:
    onemap, store, settings = village.build(tmp_path, with_rasters=False)
    base = village.TABLES["cover"][9]
    rows = [
        {**base, "id": f"Q{k}", "parcel_id": f"Q{k}", "wkt": village.square((k % 150) * 0.2, (k // 150) * 0.2, 0.2)}
        for k in range(20_250)
    ]
    village.publish(store, "cover", rows, kind="polygon", run="r2")
    there = rooms(onemap, store, settings)
    for z in (8, 10, 12):
        low, high = at(village.LON, village.LAT, z), at(village.LON + 0.03, village.LAT + 0.03, z)
        count = area = 0.0
        for x in range(low.x, high.x + 1):
            for y in range(high.y, low.y + 1):
                tile = there.tiles.vector(LOCAL, onemap.layer("L06"), Address(z=z, x=x, y=y))
                cells = mapbox_vector_tile.decode(tile).get("cover", {"features": []})["features"]
                count += sum(c["properties"]["n"] for c in cells)
                area += sum(c["properties"]["area_m2"] for c in cells)
                assert all(c["properties"]["land_class"] in ("0101", "0103") for c in cells)
        total = there.serving.groups("cover", "year", "area_m2")[0]["value"]
        assert count == 20_250
        assert area == pytest.approx(total, rel=1e-9)


def test_our_reader_of_tiles_reads_what_the_reference_reads(built: Rooms) -> None:
    for name in ("L06", "L16", "L05"):
        tile = built.tiles.vector(LOCAL, built.onemap.layer(name), at(*HERE, 15))
        ours = mvt.decode(tile)
        theirs = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})
        assert set(ours) == set(theirs)
        for table, (extent, shapes) in ours.items():
            assert extent == theirs[table]["extent"]
            assert [s.properties for s in shapes] == [f["properties"] for f in theirs[table]["features"]]
    with pytest.raises(ValueError, match="not a vector tile"):
        mvt.decode(b"\x1a\xff\xff")


def test_types_that_tiles_cannot_hold_are_cast() -> None:
    assert cut.cast("a", "DATE") == '"a"::VARCHAR AS "a"'
    assert cut.cast("a", "DECIMAL(10,2)") == '"a"::DOUBLE AS "a"'
    assert cut.cast("a", "VARCHAR") == duck.quote("a")


def test_the_name_of_an_area_stands_in_one_tile_only(built: Rooms) -> None:
    layer = built.onemap.layer("L06")
    middle = at(*HERE, 17)
    seen: list[str] = []
    shapes = 0
    for dx in range(-4, 5):
        for dy in range(-4, 5):
            tile = built.tiles.vector(LOCAL, layer, replace(middle, x=middle.x + dx, y=middle.y + dy))
            found = mapbox_vector_tile.decode(tile)
            seen += [f["properties"]["id"] for f in found.get("cover:label", {"features": []})["features"]]
            shapes += len(found.get("cover", {"features": []})["features"])
    assert shapes > 9
    assert sorted(seen) == [f"P{k}" for k in range(1, 10)]
