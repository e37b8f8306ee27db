"""Versions of a table written anew in their places, or taken out: all of one table at once, or none; the only one.

The order is that of a publish: the new folders stand durably before the pointer names them, the old ones go after it.
Killed anywhere, the chain is the old one or the new one, and every version it names is there. What the pointer does not
name is swept by the next change of the table.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twin import durable
from twin.errors import BadRequest, NotFound, PublishConflict
from twin.store import manifest as manifests
from twin.store import pointer as pointers
from twin.store import removed
from twin.store.pointer import Pointer, Version
from twin.store.removed import Removed, Why

Fill = Callable[[Path], Mapping[str, Any]]
Changes = Mapping[str, Fill | None]
"""By version: what writes it anew and gives its manifest's fields, or None for one that is taken out."""
_ANEW = re.compile(r"(?P<name>.*)\.a(?P<times>\d+)")


def change(folder: Path, changes: Changes, why: Why) -> None:
    """Write versions of the table in `folder` anew, or take them out, and leave nothing that the chain does not name.

    A version written anew keeps its place and its time, under a name of its own. Raises BadRequest where the current
    version would be taken out, NotFound for one not in the chain, PublishConflict where a publish came between.
    """
    anew = {version: fill for version, fill in changes.items() if fill is not None}
    out = changes.keys() - anew.keys()
    with contextlib.ExitStack() as stack:
        with durable.lock(folder / ".lock"):
            durable.sweep(folder)
            pointer = pointers.read(folder)[0]
            chain = _chain(folder, pointer, changes)
            staged = {version: stack.enter_context(durable.staging(folder)) for version in anew}
        entries = {v: _filled(staged[v], anew[v], chain[v], why) for v in anew}
        with durable.lock(folder / ".lock"):
            if pointers.read(folder)[0] != pointer:
                raise PublishConflict(
                    "同一张表刚刚有新的发布,请重试", "A publish of this table came first; try again", table=folder.name
                )
            for version, entry in entries.items():
                final = folder / f"v={entry.version}"
                if final.exists():  # left by a change that was killed before its pointer
                    durable.remove_tree(final)
                durable.commit_directory(staged[version], final)
            left = [entries.get(v.version, v) for v in chain.values() if v.version not in out]
            _point(folder, pointer, left, [chain[v] for v in changes], why)


def _point(folder: Path, pointer: Pointer | None, left: list[Version], gone: list[Version], why: Why) -> None:
    """Say what is gone, point to what is left, and remove every folder that is not pointed to."""
    at = datetime.now(UTC).isoformat()
    if gone:
        removed.add(folder, [Removed(version=v.version, created_at=v.created_at, removed_at=at, why=why) for v in gone])
    if pointer is None or tuple(left) != pointer.chain:
        pointers.write(folder, Pointer(chain=tuple(left)))
    kept = {f"v={v.version}" for v in left}
    for path in sorted(folder.glob("v=*")):
        if path.name not in kept:
            durable.remove_tree(path)


def _chain(folder: Path, pointer: Pointer | None, changes: Changes) -> dict[str, Version]:
    if pointer is None:  # never published, or its pointer is damaged: nothing of it is touched then
        raise NotFound(f"{folder.name} 没有可读的版本", f"{folder.name} has no version that can be read")
    chain = {v.version: v for v in pointer.chain}
    unknown = next((v for v in changes if v not in chain), None)
    if unknown is not None:
        raise NotFound(f"{folder.name} 没有版本 {unknown}", f"{folder.name} has no version {unknown}")
    current = next(iter(chain), "")
    if current in changes and changes[current] is None:
        raise BadRequest(
            f"{folder.name} 的当前版本不能删除",
            f"The current version of {folder.name} is never removed",
            version=current,
        )
    return chain


def _filled(staging: Path, fill: Fill, before: Version, why: Why) -> Version:
    """Let `fill` write, then write the manifest of what is there, of the same time as before."""
    name = _renamed(before.version)
    now = datetime.now(UTC).isoformat()
    fields = {k: v for k, v in fill(staging).items() if k != "files"}
    fields |= {"version": name, "created_at": before.created_at}
    fields["anew"] = {"before": before.version, "before_sha256": before.manifest_sha256, "at": now, "why": why}
    data, digest = manifests.build(staging, fields)
    durable.write(staging / manifests.NAME, data)
    return Version(version=name, manifest_sha256=digest, created_at=before.created_at)


def _renamed(version: str) -> str:
    """Give the next name of a version that is written anew."""
    found = _ANEW.fullmatch(version)
    return f"{found['name']}.a{int(found['times']) + 1}" if found else f"{version[:70]}.a1"
