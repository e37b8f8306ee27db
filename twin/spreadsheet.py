"""How a text stays a text in somebody's spreadsheet; the only one to know what such a program takes for a formula."""

from __future__ import annotations

import re
from typing import Any

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""The media type of a workbook (ECMA-376)."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""
LONGEST = 32_767
"""What Excel itself takes in a cell."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML has no way to write."""


def plain(text: str) -> str:
    """Give a text as a workbook's cell can hold it."""
    return CONTROL.sub("", text)[:LONGEST]


def inert(text: str) -> str:
    """Give a cell that no spreadsheet takes for a formula (OWASP ASVS 1.2.10): such a text begins with a quote."""
    return f"'{text}" if text.startswith(FORMULA) else text


def put(cell: Any, text: str) -> None:
    """Set a text that stays one in a workbook's cell: where it looks like a formula, it is marked as none."""
    cell.value = kept = plain(text)
    if kept:
        cell.data_type = "s"
    if kept.startswith(FORMULA):
        cell.quotePrefix = True
