"""What a file holds before anything is declared of it: its layers or sheets, how many rows, and how sheets begin."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataSourceError

from etl import delimited, refusals, sniff, workbook
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.job import Job

TABLES = (".csv", ".txt", ".tsv")
BOOKS = (".xlsx", ".xls", ".et")
MOST = 200
SHOWN_ROWS = 25
_GEOMETRY = {"Point": "point", "LineString": "line", "Polygon": "polygon"}
_FORM = pa.schema(
    [("part", pa.string()), ("kind", pa.string()), ("rows", pa.int64()), ("grid", pa.string()), ("merged", pa.string())]
)


def read(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Give one row for each layer or sheet: its name, kind, rows, and as JSON its first rows and merged ranges.

    Raises SourceError where the file is none that is taken, or is damaged.
    """
    suffix = job.main.suffix.lower()
    found = _books(job) if suffix in BOOKS else _text(job, report) if suffix in TABLES else _layers(job, report)
    yield pa.RecordBatch.from_pylist(list(islice(found, MOST)), schema=_FORM)


def _books(job: Job) -> Iterator[dict[str, Any]]:
    with job.main.open("rb") as file:
        magic = file.read(8)
    for name, sheet in workbook.sheets(job, magic, MOST):
        filled = [r for r in sheet.rows if any(r)]
        grid, merged = sheet.rows[:SHOWN_ROWS], [m for m in sheet.merged if m[0][0] < SHOWN_ROWS]
        yield {
            "part": name,
            "kind": "none",
            "rows": len(filled),
            "grid": json.dumps(grid),
            "merged": json.dumps(merged),
        }


def _text(job: Job, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    rows = delimited.rows(job, report)
    grid = [cells for _, cells in islice(rows, SHOWN_ROWS)]
    left = sum(1 for _ in rows)
    yield {"part": "", "kind": "none", "rows": len(grid) + left, "grid": json.dumps(grid), "merged": "[]"}


def _layers(job: Job, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    driver = sniff.vector(job)
    report.update(driver=driver)
    if driver == "KML":
        yield {"part": "", "kind": "", "rows": None, "grid": "[]", "merged": "[]"}
        return
    try:
        listed = [(str(n), str(g or "")) for n, g in pyogrio.list_layers(job.path)]
        for name, shape in listed:
            info = pyogrio.read_info(
                job.path, layer=name, encoding="ISO-8859-1" if driver == "ESRI Shapefile" else None
            )
            part = "" if driver in ("ESRI Shapefile", "DXF", "GeoJSON") else name
            rows = max(0, int(info["features"])) or None
            yield {"part": part, "kind": _kind(shape), "rows": rows, "grid": "[]", "merged": "[]"}
    except (DataSourceError, UnicodeDecodeError) as wrong:
        raise refusals.damaged(job.name, str(wrong).replace(job.path, job.name).splitlines()[0][:200]) from wrong
    if not listed:
        raise SourceError(f"“{job.name}”中没有图层。", f"“{job.name}” holds no layer.", file=job.name)


def _kind(shape: str) -> str:
    plain = shape.removeprefix("Multi").removeprefix("2.5D ").removeprefix("Multi").split(" ")[0]
    return _GEOMETRY.get(plain, "none" if shape in ("", "None") else "")
