"""A delivery's rows on their way: read, typed, placed and laid on the shelf, in bounded memory."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl import columns, fetch, geometry, remarks, sandbox, shelf
from etl.amending import Amending, Where
from twin.errors import ContractError, CrsError, SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from twin.model import Resource, Source, Village

WORKERS = 2
SLICE = 8192
"""Rows worked on at a time by one worker."""
MISPLACED = ("outside_plausible", "axes_swapped")
FEWEST = 5
"""A file with at least this many rows, most of them misplaced, has a wrong CRS rather than wrong rows."""
Transform = Callable[[pa.Table], pa.Table]
Work = Callable[[pa.RecordBatch, int], tuple[pa.Table, int]]
"""A batch and the number of its first row → its typed rows, and how many of them are misplaced."""
Progress = Callable[[str, int], None]


@dataclass(kw_only=True)
class Delivered:
    """One source as it was read: what it was, where its raw rows are kept, and what drifted."""

    source: Source
    location: str
    sha256: str
    files: tuple[dict[str, Any], ...]
    crs: str
    shelf: shelf.Shelf
    misplaced: int = 0
    drift: columns.Drift = field(default_factory=columns.Drift)
    report: dict[str, Any] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    """Heading → the type it came as."""

    @property
    def rows(self) -> int:
        """Give how many rows were read."""
        return self.shelf.rows


def schema(resource: Resource) -> pa.Schema:
    """Give the columns of the staging table; see `contract.STAGED`."""
    names = [
        ("_seq", pa.int64()),
        ("_source_no", pa.int32()),
        ("_row", pa.string()),
        ("_note", pa.list_(pa.string())),
        ("_repair", pa.string()),
        *([] if resource.field_named("year") else [("year", pa.int32())]),
        *((f.name, columns.ARROW[f.type]) for f in resource.fields),
    ]
    if resource.kind in ("polygon", "line"):
        names.append(("area_m2" if resource.kind == "polygon" else "length_m", pa.float64()))
    if resource.stated_area:
        names.append(("area_disagrees", pa.bool_()))
    if resource.kind != "none":
        names.append(("_wkb", pa.binary()))
    return pa.schema(names)


def payload(resource: Resource) -> list[str]:
    """Give the columns in which two rows with one key must agree to be one row delivered twice."""
    return [f.name for f in resource.fields] + (["_wkb"] if resource.kind != "none" else [])


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What staging one resource needs to know."""

    resource: Resource
    village: Village
    raw: Path
    folder: Path
    progress: Progress
    amending: Amending = field(default_factory=Amending)


def stage(desk: Desk, number: int, source: Source, first: int) -> Delivered:
    """Lay the rows of `source` on a shelf of their own, numbered from `first`.

    Raises SourceError, CrsError or ContractError where the file as a whole is refused.
    """
    with sandbox.read(desk.resource, source, desk.raw, accepted=desk.village.accepted_crs) as reading:
        _refuse_repeated(desk, source, reading.schema.names)
        delivered = Delivered(
            source=source,
            location=fetch.shown(source),
            sha256=_shown_hash(reading.files),
            files=tuple({"name": f.name, "sha256": f.sha256, "bytes": f.bytes} for f in reading.files.files),
            crs=reading.crs if desk.resource.kind != "none" else "",
            shelf=shelf.Shelf(
                typed=desk.folder / f"typed-{number}.parquet", raw=desk.folder / f"raw-{number}.arrow", first=first
            ),
            drift=columns.drift(desk.resource.fields, reading.schema.names, _housekeeping(source)),
        )
        with shelf.opened(delivered.shelf, schema(desk.resource), reading.schema) as hand:
            work = _work(desk, number, delivered)
            for table, misplaced in _worked(work, hand, reading.batches()):
                hand.lay(table)
                delivered.misplaced += misplaced
                desk.progress(desk.resource.id, first + delivered.rows)
        delivered.report = dict(reading.report)
        delivered.types = _types(reading)
    _refuse_misplaced(desk, delivered)
    return delivered


def _housekeeping(source: Source) -> tuple[str, ...]:
    """Give the headings that are declared without being fields: coordinates, the watermark, a service's own id."""
    return source.x, source.y, source.watermark, source.options.get("id", "")


def _types(reading: sandbox.Reading) -> dict[str, str]:
    """Give the type each heading came as; a JSON source's own word where its reader made text of everything."""
    stated = {n: kinds[0] for n, kinds in reading.report.get("types", {}).items() if len(kinds) == 1}
    return stated or {f.name: str(f.type) for f in reading.schema if f.name not in columns.RESERVED}


def _shown_hash(files: sandbox.FileSet) -> str:
    """Give the hash a person can check with sha256sum: the main file's own, or the whole folder's."""
    return files.sha256 if files.root.is_dir() else files.files[0].sha256


def _worked(work: Work, hand: shelf.Hand, arriving: Iterable[pa.RecordBatch]) -> Iterator[tuple[pa.Table, int]]:
    """Work on batches in threads while the next ones are read; give them in their order."""
    waiting: deque[Future[tuple[pa.Table, int]]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for batch in (slice_ for whole in arriving for slice_ in _slices(whole)):
            waiting.append(pool.submit(work, batch, hand.keep(batch)))
            while len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _slices(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch so that its geometries, several times over in memory while worked on, stay few."""
    for first in range(0, batch.num_rows, SLICE):
        yield batch.slice(first, SLICE)


def _work(desk: Desk, number: int, delivered: Delivered) -> Work:
    resource, village = desk.resource, desk.village
    frame = None
    if resource.kind != "none":
        within = resource.within_village
        frame = geometry.frame_of(village, resource.kind, delivered.crs, within_village=within)
    change = transform(resource)
    form = schema(resource)

    source, location = delivered.source, delivered.location

    def work(batch: pa.RecordBatch, first: int) -> tuple[pa.Table, int]:
        table, misplaced = plain(batch, first, frame)
        at = Where(first=first, location=location, source=source, resource=resource, frame=frame)
        amended = desk.amending.table(table, batch, at, redo)
        return (table, misplaced) if amended is table else (amended, _misplaced(amended))

    def redo(batch: pa.RecordBatch, first: int, frame: geometry.Frame | None) -> pa.Table:
        return plain(batch, first, frame)[0]

    def plain(batch: pa.RecordBatch, first: int, frame: geometry.Frame | None) -> tuple[pa.Table, int]:
        typed = columns.typed(batch, resource, village.time_zone)
        placed = geometry.place(batch.column("_geometry"), frame) if frame else None
        values = _changed(typed.arrays, change, resource)
        values |= _places(batch, number, delivered.source, first)
        values |= _measures(placed, values, resource) if placed else {}
        notes, repairs = remarks.notes(batch, typed, placed, resource)
        values["_note"] = notes
        values["_repair"] = repairs
        misplaced = sum(any(r in MISPLACED for r in rules) for rules in placed.reasons.values()) if placed else 0
        return pa.table([values[n] for n in form.names], schema=form), misplaced

    return work


def _misplaced(table: pa.Table) -> int:
    """Count the rows of a typed batch that lie elsewhere."""
    return sum(any(n in MISPLACED for n in notes or ()) for notes in table.column("_note").to_pylist())


def _places(batch: pa.RecordBatch, number: int, source: Source, first: int) -> dict[str, pa.Array]:
    count = batch.num_rows
    year = pa.nulls(count, pa.int32()) if source.year is None else pa.array(np.full(count, source.year, "int32"))
    return {
        "_seq": pa.array(np.arange(first, first + count)),
        "_source_no": pa.array(np.full(count, number, "int32")),
        "_row": batch.column("_row").cast(pa.string()),
        "year": year,
    }


def _measures(placed: geometry.Placed, values: Mapping[str, Any], resource: Resource) -> dict[str, pa.Array]:
    found: dict[str, pa.Array] = {"_wkb": placed.wkb()}
    measure = pa.array(placed.measure, mask=np.isnan(placed.measure))
    if resource.kind in ("polygon", "line"):
        found["area_m2" if resource.kind == "polygon" else "length_m"] = measure
    if resource.stated_area:
        difference = pc.abs(pc.subtract(values[resource.stated_area], measure))
        found["area_disagrees"] = pc.greater(difference, pc.multiply(measure, resource.area_tolerance_ratio))
    return found


def transform(resource: Resource) -> Transform | None:
    """Give the pure function the declaration names, or None."""
    if not resource.transform:
        return None
    module, _, name = resource.transform.partition(":")
    return getattr(importlib.import_module(f"etl.transforms.{module}"), name)


def _changed(arrays: Mapping[str, pa.Array], change: Transform | None, resource: Resource) -> dict[str, Any]:
    if change is None:
        return dict(arrays)
    before = pa.table(dict(arrays))
    after = change(before)
    if after.num_rows != before.num_rows or not set(before.column_names) <= set(after.column_names):
        raise ContractError(
            f"变换 {resource.transform} 改变了行数或列,未发布。这是程序错误,请报告",
            f"The transform {resource.transform} changed the number of rows or lost columns. Please report this",
            resource=resource.id,
        )
    return {n: after.column(n).combine_chunks().cast(before.schema.field(n).type) for n in before.column_names}


def _refuse_repeated(desk: Desk, source: Source, headings: Sequence[str]) -> None:
    twice = columns.repeated(desk.resource.fields, headings)
    if twice:
        shown = "、".join(twice)
        raise SourceError(
            f"“{fetch.shown(source)}”中表头“{shown}”出现不止一次,无法断定以哪一列为准。请报送单位删去或改名后重报",
            f"The heading “{shown}” of “{fetch.shown(source)}” stands more than once, and which is meant cannot be "
            "told. Rename or remove one, and deliver again",
            file=fetch.shown(source),
            column=shown,
        )


def _refuse_misplaced(desk: Desk, delivered: Delivered) -> None:
    if delivered.rows >= FEWEST and delivered.misplaced * 2 > delivered.rows:
        share = f"{delivered.misplaced}/{delivered.rows}"
        raise CrsError(
            f"“{delivered.location}”有 {share} 行落在可信范围之外:坐标系({delivered.crs})很可能写错,或经纬度颠倒。"
            "请报送单位核对坐标系后重报",
            f"{share} rows of “{delivered.location}” fall outside the plausible area: the coordinate system "
            f"({delivered.crs}) is probably wrong, or the axes are exchanged. Ask the department to check it and "
            "deliver again",
            resource=desk.resource.id,
            file=delivered.location,
        )
