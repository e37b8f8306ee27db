"""When a run that went wrong is tried again, and when no more; arithmetic only."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl.ledger import Status
    from twin.model import Resource

FIRST = timedelta(seconds=30)
FACTOR = 4
MOST_FACTORS = 8
LONGEST = timedelta(hours=1)
ATTEMPTS = 5
"""Runs that may go wrong before a tick is given up."""
CLAIMS = 50
"""Times a tick may be claimed at all: what kills every worker that touches it must end."""
JITTER = 0.5
"""A wait is spread over ± this share, so that what failed together does not come back together."""


def wait(attempt: int, seed: str) -> timedelta:
    """Give how long to wait after the `attempt`th failure (from 1): 30 s, 2, 8, 32 min, then an hour, each ± 50 %.

    `seed` decides the jitter, so that the same tick always waits the same time.
    """
    plain = min(FIRST * FACTOR ** min(max(0, attempt - 1), MOST_FACTORS), LONGEST)
    chance = zlib.crc32(f"{seed}#{attempt}".encode()) / 0xFFFFFFFF
    return plain * (1 - JITTER + 2 * JITTER * chance)


def again(status: Status, resource: Resource, attempt: int) -> bool:
    """Say whether to try again: what failed by a machine or a network; not what a department must mend in its file."""
    if attempt >= ATTEMPTS:
        return False
    return status == "failed" or (status == "refused" and remote(resource))


def remote(resource: Resource) -> bool:
    """Say whether a resource is asked of a connection, which may answer otherwise in a minute."""
    return any(source.connection for source in resource.sources)
