"""The files people send in, over HTTP: taken, listed, handed back, deleted; one's own, and others' where granted.

The body is the file and nothing else: no name, no type, no form around it that anybody would have to believe.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from twin.api import problems
from twin.api.answers import answer, gate
from twin.api.forms import who_of
from twin.api.limits import retry_after
from twin.api.offices import event, noted, policy_of
from twin.api.who import subject
from twin.errors import NeedsPurpose, NotFound, TooMany, UploadQuota, UploadRefused
from twin.uploads import quota, receiving
from twin.uploads.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from twin.policy import Subject
    from twin.uploads.shelf import Upload

AT_ONCE = 2
"""Files made anew at a time: each is a process of its own."""
MOST, MOST_OF_ONE = 12, 3
"""Files on their way at a time, of all and of one person."""
SPOOLED = 1 << 20
HANDED = {
    "cache-control": "no-store",
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}
"""Whatever a browser makes of it, it runs nothing and belongs to no page of ours."""


class Sending:
    """The files on their way into one service, and the threads that wait for those made anew."""

    def __init__(self) -> None:
        self.making = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="uploads")
        self._coming: Counter[str] = Counter()

    @contextmanager
    def place(self, owner: str) -> Iterator[None]:
        """Hold a place for one file of a person; raises TooMany where there is none."""
        if self._coming[owner] >= MOST_OF_ONE or self._coming.total() >= MOST:
            raise TooMany(
                "正在上传的文件太多，请稍后再试", "Too many files are on their way; try again shortly", wait_s=5
            )
        self._coming[owner] += 1
        try:
            yield
        finally:
            self._coming[owner] -= 1
            self._coming += Counter()  # those at nought are forgotten


def sender(request: Request) -> None:
    """Raise NotFound for everyone who may send nothing: to them there is no such address."""
    needed = gate(request).may
    if needed is None or not policy_of(request).may(subject(request), needed):
        raise NotFound("没有找到", "Not found")


router = APIRouter(dependencies=[Depends(sender)])


def shelf_of(request: Request) -> Shelf:
    """Give where everybody's files lie."""
    return Shelf(data=who_of(request).settings.data)


@router.post("/api/v1/uploads", status_code=201)
async def send(request: Request) -> Response:
    """Take a photo (JPEG, PNG, WebP, HEIC) or a workbook (.xlsx) as the body, made anew before it is kept."""

    async def laid_down(file: Any) -> int:
        return await _spooled(request, file)

    try:
        upload = await taken(request, laid_down)
    except ClientDisconnect:
        return problems.response(400, code="bad_request")
    made = answer(request, _told(upload))
    made.status_code = 201
    return made


async def taken(request: Request, laid_down: Callable[[Any], Awaitable[int]]) -> Upload:
    """Take a file that `laid_down` writes and whose bytes it gives, made anew before it is kept.

    Raises TooMany, UploadRefused, UploadQuota (both recorded), StoreFull, and what `laid_down` raises.
    """
    who, sent_by = who_of(request), subject(request)
    wait = who.limits.take("uploads", sent_by.id)
    if wait:
        seconds = retry_after(wait)
        request.scope["state"]["retry_after"] = str(seconds).encode()
        raise TooMany(f"上传过于频繁，请 {seconds} 秒后再试", f"Too many files; wait {seconds} seconds", wait_s=seconds)
    going: Sending = request.app.state.sending
    with going.place(sent_by.id), tempfile.SpooledTemporaryFile(SPOOLED) as file:
        size = await laid_down(file)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                going.making, lambda: _received(request, file, size)
            )
        except (UploadRefused, UploadQuota) as error:
            await noted(request, "upload.refused", "refused", resource="upload", detail={"why": _why(error)})
            raise


async def _spooled(request: Request, file: Any) -> int:
    """Lay the body down, on disk where it is long; gives its bytes. The guard has limited them."""
    size = 0
    async for chunk in request.stream():
        file.write(chunk)
        size += len(chunk)
    return size


def _received(request: Request, file: Any, size: int) -> Upload:
    """Take the file, which a child process reads: it must lie on disk."""
    who, sent_by = who_of(request), subject(request)
    file.rollover()
    whole: IO[bytes] = file._file  # noqa: SLF001 - the child is given its descriptor
    return receiving.receive(
        shelf_of(request),
        sent_by.id,
        whole,
        size,
        area=sent_by.grid or sent_by.prefix,
        now=who.accounts.now(),
        most=quota.of(who.settings),
        zone=request.app.state.rooms.onemap.village.time_zone,
        record=lambda upload: who.audit.write(
            event(request, "upload.received", resource="upload", detail=_noted(upload))
        ),
    )


def _why(error: UploadRefused | UploadQuota) -> str:
    return error.where.get("why") or error.code


@router.get("/api/v1/uploads")
async def listed(request: Request) -> Response:
    """List one's own files, the newest first, with what one has used and may use."""
    who, asks = who_of(request), subject(request)
    shelf, most = shelf_of(request), quota.of(who.settings)
    used = await asyncio.to_thread(shelf.used, asks.id, who.accounts.now())
    files = await asyncio.to_thread(shelf.of, asks.id)
    told = {
        "day": {
            "count": len(used.sent),
            "most_count": most.day_count,
            "bytes": used.day_bytes,
            "most_bytes": most.day_bytes,
        },
        "kept": {"count": used.count, "most_count": most.count, "bytes": used.bytes, "most_bytes": most.bytes},
    }
    return answer(request, {"uploads": [_told(u) for u in files], "used": told})


@router.get("/api/v1/uploads/{upload_id}")
async def handed(request: Request, upload_id: str) -> Response:
    """Hand a file back, to be kept and not to be shown: one's own, or another's of one's area for a purpose."""
    upload = await _found(request, upload_id)
    content = await asyncio.to_thread(shelf_of(request).content, upload)
    named = {"content-disposition": f'attachment; filename="{upload.name}"'}
    return Response(content, headers={**HANDED, **named}, media_type=upload.media)


async def _found(request: Request, upload_id: str) -> Upload:
    """Find a file that whoever asks may read; raises NotFound, the same for one that may not be seen and for none."""
    asks, shelf = subject(request), shelf_of(request)
    if not policy_of(request).may(asks, "files.read"):
        return await asyncio.to_thread(shelf.get, asks.id, upload_id)
    upload = await asyncio.to_thread(shelf.find, upload_id)
    if upload is None or not _reaches(asks, upload):
        raise NotFound("没有找到", "Not found")
    if upload.owner != asks.id:
        if not asks.purpose:
            raise NeedsPurpose(
                "查看别人上传的文件须先在“我的账号”里选择用途",
                "Name a purpose in your account before you read what another person sent",
            )
        await noted(request, "upload.read", "permitted", resource="upload", purpose=asks.purpose, detail=_noted(upload))
    return upload


def _reaches(asks: Subject, upload: Upload) -> bool:
    """Say whether a file is one's own or of one's area: a code under one's own code."""
    return upload.owner == asks.id or upload.area.startswith(asks.grid or asks.prefix)


@router.delete("/api/v1/uploads/{upload_id}")
async def delete(request: Request, upload_id: str) -> Response:
    """Delete one of one's own files for good."""
    await deleted(request, upload_id)
    return Response(status_code=204, headers={"cache-control": "no-store"})


async def deleted(request: Request, upload_id: str) -> None:
    """Delete one of one's own files for good, once that stands in the record; raises NotFound."""
    shelf = shelf_of(request)
    upload = await asyncio.to_thread(shelf.get, subject(request).id, upload_id)
    await noted(request, "upload.deleted", resource="upload", detail=_noted(upload))
    await asyncio.to_thread(shelf.remove, upload)


def _noted(upload: Upload) -> dict[str, Any]:
    return {"upload": upload.id, "kind": upload.kind, "bytes": upload.bytes}


def _told(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "kind": upload.kind,
        "media_type": upload.media,
        "at": upload.at,
        "bytes": upload.bytes,
        "sha256": upload.sha256,
        **upload.counted,
    }
