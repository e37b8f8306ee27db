"""Pictures of the page over the demo village, to be opened and judged: `python -m tests.browser.screenshots [name …]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright, sync_playwright

from tests.browser.harness import ARGS, CHROMIUM, FLAT_ARGS, Visit, open_page
from tests.browser.page_server import served_asgi

OUT = Path(__file__).resolve().parents[2] / "screenshots"
Step = Callable[[Visit], Any]

SMALL, WIDE, PHONE = (1366, 768), (1920, 1080), (390, 844)


def press(selector: str) -> Step:
    return lambda seen: seen.page.locator(selector).first.click()


def until(expression: str) -> Step:
    return lambda seen: seen.until(expression, timeout=30_000)


def search(text: str) -> Step:
    def step(seen: Visit) -> None:
        seen.page.evaluate("document.querySelector('[data-act=find]').click()")
        seen.page.fill("#search", text)
        seen.until("document.querySelector('#found [role=option]')")

    return step


def card_of(text: str) -> Step:
    def step(seen: Visit) -> None:
        search(text)(seen)
        seen.page.keyboard.press("Enter")
        seen.until("document.querySelector('#feature .card')")

    return step


def draw(west: float, south: float, east: float, north: float) -> Step:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    drawn = {"geometry": {"type": "Polygon", "coordinates": [ring]}, "kind": "polygon", "t": 1}

    def step(seen: Visit) -> None:
        seen.page.evaluate("(drawn) => window.dash_clientside.set_props('map', { drawn })", drawn)
        seen.until("document.querySelector('#feature .grid')")

    return step


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture: the address, the size, what is done before it is taken."""

    query: str = ""
    size: tuple[int, int] = SMALL
    steps: tuple[Step, ...] = ()
    flat: bool = False
    options: dict[str, Any] = field(default_factory=dict)


DARK = {"color_scheme": "dark"}
TOUCH = {"has_touch": True}
DRAWN = (
    "window.__onemap.idle && window.__onemap.maps.every((m) => !m.isMoving || (!m.isMoving() && m.areTilesLoaded()))"
)
SETTLE_MS = 500
"""A picture is taken when the map has been still three times in a row: a camera may start after an answer has come."""
SCENE_READY = "window.__onemap.deck && document.querySelector('.om-stamp')"

PICTURES = {
    "zh-1366": Picture(),
    "zh-1920": Picture(size=WIDE),
    "card-1366": Picture(steps=(card_of("ZD-0118"),)),
    "card-1920": Picture(size=WIDE, steps=(card_of("ZD-0118"),)),
    "provenance": Picture(
        query="?s=L06/homestead/ZD-0118&l=L06:1",
        steps=(until("document.querySelector('#feature .card')"), press("#feature .card > .provenance > summary")),
    ),
    "dark-1920": Picture(size=WIDE, steps=(card_of("ZD-0118"),), options=DARK),
    "en-1366": Picture(query="?lang=en", steps=(card_of("ZD-0118"),)),
    "list": Picture(
        steps=(press("[data-indicator=case_overdue]"), until("document.querySelector('#list [data-act=row]')"))
    ),
    "charts": Picture(
        query="?p=charts&t=planning", size=WIDE, steps=(until("document.querySelector('#charts .point')"),)
    ),
    "search": Picture(steps=(search("xkq"),)),
    "compare": Picture(query="?b=L02&l=-&v=119.968,30.531,16&c=2020|2025|50"),
    "3d": Picture(query="?b=L03&l=L18:1&d=3&t=governance&v=119.968,30.529,16.2,60,20", steps=(until(SCENE_READY),)),
    "overlay": Picture(query="?l=L05:1,L06:0.6&v=119.968,30.531,15.5", steps=(draw(119.966, 30.529, 119.972, 30.533),)),
    "state-of-data": Picture(steps=(press(".freshness"),)),
    "no-webgl": Picture(
        query="?q=layer:L06&p=list", flat=True, steps=(until("document.querySelector('#list [data-act=row]')"),)
    ),
    "elder": Picture(steps=(press("[data-act=elder]"), card_of("ZD-0118"))),
    "phone": Picture(size=PHONE, options=TOUCH),
    "phone-card": Picture(size=PHONE, options=TOUCH, steps=(card_of("ZD-0118"),)),
    "phone-layers": Picture(size=PHONE, options=TOUCH, steps=(press("[data-sheet=layers]"),)),
    "phone-tools": Picture(size=PHONE, options=TOUCH, steps=(press("[data-sheet=tools]"),)),
}


def take(playwright: Playwright, address: str, name: str, picture: Picture) -> list[str]:
    """Take one picture; give what the page complained of."""
    browser = playwright.chromium.launch(
        executable_path=str(CHROMIUM), args=[*ARGS, *(FLAT_ARGS if picture.flat else ())]
    )
    width, height = picture.size
    seen = open_page(browser, address + picture.query, width=width, height=height, **picture.options)
    seen.until("document.documentElement.dataset.started === 'yes'")
    seen.idle()
    for step in picture.steps:
        step(seen)
    for _ in range(3):
        seen.page.wait_for_timeout(SETTLE_MS)
        seen.until(DRAWN, timeout=30_000)
    seen.page.screenshot(path=OUT / f"{name}.png")
    browser.close()
    return [*seen.complaints, *(f"outside: {u}" for u in seen.outside)]


def main(names: list[str]) -> int:
    """Take the named pictures, or all; give 1 where a page complained."""
    os.environ["ONEMAP_DEMO"] = "1"
    import dashboard

    OUT.mkdir(exist_ok=True)
    wrong = 0
    with served_asgi(dashboard.app) as address, sync_playwright() as playwright:
        for name in names or PICTURES:
            said = take(playwright, address, name, PICTURES[name])
            print(f"{OUT.name}/{name}.png", *said, sep="\n  ")
            wrong += bool(said)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
