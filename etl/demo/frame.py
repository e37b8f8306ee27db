"""Where the demo village lies and how chance is drawn: the only place that fixes its code, window, years and clock."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta, timezone

import numpy as np

VILLAGE_CODE = "330521199201"
VILLAGE_NAME = "示范村"
CRS = "EPSG:4549"
X0, Y0 = 495_600.0, 3_377_700.0
SIZE_M = 3_000.0
BOUNDS = (X0, Y0, X0 + SIZE_M, Y0 + SIZE_M)
YEARS = (2020, 2025)
CLOCK = datetime(2025, 11, 21, 10, 32, tzinfo=timezone(timedelta(hours=8)))
GRID_M = 0.001


def chance(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose, so that adding a purpose never changes the others."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])
