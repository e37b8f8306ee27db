"""Which versions this process has proved against their hashes; the only one to decide that a version may be served."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.errors import NotFound
from twin.store import manifest as manifests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twin.store.pointer import Version


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One published file that is not what its manifest (or the pointer) names; `version` "" for the pointer."""

    table: str
    version: str
    file: str
    problem: str

    @property
    def zh(self) -> str:
        """Say it in Chinese, with what to do."""
        return f"{self.table} 的版本 {self.version} 中 {self.file} 已损坏({self.problem}),请重新发布该资源"

    @property
    def en(self) -> str:
        """Say it in English, with what to do."""
        return f"{self.file} of {self.table} {self.version} is damaged ({self.problem}): publish the resource again"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One version of a table; `degraded` says why it is not the newest one, "" where it is."""

    table: str
    version: str
    path: Path
    manifest: Mapping[str, Any]
    degraded: str = ""

    def file(self, name: str) -> Path:
        """Give the path of a published file; raises NotFound for a name the manifest does not have."""
        if name not in self.manifest["files"]:
            raise NotFound(f"{self.table} 没有文件 {name}", f"{self.table} has no file {name}", table=self.table)
        return self.path / name

    def has(self, name: str) -> bool:
        """Say whether the version holds a file of this name."""
        return name in self.manifest["files"]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A version, what is wrong with it, and the file system's word on its files when that was found out."""

    snapshot: Snapshot
    faults: tuple[Fault, ...]
    signature: tuple[tuple[int, int, int], ...]


class Verified:
    """Check versions once per process, and again when a file was touched; safe to share between threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._checked: dict[tuple[str, str, str], Checked] = {}

    def check(self, table: str, version: Version) -> Checked:
        """Give the version and its faults, hashing every file unless that was done and nothing was touched since."""
        with self._lock:
            known = self._checked.get((table, version.version, version.manifest_sha256))
        if known and known.signature and known.signature == _signature(known.snapshot):
            return known
        return self._remember(version, self._look(table, version, hashed=False))

    def trust(self, table: str, version: Version) -> None:
        """Take the version as proved: its hashes were computed from its bytes a moment ago."""
        self._remember(version, self._look(table, version, hashed=True))

    def forget(self, table: str | None = None) -> None:
        """Prove everything (of one table) again at the next check."""
        with self._lock:
            self._checked = {k: v for k, v in self._checked.items() if table not in (None, k[0])}

    def faults(self) -> list[Fault]:
        """Give what was found wrong with versions that are still there."""
        with self._lock:
            known = list(self._checked.values())
        return [f for checked in known if checked.snapshot.path.exists() for f in checked.faults]

    def _look(self, table: str, version: Version, *, hashed: bool) -> Checked:
        path = self._root / table / f"v={version.version}"
        manifest = manifests.read(path, version.manifest_sha256)
        snapshot = Snapshot(table=table, version=version.version, path=path, manifest=manifest or {"files": {}})
        if manifest is None:
            damaged = [(manifests.NAME, "bytes")]
        else:
            damaged = [] if hashed else list(manifests.damaged(path, manifest))
        faults = tuple(Fault(table=table, version=version.version, file=f, problem=p) for f, p in damaged)
        return Checked(snapshot=snapshot, faults=faults, signature=_signature(snapshot) if manifest else ())

    def _remember(self, version: Version, checked: Checked) -> Checked:
        with self._lock:
            self._checked[checked.snapshot.table, version.version, version.manifest_sha256] = checked
        return checked


def _signature(snapshot: Snapshot) -> tuple[tuple[int, int, int], ...]:
    return manifests.signature(snapshot.path, snapshot.manifest)
