"""Tiles cut at publish are the tiles a request would compute, row for row, and go out as they lie in the archive."""

from __future__ import annotations

import gzip
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import mapbox_vector_tile
import pytest
from starlette.testclient import TestClient

from tests import keeping
from tests import serving_fixture as village
from twin import api
from twin.api import rooms
from twin.policy import ANONYMOUS_LOCAL
from twin.store import Store, archive, pyramid, quadgrid, rowcut
from twin.tiles import Address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twin.model import OneMap
    from twin.settings import Settings

SIDE = 30
Built = tuple["OneMap", Store, "Settings"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the village with 900 parcels of land cover, a table forced to be large, in a layer of its own."""
    onemap, store, settings = village.build(tmp_path_factory.mktemp("rowcut"), with_rasters=False)
    base = village.TABLES["cover"][9]
    rows = [
        {**base, "id": f"Q{k}", "parcel_id": f"Q{k}", "wkt": village.square(k % SIDE * 0.7, k // SIDE * 0.7, 0.7)}
        for k in range(SIDE * SIDE)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quadgrid, "LARGE", 500)
        patch.setattr(rowcut, "CROWDED", 5)
        village.publish(store, "cover", rows, kind="polygon", run="r2")
    layers = tuple(replace(x, draws=x.draws[:1]) if x.id == "L06" else x for x in onemap.layers)
    return replace(onemap, layers=layers), store, settings


def corner(reach: float, z: int) -> Address:
    """Give the tile of a point `reach` degrees east and north of the village's corner."""
    n = 2**z
    lon, lat = village.LON + reach, math.radians(village.LAT + reach)
    return Address(z=z, x=int((lon + 180) / 360 * n), y=int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * n))


def around(z: int) -> Iterator[Address]:
    """Give the tiles that hold the village's square, and a ring of tiles around it."""
    reach = SIDE * 0.7 * village.STEP
    low, high = corner(0.0, z), corner(reach, z)
    for x in range(low.x - 1, high.x + 2):
        for y in range(high.y - 1, low.y + 2):
            yield Address(z=z, x=x, y=y)


@pytest.mark.parametrize("z", list(rowcut.ZOOMS))
def test_a_tile_cut_at_publish_is_the_tile_a_request_computes(
    built: Built, monkeypatch: pytest.MonkeyPatch, z: int
) -> None:
    there = rooms(*built)
    layer, snapshot = there.policy.layer(ANONYMOUS_LOCAL, "L06"), there.store.current("cover")
    year = snapshot.manifest["years"][-1]
    assert any(isinstance(pyramid.lookup(snapshot, year, z, a.x, a.y), bytes) for a in around(z))
    cut = {a: there.tiles.vector(ANONYMOUS_LOCAL, layer, a) for a in around(z)}
    monkeypatch.setattr(pyramid, "packed", lambda *_, **__: pyramid.ABSENT)
    computed = {a: there.tiles.vector(ANONYMOUS_LOCAL, layer, a) for a in around(z)}
    assert cut == computed
    seen = [
        f for tile in cut.values() for f in mapbox_vector_tile.decode(tile).get("cover", {"features": []})["features"]
    ]
    assert {f["properties"]["id"] for f in seen} == {f"Q{k}" for k in range(SIDE * SIDE)}


def test_what_is_sent_is_what_lies_in_the_archive(built: Built) -> None:
    onemap, store, settings = built
    snapshot = store.current("cover")
    year = snapshot.manifest["years"][-1]
    at = next(a for a in around(14) if pyramid.lookup(snapshot, year, 14, a.x, a.y))
    path = f"/tiles/L06/14/{at.x}/{at.y}.mvt"
    with TestClient(api.create(onemap, store, settings), base_url="http://127.0.0.1:8139") as client:
        with client.stream("GET", path, headers={"accept-encoding": "gzip, deflate, br"}) as answer:
            sent = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "gzip"
        assert sent == pyramid.packed(snapshot, year, 14, at.x, at.y)
        plain = client.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == gzip.decompress(sent)
        assert client.get(path, headers={"accept-encoding": "br"}).content == plain.content
        assert client.get("/tiles/L06/14/1/1.mvt", headers={"accept-encoding": "gzip"}).status_code == 204
        assert client.get("/tiles/L06/14/1/1.mvt", headers={"accept-encoding": "identity"}).status_code == 204


def test_a_cut_tile_is_not_given_where_the_declarations_have_changed_since(built: Built) -> None:
    snapshot = built[1].current("cover")
    year = snapshot.manifest["years"][-1]
    at = next(a for a in around(14) if pyramid.lookup(snapshot, year, 14, a.x, a.y))
    where = (snapshot, year, at.z, at.x, at.y)
    assert pyramid.packed(*where, wanted=["land_class"], permitted=["id", "land_class"])
    assert pyramid.packed(*where, wanted=["parcel_id"]) is pyramid.ABSENT
    assert pyramid.packed(*where, permitted=["id", "parcel_id"]) is pyramid.ABSENT


@pytest.mark.parametrize(("limit", "value"), [("CROWDED", 10_000), ("REPEATED", 0)])
def test_zooms_of_sparse_or_sprawling_tiles_are_left_to_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(quadgrid, "LARGE", 500)
    monkeypatch.setattr(rowcut, limit, value)
    snapshot = keeping.publish(Store(tmp_path / "store"), n=900)
    assert isinstance(pyramid.lookup(snapshot, 2025, 12, 3412, 1682), bytes)
    assert pyramid.lookup(snapshot, 2025, 13, 0, 0) is pyramid.ABSENT


def test_an_archive_gives_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    tiles = [(z, x, y, b"%d/%d/%d" % (z, x // 2, y)) for z in (13, 14) for x in range(100) for y in range(90)]
    tiles.sort(key=lambda t: archive.order(*t[:3]))
    found = archive.Archive(archive.write(tmp_path / "a", iter(tiles), source_layer="t", columns=["a", "b"]))
    assert all(found.get(z, x, y) == data for z, x, y, data in tiles)
    assert [found.get(13, 100, 0), found.get(14, 0, 90), found.get(0, 0, 0), found.get(15, 0, 0)] == [None] * 4
    assert (found.zooms, found.columns) == (range(13, 15), {"a", "b"})
