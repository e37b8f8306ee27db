"""Classes 21-30 of the table: workbooks as clerks, programs and attackers make them."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests import test_hostile as hostile
from tests.corpus.items import Class, File, Make
from tests.hostile import lies

HEAD = ("编号", "名称", "数量")
GOOD = (("A1", "好", 1), ("A2", "中", 2))


def book(*rows: tuple[Any, ...], head: tuple[str, ...] = HEAD, change: Callable[[Any], object] | None = None) -> Make:
    """Give what writes a workbook of `rows` below `head`, then changed by `change`."""

    def make(path: Path) -> None:
        made = openpyxl.Workbook()
        sheet = made.active
        assert sheet is not None
        sheet.title = "表"
        for row in (head, *rows):
            sheet.append(row)
        if change:
            change(made)
        made.save(path)

    return make


def _entry(name: str, content: bytes) -> Make:
    """Give what writes a good workbook with one entry of its container added or replaced."""

    def make(path: Path) -> None:
        buffer = io.BytesIO()
        book(*GOOD)(buffer)  # type: ignore[arg-type]
        with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for entry in old.namelist():
                if entry != name:
                    new.writestr(entry, old.read(entry))
            new.writestr(name, content)

    return make


def _from(maker: Callable[[Path], Path]) -> Make:
    """Give what writes a file of the hostile corpus under the name it is delivered by."""

    def make(path: Path) -> None:
        folder = path.parent / f"{path.stem}.made"
        folder.mkdir()
        maker(folder).rename(path)

    return make


def _hide_rows(made: Any) -> None:
    made.active.row_dimensions[3].hidden = True


def _hide_sheet(made: Any) -> None:
    made.create_sheet("底稿").sheet_state = "hidden"


def _merge_down(made: Any) -> None:
    made.active.merge_cells("B2:B3")


def _error(made: Any) -> None:
    made.active["C3"].data_type = "e"


def _encrypted(path: Path) -> None:
    """Write what a workbook with a password looks like from outside: its directory names the encrypted package."""
    name = "EncryptedPackage".encode("utf-16-le").ljust(64, b"\0")
    entry = name + struct.pack("<HBB", 34, 2, 1) + bytes(60)
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + entry.ljust(1024, b"\0") + bytes(8192))


def _wide(path: Path) -> None:
    """Write a heading of three columns and a cell in the last column there is."""
    book(("A1", "好", 1), change=lambda made: made.active.cell(2, 16_384, "远"))(path)


def _hostile(name: str) -> Make:
    return _from(hostile.TABLES[name])


def _laughing(start: bytes) -> Make:
    """Give a sheet whose declarations stand `start` bytes down: not only the head is looked at."""
    return _entry(hostile.SHEET, start + hostile.laughs("worksheet").encode() + hostile.HEAD + hostile.FOOT)


BOMBS = Class(
    number=21,
    title="zip bomb (ratio > 100, > 200 MB unpacked)",
    files=(
        File(name="small", suffix=".xlsx", outcome="N", make=book(*GOOD), published=2),
        File(name="boundary", suffix=".xlsx", outcome="R", make=_entry("xl/media/x.xml", b" " * (9 << 20)), says="unpacks to"),
        File(name="hostile", suffix=".xlsx", outcome="R", make=_hostile("zip-bomb"), says="unpacks to"),
    ),
)  # fmt: skip
VAST = Class(
    number=22,
    title="1 048 576 empty styled rows, 16 384 columns",
    files=(
        File(name="wide", suffix=".xlsx", outcome="N", make=_wide, published=1, says="16381 in all"),
        File(name="good", suffix=".xlsx", outcome="N", make=book(*GOOD), published=2),
        File(name="corner", suffix=".xlsx", outcome="R", make=_hostile("corner-cell"), says="c22/corner.xlsx"),
        File(name="styled", suffix=".xlsx", outcome="R", make=_hostile("empty-styled-rows"), says="heading"),
    ),
)  # fmt: skip
LAUGHS = Class(
    number=23,
    title="billion laughs / DTD in sheet xml",
    files=(
        File(name="in-sheet", suffix=".xlsx", outcome="R", make=_hostile("dtd-in-sheet"), says="declares entities"),
        File(name="in-workbook", suffix=".xlsx", outcome="R", make=_hostile("xxe-in-workbook"), says="declares entities"),
        File(name="far-down", suffix=".xlsx", outcome="R", make=_laughing(b"<?xml version='1.0'?>" + b"\n" * 70_000), says="declares entities"),
    ),
)  # fmt: skip
LINKS = Class(
    number=24,
    title="external links, DDE, macros (.xlsm), OLE",
    files=(
        File(name="external", suffix=".xlsx", outcome="N", make=_from(lambda d: _added(d, lies.external(Path("/etc/passwd"), 9))), published=2, says="other workbooks"),
        File(name="ole", suffix=".xlsx", outcome="N", make=_entry("xl/embeddings/oleObject1.bin", b"\xd0\xcf\x11\xe0" + bytes(99)), published=2),
        File(name="macros", suffix=".xlsx", outcome="R", make=_entry("xl/vbaProject.bin", b"x"), says="macros"),
    ),
)  # fmt: skip


def _added(folder: Path, entries: dict[str, bytes]) -> Path:
    path = folder / "a.xlsx"
    book(*GOOD)(path)
    with zipfile.ZipFile(path, "a") as container:
        for name, content in entries.items():
            if name.startswith("xl/externalLinks"):
                container.writestr(name, content)
    return path


FORMULAS = Class(
    number=25,
    title="formula cells (cached value absent)",
    files=(
        File(name="sum", suffix=".xlsx", outcome="Q", make=book(*GOOD, ("A3", "和", "=C2+C3")), published=2, rows={"表!4": "formula_empty|amount"}),
        File(name="in-text", suffix=".xlsx", outcome="Q", make=book(*GOOD, ("A3", '="甲"&"乙"', 3)), published=2, rows={"表!4": "formula_empty|label"}),
        File(name="error", suffix=".xlsx", outcome="Q", make=book(("A1", "好", 1), ("A2", "中", "#REF!"), change=_error), published=1, rows={"表!3": "cell_error|amount"}),
        File(name="hostile", suffix=".xlsx", outcome="Q", make=book(*GOOD, ("A3", '=WEBSERVICE("http://127.0.0.1:9/")', 3)), published=2, rows={"表!4": "formula_empty|label"}),
    ),
)  # fmt: skip
_CARD = "110105194912310021"
DIGITS = Class(
    number=26,
    title="numbers as text, 15-digit rounding of id cards/bank cards",
    fields=("number", "label", "id_card", "bank_card"),
    files=(
        File(name="as-number", suffix=".xlsx", outcome="Q", make=book(("A1", "好", "11010519491231002X", "6222021234567890128"), ("A2", "中", 110105194912310021, None), ("A3", "差", None, 6222021234567890128), head=("编号", "名称", "身份证号", "银行卡号")), published=1, rows={"表!3": "id_damaged|id_card", "表!4": "card_invalid|bank_card,id_damaged|bank_card"}),
        File(name="as-shown", suffix=".csv", outcome="Q", make=lambda p: p.write_text("编号,名称,身份证号,银行卡号\nA1,好,1.10105E+17,\nA2,中,,6.22202E+18\nA3,差,110105194912310000,\nA4,好,,\n"), published=1, rows={"2": "id_damaged|id_card", "3": "card_invalid|bank_card", "4": "id_damaged|id_card"}),
        File(name="key", suffix=".xlsx", outcome="Q", make=book(("A1", "好", None, None), (33052119920100123456, "中", None, None), head=("编号", "名称", "身份证号", "银行卡号")), published=1, rows={"表!3": "id_damaged|number"}),
    ),
)  # fmt: skip


def _as_1904(made: Any) -> None:
    made.epoch = CALENDAR_MAC_1904


DATES = Class(
    number=27,
    title='dates 1900/1904, "2024.2.30", 农历, "45321"',
    fields=("number", "label", "born"),
    files=(
        File(name="1900", suffix=".xlsx", outcome="N", make=book(("A1", "好", dt.date(2024, 2, 29)), ("A2", "中", "2024年2月3日"), head=("编号", "名称", "出生日期")), published=2, values={"A1": {"born": dt.date(2024, 2, 29)}, "A2": {"born": dt.date(2024, 2, 3)}}),
        File(name="1904", suffix=".xlsx", outcome="N", make=book(("A1", "好", dt.date(2024, 2, 29)), head=("编号", "名称", "出生日期"), change=_as_1904), published=1, values={"A1": {"born": dt.date(2024, 2, 29)}}),
        File(name="no-dates", suffix=".xlsx", outcome="Q", make=book(("A1", "好", "2024.2.30"), ("A2", "中", "甲辰年正月初五"), ("A3", "中", "农历八月十五"), ("A4", "中", "45321"), ("A5", "中", 45321), ("A6", "好", "2024.2.3"), head=("编号", "名称", "出生日期")), published=1, rows={f"表!{n}": "type_unreadable|born" for n in range(2, 7)}),
    ),
)  # fmt: skip
MERGED = Class(
    number=28,
    title="merged cells, hidden rows/sheets, subtotals, 合计 lines",
    files=(
        File(name="merged", suffix=".xlsx", outcome="N", make=book(("A1", "好", 1), ("A2", None, 2), change=_merge_down), published=2, values={"A2": {"label": "好"}}, repairs={"merged_filled": 1}),
        File(name="hidden-row", suffix=".xlsx", outcome="N", make=book(*GOOD, change=_hide_rows), published=2, says="1 (3) hidden rows"),
        File(name="hidden-sheet", suffix=".xlsx", outcome="N", make=book(*GOOD, change=_hide_sheet), published=2, says="底稿"),
        File(name="totals", suffix=".xlsx", outcome="Q", make=book(*GOOD, ("小计", None, 3), ("A4", "好", 4), ("合 计", None, 7), ("填表人：赵六", None, None)), published=3, rows={"表!4": "totals_row", "表!6": "totals_row", "表!7": "totals_row"}),
    ),
)  # fmt: skip
DISGUISED = Class(
    number=29,
    title="password-protected, .xls/.et/.wps, renamed html",
    files=(
        File(name="password", suffix=".xlsx", outcome="R", make=_encrypted, says="password"),
        File(name="html", suffix=".xls", outcome="R", make=lambda p: p.write_text("<html><table><tr><td>1</td></tr></table></html>"), says="a web page (HTML)"),
        File(name="wps", suffix=".wps", outcome="R", make=lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(4096)), says="an older office document"),
        File(name="word", suffix=".xlsx", outcome="R", make=_from(lambda d: hostile.zipped(d / "a.xlsx", {"word/document.xml": "<x/>"})), says="a Word document"),
        File(name="et-noise", suffix=".et", outcome="R", make=lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4096), says="not a valid workbook"),
    ),
)  # fmt: skip
SLIPS = Class(
    number=30,
    title="zip-slip/duplicate entry names/symlink in archive",
    files=tuple(
        File(name=name, suffix=".xlsx", outcome="R", make=_hostile(name), says=says)
        for name, says in {"slip-up": "../../etc/x", "slip-absolute": "/etc/x", "slip-link": "symbolic link", "twice": "twice"}.items()
    ),
)  # fmt: skip
CLASSES = (BOMBS, VAST, LAUGHS, LINKS, FORMULAS, DIGITS, DATES, MERGED, DISGUISED, SLIPS)
