"""The catalogue as it changes while it is served: what was read anew takes the place of what was, as a whole.

Rooms are built beside those that answer, warmed, and only then change places with them: a request is answered
from the ones or from the others. A catalogue that does not hold changes nothing, and the record of the house says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from twin import declared
from twin.api import listings
from twin.api.adopted import hold_newest
from twin.api.rooms import again
from twin.api.tile_server import TileServer
from twin.errors import TwinError

if TYPE_CHECKING:
    from twin.api import Front
    from twin.model import OneMap

LOG = logging.getLogger("onemap.catalogue")
LOOKED_S = 2.0
"""How often a process looks whether the declarations changed; they must lie still for as long."""
Read = Callable[[], "OneMap"]


def turn(front: Front, onemap: OneMap) -> None:
    """Answer from `onemap` from the next request on; raises DeclarationError for what cannot be drawn.

    The grants that hold go on holding, over the new declarations. What a process cannot change while it serves, the
    village itself, must be the same.
    """
    before = front.state.rooms
    if onemap.village != before.onemap.village:
        LOG.warning("village.toml changed: that is seen after a restart only")
        return
    after = again(before, onemap)
    listings.warm(after)
    hold_newest(after, front.state.who)
    front.state.delivering.over(onemap)
    tiles = TileServer(after, front.state.who, front.state.delivering)
    front.tile_server, front.state.rooms = tiles, after
    LOG.info("the catalogue was read anew: %d resources, %d layers", len(onemap.resources), len(onemap.layers))


async def follow(front: Front, read: Read) -> None:
    """Take up changed declarations, until cancelled."""
    village = front.state.rooms.settings.village
    held = seen = await asyncio.to_thread(declared.stamp, village)
    while True:
        await asyncio.sleep(LOOKED_S)
        now = await asyncio.to_thread(declared.stamp, village)
        if now == held or now != seen:
            seen = now
            continue
        held = now
        try:
            await asyncio.to_thread(lambda: turn(front, read()))
        except TwinError as error:
            LOG.warning("the changed catalogue does not hold, the one before stays: %s", error.en)
