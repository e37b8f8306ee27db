"""The map component in a real Chromium under the strict CSP, over a made-up village."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

import twin.map
from tests.browser import map_stub
from tests.browser.harness import Visit, open_page, served
from tests.browser.map_stub import LAT, LON, Weather
from tests.browser.talking import at, echo, layers, set_props

Opener = Callable[..., Visit]
WIDTH, HEIGHT = 800, 600
BESIDE_ROAD = (LON + 0.0002, LAT + 0.0002)
"""A point in parcel P0505, off the road in the middle and off the building in the cell."""


@pytest.fixture(scope="module")
def weather() -> Weather:
    return Weather()


@pytest.fixture(scope="module")
def address(weather: Weather) -> Iterator[str]:
    if not twin.map.is_built():
        pytest.fail("twin/map/vendor is missing: python -m twin.map.build")
    with served(map_stub.create(weather).server) as url:
        yield url


@pytest.fixture(scope="module")
def quiet_address(weather: Weather) -> Iterator[str]:
    """Serve the same map with no callback at all: whatever is asked for then, the map itself asks for."""
    with served(map_stub.create(weather, echoed=()).server) as url:
        yield url


@pytest.fixture(scope="module")
def standing(chromium: Browser, address: str) -> Iterator[Visit]:
    """One page for the module: the map is made to live as long as the page, so it must bear every test after another."""
    found = open_page(chromium, address, width=WIDTH, height=HEIGHT)
    found.idle()
    yield found
    found.context.close()


@pytest.fixture(scope="module")
def standing_quiet(chromium: Browser, quiet_address: str) -> Iterator[Visit]:
    found = open_page(chromium, quiet_address, width=WIDTH, height=HEIGHT)
    found.idle()
    yield found
    found.context.close()


@pytest.fixture
def fine(weather: Weather) -> Iterator[Weather]:
    yield weather
    weather.broken.clear()
    weather.empty.clear()
    weather.limited.clear()


def from_the_start(found: Visit) -> Visit:
    """Put the map back to how it opened, and forget what it asked and told."""
    found.page.mouse.move(2, 2)
    home = {"kind": "jump", "center": [LON, LAT], "zoom": 15, "pitch": 0, "bearing": 0, "t": time.monotonic()}
    found.act(lambda: set_props(found, **map_stub.start(), camera=home))
    found.act(lambda: set_props(found, camera={**home, "t": time.monotonic()}))
    found.page.evaluate("() => document.activeElement.blur()")
    found.page.wait_for_timeout(400)  # the last word of what was settling: 150 ms view, 300 ms counts
    found.page.evaluate(
        "() => document.querySelectorAll('pre').forEach(p => window.dash_clientside.set_props(p.id, {children: ''}))"
    )
    for kept in (found.asked, found.outside, found.complaints, found.answers):
        kept.clear()
    return found


@pytest.fixture
def seen(standing: Visit, fine: Weather) -> Iterator[Visit]:
    yield from_the_start(standing)
    assert standing.complaints == []
    assert standing.outside == []
    assert standing.page.evaluate("__onemap.errors") == []


@pytest.fixture
def quiet(standing_quiet: Visit, fine: Weather) -> Visit:
    return from_the_start(standing_quiet)


def drawn(visit: Visit, layer: str, side: int = 0) -> int:
    script = "([layer, side]) => __onemap.maps[side].queryRenderedFeatures({layers: [layer]}).length"
    return visit.page.evaluate(script, [layer, side])


def click(visit: Visit, lon: float, lat: float) -> dict[str, Any]:
    before = visit.page.text_content("#echo-click")
    visit.page.mouse.click(*at(visit, lon, lat))
    return echo(visit, "click", f"text !== {json.dumps(before)}")


def test_the_page_asks_nobody_but_us_and_complains_of_nothing(visit: Opener, address: str, fine: Weather) -> None:
    found = visit(address, width=WIDTH, height=HEIGHT)
    found.idle()
    assert found.outside == []
    assert found.complaints == []
    assert all(status < 400 for status, _ in found.answers)
    assert [u for u in found.asked if "/tiles/L06/" in u]
    assert [u for u in found.asked if "/tiles/L02/" in u or "vendor/deck" in u or "vendor/charts" in u] == []


def test_layers_are_drawn_with_local_words_and_our_own_symbols(seen: Visit) -> None:
    assert drawn(seen, "L06.land") >= 90
    assert drawn(seen, "L13.icon") == 9
    assert drawn(seen, "L13.label") == 9
    images = seen.page.evaluate("__onemap.maps[0].listImages().sort()")
    assert images == ["hatch-diagonal-c8102e", "icon-aid-1b6e3c", "icon-school-0b5cad", "icon-slope-b3261e"]
    assert seen.page.evaluate("__onemap.maps[0].getImage('icon-aid-1b6e3c').pixelRatio") == 2


def test_opacity_order_and_classes_change_without_a_request(quiet: Visit) -> None:
    def change() -> None:
        set_props(quiet, layers=[*reversed(layers(L06={"opacity": 0.4, "hidden": ["03"]}))])

    assert quiet.asked_while(change) == []
    assert quiet.page.evaluate("__onemap.maps[0].getPaintProperty('L06.land', 'fill-opacity')") == 0.4
    codes = quiet.page.evaluate(
        "__onemap.maps[0].queryRenderedFeatures({layers: ['L06.land']}).map(f => f.properties.land_class)"
    )
    assert "0301" not in codes
    assert "0101" in codes
    order = quiet.page.evaluate("__onemap.maps[0].getStyle().layers.map(l => l.id)")
    assert order.index("L16.building") < order.index("L06.land")
    assert order.index("L06.land") < order.index("L14.road") < order.index("L13.icon")


def test_a_layer_seen_before_goes_and_comes_back_without_a_request(quiet: Visit) -> None:
    def off_and_on() -> None:
        set_props(quiet, layers=layers(L06={"visible": False}))
        quiet.until("__onemap.idle && __onemap.maps[0].queryRenderedFeatures({layers: ['L06.land']}).length === 0")
        set_props(quiet, layers=layers())

    assert quiet.asked_while(off_and_on) == []
    assert drawn(quiet, "L06.land") >= 90


def test_a_click_tells_the_server_what_lies_there_topmost_first(seen: Visit) -> None:
    told = click(seen, *BESIDE_ROAD)
    assert told["features"] == [{"layer": "L06", "table": "land", "id": "P0505", "title": "地块0505"}]
    assert told["lngLat"] == pytest.approx([*BESIDE_ROAD], abs=2e-5)


def test_a_click_on_things_one_above_the_other_lists_them_all(seen: Visit) -> None:
    told = click(seen, LON + 0.0005 - 0.001, LAT + 0.0005 - 0.001)
    assert [(f["layer"], f["id"]) for f in told["features"]] == [("L13", "F0404"), ("L16", "B0404"), ("L06", "P0404")]
    assert told["features"][1]["title"] == "溪口 44 号"


def test_a_click_beside_everything_tells_the_place_alone(seen: Visit) -> None:
    told = click(seen, LON + 0.0065, LAT)
    assert told["features"] == []
    assert told["lngLat"] == pytest.approx([LON + 0.0065, LAT], abs=2e-5)


def test_the_selected_thing_is_marked_without_a_request(quiet: Visit) -> None:
    assert quiet.asked_while(lambda: set_props(quiet, selection={"layer": "L06", "table": "land", "id": "P0505"})) == []
    assert drawn(quiet, "onemap-selected-line-1") >= 1
    set_props(quiet, selection=None)
    quiet.until("!__onemap.maps[0].getLayer('onemap-selected-line-1')")


def test_the_pointer_shows_the_name_of_what_it_is_over(seen: Visit) -> None:
    seen.page.mouse.move(*at(seen, *BESIDE_ROAD))
    seen.until("document.querySelector('.om-tip').textContent === '地块0505'")
    assert seen.page.evaluate("__onemap.maps[0].getCanvas().style.cursor") == "pointer"


def test_counts_in_view_follow_what_is_shown(seen: Visit) -> None:
    set_props(seen, layers=layers(L06={"hidden": ["02"]}))
    echo(seen, "inView", "!('02' in value.L06)")
    set_props(seen, layers=layers(L06={"hidden": ["01"]}))
    counts = echo(seen, "inView", "!('01' in value.L06)")
    assert counts["L13"] == {"clinic": 3, "school": 3, "hazard": 3}


def codes(visit: Visit, side: int = 0) -> list[str]:
    script = "side => __onemap.maps[side].queryRenderedFeatures({layers: ['L06.land']}).map(f => f.id + f.properties.land_class).sort()"
    return visit.page.evaluate(script, side)


def test_another_year_is_the_same_map_with_other_tiles(seen: Visit) -> None:
    before = codes(seen)
    asked = [u for u in seen.asked_while(lambda: set_props(seen, year=2020)) if "/tiles/" in u]
    assert asked
    assert all("year=2020" in u for u in asked)
    assert codes(seen) != before
    assert seen.page.evaluate("__onemap.made") == 1


def test_one_map_lives_through_everything(seen: Visit) -> None:
    for props in (
        {"theme": "dark"},
        {"threeD": {"on": True, "terrain": True}},
        {"threeD": {"on": False}},
        {"year": 2020},
        {"layers": layers(L02={"visible": True})},
    ):
        set_props(seen, **props)
        seen.idle()
    assert seen.page.evaluate("[__onemap.made, __onemap.maps.length]") == [1, 1]
    assert seen.complaints == []


def test_three_d_tilts_lifts_and_raises_buildings(seen: Visit) -> None:
    seen.page.click("[aria-label=三维显示]")
    seen.until("__onemap.idle && __onemap.maps[0].getPitch() > 50")
    assert echo(seen, "threeD")["on"] is True
    assert seen.page.evaluate("__onemap.maps[0].getTerrain().exaggeration") == 1.2
    assert drawn(seen, "L16.solid") > 0
    assert seen.page.evaluate(f"__onemap.maps[0].queryTerrainElevation([{LON + 0.006}, {LAT + 0.006}])") > 50
    seen.page.click("[aria-label=三维显示]")
    seen.until("__onemap.idle && __onemap.maps[0].getPitch() === 0 && !__onemap.maps[0].getTerrain()")


def test_two_years_side_by_side_move_as_one(seen: Visit) -> None:
    seen.page.click("[aria-label=两年对比]")
    seen.until("__onemap.maps.length === 2 && __onemap.idle")
    assert [*seen.page.locator(".om-year").all_text_contents()] == ["2020 年", "2025 年"]
    seen.page.mouse.move(600, 400)
    seen.page.mouse.down()
    seen.page.mouse.move(680, 340, steps=4)
    seen.page.mouse.up()
    seen.idle()
    a, b = seen.page.evaluate("__onemap.maps.map(m => [m.getCenter().lng, m.getCenter().lat, m.getZoom()])")
    assert a == pytest.approx(b, abs=1e-6)
    assert a[0] != pytest.approx(LON, abs=1e-5)
    seen.page.click("[aria-label=两年对比]")
    seen.until("__onemap.maps.length === 1")
    assert seen.page.locator(".om-handle").count() == 0


def test_the_divider_moves_by_keys_in_steps_of_five(seen: Visit) -> None:
    set_props(seen, compare={"left": 2020, "right": 2025, "at": 50})
    handle = seen.page.get_by_role("slider")
    handle.focus()
    seen.page.keyboard.press("ArrowLeft")
    seen.page.keyboard.press("ArrowLeft")
    assert handle.get_attribute("aria-valuenow") == "40"
    assert echo(seen, "compare", "value.at === 40") == {"left": 2020, "right": 2025, "at": 40}
    seen.page.keyboard.press("End")
    assert handle.get_attribute("aria-valuenow") == "100"


def test_the_divider_follows_the_pointer(seen: Visit) -> None:
    set_props(seen, compare={"left": 2020, "right": 2025, "at": 50})
    box = seen.page.locator(".om-grip").bounding_box()
    assert box is not None
    seen.page.mouse.move(box["x"] + 22, box["y"] + 22)
    seen.page.mouse.down()
    seen.page.mouse.move(WIDTH * 0.3, box["y"], steps=5)
    seen.page.mouse.up()
    assert echo(seen, "compare", "Math.abs(value.at - 30) < 0.5")["at"] < 50


def test_each_side_answers_for_its_own_year(seen: Visit) -> None:
    set_props(seen, compare={"left": 2020, "right": 2025, "at": 50})
    seen.until("__onemap.maps.length === 2 && __onemap.idle")
    assert codes(seen, 0) != codes(seen, 1)


def test_a_line_of_a_kilometre_measures_a_kilometre(seen: Visit) -> None:
    half = map_stub.LINE_M / map_stub.METRES_PER_DEGREE_LAT / 2
    seen.act(
        lambda: set_props(seen, tool="distance", camera={"kind": "jump", "center": [LON, LAT], "zoom": 14, "t": 1})
    )
    seen.page.mouse.click(*at(seen, LON, LAT - half))
    seen.page.mouse.click(*at(seen, LON, LAT + half))
    told = echo(seen, "measured", "value.length_m > 10")
    assert told["length_m"] == pytest.approx(
        1000, abs=8
    )  # a pixel is 4 m here; the formula itself is proved in test_map_build
    seen.page.get_by_role("button", name="完成").click()
    assert echo(seen, "measured", "value.done")["kind"] == "distance"


def test_a_polygon_is_drawn_by_mouse_and_told(seen: Visit) -> None:
    set_props(seen, tool="polygon")
    for dx, dy in ((0, 0), (0.002, 0), (0.002, 0.002)):
        seen.page.mouse.click(*at(seen, LON + dx, LAT + dy))
    seen.page.mouse.dblclick(*at(seen, LON, LAT + 0.002))
    told = echo(seen, "drawn")
    ring = told["geometry"]["coordinates"][0]
    assert told["kind"] == "polygon"
    assert len(ring) == 5
    assert ring[0] == ring[-1]
    assert ring[0] == pytest.approx([LON, LAT], abs=2e-5)
    assert echo(seen, "tool", "value === null") is None
    assert drawn(seen, "onemap-draw-area") >= 1


def test_a_polygon_is_drawn_by_keys_alone(seen: Visit) -> None:
    set_props(seen, tool="polygon")
    seen.page.locator("canvas").focus()
    keys = ("Enter", "ArrowRight", "Enter", "ArrowDown", "Enter", "ArrowLeft", "Enter", "Backspace", "Enter", "Enter")
    for key in keys:
        seen.act(lambda key=key: seen.page.keyboard.press(key))
    told = echo(seen, "drawn")
    assert len(told["geometry"]["coordinates"][0]) == 5


def test_a_box_is_drawn_with_two_corners_and_escape_clears_it(seen: Visit) -> None:
    set_props(seen, tool="box")
    seen.page.mouse.click(*at(seen, LON - 0.001, LAT - 0.001))
    seen.page.mouse.click(*at(seen, LON + 0.001, LAT + 0.001))
    assert echo(seen, "drawn")["kind"] == "box"
    assert seen.page.evaluate("document.getElementById('echo-click').textContent") == ""
    set_props(seen, tool="box")
    seen.page.locator("canvas").focus()
    seen.page.keyboard.press("Escape")
    assert echo(seen, "drawn", "value === null") is None
    seen.until("__onemap.maps[0].queryRenderedFeatures({layers: ['onemap-draw-area']}).length === 0")


def test_the_map_is_used_by_keys_alone(seen: Visit) -> None:
    canvas = seen.page.locator("canvas")
    zoom = "__onemap.maps[0].getZoom()"
    start = seen.page.evaluate(zoom)
    seen.page.keyboard.press("+")
    assert seen.page.evaluate(zoom) == start
    canvas.focus()
    seen.page.keyboard.press("+")
    seen.until(f"__onemap.idle && {zoom} > {start} + 0.9")
    seen.page.keyboard.press("ArrowRight")
    seen.until(f"__onemap.idle && __onemap.maps[0].getCenter().lng > {LON} + 1e-4")
    seen.page.keyboard.press("Enter")
    assert echo(seen, "click")["features"][0]["layer"] in {"L06", "L14", "L16"}
    seen.page.keyboard.press("Escape")
    assert echo(seen, "click", "!value.lngLat") == {"features": [], "lngLat": None, "t": echo(seen, "click")["t"]}


def test_camera_commands_go_where_they_say_and_the_view_is_told(seen: Visit) -> None:
    set_props(seen, padding={"right": 360}, camera={"kind": "fly", "center": [LON + 0.002, LAT], "zoom": 17, "t": 1})
    told = echo(seen, "viewState", "Math.abs(value.zoom - 17) < 0.01")
    x, _ = at(seen, LON + 0.002, LAT)
    assert x == pytest.approx((WIDTH - 360) / 2, abs=2)
    assert set(told) == {"center", "zoom", "pitch", "bearing", "bbox"}
    seen.page.click("[aria-label=回到全村]")
    assert echo(seen, "viewState", "value.zoom < 16")["bearing"] == 0


def test_less_motion_means_no_flight(visit: Opener, address: str, fine: Weather) -> None:
    seen = visit(address, reduced_motion="reduce", width=WIDTH, height=HEIGHT)
    seen.idle()
    set_props(seen, camera={"kind": "fly", "center": [LON + 0.003, LAT], "zoom": 17, "t": 1})
    seen.until("Math.abs(__onemap.maps[0].getZoom() - 17) < 1e-6", timeout=500)


def test_a_broken_store_is_said_in_words_and_taken_back_when_mended(visit: Opener, address: str, fine: Weather) -> None:
    fine.broken.add("L14")
    seen = visit(address, wait="commit", width=WIDTH, height=HEIGHT)
    status = seen.page.get_by_role("status").filter(has_text="部分图层暂不可用")
    status.wait_for(timeout=5000)
    seen.idle()
    assert echo(seen, "error")["status"] == 503
    assert click(seen, *BESIDE_ROAD)["features"][0]["layer"] == "L06"
    fine.broken.clear()
    seen.page.get_by_role("button", name="重试").click()
    seen.until("!document.querySelector('.om-notice')", timeout=10_000)
    assert drawn(seen, "L14.road") >= 1
    assert echo(seen, "error", "value === null") is None


def test_a_broken_store_mends_itself_without_a_click(visit: Opener, address: str, fine: Weather) -> None:
    fine.broken.add("L14")
    seen = visit(address, width=WIDTH, height=HEIGHT)
    seen.until("document.querySelector('.om-notice')", timeout=10_000)
    fine.broken.clear()
    seen.until("!document.querySelector('.om-notice')", timeout=10_000)


@pytest.mark.parametrize("flat", [False, True])
def test_where_no_more_ground_is_given_the_map_says_so_and_asks_again_only_on_request(
    visit: Opener, address: str, fine: Weather, flat: bool
) -> None:
    fine.limited.update({"L14", "drawn"})
    seen = visit(address, flat=flat, width=WIDTH, height=HEIGHT)
    notice = seen.page.locator(".om-notice[data-kind=limit]")
    notice.wait_for(timeout=10_000)
    assert "地图到此为止:请联系某局" in notice.inner_text()
    assert seen.page.locator(".om-notice[data-kind=fault]").count() == 0
    assert echo(seen, "error", "value?.status === 403")["status"] == 403
    seen.page.wait_for_timeout(2000)  # the notice comes with the first refusal, and others are under way then
    asked = len([u for u in fine.asked if "L14" in u])
    seen.page.wait_for_timeout(6000)
    assert len([u for u in fine.asked if "L14" in u]) == asked
    fine.limited.clear()
    seen.page.get_by_role("button", name="重试").click()
    seen.until("!document.querySelector('.om-notice[data-kind=limit]')", timeout=10_000)
    if not flat:
        seen.until("__onemap.maps[0].queryRenderedFeatures({layers: ['L14.road']}).length", timeout=10_000)


def test_an_empty_tile_is_quiet(visit: Opener, address: str, fine: Weather) -> None:
    fine.empty.update({"L14", "L02", "terrain"})
    seen = visit(address, width=WIDTH, height=HEIGHT)
    seen.idle()
    set_props(seen, layers=layers(L02={"visible": True}), threeD={"on": True, "terrain": True})
    seen.idle()
    assert seen.complaints == []
    assert seen.page.evaluate("__onemap.errors") == []
    assert seen.page.locator(".om-notice").count() == 0


def test_without_webgl_the_server_draws_and_clicks_still_ask(visit: Opener, address: str, fine: Weather) -> None:
    seen = visit(address, flat=True, width=WIDTH, height=HEIGHT)
    seen.idle()
    assert seen.page.get_by_role("status").inner_text().startswith("此电脑无法使用 WebGL2")
    assert echo(seen, "ready") == {"ok": True, "flat": True}
    seen.until("document.querySelectorAll('.leaflet-tile-loaded').length > 4")
    assert [u for u in seen.asked if "/tiles/drawn/L06/" in u and "year=2025" in u]
    seen.page.mouse.click(WIDTH / 2, HEIGHT / 2)
    assert echo(seen, "click")["features"] == []
    assert echo(seen, "click")["flat"] is True
    assert echo(seen, "click")["lngLat"] == pytest.approx([LON, LAT], abs=1e-3)
    set_props(seen, layers=layers(L06={"visible": False}), year=2020)
    seen.until("document.querySelectorAll('.leaflet-tile-loaded').length > 4")
    assert seen.complaints == []
    assert seen.outside == []


def test_without_webgl_a_broken_store_is_said_too(visit: Opener, address: str, fine: Weather) -> None:
    fine.broken.add("drawn")
    seen = visit(address, flat=True, width=WIDTH, height=HEIGHT)
    seen.page.get_by_role("status").filter(has_text="底图暂不可用").wait_for(timeout=5000)
    fine.broken.clear()
    seen.page.get_by_role("button", name="重试").click()
    seen.until("!document.querySelector('.om-notice[data-kind=fault]')", timeout=10_000)


def test_a_map_that_was_never_built_says_so(visit: Opener, address: str, fine: Weather) -> None:
    context = visit(address).context
    page = context.new_page()
    page.route("**/vendor/maplibre-gl.mjs", lambda route: route.fulfill(status=404))
    page.goto(address)
    page.get_by_role("status").filter(has_text="地图程序还没有构建").wait_for(timeout=10_000)


def test_buttons_are_named_and_large_enough(seen: Visit) -> None:
    buttons = seen.page.locator(".om-controls button")
    names = [b.get_attribute("aria-label") for b in buttons.all()]
    assert names == ["放大", "缩小", "回到全村", "恢复正北朝上", "三维显示", "两年对比", "全屏"]
    for button in buttons.all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40


def test_the_scale_bar_is_true(seen: Visit) -> None:
    width = seen.page.locator(".om-bar").bounding_box()
    assert width is not None
    assert seen.page.locator(".om-length").inner_text() == "200 米"
    per_pixel = 200 / width["width"]
    a, b = at(seen, LON, LAT), at(seen, LON, LAT + 100 / map_stub.METRES_PER_DEGREE_LAT)
    assert (a[1] - b[1]) * per_pixel == pytest.approx(100, rel=0.01)


def test_axe_finds_nothing_wrong(seen: Visit) -> None:
    axe = (twin.map.FOLDER / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    set_props(seen, compare={"left": 2020, "right": 2025, "at": 50}, tool="polygon")
    seen.until("__onemap.maps.length === 2 && __onemap.idle")
    seen.page.evaluate(axe)
    found = seen.page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))")
    assert found == []


def test_english_words_reach_everything(seen: Visit) -> None:
    set_props(seen, words=twin.map.words("en"))
    seen.page.get_by_role("button", name="Zoom in").wait_for()
    assert seen.page.locator(".om-stamp").inner_text() == "2025"
    assert seen.page.locator("canvas").get_attribute("aria-label") == "Map"
