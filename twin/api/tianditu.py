"""Tianditu's base map through our server, only where a key is set; the only way anything may go out."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import httpx

from twin import durable
from twin.errors import BadRequest

if TYPE_CHECKING:
    from twin.settings import Settings
    from twin.tiles import Address

LOG = logging.getLogger("onemap.tianditu")
SETS = ("vec", "cva", "img", "cia", "ter", "cta")
DAILY = 9000
"""Tiles asked for on one day at most: below the free quota, so that the key is not locked."""
KEEP_SECONDS = 30 * 86400
URL = "https://t{server}.tianditu.gov.cn/{set}_w/wmts"


class Tianditu:
    """Fetch tiles with the server's key, kept on disk; without a key every answer is None and nothing is asked."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._key = settings.tianditu_key
        self._folder = settings.data / "run" / "tianditu"
        self._transport = transport
        self._day = ""
        self.asked = 0

    async def tile(self, name: str, at: Address) -> bytes | None:
        """Give one tile, None where there is no key, no quota left, or no answer; raises BadRequest."""
        if name not in SETS:
            raise BadRequest(f"没有底图“{name[:20]}”", f"There is no base map {name[:20]!r}")
        if not self._key or not 1 <= at.z <= 18:
            return None
        path = self._folder / name / str(at.z) / str(at.x) / f"{at.y}.tile"
        if path.is_file() and path.stat().st_mtime > time.time() - KEEP_SECONDS:
            return path.read_bytes()
        if not self._within_quota():
            return None
        body = await self._fetch(name, at)
        if body is not None:
            durable.make_directory(path.parent)
            durable.write(path, body)
        return body

    def _within_quota(self) -> bool:
        """Count one request of today, in a file so that a restart does not forget it."""
        day = time.strftime("%Y%m%d")
        counter = self._folder / f"asked-{day}"
        if day != self._day:
            durable.make_directory(self._folder)
            self._day, self.asked = day, int(counter.read_text() or 0) if counter.is_file() else 0
        if self.asked >= DAILY:
            LOG.warning("Tianditu quota of %s used up", day)
            return False
        self.asked += 1
        counter.write_text(str(self.asked))
        return True

    async def _fetch(self, name: str, at: Address) -> bytes | None:
        asked = {
            "SERVICE": "WMTS",
            "REQUEST": "GetTile",
            "VERSION": "1.0.0",
            "LAYER": name,
            "STYLE": "default",
            "TILEMATRIXSET": "w",
            "FORMAT": "tiles",
            "TILEMATRIX": str(at.z),
            "TILEROW": str(at.y),
            "TILECOL": str(at.x),
            "tk": self._key,
        }
        try:
            async with httpx.AsyncClient(transport=self._transport, timeout=10, follow_redirects=False) as client:
                reply = await client.get(URL.format(server=(at.x + at.y) % 8, set=name), params=asked)
        except httpx.HTTPError as error:
            LOG.warning("Tianditu does not answer: %s", type(error).__name__)
            return None
        image = reply.headers.get("content-type", "").startswith("image/")
        return reply.content if reply.status_code == 200 and image else None
