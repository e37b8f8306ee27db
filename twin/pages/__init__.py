"""The pages: one Dash application over the engine's answers; the only room that knows Dash's callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask

from twin import map as map_component
from twin.api import moments
from twin.api import recording as records
from twin.api.rooms import current
from twin.api.who import CSRF_HEADER, csrf_cookie
from twin.pages import boot, past
from twin.pages import onemap as page
from twin.pages.alike import Alike
from twin.pages.desk import Desk
from twin.pages.frame import ASSETS, Page, frame, plainly
from twin.pages.signing import draw
from twin.text import t

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twin.model import OneMap
    from twin.policy import Subject
    from twin.settings import Settings
    from twin.store import Store

__all__ = ["asking", "create", "draw"]


def asking() -> Subject:
    """Give whoever sent the request being answered, as the guard before the pages has found out."""
    return flask.request.environ["asgi.scope"]["state"]["subject"]


def moment() -> str:
    """Give the moment the request being answered is about, as it is written; "" is the present."""
    return flask.request.args.get(moments.NAME, "") if flask.has_request_context() else ""


def recording() -> None:
    """Write down what the answer to this request tells of people; raises AuditDown."""
    records.record(flask.request.environ["asgi.scope"])


def create(
    onemap: OneMap,
    store: Store,
    settings: Settings,
    who: Callable[[], Subject] = asking,
    record: Callable[[], object] = recording,
) -> Page:
    """Give the Dash application of `onemap`; whatever it answers is answered to `who` asks, once it is recorded."""
    app = _made(onemap, settings)
    map_component.attach(app)
    opened = Desk.open(onemap, store, settings)

    def here() -> Desk:
        nonlocal opened
        if opened.rooms is not (now := current(store)):
            opened = Desk.over(now)
        return opened.at(moment()).of(who())

    def begun(given: tuple[OneMap, boot.Known, str]) -> Mapping[str, Any]:
        return boot.boot(given[0], given[1], settings, below=given[2])

    def drawn(given: page.Opening) -> bytes:
        return plainly(page.layout(given))

    told, written = Alike(begun), Alike(drawn)

    def first() -> Mapping[str, Any]:
        desk = here()
        return told.of((desk.onemap, desk.known(), desk.below))

    def band() -> str:
        desk = here()
        return past.band(desk, desk.known()) if desk.below else ""

    app.first = first
    app.band = band
    app.layout = lambda: page.layout(page.Opening.of(here()))
    app.written = lambda: written.of(page.Opening.of(here()))
    page.register(app, here, record)
    return app


def _made(onemap: OneMap, settings: Settings) -> Page:
    return Page(
        __name__,
        title=f"{onemap.village.name.zh} · {t('page.bar.here', 'zh-CN')}",
        update_title="",
        assets_folder=str(ASSETS),
        assets_ignore=r"(.*\.(svg|mjs)|markup\.js|signin\.css|office\.css|data\.css|newcomer\.css)$",
        index_string=frame(onemap.village, "/assets/"),
        serve_locally=True,
        enable_mcp=False,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        csrf_token_name=csrf_cookie(settings),
        csrf_header_name=CSRF_HEADER,
    )
