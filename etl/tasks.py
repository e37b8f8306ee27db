"""One run as a value: what is received, under which permissions, and whether it was received before."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from etl import catalog, ledger, scenes
from etl.amending import Amending
from etl.ledger import Report
from twin.errors import NotFound, StoreBroken, TwinError
from twin.store import Snapshot, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from etl import fetch
    from etl.catalog import Catalog
    from twin.model import Resource, Source
    from twin.settings import Settings

PIPELINE = "2"
"""Raise it when the same delivery would now be published differently: every resource is then received again."""
Progress = Callable[[str, int], None]
OF_FILES = 44
"""How much of a delivery's hash stands for its files alone."""
STAGES = ("fetched", "read", "checked", "published")


def _reached(_stage: str) -> None:
    """Say nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Errand:
    """Who sent a run, where somebody did: its tick, where it logs, the one delivery that was approved, and why.

    `reached` is told each stage as it is reached, and may keep the run waiting there. `name` is what the run is called
    instead of a name of its own; `bare` publishes the GeoParquet alone, nothing that is derived from it.
    """

    tick: str = ""
    log: str = ""
    approved: str = ""
    why: str = ""
    reached: Callable[[str], None] = _reached
    name: str = ""
    bare: bool = False


NOBODY = Errand()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """One run: what is received, into which stores, under which permissions."""

    resource: Resource
    catalog: Catalog
    settings: Settings
    run: str
    started_at: datetime
    accept: bool
    force: bool
    progress: Progress
    sources: tuple[Source, ...]
    declaration: str
    delivery: str = ""
    errand: Errand = NOBODY
    amending: Amending = dataclasses.field(default_factory=Amending)
    stages: dict[str, datetime] = dataclasses.field(default_factory=dict)

    def reached(self, stage: str) -> None:
        """Note when a stage was reached, and let whoever sent this run know."""
        self.stages[stage] = datetime.now(UTC)
        self.errand.reached(stage)

    @property
    def accepted(self) -> bool:
        """Say whether this very delivery is published even where a gate would hold it."""
        return self.accept or (bool(self.delivery) and self.delivery == self.errand.approved)

    @property
    def store(self) -> Store:
        """Give the store of published tables."""
        return Store(self.settings.store)

    @property
    def quarantine(self) -> Store:
        """Give the store of what was not published."""
        return quarantine(self.settings)

    def report(self, status: ledger.Status, **facts: Any) -> Report:
        """Make the report of this run, ending now."""
        return Report(
            resource=self.resource.id,
            run=self.run,
            status=status,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            stages=dict(self.stages),
            tick=self.errand.tick,
            log=self.errand.log,
            **facts,
        )


def quarantine(settings: Settings) -> Store:
    """Give the store of quarantined rows: the same protocol, one table per resource."""
    return Store(settings.store / "_quarantine")


def declaration(resource: Resource, known: Catalog) -> str:
    """Give one hash over everything that decides how the same files are published."""
    named = {f.code_system for f in resource.fields if f.code_system}
    village = dataclasses.replace(known.village, clock=None)
    systems = [s for s in known.code_systems if s.id in named]
    return hashlib.sha256(repr((PIPELINE, resource, village, systems)).encode()).hexdigest()


def delivery(task: Task, files: Sequence[fetch.FileSet]) -> str:
    """Give one hash over the files as they lie there and everything that decides how they are published.

    Where the quarantine desk decided about rows, its end names those decisions: the files stay known by the beginning.
    """
    seen = sorted((f.location, part.name, part.sha256) for f in files for part in f.files)
    under = str(ground(task)) if scenes.wanted(task.resource) else ""
    whole = hashlib.sha256(repr((task.declaration, seen, under)).encode()).hexdigest()
    decided = task.amending.digest
    return f"{whole[:OF_FILES]}{decided[: len(whole) - OF_FILES]}" if decided else whole


def same_files(one: str, other: str) -> bool:
    """Say whether two deliveries are the same files, whatever the quarantine desk decided about their rows."""
    return bool(one) and one[:OF_FILES] == other[:OF_FILES]


@contextlib.contextmanager
def naming(files: Sequence[fetch.FileSet]) -> Iterator[None]:
    """Add to a refusal the SHA-256 of the file it names, which a person can check with sha256sum."""
    try:
        yield
    except TwinError as error:
        named = error.where.get("file", "")
        of = [f for f in files if named in (f.location, *(part.name for part in f.files))] or files[:1]
        for one in of[:1]:
            error.where["sha256"] = one.sha256 if one.root.is_dir() else one.files[0].sha256
        raise


def ground(task: Task) -> Path | None:
    """Give the terrain that is published now, None where there is none: what 3D buildings stand on."""
    for resource in task.catalog.resources:
        if resource.kind == "raster" and resource.options.get("role") == "terrain":
            try:
                return task.store.current(resource.id).file("terrain.tif")
            except (NotFound, StoreBroken):
                continue
    return None


def unchanged(task: Task, manifest: Mapping[str, Any]) -> bool:
    """Say whether this very delivery is what is published, quarantine included."""
    if manifest.get("delivery") != task.delivery:
        return False
    if task.resource.kind in catalog.FILES:
        return True
    try:
        return task.quarantine.current(task.resource.id).manifest.get("run") == manifest.get("run")
    except (NotFound, StoreBroken):
        return False


def parent_of(task: Task) -> Snapshot | None:
    """Give the version that is published now, None where there is none that can be read."""
    try:
        return task.store.current(task.resource.id)
    except (NotFound, StoreBroken):
        return None


def manifests(task: Task) -> list[Mapping[str, Any]]:
    """Give the manifests of every version that is kept: what they were made of stays below raw/."""
    found = sorted((task.settings.store / task.resource.id).glob("v=*/manifest.json"))
    return [json.loads(path.read_bytes()) for path in found]


def provenance(task: Task, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the manifest fields that say where a version came from."""
    stated = as_of(task.sources)
    return {
        "resource": task.resource.id,
        "run": task.run,
        "delivery": task.delivery,
        "sources": sources,
        "as_of": stated.isoformat() if stated else None,
        **({"desk": told} if (told := task.amending.told()) else {}),
    }


def as_of(sources: Sequence[Source]) -> date | None:
    """Give the newest date the department states for its content."""
    return max((s.as_of for s in sources if s.as_of), default=None)
