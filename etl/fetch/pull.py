"""A source that names a connection is asked, and what came is kept below raw/_pulled, whole, before anything reads it.

Nothing but the pull itself remembers how far it went: the next one looks at the pull the published version was made of,
so that a watermark is committed by publishing and by nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etl.fetch import book as books
from etl.fetch import connections, transports
from etl.fetch.book import Book
from etl.fetch.connections import Connection, Open
from etl.fetch.order import Unchanged
from etl.fetch.tally import Uneven
from twin import durable
from twin.errors import SourceError
from twin.model import Resource, Source

ROOM = "_pulled"
ASKED = "_asked"
WHOLE = ".whole"
"""The file of a source's room that says when it was last read whole."""
READINGS = 2
"""A source that does not come out even is read as often as this before it is refused."""
_SAFE = re.compile(r"[^0-9A-Za-z_.-]")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Asked:
    """One pull: of whom, what, into which room, and the pull before; `base` where this one goes on from it."""

    to: Open
    resource: Resource
    source: Source
    room: Path
    last: Mapping[str, Any]
    base: Path | None


def shown(source: Source) -> str:
    """Give the words a source goes by: its connection and what was asked of it, else its location."""
    return f"{source.connection}:{asked(source)}" if is_pulled(source) else source.location


def asked(source: Source) -> str:
    """Give what was asked of the connection: `part`, also where a pulled file has taken that word for its layer."""
    return source.options.get(ASKED, source.part)


def pull_of(source: Source) -> str:
    """Give the folder of a source's pull below raw/, "" where it was not pulled."""
    return "/".join(source.location.split("/")[:4]) if is_pulled(source) else ""


def is_pulled(source: Source) -> bool:
    """Say whether a source lies in a pull."""
    return source.location.startswith(f"{ROOM}/")


def reads(source: Source, raw: Path) -> str:
    """Give the reader of a source that was pulled as pages, "" where the resource's own reads it."""
    if not is_pulled(source) or not (raw / source.location / books.PULL).exists():
        return ""
    return "" if books.read(raw / source.location).get("folder") else "pulled"


def arranged(
    resource: Resource,
    raw: Path,
    village: Path,
    published: Mapping[str, Any] | None,
    *,
    environ: Mapping[str, str] = os.environ,
    whole: bool = False,
    still: bool = False,
) -> tuple[Source, ...]:
    """Give the sources to be read now: files that lie there, and pulls of those whose connection the environment arms.

    `published` is the manifest of the version that serves; `whole` reads everything again; `still` asks nobody and
    takes the newest pulls there are (what was held, and is approved now). Raises SourceError, in which
    no secret stands; then nothing is left behind.
    """
    known = connections.read(village) if any(s.connection for s in resource.sources) else {}
    found: list[Source] = []
    for number, source in enumerate(resource.sources):
        if source.connection and source.connection not in known:
            raise connections.unknown(source.connection, source.location)
        to = connections.opened(known[source.connection], environ) if source.connection else None
        last = _newest(raw, resource, number) if still and to is not None else None
        if last is not None:
            found.append(_source(source, raw, last))
        elif to is not None:
            found.append(_pulled(to, resource, number, raw, _before(raw, resource, number, published), whole=whole))
        elif (raw / source.location).exists():
            found.append(_stand_in(source, known))
    return tuple(found)


def _stand_in(source: Source, known: Mapping[str, Connection]) -> Source:
    """Give a source as it lies there as a file; what it is called at its connection is no layer of that file."""
    layer = source.options.get("layer", "")
    if not source.connection or (known[source.connection].kind in connections.DATABASES and not layer):
        return source
    return dataclasses.replace(source, part=layer)


def absent(resource: Resource, sources: tuple[Source, ...]) -> list[str]:
    """Give the declared sources that are not among those to be read."""
    there = {(s.connection, asked(s)) for s in sources if is_pulled(s)}
    files = {s.location for s in sources}
    return [s.location for s in resource.sources if s.location not in files and (s.connection, s.part) not in there]


def keep(raw: Path, resource: str, manifests: list[Mapping[str, Any]]) -> None:
    """Remove the pulls of a resource that no version names; the newest stays as well."""
    for room in sorted((raw / ROOM / _safe(resource)).glob("*")):
        named = {str(s.get("pull", "")) for m in manifests for s in m.get("sources", ())}
        pulls = sorted((p for p in room.iterdir() if (p / books.PULL).exists()), key=lambda p: p.stat().st_mtime_ns)
        for pull in pulls[:-1]:
            if pull.relative_to(raw).as_posix() not in named:
                durable.remove_tree(pull)


def _before(raw: Path, resource: Resource, number: int, published: Mapping[str, Any] | None) -> Path | None:
    """Give the pull the published version was made of, None where there is none or it is gone."""
    room = f"{ROOM}/{_safe(resource.id)}/{number}/"
    for one in (published or {}).get("sources", ()):
        name = str(one.get("pull", ""))
        if name.startswith(room) and (raw / name / books.PULL).exists():
            return raw / name
    return None


def _pulled(to: Open, resource: Resource, number: int, raw: Path, before: Path | None, *, whole: bool) -> Source:
    source = resource.sources[number]
    room = raw / ROOM / _safe(resource.id) / str(number)
    durable.make_directory(room)
    with durable.lock(room / ".lock"):
        durable.sweep(room)
        last = _known(before, room) if before and not whole else {}
        base = before if last and transports.goes_on(source, last) else None
        try:
            folder = _even(_Asked(to=to, resource=resource, source=source, room=room, last=last, base=base))
        except Unchanged:
            folder = before
    if folder is None:
        raise SourceError(f"“{source.part}”称未变化,但没有上一版", f"“{source.part}” says unchanged", file=source.part)
    return _source(source, raw, folder)


def _known(before: Path, room: Path) -> dict[str, Any]:
    """Give what the last pull says; read whole since, with the same outcome, it is as old as that reading."""
    last = books.read(before)
    again = (room / WHOLE).read_text("ascii") if (room / WHOLE).exists() else ""
    return last | {"whole_at": max(again, str(last.get("whole_at", last["pulled_at"])))}


def _newest(raw: Path, resource: Resource, number: int) -> Path | None:
    room = raw / ROOM / _safe(resource.id) / str(number)
    return max((p.parent for p in room.glob(f"*/{books.PULL}")), key=lambda p: p.stat().st_mtime_ns, default=None)


def _source(source: Source, raw: Path, folder: Path) -> Source:
    """Give a source as it lies in its pull."""
    said = books.read(folder)
    place = folder.relative_to(raw).as_posix() + (f"/{said['main']}" if said.get("main") else "")
    layered = {} if said["layout"]["form"] != "file" else {"part": source.options.get("layer", "")}
    options = {**source.options, ASKED: source.part}
    return dataclasses.replace(source, location=place, as_of=datetime.now(UTC).date(), options=options, **layered)


def _even(asked: _Asked) -> Path:
    """Read until it comes out even, at most READINGS times."""
    for reading in range(READINGS):
        try:
            return _read(asked)
        except Uneven:
            if reading == READINGS - 1:
                raise
    raise AssertionError


def _read(asked: _Asked) -> Path:
    started = datetime.now(UTC)
    order = transports.order(asked.to.connection.kind, asked.resource, asked.source, asked.last, asked.base)
    with durable.staging(asked.room) as folder:
        name = f"{asked.source.connection}:{asked.source.part}"
        book = Book(name=name, folder=folder, marked=asked.source.watermark)
        transports.read(asked.to, order, book)
        if order.base is None:
            durable.write(asked.room / WHOLE, started.isoformat().encode())
        if not book.facts.get("rows", len(book.ids)) and order.option("empty") != "allowed":
            raise _nothing(book.name)
        fingerprint = _fingerprint(book, asked.source)
        final = asked.room / fingerprint
        if (final / books.PULL).exists():
            return final
        book.close(_facts(asked.to, asked.source, started, fingerprint, book))
        durable.commit_directory(folder, final)
    return final


def _nothing(name: str) -> SourceError:
    return SourceError(
        f'“{name}”应答了空表。上一版继续提供;确实为空时在 options 写 empty = "allowed"。',
        f"“{name}” answered with no row at all. The last version stays; where that is the truth, "
        'declare empty = "allowed" among its options.',
        file=name,
    )


def _facts(to: Open, source: Source, started: datetime, fingerprint: str, book: Book) -> dict[str, Any]:
    return {
        "connection": source.connection,
        "kind": to.connection.kind,
        "part": source.part,
        "pulled_at": started.isoformat(),
        "fingerprint": fingerprint,
        "rows": book.facts.get("rows", len(book.ids)),
    }


def _fingerprint(book: Book, source: Source) -> str:
    """Give what tells this content from another: the rows by identity and value, in any order."""
    said = json.dumps([source.connection, source.part, book.digest % (1 << 128), len(book.ids), book.facts.get("mark")])
    return hashlib.sha256(said.encode()).hexdigest()[:20]


def _safe(name: str) -> str:
    return _SAFE.sub("_", name)
