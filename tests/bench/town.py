"""What the serving benchmarks ask: the demo village outside the demo with officials signed in, or one bare callback."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import uvicorn
from a2wsgi import WSGIMiddleware
from dash import Dash, Input, Output, dcc, html

import layers
from etl import catalog
from tests.bench.machine import ROOT
from tests.matrix.people import CAME
from twin import api, memory, pages
from twin.accounts import passwords, people
from twin.api.wire import Wire
from twin.model import OneMap
from twin.ops import now
from twin.settings import Settings
from twin.store import Store

PASSWORD = "a sentence nobody guesses"
"""Of all officials of the benchmarks: official0, official1 …"""
SECRET = "qV7tN3xJ8bL2wZ6cR9mF4hK1dG5sP0yA"


@dataclass(frozen=True)
class Question:
    """A callback's question that may be any text."""

    def read(self, value: Any) -> str:
        return str(value)


class Bare(Dash):
    """One callback that gives back what it was given."""

    questions: ClassVar = {"ask": Question()}

    def __init__(self) -> None:
        super().__init__(__name__, eager_loading=True)
        self.layout = html.Div([dcc.Store(id="ask"), html.Div(id="out")])
        self.callback(Output("out", "children"), Input("ask", "data"))(lambda value: value)

    def csp_hashes(self) -> list[str]:
        return []


def settings(folder: Path, port: int) -> Settings:
    """Lay the built demo's store under a folder of its own, so that nothing is written beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    built = Path(os.environ.get("ONEMAP_DATA", str(ROOT / "data"))).resolve()
    if not (folder / "store").exists():
        (folder / "store").symlink_to(built / "store")
    return replace(
        Settings(), data=folder, village=built, secret=SECRET, origin=f"http://127.0.0.1:{port}", port=port, demo=False
    )


def village(at: Settings) -> OneMap:
    """Join the demo's declarations with its layers, as the service does."""
    read = catalog.read(at.village)
    return OneMap(
        village=read.village,
        departments=read.departments,
        code_systems=read.code_systems,
        themes=layers.THEMES,
        layers=layers.LAYERS,
    )


def signed_in(front: api.Front, wanted: int) -> list[dict[str, str]]:
    """Make officials with a session each; give the headers their browsers show."""
    accounts = front.state.who.accounts
    code = front.state.rooms.onemap.village.code
    headers = []
    more = {"role": "official", "prefix": code, "password_hash": passwords.hashed(PASSWORD)}
    with accounts.ops.begin() as connection:
        made = [people.add(connection, now(), name=f"official{i}", **more) for i in range(wanted)]
    for account in made:
        entered = accounts.admit(account, CAME)
        sid, csrf = front.state.who.sid, front.state.who.csrf
        headers.append(
            {"cookie": f"{sid}={entered.session_token}; {csrf}={entered.csrf}", "x-csrf-token": entered.csrf}
        )
    return headers


def main(what: str, folder: Path, port: int, wanted: int) -> None:
    """Serve `what`: "bare" (Dash alone), "callback" (the same behind our layers), "whole" (the demo's pages)."""
    memory.bound()  # this and what follows as dashboard.py does
    if what == "bare":
        app: Any = WSGIMiddleware(Bare().server, workers=api.PAGE_THREADS)
    else:
        chosen = settings(folder, port)
        onemap, store = village(chosen), Store(chosen.store)
        app = api.create(onemap, store, chosen)
        api.mount(app, Bare() if what == "callback" else pages.create(onemap, store, chosen), pages.draw)
        (folder / "people.json").write_text(json.dumps(signed_in(app, wanted)))
        (folder / "pid").write_text(str(os.getpid()))
    memory.settle()
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        http=Wire,
        loop="uvloop",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
