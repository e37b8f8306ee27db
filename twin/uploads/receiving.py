"""One sent file, from its bytes to its place on the shelf: told, counted, made anew, recorded, kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import IO, TYPE_CHECKING

from twin.uploads import quota, remaking

if TYPE_CHECKING:
    from twin.uploads.quota import Quota
    from twin.uploads.shelf import Shelf, Upload


def receive(
    shelf: Shelf,
    owner: str,
    file: IO[bytes],
    size: int,
    *,
    area: str,
    now: datetime,
    most: Quota,
    zone: str,
    record: Callable[[Upload], object],
) -> Upload:
    """Take a file of `size` bytes from its owner; it is counted before work is done for it, and again before it stays.

    Raises UploadRefused, UploadQuota, StoreFull, and what `record` raises; then nothing of it stays. Blocks for up to
    30 s: call it on a thread of its own.
    """
    quota.check(most, shelf.used(owner, now), size, zone)
    made = remaking.remake(file, remaking.kind_of(file, size))
    return shelf.keep(owner, made, sent_bytes=size, area=area, now=now, most=most, zone=zone, record=record)
