"""What deck.gl draws in the map of a real Chromium: columns, and the photogrammetry mesh of the shared data."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route

import twin.map
from tests.browser import map_stub
from tests.browser.harness import Visit, served
from tests.browser.map_stub import LAT, LON, Weather
from tests.browser.talking import at, echo, layers, set_props
from twin import deck
from twin.scenes import b3dm, earth

Opener = Callable[..., Visit]
WIDTH, HEIGHT = 800, 600
GROUND = (232, 237, 230)
"""The stub's background, where nothing is drawn."""
LAWN = (9.19009, 45.46400, 162.2)
"""A point of the mesh: degrees, and metres above the ellipsoid."""
OVER_LAWN = {"kind": "jump", "center": [9.19009, 45.46465], "zoom": 16.8, "pitch": 25, "bearing": 0, "t": 1}
"""A camera that has the lawn, high above the flat ground, in the middle of the picture."""
POINT = (200, 120, 40)
"""The colour of every point of the cloud."""
PLACED = "__onemap.maps[0].getLayersOrder().at(-1) === 'deck-maplibre-layer-group-last'"
DECK = "__onemap.deck?._deck?.layerManager?.getLayers() ?? []"
ON_LAWN = f"""() => {{
  const viewport = __onemap.deck?._deck?.isInitialized && __onemap.deck._deck.getViewports()[0];
  if (!viewport) return null;
  const [x, y] = viewport.project({list(LAWN)});
  return __onemap.deck.pickObject({{x, y, radius: 2}})?.layer?.id === "scene:mesh" ? {{x, y}} : null;
}}"""
FOUR_PARTS = f"({DECK}).filter((l) => l.id.endsWith('.b3dm') && l.props.tile.tileDrawn).length === 4"
CHOSEN = f"({DECK}).filter((l) => l.props.tile?.selected).map((l) => l.id.split('/').at(-1)).join()"
FRESH = """() => new Promise((done) => {
  __onemap.maps[0].once("render", () => requestAnimationFrame(() => requestAnimationFrame(done)));
  __onemap.maps[0].triggerRepaint();
})"""
LAST_FRAME = """() => new Promise((done) => {
  const map = __onemap.maps[0];
  map.once("render", () => {
    map.triggerRepaint = () => {};
    requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
  map.panBy([1, 0], { animate: false });
})"""
NEXT_FRAME = "() => { delete __onemap.maps[0].triggerRepaint; __onemap.maps[0].triggerRepaint(); }"
needs_mesh = pytest.mark.skipif(
    not map_stub.PHOTOMESH.is_dir(), reason="the photogrammetry tileset is not in ../shared/data"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not twin.map.is_built():
        pytest.fail("twin/map/vendor is missing: python -m twin.map.build")
    folder = tmp_path_factory.mktemp("cloud")
    write_cloud(folder)
    app = map_stub.create(Weather())
    app.server.get("/tiles/scene/cloud/<path:path>")(lambda path: flask.send_from_directory(folder, path))
    with served(app.server) as url:
        yield url


@pytest.fixture
def seen(visit: Opener, address: str) -> Visit:
    found = visit(address, width=WIDTH, height=HEIGHT)
    found.idle()
    return found


def show_column(found: Visit, **props: Any) -> None:
    row = {"lon": LON, "lat": LAT, "n": 30, "layer": "L15", "table": "care_grid", "id": "007", "title": "第 07 网格"}
    spec = deck.spec(deck.columns("elders", [row], value="n", metres_per_unit=3, radius_m=60))
    set_props(found, threeD={"on": True, "terrain": False, "deck": spec}, **props)
    found.until(f"__onemap.idle && {PLACED} && __onemap.maps[0].getPitch() > 50")


def show_mesh(found: Visit) -> None:
    spec = deck.spec(deck.tileset("scene:mesh", "/tiles/scene/photomesh/tileset.json"))
    set_props(found, layers=[], threeD={"on": True, "terrain": False, "deck": spec}, camera=OVER_LAWN)


def picture(found: Visit) -> np.ndarray:
    """Give the colours (height, width, 3) of the middle of the page, drawn anew."""
    found.page.evaluate(FRESH)
    shot = Image.open(io.BytesIO(found.page.screenshot())).convert("RGB")
    return np.asarray(shot, int)[80:-80, 120:-120]


def points(count: int) -> bytes:
    """Give `count` points of one colour within 200 × 200 × 20 m as a .pnts (3D Tiles 1.0)."""
    places = np.random.default_rng(count).uniform([-100, -100, 0], [100, 100, 20], (count, 3)).astype("<f4")
    table = json.dumps({"POINTS_LENGTH": count, "POSITION": {"byteOffset": 0}, "CONSTANT_RGBA": [*POINT, 255]}).encode()
    table += b" " * (-(b3dm.HEADER.size + len(table)) % 8)
    body = places.tobytes() + b"\0" * (-places.nbytes % 8)
    size = b3dm.HEADER.size + len(table) + len(body)
    return b3dm.HEADER.pack(b"pnts", 1, size, len(table), len(body), 0, 0) + table + body


def write_cloud(folder: Path) -> None:
    """Write a point cloud of a coarse part and a finer one that takes its place near by."""
    volume = {"box": [0, 0, 10, 100, 0, 0, 0, 100, 0, 0, 0, 10]}
    fine = {"boundingVolume": volume, "geometricError": 0, "content": {"uri": "fine.pnts"}}
    coarse = {"boundingVolume": volume, "geometricError": 30, "refine": "REPLACE", "content": {"uri": "coarse.pnts"}}
    root = {**coarse, "transform": earth.transform(LON, LAT), "children": [fine]}
    tileset = {"asset": {"version": "1.0"}, "geometricError": 100, "root": root}
    (folder / "tileset.json").write_text(json.dumps(tileset), encoding="utf-8")
    (folder / "coarse.pnts").write_bytes(points(500))
    (folder / "fine.pnts").write_bytes(points(20_000))


def photographs(part: Path) -> Iterator[np.ndarray]:
    """Give the colours (n, 3) of each texture of a b3dm, without the black between its pictures."""
    _, _, model = b3dm.decode(part.read_bytes())
    blob = model.binary_blob() or b""
    for image in model.images:
        view = model.bufferViews[image.bufferView]
        start = view.byteOffset or 0
        picture = Image.open(io.BytesIO(blob[start : start + view.byteLength]))
        colours = np.asarray(picture.convert("RGB"), int).reshape(-1, 3)
        yield colours[colours.any(axis=1)]


def test_a_column_of_pydeck_stands_in_the_map_and_answers_a_click(seen: Visit) -> None:
    show_column(seen, layers=[])
    x, y = at(seen, LON, LAT)
    seen.page.mouse.click(x, y - 8)
    told = echo(seen, "click")
    assert told["features"] == [{"layer": "L15", "table": "care_grid", "id": "007", "title": "第 07 网格"}]
    set_props(seen, threeD={"on": False})
    seen.until("__onemap.idle && !__onemap.maps[0].getLayer('deck-maplibre-layer-group-last')")
    assert seen.complaints == []


def test_a_layer_switched_on_later_lies_beneath_the_columns(seen: Visit) -> None:
    show_column(seen, layers=layers(L06={"visible": False}))
    set_props(seen, layers=layers(L02={"visible": True}))
    seen.until(f"__onemap.idle && !!__onemap.maps[0].getLayer('L02.imagery') && {PLACED}")


@needs_mesh
def test_a_mesh_of_3d_tiles_is_drawn_and_tells_the_place_of_a_click(seen: Visit) -> None:
    show_mesh(seen)
    lawn = seen.until(ON_LAWN)
    seen.page.mouse.click(lawn["x"], lawn["y"])
    told = echo(seen, "click")
    assert told["features"] == []
    assert told["deck"]["layer"] == "scene:mesh"
    assert told["lngLat"] == pytest.approx(LAWN[:2], abs=5e-5)
    assert seen.outside == []
    assert [c for c in seen.complaints if "404" not in c] == []  # the delivery lacks 24 of its 32 parts
    assert seen.page.locator(".om-notice").count() == 0


@needs_mesh
def test_a_mesh_is_as_bright_as_its_photographs(seen: Visit) -> None:
    show_mesh(seen)
    seen.until(FOUR_PARTS)
    shown = picture(seen)
    mesh = shown[(shown != GROUND).any(axis=2)]
    taken = np.concatenate([c for part in map_stub.PHOTOMESH.glob("LOD-1/*.b3dm") for c in photographs(part)])
    assert len(mesh) > 2000
    assert np.median(mesh, axis=0) == pytest.approx(np.median(taken, axis=0), rel=0.1)


@needs_mesh
def test_a_tileset_that_comes_between_two_frames_is_drawn(seen: Visit) -> None:
    held: list[Route] = []
    seen.page.route("**/tileset.json", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    show_mesh(seen)
    seen.until(f"({DECK})[0]?.state?.lastUpdatedViewports && __onemap.idle && {PLACED}")
    seen.page.evaluate(LAST_FRAME)
    held[0].continue_()
    seen.until(f"!!({DECK})[0].state.tileset3d")
    seen.page.evaluate(NEXT_FRAME)
    seen.until(ON_LAWN)


@needs_mesh
def test_a_scene_left_for_another_while_it_comes_asks_for_nothing_more(seen: Visit) -> None:
    held: list[Route] = []
    seen.page.route("**/tileset.json", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    show_mesh(seen)
    seen.until(f"({DECK})[0]?.state?.lastUpdatedViewports && __onemap.idle && {PLACED}")
    set_props(seen, threeD={"on": False})
    seen.until(f"__onemap.idle && ({DECK}).length === 0")
    with seen.page.expect_response("**/tileset.json"):
        held[0].continue_()
    show_column(seen)
    assert [u for u in seen.asked if u.endswith(".b3dm")] == []
    assert seen.complaints == []


@needs_mesh
@pytest.mark.parametrize("status", [404, 503])
def test_a_tileset_that_cannot_be_had_is_said_and_drawn_when_mended(seen: Visit, status: int) -> None:
    seen.page.route("**/tileset.json", lambda route: route.fulfill(status=status))
    show_mesh(seen)
    seen.page.get_by_role("status").filter(has_text="三维").wait_for(timeout=10_000)
    assert [c for c in seen.complaints if "pageerror" in c] == []
    seen.page.unroute("**/tileset.json")
    seen.page.get_by_role("button", name="重试").click()
    seen.until(ON_LAWN)
    seen.until("!document.querySelector('.om-notice')", timeout=10_000)


def test_of_a_point_cloud_the_finer_part_takes_the_place_of_the_coarser_in_the_colours_it_has(seen: Visit) -> None:
    spec = deck.spec(deck.tileset("scene:cloud", "/tiles/scene/cloud/tileset.json"))
    far, near = ({"kind": "jump", "center": [LON, LAT], "zoom": z, "pitch": 30, "t": z} for z in (13.5, 17))
    set_props(seen, layers=[], threeD={"on": True, "terrain": False, "deck": spec}, camera=far)
    seen.until(f"({CHOSEN}) === 'coarse.pnts'")
    set_props(seen, camera=near)
    seen.until(f"({CHOSEN}) === 'fine.pnts'")
    shown = picture(seen)
    assert (shown == POINT).all(axis=2).mean() > 0.3
