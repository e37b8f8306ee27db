"""Which version of a table is current, and which came before: the only reader and writer of current.json."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from twin import durable

if TYPE_CHECKING:
    from pathlib import Path

NAME = "current.json"
COPY = "current.copy.json"
"""The same bytes, swapped right after: a damaged pointer does not cost the table."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One published version and the SHA-256 of its manifest, which names the SHA-256 of everything else."""

    version: str
    manifest_sha256: str
    created_at: str


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """The chain of versions, newest (current) first."""

    chain: tuple[Version, ...]

    @property
    def current(self) -> Version:
        """Give the version that is served."""
        return self.chain[0]


def encode(pointer: Pointer) -> bytes:
    """Give the one byte sequence that means `pointer`; any other bytes are damage."""
    body = json.dumps({"chain": [asdict(v) for v in pointer.chain]}, sort_keys=True)
    return json.dumps({"body": body, "sha256": hashlib.sha256(body.encode()).hexdigest()}, indent=1).encode()


def decode(data: bytes) -> Pointer | None:
    """Read pointer bytes; None where they are damaged in any way."""
    try:
        chain = json.loads(json.loads(data)["body"])["chain"]
        pointer = Pointer(chain=tuple(Version(**v) for v in chain))
    except (ValueError, KeyError, TypeError):
        return None
    return pointer if pointer.chain and encode(pointer) == data else None


def read(folder: Path) -> tuple[Pointer | None, tuple[str, ...]]:
    """Give the pointer of the table in `folder`, and the names of the pointer files found damaged on the way.

    (None, ()) means that nothing was ever published; (None, names) that no readable pointer is left.
    """
    damaged: list[str] = []
    for name in (NAME, COPY):
        try:
            pointer = decode((folder / name).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            continue
        if pointer is not None:
            # a first publish killed between its two swaps has no copy yet; a copy without pointer is damage
            return pointer, (*damaged, NAME) if name == COPY and not damaged else tuple(damaged)
        damaged.append(name)
    return None, tuple(damaged)


def damaged(folder: Path) -> tuple[str, ...]:
    """Give the names of the pointer files whose bytes are not a pointer's; a missing copy is no damage."""
    return tuple(p.name for p in (folder / NAME, folder / COPY) if p.exists() and decode(p.read_bytes()) is None)


def write(folder: Path, pointer: Pointer) -> None:
    """Swap the pointer of the table in `folder`; durable on return."""
    data = encode(pointer)
    durable.swap(folder / NAME, data)
    durable.swap(folder / COPY, data)
