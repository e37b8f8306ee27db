"""How a sent file is made anew: by a throw-away process under limits, whose answer is proved before it is believed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from twin import caged
from twin.uploads import kinds
from twin.uploads.kinds import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.uploads.kinds import Kind

ENTRY = "twin.uploads.inside"
SECONDS = 30.0
LIMITS = {"AS": 2 << 30, "DATA": 448 << 20, "CPU": 25, "FSIZE": 64 << 20, "NOFILE": 64}
MOST_MADE, MOST_UNPACKED = 32 << 20, 128 << 20
FIRST_LINE = 1000
NUMBERS = {"photo": ("width", "height"), "workbook": ("sheets", "cells", "formulas", "formulas_without_value")}
"""What a child may say of the file it made, each a whole number."""
PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|xl/(workbook|styles|sharedStrings)\.xml"
    r"|xl/_rels/workbook\.xml\.rels|xl/theme/theme1\.xml|xl/worksheets/sheet\d+\.xml"
)
JFIF, TABLES, FRAME, SCAN = 0xE0, (0xDB, 0xC4), 0xC0, 0xDA


@dataclass(frozen=True, kw_only=True)
class Remade:
    """A file as it is kept: its bytes, and what was counted in it."""

    kind: Kind
    content: bytes
    counted: dict[str, int]


def remake(file: IO[bytes], kind: Kind) -> Remade:
    """Make a file anew from its beginning; raises UploadRefused. Blocks up to 30 s: call it on a thread of its own."""
    file.seek(0)
    stood = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    with tempfile.TemporaryFile() as answer:
        found = caged.bubblewrap()
        around = (*caged.words(found), "--") if found else ()
        limits = json.dumps({**LIMITS, "NPROC": caged.processes()})
        command = [*around, sys.executable, "-P", "-m", ENTRY, limits, kind]
        try:
            done = subprocess.run(
                command, stdin=file, stdout=answer, stderr=subprocess.DEVNULL, env=caged.environment(), cwd="/",
                start_new_session=True, timeout=SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as wrong:
            raise refusal("slow") from wrong
        finally:
            os.lseek(file.fileno(), stood, os.SEEK_SET)  # the child moved it; whoever buffers reckons on it
        if done.returncode != 0:
            raise refusal("slow")
        answer.seek(0)
        return _believed(kind, answer.readline(FIRST_LINE), answer.read(MOST_MADE + 1))


def _believed(kind: Kind, said: bytes, content: bytes) -> Remade:
    """Prove what a child said and made: it has read a foreign file, nothing is taken on trust."""
    try:
        told: Any = json.loads(said)
        refused = told.get("refused")
        counted = {} if refused else {n: int(told[n]) for n in NUMBERS[kind]}
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise refusal("slow") from wrong
    if refused:
        raise refusal(str(refused))
    sound = is_plain_jpeg(content) if kind == "photo" else is_plain_workbook(content)
    if not sound or len(content) > MOST_MADE:
        raise refusal("slow")
    return Remade(kind=kind, content=content, counted=counted)


def is_plain_jpeg(content: bytes) -> bool:
    """Say whether bytes are one baseline JPEG of tables, a frame and a scan and nothing more (ITU-T T.81 annex B)."""
    if not content.endswith(b"\xff\xd9"):
        return False
    markers = list(_markers(content))
    allowed = {JFIF, *TABLES, FRAME, SCAN}
    return markers[-1:] == [SCAN] and set(markers) <= allowed and FRAME in markers


def _markers(content: bytes) -> Iterator[int]:
    """Give the markers up to the scan; 0 for what is none, or where anything follows the picture's end."""
    at = 2
    while content[:2] == b"\xff\xd8" and at + 4 <= len(content):
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if content[at] != 0xFF or length < 2 or (marker == JFIF and content[at + 4 : at + 9] != b"JFIF\0"):
            break
        yield marker
        if marker == SCAN:
            inner = content[at + 2 + length : -2]
            if re.search(rb"\xff[^\x00\xd0-\xd7]", inner):
                yield 0
            return
        at += 2 + length
    yield 0


def is_plain_workbook(content: bytes) -> bool:
    """Say whether bytes are a workbook of the parts we write, each once, without a formula."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as book:
            names = book.namelist()
            unpacked = sum(m.file_size for m in book.infolist())
            if len(set(names)) < len(names) or not all(map(PARTS.fullmatch, names)) or unpacked > MOST_UNPACKED:
                return False
            sheets = [n for n in names if "worksheets/" in n]
            return not any(re.search(rb"<(\w+:)?f[\s>/]", book.read(n)) for n in sheets)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError):
        return False


def kind_of(file: IO[bytes], size: int) -> Kind:
    """Tell the kind of a file that was received whole; raises UploadRefused."""
    file.seek(0)
    return kinds.of(file.read(kinds.HEAD), size)
