"""The whole page in a real Chromium, over a tiny village served as the dashboard serves it: API, tiles and pages."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route

import twin.map
from tests import serving_fixture as fixture
from tests.browser.harness import Visit
from tests.browser.page_server import served_asgi
from twin import api, pages, text
from twin.model import Indicator, OneMap, Text
from twin.settings import Settings
from twin.store import Store

Opener = Callable[..., Visit]
AXE = Path(twin.map.__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
CHINESE = re.compile(r"[㐀-鿿]")
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1920, "height": 1080}
KNOWN = {w for key, w in text.catalogue("zh-CN").items() if CHINESE.search(w) and "{" not in w and len(w) > 1}


def warned(onemap: OneMap) -> OneMap:
    """Give the village with one number that needs somebody: dry land."""
    where = (("land_class", "=", "0103"),)
    dry = Indicator(
        id="dry", theme="governance", title=Text("旱地", "Dry land"), table="cover", where=where, tone="danger"
    )
    themes = tuple(replace(t, indicators=(*t.indicators, dry)) if t.id == "governance" else t for t in onemap.themes)
    return replace(onemap, themes=themes)


@contextmanager
def running(data: Path, port: int = 0) -> Iterator[str]:
    settings = replace(Settings(), data=data, tile_cache_mb=8, demo=True)
    known = settings.store.exists()
    onemap, store, settings = (fixture.onemap(), Store(settings.store), settings) if known else fixture.build(data)
    onemap = warned(onemap)
    app = api.mount(api.create(onemap, store, settings), pages.create(onemap, store, settings))
    with served_asgi(app, port) as url:
        yield url


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("page")) as url:
        yield url


@pytest.fixture
def go(visit: Opener, address: str) -> Opener:
    """Open the page at a query and wait until it has drawn; `flat=True` without WebGL."""

    def opened(query: str = "", **options: Any) -> Visit:
        seen = visit(address + query, **options)
        seen.until("document.documentElement.dataset.started === 'yes'")
        if not options.get("flat"):
            seen.idle()
        return seen

    return opened


def state(seen: Visit) -> dict[str, Any]:
    return json.loads(seen.page.evaluate("JSON.stringify(window.onemap.state())"))


def card(seen: Visit) -> str:
    seen.until(
        "document.querySelector('#feature .card') && document.querySelector('#feature').getAttribute('aria-busy') !== 'true'"
    )
    return seen.page.locator("#feature").inner_text()


def press_at(seen: Visit, lon: float, lat: float) -> None:
    at = seen.page.evaluate(
        "([x, y]) => { const m = window.__onemap.maps[0]; const p = m.project([x, y]); const r = m.getCanvas().getBoundingClientRect(); return [p.x + r.left, p.y + r.top]; }",
        [lon, lat],
    )
    seen.page.mouse.click(*at)


def axe(seen: Visit) -> list[str]:
    """Give each violation of axe-core; its script is evaluated by the browser's debugger, which the CSP does not bind."""
    if not AXE.exists():
        pytest.skip(f"axe-core is not installed at {AXE}: npm ci in twin/map")
    seen.page.evaluate(AXE.read_text("utf-8") + "; true")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = seen.page.evaluate(
        "async (tags) => (await axe.run(document, {runOnly: tags})).violations.map(v => v.id + ': ' + v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + ' | ' + (n.any[0]?.message || n.all[0]?.message || '')).join(' || '))",
        tags,
    )
    return [str(v) for v in found]


# ---- quiet and closed


def test_the_page_asks_nobody_else_and_complains_of_nothing(go: Opener) -> None:
    seen = go()
    seen.page.click("[data-act=lang]")
    seen.idle()
    seen.page.click("[data-act=dark]")
    seen.idle()
    assert seen.outside == []
    assert seen.complaints == []
    assert [a for a in seen.answers if a[0] >= 400] == []


def test_what_the_first_map_needs_fits_the_budget(go: Opener) -> None:
    seen = go()
    script = "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).map(e => [e.name, e.encodedBodySize])"
    sizes = dict(seen.page.evaluate(script))
    needed = {k: v for k, v in sizes.items() if "/tiles/" not in k}
    assert sum(needed.values()) <= 1_600_000, needed
    assert not [k for k in sizes if re.search("plotly|charts|deck|graph|dash_table", k)]


def test_switching_layers_opacity_order_and_classes_asks_the_server_nothing(go: Opener) -> None:
    seen = go("?l=L06:1,L16:1")
    page = seen.page

    def switch() -> None:
        page.locator("[data-row=L06] [data-act=eye]").click()
        page.locator("[data-row=L06] [data-act=eye]").click()
        page.locator("[data-row=L06] [data-act=opacity]").fill("40")
        page.locator("[data-row=L06] [data-act=lower]").click()
        page.locator("[data-row=L16] [data-act=remove]").click()
        page.locator("[data-legend=L06] [data-act=class]").first.click()

    ground(seen, "0101")
    asked = [u for u in seen.asked_while(switch) if "favicon" not in u]
    assert asked == []
    assert [x["id"] for x in state(seen)["layers"]] == ["L06"]
    assert state(seen)["layers"][0]["opacity"] == 0.4
    assert len(state(seen)["layers"][0]["hidden"]) == 1


def ground(seen: Visit, value: str) -> str:
    """Give what the legend says of a class of land, once the area in view is known."""
    amount = f"document.querySelector('[data-legend=L06] [data-class=\"{value}\"]:not([hidden]) .amount')?.textContent"
    seen.until(f"/亩/.test({amount}) && !document.querySelector('#legend-body.behind')")
    return str(seen.page.evaluate(amount))


def test_the_legend_says_how_much_ground_of_each_class_is_in_view(go: Opener) -> None:
    seen = go("?l=L06:1")
    assert (ground(seen, "0101"), ground(seen, "0103")) == ("80 亩", "64 亩")
    seen.page.locator("[data-act=earlier]").first.click()
    seen.until("document.querySelector('[data-legend=L06] [data-class=\"0103\"] .amount').textContent === '80 亩'")


def test_the_ground_is_asked_once_for_each_place_the_map_rests_at(go: Opener) -> None:
    seen = go("?l=L06:1")
    whole = ground(seen, "0101")

    def sums() -> int:
        return sum("/analysis/in-view" in u for u in seen.asked)

    before = sums()
    command = {"kind": "jump", "center": [119.9705, 30.5305], "zoom": 18, "t": 1}
    seen.act(lambda: seen.page.evaluate("(camera) => window.dash_clientside.set_props('map', { camera })", command))
    seen.until(f"document.querySelector('[data-class=\"0101\"] .amount').textContent !== '{whole}'")
    assert ground(seen, "0101") != whole
    assert sums() == before + 1


# ---- the journeys


def test_a_click_on_the_map_tells_what_it_is_and_which_row_it_came_from(go: Opener) -> None:
    seen = go("?l=L06:1&v=119.9715,30.5315,17")
    press_at(seen, 119.9713, 30.5312)
    told = card(seen)
    assert "P5" in told
    assert "水田" in told
    assert "亩" in told
    assert "王建国" in told
    seen.page.locator("#feature .card > .provenance > summary").click()
    told = card(seen)
    assert "01_land/cover.gpkg" in told
    assert "SHA-256 ab12" in told
    assert "s=L06/cover/P5" in seen.page.url


def test_things_that_overlap_are_offered(go: Opener) -> None:
    seen = go("?l=L16:1,L06:1&v=119.9715,30.5315,17")
    press_at(seen, 119.9715, 30.5315)
    assert "祠堂" in card(seen)
    seen.page.locator("#feature [data-act=pick]", has_text="P5").click()
    seen.until("/P5/.test(document.querySelector('#card-title').textContent)")


def test_a_number_opens_the_list_behind_it_and_a_row_opens_its_card(go: Opener) -> None:
    seen = go()
    number = seen.page.locator("[data-act=kpi][data-indicator=dry]")
    assert number.locator("b").inner_text() == "4"
    number.click()
    seen.until("document.querySelectorAll('#list [data-act=row]').length === 4")
    assert number.get_attribute("aria-pressed") == "true"
    assert seen.page.locator("#list [data-total]").get_attribute("data-total") == "4"
    seen.page.locator("#list [data-act=row]").nth(1).click()
    assert "P4" in card(seen)
    assert "旱地" in seen.page.locator("#feature .alerts").inner_text()
    seen.until("window.__onemap.maps[0].getZoom() > 15")


def hidden_of(seen: Visit, layer: str) -> list[str]:
    return next(x["hidden"] for x in state(seen)["layers"] if x["id"] == layer)


def test_a_number_narrows_list_and_map_and_closing_it_gives_the_map_back(go: Opener) -> None:
    seen = go("?l=L06:1:0103")
    seen.page.locator("[data-act=kpi][data-indicator=dry]").click()
    seen.until("document.querySelector('#list [data-act=widen]:not([hidden])')")
    assert "旱地" in seen.page.locator("#list [data-act=widen]").inner_text()
    assert hidden_of(seen, "L06") == ["0101"]
    seen.page.locator("#list [data-act=widen]").click()
    assert hidden_of(seen, "L06") == ["0103"]
    assert seen.page.locator("#list [data-act=widen]").is_hidden()
    seen.page.locator("#tab-feature").click()
    seen.page.locator("[data-act=kpi][data-indicator=dry]").click()
    seen.until("document.querySelector('#list [data-act=widen]:not([hidden])')")
    seen.page.locator("[data-act=kpi][data-indicator=dry]").click()
    assert state(seen)["list"] is None
    assert hidden_of(seen, "L06") == ["0103"]


def test_a_bar_narrows_list_and_map_by_pointer_and_by_keyboard_and_back_goes_back(go: Opener) -> None:
    seen = go("?l=L06:1&p=charts&t=planning")
    seen.until("document.querySelector('#charts [data-indicator=parcels] .point')")
    bar = seen.page.locator("#charts [data-indicator=parcels] .point").nth(1).bounding_box()
    assert bar
    seen.page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2, steps=3)
    seen.page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    seen.until("document.querySelector('#list [data-total]')?.dataset.total === '4'")
    assert "只看：旱地" in seen.page.locator("#list").inner_text()
    assert "0101" in hidden_of(seen, "L06")
    assert "q=indicator:parcels:0103" in seen.page.url
    seen.page.locator("#list [data-act=list-all]").click()
    seen.until("document.querySelector('#list [data-total]')?.dataset.total === '9'")
    assert hidden_of(seen, "L06") == []
    seen.page.locator("#tab-charts").click()
    seen.page.locator("#charts details summary").first.press("Enter")
    seen.page.locator("#charts [data-act=bar][data-of='0101']").press("Enter")
    seen.until("document.querySelector('#list [data-total]')?.dataset.total === '5'")
    assert "0103" in hidden_of(seen, "L06")


@pytest.mark.parametrize(
    ("typed", "kind", "title"),
    [("tdxz", "layer", "土地现状"), ("citang", "place", "祠堂"), ("wjg", "duty", "王建国"), ("P7", "code", "P7")],
)
def test_search_finds_by_initials_pinyin_and_code(go: Opener, typed: str, kind: str, title: str) -> None:
    seen = go()
    seen.page.fill("#search", typed)
    seen.until("document.querySelector('#found [role=option]')")
    first = seen.page.locator("#found [role=option]").first
    assert first.get_attribute("data-kind") == kind
    assert title in first.inner_text()
    seen.page.keyboard.press("Enter")
    if kind == "layer":
        seen.until("window.onemap.state().layers[0].id === 'L06'")
    else:
        assert card(seen)


def test_ten_keys_ask_at_most_three_times(go: Opener) -> None:
    seen = go()
    before = len(seen.asked)
    seen.page.locator("#search").press_sequentially("cesicuncun", delay=60)
    seen.until("document.querySelector('#found').childElementCount")
    assert 1 <= len([u for u in seen.asked[before:] if "_dash-update" in u]) <= 3


def test_a_drawn_area_is_answered_in_mu(go: Opener) -> None:
    seen = go("?l=L06:1&v=119.9715,30.5315,16")
    square = {
        "type": "Polygon",
        "coordinates": [
            [[119.9702, 30.5302], [119.9718, 30.5302], [119.9718, 30.5318], [119.9702, 30.5318], [119.9702, 30.5302]]
        ],
    }
    seen.page.evaluate(
        "(g) => window.dash_clientside.set_props('map', {drawn: {geometry: g, kind: 'polygon', t: 1}})", square
    )
    seen.until("/亩/.test(document.querySelector('#feature').textContent)")
    told = seen.page.locator("#feature").inner_text()
    assert "永久基本农田" in told
    assert "水田" in told


def test_charts_load_when_first_opened_and_have_their_table(go: Opener) -> None:
    seen = go("?t=planning")
    assert not [u for u in seen.asked if "charts.js" in u]
    seen.page.evaluate("window.dash_clientside.set_props('map', {})")
    seen.page.evaluate("document.querySelector('#tab-charts').click()")
    seen.until("document.querySelector('#charts .js-plotly-plot .point')")
    assert [u for u in seen.asked if "charts.js" in u]
    assert seen.outside == []
    seen.page.locator("#charts details summary").first.click()
    assert seen.page.locator("#charts details[open] td").count() >= 2


def test_the_year_steps_over_years_that_exist_and_the_map_says_it(go: Opener) -> None:
    seen = go("?l=L06:1")
    assert seen.page.locator("[data-act=later]").is_disabled()
    seen.page.click("[data-act=earlier]")
    seen.idle()
    assert "y=2020" in seen.page.url
    assert seen.page.locator("#year").inner_text() == "2020"
    assert "2020" in seen.page.locator(".om-stamp").inner_text()


def drawn_classes(seen: Visit) -> dict[str, int]:
    """Give how often each class of land cover is drawn in view."""
    seen.idle()
    return json.loads(
        seen.page.evaluate("""() => {
          const map = window.__onemap.maps[0];
          const ids = map.getStyle().layers.filter((x) => x.source === "L06").map((x) => x.id);
          const found = map.queryRenderedFeatures({ layers: ids });
          const counts = {};
          for (const f of found) counts[f.properties.land_class] = (counts[f.properties.land_class] ?? 0) + 1;
          return JSON.stringify(counts);
        }""")
    )


def test_stepping_to_a_year_draws_what_a_link_to_that_year_draws(go: Opener) -> None:
    there = drawn_classes(go("?l=L06:1&y=2020"))
    seen = go("?l=L06:1")
    assert drawn_classes(seen) != there
    seen.act(lambda: seen.page.click("[data-act=earlier]"))
    assert drawn_classes(seen) == there


def test_the_map_comes_to_rest_where_every_tile_comes_back_unchanged(go: Opener) -> None:
    seen = go("?v=119.9708,30.5304,17.5&l=L06:1")

    def late(route: Route) -> None:
        seen.page.wait_for_timeout(300)
        route.continue_()

    seen.context.route("**/*.mvt*", late)
    seen.act(
        lambda: seen.page.evaluate("""() => {
      const map = window.__onemap.maps[0];
      const source = map.getSource("L06");
      source.setTiles([...source.tiles]);
    }""")
    )


# ---- the address


def test_a_link_restores_layers_order_opacity_year_and_selection(go: Opener) -> None:
    query = "?v=119.9715,30.5315,16.5&b=L02&l=L16:0.5,!L06:0.65&y=2020&s=L06/cover/P5"
    seen = go(query)
    now = state(seen)
    assert [(x["id"], x["visible"], x["opacity"]) for x in now["layers"]] == [("L16", True, 0.5), ("L06", False, 0.65)]
    assert now["year"] == 2020
    assert now["base"] == "L02"
    assert "旱地" in card(seen)
    assert round(seen.page.evaluate("window.__onemap.maps[0].getZoom()"), 1) == 16.5
    assert parse_qs(urlsplit(seen.page.url).query)["l"] == ["L16:0.5,!L06:0.65"]


def test_back_and_forward_restore_what_was_shown(go: Opener) -> None:
    seen = go("?l=L06:1")
    seen.page.evaluate("document.querySelector('[data-row=L06] [data-act=remove]').click()")
    assert state(seen)["layers"] == []
    seen.page.go_back()
    seen.until("window.onemap.state().layers.length === 1")
    seen.page.go_forward()
    seen.until("window.onemap.state().layers.length === 0")
    assert seen.page.locator("#active-none").is_visible()


def test_a_retired_layer_in_a_link_is_named_and_the_rest_is_shown(go: Opener) -> None:
    seen = go("?l=L99:1,L06:1")
    seen.until("document.querySelector('#notices .notice')")
    assert "L99" in seen.page.locator("#notices").inner_text()
    assert [x["id"] for x in state(seen)["layers"]] == ["L06"]


# ---- languages


def test_english_has_no_chinese_in_what_the_page_itself_says(go: Opener) -> None:
    seen = go("?l=L06:1,L16:1&s=L06/cover/P5")
    card(seen)
    before = state(seen)
    seen.page.click("[data-act=lang]")
    seen.until("document.documentElement.lang === 'en'")
    seen.until("/The cover/.test(document.querySelector('#feature').textContent)")
    assert state(seen)["layers"] == before["layers"]
    script = """() => [document.body.innerText, ...[...document.querySelectorAll('[aria-label],[title],[placeholder]')]
        .flatMap(e => ['aria-label','title','placeholder'].map(a => e.getAttribute(a) || ''))].join('\\n')"""
    told = seen.page.evaluate(script)
    left = told.replace("中/EN", "").replace("切换到中文", "")
    assert [line for line in left.splitlines() if any(w in line for w in KNOWN)] == []
    assert not re.search(r"\bpage\.[a-z]+\.[a-z_]+", told)
    seen.page.click("[data-act=lang]")
    seen.until("document.documentElement.lang === 'zh-CN'")
    assert seen.complaints == []


# ---- without a mouse, without a GPU, without a network


def focused(seen: Visit) -> str:
    return seen.page.evaluate(
        "(document.activeElement.id || document.activeElement.dataset.act || document.activeElement.tagName)"
    )


def test_the_first_tabs_are_links_that_skip_and_they_work(go: Opener) -> None:
    seen = go()
    seen.page.keyboard.press("Tab")
    assert "跳到地图" in seen.page.evaluate("document.activeElement.textContent")
    assert seen.page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    assert focused(seen) == "search"


def test_by_keyboard_alone_from_load_to_the_phone_of_whoever_is_on_duty(go: Opener) -> None:
    seen = go()
    keys = seen.page.keyboard
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")
    keys.type("P5")
    seen.until("document.querySelector('#found [role=option]')")
    keys.press("Enter")
    assert "王建国" in card(seen)
    presses = 0
    while seen.page.evaluate("!document.activeElement.matches('a.phone')") and presses < 25:
        keys.press("Tab")
        presses += 1
        ring = seen.page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
        )
        assert ring != "none0px"
    assert seen.page.evaluate("document.activeElement.getAttribute('href')").startswith("tel:")
    keys.press("Escape")
    seen.until("!window.onemap.state().side")
    assert focused(seen) == "search"


def test_escape_closes_only_what_is_on_top(go: Opener) -> None:
    seen = go("?s=L06/cover/P5")
    card(seen)
    seen.page.fill("#search", "P7")
    seen.until("document.querySelector('#found [role=option]')")
    seen.page.keyboard.press("Escape")
    assert not seen.page.locator("#found").is_visible()
    assert state(seen)["side"]
    seen.page.keyboard.press("Escape")
    assert not state(seen)["side"]


def test_a_window_gives_the_focus_back_to_its_opener(go: Opener) -> None:
    seen = go()
    seen.page.locator(".freshness").focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("#dialog-health").is_visible()
    seen.page.keyboard.press("Escape")
    seen.until("document.activeElement.classList.contains('freshness')")


def test_without_webgl_the_page_says_so_and_the_list_still_works(go: Opener) -> None:
    seen = go("?q=layer:L06&p=list&l=L06:1", flat=True)
    seen.until("/WebGL2/.test(document.querySelector('#map').textContent)")
    seen.until("document.querySelectorAll('#list [data-act=row]').length")
    seen.page.locator("#list [data-act=row]").first.click()
    assert "P1" in card(seen)
    assert not [c for c in seen.complaints if "pageerror" in c]


def test_when_the_server_goes_the_page_says_so_and_recovers_by_itself(visit: Opener, tmp_path: Path) -> None:
    with running(tmp_path) as url:
        seen = visit(url)
        seen.until("document.documentElement.dataset.started === 'yes'")
        port = urlsplit(url).port
    seen.page.evaluate("window.dispatchEvent(new Event('offline'))")
    seen.until("/连接中断/.test(document.querySelector('#notices').textContent)")
    assert seen.page.locator("#active .active-row").count() > 0
    with running(tmp_path, port=port or 0):
        seen.until("!/连接中断/.test(document.querySelector('#notices').textContent)", timeout=10_000)


# ---- sizes and readers


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (1024, 768)])
def test_nothing_scrolls_sideways_and_the_map_has_most_of_the_page(go: Opener, size: tuple[int, int]) -> None:
    seen = go("?l=L06:1", width=size[0], height=size[1])
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    box = seen.page.locator("#map").bounding_box()
    assert box
    assert box["width"] >= size[0] * 0.6
    for part in (".bar", ".foot"):
        inside = seen.page.locator(part).evaluate("e => e.scrollWidth <= e.clientWidth + 1")
        assert inside, part


def test_on_a_phone_all_of_the_bar_is_on_the_screen(go: Opener) -> None:
    seen = go("?lang=en", **PHONE)
    ends = seen.page.evaluate(
        "[...document.querySelectorAll('.bar button, .bar a')].map(x => x.getBoundingClientRect().right)"
    )
    assert ends
    assert max(ends) <= 390
    assert seen.page.evaluate("document.querySelector('.bar').scrollWidth") <= 390


def test_on_a_phone_the_map_is_the_page_and_a_sheet_rises(go: Opener) -> None:
    seen = go("?l=L06:1&v=119.9715,30.5315,17", **PHONE, has_touch=True)
    page = seen.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not page.locator(".menu").is_visible()
    page.locator("[data-act=sheet][data-sheet=layers]").tap()
    assert page.locator(".menu").is_visible()
    heights = []
    for _ in range(3):
        heights.append(round(page.locator(".menu").bounding_box()["height"]))
        page.locator("#grip").click()
    assert len(set(heights)) == 3
    page.locator("[data-act=sheet][data-sheet=map]").tap()
    press_at(seen, 119.9713, 30.5318)
    assert "P5" in card(seen)


@pytest.mark.parametrize("query", ["?p=charts&t=planning", "?p=list&q=layer:L06", "?s=L06/cover/P5"])
def test_on_a_phone_a_sheet_is_as_wide_as_the_phone(go: Opener, query: str) -> None:
    seen = go(query, **PHONE)
    seen.until("document.querySelector('#side').offsetHeight > 100")
    assert seen.page.evaluate(
        "[document.querySelector('#side').offsetLeft, document.querySelector('#side').offsetWidth]"
    ) == [0, 390]


def test_in_forced_colours_what_a_ground_said_is_said_by_lines(go: Opener) -> None:
    seen = go("?q=indicator:dry&p=list&l=L06:1", forced_colors="active")
    seen.until("document.querySelector('#list [data-act=row]')")
    seen.page.locator("#list [data-act=row]").first.click()
    card(seen)

    def look(selector: str, *names: str) -> list[str]:
        styles = (
            "([s, names]) => { const c = getComputedStyle(document.querySelector(s)); return names.map((n) => c[n]); }"
        )
        return seen.page.evaluate(styles, [selector, list(names)])

    assert look("#list tr.chosen", "outlineStyle", "outlineWidth") == ["solid", "3px"]
    assert look(".legend", "borderTopStyle", "borderTopWidth") == ["solid", "1px"]
    assert look(".kpi.danger", "borderLeftStyle") == ["solid"]
    assert look("#feature .alert", "borderLeftStyle") == ["solid"]
    assert look("#tab-feature", "outlineStyle") == ["solid"]
    assert look("#tab-list", "borderBottomColor") == look("body", "backgroundColor")
    assert look("[data-row=L06] [data-act=eye]", "outlineStyle") == ["none"]
    assert look("[data-row=L06] [data-act=opacity]", "forcedColorAdjust") == ["none"]
    seen.page.locator("#filter").focus()
    seen.page.keyboard.press("Tab")
    ring = "(() => { const c = getComputedStyle(document.activeElement); return [c.outlineStyle, c.outlineWidth]; })()"
    assert seen.page.evaluate(ring) == ["solid", "3px"]


def test_on_a_phone_every_target_is_at_least_44_pixels(go: Opener) -> None:
    seen = go("?l=L06:1&s=L06/cover/P5", **PHONE, has_touch=True)
    card(seen)
    script = """() => [...document.querySelectorAll('button, a[href], input, summary, [role=option]')]
        .filter(e => e.checkVisibility() && !e.closest('.skip') && getComputedStyle(e).opacity !== '0')
        .map(e => { const l = e.closest('label, .field') || e; const r = l.getBoundingClientRect(); return [e.outerHTML.slice(0, 90), Math.round(r.width), Math.round(r.height)]; })
        .filter(([, w, h]) => w && h && (w < 44 || h < 44))"""
    small = [seen.page.evaluate(script)]
    for sheet in ("layers", "tools"):
        seen.page.locator(f"[data-act=sheet][data-sheet={sheet}]").tap()
        small.append(seen.page.evaluate(script))
    assert small == [[], [], []]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "query", ["", "?s=L06/cover/P5&l=L06:1,L16:1", "?q=layer:L06&p=list&l=L06:1", "?p=charts&t=planning"]
)
def test_axe_finds_nothing(go: Opener, query: str, theme: str) -> None:
    seen = go(query, color_scheme=theme)
    if "s=" in query:
        card(seen)
    if "p=list" in query:
        seen.until("document.querySelector('#list [data-act=row]')")
    if "charts" in query:
        seen.until("document.querySelector('#charts .js-plotly-plot')")
    assert axe(seen) == []


@pytest.mark.parametrize("options", [{"elder": True}, {"phone": True}, {"window": True}])
def test_axe_finds_nothing_large_on_a_phone_or_in_a_window(go: Opener, options: dict[str, bool]) -> None:
    seen = go("?s=L06/cover/P5&l=L06:1", **(PHONE if options.get("phone") else {}))
    card(seen)
    if options.get("elder"):
        seen.page.click("[data-act=elder]")
        assert seen.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == 24
    if options.get("window"):
        seen.page.keyboard.press("Escape")
        seen.page.locator(".freshness").click()
    assert axe(seen) == []


def test_large_type_persists(go: Opener) -> None:
    seen = go()
    seen.page.click("[data-act=elder]")
    seen.page.reload()
    seen.until("document.documentElement.dataset.started === 'yes'")
    assert seen.page.evaluate("document.documentElement.dataset.elder") == "on"
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 1366


def test_favourites_persist_and_can_be_shown_alone(go: Opener) -> None:
    seen = go()
    seen.page.fill("#filter", "tdxz")
    seen.page.locator("[data-layer-row=L06] [data-act=star]").click()
    seen.page.fill("#filter", "")
    seen.page.reload()
    seen.until("document.documentElement.dataset.started === 'yes'")
    seen.page.click("[data-act=only-stars]")
    assert seen.page.locator("[data-layer-row]:visible").count() == 1


def test_filtering_layers_counts_aloud_and_escape_clears_it(go: Opener) -> None:
    seen = go()
    seen.page.fill("#filter", "wgyfw")
    visible = seen.page.locator("[data-layer-row]:visible")
    assert visible.count() == 1
    assert str(visible.count()) in (seen.page.locator("#filter-said").text_content() or "")
    seen.page.fill("#filter", "zzzz")
    assert seen.page.locator("#none-found").is_visible()
    seen.page.keyboard.press("Escape")
    assert seen.page.locator("#filter").input_value() == ""


def test_with_reduced_motion_nothing_moves(go: Opener) -> None:
    seen = go(reduced_motion="reduce")
    moving = "() => [...document.querySelectorAll('*')].filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0 || parseFloat(getComputedStyle(e).animationDuration) > 0).length"
    assert seen.page.evaluate(moving) == 0


def test_landmarks_are_each_there_once_and_headings_start_at_one(go: Opener) -> None:
    seen = go()
    for mark in ("header", "main", "aside", "footer:not([hidden])", "h1"):
        assert seen.page.locator(mark).count() == 1, mark
    levels = seen.page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_two_years_are_compared_and_the_link_keeps_the_divider(go: Opener) -> None:
    seen = go("?b=L02&l=-&v=119.9715,30.5315,15")
    seen.act(lambda: seen.page.click(".tools [data-act=compare]"))
    assert state(seen)["compare"] == {"left": 2020, "right": 2025, "at": 50}
    handle = seen.page.locator("[role=slider].om-handle, .om-handle [role=slider]").first
    handle.focus()
    seen.page.keyboard.press("ArrowLeft")
    seen.until("window.onemap.state().compare.at < 50")
    seen.until("/c=2020\\|2025\\|4\\d/.test(location.search)")
    seen.page.click(".tools [data-act=compare]")
    seen.until("window.onemap.state().compare === null")


def test_the_link_to_share_is_this_view(go: Opener) -> None:
    seen = go("?l=L06:0.5&y=2020")
    seen.page.click("[data-act=share]")
    assert seen.page.locator("#dialog-share").is_visible()
    link = seen.page.locator("#share-link").input_value()
    assert "l=L06:0.5" in link
    assert "y=2020" in link
    assert link == seen.page.url


def test_a_favourite_feature_is_offered_before_anything_is_typed(go: Opener) -> None:
    seen = go("?s=L06/cover/P5&l=L06:1")
    card(seen)
    seen.page.click("[data-act=star-feature]")
    assert seen.page.locator("[data-act=star-feature]").get_attribute("aria-pressed") == "true"
    seen.page.click("[data-act=close-side]")
    seen.page.locator("#search").focus()
    seen.until("document.querySelector('#found [data-kind=star]')")
    seen.page.keyboard.press("Enter")
    assert "P5" in card(seen)


def test_in_3d_the_theme_stands_up_as_columns_and_deck_is_loaded_only_then(go: Opener) -> None:
    seen = go("?l=L06:1&t=planning&v=119.9715,30.5315,15")
    assert not [u for u in seen.asked if "deck.mjs" in u]
    seen.page.click(".tools [data-act=three]")
    seen.until("window.__onemap.deck")
    assert [u for u in seen.asked if "deck.mjs" in u]
    seen.until("/立柱/.test(document.querySelector('.om-stamp').textContent)")
    assert seen.outside == []
    seen.page.click(".tools [data-act=three]")
    seen.until("!window.onemap.state().three")


def test_a_theme_switches_the_set_of_layers(go: Opener) -> None:
    seen = go()
    seen.page.click("[data-act=theme][data-theme=planning]")
    assert {x["id"] for x in state(seen)["layers"]} == {"L05", "L06"}
    assert "t=planning" in seen.page.url


def test_moving_a_layer_down_changes_what_lies_on_top_and_keeps_the_focus(go: Opener) -> None:
    seen = go("?l=L16:1,L06:1")
    seen.page.locator("[data-row=L16] [data-act=lower]").focus()
    seen.page.keyboard.press("Enter")
    assert [x["id"] for x in state(seen)["layers"]] == ["L06", "L16"]
    seen.page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    focused = seen.page.evaluate(
        "[document.activeElement.closest('[data-row]')?.dataset.row, document.activeElement.dataset.act]"
    )
    assert focused == ["L16", "raise"], "at the end of the list there is no lower: the focus waits beside it"


def test_an_answer_that_never_comes_says_so_and_can_be_asked_again(go: Opener) -> None:
    seen = go("?l=L06:1")
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    seen.page.route("**/_dash-update-component*", hold)
    seen.page.evaluate("document.querySelector('#tab-list').click()")
    seen.until("document.querySelector('#list .state.failed [data-act=retry]')", timeout=15_000)
    for route in held:
        route.abort()
    seen.page.unroute("**/_dash-update-component*")
    seen.page.locator("#list [data-act=retry]").click()
    seen.until("document.querySelector('#list [data-act=row]')")
