"""How bytes are packed on the wire: brotli or gzip as the client reads, quickly for answers, well for files."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping

import brotli

QUICK: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"br": lambda body: brotli.compress(body, quality=3),
    b"gzip": lambda body: gzip.compress(body, 3, mtime=0),
}
"""For what is made for one request: 2-3 ms for half a megabyte."""
WELL: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"br": lambda body: brotli.compress(body, quality=9),
    b"gzip": lambda body: gzip.compress(body, 9, mtime=0),
}
"""For what is packed once and kept."""


def chosen(accepted: bytes) -> bytes:
    """Give the packing for an Accept-Encoding header, b"" for none."""
    if b"br" in accepted:
        return b"br"
    return b"gzip" if b"gzip" in accepted else b""
