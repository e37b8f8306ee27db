"""What a workbook's cells and rows are beside their values: hidden, a formula never worked out, an error.

Calamine gives such cells as empty ones, so that a value that is wrong would look like one that is missing.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 20
_OVERLAP = 1 << 14
_CELL = re.compile(rb"<c\s([^>]{0,256}?)/?>")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_ERROR = re.compile(rb'\bt="e"')
_EMPTY = re.compile(rb"\s*<f\b[^>]*(?:/>|>[^<]{0,8192}</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
_HIDDEN_ROW = re.compile(rb'<row\s[^>]{0,256}?\bhidden="(?:1|true)"')
_NUMBER = re.compile(rb'\br="(\d{1,7})"')


@dataclass(kw_only=True)
class Marks:
    """Cells (0-based row, column) that hold no value but should, rows that are hidden, and what else the book has."""

    unsolved: set[tuple[int, int]] = field(default_factory=set)
    failed: set[tuple[int, int]] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    hidden_sheets: tuple[str, ...] = ()
    linked: bool = False


def read(path: Path, sheet: str) -> Marks:
    """Read the marks of one sheet of an .xlsx that was proved harmless; nothing where it is written otherwise."""
    marks = Marks()
    try:
        with zipfile.ZipFile(path) as container:
            names = container.namelist()
            marks.linked = any(n.startswith("xl/externalLinks/") for n in names)
            part, marks.hidden_sheets = _part(container, sheet)
            if part in names:
                for chunk in _chunks(container, part):
                    _look(chunk, marks)
    except (zipfile.BadZipFile, KeyError, ParseError, DefusedXmlException, EOFError, OSError):
        return marks
    return marks


def _part(container: zipfile.ZipFile, sheet: str) -> tuple[str, tuple[str, ...]]:
    """Give the entry that holds a sheet, and the names of the hidden sheets."""
    book = fromstring(container.read("xl/workbook.xml"))
    related = fromstring(container.read("xl/_rels/workbook.xml.rels"))
    targets = {one.get("Id", ""): one.get("Target", "") for one in related}
    found, hidden = "", []
    for one in book.iter():
        if one.tag.rpartition("}")[2] != "sheet":
            continue
        if one.get("state") in ("hidden", "veryHidden"):
            hidden.append(one.get("name", ""))
        if one.get("name") == sheet:
            found = next((targets.get(v, "") for k, v in one.attrib.items() if k.endswith("}id")), "")
    return found.lstrip("/") if found.startswith("/") else f"xl/{found}", tuple(hidden)


def _chunks(container: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Give the sheet's XML in pieces that overlap, so that each cell stands whole in one of them."""
    tail = b""
    with container.open(part) as file:
        while piece := file.read(_CHUNK):
            yield tail + piece
            tail = piece[-_OVERLAP:]


def _look(chunk: bytes, marks: Marks) -> None:
    for row in _HIDDEN_ROW.finditer(chunk) if b"hidden=" in chunk else ():
        if number := _NUMBER.search(row[0]):
            marks.hidden.add(int(number[1]) - 1)
    if b't="e"' not in chunk and b"<f" not in chunk:
        return
    for cell in _CELL.finditer(chunk):
        failed = _ERROR.search(cell[1]) is not None
        if failed or _EMPTY.match(chunk, cell.end()):
            place = _PLACE.search(cell[1])
            if place:
                (marks.failed if failed else marks.unsolved).add((int(place[2]) - 1, _column(place[1])))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number - 1
