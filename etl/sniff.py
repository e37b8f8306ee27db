"""What a vector file really is, told by its bytes before anything opens it; the only list of what is never opened."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote

from etl import refusals
from etl.decoding import first_bad_byte
from twin import geodesy
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etl.job import Job

_BY_SUFFIX = {
    ".shp": "ESRI Shapefile",
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".kml": "KML",
    ".gml": "GML",
    ".tab": "MapInfo File",
    ".mif": "MapInfo File",
    ".dxf": "DXF",
    ".gdb": "OpenFileGDB",
}
_HEAD = 1 << 16
_CHUNK = 1 << 20
_MANY = 10_000
_DXF = re.compile(rb"(999\r?\n[^\n]*\r?\n\s*)*0\r?\n\s*SECTION")
_XML_BOMB = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_TAB_OPENS = re.compile(rb"open\s+table|create\s+view|^\s*file\s|isseamless", re.IGNORECASE | re.MULTILINE)
_DEFINITIONS = "SELECT definition FROM gpkg_spatial_ref_sys"
_NEEDED = ((".shx", "图形索引", "shape index"), (".dbf", "属性表", "attribute table"))


def vector(job: Job) -> str:
    """Give GDAL's driver name for a delivery whose bytes are what its name says; raises SourceError otherwise."""
    suffix = job.main.suffix.lower()
    driver = _BY_SUFFIX.get(suffix)
    if driver is None:
        raise _unknown(job)
    if driver == "OpenFileGDB":
        if not (job.main / "a00000001.gdbtable").is_file():
            raise refusals.mistaken(job.name, driver)
        return driver
    if not _looks(driver, suffix, job.main):
        raise refusals.mistaken(job.name, driver)
    if driver == "ESRI Shapefile":
        _complete(job)
    _shifted(job, driver)
    if driver == "DXF":
        _ended(job)
    if driver in ("KML", "GML"):
        _no_dtd(job)
    if driver in ("GeoJSON", "KML", "GML"):
        _utf8(job)
    return driver


def states_crs(job: Job) -> bool:
    """Tell whether a GeoJSON file carries the old `crs` member (RFC 7946 has none: then it says nothing of its own)."""
    if job.main.suffix.lower() not in (".geojson", ".json"):
        return False
    with job.main.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, job.main.stat().st_size - 4096))
        tail = file.read()
    return re.search(rb'"crs"\s*:\s*\{', head) is not None or re.search(rb'"crs"\s*:\s*\{', tail) is not None


def _looks(driver: str, suffix: str, path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return b"<ogrvrt" not in text.lower() and _LOOKS[suffix if driver == "MapInfo File" else driver](head, text)


def _is_tab(head: bytes, text: bytes) -> bool:
    """Tell a MapInfo .tab of its own data, which is short, from one that opens other tables, or a picture."""
    return text.lower().startswith(b"!table") and len(head) < _HEAD and _TAB_OPENS.search(text) is None


_LOOKS: Mapping[str, Callable[[bytes, bytes], bool]] = {
    "ESRI Shapefile": lambda head, _: head[:4] == b"\x00\x00\x27\x0a" and len(head) >= 100,
    "GPKG": lambda head, _: head[:16] == b"SQLite format 3\x00" and head[68:72] in (b"GPKG", b"GP10", b"GP11"),
    "GeoJSON": lambda _, text: text[:1] == b"{" and b'"type"' in text,
    "FlatGeobuf": lambda head, _: head[:3] == b"fgb",
    "KML": lambda _, text: text[:1] == b"<" and b"<kml" in text.lower(),
    "GML": lambda _, text: text[:1] == b"<" and b"opengis.net/gml" in text,
    "DXF": lambda _, text: _DXF.match(text) is not None,
    ".tab": _is_tab,
    ".mif": lambda _, text: text.lower().startswith(b"version"),
}


def _complete(job: Job) -> None:
    """Refuse a shapefile that came without its parts, naming the file that is missing."""
    missing = [(job.main.stem + s, zh, en) for s, zh, en in _NEEDED if not job.main.with_suffix(s).is_file()]
    if not job.crs and not job.main.with_suffix(".prj").is_file():
        missing.append((job.main.stem + ".prj", "坐标系", "coordinate system"))
    if missing:
        zh = "、".join(f"{name}({what})" for name, what, _ in missing)
        en = ", ".join(f"{name} ({what})" for name, _, what in missing)
        raise SourceError(
            f"“{job.name}”缺少 {zh}。请报送单位把同名的 .shp/.shx/.dbf/.prj 一起打包重报。",
            f"“{job.name}” came without {en}. Ask the sender for .shp, .shx, .dbf and .prj of the same name together.",
            file=missing[0][0],
        )


def _shifted(job: Job, driver: str) -> None:
    """Refuse a coordinate system that would have a file of shifts opened, before any library sees it."""
    texts: list[str] = []
    if driver == "ESRI Shapefile" and job.main.with_suffix(".prj").is_file():
        texts = [job.main.with_suffix(".prj").read_text("utf-8", "replace")]
    elif driver == "GPKG":
        with contextlib.suppress(sqlite3.Error), contextlib.closing(_opened(job)) as base:
            texts = [str(row[0]) for row in base.execute(_DEFINITIONS).fetchmany(_MANY)]
    if any(map(geodesy.names_a_file, texts)):
        raise refusals.refused(
            job.name,
            "坐标系定义引用了文件(格网改正)，请改用 2000 国家大地坐标系",
            "its coordinate system refers to a file of shifts; use CGCS2000",
        )


def _opened(job: Job) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(job.path)}?mode=ro&immutable=1", uri=True)


def _ended(job: Job) -> None:
    """Refuse a drawing that does not end as drawings do: it was cut off on its way."""
    with job.main.open("rb") as file:
        file.seek(max(0, job.main.stat().st_size - 256))
        if not file.read().rstrip().endswith(b"EOF"):
            raise SourceError(
                f"“{job.name}”没有结束标记(EOF)，图形文件不完整。请报送单位重新导出 DXF。",
                f"“{job.name}” has no end mark (EOF); the drawing is incomplete. Export the DXF again.",
                file=job.name,
            )


def _no_dtd(job: Job) -> None:
    """Refuse XML that declares entities: nothing a department sends needs them, and bombs are made of them."""
    tail = b""
    with job.main.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if _XML_BOMB.search((tail + chunk).replace(b"\0", b"")):
                raise SourceError(
                    f"“{job.name}”含有 DTD 或实体声明，出于安全不予打开。请报送单位用正规软件重新导出。",
                    f"“{job.name}” declares a DTD or entities and is not opened for safety. Export it again.",
                    file=job.name,
                )
            tail = chunk[-64:]


def _utf8(job: Job) -> None:
    """Refuse text that is not UTF-8, which these formats require, naming the byte."""
    bad = first_bad_byte(job.main, "utf-8")
    if bad is not None:
        raise SourceError(
            f"“{job.name}”不是 UTF-8 编码(约第 {bad} 字节)。该格式规定用 UTF-8，请报送单位另存为 UTF-8 后重报。",
            f"“{job.name}” is not UTF-8 (near byte {bad}), which its format requires. Save it as UTF-8.",
            file=job.name,
        )


def _unknown(job: Job) -> SourceError:
    kinds = " ".join(sorted(_BY_SUFFIX))
    return SourceError(
        f"“{job.name}”不是可接收的矢量格式。可接收：{kinds}(压缩包请先解压，DWG 请另存为 DXF)。",
        f"“{job.name}” is not a vector format we take. We take {kinds} (unpack archives; save DWG as DXF).",
        file=job.name,
    )
