"""Pages a service or a database answered, as `etl.fetch` kept them: each row once, with the page it stood on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from etl import coordinates, esri, paged, refusals, wkb
from etl.job import Job

PULL = "pull.json"
_Row = tuple[str, Mapping[str, Any], Any]
"""(where it stood, its columns, its geometry as JSON)"""


def read(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Read every page pull.json names; all columns are text as the source wrote it but those of a database.

    Raises SourceError where a page is not what its pull says it is.
    """
    said = json.loads((job.main / PULL).read_bytes())
    report.update(driver=said["kind"], crs_in_file=said.get("crs", ""), encoding="UTF-8", how="format", declared="")
    layout = said["layout"]
    report["types"] = {} if layout["form"] == "table" else said["types"]
    if layout["form"] == "table":
        yield from _tables(job, said)
        return
    if layout["form"] == "gml":
        yield from _members(job, said)
        return
    try:
        rows = _rows(job.main, said)
        names = sorted(said["types"], key=list(said["types"]).index)
        place = [n for n in (layout.get("geometry"),) if n]
        yield from _batches(job, rows, [n for n in names if n not in place])
    except paged.Unusable as wrong:
        raise refusals.damaged(job.name, str(wrong)) from wrong


def _rows(folder: Path, said: Mapping[str, Any]) -> Iterator[_Row]:
    """Give each row once, with its page and its identity there."""
    layout = said["layout"]
    for page, identity, item in paged.merged(folder, said):
        yield f"{page['address']}#{identity}", paged.properties(layout["form"], item), _geometry(layout, item)


def _geometry(layout: Mapping[str, Any], item: Mapping[str, Any]) -> Any:
    if layout["form"] == "json":
        return item.get(layout["geometry"]) if layout.get("geometry") else None
    return item.get("geometry")


def _batches(job: Job, rows: Iterator[_Row], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    waiting: list[_Row] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == job.batch_rows:
            yield _batch(job, waiting, names)
            waiting = []
    yield _batch(job, waiting, names)


def _batch(job: Job, rows: Sequence[_Row], names: Sequence[str]) -> pa.RecordBatch:
    columns = {n: pa.array([paged.text(r.get(n)) for _, r, _ in rows], pa.string()) for n in names}
    where = pa.array([w for w, _, _ in rows], pa.string())
    if job.x and job.y:
        absent = pa.nulls(len(rows), pa.string())
        empty = [""] * len(rows)
        shapes, notes = coordinates.points(columns.get(job.x, absent), columns.get(job.y, absent), empty)
    else:
        read = esri.geometry if any(isinstance(g, Mapping) and "type" not in g for _, _, g in rows) else _geojson
        raw = pa.array(_shapes([g for _, _, g in rows], read), pa.binary())
        shapes, notes = _examined(job, raw, where)
    arrays = {**columns, "_row": where, "_geometry": shapes, "_note": pa.array([n or None for n in notes], pa.string())}
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def _shapes(values: Sequence[Any], read: Callable[[Any], Any]) -> list[bytes | None]:
    shapes = [None if v in (None, "") else read(v) for v in values]
    return [None if s is None else shapely.to_wkb(s, include_srid=False) for s in shapes]


def _geojson(value: Any) -> Any:
    """Give a shape of GeoJSON or WKT; one that cannot be read is none, which the contract then says of its row."""
    if isinstance(value, str):
        return shapely.from_wkt(value, on_invalid="ignore")
    return shapely.from_geojson(json.dumps(value), on_invalid="ignore")


def _examined(job: Job, raw: pa.Array, where: pa.Array) -> tuple[pa.Array, list[str | None]]:
    if job.kind == "none":
        return pa.nulls(len(raw), pa.binary()), [None] * len(raw)
    try:
        examined = wkb.examine(raw)
    except wkb.TooManyVertices as wrong:
        raise refusals.too_many_vertices(job.name, str(where[wrong.row]), wkb.MAX_VERTICES) from wrong
    return examined.geometry, list(examined.notes or [None] * len(raw))


def _members(job: Job, said: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """Give the members of GML pages, each once, their properties as text; GDAL reads them and puts longitude first."""
    pyogrio.set_gdal_config_options({"GML_FIELDTYPES": "ALWAYS_STRING"})
    key = said["layout"]["id"] or "gml_id"
    dropped = {int(k): set(v) for k, v in said.get("dropped", {}).items()}
    own = "NO" if said["layout"]["id"] else "YES"
    tables: list[pa.Table] = []
    seen: set[str] = set()
    for page in said["pages"]:
        path = str(job.main / page["file"])
        try:
            meta, table = pyogrio.read_arrow(path, WRITE_GFS="NO", DOWNLOAD_SCHEMA="NO", EXPOSE_GML_ID=own)
        except (DataSourceError, DataLayerError) as wrong:
            if page["rows"] == 0:
                continue
            raise refusals.damaged(job.name, str(wrong).partition(path)[0] + page["file"]) from wrong
        ids = table.column(key).to_pylist()
        place = pa.array([f"{page['address']}#{i}" for i in ids], pa.string())
        new = [i not in seen and i not in dropped.get(page["layer"], ()) for i in ids]
        seen.update(i for i, is_new in zip(ids, new, strict=True) if is_new)
        table = table.rename_columns(["_geometry" if n == meta["geometry_name"] else n for n in table.column_names])
        tables.append(table.append_column("_row", place).filter(pa.array(new)))
    whole = pa.concat_tables(tables, promote_options="default").combine_chunks()
    for name in said.get("columns", ()):
        if name not in whole.column_names:
            whole = whole.append_column(name, pa.nulls(whole.num_rows, pa.string()))
    for batch in whole.to_batches(max_chunksize=job.batch_rows):
        shapes, notes = _examined(job, batch.column("_geometry"), batch.column("_row"))
        columns = {n: batch.column(n) for n in batch.schema.names if n not in ("_geometry", "_row")}
        rest = {"_row": batch.column("_row"), "_geometry": shapes, "_note": pa.array(notes, pa.string())}
        yield pa.RecordBatch.from_arrays(list((columns | rest).values()), names=list(columns | rest))


def _tables(job: Job, said: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """Give the rows of a database's table; `_row` is the table and the row's key."""
    for page in said["pages"]:
        file = pq.ParquetFile(job.main / page["file"])
        empty = True
        for batch in file.iter_batches(batch_size=job.batch_rows):
            empty = False
            yield _table(job, batch, page["address"])
        if empty:
            none = pa.RecordBatch.from_pylist([], schema=file.schema_arrow.remove_metadata())
            yield _table(job, none, page["address"])


def _table(job: Job, batch: pa.RecordBatch, address: str) -> pa.RecordBatch:
    columns = {n: batch.column(n) for n in batch.schema.names if n not in ("_key", "_geometry")}
    keys = batch.column("_key").to_pylist()
    where = pa.array([f"{address}!{k}" for k in keys], pa.string())
    if job.x and job.y:
        text = [columns[n].cast(pa.string()) for n in (job.x, job.y)]
        shapes, notes = coordinates.points(text[0], text[1], [""] * len(keys))
    else:
        raw = batch.column("_geometry") if "_geometry" in batch.schema.names else pa.nulls(len(keys), pa.binary())
        shapes, notes = _examined(job, raw, where)
    arrays = {**columns, "_row": where, "_geometry": shapes, "_note": pa.array([n or None for n in notes], pa.string())}
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
