"""What a zip holds, entry by entry, once its container is proved harmless; names are told, the sender's never used."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl import archive
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.job import Job

CHUNK = 1 << 20
_UTF8 = 0x800
_FORM = pa.schema([("name", pa.string()), ("bytes", pa.binary())])


def read(job: Job, _report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Give every file of the zip in pieces of at most 1 MiB, in order; raises SourceError for one that is not sound."""
    archive.check(job.main, job.name)
    yield pa.RecordBatch.from_pylist([], schema=_FORM)
    try:
        with zipfile.ZipFile(job.main) as container:
            for entry in container.infolist():
                if entry.is_dir():
                    continue
                name = _named(entry)
                with container.open(entry) as file:
                    while piece := file.read(CHUNK):
                        yield pa.RecordBatch.from_pylist([{"name": name, "bytes": piece}], schema=_FORM)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError) as wrong:
        zh, en = f"“{job.name}”损坏或加密,请重新压缩", f"“{job.name}” is damaged or encrypted; zip it again"
        raise SourceError(zh, en, file=job.name) from wrong


def _named(entry: zipfile.ZipInfo) -> str:
    """Give an entry's name as its sender wrote it: zips made in China are GB 18030 unless they say UTF-8."""
    if entry.flag_bits & _UTF8 or entry.filename.isascii():
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry.filename
