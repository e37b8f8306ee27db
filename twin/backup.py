"""One copy of everything that is not code, and the way back; the only one to know a backup's form.

A backup is a folder: `ops.sqlite`, `store/`, `village/`, `run/`, and `backup.json` with the SHA-256 of every file; its
own stands in `backup.sha256`. The house secret is not in it and is kept elsewhere; neither are the deliveries in raw/.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from twin import durable, ops
from twin.errors import BadRequest, OpsDown, SourceError, StoreBroken, StoreFull
from twin.store import manifest as manifests
from twin.store import pointer as pointers

FORMAT = "onemap-backup-1"
LIST, SEAL = "backup.json", "backup.sha256"
OPS = "ops.sqlite"
READABLE = 0o644
TRIES = 5
"""How often a table is begun again because a publish has removed its oldest version meanwhile."""
DECLARED = ("*.toml", "catalog/**/*", "codes/**/*")
RUN = ("ledger.jsonl", "audit/*")


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
            made = _seal(staging, at, damaged)
            durable.commit_directory(staging, final)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(into) from error
        raise
    except OpsDown as error:
        if error.where.get("reason") == "full":
            raise _full(into) from error
        raise
    return Backup(path=final, at=made["at"], files=len(made["files"]), bytes=_bytes(made), damaged=damaged)


def _fill(places: Places, staging: Path) -> tuple[str, ...]:
    """Copy; the anchors before the record, so that no anchor is ahead of it. Gives what is damaged at the source."""
    _copy_some(places.data / "run", staging / "run", RUN)
    store = ops.Ops(places.ops_url)
    try:
        ops.copy_out(store, staging / OPS)
    finally:
        store.close()
    _copy_some(places.village, staging / "village", DECLARED)
    damaged: list[str] = []
    for folder in _tables(places.data / "store"):
        target = staging / "store" / folder.relative_to(places.data / "store")
        damaged += _copy_table(folder, target)
    return tuple(damaged)


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


def _seal(staging: Path, at: datetime, damaged: tuple[str, ...]) -> Mapping[str, Any]:
    body = {"format": FORMAT, "at": at.isoformat(), "schema": ops.HEAD, "damaged": damaged, "files": _hashes(staging)}
    data = json.dumps(body, ensure_ascii=False, indent=1).encode()
    durable.write(staging / LIST, data)
    durable.write(staging / SEAL, _seal_of(data))
    return body


def _seal_of(data: bytes) -> bytes:
    return f"{hashlib.sha256(data).hexdigest()}\n".encode()


def _hashes(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.relative_to(folder).as_posix(): {"sha256": durable.sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (LIST, SEAL)
    }


def _bytes(body: Mapping[str, Any]) -> int:
    return sum(file["bytes"] for file in body["files"].values())


def check(path: Path) -> Backup:
    """Hash every file of a backup; raises SourceError naming what is missing, damaged or does not belong."""
    body = _read(path)
    found = _hashes(path)
    if found != body["files"]:
        wrong = {n for n in found.keys() | body["files"].keys() if found.get(n) != body["files"].get(n)}
        raise _damaged(path, sorted(wrong))
    return Backup(path=path, at=body["at"], files=len(found), bytes=_bytes(body), damaged=tuple(body["damaged"]))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = (path / LIST).read_bytes()
        sealed = (path / SEAL).read_bytes() == _seal_of(data)
        body = json.loads(data)
    except (OSError, ValueError):
        raise _damaged(path, [LIST]) from None
    if not sealed or body.get("format") != FORMAT:
        raise _damaged(path, [LIST])
    return body


def restore(path: Path, places: Places, at: datetime, *, replace: bool = False) -> tuple[Path, ...]:
    """Put a backup in place; what was there is moved aside (with `replace`), into the folders given.

    Everything is checked and copied beside its place first, then moved. Raises SourceError (damaged backup), BadRequest
    (something is there already, or the service runs), StoreFull, OpsDown.
    """
    check(path)
    url = ops.parse(places.ops_url)
    target = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    _refuse_running(target)
    moves = list(_moves(path, places, target))
    taken = [final for _, final in moves if final.exists() and (final.is_file() or any(final.iterdir()))]
    if taken and not replace:
        raise BadRequest(
            f"{taken[0]} 已有数据;确认要替换请加 --replace,原数据会移到一旁",
            f"{taken[0]} is there already; to replace it add --replace, what is there is then moved aside",
            path=taken[0],
        )
    durable.make_directory(places.data)
    with durable.lock(places.data / ".restore.lock"), contextlib.ExitStack() as stack:
        copies = _copies(path, [*moves, *([] if target else [(path / OPS, places.data / OPS)])], stack)
        if target is None:
            ops.copy_in(copies.pop(), places.ops_url)
        aside = {
            _move(copy, final, f"before-restore-{at:%Y%m%dT%H%M%SZ}")
            for copy, (_, final) in zip(copies, moves, strict=True)
        }
    return tuple(sorted(folder for folder in aside if folder))


def _copies(path: Path, moves: Sequence[tuple[Path, Path]], stack: contextlib.ExitStack) -> list[Path]:
    """Copy everything next to where it goes, on the same disk, and prove the copies; gives them in order."""
    expected, near, copies = _read(path)["files"], {}, []
    for source, final in moves:
        durable.make_directory(final.parent)
        if final.parent not in near:
            near[final.parent] = stack.enter_context(durable.staging(final.parent))
        copy = near[final.parent] / final.name
        try:
            if source.is_dir():
                shutil.copytree(source, copy, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(source, copy)
        except OSError as error:
            raise _full(final.parent) from error
        for file in (p for p in (source, *source.rglob("*")) if p.is_file()):
            name = file.relative_to(path).as_posix()
            if durable.sha256(copy / file.relative_to(source)) != expected[name]["sha256"]:
                raise _damaged(path, [name])
        copies.append(copy)
    return copies


def _moves(path: Path, places: Places, target: Path | None) -> Iterator[tuple[Path, Path]]:
    """Give what goes where; anchors and archives join those that are there, for they tell what has been."""
    wanted = [(path / "village" / name, places.village / name) for name in ("catalog", "codes")]
    wanted += [(each, places.village / each.name) for each in sorted((path / "village").glob("*.toml"))]
    wanted.append((path / "run" / "ledger.jsonl", places.data / "run" / "ledger.jsonl"))
    kept = ((each, places.data / "run" / "audit" / each.name) for each in sorted((path / "run" / "audit").glob("*")))
    wanted += [(each, final) for each, final in kept if not final.exists()]
    wanted.append((path / "store", places.data / "store"))
    wanted += [(path / OPS, target)] if target else []
    yield from ((source, final) for source, final in wanted if source.exists())


def _move(source: Path, final: Path, name: str) -> Path | None:
    """Move a copy into place and what was there aside, with the log of a database that was not closed."""
    aside = final.parent / name
    beside = [final.with_name(final.name + ending) for ending in ("-wal", "-shm")] if final.suffix == ".sqlite" else []
    old = [path for path in (final, *beside) if path.exists()]
    for path in old:
        durable.make_directory(aside)
        durable.commit_directory(path, aside / path.name)
    if source.is_file():
        source.chmod(ops.OWNER_ONLY if source.suffix == ".sqlite" else READABLE)
        durable.sync(source)
    durable.commit_directory(source, final)
    return aside if old else None


def _refuse_running(path: Path | None) -> None:
    """Raise BadRequest where a process of this machine, as far as we may look, has the operational store open."""
    if path is None or not path.exists():
        return
    wanted = path.resolve()
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            held = entry.readlink() == wanted
        except OSError:
            continue
        if held:
            raise BadRequest(
                f"进程 {entry.parts[2]} 正在使用业务库;请先停止服务再恢复",
                f"Process {entry.parts[2]} uses the operational store; stop the service first",
                process=entry.parts[2],
            )


def _full(into: Path) -> StoreFull:
    return StoreFull(
        f"备份盘已满或不可写:{into}", f"The disk of the backup is full or cannot be written: {into}", path=into
    )


def _damaged(path: Path, names: list[str]) -> SourceError:
    first = ", ".join(names[:5])
    return SourceError(
        f"备份 {path.name} 已损坏({len(names)} 个文件:{first}),未做任何改动;请换一份备份",
        f"The backup {path.name} is damaged ({len(names)} files: {first}); nothing was changed; take another one",
        path=path,
    )
