"""One derived table from published versions to its own: made, judged, published; left where nothing has changed."""

from __future__ import annotations

import hashlib
import importlib
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from etl import contract, ledger, publishing, staging, tasks, transforms
from etl.derived import made
from twin import duck, durable, geodesy
from twin.errors import ContractError, NotFound, StoreBroken, TwinError
from twin.store import Snapshot, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl.catalog import Catalog
    from etl.ledger import Report
    from twin.model import Resource
    from twin.settings import Settings

EDITION = "1"
"""Raise it when the same inputs would now be published differently: every derived table is then built again."""
MEMORY = "512MB"
LISTED = 12
"""A row names so many of the rows it is made of by itself; `lineage.parquet` has them all."""
VIEW = "CREATE VIEW {name} AS SELECT {columns} FROM read_parquet({path}, hive_partitioning = false)"
SHAPED = "* EXCLUDE (geometry, bbox), geometry::GEOMETRY AS geometry"
SOURCES = """
SELECT id, year, string_agg(part, ' ' ORDER BY input) AS _row FROM (
  SELECT id, year, input, CASE WHEN count(*) > {listed} THEN input || '×' || count(*)
    ELSE string_agg(input || ':' || input_id || CASE WHEN input_year IS NULL THEN '' ELSE '@' || input_year END, ' '
                    ORDER BY input_id, input_year) END AS part
  FROM lineage GROUP BY id, year, input)
GROUP BY id, year
"""
PUBLISHABLE = """
CREATE OR REPLACE TEMP VIEW publishable AS
SELECT CAST(s.{key} AS VARCHAR) AS id, CAST(s.year AS INTEGER) AS year, {columns}, {resource} AS _resource,
  {run} AS _run, {source} AS _source, {sha256} AS _source_sha256, l._row{geometry}
FROM staged s LEFT JOIN sources l ON l.id = CAST(s.{key} AS VARCHAR) AND l.year IS NOT DISTINCT FROM s.year
"""
ORPHANS = "SELECT count(*) FROM publishable WHERE _row IS NULL"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One derived table about to be built, and the very versions it is made of."""

    resource: Resource
    catalog: Catalog
    settings: Settings
    run: str
    started_at: datetime
    inputs: Mapping[str, Snapshot]
    hashes: Mapping[str, str]
    delivery: str

    def report(self, status: ledger.Status, **facts: Any) -> Report:
        """Make the report of this run, ending now."""
        return ledger.Report(
            resource=self.resource.id,
            run=self.run,
            status=status,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            **facts,
        )


def build(resource: Resource, known: Catalog, settings: Settings, *, force: bool = False) -> Report:
    """Build one derived table where its inputs, its declaration or its function have changed, or with `force`.

    Whatever goes wrong is in the report, and the version before stays.
    """
    started = datetime.now(UTC)
    run = f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    empty = {"catalog": known, "settings": settings, "run": run, "started_at": started, "resource": resource}
    job = Job(**empty, inputs={}, hashes={}, delivery="")
    try:
        inputs = {name: Store(settings.store).current(name) for name in resource.inputs}
        hashes = {n: _manifest_hash(settings, s) for n, s in inputs.items()}
        job = Job(**empty, inputs=inputs, hashes=hashes, delivery=_delivery(resource, known, settings, inputs, hashes))
        report = _current(job, force=force) or _make(job)
    except NotFound as error:
        report = job.report("never", reason_zh=f"缺少输入:{error.zh}", reason_en=f"An input is missing: {error.en}")
    except TwinError as error:
        report = job.report("failed", reason_zh=error.zh, reason_en=error.en)
    except (OSError, duck.Error, pa.ArrowException, MemoryError) as error:
        what = f"{type(error).__name__}: {error}"
        report = job.report("failed", reason_zh=f"运行出错,旧版本不受影响:{what}", reason_en=f"The run failed: {what}")
    ledger.record(settings.data, report)
    return report


def is_stale(resource: Resource, known: Catalog, settings: Settings) -> bool:
    """Say whether the next build would publish another version; False where an input is missing."""
    store = Store(settings.store)
    try:
        inputs = {name: store.current(name) for name in resource.inputs}
    except (NotFound, StoreBroken):
        return False
    hashes = {n: _manifest_hash(settings, s) for n, s in inputs.items()}
    published = _published(settings, resource.id)
    now = _delivery(resource, known, settings, inputs, hashes)
    return published is None or published.manifest.get("delivery") != now


def _manifest_hash(settings: Settings, snapshot: Snapshot) -> str:
    """Give the hash of an input's manifest: a version written anew in its place (an erasure) is another input."""
    chain = Store(settings.store).versions(snapshot.table)
    return next(v.manifest_sha256 for v in chain if v.version == snapshot.version)


def _delivery(
    resource: Resource,
    known: Catalog,
    settings: Settings,
    inputs: Mapping[str, Snapshot],
    hashes: Mapping[str, str],
) -> str:
    """Give one hash over everything that decides what the table becomes."""
    versions = sorted((n, s.version, hashes[n]) for n, s in inputs.items())
    programs = [p.read_bytes() for p in sorted(Path(transforms.__path__[0]).glob("*.py"))]
    rules = settings.village / "rules" / f"{resource.options.get('rules', '')}.toml"
    ruled = rules.read_bytes() if rules.is_file() else b""
    facts = (EDITION, tasks.declaration(resource, known), programs, ruled, versions)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _function(resource: Resource) -> made.Function:
    module, _, name = resource.transform.partition(":")
    return getattr(importlib.import_module(f"etl.transforms.{module}"), name)


def _published(settings: Settings, table: str) -> Snapshot | None:
    try:
        return Store(settings.store).current(table)
    except (NotFound, StoreBroken):
        return None


def _as_of(job: Job) -> date | None:
    """Give the oldest date its inputs state: the table knows nothing newer throughout."""
    stated = [s.manifest.get("as_of") for s in job.inputs.values()]
    return min((date.fromisoformat(text) for text in stated if text), default=None)


def _current(job: Job, *, force: bool) -> Report | None:
    """Give the report of a table that stands as it would be built now, else None."""
    parent = _published(job.settings, job.resource.id)
    if force or parent is None or parent.manifest.get("delivery") != job.delivery:
        return None
    counts = parent.manifest.get("ledger", {})
    return job.report("unchanged", version=parent.version, counts=counts, as_of=_as_of(job))


def _make(job: Job) -> Report:
    connection = duck.connect(threads=1, memory=MEMORY)
    try:
        for name, snapshot in job.inputs.items():
            shaped = snapshot.manifest.get("kind", "none") != "none"
            path = duck.literal(snapshot.file("part.parquet"))
            selected = SHAPED if shaped else "*"
            connection.execute(VIEW.format(name=duck.quote(name), columns=selected, path=path))
        given = made.Given(
            connection=connection,
            village=job.catalog.village,
            resource=job.resource,
            folder=job.settings.village,
        )
        found = _function(job.resource)(given)
        connection.register("staged", _staged(job, found.rows))
        connection.register("lineage", found.lineage.cast(made.LINEAGE))
        connection.execute(f"CREATE TEMP TABLE sources AS {SOURCES.format(listed=LISTED)}")
        verdict = _judged(job, connection)
        _publishable(job, connection)
        version = _publish(job, connection, verdict, found.lineage)
    finally:
        connection.close()
    return job.report("published", counts=verdict.ledger(), version=version, as_of=_as_of(job))


def _staged(job: Job, rows: pa.Table) -> pa.Table:
    """Give the rows in the form the contract judges, measured in the village's metric system."""
    village, resource, count = job.catalog.village, job.resource, rows.num_rows
    values: dict[str, Any] = {n: rows.column(n) for n in rows.column_names if n != "geometry"}
    values |= {"_seq": pa.array(range(count)), "_source_no": pa.nulls(count, pa.int32())}
    values |= {"_note": pa.nulls(count, pa.list_(pa.string())), "_repair": pa.nulls(count, pa.string())}
    values |= {"_row": pa.nulls(count, pa.string())}
    values.setdefault("year", pa.nulls(count, pa.int32()))
    if resource.kind != "none":
        shapes = rows.column("geometry").to_pylist()
        values["_wkb"] = pa.array(shapes, pa.binary())
        where = {"metric_crs": village.metric_crs, "accepted": village.accepted_crs}
        if resource.kind == "polygon":
            values["area_m2"] = pa.array(geodesy.area_m2(shapes, village.storage_crs, **where))
        if resource.kind == "line":
            values["length_m"] = pa.array(geodesy.length_m(shapes, village.storage_crs, **where))
    return pa.table({f.name: values[f.name].cast(f.type) for f in staging.schema(resource)})


def _judged(job: Job, connection: duck.Connection) -> contract.Verdict:
    """Judge the rows by their declaration; a row of ours that breaks it is our fault and nothing is published."""
    verdict = contract.judge(connection, job.resource, job.catalog.code_systems, staging.payload(job.resource))
    if verdict.published != verdict.read:
        raise ContractError(
            f"推算表{job.resource.title.zh}有 {verdict.read - verdict.published} 行不合申报,未发布:{verdict.rules}。"
            "这是程序错误,请报告",
            f"{verdict.read - verdict.published} rows of the derived table {job.resource.id} break its declaration, "
            f"nothing is published: {verdict.rules}. Please report this",
            resource=job.resource.id,
        )
    return verdict


def _publishable(job: Job, connection: duck.Connection) -> None:
    resource = job.resource
    hidden = ("_seq", "_source_no", "_row", "_note", "_repair", "_wkb", "year")
    names = [n for n in staging.schema(resource).names if n not in hidden]
    connection.execute(
        PUBLISHABLE.format(
            key=duck.quote(resource.key),
            columns=", ".join("s." + duck.quote(n) for n in names),
            resource=duck.literal(resource.id),
            run=duck.literal(job.run),
            source=duck.literal(" ".join(f"{n}/v={s.version}" for n, s in job.inputs.items())),
            sha256=duck.literal(job.delivery),
            geometry="" if resource.kind == "none" else ", ST_GeomFromWKB(s._wkb) AS geometry",
        )
    )
    found = connection.execute(ORPHANS).fetchone()
    if found and found[0]:
        raise ContractError(
            f"推算表{resource.title.zh}有 {found[0]} 行说不出由哪些行算出,未发布。这是程序错误,请报告",
            f"{found[0]} rows of {resource.id} do not say which rows they are made of. Please report this",
            resource=resource.id,
        )


def _publish(job: Job, connection: duck.Connection, verdict: contract.Verdict, lineage: pa.Table) -> str:
    def fill(directory: Path) -> Mapping[str, Any]:
        facts = publishing.fill_table(connection, job.resource, job.catalog.village, directory)
        pq.write_table(lineage.cast(made.LINEAGE), directory / made.SUFFIX, compression="zstd")
        stated = _as_of(job)
        return {
            **facts,
            "resource": job.resource.id,
            "run": job.run,
            "delivery": job.delivery,
            "transform": job.resource.transform,
            "inputs": [
                {"table": n, "version": s.version, "manifest_sha256": job.hashes[n], "as_of": s.manifest.get("as_of")}
                for n, s in job.inputs.items()
            ],
            "sources": [],
            "as_of": stated.isoformat() if stated else None,
            "years": publishing.years(connection),
            "ledger": verdict.ledger(),
        }

    durable.make_directory(job.settings.store)
    return Store(job.settings.store).publish(job.resource.id, fill, version=job.run).version
