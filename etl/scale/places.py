"""Where deliveries and partitions lie: a folder of any file system, or a bucket; the only one to tell them apart.

A name is there whole or not at all, and whoever writes it twice writes the same bytes: two workers that do the same
part at once cannot spoil it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from etl.fetch import objects
from twin import durable
from twin.errors import SourceError
from twin.settings import Settings


class Place(Protocol):
    """What a folder and a bucket can both do; a name is a path below it, with "/" between its parts."""

    def names(self, below: str = "") -> list[str]:
        """Give the names of all files that begin with `below`, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """Give the bytes of a file. Raises SourceError where there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Keep `data` under `name`, whole."""
        ...


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of a file system that every worker sees under the same path."""

    root: Path

    def names(self, below: str = "") -> list[str]:
        """Give the names of all files that begin with `below`, sorted; unfinished ones are none."""
        if below and (self.root / below).is_file():
            return [below]
        room = self.root / below.rpartition("/")[0]
        found = (p for p in room.rglob("*") if p.is_file() and not p.name.startswith(durable.TEMPORARY))
        names = (p.relative_to(self.root).as_posix() for p in found)
        return sorted(n for n in names if n.startswith(below))

    def read(self, name: str) -> bytes:
        """Give the bytes of a file. Raises SourceError where there is none."""
        try:
            return (self.root / name).read_bytes()
        except OSError as wrong:
            raise SourceError(f"“{name}”读不到:{wrong}", f"“{name}” cannot be read: {wrong}", file=name) from wrong

    def write(self, name: str, data: bytes) -> None:
        """Keep `data` under `name`, whole and durable on return."""
        path = self.root / name
        durable.make_directory(path.parent)
        durable.write(path, data)


def opened(text: str, settings: Settings) -> Place:
    """Give the place `text` names: a path, or "connection:prefix" of an S3 connection in connections.toml.

    The connection's keys come from the environment of whoever opens it; they are never sent to a worker.
    """
    name, colon, prefix = text.partition(":")
    if colon and "/" not in name:
        return objects.bucket(name, prefix, settings.village)
    return Folder(root=Path(text).resolve())
