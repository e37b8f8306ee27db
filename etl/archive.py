"""Which zip containers (.xlsx) are safe to unpack: names, sizes, ratios, entities; told before anything is read."""

from __future__ import annotations

import re
import stat
import zipfile
from typing import TYPE_CHECKING

from twin.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

MAX_ENTRIES = 5000
MAX_UNPACKED = 400 << 20
MAX_RATIO = 100
_RATIO_FROM = 8 << 20
_HEAD = 1 << 16
_ROOT = re.compile(rb"<[A-Za-z]")
"""Where the first element begins nothing can be declared any more."""
_DTD = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def check(path: Path, name: str) -> None:
    """Prove a workbook's container harmless; raises SourceError naming what is wrong with it."""
    try:
        with zipfile.ZipFile(path) as container:
            entries = container.infolist()
            _names(entries, name)
            _sizes(entries, name)
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _no_dtd(container, entry, name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zipfile.LargeZipFile, RuntimeError, OSError) as wrong:
        raise _refused(name, "压缩结构损坏或加密", "its container is damaged or encrypted") from wrong


def _names(entries: list[zipfile.ZipInfo], name: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        lowered = entry.filename.lower()
        if entry.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise _refused(name, f"内含越界路径 {entry.filename[:80]}", f"it holds the path {entry.filename[:80]}")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise _refused(name, "内含符号链接", "it holds a symbolic link")
        if lowered in seen:
            raise _refused(name, f"内含重名条目 {entry.filename[:80]}", f"it holds {entry.filename[:80]} twice")
        if "vbaproject" in lowered:
            raise _refused(name, "含有宏，请另存为不含宏的 .xlsx", "it holds macros; save it as a plain .xlsx")
        seen.add(lowered)


def _sizes(entries: list[zipfile.ZipInfo], name: str) -> None:
    packed, unpacked = sum(e.compress_size for e in entries), sum(e.file_size for e in entries)
    bomb = unpacked > MAX_UNPACKED or (unpacked > _RATIO_FROM and unpacked > MAX_RATIO * max(packed, 1))
    if bomb or len(entries) > MAX_ENTRIES:
        raise _refused(
            name,
            f"解压后 {unpacked >> 20} MB(压缩前后比 {unpacked // max(packed, 1)}:1)，"
            "疑似压缩炸弹或大量空白格式，请删除多余空行空列后另存",
            f"it unpacks to {unpacked >> 20} MB ({unpacked // max(packed, 1)}:1): a bomb, or masses of empty formatted "
            "cells; delete the empty rows and columns and save again",
        )


def _no_dtd(container: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> None:
    tail = b""
    with container.open(entry) as part:
        while chunk := part.read(_HEAD):
            plain = tail + chunk.replace(b"\0", b"")
            if _DTD.search(plain):
                raise _refused(name, f"{entry.filename[:80]} 含有实体声明", f"{entry.filename[:80]} declares entities")
            if _ROOT.search(plain):
                return
            tail = plain[-64:]


def _refused(name: str, zh: str, en: str) -> SourceError:
    return SourceError(
        f"“{name}”未打开：{zh}。请报送单位用表格软件重新另存后再报。",
        f"“{name}” was not opened: {en}. Ask the sender to save it again from a spreadsheet program.",
        file=name,
    )
