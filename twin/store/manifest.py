"""What a version consists of: the manifest that names every file's SHA-256, and the check that the bytes are those."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from twin import durable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAME = "manifest.json"


def build(folder: Path, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """Give the manifest of the files in `folder` as bytes, and the SHA-256 of those bytes."""
    files = {
        name: {"sha256": durable.sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in sorted(_names(folder))
        if name != NAME
    }
    data = json.dumps({**fields, "files": files}, ensure_ascii=False, indent=1, default=str).encode()
    return data, hashlib.sha256(data).hexdigest()


def read(folder: Path, sha256: str) -> Mapping[str, Any] | None:
    """Give the manifest in `folder`, or None where its bytes are not those of `sha256`."""
    try:
        data = (folder / NAME).read_bytes()
    except OSError:
        return None
    return json.loads(data) if hashlib.sha256(data).hexdigest() == sha256 else None


def damaged(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Hash every file the manifest names; give (name, "missing" | "size" | "bytes") of each that is not as named."""
    for name, expected in manifest["files"].items():
        path = folder / name
        try:
            if path.stat().st_size != expected["bytes"]:
                yield name, "size"
            elif durable.sha256(path) != expected["sha256"]:
                yield name, "bytes"
        except OSError:
            yield name, "missing"


def signature(folder: Path, manifest: Mapping[str, Any]) -> tuple[tuple[int, int, int], ...]:
    """Give what the file system says of each file (inode, bytes, mtime): while it stays, hashes need not be redone."""
    seen = []
    for name in (NAME, *manifest["files"]):
        try:
            stat = (folder / name).stat()
        except OSError:
            return ()
        seen.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(seen)


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix()
