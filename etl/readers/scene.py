"""Delivered 3D Tiles folders: proved self-contained, every content what its name says, nothing outside referred to."""

from __future__ import annotations

import json
import struct
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa

from etl import contents
from twin.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.job import Job

_TILES = {".b3dm": b"b3dm", ".i3dm": b"i3dm", ".pnts": b"pnts", ".cmpt": b"cmpt", ".glb": b"glTF"}
_MAGIC = {
    **_TILES, ".gltf": b"{", ".bin": b"", ".png": b"\x89PNG", ".jpg": b"\xff\xd8", ".jpeg": b"\xff\xd8",
    ".webp": b"RIFF", ".ktx2": b"\xabKTX 20",
}  # fmt: skip
_MAX_JSON = 64 << 20
_MAX_TILES = 1_000_000
_MAX_DEPTH = 64


def read(job: Job, report: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Check a tileset folder; one row a file that belongs to it: name, bytes, kind, and of a tileset its JSON.

    That JSON is written anew without the contents that did not come, so that nobody has to read it again. A content
    that was not delivered gets the note `missing_content` (part of a larger scene is still a scene). Raises SourceError
    where tileset.json is absent, no content came, anything refers outside, or a content is not its kind.
    """
    if not job.main.is_dir():
        raise _refused(
            job,
            "声明的是文件，请在目录中声明 tileset.json 所在的文件夹",
            "declare the folder that holds tileset.json, not a file",
        )
    waiting, known = ["tileset.json"], {"tileset.json"}
    missing: set[str] = set()
    while waiting:
        name = waiting.pop()
        document = _document(job, name)
        for uri in contents.of_document(document):
            _inside(job, name, uri)
        for uri in _uris(job, name, document):
            target = _inside(job, name, uri)
            if target in known:
                continue
            known.add(target)
            if target not in job.files:
                missing.add(target)
            elif target.endswith(".json"):
                waiting.append(target)
            else:
                _content(job, target)
    _some(job, known, missing, report)
    report.update(driver="3D Tiles", crs_in_file="EPSG:4326", encoding="UTF-8", how="format", declared="")
    yield _rows(job, sorted(n for n in known if n in missing or not n.endswith(".json")), missing)
    for name in sorted(n for n in known - missing if n.endswith(".json")):
        yield _rows(job, [name], missing, _mended(job, name, missing))


def _rows(job: Job, names: list[str], missing: set[str], tileset: str | None = None) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [
            pa.array(names, pa.string()),
            pa.array([0 if n in missing else (job.main / n).stat().st_size for n in names], pa.int64()),
            pa.array([PurePosixPath(n).suffix.lstrip(".") for n in names], pa.string()),
            pa.array([tileset] * len(names), pa.large_string()),
            pa.array(names, pa.string()),
            pa.nulls(len(names), pa.binary()),
            pa.array(["missing_content" if n in missing else None for n in names], pa.string()),
        ],
        names=["name", "bytes", "kind", "tileset", "_row", "_geometry", "_note"],
    )


def _mended(job: Job, name: str, missing: set[str]) -> str:
    """Give the JSON of a tileset whose tiles name no content that did not come."""
    document = _document(job, name)

    def came(content: Any) -> bool:
        uri = _uri(content)
        return uri is not None and _inside(job, name, uri) not in missing

    for tile in _tiles(job, name, document):
        if "content" in tile and not came(tile["content"]):
            del tile["content"]
        if "contents" in tile:
            tile["contents"] = [c for c in _list(tile["contents"]) if came(c)]
    return json.dumps(document)


def _document(job: Job, name: str) -> dict[str, Any]:
    path = job.main / name
    if name not in job.files or path.stat().st_size > _MAX_JSON:
        raise _refused(job, f"缺少 {name} 或其过大", f"{name} is missing or too large")
    try:
        document = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as wrong:
        raise _refused(job, f"{name} 不是有效的 JSON", f"{name} is not valid JSON") from wrong
    if not isinstance(document, dict) or not isinstance(document.get("root"), dict):
        raise _refused(job, f"{name} 不是 3D Tiles 目录", f"{name} is not a 3D Tiles tileset")
    return document


def _tiles(job: Job, name: str, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every tile of a tileset, walking them without recursion."""
    waiting: list[tuple[Any, int]] = [(document["root"], 0)]
    seen = 0
    while waiting:
        tile, depth = waiting.pop()
        seen += 1
        if not isinstance(tile, dict) or depth > _MAX_DEPTH or seen > _MAX_TILES:
            raise _refused(job, f"{name} 的瓦片层级异常", f"the tiles of {name} nest too deep or are too many")
        yield tile
        waiting += [(child, depth + 1) for child in _list(tile.get("children"))]


def _uris(job: Job, name: str, document: dict[str, Any]) -> Iterator[str]:
    """Give every content address of a tileset."""
    for tile in _tiles(job, name, document):
        contents = [tile.get("content"), *_list(tile.get("contents"))]
        yield from (uri for uri in map(_uri, contents) if uri is not None)


def _uri(content: Any) -> str | None:
    uri = content.get("uri", content.get("url")) if isinstance(content, dict) else None
    return None if uri is None else str(uri)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _inside(job: Job, name: str, uri: str) -> str:
    """Give the file a reference means, relative to the folder; raises SourceError where it leads out of it."""
    plain = unquote(uri).replace("\\", "/")
    if ":" in plain or plain.startswith("/") or "\0" in plain or "?" in plain or "#" in plain:
        raise _refused(job, f"{name} 引用了外部地址 {uri[:80]}", f"{name} refers to the outside address {uri[:80]}")
    parts: list[str] = list(PurePosixPath(name).parent.parts)
    for part in PurePosixPath(plain).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise _refused(job, f"{name} 引用越出文件夹：{uri[:80]}", f"{name} refers out of the folder: {uri[:80]}")
    return "/".join(parts)


def _some(job: Job, known: set[str], missing: set[str], report: dict[str, Any]) -> None:
    """Note what is missing; refuse a scene of which nothing came."""
    contents = {n for n in known if not n.endswith(".json")}
    if not contents - missing:
        raise _refused(job, "没有任何模型内容", "none of its contents is there")
    if missing:
        zh = f"目录引用 {len(contents)} 个模型，其中 {len(missing)} 个没有随文件夹送来，显示时略去。"
        en = (
            f"{len(missing)} of the {len(contents)} contents referred to did not come with the folder and are left out."
        )
        report["notes"].append({"zh": zh, "en": en})


def _content(job: Job, name: str) -> None:
    """Prove a content's magic, its stated length, and that nothing in it leads outside."""
    suffix = PurePosixPath(name).suffix.lower()
    magic = _MAGIC.get(suffix)
    if magic is None:
        raise _refused(job, f"{name} 的类型不可接收", f"{name} is of a kind we do not take")
    data = (job.main / name).read_bytes()
    damaged = _refused(job, f"{name} 损坏或不是 {suffix}", f"{name} is damaged or not {suffix}")
    if not data.startswith(magic):
        raise damaged
    try:
        found = _addresses(suffix, data)
    except (ValueError, RecursionError, struct.error) as wrong:
        raise damaged from wrong
    for uri in found:
        if not uri.startswith("data:"):
            _inside(job, name, uri)


def _addresses(suffix: str, data: bytes) -> list[str]:
    if suffix in (".gltf", ".json"):
        return list(contents.of_document(json.loads(data)))
    return contents.addresses(data) if suffix in _TILES else []


def _refused(job: Job, zh: str, en: str) -> SourceError:
    return SourceError(
        f"三维场景“{job.name}”未接收：{zh}。请报送单位重新导出完整的 3D Tiles 文件夹。",
        f"The scene “{job.name}” is refused: {en}. Ask the sender to export the whole 3D Tiles folder again.",
        file=job.name,
    )
