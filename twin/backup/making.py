"""Copy everything that is not code while the service goes on; the only one that takes backups."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from twin import durable, ops
from twin.backup import form
from twin.backup.form import Backup, Places
from twin.errors import BadRequest, OpsDown, StoreBroken
from twin.store import manifest as manifests
from twin.store import pointer as pointers
from twin.store import removed

TRIES = 5
"""How often a table is begun again because a publish has removed its oldest version meanwhile."""
DECLARED = ("*.toml", "catalog/**/*", "codes/**/*")
UPLOADS = "uploads"
RUN = ("ledger.jsonl", "audit/*", "erasures.jsonl", "certificates/*")


def make(places: Places, into: Path, at: datetime) -> Backup:
    """Copy everything into a new folder below `into`, while the service goes on; durable on return.

    Raises OpsDown (operational store), StoreFull (no room), StoreBroken (a table has no whole version).
    """
    durable.make_directory(into)
    final = into / f"onemap-{at:%Y%m%dT%H%M%SZ}"
    if final.exists():
        raise BadRequest(f"{final} 已存在", f"{final} exists already", path=final)
    try:
        with durable.lock(into / ".lock"), durable.staging(into) as staging:
            damaged = _fill(places, staging)
            made = form.seal(staging, at, damaged)
            durable.commit_directory(staging, final)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise form.full(into) from error
        raise
    except OpsDown as error:
        if error.where.get("reason") == "full":
            raise form.full(into) from error
        raise
    return Backup(path=final, at=made["at"], files=len(made["files"]), bytes=form.size(made), damaged=damaged)


def _fill(places: Places, staging: Path) -> tuple[str, ...]:
    """Copy; the anchors before the record, so that no anchor is ahead of it. Gives what is damaged at the source."""
    _copy_some(places.data / "run", staging / "run", RUN)
    store = ops.Ops(places.ops_url)
    try:
        ops.copy_out(store, staging / form.OPS)
    finally:
        store.close()
    _copy_some(places.village, staging / "village", DECLARED)
    _copy_uploads(places.data / UPLOADS, staging / UPLOADS)
    damaged: list[str] = []
    for folder in _tables(places.data / "store"):
        target = staging / "store" / folder.relative_to(places.data / "store")
        damaged += _copy_table(folder, target)
    return tuple(damaged)


def _copy_uploads(source: Path, target: Path) -> None:
    """Copy the files people sent in; one that is deleted meanwhile stays away, half a one was never kept."""
    for told in sorted(source.glob("[!.]*/[!.]*/upload.json")):
        place = target / told.parent.relative_to(source)
        target.mkdir(mode=ops.OWNER_ONLY | 0o100, exist_ok=True)
        place.parent.mkdir(exist_ok=True)
        try:
            _copy_tree(told.parent, place)
        except FileNotFoundError:
            shutil.rmtree(place, ignore_errors=True)


def _tables(root: Path) -> list[Path]:
    """Give the folders of all tables, quarantines too, without a look into versions that a publish may remove."""
    patterns = (f"{below}{name}" for below in ("*/", "_*/*/") for name in (pointers.NAME, pointers.COPY))
    return sorted({path.parent for pattern in patterns for path in root.glob(pattern)})


def _copy_table(folder: Path, target: Path) -> list[str]:
    """Copy a table's versions and then its pointer; gives the damaged files of versions that are copied as they are."""
    for _ in range(TRIES):
        pointer, _damaged = pointers.read(folder)
        if pointer is None:
            raise StoreBroken(
                f"{folder.name} 的指针已损坏", f"The pointer of {folder.name} is damaged", table=folder.name
            )
        try:
            damaged = [fault for version in pointer.chain for fault in _copy_version(folder, target, version)]
        except FileNotFoundError:  # a publish came between and removed the oldest version: begin again
            shutil.rmtree(target, ignore_errors=True)
            continue
        _copy_some(folder, target, (removed.NAME,))
        pointers.write(target, pointer)
        return damaged
    raise StoreBroken(f"{folder.name} 一直在更新,无法备份", f"{folder.name} never stood still", table=folder.name)


def _copy_version(folder: Path, target: Path, version: pointers.Version) -> Iterator[str]:
    source = folder / f"v={version.version}"
    durable.make_directory(target)
    _copy_tree(source, target / source.name)
    manifest = manifests.read(target / source.name, version.manifest_sha256)
    if manifest is None:
        yield f"{folder.name} {version.version} {manifests.NAME}"
        return
    for name, _problem in manifests.damaged(target / source.name, manifest):
        yield f"{folder.name} {version.version} {name}"


def _copy_tree(source: Path, target: Path) -> None:
    """Copy a folder; raises FileNotFoundError where it is removed on the way."""
    for folder, _, names in os.walk(source, onerror=_raise):
        place = target / Path(folder).relative_to(source)
        place.mkdir()
        for name in names:
            shutil.copyfile(Path(folder, name), place / name)


def _raise(error: OSError) -> None:
    raise error


def _copy_some(source: Path, target: Path, patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        for path in sorted(source.glob(pattern)):
            if path.is_file():
                place = target / path.relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
