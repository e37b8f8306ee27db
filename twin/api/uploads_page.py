"""The page on which a person sends files in, sees what was made of them, and deletes them: plain forms, no script."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from twin.api import multipart, problems, sending
from twin.api.arriving import asked, common
from twin.api.forms import form, go, page, proved, who_of
from twin.api.offices import office
from twin.api.uploads_view import UploadsView
from twin.api.who import subject
from twin.errors import NotFound, StoreFull, TooMany, UploadQuota, UploadRefused
from twin.uploads import quota

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(dependencies=[Depends(office)])
Form = Annotated[Any, Depends(form)]
REFUSED = (UploadRefused, UploadQuota, TooMany, StoreFull)


@router.get("/uploads")
async def uploads_page(request: Request, done: str = "", fresh: str = "") -> Response:
    """Show one's own files and the form that sends another."""
    return page(
        request, await asyncio.to_thread(_view, request, request.query_params, done=done[:20], fresh=fresh[:40])
    )


@router.post("/uploads/send")
async def send(request: Request) -> Response:
    """Take the file of a form; on the page is said what was kept of it, or why it is not taken."""
    given: dict[str, str] = {}

    async def laid_down(file: Any) -> int:
        sent = multipart.read(request.headers.get("content-type", ""), await request.body())
        given.update(sent.fields)
        proved(request, given)
        return file.write(sent.file)

    try:
        upload = await sending.taken(request, laid_down)
    except ClientDisconnect:
        return problems.response(400, code="bad_request")
    except REFUSED as error:
        return page(request, await asyncio.to_thread(_view, request, given, error=error))
    return go("/uploads", lang=asked(given), done="sent", fresh=upload.id)


@router.post("/uploads/delete")
async def delete(request: Request, given: Form) -> Response:
    """Delete one of one's own files for good, once that stands in the record."""
    try:
        await sending.deleted(request, given.get("upload", "")[:40])
    except NotFound as error:
        return page(request, await asyncio.to_thread(_view, request, given, error=error))
    return go("/uploads", lang=asked(given), done="deleted")


def _view(request: Request, given: Mapping[str, str], **more: Any) -> UploadsView:
    who, shelf = who_of(request), sending.shelf_of(request)
    owner = subject(request).id
    return UploadsView(
        **common(request, given, who.known(request.scope)),
        files=tuple(shelf.of(owner)),
        used=shelf.used(owner, who.accounts.now()),
        most=quota.of(who.settings),
        **more,
    )
