"""Nearly four hundred scripts in every text of the village and every input of the map's page: none runs, none even tries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import flask
import pytest
from playwright.sync_api import Browser

from tests.browser import planted
from tests.browser.harness import Visit, served
from tests.browser.page_server import served_asgi
from tests.browser.payloads import MOST, PAYLOADS
from tests.browser.watching import HOOK, Watch, watched
from twin import api, pages
from twin.api.guard import page_csp
from twin.settings import Settings

AT_ONCE = 49
"""Payloads in one control page, each in a frame of its own."""
PARAMS = ("v", "b", "l", "y", "c", "d", "t", "s", "p", "q", "lang")
STARTED = "document.documentElement.dataset.started === 'yes'"
AWAY = PAYLOADS[0]
"""The village's name in the usual run; the long one tries more."""


def application(data: Path, name: str) -> Any:
    settings = replace(Settings(), data=data, tile_cache_mb=8, demo=True)
    store = planted.Store(settings.store) if settings.store.exists() else planted.build(data)
    onemap = planted.onemap(name)
    return api.mount(api.create(onemap, store, settings), pages.create(onemap, store, settings), pages.draw)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@pytest.fixture(scope="module")
def address(data: Path) -> Iterator[str]:
    with served_asgi(application(data, AWAY)) as url:
        yield url


def opened(browser: Browser, address: str, query: str = "", **options: Any) -> tuple[Visit, Watch]:
    seen, watch = watched(browser, **options)
    seen.page.goto(address + query)
    seen.until(STARTED, timeout=60_000)
    return seen, watch


def answered(seen: Visit, place: str, timeout: float = 20_000) -> None:
    seen.until(f"document.querySelector('#{place}')?.getAttribute('aria-busy') !== 'true'", timeout=timeout)


def ask(seen: Visit, place: str, question: dict[str, Any], drawn: str = "") -> None:
    """Let the page ask as its own scripts do, and wait until the answer is drawn."""
    script = """async ([place, into, question]) => {
      const drawn = new Promise((done) => document.addEventListener("onemap:drawn", (e) => e.detail === into && done()));
      window.dash_clientside.set_props("ask-" + place, { data: { language: "zh-CN", n: Math.random(), ...question } });
      await Promise.race([drawn, new Promise((late) => setTimeout(late, 8000))]);
    }"""
    seen.page.evaluate(script, [place, drawn or place, question])


# ---- what the test itself can see


def control() -> flask.Flask:
    app = flask.Flask("control")

    @app.get("/<int:start>")
    def careless(start: int) -> flask.Response:
        frames = [f'<iframe srcdoc="{escape(document(p))}"></iframe>' for p in PAYLOADS[start : start + AT_ONCE]]
        answer = flask.Response("<!DOCTYPE html><title>x</title>" + "".join(frames))
        if flask.request.args.get("csp"):
            answer.headers["content-security-policy"] = page_csp()
        return answer

    @app.get("/x")
    def nothing() -> tuple[str, int]:
        return "", 404

    return app


def document(payload: str) -> str:
    """Write a payload as careless pages do: between tags, into an attribute, into a script and into a link."""
    typed = f'<input value="{payload}"><a href="{payload}">x</a>'
    return f"<div>{payload}</div>{typed}<script>var x = '{payload}'</script><script>var y = \"{payload}\"</script>"


def sweep_of_control(chromium: Browser, query: str, pages: int) -> Watch:
    total = Watch()
    with served(control()) as url:
        for start in range(0, AT_ONCE * pages, AT_ONCE):
            seen, watch = watched(chromium)
            seen.page.goto(f"{url}/{start}{query}", wait_until="load")
            seen.page.wait_for_timeout(400)
            total.ran += watch.ran
            total.stopped += watch.stopped
            seen.context.close()
    return total


def test_there_are_more_than_three_hundred_payloads_all_different_and_short_enough_for_every_field() -> None:
    assert len(PAYLOADS) > 300
    assert len(set(PAYLOADS)) == len(PAYLOADS)
    assert max(map(len, PAYLOADS)) <= MOST
    assert all("__ran" in p or "ran=1" in p for p in PAYLOADS)


def test_a_careless_page_runs_many_of_them_so_that_this_test_can_fail(chromium: Browser) -> None:
    assert len(set(sweep_of_control(chromium, "", 3).ran)) > 60
    strict = sweep_of_control(chromium, "?csp=1", 1)
    assert strict.ran == []
    assert len(strict.stopped) > 30


@pytest.mark.soak
def test_a_careless_page_runs_half_of_all_by_itself(chromium: Browser) -> None:
    """The others wait for a press, for a reader of markdown or templates, or for a sheet."""
    pages = len(PAYLOADS) // AT_ONCE
    assert len(set(sweep_of_control(chromium, "", pages).ran)) > 150


# ---- the map's page


def test_no_text_of_the_village_runs_on_any_view_of_the_map(chromium: Browser, address: str) -> None:
    seen, watch = opened(chromium, address, "?l=" + ",".join(f"L{n + 1:02d}:1" for n in range(planted.LAYERS)))
    seen.idle(60_000)
    page = seen.page
    watch.look(seen)
    for each in page.locator("[data-act=about]").all()[:4]:
        each.evaluate("e => e.click()")
    page.evaluate("window.onemap.state().legend || document.querySelector('[data-act=legend]')?.click()")
    page.evaluate("document.querySelector('.freshness').click()")
    watch.look(seen)
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('#tab-list').click()")
    for number in range(-(-len(PAYLOADS) // 20)):
        ask(seen, "list", {"kind": "table", "id": "note", "page": number})
        watch.look(seen)
    assert watch.unsaid(PAYLOADS) == []
    page.evaluate("document.querySelector('#tab-feature').click()")
    for n in range(0, len(PAYLOADS), planted.FIELDS // 2):
        ask(seen, "feature", {"table": "note", "id": f"N{n:03d}"})
        watch.look(seen)
    for key in planted.KEYED:
        ask(seen, "feature", {"table": "mast", "id": key})
        watch.look(seen)
    page.evaluate("document.querySelector('[data-act=lang]').click()")
    watch.look(seen)
    watch.quiet()
    assert seen.outside == []
    assert [c for c in seen.complaints if c.startswith("pageerror")] == []
    seen.context.close()


def test_charts_their_labels_and_three_dimensions_make_nothing_of_markup(chromium: Browser, address: str) -> None:
    seen, watch = opened(chromium, address, "?l=L01:1&t=planning&p=charts")
    seen.until("document.querySelectorAll('#charts .point').length > 3", timeout=60_000)
    seen.page.evaluate("document.querySelectorAll('#charts details').forEach(d => d.open = true)")
    watch.look(seen)
    assert seen.page.locator("#charts svg a").count() == 0
    labels = seen.page.locator("#charts .ytick text").all_text_contents()
    assert any("<" in label for label in labels), labels
    bars = seen.page.locator("#charts .point").first.bounding_box()
    assert bars
    seen.page.mouse.move(bars["x"] + 3, bars["y"] + 3)
    seen.page.goto(f"{address}?l=L01:1&t=planning&d=3")
    seen.until(STARTED, timeout=60_000)
    seen.until("window.__onemap.deck && window.__onemap.deck._props?.layers?.length", timeout=60_000)
    data = seen.page.evaluate(
        "__onemap.deck._props.layers.flatMap(l => l.props.data.map(d => [typeof d.title, d.title]))"
    )
    assert sorted(d[1] for d in data) == sorted(planted.KEYED)
    watch.look(seen)
    watch.quiet()
    assert seen.outside == []
    seen.context.close()


def test_what_is_typed_into_search_and_filter_is_said_back_as_text(chromium: Browser, address: str) -> None:
    seen, watch = opened(chromium, address)
    typed(seen, watch, PAYLOADS[::28])
    watch.quiet()
    assert seen.outside == []
    seen.context.close()


def typed(seen: Visit, watch: Watch, payloads: Any) -> None:
    for payload in payloads:
        seen.page.fill("#filter", payload, force=True)  # a phone shows one of them at a time
        seen.page.fill("#search", payload, force=True)
        ask(seen, "search", {"text": payload}, "found")
        watch.look(seen)
    seen.page.evaluate("innerWidth < 700 && document.querySelector('[data-act=find]').click()")
    seen.page.fill("#search", "N01")
    seen.until("document.querySelectorAll('#found [role=option]').length > 3")
    watch.look(seen)
    seen.page.keyboard.press("Enter")
    answered(seen, "feature")
    watch.look(seen)


def test_an_address_full_of_scripts_opens_the_map_and_nothing_else(chromium: Browser, address: str) -> None:
    seen, watch = opened(chromium, address, "?" + addressed(PAYLOADS[33]))
    walked(seen, watch, PAYLOADS[::14])
    watch.quiet()
    assert seen.outside == []
    assert [c for c in seen.complaints if c.startswith("pageerror")] == []
    seen.context.close()


def addressed(payload: str) -> str:
    from urllib.parse import urlencode

    return urlencode(
        {**dict.fromkeys(PARAMS, payload), "s": f"L01/note/{payload}", "q": f"table:{payload}", "l": f"L01:1:{payload}"}
    )


def walked(seen: Visit, watch: Watch, payloads: Any) -> None:
    """Go to addresses as Back and Forward do."""
    for payload in payloads:
        for query in (
            addressed(payload),
            addressed(payload).replace("L01%2Fnote", "%2F"),
            addressed(payload).replace("table%3A", "indicator%3A"),
        ):
            go = "q => { history.pushState(null, '', '/?' + q); window.dispatchEvent(new PopStateEvent('popstate')); }"
            seen.page.evaluate(go, query)
            seen.page.wait_for_timeout(30)
        watch.look(seen)


@pytest.mark.soak
@pytest.mark.parametrize("size", [(1366, 768), (390, 844)], ids=["desk", "phone"])
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_every_card_search_and_address_of_every_payload(
    chromium: Browser, address: str, size: tuple[int, int], lang: str
) -> None:
    seen, watch = opened(chromium, address, f"?lang={lang}&l=L01:1", viewport={"width": size[0], "height": size[1]})
    page = seen.page
    for n in range(len(PAYLOADS)):
        ask(seen, "feature", {"table": "note", "id": f"N{n:03d}", "language": lang})
        assert page.evaluate("document.querySelector('#card-title')?.textContent.length")
        if n % 8 == 0:
            watch.look(seen)
    typed(seen, watch, PAYLOADS)
    walked(seen, watch, PAYLOADS)
    page.emulate_media(media="print")
    watch.look(seen)
    watch.quiet()
    assert seen.outside == []
    seen.context.close()


@pytest.mark.soak
@pytest.mark.parametrize("name", [PAYLOADS[n] for n in range(5, len(PAYLOADS), 40)])
def test_a_village_called_by_a_script_opens(chromium: Browser, data: Path, name: str) -> None:
    with served_asgi(application(data, name)) as url:
        seen, watch = opened(chromium, url)
        watch.look(seen)
        assert watch.unsaid([name]) == []
        watch.quiet()
        assert seen.outside == []
        seen.context.close()


def test_the_hook_hears_a_script(chromium: Browser) -> None:
    seen, watch = watched(chromium)
    seen.page.set_content(f"<p>{PAYLOADS[0]}</p>")
    seen.page.wait_for_timeout(50)
    assert json.loads(json.dumps(watch.ran)) == ["1"]
    assert "__told" in HOOK
    seen.context.close()
