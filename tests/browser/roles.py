"""What each of the nine sees, on desk and phone, zh and en, on sheets to be opened: `python -m tests.browser.roles [role …]`.

A sheet shows the map, what a search for a homestead gives, one's own account and every office page the account leads to.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.harness import ARGS, CHROMIUM, Visit
from tests.browser.page_server import served_asgi
from tests.browser.screenshots import DRAWN, OUT, PHONE, SMALL
from twin.accounts.demo import PEOPLE

LANGUAGES = ("zh-CN", "en")
SIZES = {"desk": SMALL, "phone": PHONE}
HOME, HOUSE = "?l=L05:1,L06:1", "ZD-0118"
SETTLE_MS = 1500
"""Whoever may not see the house is to be shown that nothing was found: there is no one thing to wait for."""
FURTHER = {
    "/data": (
        *(f"/data?r=land_cover&tab={tab}" for tab in ("", "fields", "lineage", "runs", "versions", "access")),
        "/data/diff?table=land_cover",
        "/reports?name=village_ledger",
    ),
}
"""What an office page leads on to."""
DARKEST = (40, 40, 40)


def sheet(pictures: list[bytes], across: int) -> Image.Image:
    """Lay pictures of one width beside each other, `across` in a row."""
    opened = [Image.open(io.BytesIO(p)).convert("RGB") for p in pictures]
    rows = [opened[i : i + across] for i in range(0, len(opened), across)]
    width = max(sum(p.width + 8 for p in row) for row in rows)
    laid = Image.new("RGB", (width, sum(max(p.height for p in row) + 8 for row in rows)), DARKEST)
    top = 0
    for row in rows:
        left = 0
        for picture in row:
            laid.paste(picture, (left, top))
            left += picture.width + 8
        top += max(p.height for p in row) + 8
    return laid


def signed_in(browser: Browser, address: str, role: str, language: str, size: tuple[int, int]) -> BrowserContext:
    """Open a context in which the demo's account of a role has signed in; a connected system has none and stays out."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale=language)
    page = context.new_page()
    page.goto(f"{address}signin?lang={language}")
    button = page.locator(f"form:has(input[value='{role}']) button")
    if button.count():
        button.first.click()
        page.wait_for_load_state()
    return context


def pictures(context: BrowserContext, address: str, language: str) -> Iterator[bytes]:
    """Take what this person sees: the map, a card, the account, each office page."""
    page = context.pages[0]
    seen = Visit(page=page, context=context)
    seen.listen()
    page.goto(f"{address}{HOME}&lang={language}")
    seen.until("document.documentElement.dataset.started === 'yes'")
    seen.idle()
    seen.until(DRAWN, timeout=30_000)
    page.wait_for_timeout(700)
    yield page.screenshot()
    page.evaluate("document.querySelector('[data-act=find]').click()")
    page.fill("#search", HOUSE)
    page.wait_for_timeout(SETTLE_MS)
    page.keyboard.press("Enter")
    page.wait_for_timeout(SETTLE_MS)
    yield page.screenshot()
    page.goto(f"{address}account?lang={language}")
    offices = [a.get_attribute("href") or "" for a in page.locator("main a.link").all()]
    yield page.screenshot()
    for href in dict.fromkeys(h for h in offices if h.startswith("/") and not h.startswith("/?")):
        page.goto(address.rstrip("/") + href)
        yield page.screenshot()
        for further in FURTHER.get(href.partition("?")[0], ()):
            page.goto(f"{address.rstrip('/')}{further}&lang={language}")
            page.wait_for_timeout(SETTLE_MS)
            yield page.screenshot()
    for said in seen.complaints:
        print("  ", said)


def main(names: list[str]) -> int:
    """Take the sheets of the named roles, or of all."""
    os.environ["ONEMAP_DEMO"] = "1"
    import dashboard

    folder = Path(OUT) / "roles"
    folder.mkdir(parents=True, exist_ok=True)
    with served_asgi(dashboard.app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGS))
        for role in names or [role for role, *_ in PEOPLE]:
            for form, size in SIZES.items():
                for language in LANGUAGES:
                    context = signed_in(browser, address, role, language, size)
                    taken = list(pictures(context, address, language))
                    context.close()
                    name = f"{role}-{form}-{language[:2]}.png"
                    sheet(taken, 2 if form == "desk" else 4).save(folder / name)
                    print(f"{OUT.name}/roles/{name}: {len(taken)}", flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
