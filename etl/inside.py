"""What runs inside the throw-away process: limits itself, runs one reader, streams Arrow batches to standard output.

The last message of the stream is an empty batch whose metadata holds the reader's report, or its refusal.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from twin import caged

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from etl.job import Job
    from twin.errors import TwinError

READERS = {
    "vector": "etl.readers.vector",
    "table": "etl.readers.table",
    "raster": "etl.readers.raster",
    "pixels": "etl.readers.pixels",
    "scene": "etl.readers.scene",
    "pulled": "etl.readers.pulled",
    "database": "etl.readers.database",
    "parts": "etl.readers.parts",
    "unzipped": "etl.readers.unzipped",
}
REPORT = b"onemap.report"
REFUSAL = b"onemap.refusal"
CRS = b"onemap.crs"


def main() -> int:
    """Limit, fall silent, read the job from standard input, stream; gives the exit code."""
    caged.limit(json.loads(sys.argv[1]))
    caged.socketless()
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(2, 1)  # whatever a library prints must not enter the stream
    from etl.job import from_json  # noqa: PLC0415 - imported under the limits

    job = from_json(sys.stdin.readline())
    stream(job, out)
    out.flush()
    return 0


def stream(job: Job, out: Any) -> None:
    """Run the job's reader and write its batches, then its report, as one Arrow IPC stream."""
    import pyarrow as pa  # noqa: PLC0415 - imported under the limits

    from twin.errors import TwinError  # noqa: PLC0415

    report: dict[str, Any] = {"rows": 0, "notes": []}
    writer: pa.ipc.RecordBatchStreamWriter | None = None
    last = pa.schema([])
    try:
        for batch in _batches(job, report):
            if writer is None:
                last = batch.schema.with_metadata({CRS: str(report.get("crs_in_file", "")).encode()})
                writer = pa.ipc.new_stream(out, last)
            report["rows"] += batch.num_rows
            writer.write_batch(batch)
            out.flush()
        word = {REPORT: json.dumps(report)}
    except TwinError as refused:
        word = {REFUSAL: _refusal(refused)}
    except (MemoryError, pa.ArrowMemoryError):
        word = {REFUSAL: json.dumps({"code": "memory"})}
    writer = writer or pa.ipc.new_stream(out, last)
    writer.write_batch(pa.RecordBatch.from_pylist([], schema=last), custom_metadata=word)
    writer.close()


def _batches(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    module = importlib.import_module(READERS[job.reader])
    yield from module.read(job, report)


def _refusal(refused: TwinError) -> str:
    return json.dumps({"code": refused.code, "zh": refused.zh, "en": refused.en, "where": refused.where})


if __name__ == "__main__":
    sys.exit(main())
