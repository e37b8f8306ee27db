"""A person among the files people sent in: their own, and workbooks that tell of them; found, and taken out whole.

A photo is known by who sent it only: nobody reads what it shows.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from twin.errors import NotFound, StoreBroken
from twin.retention.applying import Taken
from twin.retention.finding import Hit
from twin.retention.persons import Sure
from twin.uploads.shelf import FOLDER, Shelf

if TYPE_CHECKING:
    from twin.retention.marks import Marks
    from twin.retention.persons import Person
    from twin.uploads.shelf import Upload

PLACE = "upload"
SURER: tuple[Sure, ...] = ("number", "row", "name")
SURE_ENOUGH = SURER[:2]
_ROW = re.compile(r"<row\b[^>]*>(.*?)</row>", re.DOTALL)
_VALUE = re.compile(r"<(?:t|v)\b[^>]*>([^<]*)</(?:t|v)>")


def find(data: Path, person: Person, owners: Mapping[str, Sure]) -> Iterator[Hit]:
    """Give the files of a person: those of their accounts (`owners`: how each is known), workbooks with their rows."""
    shelf = Shelf(data=data)
    for upload in shelf.all():
        told = {"file": upload.name, "kind": upload.kind, "sent_at": upload.at.isoformat(), "bytes": upload.bytes}
        facts = {"created_at": upload.at.isoformat()}
        if upload.owner in owners:
            yield _hit(upload, owners[upload.owner], told, {**facts, "path": shelf.path(upload)})
            continue
        known = [(person.known_in(PLACE, upload.id, row), row) for row in rows(shelf, upload)]
        surest: list[Sure] = [s for s in SURER if any(s == k for k, _ in known)]
        if surest:
            theirs = [row for k, row in known if k in SURE_ENOUGH]
            yield _hit(upload, surest[0], {**told, "rows": theirs}, facts)


def _hit(upload: Upload, sure: Sure, values: Mapping[str, object], facts: Mapping[str, object]) -> Hit:
    return Hit(place=PLACE, table=PLACE, version="", current=True, key=upload.id, sure=sure, values=values, facts=facts)


def rows(shelf: Shelf, upload: Upload) -> list[list[str]]:
    """Give the values of a kept workbook row by row, as texts; nothing for a photo or one that has just gone."""
    if upload.kind != "workbook":
        return []
    try:
        content = shelf.content(upload)
    except (NotFound, StoreBroken):
        return []
    with zipfile.ZipFile(BytesIO(content)) as book:
        sheets = [book.read(n).decode("utf-8", "replace") for n in book.namelist() if "worksheets/" in n]
    return [[unescape(v) for v in _VALUE.findall(row)] for sheet in sheets for row in _ROW.findall(sheet)]


def remove(data: Path, marks: Marks, owners: Collection[str]) -> list[Taken]:
    """Remove the files of marked accounts (`owners`), and every workbook in which a marked person stands."""
    shelf, taken = Shelf(data=data), []
    for upload in _marked(shelf, marks, owners):
        if shelf.remove(upload):
            where = f"{FOLDER}/{upload.owner}/{upload.id}"
            taken.append(Taken(where=where, rows=0, how="file", before_sha256=upload.sha256))
    return taken


def left(data: Path, marks: Marks, owners: Collection[str]) -> list[str]:
    """Give the files that should have gone and stand still."""
    return [f"{FOLDER}/{u.owner}/{u.id}" for u in _marked(Shelf(data=data), marks, owners)]


def _marked(shelf: Shelf, marks: Marks, owners: Collection[str]) -> Iterator[Upload]:
    for upload in shelf.all():
        if upload.owner in owners or any(_holds(marks, upload, row) for row in rows(shelf, upload)):
            yield upload


def _holds(marks: Marks, upload: Upload, row: list[str]) -> bool:
    return any(map(marks.holds, row)) or marks.holds_row(PLACE, upload.id, row)
