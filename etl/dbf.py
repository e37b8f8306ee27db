"""How the text of a shapefile is encoded: decided by strict decoding of its bytes, never by what it declares."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.job import Job

CANDIDATES = ("utf-8", "gb18030", "big5")
_ALIASES = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "936": "gb18030", "65001": "utf-8"}
_PRIVATE_SHARE = 0.1
_CHUNK_ROWS = 65536
_LDID = {0x4D: "cp936", 0x7A: "cp936", 0x4F: "cp950", 0x78: "cp950", 0x57: "ANSI", 0x03: "cp1252", 0x01: "cp437"}


@dataclass(frozen=True, kw_only=True)
class Recode:
    """Turn columns that were opened as ISO-8859-1 (every byte survives) into the text they really are."""

    encoding: str

    def __call__(self, column: pa.Array) -> pa.Array:
        """Give the column decoded, each distinct text once; what a field's width cut in half is left out."""
        encoded = column.cast(pa.string()).dictionary_encode()
        words = [self.name(w) for w in encoded.dictionary.to_pylist()]
        return pa.array(words, pa.string()).take(encoded.indices)

    def name(self, text: str) -> str:
        """Give one text, or field name, decoded."""
        if text.isascii():
            return text
        return text.encode("latin-1").decode(self.encoding, "ignore")


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What was decided, `how` ("strict", "ascii", "declared"), and what the file claimed (it often lies)."""

    encoding: str
    how: str
    declared: str

    @property
    def lied(self) -> bool:
        """Say whether the file claims another encoding than it is in."""
        try:
            return bool(self.declared) and self.how != "ascii" and _plain(self.declared) != _plain(self.encoding)
        except LookupError:
            return True

    @property
    def recode(self) -> Recode:
        """Give what repairs the columns."""
        return Recode(encoding=self.encoding)


@dataclass(frozen=True, kw_only=True)
class _Header:
    rows: int
    size: int
    record: int
    ldid: int
    names: tuple[bytes, ...]
    text: tuple[tuple[int, int], ...]


def decide(job: Job) -> Encoding:
    """Decide the encoding of a shapefile's .dbf; raises SourceError where no candidate decodes every byte."""
    path = job.main.with_suffix(".dbf")
    header = _header(path.read_bytes()[: 64 << 10], job)
    cpg = job.main.with_suffix(".cpg")
    declared = cpg.read_text("ascii", "replace").strip()[:40] if cpg.exists() else _LDID.get(header.ldid, "")
    wanted: list[str] = [_plain(job.encoding)] if job.encoding else list(CANDIDATES)
    values = np.memmap(path, dtype=np.uint8, mode="r")
    ascii_only, survivors, private, characters = True, wanted, 0, 0
    for words in _words(values, header):
        ascii_only = False
        if "gb18030" in survivors and "big5" in survivors:
            strange, all_ = _private(words)
            private, characters = private + strange, characters + all_
        survivors = [e for e in survivors if _decodes(words, e)]
        if not survivors:
            raise _undecidable(job, wanted)
    if ascii_only:
        return Encoding(encoding=wanted[0], how="ascii", declared=declared)
    if survivors[:2] == ["gb18030", "big5"] and private > _PRIVATE_SHARE * characters:
        survivors = ["big5"]  # traditional text read as GB18030 falls into its private-use rows
    return Encoding(encoding=survivors[0], how="declared" if job.encoding else "strict", declared=declared)


def _plain(name: str) -> str:
    lowered = name.lower().replace("_", "-")
    return _ALIASES.get(lowered, codecs.lookup(lowered).name)


def _header(head: bytes, job: Job) -> _Header:
    if len(head) < 33:
        raise _broken(job)
    rows = int.from_bytes(head[4:8], "little")
    size, record = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
    names, text, at, column = [], [], 32, 1
    while at + 32 <= min(len(head), size) and head[at] != 0x0D:
        width, kind = head[at + 16], chr(head[at + 11])
        names.append(head[at : at + 11].split(b"\0")[0])
        if kind == "C":
            text.append((column, width))
        column += width
        at += 32
    if column > record or size <= 32:
        raise _broken(job)
    return _Header(rows=rows, size=size, record=record, ldid=head[29], names=tuple(names), text=tuple(text))


def _words(values: np.ndarray, header: _Header) -> Iterator[list[bytes]]:
    """Give the distinct non-ASCII texts: first the field names, then column by column, chunk by chunk."""
    names = [n for n in header.names if not n.isascii()]
    if names:
        yield names
    rows = min(header.rows, max(0, len(values) - header.size) // header.record)
    for start in range(0, rows, _CHUNK_ROWS):
        stop = min(rows, start + _CHUNK_ROWS)
        block = values[header.size + start * header.record : header.size + stop * header.record]
        table = block.reshape(stop - start, header.record)
        for at, width in header.text:
            cells = table[:, at : at + width]
            high = (cells > 127).any(axis=1)
            if high.any():
                cut = np.ascontiguousarray(cells[high]).view(f"S{width}").ravel()
                yield [bytes(c) for c in set(cut.tolist())]


def _decodes(words: list[bytes], encoding: str) -> bool:
    """Tell whether every text decodes strictly; a last character cut by the field's width is no fault."""
    decoder = codecs.getincrementaldecoder(encoding)
    for word in words:
        try:
            decoder("strict").decode(word, final=False)
        except UnicodeDecodeError:
            return False
    return True


def _private(words: list[bytes]) -> tuple[int, int]:
    """Count the private-use characters, and all beyond ASCII, that words have when read as GB18030."""
    text = [c for w in words for c in w.decode("gb18030", "ignore") if c > "\x7f"]
    return sum("\ue000" <= c <= "\uf8ff" for c in text), len(text)


def _broken(job: Job) -> SourceError:
    return SourceError(
        f"“{job.name}”的属性表(.dbf)文件头损坏。请报送单位重新导出后再报。",
        f"The attribute table (.dbf) of “{job.name}” has a broken header. Ask the sender to export it again.",
        file=f"{job.main.stem}.dbf",
    )


def _undecidable(job: Job, tried: list[str]) -> SourceError:
    shown = "、".join(tried)
    return SourceError(
        f"“{job.name}”的属性文字用 {shown} 都不能完整解码，可能混用了多种编码。"
        "请报送单位统一用 UTF-8 或 GB18030 重新导出。",
        f"The text of “{job.name}” decodes in none of {shown}; several encodings may be mixed. Export it again in one.",
        file=job.name,
    )
