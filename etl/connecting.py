"""What is proved of sources that come over connections: who is asked, for what, how far back, and what stands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from etl.fetch import connections, transports
from etl.fetch.connections import DATABASES, Connection

if TYPE_CHECKING:
    from pathlib import Path

    from etl.proofs import Facts, Place
    from twin.declared import Fault
    from twin.model import Resource, Source
    from twin.toml_lines import Path as KeyPath

PAGING = ("none", "page", "offset", "cursor", "link")
_TABLE = re.compile(r"^([^\s.\"'`;/]+\.)?[^\s.\"'`;/]+$")
_TYPE = re.compile(r"^([\w.-]+:)?[\w.-]+$")
_LAYER = re.compile(r"^([\w./-]+/)?(Feature|Map)Server/\d+$")
_BELOW = re.compile(r"^(?!/)(?!.*(^|/)\.\.(/|$))[^?#@\\]+$")
_SECRET = re.compile(r"(password|passwd|pwd|secret|token|apikey|api_key|access_key)\s*[=:]|//[^/]*@", re.IGNORECASE)
Form = tuple[re.Pattern[str], str, str]
FORMS: Mapping[str, Form] = {
    "postgis": (_TABLE, "表名,或 模式.表名", "table, or schema.table"),
    "mysql": (_TABLE, "表名,或 库.表名", "table, or schema.table"),
    "wfs": (_TYPE, "要素类型,如 ns:road", "a feature type, such as ns:road"),
    "features": (re.compile(r"^[\w.:-]+$"), "集合名,不含斜线", "a collection, without a slash"),
    "arcgis": (_LAYER, "…/FeatureServer/层号", "…/FeatureServer/<layer>"),
    "json": (_BELOW, "地址之下的路径,不带参数", "a path below the address, without parameters"),
    "web": (_BELOW, "地址之下的文件路径", "a file's path below the address"),
    "s3": (_BELOW, "桶内的键", "a key in the bucket"),
}
"""Kind of a connection → what its `part` looks like, in Chinese and in English."""


def faults(facts: Facts, folder: Path) -> list[Fault]:
    """Prove `folder`/connections.toml and the sources that name one of it; gives the faults of that file.

    Only a check looks so far: a wrong connection refuses its own sources when they are received, and nobody else's.
    """
    file = folder / connections.FILE
    if not file.exists():
        prove(facts, {})
        return []
    document, known = connections.parse(file)
    prove(facts, known)
    return document.faults


def prove(facts: Facts, known: Mapping[str, Connection]) -> None:
    """Prove every source that names a connection, and that no source hides a secret."""
    for resource in facts.tables().values():
        place = facts.places.get(f"resource:{resource.id}")
        for number, source in enumerate(resource.sources if place else ()):
            assert place is not None  # noqa: S101 - else there is nothing to go through
            path: KeyPath = ("source", number)
            _open(place, path, source)
            if source.connection and source.connection not in known:
                listed = " / ".join(sorted(known)) or "-"
                words = (f"没有连接 {source.connection}", f"There is no connection {source.connection}")
                place.fault((*path, "connection"), words, (f"用其中之一:{listed}", f"Use one of: {listed}"))
            elif source.connection:
                for one in (_part, _watermark, _key, _stand_in, _paging):
                    one(place, path, resource, source, known[source.connection].kind)
            elif source.watermark:
                words = ("没有连接的来源不会增量读取", "A source without a connection is not read by watermark")
                place.fault((*path, "watermark"), words, ("删去,或写明 connection", "Remove it, or name a connection"))


Proof = Callable[["Place", "KeyPath", "Resource", "Source", str], None]


def _open(place: Place, path: KeyPath, source: Source) -> None:
    """Refuse what looks like a secret; it is not repeated."""
    for key, text in (("part", source.part), ("location", source.location), *source.options.items()):
        if _SECRET.search(text):
            words = (f"{key} 里像有口令或令牌", f"{key} seems to hold a password or a token")
            remedy = (
                "从申报中删去并更换该口令;写入环境变量,在 connections.toml 用 *_env 指名",
                "Remove it here and change it; put it into a variable and name that in connections.toml: *_env",
            )
            place.fault((*path, key), words, remedy)


def _part(place: Place, path: KeyPath, _resource: Resource, source: Source, kind: str) -> None:
    form, zh, en = FORMS[kind]
    if not form.match(source.part):
        words = (
            f"part = {source.part!r} 不是 {kind} 的写法",
            f"part = {source.part!r} is not how {kind} names a thing",
        )
        place.fault((*path, "part"), words, (f"写成:{zh}", f"Write {en}"))


def _watermark(place: Place, path: KeyPath, resource: Resource, source: Source, kind: str) -> None:
    if not source.watermark:
        return
    if kind not in transports.INCREMENTAL:
        words = (f"{kind} 只按是否改变整份取,不用 watermark", f"{kind} is had whole where it changed; no watermark")
        place.fault((*path, "watermark"), words, ("删去 watermark", "Remove the watermark"))
    if kind == "json" and not source.options.get("only"):
        words = (
            "JSON 增量读取要能只问标识,才找得到删除",
            "Read by watermark, JSON must tell identities, or deletions hide",
        )
        remedy = ('options 中写 only = "限定列的参数名"', 'Declare only = "parameter that names columns" in options')
        place.fault((*path, "watermark"), words, remedy)
    item = resource.field_named(resource.key)
    if item is not None and item.source == source.watermark:
        words = ("watermark 不能就是主键", "The watermark cannot be the key")
        place.fault(
            (*path, "watermark"), words, ("用随每次修改而增大的列", "Name the column that grows with every change")
        )


def _key(place: Place, path: KeyPath, resource: Resource, source: Source, kind: str) -> None:
    item = resource.field_named(resource.key)
    named = bool(source.options.get("id")) or (item is not None and bool(item.source))
    if (kind in DATABASES or kind == "json") and not named:
        words = ("按标识核对需要主键列", "Reconciling by identity needs the column of the key")
        place.fault(
            path, words, ("给 key 的信息项写 source,或在 options 写 id", "Give the key's field a source, or declare id")
        )


def _stand_in(place: Place, path: KeyPath, resource: Resource, source: Source, kind: str) -> None:
    """Prove that a file is declared which the resource's own reader reads: a newcomer has no server."""
    suffix = PurePosixPath(source.location).suffix.lower()
    if resource.reader == "database" and suffix not in (".sqlite", ".db"):
        words = (
            f"没有连接时要读的 {source.location} 不是 SQLite",
            f"{source.location}, read without a server, is no SQLite",
        )
        place.fault((*path, "location"), words, ("写 …….sqlite", "Write ….sqlite"))
    if resource.reader == "database" and resource.kind != "none" and not source.crs:
        words = ("数据库表替身不带坐标系", "The table that stands in carries no coordinate system")
        place.fault((*path, "crs"), words, ("写明 crs", "Declare crs"))
    if kind in ("web", "s3") and not source.part.endswith("/") and suffix != PurePosixPath(source.part).suffix.lower():
        words = ("location 与 part 不是同一种文件", "location and part are not the same kind of file")
        place.fault((*path, "location"), words, ("扩展名须一致", "Give both the same suffix"))


def _paging(place: Place, path: KeyPath, _resource: Resource, source: Source, kind: str) -> None:
    paging, size = source.options.get("paging", "none"), source.options.get("size", "1")
    if kind == "json" and paging not in PAGING:
        listed = " / ".join(PAGING)
        words = (f"没有翻页方式 {paging}", f"There is no paging {paging}")
        place.fault((*path, "options"), words, (f"用其中之一:{listed}", f"Use one of: {listed}"))
    if not size.isdigit() or int(size) < 1:
        place.fault((*path, "options"), ("size 应为正整数", "size must be a positive number"), ("改正", "Mend it"))
