"""Archives and workbooks that say one thing and hold another, and folders that lead elsewhere."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

from tests.test_hostile import FOOT, HEAD, SHEET, sheet, xlsx

NAMESPACE = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def link(folder: Path, name: str, target: Path) -> Path:
    (folder / name).symlink_to(target)
    return folder


def nested(path: Path, depth: int) -> Path:
    """Write archives within archives, ten of each in the next, around 10 MB of nothing."""
    inner, name = bytes(10 << 20), "x.bin"
    for _ in range(depth):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
            for i in range(10):
                container.writestr(f"{i}-{name}", inner)
        inner, name = out.getvalue(), "x.zip"
    path.write_bytes(inner)
    return path


def entry(name: str, stream: bytes, *, crc: int, size: int, method: int = 8) -> tuple[bytes, bytes]:
    """Give the local part, and the central part without its offset, of an archive's entry that says what it likes."""
    facts = struct.pack("<HHHHHIIIH", 20, 0, method, 0, 0x21, crc, len(stream), size, len(name))
    local = b"PK\3\4" + facts + b"\0\0" + name.encode() + stream
    return local, b"PK\1\2" + struct.pack("<H", 20) + facts + bytes(12)


def archived(path: Path, parts: list[tuple[bytes, bytes, str]]) -> Path:
    """Write an archive of entries made by `entry`."""
    body, central = b"", b""
    for local, facts, name in parts:
        central += facts + struct.pack("<I", len(body)) + name.encode()
        body += local
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(parts), len(parts), len(central), len(body), 0)
    path.write_bytes(body + central + end)
    return path


def understated(path: Path, megabytes: int = 600) -> Path:
    """Write a workbook whose sheet says it has 4 KB, and has 600 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = (HEAD + b'<row r="1"><c r="A1"><v>1</v></c></row>').ljust(4096)
    cell = b"<row><c><v>1</v></c></row>" * 40_330
    stream = packer.compress(first) + b"".join(packer.compress(cell) for _ in range(megabytes)) + packer.flush()
    parts = []
    for name, content in sheet().items():
        if name == SHEET:
            parts.append((*entry(name, stream, crc=zlib.crc32(first), size=len(first)), name))
        else:
            parts.append((*entry(name, content, crc=zlib.crc32(content), size=len(content), method=0), name))
    return archived(path, parts)


def overlapping(path: Path) -> Path:
    """Write an archive of 900 entries that are all the same megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = bytes(1 << 20)
    stream = packer.compress(content) + packer.flush()
    local, facts = entry("x", stream, crc=zlib.crc32(content), size=len(content))
    central = b"".join(
        facts[:28] + struct.pack("<H", 4) + facts[30:] + struct.pack("<I", 0) + b"%04d" % i for i in range(900)
    )
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 900, 900, len(central), len(local), 0)
    path.write_bytes(local + central + end)
    return path


def method(path: Path, number: int) -> Path:
    """Write a workbook whose sheet is packed in a way of its own."""
    parts = []
    for name, content in sheet().items():
        how = number if name == SHEET else 0
        parts.append((*entry(name, content, crc=zlib.crc32(content), size=len(content), method=how), name))
    return archived(path, parts)


def amplified(path: Path, cells: int = 300_000) -> Path:
    """Write a workbook of one text of 32 KB to which every one of its cells refers: 10 GB once they are texts."""
    words = bytes(33 + (i * 7919 + i * i % 89) % 57 for i in range(32_000)).replace(b"<", b"(").replace(b"&", b"+")
    strings = b"<sst " + NAMESPACE + b"><si><t>" + words + b"</t></si></sst>"
    row = b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>'
    body = b"".join(row % (i, i) for i in range(1, cells + 1))
    relations = sheet()["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rIdS" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    )
    changes = {SHEET: HEAD + body + FOOT, "xl/sharedStrings.xml": strings, "xl/_rels/workbook.xml.rels": relations}
    return xlsx(path, changes)


def styles(count: int) -> bytes:
    formats = b"".join(b'<numFmt numFmtId="%d" formatCode="yyyy%d"/>' % (200 + i, i * 7919) for i in range(count))
    return b"<styleSheet " + NAMESPACE + b"><numFmts>" + formats + b"</numFmts></styleSheet>"


def external(canary: Path, port: int) -> dict[str, bytes]:
    """Give the parts that make a workbook refer to another file and to an address."""
    relation = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath" Target="{}" TargetMode="External"/></Relationships>'
    link_ = b"<externalLink " + NAMESPACE + b"/>"
    return {
        "xl/externalLinks/externalLink1.xml": link_,
        "xl/externalLinks/_rels/externalLink1.xml.rels": relation.format(f"file://{canary}").encode(),
        "xl/externalLinks/externalLink2.xml": link_,
        "xl/externalLinks/_rels/externalLink2.xml.rels": relation.format(f"http://127.0.0.1:{port}/x.xlsx").encode(),
    }


def compound() -> bytes:
    """Give an old workbook whose table of sectors leads into itself."""
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0, 0xFFFFFFFF, 0, 0xFFFFFFFE)
    head += struct.pack("<I", 0) + b"\xff" * 432
    return head + struct.pack("<128I", *([0, 1] + [1] * 126)) + bytes(512)
