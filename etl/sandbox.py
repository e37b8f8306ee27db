"""How a delivered file is read: by a throw-away process under limits, which can hurt nobody but itself.

Limits always; bubblewrap (no network, only the delivery's own files, read-only) where it works. The child streams Arrow
batches through a pipe, so that reading overlaps with the work of the caller.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from etl import cage, inside, sentences
from etl.fetch import FileSet, fetch, reads
from etl.job import Job
from twin import caged, geodesy
from twin.errors import ContractError, CrsError, SourceError, TwinError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twin.model import Resource, Source

_LOG = logging.getLogger(__name__)
ENTRY = "etl.inside"
"""The module whose main the child runs."""
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031
_PATIENCE_SECONDS = 2.0
_LAST_WORDS = 4000
_CODES: Mapping[str, type[TwinError]] = {"source": SourceError, "crs": CrsError, "contract": ContractError}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one reading may cost: CPU seconds, address space, bytes held and written, and seconds of silence.

    `held_bytes` is what the child may fill with its own values (RLIMIT_DATA); libraries mapped from files do not count.
    """

    cpu_seconds: int = 28
    memory_bytes: int = 2 << 30
    held_bytes: int = 400 << 20
    written_bytes: int = 64 << 20
    open_files: int = 256
    silence_seconds: float = 60.0

    def resource_limits(self) -> dict[str, int]:
        """Give them under the names of setrlimit(2); NPROC leaves room for a few threads more than now run."""
        return {
            "AS": self.memory_bytes,
            "DATA": self.held_bytes,
            "CPU": self.cpu_seconds + 1,
            "FSIZE": self.written_bytes,
            "NOFILE": self.open_files,
            "NPROC": caged.processes(),
        }


def limits_for(size: int) -> Limits:
    """Give the limits for a delivery of `size` bytes: 28 s and 400 MiB held, growing slowly with what was delivered."""
    return Limits(
        cpu_seconds=28 + size // 8_000_000,
        memory_bytes=(2 << 30) + min(size, 2 << 30),
        held_bytes=(400 << 20) + min(16 * size, 2 << 30),
    )


@dataclass(kw_only=True)
class Reading:
    """A delivery being read; iterate `batches()` once, then `report` is complete.

    Batches have the source's own columns, then `_row` (string: feature number or `sheet!row`, 1-based), `_geometry`
    (WKB in the system `crs`, null where there is none) and `_note` (null, or comma-separated words: `totals_row`,
    `unclosed_ring`, `not_finite`, `dms`, `number_cell:<column>`). `crs` is "EPSG:n", "gcj02", "bd09", or "" for none.
    """

    files: FileSet
    schema: pa.Schema
    crs: str
    report: dict[str, Any] = field(default_factory=dict)
    _batches: Iterator[pa.RecordBatch] = field(repr=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the batches as they arrive; raises SourceError where the child refuses, dies or falls silent."""
        return self._batches


def read(
    resource: Resource,
    source: Source,
    raw: Path,
    *,
    accepted: Mapping[str, float] | None = None,
    limits: Limits | None = None,
) -> contextlib.AbstractContextManager[Reading]:
    """Read one delivered file of a resource: a context manager that gives a `Reading`.

    `raw` is the raw folder, `accepted` the village's accepted_crs. Raises SourceError where it cannot be read, CrsError
    where its coordinate system is absent, contradicts the declaration, or is not allowed.
    """
    found = fetch(source, raw, pause=lambda _: None)  # who runs it has looked twice
    return read_files(resource, source, found, reader=reads(source, raw), accepted=accepted, limits=limits)


@contextlib.contextmanager
def read_files(
    resource: Resource,
    source: Source,
    files: FileSet,
    *,
    reader: str = "",
    accepted: Mapping[str, float] | None = None,
    limits: Limits | None = None,
) -> Iterator[Reading]:
    """Read files that were fetched before, by `reader` (the resource's own where none is named); otherwise as `read`.

    Raises SourceError also where they are no longer what was fetched.
    """
    files.unchanged()
    with tempfile.TemporaryDirectory(prefix="onemap-job-") as folder, tempfile.TemporaryFile() as errors:
        desk = cage.lay_out(files, Path(folder))
        limits = limits or limits_for(files.bytes)
        job = _job(resource, source, files, desk, reader or resource.reader)
        child = _start(job, desk, limits, errors)
        talk = _Talk(child=child, job=job, errors=errors, limits=limits)
        try:
            reader = talk.open()
            reading = Reading(files=files, schema=talk.schema, crs="", _batches=iter(()))
            reading._batches = talk.batches(reader, reading)  # noqa: SLF001 - completes the value it has just made
            reading.crs = _crs(talk.crs_in_file, source, resource, accepted or {})
            yield reading
        finally:
            talk.end()


def _job(resource: Resource, source: Source, files: FileSet, desk: cage.Desk, reader: str) -> Job:
    return Job(
        reader=reader,
        path=desk.main,
        name=source.location,
        files=tuple(f.name for f in files.files),
        kind=resource.kind,
        part=source.part,
        crs=source.crs,
        encoding=source.encoding,
        x=source.x,
        y=source.y,
        options=dict(source.options),
        headings=tuple(f.source for f in resource.fields),
    )


def _start(job: Job, desk: cage.Desk, limits: Limits, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [*desk.command, sys.executable, "-P", "-m", ENTRY, json.dumps(limits.resource_limits())]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0,
        env=cage.environment(job.reader), start_new_session=True, cwd="/",
    )  # fmt: skip
    assert child.stdin is not None  # noqa: S101 - PIPE was asked for
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(job.to_json().encode() + b"\n")
        child.stdin.close()
    return child


class _Pipe(io.RawIOBase):
    """The reading end of the child's output, which gives up after a silence."""

    def __init__(self, file: IO[bytes], silence_seconds: float) -> None:
        super().__init__()
        self._fd = file.fileno()
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._silence_ms = silence_seconds * 1000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._poll.poll(self._silence_ms):
            raise TimeoutError
        return os.readv(self._fd, [buffer])


@dataclass(kw_only=True)
class _Talk:
    """One conversation with one child, from its first byte to its exit code."""

    child: subprocess.Popen[bytes]
    job: Job
    errors: IO[bytes]
    limits: Limits
    schema: pa.Schema = field(default_factory=lambda: pa.schema([]))
    crs_in_file: str = ""
    _first: tuple[pa.RecordBatch, Mapping[bytes, bytes]] | None = None

    def open(self) -> pa.ipc.RecordBatchStreamReader:
        """Read the schema and the first batch; a refusal made before any row is raised here."""
        assert self.child.stdout is not None  # noqa: S101 - PIPE was asked for
        with contextlib.suppress(OSError):
            import fcntl  # noqa: PLC0415 - only here

            fcntl.fcntl(self.child.stdout, _SET_PIPE_SIZE, _PIPE_BYTES)
        pipe = io.BufferedReader(_Pipe(self.child.stdout, self.limits.silence_seconds), _PIPE_BYTES)
        with self._sentences():
            reader = pa.ipc.open_stream(pipe)
            self.schema = reader.schema.remove_metadata()
            self.crs_in_file = (reader.schema.metadata or {}).get(inside.CRS, b"").decode()
            self._first = self._next(reader)
        return reader

    def batches(self, reader: pa.ipc.RecordBatchStreamReader, reading: Reading) -> Iterator[pa.RecordBatch]:
        """Give every batch, then fill `reading.report`."""
        while True:
            with self._sentences():
                batch, word = self._first or self._next(reader)
                self._first = None
            if inside.REPORT in word:
                reading.report.update(json.loads(word[inside.REPORT]))
                reading.files.unchanged()
                return
            yield batch

    def end(self, patience_seconds: float = 0.0) -> None:
        """Make sure that the child is gone, letting it end by itself first."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(patience_seconds)
        if self.child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        if self.child.stdout is not None:
            self.child.stdout.close()

    def _next(self, reader: pa.ipc.RecordBatchStreamReader) -> tuple[pa.RecordBatch, Mapping[bytes, bytes]]:
        batch, word = reader.read_next_batch_with_custom_metadata()
        word = dict(word or {})
        if inside.REFUSAL in word:
            raise self._refusal(json.loads(word[inside.REFUSAL]))
        batch.validate(full=True)  # the child read a foreign file: nothing it says is taken on trust
        return batch, word

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as wrong:
            raise sentences.silent(self.job.name) from wrong
        except (pa.ArrowInvalid, pa.ArrowException, EOFError, StopIteration, OSError) as wrong:
            raise self._died() from wrong

    def _refusal(self, word: dict[str, Any]) -> TwinError:
        if word["code"] == "memory":
            return sentences.too_big(self.job.name)
        return _CODES.get(word["code"], SourceError)(word["zh"], word["en"], **word["where"])

    def _died(self) -> TwinError:
        self.end(_PATIENCE_SECONDS)
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - _LAST_WORDS))
        said = self.errors.read().decode("utf-8", "replace")
        _LOG.debug("the reader of %s ended with %s: %s", self.job.name, self.child.returncode, said)
        return sentences.died(self.job.name, self.child.returncode, said, self.limits.cpu_seconds)


def _crs(stated: str, source: Source, resource: Resource, accepted: Mapping[str, float]) -> str:
    """Decide the system: declared and stated must agree; the declaration alone, or the statement alone, is enough."""
    declared = source.crs.strip()
    if resource.kind == "none" and not (source.x and source.y):
        return declared
    if declared.lower() in ("gcj02", "bd09"):
        return declared.lower()
    if not declared:
        return geodesy.identify(stated, accepted=accepted)
    chosen = geodesy.identify(declared, accepted=accepted)
    if stated and not geodesy.same(chosen, geodesy.identify(stated, accepted=accepted)):
        raise CrsError(
            f"“{source.location}”写明的坐标系与目录声明的 {chosen} 不一致。请核对后改目录，或请报送单位改正文件。",
            f"“{source.location}” states another coordinate system than "
            f"the declared {chosen}. Correct the catalogue, or "
            "have the sender correct the file.",
            file=source.location,
        )
    return chosen
