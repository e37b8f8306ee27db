"""One page a service answered → its rows and their identities; shared by who fetches and who reads, and pure."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

GML_ID = "{http://www.opengis.net/gml/3.2}id"
_MEMBERS = ("member", "featureMember", "featureMembers")


class Unusable(Exception):
    """The page is not what was asked for; says what it is instead. Its reader makes a sentence of it."""


class Written(float):
    """A number as the source wrote it."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Keep `text` beside the number."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def loads(body: bytes) -> Any:
    """Read JSON; numbers keep their writing. Raises Unusable: not JSON, names twice in one object, too deep."""
    try:
        found = json.loads(body, parse_float=Written, parse_constant=_no_number, object_pairs_hook=_once)
    except UnicodeDecodeError as wrong:
        raise Unusable("not UTF-8") from wrong
    except (ValueError, RecursionError) as wrong:
        raise Unusable(_told(body) or f"not JSON: {type(wrong).__name__}") from wrong
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unusable("a name stands twice in one object")
    return made


def _no_number(word: str) -> float:
    raise Unusable(f"not JSON: {word} is no number")


def _told(body: bytes) -> str:
    head = body[:2000].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page, perhaps of a login"
    return ""


def at(value: Any, path: str) -> Any:
    """Give what stands at a dotted `path` ("data.list"), None where it does not."""
    for name in filter(None, path.split(".")):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def items(form: str, document: Any, path: str) -> list[Mapping[str, Any]]:
    """Give the rows of a JSON page in `form` ("geojson", "esri", "json"); raises Unusable where there is no list."""
    found = at(document, "features" if form in ("geojson", "esri") else path)
    if isinstance(document, Mapping) and document.get("error"):
        raise Unusable(_error(document))
    if not isinstance(found, list) or not all(isinstance(i, Mapping) for i in found):
        raise Unusable(_error(document))
    return found


def _error(document: Any) -> str:
    said = json.dumps(document, ensure_ascii=False, default=str)
    return f"no list of rows: {said[:200]}"


def properties(form: str, item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a row's own columns."""
    if form == "json":
        return item
    return item.get("attributes" if form == "esri" else "properties") or {}


def identity(form: str, item: Mapping[str, Any], key: str) -> str:
    """Give what tells a row from all others: its column `key`, else its feature id; raises Unusable where empty."""
    found = properties(form, item).get(key) if key else item.get("id")
    if found is None and not key:
        found = properties(form, item).get("id")
    if found is None or found == "":
        raise Unusable(f"a row without {key or 'an id'}")
    return text(found) or ""


def merged(folder: Path, said: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str, Any]]:
    """Give (page, identity, row) of a pull, each row once: the newest layer's, and none that was dropped since.

    A row of GML is its bytes, any other what JSON says. Raises Unusable.
    """
    layout, dropped = said["layout"], {int(k): set(v) for k, v in said.get("dropped", {}).items()}
    seen: set[str] = set()
    for page in said["pages"]:
        gone = dropped.get(page["layer"], set())
        for name, row in _rows_of(layout, (folder / page["file"]).read_bytes()):
            if name not in gone and name not in seen:
                seen.add(name)
                yield page, name, row


def _rows_of(layout: Mapping[str, Any], body: bytes) -> Iterator[tuple[str, Any]]:
    form, key = layout["form"], layout.get("id", "")
    if form == "gml":
        yield from ((name, found) for name, found, _ in gml(body, key)[1])
        return
    for item in items(form, loads(body), layout.get("items", "")):
        yield identity(form, item, key), item


def text(value: Any) -> str | None:
    """Give a JSON value as the text a table would have."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Written):
        return value.text
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)


def kind(value: Any) -> str:
    """Give the JSON type of a value, "" for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "string" if isinstance(value, str) else "object"


def digest(identity_: str, value: Any) -> int:
    """Give a number of 128 bits for a row; the sum over rows is the same in any order."""
    body = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    return int.from_bytes(hashlib.blake2b(identity_.encode() + b"\0" + body, digest_size=16).digest())


def gml(body: bytes, key: str) -> tuple[dict[str, str], Iterator[tuple[str, bytes, Any]]]:
    """Give a GML page's attributes and its members: (identity, its bytes, its element); raises Unusable."""
    try:
        root = ElementTree.parse(io.BytesIO(body)).getroot()
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as wrong:
        raise Unusable(_told(body) or f"not XML: {type(wrong).__name__}") from wrong
    if root is None or local(root.tag) != "FeatureCollection":
        said = " ".join(" ".join(root.itertext()).split())[:200] if root is not None else ""
        raise Unusable(f"no FeatureCollection but {local(root.tag) if root is not None else 'nothing'}: {said}")
    return dict(root.attrib), _members(root, key)


def _members(root: Any, key: str) -> Iterator[tuple[str, bytes, Any]]:
    for holder in root:
        if local(holder.tag) in _MEMBERS:
            for element in holder:
                yield _gml_identity(element, key), ElementTree.tostring(element), element


def _gml_identity(element: Any, key: str) -> str:
    found = next((c.text for c in element if local(c.tag) == key), None) if key else element.get(GML_ID)
    found = found or (None if key else element.get("fid"))
    if not found:
        raise Unusable(f"a member without {key or 'gml:id'}")
    return found


def elements(body: bytes) -> list[tuple[str, str]]:
    """Give (name, type) of the elements an XML Schema lists; none of what is no schema. Raises Unusable."""
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as wrong:
        raise Unusable(_told(body) or f"not XML: {type(wrong).__name__}") from wrong
    if local(root.tag) != "schema":
        return []
    listed = (e for e in root.iter() if local(e.tag) == "sequence")
    return [(e.get("name", ""), e.get("type", "")) for sequence in listed for e in sequence]


def local(tag: str) -> str:
    """Give a tag without its name space."""
    return tag.rpartition("}")[2]
