"""What a backup consists of, and the check that it is whole; the only one to know its form.

A backup is a folder: `ops.sqlite`, `store/`, `uploads/`, `village/`, `run/`, and `backup.json` with the SHA-256 of
every file; its own stands in `backup.sha256`. The house secret is not in it and is kept elsewhere; neither are the
deliveries in raw/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from twin import durable, ops
from twin.errors import SourceError, StoreFull

FORMAT = "onemap-backup-1"
LIST, SEAL = "backup.json", "backup.sha256"
OPS = "ops.sqlite"


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup on disk: where, of when, how many files and bytes, and what was damaged before it was taken."""

    path: Path
    at: str
    files: int
    bytes: int
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Places:
    """What is backed up and restored: the data folder, the village's declarations and the operational store."""

    data: Path
    village: Path
    ops_url: str


def check(path: Path) -> Backup:
    """Hash every file of a backup; raises SourceError naming what is missing, damaged or does not belong."""
    body = read(path)
    found = hashes(path)
    if found != body["files"]:
        wrong = {n for n in found.keys() | body["files"].keys() if found.get(n) != body["files"].get(n)}
        raise damaged_in(path, sorted(wrong))
    return Backup(path=path, at=body["at"], files=len(found), bytes=size(body), damaged=tuple(body["damaged"]))


def read(path: Path) -> Mapping[str, Any]:
    """Give the list of a backup's files with their hashes; raises SourceError where the list itself is damaged."""
    try:
        data = (path / LIST).read_bytes()
        sealed = (path / SEAL).read_bytes() == _seal_of(data)
        body = json.loads(data)
    except (OSError, ValueError):
        raise damaged_in(path, [LIST]) from None
    if not sealed or body.get("format") != FORMAT:
        raise damaged_in(path, [LIST])
    return body


def seal(staging: Path, at: datetime, damaged: tuple[str, ...]) -> Mapping[str, Any]:
    """Write the list of what lies in a folder, and its hash, durably; gives the list."""
    body = {"format": FORMAT, "at": at.isoformat(), "schema": ops.HEAD, "damaged": damaged, "files": hashes(staging)}
    data = json.dumps(body, ensure_ascii=False, indent=1).encode()
    durable.write(staging / LIST, data)
    durable.write(staging / SEAL, _seal_of(data))
    return body


def _seal_of(data: bytes) -> bytes:
    return f"{hashlib.sha256(data).hexdigest()}\n".encode()


def hashes(folder: Path) -> dict[str, dict[str, Any]]:
    """Give hash and length of every file below a folder but the list itself."""
    return {
        path.relative_to(folder).as_posix(): {"sha256": durable.sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (LIST, SEAL)
    }


def size(body: Mapping[str, Any]) -> int:
    """Give the bytes of all files of a list."""
    return sum(file["bytes"] for file in body["files"].values())


def full(into: Path) -> StoreFull:
    """Give the refusal of a disk that has no room or cannot be written."""
    return StoreFull(
        f"备份盘已满或不可写:{into}", f"The disk of the backup is full or cannot be written: {into}", path=into
    )


def damaged_in(path: Path, names: list[str]) -> SourceError:
    """Give the refusal of a backup whose files of these names are not as its list says."""
    first = ", ".join(names[:5])
    return SourceError(
        f"备份 {path.name} 已损坏({len(names)} 个文件:{first}),未做任何改动;请换一份备份",
        f"The backup {path.name} is damaged ({len(names)} files: {first}); nothing was changed; take another one",
        path=path,
    )
