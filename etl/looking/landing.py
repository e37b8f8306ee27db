"""How a looked-at file lands in raw/ like a drop, and its declaration in the catalogue, once the whole is proved."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from etl import catalog
from etl.looking import declaring, taking
from twin import durable
from twin.errors import BadRequest, DeclarationError

if TYPE_CHECKING:
    from etl.looking.values import Look
    from twin.declared import Fault

PROVED_BY = ("catalog", "codes", "derived")


def location(village: Path, department: str, resource: str, look: Look) -> str:
    """Give where a file of a department lies below raw/: its folder, then one of the resource's own."""
    stems = {p.stem[3:]: p.stem for p in (village / "catalog").glob("[0-9][0-9]_*.toml")}
    name = "/".join(declaring.plain_name(p) for p in PurePosixPath(look.main).parts)
    return f"{stems.get(department, department)}/{resource}/{name}"


def land(path: Path, raw: Path, place: str, look: Look) -> None:
    """Copy (or unpack) what was looked at to `place` below `raw`; raises BadRequest where something lies there."""
    folder = (raw / place).parent
    for _ in PurePosixPath(look.main).parts[1:]:
        folder = folder.parent
    if folder.exists() and any(folder.iterdir()):
        raise BadRequest(f"{folder.name} 处已有文件", f"There are files at {folder.name} already", field="id")
    durable.make_directory(folder.parent)
    with durable.staging(folder.parent) as desk:
        _fill(path, desk, look)
        folder.rmdir() if folder.exists() else None
        durable.commit_directory(desk, folder)


def _fill(path: Path, desk: Path, look: Look) -> None:
    if path.suffix.lower() == ".zip":
        with tempfile.TemporaryDirectory(prefix="onemap-land-") as folder:
            names = taking.unzip(path, Path(folder))
            for name in names:
                _copy(Path(folder) / name, desk / "/".join(map(declaring.plain_name, PurePosixPath(name).parts)))
        return
    base = path if path.is_dir() and path.suffix.lower() != ".gdb" else path.parent
    main = base / look.main
    found = [p for p in main.rglob("*") if p.is_file()] if main.is_dir() else _set(main)
    for one in found:
        parts = one.relative_to(base).parts
        _copy(one, desk / "/".join(map(declaring.plain_name, parts)))


def _set(main: Path) -> list[Path]:
    """Give a main file with those of its name (.shp, .dbf, .prj)."""
    if main.suffix.lower() not in (".shp", ".tab", ".mif"):
        return [main]
    return [p for p in main.parent.iterdir() if p.is_file() and p.name.partition(".")[0] == main.name.partition(".")[0]]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def prove(village: Path, resource: str, text: str) -> list[Fault]:
    """Prove the whole catalogue with `text` as the declaration of `resource`; gives every fault."""
    with tempfile.TemporaryDirectory(prefix="onemap-declared-") as folder:
        return catalog.check(beside(village, Path(folder) / "village", resource, text))


def beside(village: Path, desk: Path, resource: str, text: str) -> Path:
    """Copy a village's declarations to `desk`, with `text` as that of one resource more."""
    desk.mkdir()
    for name in PROVED_BY:
        if (village / name).is_dir():
            shutil.copytree(village / name, desk / name)
    for file in village.glob("*.toml"):
        shutil.copy(file, desk / file.name)
    added = declaring.file_of(desk, resource)
    added.parent.mkdir(exist_ok=True)
    added.write_text(text, "utf-8")
    return desk


def declare(village: Path, resource: str, text: str, *, is_open: bool = False) -> Path:
    """Write a declaration, once it holds with all others; raises DeclarationError naming every fault.

    One in which questions are open (`is_open`) is written as a draft, which `etl check` refuses and nobody reads.
    """
    found = [] if is_open else prove(village, resource, text)
    if found:
        raise refused(found)
    path = declaring.file_of(village, resource)
    path = path.with_name(resource + catalog.DRAFT) if is_open else path
    durable.make_directory(path.parent)
    durable.write(path, text.encode())
    return path


def refused(found: list[Fault]) -> DeclarationError:
    """Give the refusal of a declaration that does not hold."""
    return DeclarationError(
        "申报不能成立:\n" + "\n".join(f"{f.field} {f.zh};{f.remedy_zh}" for f in found),
        "The declaration does not hold:\n" + "\n".join(f"{f.field} {f.en}; {f.remedy_en}" for f in found),
    )


def answered(look: Look, place: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Give the answers with where the file will lie."""
    return {**answers, "location": place} if not look.connection else dict(answers)
