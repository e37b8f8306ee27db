"""How a delimited text file (CSV) is encoded and cut into rows; decided strictly, or refused."""

from __future__ import annotations

import codecs
import csv
from typing import TYPE_CHECKING

from etl.decoding import first_bad_byte
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from etl.job import Job

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CANDIDATES = ("utf-8", "gb18030", "big5")
_DELIMITERS = ",\t;|，"
_ALIASES = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030"}
_CHUNK = 1 << 20
_LONGEST_CELL = 1 << 20


def rows(job: Job, report: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Give (1-based line where the row starts, its cells); raises SourceError where it cannot be decoded or cut."""
    encoding, how = _encoding(job)
    report.update(encoding=encoding.removesuffix("-sig"), how=how, declared=job.encoding)
    csv.field_size_limit(_LONGEST_CELL)
    with job.main.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=_delimiter(job.main, encoding), strict=True)
        line = 1
        try:
            for row in reader:
                yield line, row
                line = reader.line_num + 1
        except csv.Error as wrong:
            raise _uncut(job, line) from wrong


def _encoding(job: Job) -> tuple[str, str]:
    with job.main.open("rb") as file:
        head = file.read(4)
    if not head:
        raise SourceError(
            f"“{job.name}”是空文件。请报送单位重新导出。", f"“{job.name}” is empty. Export it again.", file=job.name
        )
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, "bom"
    wanted = [_ALIASES.get(job.encoding.lower(), job.encoding)] if job.encoding else _CANDIDATES
    worst = 0
    for name in wanted:
        bad = first_bad_byte(job.main, name)
        if bad is None:
            return name, "declared" if job.encoding else "strict"
        worst = max(worst, bad)
    shown = "、".join(wanted)
    raise SourceError(
        f"“{job.name}”用 {shown} 都不能完整解码(约第 {worst} 字节处出错)，可能混用了编码。请另存为 UTF-8 后重报。",
        f"“{job.name}” decodes in none of {shown} (near byte {worst}); encodings may be mixed. Save it as UTF-8.",
        file=job.name,
    )


def _delimiter(path: Path, encoding: str) -> str:
    """Take the candidate that cuts the first lines into the most cells, and equally many."""
    with path.open(encoding=encoding, newline="") as file:
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
