"""What a class of the corpus is: its number, how it is declared, its files, and what must become of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["Q", "R", "N"]
"""Q = a row quarantined, the rest goes on; R = the file refused, nothing changed; N = taken, and said how."""
Make = Callable[[Path], object]
"""Write the delivery at the path it is given (its suffix is already right)."""

OUTSIDE: dict[str, Any] = {"port": 9, "canary": Path("/nowhere/canary-8f2c")}
"""Where hostile deliveries reach: a port that notes who connects, and a file whose content must turn up nowhere."""
CANARY = "canary-8f2c-content"
ITEMS: Mapping[str, str] = {
    "number": 'type = "string"\nsource = "编号"\nsensitivity = "public"\nrequired = true',
    "label": 'type = "string"\nsource = "名称"\nsensitivity = "public"',
    "amount": 'type = "number"\nsource = "数量"\nsensitivity = "public"\nabove = 0.0',
    "size_m2": 'type = "number"\nsource = "面积"\nsensitivity = "public"\nunit = "m²"\nabove = 0.0',
    "age": 'type = "integer"\nsource = "年龄"\nsensitivity = "internal"\nminimum = 0.0\nmaximum = 130.0',
    "born": 'type = "date"\nsource = "出生日期"\nsensitivity = "internal"',
    "died": 'type = "date"\nsource = "死亡日期"\nsensitivity = "internal"\nnot_before = "born"',
    "seen": 'type = "datetime"\nsource = "时间"\nsensitivity = "public"\nminimum = 1990.0\nmaximum = 2030.0',
    "id_card": 'type = "string"\nsource = "身份证号"\nsensitivity = "sensitive"\npattern = "@gb11643"\nmeaning = "id_card"',
    "phone": 'type = "string"\nsource = "电话"\nsensitivity = "personal"\npattern = "^1[3-9]\\\\d{9}$"\nmeaning = "phone"',
    "bank_card": 'type = "string"\nsource = "银行卡号"\nsensitivity = "sensitive"\npattern = "@bank_card"\nmeaning = "bank_card"',
    "plate": 'type = "string"\nsource = "车牌"\nsensitivity = "personal"\npattern = "@plate"\nmeaning = "plate"',
    "area_code": 'type = "string"\nsource = "行政区划代码"\nsensitivity = "public"\ncode_system = "area@2023"',
}
"""The information items the corpus declares, by name; their headings are what a department would write."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One delivery of a class.

    `rows` are the quarantined rows: where a clerk finds each → its reasons "rule" or "rule|column", comma-separated.
    `values` are published values: id → column → value. `says` stands in the English refusal (R) or in the English
    notes (N); `repairs` are the counted repairs. `held` is for what an approval may publish in spite of it.
    """

    name: str
    make: Make
    suffix: str
    outcome: Outcome
    published: int = 0
    duplicates: int = 0
    rows: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    says: str = ""
    held: bool = False
    source: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Class:
    """One class of the table that reaches etl; `served` where its files are answers of a service."""

    number: int
    title: str
    files: Sequence[File]
    fields: Sequence[str] = ("number", "label", "amount")
    reader: str = "table"
    kind: str = "none"
    crs: str = ""
    x: str = ""
    y: str = ""
    served: bool = False

    @property
    def outcomes(self) -> set[str]:
        return {f.outcome for f in self.files}


def write(content: str | bytes, encoding: str = "utf-8") -> Make:
    """Give what writes `content`."""
    data = content if isinstance(content, bytes) else content.encode(encoding)
    return lambda path: path.write_bytes(data)


def csv(*lines: str, head: str = "编号,名称,数量", encoding: str = "utf-8") -> Make:
    """Give what writes a CSV of `lines` below `head`."""
    return write("\n".join((head, *lines)) + "\n", encoding)
