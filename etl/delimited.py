"""How a delimited text file (CSV) is encoded and cut into rows; decided strictly, or refused."""

from __future__ import annotations

import codecs
import contextlib
import csv
from typing import TYPE_CHECKING

from etl import decoding
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from typing import Any

    from etl.job import Job

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CANDIDATES = ("utf-8", "gb18030", "big5")
_DELIMITERS = ",\t;|，"
_ALIASES = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030"}
_CHUNK = 1 << 20
_LONGEST_CELL = 1 << 20


def rows(job: Job, report: dict[str, Any], strange: set[int] | None = None) -> Iterator[tuple[int, list[str]]]:
    """Give (1-based line where the row starts, its cells); raises SourceError where it cannot be decoded or cut.

    The lines of rows in which bytes of another encoding stand go into `strange`.
    """
    strange = set() if strange is None else strange
    encoding, how = _encoding(job)
    delimiter = _delimiter(job.main, encoding)
    report.update(encoding=encoding.removesuffix("-sig"), how=how, declared=job.encoding)
    report.setdefault("notes", []).extend(_told(job, encoding, delimiter))
    csv.field_size_limit(_LONGEST_CELL)
    bad: set[int] = set()
    with contextlib.closing(_text(job.main, encoding, bad, mixed=how == "mixed")) as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        line = 1
        try:
            for row in reader:
                if bad:
                    strange.update({line} if any(n in bad for n in range(line, reader.line_num + 1)) else ())
                yield line, row
                line = reader.line_num + 1
        except csv.Error as wrong:
            raise _uncut(job, line) from wrong


def _text(path: Path, encoding: str, bad: set[int], *, mixed: bool) -> Generator[str]:
    if mixed:
        yield from decoding.lines(path, encoding, bad)
        return
    with path.open(encoding=encoding, newline="") as file:
        yield from file


def _told(job: Job, encoding: str, delimiter: str) -> list[dict[str, str]]:
    """Say how the file was read where that is not the plainest way."""
    said: list[dict[str, str]] = []
    name = encoding.removesuffix("-sig").upper()
    if name != "UTF-8":
        said.append({"zh": f"“{job.name}”按 {name} 解码", "en": f"“{job.name}” was decoded as {name}"})
    if delimiter != ",":
        shown = ("制表符", "a tab") if delimiter == "\t" else (f"“{delimiter}”", f"“{delimiter}”")
        said.append({"zh": f"“{job.name}”以{shown[0]}分列", "en": f"“{job.name}” is cut by {shown[1]}"})
    return said


def _encoding(job: Job) -> tuple[str, str]:
    with job.main.open("rb") as file:
        head = file.read(4)
        first = head + file.readline(_CHUNK)
    if not head:
        raise SourceError(
            f"“{job.name}”是空文件。请报送单位重新导出。", f"“{job.name}” is empty. Export it again.", file=job.name
        )
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), "")
    if not marked and b"\0" in first:
        raise _binary(job)
    declared = _ALIASES.get(job.encoding.lower(), job.encoding)
    if marked.removesuffix("-sig") == declared.lower():
        declared = marked  # the mark itself is no part of the first heading
    wanted = (declared,) if declared else (marked,) if marked else _CANDIDATES
    worst = 0
    for name in wanted:
        bad = decoding.first_bad_byte(job.main, name)
        if bad is None:
            return _sure(job, name)
        worst = max(worst, bad)
    mostly = "" if marked == "utf-16" else decoding.mostly(job.main, tuple(wanted))
    if mostly:
        return mostly, "mixed"
    raise _undecidable(job, "、".join(wanted), worst)


def _sure(job: Job, name: str) -> tuple[str, str]:
    """Give the encoding in which every byte decodes, and how it was decided; raises SourceError where unsure."""
    if name.startswith("utf"):
        return name, "declared" if job.encoding else "strict" if name == "utf-8" else "bom"
    if not job.encoding and decoding.first_bad_byte(job.main, "big5") is None:
        big5 = decoding.is_big5(job.main)
        if big5 is None:
            raise _undecidable(job, "GB18030、Big5", 0)
        name = "big5" if big5 else name
    return name, "mixed" if decoding.has_foreign(job.main) else "declared" if job.encoding else "strict"


def _undecidable(job: Job, shown: str, worst: int) -> SourceError:
    if not worst:
        return SourceError(
            f"“{job.name}”按 {shown} 都能解码，无法断定是哪一种。请在目录的 encoding 中写明，或另存为 UTF-8 后重报。",
            f"“{job.name}” decodes in each of {shown}, and which is meant cannot be told. Declare its encoding, or "
            "save it as UTF-8.",
            file=job.name,
        )
    return SourceError(
        f"“{job.name}”用 {shown} 都不能完整解码(约第 {worst} 字节处出错)，可能混用了编码。请另存为 UTF-8 后重报。",
        f"“{job.name}” decodes in none of {shown} (near byte {worst}); encodings may be mixed. Save it as UTF-8.",
        file=job.name,
    )


def _binary(job: Job) -> SourceError:
    return SourceError(
        f"“{job.name}”的首行含有空字节，不是文本，或是没有标记的 UTF-16。请另存为 UTF-8 后重报。",
        f"The first line of “{job.name}” holds NUL bytes: it is no text, or UTF-16 without its mark. Save it as UTF-8.",
        file=job.name,
    )


def _delimiter(path: Path, encoding: str) -> str:
    """Take the candidate that cuts the first lines into the most cells, and equally many."""
    with path.open(encoding=encoding, newline="", errors="replace") as file:
        head = file.read(_CHUNK).splitlines()[:20]
    counts = {d: [line.count(d) for line in head if line.strip()] for d in _DELIMITERS}
    return max(_DELIMITERS, key=lambda d: (max(counts[d], default=0) > 0, min(counts[d], default=0), sum(counts[d])))


def _uncut(job: Job, line: int) -> SourceError:
    return SourceError(
        f"“{job.name}”第 {line} 行起引号不配对或单元格过长，无法分列。请报送单位检查该行后重新导出。",
        f"From line {line} of “{job.name}” on, quotes do not pair or a "
        "cell is too long. Check that line and export again.",
        file=job.name,
        row=line,
    )
