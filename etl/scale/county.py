"""A county's table: its partitions, what they add up to, and the index that makes them one; the only one to know that.

`<place>/<table>/code=<code>/<name>/` holds a partition, `index-<hash>.json` names one partition for each code and the
county's sums, `current.json` the index in force. Each is written after what it names. A delivery that is refused or
held leaves the partition before it in the index, and is told.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from etl import catalog
from etl.scale import parts, places, sums
from etl.scale.executors import Executor
from etl.scale.parts import Kept, Part
from etl.scale.places import Place
from etl.scale.sums import Sum
from twin.errors import BadRequest, ContractError, NotFound, SourceError, StoreBroken
from twin.model import Resource
from twin.settings import Settings

POINTER = "current.json"
CODE = re.compile(r"[0-9]{6}([0-9]{3}){0,2}")
"""A county's, town's or village's code."""
Told = Callable[[Kept, int, int], object]


@dataclass(frozen=True, kw_only=True)
class County:
    """One table of a county as its index says: `entries` is code → {name, sha256, counts}; sums by town and class."""

    table: str
    index: str
    entries: Mapping[str, Mapping[str, Any]]
    sums: Sequence[Sum]

    @property
    def counts(self) -> dict[str, int]:
        """Give the row ledger of all partitions together."""
        found: Counter[str] = Counter()
        for entry in self.entries.values():
            found.update(entry["counts"])
        return dict(found)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be received: a declared table, where its deliveries and its partitions lie, and what is permitted."""

    resource: Resource
    known: catalog.Catalog
    deliveries: str
    out: str
    accept: bool = False


def run(wanted: Wanted, settings: Settings, executor: Executor, tell: Told) -> tuple[County, list[Kept]]:
    """Receive every delivered part, add up, and publish the index; give the county and what became of each part.

    Raises BadRequest where the table cannot be cut, SourceError where nothing was delivered; then nothing has changed.
    """
    out = places.opened(wanted.out, settings)
    before = current(out, wanted.resource.id)
    work = planned(wanted, places.opened(wanted.deliveries, settings), before)
    results: list[Kept] = []
    for kept in executor(work):
        results.append(kept)
        tell(kept, len(results), len(work))
    results.sort(key=lambda kept: kept.code)
    if [k.code for k in results] != [p.code for p in work]:
        raise ContractError("分区数对不上账", "The partitions do not add up: some were done twice or not at all")
    return _published(out, wanted.resource.id, before, results), results


def planned(wanted: Wanted, deliveries: Place, before: County | None) -> list[Part]:
    """Give the parts there are to do, by code: one for each delivered name that is an administrative code."""
    known, resource = _alone(wanted)
    suffix = PurePosixPath(resource.sources[0].location).suffix
    found: dict[str, list[str]] = {}
    for name in deliveries.names():
        path = PurePosixPath(name)
        if CODE.fullmatch(path.stem) and len(path.parts) == 1:
            found.setdefault(path.stem, []).append(name)
    sound = {code: sorted(names, key=lambda n: (not n.endswith(suffix), n)) for code, names in sorted(found.items())}
    absent = next((code for code, names in sound.items() if not names[0].endswith(suffix)), None)
    if absent or not sound:
        what = f"{absent or '<code>'}{suffix}"
        raise SourceError(f"{wanted.deliveries} 中没有 {what}", f"There is no {what} in {wanted.deliveries}")
    former = before.entries if before else {}
    return [
        Part(
            code=code,
            files=tuple(names),
            resource=_of(resource, code, names[0]),
            known=known,
            deliveries=wanted.deliveries,
            out=wanted.out,
            former=former[code]["name"] if code in former else "",
            accept=wanted.accept,
            program=parts.program(),
            sources=parts.sources(),
        )
        for code, names in sound.items()
    ]


def _alone(wanted: Wanted) -> tuple[catalog.Catalog, Resource]:
    """Give the catalogue with nothing in it but this table: it travels with every part. Raises BadRequest."""
    resource, known = wanted.resource, wanted.known
    personal = resource.about_persons or any(f.sensitivity in ("personal", "sensitive") for f in resource.fields)
    if resource.kind in catalog.FILES or not resource.area_field or len(resource.sources) != 1 or personal:
        raise BadRequest(
            f"{resource.id} 不能分区:须有 area_field 和唯一来源,且不含个人信息(删除个人信息只在本机库中保证)",
            f"{resource.id} cannot be cut: it needs an area_field, one source, and nothing personal "
            "(erasing a person is promised for this machine's store only)",
        )
    named = {resource.code_system, *(f.code_system for f in resource.fields)}
    alone = catalog.Catalog(
        village=dataclasses.replace(known.village, clock=None),
        departments=(),
        code_systems=tuple(s for s in known.code_systems if s.id in named),
    )
    return alone, resource


def _of(resource: Resource, code: str, location: str) -> Resource:
    """Declare the table for one part: its delivery, and that every row's area is this code or below it."""
    source = dataclasses.replace(resource.sources[0], location=location)
    fields = tuple(
        dataclasses.replace(f, pattern=f"{code}[0-9]*", required=True) if f.name == resource.area_field else f
        for f in resource.fields
    )
    return dataclasses.replace(resource, sources=(source,), fields=fields)


def _published(out: Place, table: str, before: County | None, results: Iterable[Kept]) -> County:
    entries = dict(before.entries) if before else {}
    added = {code: sums.from_lists(e["sums"]) for code, e in entries.items()}
    for kept in results:
        if kept.name:
            added[kept.code] = list(kept.sums)
            entries[kept.code] = {
                "name": kept.name,
                "sha256": kept.manifest_sha256,
                "counts": dict(kept.counts),
                "sums": sums.to_lists(kept.sums),
            }
    together = sums.added(one for some in added.values() for one in some)
    told = {"table": table, "parts": dict(sorted(entries.items())), "sums": sums.to_lists(together)}
    data = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()
    digest = hashlib.sha256(data).hexdigest()
    index = f"index-{digest[:24]}.json"
    out.write(f"{table}/{index}", data)
    out.write(f"{table}/{POINTER}", json.dumps({"index": index, "sha256": digest}).encode())
    return County(table=table, index=index, entries=told["parts"], sums=together)


def current(out: Place, table: str) -> County | None:
    """Give the table as its index in force says, None where there is none yet. Raises StoreBroken for a damaged one."""
    if f"{table}/{POINTER}" not in out.names(f"{table}/{POINTER}"):
        return None
    pointer = json.loads(out.read(f"{table}/{POINTER}"))
    data = out.read(f"{table}/{pointer['index']}")
    if hashlib.sha256(data).hexdigest() != pointer["sha256"]:
        raise StoreBroken(f"{table}/{pointer['index']} 已损坏", f"{table}/{pointer['index']} is damaged")
    told = json.loads(data)
    return County(table=table, index=pointer["index"], entries=told["parts"], sums=sums.from_lists(told["sums"]))


def read(out: Place, table: str) -> County:
    """Give the table as its index in force says. Raises NotFound where it was never published."""
    found = current(out, table)
    if found is None:
        raise NotFound(f"尚未发布:{table}", f"{table} has not been published", table=table)
    return found


def damaged(out: Place, county: County) -> list[str]:
    """Hash every file of every partition of `county` again; give the names of those that are not as named."""
    found: list[str] = []
    for code, entry in county.entries.items():
        room = f"{county.table}/code={code}/{entry['name']}/"
        try:
            manifest = out.read(room + parts.MANIFEST)
            if hashlib.sha256(manifest).hexdigest() != entry["sha256"]:
                found.append(room + parts.MANIFEST)
                continue
            told = json.loads(manifest)
        except SourceError:
            found.append(room + parts.MANIFEST)
            continue
        for name in told["files"]:
            try:
                parts.whole(out, room, told, name)
            except (SourceError, StoreBroken):
                found.append(room + name)
    return found
