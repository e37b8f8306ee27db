"""The pages: one Dash application over the engine's answers; the only room that knows Dash's callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import map as map_component
from twin.pages import boot
from twin.pages import onemap as page
from twin.pages.desk import Desk
from twin.pages.frame import ASSETS, Page, frame
from twin.text import t

if TYPE_CHECKING:
    from twin.model import OneMap
    from twin.settings import Settings
    from twin.store import Store


def create(onemap: OneMap, store: Store, settings: Settings) -> Page:
    """Give the Dash application of `onemap`; its layout is made anew each time the page opens."""
    app = Page(
        __name__,
        title=f"{onemap.village.name.zh} · {t('page.bar.here', 'zh-CN')}",
        update_title="",
        assets_folder=str(ASSETS),
        assets_ignore=r"(.*\.(svg|mjs)|markup\.js)$",
        index_string=frame(onemap.village, "/assets/"),
        serve_locally=True,
        enable_mcp=False,
        suppress_callback_exceptions=True,
        add_log_handler=False,
    )
    map_component.attach(app)
    desk = Desk.open(onemap, store, settings)
    app.first = lambda: boot.boot(onemap, desk.known(), settings)
    app.layout = lambda: page.layout(desk)
    page.register(app, desk)
    return app
