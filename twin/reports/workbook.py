"""A filled form as an xlsx workbook: the template's own sheet with its lists grown, and a sheet that says every source.

Everything in it is a value: no formula, no link, no macro, whatever a department wrote into its cells.
"""

from __future__ import annotations

import copy
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import openpyxl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from twin import spreadsheet
from twin.text import t

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from twin.reports.filling import Filled, Origin, Value

ZH = "zh-CN"
NAMED = re.compile(r"\{\{\s*([a-z0-9_.]+)\s*\}\}")
MARKS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
OWED = "B3400E"
GREY = "5F6B7A"
LINE = Side(style="thin", color="9AA3A8")
GRID = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
HEADS = ("title", "where", "department", "resource", "column", "version", "as_of", "rows", "state")
WIDTHS = (26, 8, 20, 22, 30, 26, 12, 9, 14)


def xlsx(filled: Filled) -> bytes:
    """Give the workbook of a filled form as bytes."""
    target = io.BytesIO()
    book(filled).save(target)
    return target.getvalue()


def book(filled: Filled) -> openpyxl.Workbook:
    """Give the workbook of a filled form: its sheet, and the sheet of sources."""
    template = openpyxl.load_workbook(filled.form.folder / filled.form.template).worksheets[0]
    made = openpyxl.Workbook()
    sheet: Any = made.active
    sheet.title = filled.form.title.zh[:31]
    writer = _Writer(filled=filled, source=template, sheet=sheet)
    writer.write()
    _sources(made.create_sheet(t("reports.sources", ZH)), filled, writer.places)
    made.properties.creator = filled.words["village"]
    made.properties.title = filled.form.title.zh
    return made


@dataclass(kw_only=True)
class _Writer:
    """The growing sheet, where each filled cell ended up, the notes on old content, lines said in place of lists."""

    filled: Filled
    source: Worksheet
    sheet: Worksheet
    places: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    wide: list[tuple[int, int]] = field(default_factory=list)

    def write(self) -> None:
        rows: dict[int, list[int]] = {}
        at = 1
        for number in range(1, self.source.max_row + 1):
            lines = self._lines(number)
            rows[number] = list(range(at, at + len(lines)))
            for line in lines:
                self._row(number, at, line)
                at += 1
        self._merges(rows)
        self._shape(rows)
        self._notes(at)

    def _lines(self, number: int) -> list[dict[str, Any]]:
        """Give what one row of the template becomes: itself, or a row for each line of the list it names."""
        text = " ".join(str(c.value) for c in self.source[number] if c.value is not None)
        for name in self.filled.lists:
            if f"{{{{{name}." in text.replace(" ", ""):
                lines = [{f"{name}.{k}": v for k, v in row.items()} for row in self.filled.lists[name]]
                return lines or [{"": self.filled.list_notes.get(name, ""), "list": name}]
        return [{}]

    def _row(self, number: int, at: int, line: dict[str, Any]) -> None:
        height = self.source.row_dimensions[number].height
        if height:
            self.sheet.row_dimensions[at].height = height
        first = True
        for cell in cast("tuple[Any, ...]", self.source[number]):
            target: Any = self.sheet.cell(row=at, column=cell.column)
            _style(cell, target)
            if cell.value is None:
                continue
            if "" in line:
                content, first = (line[""], False) if first and NAMED.search(str(cell.value)) else (None, first)
                self.places.setdefault(line["list"], target.coordinate)
                _put(target, content)
                if content is not None:
                    self.wide.append((at, target.column))
            else:
                self._cell(cell, target, line)

    def _cell(self, cell: Any, target: Any, line: dict[str, Any]) -> None:
        text = str(cell.value)
        whole = NAMED.fullmatch(text.strip())
        if whole and whole[1] in self.filled.cells:
            self.places[whole[1]] = target.coordinate
            self._value(target, self.filled.cells[whole[1]])
        elif whole and whole[1] in line:
            self.places.setdefault(whole[1].partition(".")[0], target.coordinate)
            self._listed(target, line[whole[1]])
        else:
            _put(target, NAMED.sub(lambda found: self._word(found[1]), text))

    def _word(self, name: str) -> str:
        if name in self.filled.words:
            return self.filled.words[name]
        value = self.filled.cells.get(name)
        if value is None:
            return ""
        if value.decimals is None:
            return str(value.content)
        return f"{value.content:,.{value.decimals}f}{self._mark(value.origin)}"

    def _listed(self, target: Any, value: Any) -> None:
        if isinstance(value, bool):
            value = t("reports.yes" if value else "reports.no", ZH)
        _put(target, "—" if value is None else value)

    def _value(self, target: Any, value: Value) -> None:
        mark = self._mark(value.origin)
        if value.origin.state != "ok":
            _put(target, value.content)
            target.font = _coloured(target.font, OWED)
        elif value.decimals is None:
            _put(target, f"{value.content}{mark}")
        else:
            shape = "#,##0" + ("." + "0" * value.decimals if value.decimals else "")
            target.value = value.content
            target.number_format = shape + (f'"{mark}"' if mark else "")

    def _mark(self, origin: Origin) -> str:
        """Give the sign that leads to the note on content that is older than promised, "" for what is fresh."""
        if not origin.stale or origin.state != "ok":
            return ""
        stated = f"{origin.as_of:%Y-%m-%d}" if origin.as_of else "—"
        note = t("reports.stale_note", ZH, resource=origin.resource, as_of=stated, department=origin.department)
        if note not in self.marks:
            self.marks[note] = MARKS[len(self.marks) % len(MARKS)]
        return self.marks[note]

    def _merges(self, rows: dict[int, list[int]]) -> None:
        last = self.source.max_column
        for row, column in self.wide:  # what is said in place of a list takes the line
            self.sheet.merge_cells(start_row=row, end_row=row, start_column=column, end_column=last)
        for area in self.source.merged_cells.ranges:
            spans = (
                [(r, r) for r in rows[area.min_row]]
                if area.min_row == area.max_row
                else [(rows[area.min_row][0], rows[area.max_row][-1])]
            )
            for top, bottom in spans:
                self.sheet.merge_cells(
                    start_row=top, end_row=bottom, start_column=area.min_col, end_column=area.max_col
                )

    def _shape(self, rows: dict[int, list[int]]) -> None:
        for letter, dimension in self.source.column_dimensions.items():
            if dimension.width:
                self.sheet.column_dimensions[letter].width = dimension.width
        titles = re.fullmatch(r"\$?(\d+):\$?(\d+)", self.source.print_title_rows or "")
        if titles:
            self.sheet.print_title_rows = f"{rows[int(titles[1])][0]}:{rows[int(titles[2])][-1]}"
        _page(self.sheet, landscape=self.filled.form.landscape)

    def _notes(self, at: int) -> None:
        refused = any(v.origin.state == "refused" for v in self.filled.cells.values())
        lines = [f"{mark} {note}" for note, mark in self.marks.items()]
        lines += [t("reports.refused_note", ZH)] if refused else []
        for offset, line in enumerate(lines):
            cell: Any = self.sheet.cell(row=at + offset, column=1)
            _put(cell, line)
            cell.font = Font(name="宋体", size=9, color=GREY)
            cell.alignment = Alignment(wrap_text=True, vertical="center")
            self.sheet.merge_cells(
                start_row=at + offset, end_row=at + offset, start_column=1, end_column=self.source.max_column
            )


def _style(cell: Any, target: Any) -> None:
    if cell.has_style:
        target.font, target.fill = copy.copy(cell.font), copy.copy(cell.fill)
        target.border, target.alignment = copy.copy(cell.border), copy.copy(cell.alignment)
        target.number_format = cell.number_format


def _coloured(font: Any, colour: str) -> Any:
    found = copy.copy(font)
    found.color = colour
    return found


def _put(target: Any, value: Any) -> None:
    """Set a value that stays one."""
    if isinstance(value, str):
        spreadsheet.put(target, value)
    else:
        target.value = value


def _page(sheet: Worksheet, *, landscape: bool) -> None:
    sheet.page_setup.paperSize = 9
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    if sheet.sheet_properties.pageSetUpPr is not None:
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_options.horizontalCentered = True


def _sources(sheet: Worksheet, filled: Filled, places: dict[str, str]) -> None:
    """Write a line for each cell and list: who gave it, from what, of which version, as of when."""
    _put(sheet.cell(row=1, column=1), t("reports.sources_of", ZH, title=filled.form.title.zh, **_made(filled)))
    sheet.cell(row=1, column=1).font = Font(name="黑体", size=12, bold=True)
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(HEADS))
    sheet.row_dimensions[1].height = 26
    for column, (key, width) in enumerate(zip(HEADS, WIDTHS, strict=True), 1):
        cell: Any = sheet.cell(row=2, column=column)
        _put(cell, t(f"reports.head.{key}", ZH))
        cell.font, cell.border = Font(name="黑体", size=9, bold=True), GRID
        cell.fill = PatternFill("solid", fgColor="EEF2F5")
        cell.alignment = Alignment(horizontal="center", vertical="center")
        sheet.column_dimensions[get_column_letter(column)].width = width
    origins = {k: v.origin for k, v in filled.cells.items()} | dict(filled.list_origins)
    for row, (name, origin) in enumerate(origins.items(), 3):
        for column, value in enumerate(_line(origin, places.get(name, "")), 1):
            target: Any = sheet.cell(row=row, column=column)
            _put(target, value)
            target.font, target.border = Font(name="宋体", size=9), GRID
            target.alignment = Alignment(wrap_text=True, vertical="center")
    sheet.freeze_panes = "A3"
    sheet.print_title_rows = "1:2"
    _page(sheet, landscape=True)


def _made(filled: Filled) -> dict[str, str]:
    return {"period": filled.period.zh, "made_at": filled.words["made_at"]}


def _line(origin: Origin, place: str) -> tuple[Any, ...]:
    state = "stale" if origin.stale and origin.state == "ok" else origin.state
    stated = f"{origin.as_of:%Y-%m-%d}" if origin.as_of else ""
    told = t(f"reports.state.{state}", ZH)
    given = (origin.department, origin.resource, origin.column, origin.version)
    return (origin.title, place, *given, stated, origin.rows, told)
