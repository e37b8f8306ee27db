"""Judged rows → published files: the table with its provenance, and the quarantine beside it; what a manifest holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from etl import contract, fetch, reasons, scenes, shelf, staging, tasks
from twin import duck, geodesy
from twin.policy import masks
from twin.store import copy, geoparquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from etl.contract import Verdict
    from etl.staging import Delivered
    from etl.tasks import Task
    from twin.model import Field, Resource, Village
    from twin.store import Snapshot

PUBLISHABLE = """
CREATE OR REPLACE TEMP VIEW publishable AS
SELECT CAST(s.{key} AS VARCHAR) AS id, CAST(s.year AS INTEGER) AS year, {columns},
  {resource} AS _resource, {run} AS _run, d._source, d._source_sha256, s._row{geometry}
FROM staged s ANTI JOIN outcome o ON s._seq = o._seq JOIN delivered d ON s._source_no = d._source_no
"""
YEARS = "SELECT DISTINCT year FROM publishable WHERE year IS NOT NULL ORDER BY year"
EXTENT = """
SELECT min(ST_XMin(geometry)), min(ST_YMin(geometry)), max(ST_XMax(geometry)), max(ST_YMax(geometry)) FROM publishable
"""
QUARANTINED = """
SELECT o._seq, CAST(s.{key} AS VARCHAR), CAST(s.year AS INTEGER), s._source_no, s._row, o.reasons
FROM outcome o JOIN staged s USING (_seq)
WHERE o.place = 'quarantined' ORDER BY o._seq
"""
_REASON = pa.struct([(n, pa.string()) for n in ("rule", "column", "zh", "en", "remedy_zh", "remedy_en", "value")])
_QUARANTINE = pa.schema(
    [
        ("id", pa.string()),
        ("year", pa.int32()),
        ("_source", pa.string()),
        ("_source_sha256", pa.string()),
        ("_part", pa.string()),
        ("_row", pa.string()),
        ("reasons", pa.list_(_REASON)),
        ("raw", pa.string()),
        ("geometry", pa.binary()),
    ]
)
_CHUNK = 4096
LONGEST_SHOWN = 80
PERSONAL = ("personal", "sensitive")


def prepare(connection: duck.Connection, resource: Resource, run: str, delivered: Sequence[Delivered]) -> None:
    """Make the view `publishable` of the good rows: id, year, declared and computed columns, provenance, geometry."""
    table = pa.table(
        {
            "_source_no": pa.array(range(len(delivered)), pa.int32()),
            "_source": pa.array([d.location for d in delivered], pa.string()),
            "_source_sha256": pa.array([d.sha256 for d in delivered], pa.string()),
        }
    )
    connection.register("delivered_given", table)
    connection.execute("CREATE OR REPLACE TEMP TABLE delivered AS SELECT * FROM delivered_given")
    connection.unregister("delivered_given")
    hidden = ("_seq", "_source_no", "_row", "_note", "_repair", "_wkb", "year")
    names = [n for n in staging.schema(resource).names if n not in hidden]
    geometry = "" if resource.kind == "none" else ", ST_GeomFromWKB(s._wkb) AS geometry"
    connection.execute(
        PUBLISHABLE.format(
            key=duck.quote(resource.key),
            columns=", ".join("s." + duck.quote(n) for n in names),
            resource=duck.literal(resource.id),
            run=duck.literal(run),
            geometry=geometry,
        )
    )


def years(connection: duck.Connection) -> list[int]:
    """Give the editions among the publishable rows."""
    return [row[0] for row in connection.execute(YEARS).fetchall()]


def extent(connection: duck.Connection, resource: Resource) -> list[float] | None:
    """Give the bbox (storage CRS) of the publishable rows, None where there is none."""
    if resource.kind == "none":
        return None
    row = connection.execute(EXTENT).fetchone()
    return list(row) if row and row[0] is not None else None


def fill_table(
    connection: duck.Connection, resource: Resource, village: Village, directory: Path, ground: Path | None = None
) -> Mapping[str, Any]:
    """Write part.parquet and what is derived from it into `directory`; give the facts for the manifest.

    `ground` is the terrain that 3D buildings stand on, None for the plane of height 0.
    """
    facts = fill_part(connection, resource, village, directory)
    public = [f.name for f in resource.fields if f.sensitivity == "public"]
    copy.derive(
        connection,
        directory / "part.parquet",
        directory,
        tile_columns=public,
        class_columns=[f.name for f in resource.fields if f.code_system and f.name in public],
        source_layer=resource.id,
    )
    if scenes.wanted(resource):
        scenes.build(connection, resource, directory / "scene", ground)
    return facts


def fill_part(connection: duck.Connection, resource: Resource, village: Village, directory: Path) -> Mapping[str, Any]:
    """Write part.parquet into `directory`, and nothing else; give the facts for the manifest."""
    spatial = resource.kind != "none"
    projjson = geodesy.projjson(village.storage_crs) if spatial else None
    facts = geoparquet.write(connection, "publishable", directory / "part.parquet", projjson=projjson)
    duck.give_back()
    return {
        "kind": resource.kind,
        "rows": facts.rows,
        "bbox": list(facts.bbox) if facts.bbox else None,
        "geometry": list(facts.geometry_types),
        "crs": village.storage_crs if spatial else "",
        "columns": manifest_columns(resource),
        "erasure": erasure(resource),
        "nulls": nulls(resource, directory / "part.parquet"),
    }


def nulls(resource: Resource, part: Path) -> dict[str, int]:
    """Count the rows of a written part in which each declared field is empty, by the file's own footer alone."""
    declared = {f.name for f in resource.fields}
    found: dict[str, int] = {}
    with pq.ParquetFile(part) as file:
        for group in range(file.metadata.num_row_groups):
            columns = file.metadata.row_group(group)
            for number in range(columns.num_columns):
                one = columns.column(number)
                if one.path_in_schema in declared and one.statistics is not None and one.statistics.has_null_count:
                    found[one.path_in_schema] = found.get(one.path_in_schema, 0) + one.statistics.null_count
    return found


def publish_quarantine(
    task: Task, connection: duck.Connection, delivered: Sequence[Delivered], verdict: Verdict
) -> None:
    """Publish the rows that were refused, as they were received, under the run's name."""

    def fill(directory: Path) -> Mapping[str, Any]:
        rows = fill_quarantine(connection, task.resource, delivered, directory)
        if rows != verdict.quarantined:
            raise contract.unbalanced(task.resource, f"quarantine: {rows} != {verdict.quarantined}")
        return {
            "kind": "quarantine",
            "resource": task.resource.id,
            "run": task.run,
            "rows": rows,
            "rules": dict(verdict.rules),
            "ledger": verdict.ledger(),
            "crs": {d.location: d.crs for d in delivered},
            "acts": {str(k): v for k, v in task.amending.became().items()},
        }

    task.quarantine.publish(task.resource.id, fill, version=task.run)


def publish_rows(task: Task, connection: duck.Connection, delivered: Sequence[Delivered], verdict: Verdict) -> Snapshot:
    """Publish the good rows and what is derived from them; give the version. Raises ContractError off balance."""

    def fill(directory: Path) -> Mapping[str, Any]:
        village = task.catalog.village
        if task.errand.bare:
            facts = fill_part(connection, task.resource, village, directory)
        else:
            facts = fill_table(connection, task.resource, village, directory, tasks.ground(task))
        if facts["rows"] != verdict.published:
            raise contract.unbalanced(task.resource, f"published: {facts['rows']} != {verdict.published}")
        return {
            **facts,
            **tasks.provenance(task, manifest_sources(delivered)),
            "years": years(connection),
            "ledger": verdict.ledger(),
            "rules": dict(verdict.rules),
            "warnings": dict(verdict.warnings),
            "repairs": dict(verdict.repairs),
        }

    return task.store.publish(task.resource.id, fill, version=task.run)


def erasure(resource: Resource) -> Literal["rows", "values"]:
    """Say what erasing a person does to a row: it goes where it stands for the person, or could not be told without."""
    bound = any(f.required or f.name == resource.key for f in resource.fields if f.sensitivity in PERSONAL)
    return "rows" if bound or resource.about_persons else "values"


def manifest_columns(resource: Resource) -> list[dict[str, Any]]:
    """Give the manifest's columns: the declared ones, then those computed here."""
    declared = [_column(f) for f in resource.fields]
    computed = [("id", "string", "", "标识", "Identifier"), ("year", "integer", "", "年份", "Year")]
    if resource.kind == "polygon":
        computed.append(("area_m2", "number", "m²", "图形面积", "Computed area"))
    if resource.kind == "line":
        computed.append(("length_m", "number", "m", "图形长度", "Computed length"))
    if resource.stated_area:
        computed.append(("area_disagrees", "boolean", "", "申报与图形面积不符", "Stated and computed area disagree"))
    names = {f.name for f in resource.fields}
    return declared + [
        {"name": n, "type": t, "unit": u, "sensitivity": "public", "zh": zh, "en": en}
        for n, t, u, zh, en in computed
        if n not in names
    ]


def _column(item: Field) -> dict[str, Any]:
    return {
        "name": item.name,
        "type": item.type,
        "unit": item.unit,
        "sensitivity": item.sensitivity,
        "zh": item.title.zh,
        "en": item.title.en,
    }


def manifest_sources(delivered: Sequence[Delivered]) -> list[dict[str, Any]]:
    """Give the manifest's sources: each file as it came, with what was decided about it."""
    return [
        {
            "path": d.location,
            "pull": fetch.pull_of(d.source),
            "sha256": d.sha256,
            "bytes": sum(f["bytes"] for f in d.files),
            "year": d.source.year,
            "as_of": d.source.as_of.isoformat() if d.source.as_of else None,
            "crs": d.crs,
            "rows": d.rows,
            "types": d.types,
            "files": list(d.files),
        }
        for d in delivered
    ]


def fill_quarantine(
    connection: duck.Connection, resource: Resource, delivered: Sequence[Delivered], directory: Path
) -> int:
    """Write the quarantined rows as they were received, with their reasons, into `directory`; give their number."""
    written = 0
    with pq.ParquetWriter(directory / "part.parquet", _QUARANTINE, compression="zstd") as writer:
        rows = connection.execute(QUARANTINED.format(key=duck.quote(resource.key)))
        while chunk := rows.fetchmany(_CHUNK):
            table = pa.Table.from_pylist(list(_quarantined(chunk, resource, delivered)), schema=_QUARANTINE)
            writer.write_table(table)
            written += table.num_rows
    return written


def _quarantined(
    chunk: list[tuple[Any, ...]], resource: Resource, delivered: Sequence[Delivered]
) -> Iterator[dict[str, Any]]:
    facts = {row[0]: row[1:] for row in chunk}
    for sequence, raw, shape in shelf.raw_rows((d.shelf for d in delivered), facts):
        key, year, source, row, staged = facts[sequence]
        yield {
            "id": key,
            "year": year,
            "_source": delivered[source].location,
            "_source_sha256": delivered[source].sha256,
            "_part": delivered[source].source.part,
            "_row": row,
            "reasons": [reasons.sentence(reason, resource) | _held(reason, resource, raw) for reason in staged],
            "raw": raw,
            "geometry": shape,
        }


def _held(staged: str, resource: Resource, raw: str) -> dict[str, str | None]:
    """Give what stood in the column a reason is about, masked where it is a person's."""
    item = resource.field_named(staged.partition(reasons.SEPARATOR)[2])
    value = None if item is None else json.loads(raw).get(item.source)
    if item is None or value is None:
        return {"value": None}
    shown = masks.mask(item.name, value, item.meaning) if item.sensitivity != "public" else str(value)
    return {"value": shown[:LONGEST_SHOWN]}
