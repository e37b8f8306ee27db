"""Which resources of a department are due together, and when: the groups that become jobs; knows nothing of Dagster."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from etl import catalog
from twin.model import Department, Resource
from twin.runs import cadence
from twin.runs.cadence import Cadence, Part

_SAFE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Group:
    """The resources of one department with one cadence: one job."""

    department: Department
    cadence: Cadence
    resources: tuple[Resource, ...]

    @property
    def name(self) -> str:
        """Give a name of department and cadence that stays while they do."""
        words = _SAFE.sub("_", self.cadence.text.lower()).strip("_")[:40]
        return f"{self.department.id}__{words}_{zlib.crc32(self.cadence.text.encode()):08x}"


def groups(known: catalog.Catalog) -> list[Group]:
    """Give the groups of every department in catalogue order; what the law does not share is never received."""
    found: list[Group] = []
    for department in known.whole:
        by_cadence: dict[str, list[Resource]] = {}
        for resource in (r for r in department.resources if r.share_type != "none"):
            by_cadence.setdefault(of(resource), []).append(resource)
        for text, some in by_cadence.items():
            read = cadence.parse(text, known.village.time_zone)
            found.append(Group(department=department, cadence=read, resources=tuple(some)))
    return found


def of(resource: Resource) -> str:
    """Give a resource's cadence: the declared one, "after" its inputs where it is derived, else by its promise."""
    if resource.cadence:
        return resource.cadence
    return f"after {' '.join(resource.inputs)}" if resource.inputs else cadence.derived(resource)


def crons(timed: Iterable[Part]) -> list[str]:
    """Give crontab lines that cover every time a part may be due; working days are looked up when one comes."""
    return [line for part in timed if (line := _cron(part))]


def _cron(part: Part) -> str:
    if part.kind == "cron":
        return " ".join(part.fields)
    return f"{part.at.minute} {part.at.hour} * * *" if part.kind in ("workdays", "workday") else ""
