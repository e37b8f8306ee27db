"""One partition, received: the picklable function that is the unit of work, with DuckDB inside; the only one to know.

It is the road of `etl.run`, in a folder of its own: fetched, read, judged, published, its rows accounted for. What
comes of it is kept under a name made of what was delivered and declared: the same delivery gives the same name and the
same bytes, wherever and however often it is done. The manifest is written last; without it the partition is not there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from etl import catalog, ledger, run, tasks
from etl.scale import places, sums
from etl.scale.places import Place
from etl.scale.sums import Sum
from etl.tasks import Errand
from twin import durable
from twin import settings as setting
from twin.errors import SourceError, StoreBroken, TwinError
from twin.model import Resource
from twin.settings import Settings
from twin.store import Snapshot, Store

TABLE, QUARANTINE, MANIFEST = "part.parquet", "quarantine.parquet", "manifest.json"
_FACTS = ("kind", "rows", "bbox", "geometry", "crs", "columns", "years", "as_of", "sources", "ledger", "rules")
_REMARKS = ("warnings", "repairs", "delivery")
_PROGRAMS = ("duckdb", "duckdb-extension-spatial", "pyarrow", "shapely", "pyproj", "pyogrio", "numpy")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One partition's work, which passes from machine to machine and holds no secret.

    `files` are the delivered names below `deliveries`, the main one first. `resource` is declared for this part alone;
    `former` is the name of the partition that serves now, "" for none; `program` and `sources` what it must be done
    with: libraries and stage of the pipeline, which are in its name, and our own modules, which are not.
    """

    code: str
    files: tuple[str, ...]
    resource: Resource
    known: catalog.Catalog
    deliveries: str
    out: str
    former: str = ""
    accept: bool = False
    program: str = ""
    sources: str = ""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of one part: its name and the SHA-256 of its manifest where it is kept, else why not."""

    code: str
    status: ledger.Status
    name: str = ""
    manifest_sha256: str = ""
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    sums: tuple[Sum, ...] = ()
    reason_zh: str = ""
    reason_en: str = ""
    worker: str = ""
    seconds: float = 0.0


def receive(part: Part, settings: Settings | None = None) -> Kept:
    """Receive one part and keep it; whatever goes wrong is in what is given back, and nothing is half kept.

    Without `settings` they are read from this machine's environment, and so are the keys of buckets.
    """
    started = time.perf_counter()
    try:
        kept = _received(part, settings or setting.read())
    except (TwinError, OSError) as error:
        zh, en = (error.zh, error.en) if isinstance(error, TwinError) else (str(error), str(error))
        kept = Kept(code=part.code, status="failed", reason_zh=zh, reason_en=en)
    seconds = time.perf_counter() - started
    return dataclasses.replace(kept, worker=f"{platform.node()}:{os.getpid()}", seconds=round(seconds, 3))


@cache
def program() -> str:
    """Give one hash over what decides the bytes of a partition: every worker of a county must have the same."""
    return hashlib.sha256(repr([tasks.PIPELINE, *(version(p) for p in _PROGRAMS)]).encode()).hexdigest()[:20]


@cache
def sources() -> str:
    """Give one hash over our own modules: a worker of another release is told by it."""
    root = Path(__file__).parents[2]
    found = sorted(p for room in ("etl", "twin") for p in (root / room).rglob("*.py"))
    seen = hashlib.sha256()
    for path in found:
        seen.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return seen.hexdigest()[:20]


def prefix(part: Part, name: str) -> str:
    """Give where the partition `name` lies below its place, "/" at the end."""
    return f"{part.resource.id}/code={part.code}/{name}/"


def _received(part: Part, settings: Settings) -> Kept:
    wanted, have = f"{part.program}/{part.sources}", f"{program()}/{sources()}"
    if wanted != have:
        raise SourceError(
            f"本机程序版本与发起者不一致({have} ≠ {wanted}),请装同一版本",
            f"This machine's programs are not those of whoever asks ({have} != {wanted}): install the same",
        )
    out, deliveries = places.opened(part.out, settings), places.opened(part.deliveries, settings)
    with durable.workplace(settings.data / "run" / "parts") as scratch:
        here = dataclasses.replace(settings, data=scratch)
        name = _name(part, _taken(part, deliveries, here.raw))
        if f"{prefix(part, name)}{MANIFEST}" in out.names(f"{prefix(part, name)}{MANIFEST}"):
            return _kept(part, name, out.read(f"{prefix(part, name)}{MANIFEST}"), "unchanged")
        if part.former:
            _seed(part, out, here)
        errand = Errand(name=name, bare=True)
        report = run.run(part.resource, part.known, here, accept=part.accept, errand=errand)
        if report.status != "published":
            zh, en, counts = report.reason_zh, report.reason_en, dict(report.counts)
            return Kept(code=part.code, status=report.status, counts=counts, reason_zh=zh, reason_en=en)
        return _kept(part, name, _keep(part, out, here, name), "published")


def _taken(part: Part, deliveries: Place, raw: Path) -> list[tuple[str, str]]:
    """Lay the delivery below `raw`; give (name, SHA-256) of each file."""
    taken = []
    for name in part.files:
        data, path = deliveries.read(name), raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (0, 0))  # it has stood still: nobody uploads into this folder
        taken.append((name, hashlib.sha256(data).hexdigest()))
    return taken


def _name(part: Part, files: list[tuple[str, str]]) -> str:
    """Give the partition's name: one hash over what was delivered and everything that decides what comes of it."""
    declared = tasks.declaration(part.resource, part.known)
    return hashlib.sha256(repr((part.program, declared, part.code, files)).encode()).hexdigest()[:24]


def _seed(part: Part, out: Place, here: Settings) -> None:
    """Publish the partition that serves now in this run's own store: the gates compare a delivery with it."""
    room = prefix(part, part.former)
    told = json.loads(out.read(room + MANIFEST))

    def fill(directory: Path) -> Mapping[str, Any]:
        (directory / TABLE).write_bytes(whole(out, room, told, TABLE))
        return {k: told[k] for k in _FACTS if k in told}

    Store(here.store).publish(part.resource.id, fill, version=part.former)


def whole(out: Place, room: str, told: Mapping[str, Any], name: str) -> bytes:
    """Give a file of a partition as its manifest names it; raises StoreBroken where it is not."""
    data = out.read(room + name)
    if hashlib.sha256(data).hexdigest() != told["files"][name]["sha256"]:
        raise StoreBroken(f"{room}{name} 已损坏,请删除后重跑", f"{room}{name} is damaged: remove it and run again")
    return data


def _keep(part: Part, out: Place, here: Settings, name: str) -> bytes:
    """Write the partition's files to its place, the manifest last; give that. It tells no time and no machine."""
    table = Store(here.store).current(part.resource.id)
    quarantine = tasks.quarantine(here).current(part.resource.id)
    files = {TABLE: table.file("part.parquet"), QUARANTINE: quarantine.file("part.parquet")}
    described: dict[str, dict[str, Any]] = {}
    for file, path in files.items():
        data = path.read_bytes()
        out.write(prefix(part, name) + file, data)
        described[file] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    told = _told(part, name, table, described)
    out.write(prefix(part, name) + MANIFEST, told)
    return told


def _told(part: Part, name: str, table: Snapshot, files: Mapping[str, Any]) -> bytes:
    facts = {k: table.manifest[k] for k in (*_FACTS, *_REMARKS) if k in table.manifest}
    added = sums.to_lists(sums.of_part(part.resource, table.file("part.parquet")))
    facts |= {"table": part.resource.id, "code": part.code, "name": name, "sums": added, "files": files}
    return json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode()


def _kept(part: Part, name: str, manifest: bytes, status: ledger.Status) -> Kept:
    told = json.loads(manifest)
    return Kept(
        code=part.code,
        status=status,
        name=name,
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        counts=told["ledger"],
        sums=tuple(sums.from_lists(told["sums"])),
    )
