"""What deck.gl draws in the map of a real Chromium: columns, and the photogrammetry mesh of the shared data."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
from twin.scenes import b3dm

Opener = Callable[..., Visit]
WIDTH, HEIGHT = 800, 600
GROUND = (232, 237, 230)
"""The stub's background, where nothing is drawn."""
LAWN = (9.19009, 45.46400, 162.2)
"""A point of the mesh: degrees, and metres above the ellipsoid."""
OVER_LAWN = {"kind": "jump", "center": [9.19009, 45.46465], "zoom": 16.8, "pitch": 25, "bearing": 0, "t": 1}
"""A camera that has the lawn, high above the flat ground, in the middle of the picture."""
PLACED = "__onemap.maps[0].getLayersOrder().at(-1) === 'deck-maplibre-layer-group-last'"
DECK = "__onemap.deck?._deck?.layerManager?.getLayers() ?? []"
ON_LAWN = f"""() => {{
  const viewport = __onemap.deck?._deck?.isInitialized && __onemap.deck._deck.getViewports()[0];
  if (!viewport) return null;
  const [x, y] = viewport.project({list(LAWN)});
  return __onemap.deck.pickObject({{x, y, radius: 2}})?.layer?.id === "scene:mesh" ? {{x, y}} : null;
}}"""
FOUR_PARTS = f"({DECK}).filter((l) => l.id.endsWith('.b3dm') && l.props.tile.tileDrawn).length === 4"
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
def address() -> Iterator[str]:
    if not twin.map.is_built():
        pytest.fail("twin/map/vendor is missing: python -m twin.map.build")
    with served(map_stub.create(Weather()).server) as url:
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
    seen.idle()
    picture = np.asarray(Image.open(io.BytesIO(seen.page.screenshot())).convert("RGB"), int)[80:-80, 120:-120]
    mesh = picture[(picture != GROUND).any(axis=2)]
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
