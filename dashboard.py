"""The composition root: joins the engine, the village as received and the village as drawn into one application."""

from __future__ import annotations

import logging
import sys

import uvicorn

import layers
from etl import catalog
from twin import api, memory, pages, settings
from twin.api.wire import Wire
from twin.errors import TwinError
from twin.model import OneMap
from twin.store import Store

LOG = logging.getLogger("onemap")


def read(at: settings.Settings) -> OneMap:
    """Join what the catalogue declares with the layers drawn of it."""
    return catalog.join(catalog.read(at.village), layers.THEMES, layers.LAYERS)


def build(at: settings.Settings) -> api.Front:
    """Give the whole application: API and tiles, with the pages under it."""
    onemap = read(at)
    store = Store(at.store)
    front = api.create(onemap, store, at, following=lambda: read(at))
    return api.mount(front, pages.create(onemap, store, at), pages.draw)


memory.bound()
try:
    SETTINGS = settings.read()
    settings.check_serving(SETTINGS)
    app = server = build(SETTINGS)
except TwinError as error:
    sys.exit(f"{error.zh}\n{error.en}\n" + "\n".join(f"  {k}: {v}" for k, v in error.where.items()))


def serve() -> None:
    """Serve until stopped; says where and for whom, and once, on the very first start, the administrator's password."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    host = f"[{SETTINGS.host}]" if ":" in SETTINGS.host else SETTINGS.host
    where = SETTINGS.origin or f"{'https' if SETTINGS.tls_cert else 'http'}://{host}:{SETTINGS.port}"
    if SETTINGS.demo:
        LOG.info("%s  演示,只在本机可访问 / a demo, this machine only", where)
    password = app.state.who.first_admin()
    if password:
        print(
            f"首位管理员 admin 的一次性密码 / one-time password of the first administrator, admin:\n  {password}"
        )  # once
    memory.settle()
    uvicorn.run(
        app,
        host=SETTINGS.host,
        port=SETTINGS.port,
        http=Wire,
        loop="uvloop",
        log_level="warning",
        server_header=False,
        access_log=False,
        proxy_headers=False,
        ssl_certfile=SETTINGS.tls_cert or None,
        ssl_keyfile=SETTINGS.tls_key or None,
    )


if __name__ == "__main__":
    serve()
