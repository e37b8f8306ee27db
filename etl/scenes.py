"""A delivered 3D Tiles folder → its copy, once every reference in it is proved to stay inside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.fetch import FileSet

KINDS = (
    ".json",
    ".b3dm",
    ".i3dm",
    ".pnts",
    ".cmpt",
    ".glb",
    ".gltf",
    ".bin",
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".ktx2",
)
DEEPEST = 64
LARGEST_JSON = 64 << 20


def copy(files: FileSet, directory: Path) -> None:
    """Copy the scene into `directory`; raises SourceError where it is not a whole, self-contained tileset."""
    names = {f.name for f in files.files}
    if "tileset.json" not in names:
        raise _unfit(files, "没有 tileset.json", "It has no tileset.json")
    for taken in files.files:
        kind = PurePosixPath(taken.name).suffix.lower()
        if kind not in KINDS:
            continue
        if kind == ".json":
            _prove(files, taken.name, taken.path, names)
        target = directory / taken.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(taken.path, target)


def _prove(files: FileSet, name: str, path: Path, names: set[str]) -> None:
    if path.stat().st_size > LARGEST_JSON:
        raise _unfit(files, f"{name} 过大", f"{name} is too large")
    try:
        tileset = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _unfit(files, f"{name} 不是 JSON", f"{name} is not JSON") from error
    if not isinstance(tileset, dict) or "root" not in tileset:
        return
    folder = PurePosixPath(name).parent
    for address in _addresses(tileset["root"]):
        if "://" in address or address.startswith(("/", "data:")):
            raise _unfit(
                files, f"{name} 引用外部地址 {address[:80]}", f"{name} refers to {address[:80]} outside itself"
            )
        wanted = _normal(folder / address.split("?")[0])
        if wanted not in names:
            raise _unfit(files, f"{name} 引用的 {wanted} 不在其中", f"{name} refers to {wanted}, which is not there")


def _addresses(root: Any) -> Iterator[str]:
    waiting: list[tuple[Any, int]] = [(root, 0)]
    while waiting:
        tile, depth = waiting.pop()
        if not isinstance(tile, dict) or depth > DEEPEST:
            continue
        contents = [tile.get("content"), *(tile.get("contents") or ())]
        for content in contents:
            if isinstance(content, dict):
                yield str(content.get("uri") or content.get("url") or "")
        waiting += [(child, depth + 1) for child in tile.get("children") or ()]


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1] if parts else ["..", *parts]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _unfit(files: FileSet, zh: str, en: str) -> SourceError:
    return SourceError(
        f"三维场景有误:{zh}。请重新导出", f"The scene is unfit: {en}. Export it again", file=files.location
    )
