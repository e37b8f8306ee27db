"""The dark map in a real Chromium: map and legend change together, asking for one style, and nothing is filtered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests import serving_fixture as fixture
from tests.browser.harness import Visit
from tests.browser.test_page import running
from twin import style
from twin.map.symbols import ink_on
from twin.style.signs import signs

Opener = Callable[..., Visit]
QUERY = "?l=L06:1,L05:1,L16:1"
PAINT = "([side, layer, name]) => JSON.stringify(window.__onemap.maps[side].getPaintProperty(layer, name))"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("dark")) as url:
        yield url


@pytest.fixture
def go(visit: Opener, address: str) -> Opener:
    def opened(query: str = QUERY, **options: object) -> Visit:
        seen = visit(address + query, **options)
        seen.until("document.documentElement.dataset.started === 'yes'")
        if not options.get("flat"):
            seen.idle()
        return seen

    return opened


def cover(theme: style.ThemeName) -> dict[str, str]:
    """Give the colours of the land classes, by code."""
    onemap = fixture.onemap()
    layer = onemap.layer("L06")
    assert layer is not None
    return {s.value: s.colour for s in signs(onemap, layer.draws[0], theme)}


def rgb(text: str) -> str:
    return f"rgb({', '.join(str(int(text[k : k + 2], 16)) for k in (1, 3, 5))})"


def sign(seen: Visit, value: str) -> str:
    found = f"document.querySelector('[data-legend=L06] [data-class=\"{value}\"] .sign')"
    return seen.page.evaluate(f"getComputedStyle({found}).backgroundColor")


def test_map_and_legend_go_dark_together_and_ask_for_one_style(go: Opener) -> None:
    seen = go(color_scheme="light")
    assert sign(seen, "0101") == rgb(cover("light")["0101"])

    def press() -> None:
        seen.page.click("[data-act=dark]")
        seen.until("window.__onemap.maps[0].getPaintProperty('ground', 'background-color') === '#0E1A1F'")

    asked = seen.asked_while(press)
    of_the_change = [u.rpartition("/")[2] for u in asked if "/in-view?" not in u]  # the amounts, still of the opening
    assert of_the_change == ["style.json?language=zh-CN&theme=dark"]
    assert sign(seen, "0101") == rgb(cover("dark")["0101"])
    assert cover("dark")["0101"] in seen.page.evaluate(PAINT, [0, "L06.cover", "fill-color"])


def test_no_filter_lies_on_the_map_and_each_drawn_sign_shows_one_picture(go: Opener) -> None:
    for scheme, shown in (("light", "by-day"), ("dark", "by-night")):
        seen = go(color_scheme=scheme)
        filters = "[...document.querySelectorAll('.onemap, .onemap *, .legend, .legend *')].map(e => getComputedStyle(e).filter)"
        assert set(seen.page.evaluate(filters)) == {"none"}
        visible = "[...document.querySelectorAll('.legend .sign img')].filter(e => getComputedStyle(e).display !== 'none').map(e => e.className)"
        assert set(seen.page.evaluate(visible)) == {shown}


def test_both_sides_of_a_comparison_are_dark(go: Opener) -> None:
    seen = go("?l=L06:1&c=2020|2025|50", color_scheme="dark")
    seen.until("window.__onemap.maps.length === 2 && window.__onemap.maps[1].getLayer('L06.cover')")
    for side in (0, 1):
        assert cover("dark")["0101"] in seen.page.evaluate(PAINT, [side, "L06.cover", "fill-color"])


def test_without_webgl_the_tiles_are_asked_for_in_the_dark_and_again_by_day(go: Opener) -> None:
    seen = go("?l=L06:1", flat=True, color_scheme="dark")
    seen.until("document.querySelector('.leaflet-tile-loaded')")
    drawn = [u for u in seen.asked if "/tiles/drawn/" in u]
    assert drawn
    assert all("theme=dark" in u for u in drawn)
    ground = "getComputedStyle(document.querySelector('.leaflet-container')).backgroundColor"
    assert seen.page.evaluate(ground) == rgb(style.THEMES["dark"].ground)
    before = len(seen.asked)
    seen.page.click("[data-act=dark]")
    seen.until(f"{ground} === '{rgb(style.THEMES['light'].ground)}'")
    for _ in range(200):
        if [u for u in seen.asked[before:] if "theme=light" in u and "/tiles/drawn/" in u]:
            break
        seen.page.wait_for_timeout(50)
    else:
        pytest.fail("the tiles of the day were never asked for")


def test_the_browser_chooses_the_same_ink_as_the_legend(go: Opener) -> None:
    seen = go()
    plates = ["#0B5CAD", "#F7D417", "#E37100", "#4F99E3", "#F28C00", "#C8102E", "#949494", "#969696"]
    path = "performance.getEntriesByType('resource').map(e => e.name).find(n => n.endsWith('/js/symbols.mjs'))"
    chosen = seen.page.evaluate(f"async (plates) => plates.map((await import({path})).inkOn)", plates)
    assert chosen == [ink_on(p) for p in plates]
