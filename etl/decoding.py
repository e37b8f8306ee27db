"""Whether the bytes of a file are text in an encoding: read strictly to the end, and where not, from which byte on."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20


def first_bad_byte(path: Path, encoding: str) -> int | None:
    """Give about where a file stops being text in `encoding` (a byte counted from 0), None where it is throughout."""
    decoder, done = codecs.getincrementaldecoder(encoding)(), 0
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
                done += len(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as wrong:
            return done + wrong.start
    return None
