"""Which delivered files lie there now: one mark a resource, once they have lain still."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.model import Resource

STILL_SECONDS = 10.0
"""Files that changed less than this ago may still be growing."""
MOST_FILES = 5_000


@dataclass(frozen=True, kw_only=True)
class Lying:
    """The files of a resource: a mark of names, sizes and times, and when the last of them changed (aware UTC)."""

    mark: str
    changed_at: datetime


def lying(resource: Resource, raw: Path, now: datetime) -> Lying | None:
    """Give what lies there of a resource, None where nothing does or something changed a moment ago.

    The time is the one the file system keeps of a change (ctime), which nobody who copies a file can set.
    """
    seen: list[tuple[str, int, int]] = []
    newest = 0
    for path in _files(resource, raw):
        try:
            facts = path.stat()
        except OSError:
            return None  # it goes away as we look: it is not lying still
        seen.append((str(path.relative_to(raw)), facts.st_size, facts.st_mtime_ns))
        newest = max(newest, facts.st_ctime_ns)
    if not seen:
        return None
    changed_at = datetime.fromtimestamp(newest / 1e9, UTC)
    if 0 <= (now - changed_at).total_seconds() < STILL_SECONDS:
        return None
    mark = hashlib.sha256(repr(sorted(seen)).encode()).hexdigest()[:16]
    return Lying(mark=mark, changed_at=min(changed_at, now))


def anything(resource: Resource, raw: Path) -> bool:
    """Say whether a run could find anything: a file, or a source that is no file."""
    files = [s for s in resource.sources if not s.connection]
    return len(files) != len(resource.sources) or not files or any((raw / s.location).exists() for s in files)


def _files(resource: Resource, raw: Path) -> Iterator[Path]:
    """Give the files of each source: a folder's, or those that share the name of its main file (.shp, .dbf, .prj)."""
    for source in resource.sources:
        if not source.location:
            continue
        path = raw / source.location
        if path.is_dir():
            yield from _tree(path)
        elif path.is_file():
            stem = path.name.partition(".")[0]
            names = (entry.name for entry in os.scandir(path.parent) if entry.is_file())
            yield from (path.parent / name for name in names if name.partition(".")[0] == stem)


def _tree(folder: Path) -> Iterator[Path]:
    given = 0
    for place, _, names in os.walk(folder):
        for name in names:
            given += 1
            if given > MOST_FILES:
                return
            yield Path(place, name)
