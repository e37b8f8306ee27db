"""Inside the cage: a workbook looked through part by part, then written anew as values only; nothing of it is run."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import IO, Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import InvalidFileException

from twin import spreadsheet
from twin.errors import UploadRefused
from twin.uploads.kinds import FACTS, refusal

MOST_PARTS, MOST_UNPACKED, MOST_NAME = 500, 64 << 20, 200
PARTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("macro", re.compile(r"vbaproject|vbadata|macrosheets/|dialogsheets/|customui/")),
    ("linked", re.compile(r"externallinks/|connections\.xml|querytables/|xl/model/|ddelink|webextensions/|webpublish")),
    ("embedded", re.compile(r"embeddings/|activex/|ctrlprops/|oleobject|\.(bin|exe|dll|js|vbs|hta|html?|swf|jar)$")),
)
"""By the names of parts; printerSettings*.bin alone is harmless, it is left behind like all that is no value."""
HARMLESS = re.compile(r"xl/printersettings/printersettings\d+\.bin")
SAID: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("book_broken", re.compile(rb"<!\s*(doctype|entity)", re.IGNORECASE)),
    ("macro", re.compile(rb"macroEnabled|vnd\.ms-office\.vbaProject", re.IGNORECASE)),
    ("linked", re.compile(rb"<(\w+:)?(ddeLink|externalReference|oleLink)\b", re.IGNORECASE)),
    ("embedded", re.compile(rb"<(\w+:)?(oleObject|control)\b", re.IGNORECASE)),
)
"""By what stands in the parts themselves."""
CALLS_OUT = re.compile(
    r"""(^|[^\w.])(DDE|WEBSERVICE|RTD|CALL|REGISTER(\.ID)?|EXEC|IMAGE)\s*\(|^\s*=?[\w.]+\|['"]?""", re.IGNORECASE
)
BAD_TITLE = re.compile(r"[\\*?:/\[\]\x00-\x1f]")
WRONG = (
    OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, OverflowError, NotImplementedError,
    zipfile.BadZipFile, zlib.error, ParseError, InvalidFileException, DefusedXmlException, AssertionError,
)  # fmt: skip
"""What openpyxl and zipfile raise for a file that is not as it should be."""
Value = str | float | bool | datetime | date | time | timedelta | None


def remake(file: IO[bytes]) -> tuple[bytes, dict[str, Any]]:
    """Give the workbook that is kept, and its sheets, cells, formulas; raises UploadRefused."""
    try:
        parts = _checked(file)
        formulas = _formulas(file) if any(b"<f" in p for p in parts) else {}
        return _written(file, formulas)
    except UploadRefused:
        raise
    except WRONG as wrong:
        raise refusal("book_broken") from wrong


# ---- the parts of the archive


def _checked(file: IO[bytes]) -> list[bytes]:
    """Read every part, no more than may be; raises UploadRefused for what has no place in a table of values."""
    with zipfile.ZipFile(file) as archive:
        listed = archive.infolist()
        _check_names(listed)
        parts = [_read(archive, member) for member in listed]
    texts = [p for m, p in zip(listed, parts, strict=True) if m.filename.lower().endswith((".xml", ".rels", ".vml"))]
    for part in texts:
        text = _plain(part)
        for code, pattern in SAID:
            if pattern.search(text):
                raise refusal(code)
    return [_plain(p) for m, p in zip(listed, parts, strict=True) if "sheets/" in m.filename]


def _check_names(listed: list[zipfile.ZipInfo]) -> None:
    names = [m.filename.lower() for m in listed]
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise refusal("not_a_book")
    if len(names) > MOST_PARTS or sum(m.file_size for m in listed) > MOST_UNPACKED:
        raise refusal("unpacks")
    if len(set(names)) < len(names) or any(m.flag_bits & 1 for m in listed):
        raise refusal("book_broken")
    for name in names:
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or len(name) > MOST_NAME:
            raise refusal("book_broken")
        code = next((c for c, pattern in PARTS if pattern.search(name)), "")
        if code and not HARMLESS.fullmatch(name):
            raise refusal(code)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Read one part; what unpacks to more than its entry says is cut there by zipfile, and its checksum is wrong."""
    with archive.open(member) as part:
        return part.read(MOST_UNPACKED + 1)


def _plain(part: bytes) -> bytes:
    """Give a part in UTF-8 where it is written in UTF-16, which would hide words from a search of bytes."""
    if part.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in part[:64]:
        return part.replace(b"\0", b"")
    return part


# ---- its values


def _open(file: IO[bytes], *, values: bool) -> Any:
    file.seek(0)
    return openpyxl.load_workbook(file, read_only=True, data_only=values, keep_links=False, rich_text=False)


def _cells(book: Any) -> Iterator[tuple[int, int, list[Any]]]:
    """Give (sheet, row, cells) of every row; raises UploadRefused where there are too many."""
    sheets = [s for s in book.worksheets if hasattr(s, "reset_dimensions")]
    if len(sheets) > FACTS["sheets"]:
        raise refusal("cells")
    seen = 0
    for number, sheet in enumerate(sheets):
        sheet.reset_dimensions()  # what a sheet says of its size is not believed
        for index, row in enumerate(sheet.iter_rows()):
            seen += max(1, len(row))
            if seen > FACTS["cells"]:
                raise refusal("cells")
            yield number, index, list(row)


def _formulas(file: IO[bytes]) -> dict[tuple[int, int, int], bool]:
    """Give where formulas stand; raises UploadRefused for one that calls out of the workbook."""
    found: dict[tuple[int, int, int], bool] = {}
    for sheet, row, cells in _cells(_open(file, values=False)):
        for column, cell in enumerate(cells):
            if cell.data_type == "f":
                if CALLS_OUT.search(str(getattr(cell.value, "text", cell.value))):
                    raise refusal("linked")
                found[sheet, row, column] = True
    return found


def _written(file: IO[bytes], formulas: Mapping[tuple[int, int, int], bool]) -> tuple[bytes, dict[str, Any]]:
    book, made = _open(file, values=True), openpyxl.Workbook(write_only=True)
    titles = _titles(s.title for s in book.worksheets if hasattr(s, "reset_dimensions"))
    sheets = [made.create_sheet(title) for title in titles]
    cells = without = 0
    for sheet, row, read in _cells(book):
        values = [c.value for c in read]
        without += sum((sheet, row, c) in formulas and v is None for c, v in enumerate(values))
        cells += sum(v is not None for v in values)
        sheets[sheet].append([_cell(sheets[sheet], v) for v in values])
    if not sheets:
        raise refusal("not_a_book")
    made.properties.creator = ""
    out = io.BytesIO()
    made.save(out)
    told = {"sheets": len(sheets), "cells": cells, "formulas": len(formulas), "formulas_without_value": without}
    return out.getvalue(), told


def _titles(titles: Iterable[str]) -> list[str]:
    """Give the names of the sheets as every program takes them, each once."""
    given: list[str] = []
    for number, title in enumerate(titles, 1):
        plain = BAD_TITLE.sub("_", str(title)).strip("'")[:31] or f"Sheet{number}"
        given.append(plain if plain.casefold() not in {g.casefold() for g in given} else f"Sheet{number}-{len(given)}")
    return given


def _cell(sheet: Any, value: Any) -> Any:
    """Give a value for a new cell; a text stays a text, whatever it begins with."""
    if value is None or isinstance(value, bool | int | float | datetime | date | time | timedelta):
        return value
    cell = WriteOnlyCell(sheet, "")
    spreadsheet.put(cell, str(value))
    return cell
