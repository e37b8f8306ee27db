"""What a sent file is by its first bytes, and the sentence with which each other kind is refused; never by its name."""

from __future__ import annotations

from typing import Literal

from twin.errors import UploadRefused
from twin.spreadsheet import XLSX

Kind = Literal["photo", "workbook"]
MEDIA = {"photo": "image/jpeg", "workbook": XLSX}
SUFFIX = {"photo": "jpg", "workbook": "xlsx"}
ACCEPTED = "image/jpeg,image/png,image/webp,image/heic,image/heif,.heic,.xlsx"
"""What a browser's own window offers to choose; nobody relies on it."""
HEAD = 64
"""Bytes from which the kind is told."""
MOST_BYTES = {"photo": 16 << 20, "workbook": 8 << 20}
HEIC = (b"heic", b"heix", b"heim", b"heis", b"mif1")
"""What a phone's photo calls itself (ISO/IEC 23008-12 annex B)."""
HEIF = (b"hevc", b"hevx", b"msf1", b"avif", b"avis")
"""Its moving and its newer kin, which are not taken."""
OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"<svg", "picture"),
    (b"%PDF", "pdf"),
)
WORDS: dict[str, tuple[str, str]] = {
    "empty": ("文件是空的，请重新选择", "The file is empty; choose it again"),
    "size": (
        "文件过大：照片不超过 {photo} MB，工作簿不超过 {workbook} MB，请缩小后再传",
        "The file is too large: photos up to {photo} MB, workbooks up to {workbook} MB; make it smaller and send again",
    ),
    "unknown": (
        "只收照片（JPEG、PNG、WebP、HEIC）和 Excel 工作簿（.xlsx），请转换后再传",
        "Only photos (JPEG, PNG, WebP, HEIC) and Excel workbooks (.xlsx) are taken; convert it and send again",
    ),
    "heif": (
        "不收动态 HEIC 和 AVIF：请另存为 JPEG 再传",
        "Moving HEIC and AVIF are not taken; save as JPEG and send again",
    ),
    "picture": (
        "这种图片不收：请另存为 JPEG 或 PNG 再传",
        "This kind of picture is not taken; save it as JPEG or PNG and send again",
    ),
    "pdf": (
        "不收 PDF：请拍照或截图为 JPEG、PNG 再传",
        "PDF is not taken; send a photo or a picture of it as JPEG or PNG",
    ),
    "old": (
        "旧版 .xls 或加密的工作簿不收：请在 Excel/WPS 中取消密码，另存为 .xlsx 再传",
        "An old .xls or an encrypted workbook is not taken: remove the password, save it as .xlsx and send again",
    ),
    "photo_broken": (
        "照片打不开，可能没有传完整：请重新选择原图再传",
        "The photo cannot be opened, it may be cut short; choose the original and send again",
    ),
    "pixels": (
        "照片像素过多（JPEG 上限 {pixels} 万，其他 {whole} 万）：请用较低分辨率重拍或缩小后再传",
        "The photo has too many pixels (JPEG {pixels}, others {whole} × 10,000 at most); scale it down",
    ),
    "book_broken": (
        "工作簿打不开：请用 Excel/WPS 打开并另存为 .xlsx 再传",
        "The workbook cannot be opened; open it in Excel or WPS, save it as .xlsx and send again",
    ),
    "not_a_book": (
        "这个压缩文件不是 Excel 工作簿：请传 .xlsx",
        "This archive is no Excel workbook; send an .xlsx",
    ),
    "macro": (
        "工作簿带有宏：请另存为不含宏的 .xlsx 再传",
        "The workbook holds macros; save it as an .xlsx without macros and send again",
    ),
    "linked": (
        "工作簿引用了其他文件、数据连接或 DDE：请断开链接（选择性粘贴为数值）后再传",
        "The workbook draws on other files, data connections or DDE; break the links (paste as values) and send again",
    ),
    "embedded": (
        "工作簿里嵌入了其他文件或控件：请删除后再传",
        "The workbook holds embedded files or controls; remove them and send again",
    ),
    "unpacks": (
        "工作簿解开后过大：请只保留需要的表，删去多余的行列后再传",
        "The workbook unpacks to too much; keep the sheets needed, remove surplus rows and columns, send again",
    ),
    "cells": (
        "工作簿内容过多（上限 {cells} 个单元格、{sheets} 张表）：请分成几个再传",
        "The workbook holds too much ({cells} cells and {sheets} sheets at most); send it in parts",
    ),
    "slow": (
        "这个文件处理不了，可能已损坏：请重新另存后再传",
        "This file cannot be worked through, it may be damaged; save it anew and send again",
    ),
}
"""Why a file is not taken, and what to do about it, by code; a child may name a code and nothing else."""
FACTS = {
    "photo": MOST_BYTES["photo"] >> 20,
    "workbook": MOST_BYTES["workbook"] >> 20,
    "pixels": 6000,
    "whole": 2400,
    "cells": 200_000,
    "sheets": 50,
}
MOST_PIXELS, MOST_WHOLE = FACTS["pixels"] * 10_000, FACTS["whole"] * 10_000
"""Of a JPEG, which is decoded no larger than needed, and of what must be decoded whole."""


def of(head: bytes, size: int) -> Kind:
    """Tell the kind of a file by its first bytes; raises UploadRefused, which says what to send instead."""
    if not size:
        raise refusal("empty")
    found: Kind | None = None
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        found = "photo"
    elif head.startswith(b"PK\x03\x04"):
        found = "workbook"
    elif head[4:8] == b"ftyp" and head[8:12] in HEIC:
        found = "photo"
    elif head[4:8] == b"ftyp" and head[8:12] in HEIF:
        raise refusal("heif")
    if found is None:
        bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        raise refusal(next((code for magic, code in OTHERS if bare.startswith(magic)), "unknown"))
    if size > MOST_BYTES[found]:
        raise refusal("size")
    return found


def refusal(code: str) -> UploadRefused:
    """Give the refusal of a code; one that nobody knows is that of a file that could not be worked through."""
    zh, en = (text.format(**FACTS) for text in WORDS.get(code, WORDS["slow"]))
    return UploadRefused(zh, en, why=code if code in WORDS else "slow")
