"""The composition root: joins the engine, the village as received and the village as drawn into one application."""

from __future__ import annotations

import logging
import sys

import uvicorn

import layers
from etl import catalog
from twin import api, pages, settings
from twin.errors import TwinError
from twin.model import OneMap
from twin.store import Store

LOG = logging.getLogger("onemap")


def read(at: settings.Settings) -> OneMap:
    """Join what the catalogue declares with the layers drawn of it."""
    found = catalog.read(at.village)
    return OneMap(
        village=found.village,
        departments=found.departments,
        code_systems=found.code_systems,
        themes=layers.THEMES,
        layers=layers.LAYERS,
    )


def build(at: settings.Settings) -> api.Front:
    """Give the whole application: API and tiles, with the pages under it."""
    onemap = read(at)
    store = Store(at.store)
    front = api.create(onemap, store, at)
    return api.mount(front, pages.create(onemap, store, at))


try:
    SETTINGS = settings.read()
    settings.check_serving(SETTINGS)
    app = server = build(SETTINGS)
except TwinError as error:
    sys.exit(f"{error.zh}\n{error.en}\n" + "\n".join(f"  {k}: {v}" for k, v in error.where.items()))


def serve() -> None:
    """Serve until stopped; says where, and that nobody else can reach it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    host = f"[{SETTINGS.host}]" if ":" in SETTINGS.host else SETTINGS.host
    LOG.info("http://%s:%s  只在本机可访问,尚无登录 / this machine only, no sign-in yet", host, SETTINGS.port)
    uvicorn.run(app, host=SETTINGS.host, port=SETTINGS.port, log_level="warning", server_header=False, access_log=False)


if __name__ == "__main__":
    serve()
