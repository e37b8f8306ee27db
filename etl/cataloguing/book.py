"""The catalogue's workbook: written with every cell as text, and read back, row by row, into the same declarations."""

from __future__ import annotations

import dataclasses
import io
from datetime import date
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from etl import sandbox
from etl.cataloguing import layout
from etl.cataloguing.layout import CATALOGUE, CATALOGUED, ITEM, ITEMS, OFFICE
from twin import declared, durable
from twin.declared import Document
from twin.errors import DeclarationError
from twin.model import Department, Field, Resource, Source, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from etl.cataloguing.layout import Column

OWNER = "资源标识"
"""The column of 信息项 that says to which resource an item belongs."""
Cells = dict[str, str]


def write(departments: Sequence[Department], path: Path) -> None:
    """Write the catalogue to `path`: 目录, one row a resource, and 信息项, one row an item; nothing is left out."""
    book = Workbook()
    book.remove(book.worksheets[0])
    resources = [(d, r) for d in departments for r in (d.resources or (None,))]
    rows = [[*_row(OFFICE, d), *(_row(CATALOGUED, r) if r else [])] for d, r in resources]
    _fill(book.create_sheet(CATALOGUE), [*_heads(OFFICE), *_heads(CATALOGUED)], rows)
    items = [[r.id, *_row(ITEM, f)] for _, r in resources if r for f in r.fields]
    _fill(book.create_sheet(ITEMS), [OWNER, *_heads(ITEM)], items)
    buffer = io.BytesIO()
    book.save(buffer)
    durable.write(path, buffer.getvalue())


def _heads(columns: Sequence[Column]) -> list[str]:
    return [heading for column in columns for heading in column.headings]


def _row(columns: Sequence[Column], value: Any) -> list[str]:
    return [text for column in columns for text in layout.cells(column, getattr(value, column.name))]


def _fill(page: Worksheet, heads: list[str], rows: list[list[str]]) -> None:
    for number, row in enumerate((heads, *rows), 1):
        for column, text in enumerate(row, 1):
            if text:
                cell = page.cell(number, column, text)
                cell.data_type = "s"  # a text that begins with = is no formula
    for column, head in enumerate(heads, 1):
        page.column_dimensions[get_column_letter(column)].width = max(12, 2 * len(head) + 2)
        page.cell(1, column).font, page.cell(1, column).alignment = Font(bold=True), Alignment(wrap_text=True)
    page.freeze_panes = "B2"


def read(path: Path) -> tuple[Department, ...]:
    """Read a catalogue's workbook; raises DeclarationError naming file, sheet, row, column, reason and remedy.

    The file is a stranger's: it is opened in the throw-away process, like any delivery.
    """
    sheets = {name: _Sheet.of(path, name, heads) for name, heads in SHEETS.items()}
    fields = _fields(sheets[ITEMS])
    offices: dict[str, Department] = {}
    held: dict[str, list[Resource]] = {}
    for number, cells in sheets[CATALOGUE].rows:
        office = _value(sheets[CATALOGUE], number, Department, cells, {"resources": ()})
        if office is None:
            continue
        if offices.setdefault(office.id, office) != office:
            words = ("与上面同一提供方的写法不同", "This provider is written otherwise above")
            sheets[CATALOGUE].fault(number, "提供方标识", words, ("写成一样", "Write both alike"))
        if any(cells.get(head) for head in _heads(CATALOGUED)):
            given = {"department": office.id, "fields": tuple(fields.pop(cells.get(OWNER, ""), ()))}
            resource = _value(sheets[CATALOGUE], number, Resource, cells, given)
            held.setdefault(office.id, []).extend([resource] if resource else [])
    if fields:
        words = (f"目录中没有资源 {'、'.join(fields)}", f"目录 has no resource {', '.join(fields)}")
        sheets[ITEMS].fault(0, OWNER, words, ("补目录行,或删去这些信息项", "Add it to 目录, or remove its items"))
    _refuse(path, [fault for sheet in sheets.values() for fault in sheet.faults])
    return tuple(dataclasses.replace(d, resources=tuple(held.get(d.id, ()))) for d in offices.values())


SHEETS: Mapping[str, list[str]] = {
    CATALOGUE: [*_heads(OFFICE), *_heads(CATALOGUED)],
    ITEMS: [OWNER, *_heads(ITEM)],
}
COLUMNS: Mapping[Any, tuple[Column, ...]] = {Department: OFFICE, Resource: CATALOGUED, Field: ITEM}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Sheet:
    """One sheet as read: its rows by number and heading, and what is wrong in it."""

    name: str
    rows: list[tuple[int, Cells]]
    faults: list[tuple[str, str]] = dataclasses.field(default_factory=list[tuple[str, str]])

    @classmethod
    def of(cls, path: Path, name: str, heads: Sequence[str]) -> _Sheet:
        """Read one sheet of the workbook; a heading that is missing is a fault of its first row."""
        source = Source(location=path.name, part=name, options={"header_rows": "1"})
        rows: list[tuple[int, Cells]] = []
        with sandbox.read(_as_table(source), source, path.parent) as reading:
            missing = [head for head in heads if head not in reading.schema.names]
            for batch in reading.batches():
                for cells in batch.to_pylist():
                    number = int(str(cells["_row"]).rpartition("!")[2])
                    rows.append((number, {head: cells.get(head) or "" for head in heads}))
        sheet = cls(name=name, rows=rows)
        for head in missing:
            words = ("缺少此列", "This column is missing")
            sheet.fault(1, head, words, ("按导出的版式补上", "Add it, as in an exported workbook"))
        return sheet

    def fault(self, row: int, column: str, words: tuple[str, str], remedy: tuple[str, str]) -> None:
        """Note what is wrong in one cell."""
        at = f"{row}" if row else "—"
        self.faults.append(
            (
                f"{self.name} 第 {at} 行 “{column}”:{words[0]}。{remedy[0]}",
                f"{self.name} row {at}, “{column}”: {words[1]}. {remedy[1]}",
            )
        )


def _as_table(source: Source) -> Resource:
    """Declare the sheet itself, so that it is read as any table is."""
    nothing = Text("", "")
    return Resource(
        id="catalogue", code="", title=nothing, department="", class_path=(), abstract=nothing, format="XLSX",
        reader="table", kind="none", sources=(source,), key="", fields=(), share_type="none", share_condition="",
        share_method="", open_attr="", update_cycle="", cadence_seconds=0, published=date(2025, 1, 1), theme="",
        layers=(),
    )  # fmt: skip


def _fields(sheet: _Sheet) -> dict[str, list[Field]]:
    fields: dict[str, list[Field]] = {}
    for number, cells in sheet.rows:
        item = _value(sheet, number, Field, cells, {})
        fields.setdefault(cells[OWNER], []).extend([item] if item else [])
    return fields


def _value(
    sheet: _Sheet, number: int, cls: type[declared.T], cells: Cells, given: Mapping[str, Any]
) -> declared.T | None:
    """Build one declaration from one row; what cannot be read is a fault of its cell, and None comes back."""
    table: dict[str, Any] = {}
    before, heads = len(sheet.faults), {c.name: c.headings[0] for c in COLUMNS[cls]}
    for column in COLUMNS[cls]:
        try:
            value = layout.said(column, [cells[head] for head in column.headings])
        except ValueError as wrong:
            zh, en = wrong.args
            sheet.fault(number, column.headings[0], (f"应为{zh}", f"{en} is expected"), ("改正此格", "Mend this cell"))
            continue
        if value is not None:
            table[column.name] = value
    document = Document(sheet.name, table, {}, [])
    made = declared.value_of(document, cls, (), table, given=given) if len(sheet.faults) == before else None
    for fault in document.faults:
        name = fault.field.split(".")[0] or fault.zh.removeprefix("缺少必填项 ")
        sheet.fault(number, heads.get(name, name), (fault.zh, fault.en), (fault.remedy_zh, fault.remedy_en))
    return made


def _refuse(path: Path, faults: Sequence[tuple[str, str]]) -> None:
    if faults:
        raise DeclarationError(
            f"目录文件 {path.name} 有误,未导入:\n" + "\n".join(zh for zh, _ in faults),
            f"The workbook {path.name} is wrong; nothing was imported:\n" + "\n".join(en for _, en in faults),
            file=path.name,
        )
