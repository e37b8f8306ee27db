"""How one refused row is named for good: the fingerprint of what was delivered, and the word it goes by on the desk."""

from __future__ import annotations

import hashlib

GEOMETRY = "@geometry"
"""What a correction names that exchanges a row's coordinates, as no heading of a delivery is called."""
EXCHANGED = "exchanged"
LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""So that no row's name looks like somebody's number."""


def fingerprint(raw: str, geometry: bytes | None) -> str:
    """Give the SHA-256 of a row as it was delivered: its columns as JSON, its geometry as WKB in its own CRS."""
    told = hashlib.sha256(raw.encode("utf-8", "surrogatepass"))
    told.update(b"\0" + (geometry if geometry is not None else b"-"))
    return told.hexdigest()


def row_name(resource: str, source: str, key: str, row: str, mark: str) -> str:
    """Give the word of 20 letters under which a refused row is addressed: another row, or another content, another."""
    told = "\0".join((resource, source, key or row, mark)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:20].translate(LETTERS)
