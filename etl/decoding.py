"""Whether the bytes of a file are text in an encoding, to the end or line by line; no other is guessed."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 20
_HANZI = range(0x2E80, 0xE000)
"""Where the characters of Chinese stand, and nothing a Latin text has."""
_SIGNS = frozenset([*range(0x3001, 0x3012), *range(0xFF01, 0xFF5F)])
_SAMPLE = 1 << 18
_COMMON_ENOUGH = 0.5
"""Ordinary text takes nearly all its characters from the common half of its code table."""


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


def lines(path: Path, encoding: str, strange: set[int]) -> Iterator[str]:
    r"""Give the lines of a file in `encoding`; the numbers (from 1) of those that are of another go into `strange`.

    A line that does not decode keeps its bytes as \\xNN; one that is UTF-8 within another encoding is given as UTF-8.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = _decoded(line, encoding)
            if text is None or (not encoding.startswith("utf-8") and foreign(line)):
                strange.add(number)
                text = _decoded(line, "utf-8") or line.decode(encoding, "backslashreplace")
            yield text


def foreign(line: bytes) -> bool:
    """Tell whether a line is UTF-8 with Chinese in it: hardly any line of GB18030 or Big5 happens to be."""
    text = None if line.isascii() else _decoded(line, "utf-8")
    return text is not None and any(ord(c) in _HANZI for c in text)


def has_foreign(path: Path) -> bool:
    """Tell whether any line of a file that is in GB18030 or Big5 is `foreign`."""
    with path.open("rb") as file:
        return any(foreign(line) for line in file)


def mostly(path: Path, candidates: tuple[str, ...]) -> str:
    """Give the first encoding of the heading (the first line beyond ASCII) that most such lines are in, or ""."""
    with path.open("rb") as file:
        beyond = [line for line in file.read(_CHUNK).split(b"\n") if not line.isascii()]
    for name in candidates:
        good = [_decoded(line, name) is not None for line in beyond]
        if good and good[0] and 2 * sum(good) > len(good) > 1:
            return name
    return ""


def is_big5(path: Path) -> bool | None:
    """Tell whether a file that decodes both as GB18030 and as Big5 is Big5: None where it could be either.

    Ordinary text takes its characters from the common half of its own table; read by the other one they are rare.
    """
    with path.open("rb") as file:
        pairs = [line for line in file.read(_SAMPLE).splitlines() if not line.isascii()]
    simple = _common("".join(_decoded(p, "gb18030") or "" for p in pairs), "gb2312", 0xB0, 0xD7)
    traditional = _common("".join(_decoded(p, "big5") or "" for p in pairs), "big5", 0xA4, 0xC6)
    if simple >= _COMMON_ENOUGH:
        return False
    return True if traditional >= _COMMON_ENOUGH and simple < _COMMON_ENOUGH / 2 else None


def _common(text: str, table: str, first: int, last: int) -> float:
    """Give the share of the characters beyond ASCII that are full-width signs or in these rows of a table."""
    beyond = [c for c in text if not c.isascii()]
    leads = [c.encode(table, "ignore")[:1] for c in beyond]
    common = (ord(c) in _SIGNS or (bool(b) and first <= b[0] <= last) for c, b in zip(beyond, leads, strict=True))
    return sum(common) / max(1, len(beyond))


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None
