"""What a file delivered as a table really is, told by its first bytes, so that the refusal can say it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from twin.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from etl.job import Job

OLE, ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_HEAD = 1 << 20
_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_STARTS = (
    (b"%pdf", "PDF", "a PDF"),
    (b"\x89png", "图片", "a picture"),
    (b"\xff\xd8\xff", "图片", "a picture"),
    (b"rar!", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf", "7z 压缩包", "a 7z archive"),
    (b"\x1f\x8b", "gzip 压缩包", "a gzip archive"),
    (b"par1", "Parquet 文件", "a Parquet file"),
    (b"<!doctype html", "网页(HTML)", "a web page (HTML)"),
    (b"<html", "网页(HTML)", "a web page (HTML)"),
    (b"<table", "网页(HTML)", "a web page (HTML)"),
    (b"<?xml", "XML 文件", "an XML file"),
    (b"mime-version", "网页归档(MHT)", "a web archive (MHT)"),
)
_INSIDE = (
    ("word/", "Word 文档", "a Word document"),
    ("ppt/", "演示文稿", "a presentation"),
    ("content.xml", "ODF 文档", "an OpenDocument file"),
)


def encrypted(job: Job) -> bool:
    """Tell whether a workbook is an encrypted package: then it stands in a container of the older kind."""
    with job.main.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, job.main.stat().st_size - _HEAD))
        return head.startswith(OLE) and (_PACKAGE in head or _PACKAGE in file.read())


def is_workbook(path: Path) -> bool:
    """Tell whether a container holds a workbook; one that cannot be opened may."""
    try:
        with zipfile.ZipFile(path) as container:
            return any(n.lower().startswith("xl/") for n in container.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return True


def protected(job: Job) -> SourceError:
    """Give the refusal of a workbook with a password."""
    return SourceError(
        f"“{job.name}”有打开密码，无法读取。请报送单位去掉密码后重报。",
        f"“{job.name}” is protected by a password. Ask the sender to remove it and deliver again.",
        file=job.name,
    )


def no_table(job: Job) -> SourceError:
    """Give the refusal of a file that is no table of a kind we take, naming what it is as far as its bytes tell."""
    zh, en = _told(job.main)
    return SourceError(
        f"“{job.name}”的内容不是可接收的表格(.xlsx/.xls/.csv)，{zh}。请用表格软件另存为 .xlsx 后重报。",
        f"“{job.name}” is not a table we take (.xlsx, .xls, .csv); {en}. Save it as .xlsx.",
        file=job.name,
    )


def _told(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        head = file.read(512)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for mark, zh, en in _STARTS:
        if start.startswith(mark):
            return f"实为{zh}", f"it is {en}"
    if head.startswith(ZIP):
        return _packed(path)
    if head.startswith(OLE):
        return "实为旧式办公文档", "it is an older office document"
    return "可能是改名的网页或其他文件", "a renamed web page perhaps"


def _packed(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as container:
            names = container.namelist()[:5000]
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return "压缩结构损坏", "its container is damaged"
    found = next(((zh, en) for start, zh, en in _INSIDE if any(n.startswith(start) for n in names)), None)
    if found:
        return f"实为{found[0]}", f"it is {found[1]}"
    if any(n.startswith("xl/") for n in names):
        return "实为 .xlsx 工作簿", "it is an .xlsx workbook"
    return "实为压缩包", "it is an archive"
