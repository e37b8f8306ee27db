"""Vector files, by GDAL through pyogrio: which formats there are, how text is encoded, what is refused unopened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyogrio
from pyarrow import compute
from pyogrio.errors import DataLayerError, DataSourceError

from etl import dbf, dxf, kml, refusals, sniff, wkb
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etl.job import Job

pc: Any = compute  # its functions are made at run time

ALLOWED = frozenset({"ESRI Shapefile", "GPKG", "GeoJSON", "FlatGeobuf", "GML", "MapInfo File", "DXF", "OpenFileGDB"})
_LAYER = "Layer"
_WIDEST = 252
"""Bytes a text of a .dbf has at most, less the part of a character that no longer fitted."""
_NOT_DRAWN = frozenset({"OGR_STYLE"})

Recode = "Callable[[pa.Array], pa.Array]"


def read(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Read the file, or the layer `job.part` of it, as Arrow batches of its own columns, `_row`, `_geometry`, `_note`.

    Raises SourceError where a part is missing, the content is not what the name says, or the file is damaged.
    """
    if surplus := set(pyogrio.list_drivers()) - ALLOWED:
        raise RuntimeError(f"GDAL_SKIP must also name {sorted(surplus)}")
    driver = sniff.vector(job)
    if driver == "KML":
        report.update(
            driver=driver, crs_in_file="" if job.crs else "EPSG:4326", encoding="UTF-8", how="format", declared=""
        )
        yield from kml.batches(job)
        return
    recode, encoding, options = _text(job, driver, report)
    layer = _layer(job, driver)
    try:
        info = pyogrio.read_info(
            job.path, layer=layer, encoding=encoding, force_feature_count=driver == "ESRI Shapefile", **options
        )
        if info["driver"] != driver:
            raise refusals.mistaken(job.name, driver, str(info["driver"]))
        with pyogrio.open_arrow(
            job.path, layer=layer, encoding=encoding, use_pyarrow=True, batch_size=job.batch_rows, **options
        ) as (meta, source):
            report.update(driver=driver, crs_in_file=_crs(job, driver, meta))
            yield from _batches(job, source, str(meta["geometry_name"] or "wkb_geometry"), recode, report)
    except (DataSourceError, DataLayerError, pa.ArrowException, UnicodeDecodeError) as wrong:
        raise _damaged(job, wrong) from wrong
    if driver == "ESRI Shapefile" and report["rows"] != info["features"]:
        raise refusals.cut_short(job.name, report["rows"], int(info["features"]))


def _text(
    job: Job, driver: str, report: dict[str, Any]
) -> tuple[Callable[[Any], Any] | None, str | None, dict[str, Any]]:
    """Decide how the text is encoded: (what repairs a string column, pyogrio's encoding, open options)."""
    if driver == "ESRI Shapefile":
        found = dbf.decide(job)
        report.update(encoding=found.encoding, how=found.how, declared=found.declared)
        if found.lied:
            zh = f"“{job.name}”按 {found.encoding.upper()} 解码(文件声明 {found.declared})"
            en = f"“{job.name}” was decoded as {found.encoding.upper()} (it says {found.declared})"
            report.setdefault("notes", []).append({"zh": zh, "en": en})
        return found.recode, "ISO-8859-1", {}
    if driver == "DXF":
        found = dxf.decide(job)
        report.update(encoding=found, how="strict", declared="")
        pyogrio.set_gdal_config_options({"DXF_ENCODING": found})
        return None, None, {"CLOSED_LINE_AS_POLYGON": "YES"} if job.kind == "polygon" else {}
    report.update(encoding="UTF-8", how="format", declared="")
    return None, None, {"WRITE_GFS": "NO", "DOWNLOAD_SCHEMA": "NO"} if driver == "GML" else {}


def _layer(job: Job, driver: str) -> str | None:
    """Give the layer to open; raises SourceError where the choice is not the reader's to make."""
    if driver in ("DXF", "ESRI Shapefile"):
        return None
    try:
        names = [str(n) for n in pyogrio.list_layers(job.path)[:, 0]]
    except DataSourceError as wrong:
        raise _damaged(job, wrong) from wrong
    if job.part in names:
        return job.part
    if not job.part and len(names) == 1:
        return names[0]
    shown = "、".join(names[:12])
    raise SourceError(
        f"“{job.name}”中有图层 {shown or '(无)'}，没有声明的“{job.part}”。请在目录该来源的 part 中写明图层名。",
        f"“{job.name}” holds the layers {shown or '(none)'} and not "
        f"“{job.part}”. Name one of them as part in the catalogue.",
        file=job.name,
        layer=job.part,
    )


def _crs(job: Job, driver: str, meta: dict[str, Any]) -> str:
    """Give what the file itself states: the .prj as written (name and numbers), else what the format says."""
    if driver == "ESRI Shapefile":
        prj = job.main.with_suffix(".prj")
        return prj.read_text("utf-8", "replace").strip() if prj.exists() else ""
    if job.crs and driver == "GeoJSON" and not sniff.states_crs(job):
        return ""
    return str(meta["crs"] or "")


def _batches(
    job: Job, source: Any, geometry: str, recode: Callable[[Any], Any] | None, report: dict[str, Any]
) -> Iterator[pa.RecordBatch]:
    attributes = dxf.attributes(job, report["encoding"]) if report["driver"] == "DXF" else None
    seen, empty = 0, True
    names: list[str] | None = None
    for batch in source:
        names = names or _names(batch.schema, geometry, recode)
        table = _columns(batch, geometry, names, recode)
        row = pc.cast(pa.array(np.arange(seen + 1, seen + len(batch) + 1)), pa.string())
        seen += len(batch)
        done = _finish(job, table, row, batch.column(geometry), _cut(batch, report["driver"]))
        if attributes is not None:
            done = attributes(done)
        if len(done) or empty:
            empty = False
            yield done
    if empty:
        yield _nothing(source.schema, geometry)


def _names(schema: pa.Schema, geometry: str, recode: Callable[[Any], Any] | None) -> list[str]:
    names = [n for n in schema.names if n != geometry and n not in _NOT_DRAWN]
    return [recode.name(n) for n in names] if recode else names  # type: ignore[attr-defined]


def _columns(
    batch: pa.RecordBatch, geometry: str, names: list[str], recode: Callable[[Any], Any] | None
) -> dict[str, pa.Array]:
    kept = [n for n in batch.schema.names if n != geometry and n not in _NOT_DRAWN]
    out: dict[str, pa.Array] = {}
    for name, shown in zip(kept, names, strict=True):
        column = batch.column(name)
        if recode is not None and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            column = recode(column)
        column.validate(full=True)
        out[shown if shown not in out else f"{shown}_{len(out)}"] = column
    return out


def _cut(batch: pa.RecordBatch, driver: str) -> np.ndarray:
    """Give the rows of a shapefile in which a text fills its field to the widest there is: the rest of it is gone."""
    rows = np.zeros(len(batch), dtype=bool)
    texts = [c for c in batch.columns if driver == "ESRI Shapefile" and pa.types.is_string(c.type)]
    for column in texts:
        rows |= pc.fill_null(pc.greater_equal(pc.utf8_length(column), _WIDEST), fill_value=False).to_numpy(
            zero_copy_only=False
        )
    return np.flatnonzero(rows)


def _with_cut(notes: list[str | None], cut: np.ndarray) -> pa.Array:
    for row in cut:
        notes[int(row)] = ",".join([*filter(None, [notes[int(row)]]), "text_cut"])
    return pa.array(notes, pa.string())


def _finish(job: Job, columns: dict[str, pa.Array], row: pa.Array, raw: pa.Array, cut: np.ndarray) -> pa.RecordBatch:
    try:
        examined = wkb.examine(raw, keep_z=job.options.get("z") == "keep" or job.main.suffix.lower() == ".dxf")
    except wkb.TooManyVertices as wrong:
        raise refusals.too_many_vertices(job.name, str(row[wrong.row]), wkb.MAX_VERTICES) from wrong
    note = _with_cut(examined.notes or [None] * len(raw), cut)
    arrays = {**columns, "_row": row, "_geometry": examined.geometry, "_note": note}
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def _nothing(schema: pa.Schema, geometry: str) -> pa.RecordBatch:
    fields = [f.remove_metadata() for f in schema if f.name != geometry and f.name not in _NOT_DRAWN]
    fields += [pa.field("_row", pa.string()), pa.field("_geometry", pa.binary()), pa.field("_note", pa.string())]
    return pa.RecordBatch.from_pylist([], schema=pa.schema(fields))


def _damaged(job: Job, wrong: Exception) -> SourceError:
    said = str(wrong).replace(job.path, job.name).splitlines()[0].split(";")[0][:200] if str(wrong) else ""
    return refusals.damaged(job.name, said or type(wrong).__name__)
