"""HTTP over the village: one ASGI application for API, tiles and pages, behind one guard."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from a2wsgi import WSGIMiddleware
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.routing import Route

from twin.api import (
    auditor,
    data_desk,
    data_more,
    granting,
    history,
    lineage,
    listings,
    moments,
    newcoming,
    own_account,
    people,
    persons,
    problems,
    purpose,
    refused_book,
    refused_desk,
    refused_json,
    reporting,
    reports_page,
    sending,
    signin,
    uploads_page,
)
from twin.api.adopted import hold_newest, watch
from twin.api.callbacks import Callbacks, Pages
from twin.api.carrying import Carrying
from twin.api.delivering import Delivering
from twin.api.following import follow
from twin.api.forms import NotOurs
from twin.api.guard import CALLBACKS, Guard, PageGate, page_csp
from twin.api.packed import Packed
from twin.api.rooms import Rooms, rooms
from twin.api.routes import router
from twin.api.tile_server import TileServer
from twin.api.who import Who
from twin.errors import TwinError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi.telemetry import TelemetryConfig
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from twin.api.following import Read
    from twin.api.tile_answers import Ready
    from twin.api.views import Draw
    from twin.model import OneMap
    from twin.settings import Settings
    from twin.store import Store

__all__ = ["Front", "Rooms", "create", "mount", "rooms"]
SILENT: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own telemetry is off whatever the environment says: nothing leaves the host."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A refusal in both languages",
        "content": {problems.MEDIA_TYPE: {"schema": problems.SCHEMA}},
    }
}
"""How every route of ours refuses, for those who read the description of the API."""
PAGE_THREADS = 8
LOG = logging.getLogger("onemap.api")


class Front(FastAPI):
    """The application: tiles are answered before any routing, everything else behind the guard."""

    guard: Guard
    tile_server: TileServer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "http":
            scope = moments.lifted(scope)
        if scope["type"] == "http" and scope["path"].startswith("/tiles/"):
            await self.tile_server(scope, receive, send)
        elif scope["type"] == "http":
            await self.guard(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def at_once(self, scope: Scope) -> Ready | None:
        """Give the answer where it is known without waiting, else None: a warm tile, to whoever may see it."""
        return self.tile_server.at_once(scope) if scope["path"].startswith("/tiles/") else None

    async def unguarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what the guard has let through."""
        await super().__call__(scope, receive, send)


def create(onemap: OneMap, store: Store, settings: Settings, *, following: Read | None = None) -> Front:
    """Give the application of one village; raises DeclarationError for layers that cannot be drawn.

    With `following`, which reads the declarations, it takes up what changes in them while it serves.
    """
    shared = rooms(onemap, store, settings)
    app = Front(
        title=f"{onemap.village.name.zh} · {onemap.village.name.en}",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
        telemetry=SILENT,
        lifespan=_warmed,
        responses=REFUSALS,
    )
    app.state.rooms, app.state.following = shared, following
    app.state.who = who = Who.of_village(onemap, settings)
    hold_newest(shared, who)
    app.guard = Guard(app.unguarded, who)
    app.state.delivering = delivering = Delivering(onemap, who)
    app.tile_server = TileServer(shared, who, delivering)
    app.state.sending = sending.Sending()
    app.state.carrying = Carrying()
    app.include_router(router)
    app.include_router(history.router)
    app.include_router(lineage.router)
    app.include_router(sending.router)
    app.include_router(reporting.router)
    app.include_router(signin.router, default_response_class=HTMLResponse)
    app.include_router(own_account.router, default_response_class=HTMLResponse)
    app.include_router(purpose.router, default_response_class=HTMLResponse)
    app.include_router(people.router, default_response_class=HTMLResponse)
    app.include_router(auditor.router, default_response_class=HTMLResponse)
    app.include_router(granting.router, default_response_class=HTMLResponse)
    app.include_router(data_desk.router, default_response_class=HTMLResponse)
    app.include_router(data_more.router, default_response_class=HTMLResponse)
    app.include_router(reports_page.router, default_response_class=HTMLResponse)
    app.include_router(newcoming.router, default_response_class=HTMLResponse)
    app.include_router(refused_desk.router, default_response_class=HTMLResponse)
    app.include_router(refused_book.router, default_response_class=HTMLResponse)
    app.include_router(refused_json.router)
    app.include_router(persons.router, default_response_class=HTMLResponse)
    app.include_router(uploads_page.router, default_response_class=HTMLResponse)
    app.add_exception_handler(NotOurs, signin.not_ours)
    app.add_exception_handler(TwinError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(Exception, _failed)
    return app


def mount(app: Front, pages: Pages, draw: Draw | None = None) -> Front:
    """Put the pages under the API, with the content policy their scripts need; `draw` writes the sign-in pages."""
    app.state.draw = draw
    kept = app.state.rooms.settings.data / "run" / "packed"
    wsgi: Any = WSGIMiddleware(pages.server, workers=PAGE_THREADS)
    gate: Any = PageGate(moments.Asked(Callbacks(Packed(wsgi, kept), pages), lambda: app.state.rooms))
    app.router.routes.insert(0, Route(CALLBACKS, gate, methods=["POST"], include_in_schema=False))
    app.mount("/", gate)
    app.guard.csp = page_csp(pages.csp_hashes())
    return app


@asynccontextmanager
async def _warmed(app: FastAPI) -> AsyncIterator[None]:
    """Verify every table and build the search index while the first page is still on its way; watch the grants."""
    task = asyncio.create_task(asyncio.to_thread(listings.warm, app.state.rooms))
    watching = asyncio.create_task(watch(lambda: app.state.rooms, app.state.who))
    read = app.state.following
    following = asyncio.create_task(follow(app, read)) if isinstance(app, Front) and read else None
    yield
    watching.cancel()
    if following:
        following.cancel()
    await task


async def _refused(_: Request, error: Any) -> Response:
    return problems.answer(*problems.of(error))


async def _invalid(_: Request, error: Any) -> Response:
    where = {".".join(str(p) for p in e["loc"]): str(e["msg"]) for e in error.errors()}
    return problems.response(400, code="bad_request", where=where)


async def _plain(_: Request, error: Any) -> Response:
    return problems.response(error.status_code, code={404: "not_found"}.get(error.status_code, "http"))


async def _failed(request: Request, error: Any) -> Response:
    LOG.error("%s failed", request.scope.get("state", {}).get("request_id"), exc_info=error)
    return problems.response(500, code="internal")
