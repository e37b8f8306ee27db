"""Without WebGL the server draws the same colours; without a key no foreign base map is ever asked."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from tests import serving_fixture as village
from tests.running import run
from tests.test_tiles import HERE, at
from twin.api import drawn, rooms
from twin.api.expressions import evaluate
from twin.api.tianditu import Tianditu
from twin.errors import BadRequest
from twin.policy import ANONYMOUS_LOCAL
from twin.settings import Settings
from twin.tiles import Address

if TYPE_CHECKING:
    from pathlib import Path

    from twin.api.rooms import Rooms

LOCAL = ANONYMOUS_LOCAL


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    return rooms(*village.build(tmp_path_factory.mktemp("drawn"), with_rasters=False))


def image(built: Rooms, name: str, where: Address) -> Image.Image:
    layer = built.onemap.layer(name)
    data = drawn.png(built.onemap, layer, built.tiles.vector(LOCAL, layer, where), where)
    return Image.open(io.BytesIO(data)).convert("RGBA")


def pixel(where: Address, lon: float, lat: float) -> tuple[int, int]:
    from twin.geodesy import to_mercator

    west, _, east, north = where.bounds()
    x, y = to_mercator(lon, lat)
    return int((float(x) - west) / (east - west) * 256), int((north - float(y)) / (east - west) * 256)


def test_a_parcel_has_the_colour_of_its_class(built: Rooms) -> None:
    where = at(119.9705, 30.5305, 17)
    assert image(built, "L06", where).getpixel(pixel(where, 119.9703, 30.5303)) == (0xF8, 0xD0, 0x72, 255)


def test_outside_the_data_it_is_clear_and_where_nothing_is_there_is_no_image(built: Rooms) -> None:
    where = at(*HERE, 14)
    assert image(built, "L05", where).getpixel(pixel(where, 119.9725, 30.5325))[3] == 0
    layer = built.onemap.layer("L05")
    assert drawn.png(built.onemap, layer, b"", where) == b""


def test_points_are_discs_of_their_class(built: Rooms) -> None:
    where = at(*HERE, 17)
    assert image(built, "L16", where).getpixel(pixel(where, *HERE))[:3] == (0xC8, 0x10, 0x2E)


def test_opacity_is_kept(built: Rooms) -> None:
    layer = built.onemap.layer("L05")
    pale = replace(layer, draws=(replace(layer.draws[0], paint={"fill-opacity": 0.5}),))
    where = at(119.9705, 30.5305, 17)
    tile = built.tiles.vector(LOCAL, layer, where)
    found = Image.open(io.BytesIO(drawn.png(built.onemap, pale, tile, where))).convert("RGBA")
    assert found.getpixel(pixel(where, 119.9703, 30.5303))[3] == pytest.approx(128, abs=2)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (3, 3),
        (["get", "a"], 5),
        (["get", "b"], None),
        (["coalesce", ["get", "b"], 7], 7),
        (["match", ["get", "c"], ["x", "y"], 1, "z", 2, 0], 2),
        (["match", ["get", "c"], "q", 1, 0], 0),
        (["case", [">", ["get", "a"], 4], "big", "small"], "big"),
        (["step", ["zoom"], 1, 10, 2, 15, 3], 2),
        (["interpolate", ["linear"], ["zoom"], 10, 1, 18, 9], 5),
        (["interpolate", ["linear"], ["zoom"], 15, 1, 18, 9], 1),
        (["interpolate", ["exponential", 2], ["zoom"], 13, 0, 15, 3], 1),
        (["all", ["has", "a"], ["!", ["has", "b"]]], True),
        (["in", ["get", "c"], ["literal", ["z", "w"]]], True),
        (["slice", ["to-string", ["get", "d"]], 0, 2], "01"),
        (["concat", ["get", "c"], "-", ["get", "a"]], "z-5"),
        (["*", 2, ["+", 1, ["get", "a"]]], 12),
        (["-", ["get", "a"]], -5),
        (["/", 1, 0], None),
        (["no-such-thing", 1], None),
        ([">", ["get", "b"], 4], None),
    ],
)
def test_expressions_are_worked_out_as_maplibre_does(expression: object, value: object) -> None:
    assert evaluate(expression, {"a": 5, "c": "z", "d": "0101"}, 14) == value


def asked(tmp_path: Path, key: str, reply: httpx.Response) -> tuple[Tianditu, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return reply

    settings = replace(Settings(), data=tmp_path, tianditu_key=key)
    return Tianditu(settings, httpx.MockTransport(answer)), seen


PNG = httpx.Response(200, content=b"\x89PNG", headers={"content-type": "image/png"})


def test_without_a_key_nothing_is_asked(tmp_path: Path) -> None:
    tianditu, seen = asked(tmp_path, "", PNG)
    assert run(tianditu.tile("vec", Address(z=3, x=1, y=1))) is None
    assert seen == []


def test_with_a_key_a_tile_is_asked_once_and_kept(tmp_path: Path) -> None:
    tianditu, seen = asked(tmp_path, "secret-key", PNG)
    for _ in range(2):
        assert run(tianditu.tile("vec", Address(z=3, x=1, y=2))) == b"\x89PNG"
    assert len(seen) == 1
    assert seen[0].url.host == "t3.tianditu.gov.cn"
    assert seen[0].url.params["tk"] == "secret-key"
    assert (seen[0].url.params["TILECOL"], seen[0].url.params["TILEROW"]) == ("1", "2")


def test_the_quota_is_counted_over_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.api.tianditu.DAILY", 2)
    for k in range(3):
        tianditu, seen = asked(tmp_path, "k", PNG)
        found = run(tianditu.tile("vec", Address(z=5, x=k, y=0)))
        assert (found is None, len(seen)) == ((True, 0) if k == 2 else (False, 1))


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(403, text="no"),
        httpx.Response(200, text="<xml/>"),
        httpx.Response(302, headers={"location": "http://x"}),
    ],
)
def test_what_is_no_image_is_not_passed_on(tmp_path: Path, reply: httpx.Response) -> None:
    tianditu, _ = asked(tmp_path, "k", reply)
    assert run(tianditu.tile("vec", Address(z=3, x=1, y=1))) is None


def test_sets_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    tianditu, _ = asked(tmp_path, "k", PNG)
    with pytest.raises(BadRequest):
        run(tianditu.tile("../x", Address(z=3, x=1, y=1)))
