"""Put a backup in place, whole or not at all, and what was there aside; the only one that restores."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from twin import durable, ops
from twin.backup import form
from twin.backup.form import Places
from twin.errors import BadRequest

READABLE = 0o644


def restore(path: Path, places: Places, at: datetime, *, replace: bool = False) -> tuple[Path, ...]:
    """Put a backup in place; what was there is moved aside (with `replace`), into the folders given.

    Everything is checked and copied beside its place first, then moved. Raises SourceError (damaged backup), BadRequest
    (something is there already, or the service runs), StoreFull, OpsDown.
    """
    form.check(path)
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
        copies = _copies(path, [*moves, *([] if target else [(path / form.OPS, places.data / form.OPS)])], stack)
        if target is None:
            ops.copy_in(copies.pop(), places.ops_url)
        aside = {
            _move(copy, final, f"before-restore-{at:%Y%m%dT%H%M%SZ}")
            for copy, (_, final) in zip(copies, moves, strict=True)
        }
    return tuple(sorted(folder for folder in aside if folder))


def _copies(path: Path, moves: Sequence[tuple[Path, Path]], stack: contextlib.ExitStack) -> list[Path]:
    """Copy everything next to where it goes, on the same disk, and prove the copies; gives them in order."""
    expected, near, copies = form.read(path)["files"], {}, []
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
            raise form.full(final.parent) from error
        for file in (p for p in (source, *source.rglob("*")) if p.is_file()):
            name = file.relative_to(path).as_posix()
            if durable.sha256(copy / file.relative_to(source)) != expected[name]["sha256"]:
                raise form.damaged_in(path, [name])
        copies.append(copy)
    return copies


def _moves(path: Path, places: Places, target: Path | None) -> Iterator[tuple[Path, Path]]:
    """Give what goes where; anchors, archives, certificates join those that are there, for they tell what has been."""
    wanted = [(path / "village" / name, places.village / name) for name in ("catalog", "codes")]
    wanted += [(each, places.village / each.name) for each in sorted((path / "village").glob("*.toml"))]
    wanted.append((path / "run" / "ledger.jsonl", places.data / "run" / "ledger.jsonl"))
    for name in ("audit", "certificates"):
        kept = ((each, places.data / "run" / name / each.name) for each in sorted((path / "run" / name).glob("*")))
        wanted += [(each, final) for each, final in kept if not final.exists()]
    wanted += [(path / name, places.data / name) for name in ("store", "uploads")]
    wanted += [(path / form.OPS, target)] if target else []
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
