"""The page in a real browser: requests of a toggle, bytes of the first map, time to the first layer, click to card."""

from __future__ import annotations

import http.client
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.bench import peers
from tests.bench.machine import ROOT, percentile, table

ARGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
EMPTY = """<!doctype html><html><body style="margin:0"><div id="m" style="width:100vw;height:100vh"></div>
<script type="module">import * as gl from 'ENGINE';
const map = new gl.Map({container: 'm', style: {version: 8, sources: {}, layers: [{id: 'b', type: 'background', paint: {'background-color': '#eee'}}]}, center: [119.97, 30.53], zoom: 14});
map.once('render', () => { window.drawn = performance.now(); });</script></body></html>"""
LISTEN = """(() => { const looking = setInterval(() => {
  const map = window.__onemap?.maps?.[0];
  if (!map) return;
  clearInterval(looking);
  map.on('render', () => { if (!window.layerDrawn && map.queryRenderedFeatures().length) window.layerDrawn = performance.now(); });
}, 5); })()"""
"""Notes the page's own clock at the first picture that holds a feature, as the empty page notes its first picture."""
ROUNDS = 5


@contextmanager
def village(folder: Path) -> Iterator[str]:
    """Serve the demo village (`make data` made it) as a user would."""
    port = peers.free_port()
    env = {
        **os.environ,
        "ONEMAP_DEMO": "1",
        "ONEMAP_PORT": str(port),
        "ONEMAP_DATA": os.environ.get("ONEMAP_DATA", str(ROOT / "data")),
    }
    with peers.serving([sys.executable, "dashboard.py"], env, f"http://127.0.0.1:{port}", "/health", cwd=ROOT) as base:
        yield base


def wait(page: Page, expression: str, seconds: float = 60) -> float:
    """Wait until `expression` is true in the page; give the page's own clock then, in milliseconds."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        if page.evaluate(f"!!({expression})"):
            return float(page.evaluate("performance.now()"))
        time.sleep(0.1)
    raise RuntimeError(f"never true: {expression}")


def first_map(base: str) -> dict[str, Any]:
    """Open the page cold: compressed bytes until the map is idle, when the first layer was drawn, requests of a toggle."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGS))
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        link = page.context.new_cdp_session(page)
        link.send("Network.enable")
        code, tiles = [0], [0]
        kinds: dict[str, bool] = {}
        link.on(
            "Network.responseReceived", lambda e: kinds.__setitem__(e["requestId"], "/tiles/" in e["response"]["url"])
        )
        link.on(
            "Network.loadingFinished",
            lambda e: (tiles if kinds.get(e["requestId"]) else code).__setitem__(
                0, (tiles if kinds.get(e["requestId"]) else code)[0] + int(e["encodedDataLength"])
            ),
        )
        engine: list[str] = []
        page.on("request", lambda r: engine.append(r.url) if r.url.endswith("maplibre-gl.mjs") else None)
        page.add_init_script(LISTEN)
        page.goto(base)
        wait(page, "window.layerDrawn")
        drawn = float(page.evaluate("window.layerDrawn"))
        wait(page, "document.documentElement.dataset.started && window.__onemap.idle")
        page.wait_for_timeout(2000)  # the opening's last question is what ground lies in view
        counted: list[str] = []
        page.on("request", lambda r: counted.append(r.url))
        box = page.locator("input[type=checkbox][data-act=layer]:checked:visible").first
        box.click()
        page.wait_for_timeout(1500)
        box.click()
        page.wait_for_timeout(1500)
        browser.close()
    return {"code": code[0], "tiles": tiles[0], "drawn": drawn, "toggle": len(counted), "engine": engine[0]}


def empty_map(base: str, engine: str) -> float:
    """Open a page with nothing but an empty MapLibre map, served by the same server; give when it first drew."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGS))
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.route(
            "**/empty.html", lambda route: route.fulfill(body=EMPTY.replace("ENGINE", engine), content_type="text/html")
        )
        page.goto(f"{base}/empty.html")
        wait(page, "window.drawn")
        drawn = float(page.evaluate("window.drawn"))
        browser.close()
    return drawn


def cards(base: str, name: str, ids: list[str]) -> list[float]:
    """Ask for cards one after another over one connection; give each one's milliseconds."""
    host, port = base.removeprefix("http://").split(":")
    link = http.client.HTTPConnection(host, int(port))
    times = []
    for one in ids:
        started = time.perf_counter()
        link.request("GET", f"/api/v1/features/{name}/{one}")
        answer = link.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{one}: {answer.status}")
        times.append(1000 * (time.perf_counter() - started))
    return times


def some_ids(data: Path, name: str, wanted: int) -> tuple[int, list[str]]:
    """Choose ids of a published table at random, and say how many rows it has."""
    from twin.store import Serving, Store

    serving = Serving(Store(data / "store"))
    rows = serving.count(name, ())
    rnd = random.Random(3)
    ids = [serving.select(name, ["id"], limit=1, offset=rnd.randrange(rows))[0]["id"] for _ in range(wanted)]
    return rows, ids


def compare(folder: Path) -> str:
    """Measure the page against an empty map, and the card at two sizes; give both as Markdown."""
    lines = []
    with village(folder) as base:
        first_map(base)  # the service's own first answers are not the browser's
        pairs = [(mine := first_map(base), empty_map(base, mine["engine"])) for _ in range(ROUNDS)]
        ours, bare = [mine for mine, _ in pairs], [empty for _, empty in pairs]
        drawn, empty = statistics.median(o["drawn"] for o in ours), statistics.median(bare)
        lines += [
            ("requests of hiding a shown layer and showing it again", "0", str(max(o["toggle"] for o in ours))),
            ("page and code of the first map, compressed", "≤ 1.6 MB", f"{max(o['code'] for o in ours) / 1e6:.2f} MB"),
            ("its tiles besides", "", f"{max(o['tiles'] for o in ours) / 1e6:.2f} MB"),
            ("first layer drawn ÷ empty MapLibre page", "≤ 1.5", f"{drawn / empty:.2f} ({drawn:.0f} ÷ {empty:.0f} ms)"),
        ]
        data = Path(os.environ.get("ONEMAP_DATA", str(ROOT / "data")))
        rows, ids = some_ids(data, "land_cover", 200)
        lines.append(
            (
                f"click → card, p95, table of {rows:,} rows",
                "≤ 150 ms",
                f"{percentile(cards(base, 'land_cover', ids), 0.95):.0f} ms",
            )
        )
    if (folder / "data" / "store" / "parcels").exists():
        from tests.bench.tiles import ours as big

        with big(folder) as base:
            rows, ids = some_ids(folder / "data", "parcels", 200)
            lines.append(
                (
                    f"click → card, p95, table of {rows:,} rows",
                    "≤ 150 ms",
                    f"{percentile(cards(base, 'parcels', ids), 0.95):.0f} ms",
                )
            )
    print(json.dumps(lines, ensure_ascii=False), flush=True)
    return table(("what", "goal", "measured"), lines)
