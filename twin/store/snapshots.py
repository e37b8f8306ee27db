"""Versioned snapshots of tables: publish, current, as_of, rollback, verify; the only one to know the store's layout.

`<root>/<table>/v=<version>/` holds a version's files and manifest, `<root>/<table>/current.json` names the chain of
versions with the hash of each manifest. A version is verified against its hashes before any of it is served; a damaged
one is skipped for the good one before it, and said so.
"""

from __future__ import annotations

import contextlib
import errno
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twin import duck, durable
from twin.errors import BadRequest, NotFound, PublishConflict, StoreBroken, StoreFull
from twin.store import manifest as manifests
from twin.store import pointer as pointers
from twin.store import removed, replacing, timeline
from twin.store.diff import Difference, compare
from twin.store.pointer import Pointer, Version
from twin.store.removed import Removed, Why
from twin.store.replacing import Changes
from twin.store.timeline import Held
from twin.store.verified import Fault, Snapshot, Verified

KEEP = 400
"""The most versions of a table on disk, whatever is declared: the rules of retention leave far fewer."""
SETTLED_NS = 100_000_000
"""A pointer written longer ago than this is known by what the file system says of it."""
TABLE = re.compile(r"[a-z][a-z0-9_]{0,62}")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")

Fill = Callable[[Path], Mapping[str, Any]]


class Store:
    """The published tables below one folder; safe to share between threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._verified = Verified(self.root)
        self._pointers: dict[str, tuple[tuple[int, ...], Pointer]] = {}

    # reading

    def tables(self) -> list[str]:
        """Give the names of the tables that were ever published."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if TABLE.fullmatch(p.name) and any(p.glob("current*.json")))

    def current(self, table: str) -> Snapshot:
        """Give the newest good version; raises NotFound (never published) or StoreBroken (nothing good is left)."""
        pointer, damaged = self._pointer(table)
        reason = f"{table}: {', '.join(damaged)}" if damaged else ""
        for version in pointer.chain:
            checked = self._verified.check(table, version)
            if not checked.faults:
                return replace(checked.snapshot, degraded=reason) if reason else checked.snapshot
            reason = reason or "; ".join(f.en for f in checked.faults)
        raise _broken(table, reason)

    def versions(self, table: str) -> list[Version]:
        """Give the chain of versions, the current one first; raises NotFound where there is none."""
        return list(self._pointer(table)[0].chain)

    def at(self, table: str, version: str) -> Snapshot:
        """Give one version of the chain, verified; raises NotFound or StoreBroken."""
        found = next((v for v in self.versions(table) if v.version == version), None)
        if found is None:
            gone = next((r for r in self.removed(table) if r.version == version), None)
            zh, en = (
                (gone.zh, gone.en) if gone else (f"{table} 没有版本 {version}", f"{table} has no version {version}")
            )
            raise NotFound(zh, en, table=table)
        checked = self._verified.check(table, found)
        if checked.faults:
            raise _broken(table, "; ".join(f.en for f in checked.faults))
        return checked.snapshot

    def as_of(self, table: str, at: datetime) -> Snapshot:
        """Give the version that was current at the aware time `at`; raises NotYetKnown, VersionGone, StoreBroken."""
        return self.at(table, timeline.kept_at(table, self.history(table), at).version)

    def history(self, table: str) -> list[Held]:
        """Give every version kept or remembered, the last published first; raises NotFound where there is none."""
        return timeline.of(self.versions(table), removed.read(self._folder(table)))

    def removed(self, table: str) -> list[Removed]:
        """Give what was taken out of the table's chain, the last first; what was written anew is not gone."""
        chain = {v.created_at for v in self.versions(table)}
        return [r for r in removed.read(self._folder(table)) if r.created_at not in chain]

    def diff(self, table: str, a: str, b: str) -> Difference:
        """Compare version `a` (before) of a table with `b` (after) by row key and content."""
        return compare(self.at(table, a), self.at(table, b))

    def faults(self) -> list[Fault]:
        """Give the damage this process has met, and the damaged pointers, without hashing anything again."""
        found = [f for table in self.tables() for f in _pointer_faults(self.root / table)]
        return found + self._verified.faults()

    def verify(self, table: str | None = None) -> list[Fault]:
        """Hash every file of every kept version again (the scrubber) and give what is damaged."""
        self._verified.forget(table)
        found: list[Fault] = []
        for name in [table] if table else self.tables():
            pointer, _ = pointers.read(self._folder(name))
            found += _pointer_faults(self._folder(name))
            for version in pointer.chain if pointer else ():
                found += self._verified.check(name, version).faults
        return found

    # writing

    def publish(self, table: str, fill: Fill, *, version: str = "") -> Snapshot:
        """Publish what `fill` writes into the folder it is given; `fill` returns the manifest's fields.

        Readers see the version before or this one, whole. Raises PublishConflict where another publish came first,
        StoreFull where the disk is full; either way nothing has changed and nothing is left behind.
        """
        folder = self._folder(table)
        durable.make_directory(folder)
        version = version or _fresh_version()
        with contextlib.ExitStack() as stack:
            with durable.lock(folder / ".lock"):
                durable.sweep(folder)
                parent = pointers.read(folder)[0]
                _make_way(folder, version, parent)
                staging = stack.enter_context(durable.staging(folder))
            try:
                entry = _filled(staging, fill, table=table, version=version, parent=parent)
                with durable.lock(folder / ".lock"):
                    _commit(folder, staging, entry, parent)
            except (OSError, duck.Error) as error:
                if _is_full(error):
                    raise _full(folder) from error
                raise
        self._verified.trust(table, entry)
        return self._verified.check(table, entry).snapshot

    def change(self, table: str, changes: Changes, why: Why) -> None:
        """Write versions of the chain anew in their places, or take out those that are not current; see `replacing`."""
        replacing.change(self._folder(table), changes, why)

    def collect(self, table: str, versions: Collection[str]) -> tuple[str, ...]:
        """Take superseded versions out of the chain, but for those somebody is reading; gives what went.

        Raises NotFound for one not in the chain, BadRequest for the current one. Killed anywhere, the chain names
        what is there, and what it no longer names is swept by the next change.
        """
        with contextlib.ExitStack() as stack:
            free = tuple(v for v in versions if self._claimed(stack, table, v))
            if free:
                replacing.change(self._folder(table), dict.fromkeys(free), "collected")
        return free

    def _claimed(self, stack: contextlib.ExitStack, table: str, version: str) -> bool:
        """Say whether nobody reads a version, and let nobody begin to until the stack is left."""
        lease = durable.claim(self._folder(table) / f"v={version}" / manifests.NAME)
        if lease is None:
            return False
        stack.callback(lease.close)
        return True

    def rollback(self, table: str, *, to: str = "", by: str = "", reason: str = "") -> Snapshot:
        """Make the version before the current one current, or `to`; remember who did so and why. Durable on return.

        Raises NotFound where there is none.
        """
        folder = self._folder(table)
        if not folder.is_dir():
            raise _unpublished(table)
        with durable.lock(folder / ".lock"):
            pointer, _ = self._pointer(table)
            chain = [v.version for v in pointer.chain]
            place = chain.index(self.at(table, to).version) if to else 1
            if place == len(chain):
                gone = next(iter(self.removed(table)), None)
                zh, en = (gone.zh, gone.en) if gone else ("", "")
                raise NotFound(
                    f"{table} 没有更早的版本{';' + zh if zh else ''}",
                    f"{table} has no version before this one{'. ' + en if en else ''}",
                    table=table,
                )
            removed.add(folder, [removed.gone(v, "rollback", by=by, reason=reason) for v in pointer.chain[:place]])
            pointers.write(folder, Pointer(chain=pointer.chain[place:]))
        return self.current(table)

    def _folder(self, table: str) -> Path:
        if not TABLE.fullmatch(table):
            raise BadRequest(f"表名无效:{table!r}", f"{table!r} is not a table's name")
        return self.root / table

    def _pointer(self, table: str) -> tuple[Pointer, tuple[str, ...]]:
        folder = self._folder(table)
        seen = _seen(folder)
        known = self._pointers.get(table)
        if seen is not None and known is not None and known[0] == seen:
            return known[1], ()
        pointer, damaged = pointers.read(folder)
        if seen is not None and pointer is not None and not damaged and time.time_ns() - seen[-1] > SETTLED_NS:
            self._pointers[table] = (seen, pointer)
        if pointer is None and damaged:
            raise _broken(table, ", ".join(damaged))
        if pointer is None:
            raise _unpublished(table)
        return pointer, damaged


def _seen(folder: Path) -> tuple[int, ...] | None:
    """Give what the file system says of a pointer: swapped or touched, it says something else."""
    try:
        stat = (folder / pointers.NAME).stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_ctime_ns, stat.st_mtime_ns


def _filled(staging: Path, fill: Fill, *, table: str, version: str, parent: Pointer | None) -> Version:
    """Let `fill` write, then write the manifest of what is there."""
    fields = dict(fill(staging))
    created_at = datetime.now(UTC).isoformat()
    fields |= {"table": table, "version": version, "created_at": created_at}
    fields["parent"] = parent.current.version if parent else None
    data, digest = manifests.build(staging, fields)
    durable.write(staging / manifests.NAME, data)
    return Version(version=version, manifest_sha256=digest, created_at=created_at)


def _make_way(folder: Path, version: str, parent: Pointer | None) -> None:
    if not VERSION.fullmatch(version):
        raise BadRequest(f"版本名无效:{version!r}", f"{version!r} is not a version's name")
    if parent and any(v.version == version for v in parent.chain):
        raise PublishConflict(f"版本 {version} 已存在", f"Version {version} exists", table=folder.name)
    path = folder / f"v={version}"
    if path.exists():  # left by a publish that was killed before its pointer, or rolled back
        durable.remove_tree(path)


def _commit(folder: Path, staging: Path, entry: Version, parent: Pointer | None) -> None:
    """Name the staged version and point to it, if nobody has published since `parent` was read."""
    if pointers.read(folder)[0] != parent:
        raise PublishConflict(
            "同一张表刚刚由另一次发布更新,请基于新版本重试",
            "Another publish of this table came first; run again from the new version",
            table=folder.name,
        )
    durable.commit_directory(staging, folder / f"v={entry.version}")
    whole = (entry, *(parent.chain if parent else ()))
    chain = whole[:KEEP]
    if len(whole) > KEEP:
        removed.add(folder, [removed.gone(v, "collected") for v in whole[KEEP:]])
    pointers.write(folder, Pointer(chain=chain))
    kept = {f"v={v.version}" for v in chain}
    for path in sorted(folder.glob("v=*")):
        if path.name not in kept:
            durable.remove_tree(path)


def _fresh_version() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(2)}"


def _pointer_faults(folder: Path) -> list[Fault]:
    return [Fault(table=folder.name, version="", file=name, problem="bytes") for name in pointers.damaged(folder)]


def _unpublished(table: str) -> NotFound:
    return NotFound(f"尚未发布:{table}", f"{table} has not been published", table=table)


def _broken(table: str, reason: str) -> StoreBroken:
    return StoreBroken(
        f"{table} 的所有版本都已损坏({reason}),请运行 python -m etl run 重新发布",
        f"No version of {table} is whole ({reason}): publish it again with python -m etl run",
        table=table,
    )


def _is_full(error: OSError | duck.Error) -> bool:
    return duck.is_disk_full(error) or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT))


def _full(folder: Path) -> StoreFull:
    free = shutil.disk_usage(folder).free
    return StoreFull(
        f"磁盘已满:{folder} 仅剩 {free // 1024} KiB,旧版本仍在使用;请清理后重试",
        f"The disk is full: {folder} has {free // 1024} KiB left; the old version still serves; make room, try again",
        path=folder,
        free_bytes=free,
    )
