"""A filled form as PDF: the workbook's sheets drawn on A4 as they stand, with page numbers; the only user of fpdf."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fpdf import FPDF
from openpyxl.utils import get_column_letter

from twin.errors import SettingError
from twin.reports.workbook import book
from twin.text import t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.worksheet.worksheet import Worksheet

    from twin.reports.filling import Filled

MARGIN, PT = 12.0, 0.3528
LEADING = 1.32
PAD = 1.0
USUAL_HEIGHT_PT = 18.0
USUAL_WIDTH = 8.43
ZH = "zh-CN"
FONTS = tuple(
    (f"/usr/share/fonts/{folder}/NotoSansCJK-Regular.ttc", f"/usr/share/fonts/{folder}/NotoSansCJK-Bold.ttc")
    for folder in ("opentype/noto", "google-noto-cjk", "noto-cjk", "truetype/noto")
)
"""Where systems keep a font with Chinese letters: the upright one and the bold one."""
SIMPLIFIED = 2
"""The place of the simplified Chinese face in a collection (.ttc) of Noto Sans CJK."""
CLOSING = "),。;:、!?》」』】)”’%"
"""What does not begin a line (GB/T 15834): it stays with the letter before, a little over the edge's padding."""
_LITERAL = re.compile(r'"([^"]*)"')


def pdf(filled: Filled, font: str = "") -> bytes:
    """Give a filled form as PDF, its sheet and then its sources; `font` is a file with Chinese letters, "" looks.

    Raises SettingError where this machine has none.
    """
    paper = _Paper(filled, faces(font))
    for index, sheet in enumerate(book(filled).worksheets):
        paper.draw(sheet, landscape=index > 0 or filled.form.landscape)
    return bytes(paper.output())


@cache
def faces(font: str = "") -> tuple[str, str]:
    """Give the files of the upright and the bold face; raises SettingError where there are none."""
    places = ((font, ""),) if font else FONTS
    for upright, bold in places:
        if Path(upright).is_file():
            return upright, bold if bold and Path(bold).is_file() else upright
    raise SettingError(
        "没有中文字体,不能生成 PDF:请安装 fonts-noto-cjk,或用 ONEMAP_REPORT_FONT 指定字体文件",
        "There is no Chinese font to write PDF with: install fonts-noto-cjk, or name a file in ONEMAP_REPORT_FONT",
        font=font,
    )


@dataclass(frozen=True, kw_only=True)
class _Box:
    """One cell, or a merged area, as it will be drawn: its place in columns and rows, its words and its style."""

    cell: Any
    left: int
    right: int
    top: int
    bottom: int


@dataclass(kw_only=True)
class _Plan:
    """A sheet laid out in millimetres: where columns begin, how high rows are, what stands where."""

    starts: list[float]
    heights: dict[int, float]
    boxes: dict[int, list[_Box]] = field(default_factory=dict)
    repeated: tuple[int, ...] = ()


class _Paper(FPDF):
    """The document; fpdf calls `footer` at the end of every page."""

    def __init__(self, filled: Filled, files: tuple[str, str]) -> None:
        super().__init__(unit="mm", format="A4")
        self._filled = filled
        self._landscape = False
        for style, file in zip(("", "B"), files, strict=True):
            collection: Any = (
                {"collection_font_number": SIMPLIFIED} if Path(file).name.startswith("NotoSansCJK") else {}
            )
            self.add_font("cjk", style, file, **collection)
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=False)
        self.set_title(filled.form.title.zh)
        self.set_author(filled.words["village"])
        self.set_creation_date(filled.made_at)
        self.alias_nb_pages()

    def footer(self) -> None:
        """Write where this comes from and which page it is."""
        self.set_y(-10)
        self.set_font("cjk", "", 8)
        self.set_text_color(95, 107, 122)
        words = self._filled.words
        said = t("reports.foot", ZH, village=words["village"], title=words["title"], made_at=words["made_at"])
        self.cell(0, 5, said, align="L")
        self.set_x(MARGIN)
        self.cell(0, 5, t("reports.page", ZH, page=self.page_no(), pages="{nb}"), align="R")

    def draw(self, sheet: Worksheet, *, landscape: bool) -> None:
        """Draw one sheet, on as many pages as it takes."""
        self._landscape = landscape
        self._page()
        plan = self._plan(sheet)
        y = MARGIN
        for block in _blocks(plan):
            height = sum(plan.heights[r] for r in block)
            if y + height > self.h - MARGIN - 6 and y > MARGIN:
                self._page()
                y = MARGIN
                for row in (r for r in plan.repeated if r < block[0]):
                    y = self._row(plan, row, y)
            for row in block:
                y = self._row(plan, row, y)

    def _page(self) -> None:
        self.add_page(orientation="L" if self._landscape else "P")

    def _plan(self, sheet: Worksheet) -> _Plan:
        columns = range(1, sheet.max_column + 1)
        widths = [sheet.column_dimensions[get_column_letter(c)].width or USUAL_WIDTH for c in columns]
        room = self.w - 2 * MARGIN
        starts = [MARGIN]
        for width in widths:
            starts.append(starts[-1] + width / sum(widths) * room)
        plan = _Plan(starts=starts, heights={}, repeated=_repeated(sheet))
        for box in _boxes(sheet):
            plan.boxes.setdefault(box.top, []).append(box)
        for row in range(1, sheet.max_row + 1):
            least = (sheet.row_dimensions[row].height or USUAL_HEIGHT_PT) * PT
            needed = [self._needed(plan, b) for b in plan.boxes.get(row, ()) if b.top == b.bottom]
            plan.heights[row] = max(least, *needed, 0.0) if needed else least
        return plan

    def _needed(self, plan: _Plan, box: _Box) -> float:
        lines = self._lines(box, plan.starts[box.right] - plan.starts[box.left - 1])
        return len(lines) * _size(box) * PT * LEADING + 2 * PAD if lines else 0.0

    def _lines(self, box: _Box, width: float) -> list[str]:
        text = shown(box.cell)
        if not text:
            return []
        self._font(box)
        return [line for part in text.split("\n") for line in self._wrapped(part, width - 2 * PAD)]

    def _wrapped(self, text: str, width: float) -> Iterator[str]:
        """Break a line where it is full: between Chinese letters, and between words of Latin ones."""
        line = ""
        for word in re.findall(r"[!-(*-~]+|.", text):
            pieces = [word] if self.get_string_width(word) <= width else list(word)
            for piece in pieces:
                if line and piece not in CLOSING and self.get_string_width(line + piece) > width:
                    yield line
                    line = ""
                line += piece
        yield line

    def _font(self, box: _Box) -> None:
        font = box.cell.font
        self.set_font("cjk", "B" if font.b else "", _size(box))
        rgb = _rgb(font.color)
        self.set_text_color(*(rgb or (20, 26, 33)))

    def _row(self, plan: _Plan, row: int, y: float) -> float:
        for box in plan.boxes.get(row, ()):
            x, width = plan.starts[box.left - 1], plan.starts[box.right] - plan.starts[box.left - 1]
            height = sum(plan.heights[r] for r in range(box.top, box.bottom + 1))
            self._frame(box, (x, y, width, height))
            lines = self._lines(box, width)
            step = _size(box) * PT * LEADING
            self._font(box)
            vertical = box.cell.alignment.vertical
            top = y + PAD if vertical == "top" else y + (height - len(lines) * step) / 2
            for index, line in enumerate(lines):
                self.set_xy(x + PAD, top + index * step)
                self.cell(width - 2 * PAD, step, line, align=_align(box.cell))
        return y + plan.heights[row]

    def _frame(self, box: _Box, place: tuple[float, float, float, float]) -> None:
        x, y, width, height = place
        if box.cell.fill.fill_type == "solid" and (rgb := _rgb(box.cell.fill.fgColor)):
            self.set_fill_color(*rgb)
            self.rect(x, y, width, height, style="F")
        border = box.cell.border
        if any(side and side.style for side in (border.left, border.right, border.top, border.bottom)):
            self.set_draw_color(120, 130, 140)
            self.set_line_width(0.15)
            self.rect(x, y, width, height)


def shown(cell: Any) -> str:
    """Write a cell's value as a spreadsheet would show it."""
    value, form = cell.value, cell.number_format or "General"
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)
    said = "".join(_LITERAL.findall(form))
    bare = _LITERAL.sub("", form)
    if bare == "General":
        return f"{value}{said}"
    decimals = len(bare.partition(".")[2].rstrip("%"))
    if bare.endswith("%"):
        return f"{value * 100:.{decimals}f}%{said}"
    return f"{value:,.{decimals}f}{said}" if "," in bare else f"{value:.{decimals}f}{said}"


def _boxes(sheet: Worksheet) -> Iterator[_Box]:
    merged = {(a.min_row, a.min_col): a for a in sheet.merged_cells.ranges}
    inside = {place for area in merged.values() for line in area.rows for place in line}
    for row in sheet.iter_rows():
        for cell in cast("tuple[Any, ...]", row):
            area = merged.get((cell.row, cell.column))
            if area is not None:
                yield _Box(cell=cell, left=area.min_col, right=area.max_col, top=area.min_row, bottom=area.max_row)
            elif (cell.row, cell.column) not in inside and (cell.value is not None or cell.has_style):
                yield _Box(cell=cell, left=cell.column, right=cell.column, top=cell.row, bottom=cell.row)


def _blocks(plan: _Plan) -> Iterator[list[int]]:
    """Give rows that stay on one page together: those an area spans."""
    block: list[int] = []
    until = 0
    for row in plan.heights:
        block.append(row)
        until = max([until, row, *(b.bottom for b in plan.boxes.get(row, ()))])
        if row >= until:
            yield block
            block = []
    if block:
        yield block


def _repeated(sheet: Worksheet) -> tuple[int, ...]:
    found = re.fullmatch(r"\$?(\d+):\$?(\d+)", sheet.print_title_rows or "")
    return tuple(range(int(found[1]), int(found[2]) + 1)) if found else ()


def _size(box: _Box) -> float:
    return float(box.cell.font.sz or 10)


def _align(cell: Any) -> str:
    number = isinstance(cell.value, (int, float)) and not isinstance(cell.value, bool)
    return {"center": "C", "right": "R", "left": "L"}.get(cell.alignment.horizontal or "", "R" if number else "L")


def _rgb(colour: Any) -> tuple[int, int, int] | None:
    value = getattr(colour, "rgb", None) if colour is not None else None
    if not isinstance(value, str) or len(value) != 8 or not re.fullmatch(r"[0-9A-Fa-f]{8}", value):
        return None
    return int(value[2:4], 16), int(value[4:6], 16), int(value[6:8], 16)
