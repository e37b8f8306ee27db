"""Finding by characters, pinyin or initials: layers, places, codes, addresses and people on duty; the only pinyin."""

from __future__ import annotations

import re
import threading
import time
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from pypinyin import lazy_pinyin

from twin.errors import NotFound, StoreBroken
from twin.geodesy import from_mercator
from twin.model import Field, Layer, OneMap, Resource
from twin.policy import noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from twin.policy import Policy, Subject
    from twin.store import Serving

Json = dict[str, Any]

MANY = 20_000
"""A table with more rows is not held in memory: its rows are found by their whole code."""
FRESH_SECONDS = 2.0
MOST_INDEXES = 24
"""Indexes kept at a time, one for each different set of what may be found."""
BOX = ("xmin", "ymin", "xmax", "ymax")
ADDRESS = "address"
KINDS = ("layer", "duty", "place", "address", "code")
"""What a hit is, in the order equal hits are shown."""

_CJK = re.compile(r"[㐀-鿿]")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that can be found: `words` are its texts as typed, `keys` what a query is looked for in."""

    kind: str
    words: tuple[str, ...]
    keys: str
    layer: str = ""
    table: str = ""
    id: str = ""
    box: tuple[float, float, float, float] | None = None
    field: Field | None = None


Index = tuple[list[Entry], list[Resource]]
"""What is held in memory, and the tables that are too large for it."""


class Search:
    """An index over a village's layers and small tables, rebuilt when a table is published."""

    def __init__(self, onemap: OneMap, serving: Serving, policy: Policy) -> None:
        self._onemap = onemap
        self._serving = serving
        self._policy = policy
        self._lock = threading.Lock()
        self._built: OrderedDict[str, tuple[tuple[str, ...], Index]] = OrderedDict()
        self._looked: dict[str, float] = {}

    def find(self, subject: Subject, query: str, *, language: str = "zh-CN", limit: int = 20) -> list[Json]:
        """Give the best hits, at most `limit`: {kind, title, subtitle, layer, table, id, entity, point, bbox}."""
        wanted = normal(query)
        if not wanted:
            return []
        entries, large = self._index(subject)
        ranked = [(rank, e) for e in entries if (rank := _rank(e, wanted)) is not None]
        ranked.sort(
            key=lambda hit: (hit[0], KINDS.index(hit[1].kind), hit[1].box is None, len(hit[1].words[0]), hit[1].words)
        )
        best = self._by_code(subject, large, query.strip()) + [e for _, e in ranked]
        found = list(islice(self._once(best), limit))
        self._account(subject, found)
        return [self._hit(e, language) for e in found]

    def _account(self, subject: Subject, found: Sequence[Entry]) -> None:
        """Note what the hits tell of people and places; raises RowLimit where they are too many of one table."""
        for table in dict.fromkeys(e.table for e in found if e.table):
            permit = self._policy.decide(subject, "select", table)
            hits = self._policy.within(permit, [e for e in found if e.table == table])
            noted.take(subject, permit, len(hits))
            noted.place(permit, (_degrees(e.box) for e in hits if e.box))

    def _once(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Give each thing once, however many tables know it."""
        seen: set[tuple[str, str, str]] = set()
        for entry in entries:
            resource = self._onemap.resource(entry.table)
            key = (entry.words[0], resource.entity_id(entry.id) if resource else entry.layer, "")
            if key not in seen:
                seen.add(key)
                yield entry

    def _index(self, subject: Subject) -> Index:
        now = time.monotonic()
        seen = self._policy.tables(subject)
        granted = self.granted(subject)
        built = self._built.get(granted)
        if built is not None and self._looked.get(granted, 0) > now:
            return built[1]
        with self._lock:
            versions = tuple(self._version(r.id) for r in seen)
            built = self._built.get(granted)
            if built is None or built[0] != versions:
                large = [r for r in seen if self._rows(r.id) > MANY]
                built = self._built[granted] = (versions, (list(self._gather(subject)), large))
                while len(self._built) > MOST_INDEXES:
                    self._looked.pop(self._built.popitem(last=False)[0], None)
            self._looked[granted] = now + FRESH_SECONDS
        return built[1]

    def granted(self, subject: Subject) -> str:
        """Name what `subject` may find, so that those who may find the same share an index."""
        names = (*(x.id for x in self._onemap.layers), *(r.id for r in self._onemap.resources))
        return self._policy.digest(subject, names, "filter")

    def _version(self, table: str) -> str:
        try:
            return self._serving.snapshot(table).version
        except (NotFound, StoreBroken):
            return ""

    def _gather(self, subject: Subject) -> Iterator[Entry]:
        for layer in self._policy.layers(subject):
            words = (layer.title.zh, layer.title.en, layer.id, *layer.keywords)
            yield Entry(kind="layer", words=words, keys=keys(words), layer=layer.id)
        for resource in self._policy.tables(subject):
            try:
                yield from self._of_table(subject, resource)
            except (NotFound, StoreBroken):
                continue

    def _of_table(self, subject: Subject, resource: Resource) -> Iterator[Entry]:
        """Give the rows of one table, newest edition of each, by the columns the subject may look things up by."""
        if self._rows(resource.id) > MANY:
            return
        stored = self._serving.columns(resource.id)
        permitted = set(self._policy.columns(subject, resource.id, None, "filter")) & stored
        looked = [c for c in _looked_up(resource) if c in permitted]
        columns = list(dict.fromkeys(["id", "year", *looked, *(c for c in BOX if c in stored)]))
        permit = self._policy.decide(subject, "filter", resource.id)
        rows = self._serving.select(resource.id, columns, order_by=["id", "-year"], permit=permit)
        layer = self._layer(resource)
        before = None
        for row in rows:
            if row["id"] != before:
                yield from _of_row(resource, layer, row, looked)
            before = row["id"]

    def _layer(self, resource: Resource) -> str:
        """Give the layer a row is shown on: the one its department catalogued it for, else the first that draws it."""
        drawing = [x.id for x in self._onemap.layers if any(d.table == resource.id for d in x.draws)]
        return next((x for x in resource.layers if x in drawing), next(iter(drawing), ""))

    def _rows(self, table: str) -> int:
        try:
            return self._serving.snapshot(table).manifest.get("rows") or 0
        except (NotFound, StoreBroken):
            return 0

    def _by_code(self, subject: Subject, large: Sequence[Resource], code: str) -> list[Entry]:
        """Look a whole code up in the tables too large to hold."""
        found: list[Entry] = []
        for resource in large:
            try:
                stored = self._serving.columns(resource.id)
                columns = ["id", *(c for c in BOX if c in stored)]
                permit = self._policy.decide(subject, "filter", resource.id)
                rows = self._serving.select(resource.id, columns, [("id", "=", code)], limit=1, permit=permit)
            except (NotFound, StoreBroken):
                continue
            layer = self._layer(resource)
            found += [e for row in rows for e in _of_row(resource, layer, row, [])]
        return found

    def _hit(self, entry: Entry, language: str) -> Json:
        if entry.kind == "layer":
            return self._layer_hit(self._onemap.layer(entry.layer), language)
        resource = self._onemap.resource(entry.table)
        subtitle = resource.title.in_(language) if resource else ""
        if entry.field is not None and entry.kind == "duty":
            subtitle = f"{entry.field.title.in_(language)} · {subtitle}"
        box = _degrees(entry.box) if entry.box else None
        return {
            "kind": entry.kind,
            "title": entry.words[0],
            "subtitle": subtitle,
            "layer": entry.layer,
            "table": entry.table,
            "id": entry.id,
            "entity": resource.entity_id(entry.id) if resource else "",
            "bbox": box,
            "point": [round((box[0] + box[2]) / 2, 7), round((box[1] + box[3]) / 2, 7)] if box else None,
        }

    def _layer_hit(self, layer: Layer | None, language: str) -> Json:
        theme = next((t for t in self._onemap.themes if layer and t.id == layer.theme), None)
        return {
            "kind": "layer",
            "title": layer.title.in_(language) if layer else "",
            "subtitle": theme.title.in_(language) if theme else "",
            "layer": layer.id if layer else "",
            "table": "",
            "id": "",
            "entity": "",
            "bbox": None,
            "point": None,
        }


def normal(text: str) -> str:
    """Give text as it is compared: full-width folded, lower case, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


@lru_cache(maxsize=200_000)
def _spoken(text: str) -> tuple[str, ...]:
    """Give a text, and where it has Chinese its pinyin and its initials."""
    plain = normal(text)
    if not _CJK.search(plain):
        return (plain,)
    syllables = lazy_pinyin(plain)
    return plain, "".join(syllables), "".join(s if not s.isascii() or s.isdigit() else s[:1] for s in syllables)


def spelled(text: str) -> str:
    """Give text in Latin letters: its pinyin, syllables joined by "_", where it is Chinese."""
    return "_".join(lazy_pinyin(normal(text)))


def keys(words: tuple[str, ...]) -> str:
    """Give all that a query is looked for in, one key a line, each line begun by a newline."""
    return "\n" + "\n".join(dict.fromkeys(k for w in words if w for k in _spoken(w)))


def _rank(entry: Entry, wanted: str) -> int | None:
    """Give how well an entry answers: 0 whole, 1 beginning of a word, 2 inside; None not at all."""
    at = entry.keys.find(wanted)
    if at < 0:
        return None
    line = f"\n{wanted}"
    if f"{line}\n" in entry.keys or entry.keys.endswith(line):
        return 0
    return 1 if line in entry.keys else 2


def _looked_up(resource: Resource) -> list[str]:
    """Give the columns a row is found by: its title, its addresses, the people on duty it names."""
    names = [resource.title_field] if resource.title_field else []
    names += [f.name for f in resource.fields if f.name.endswith(ADDRESS)]
    return list(dict.fromkeys([*names, *(f.name for f in _duty_fields(resource))]))


def _duty_fields(resource: Resource) -> list[Field]:
    phones = {f.name for f in resource.fields if f.name.endswith("_phone")}
    named = (f for f in resource.fields if f.name.endswith("_name"))
    return [f for f in named if f"{f.name.removesuffix('_name')}_phone" in phones]


def _of_row(resource: Resource, layer: str, row: Mapping[str, Any], looked: list[str]) -> Iterator[Entry]:
    duty = {f.name: f for f in _duty_fields(resource)}
    at: dict[str, Any] = {"layer": layer, "table": resource.id, "id": str(row["id"]), "box": _box(row)}
    title = row.get(resource.title_field) if resource.title_field in looked else None
    words = tuple(str(v) for v in (title, row["id"]) if v not in (None, ""))
    yield Entry(kind="place" if title and title != row["id"] else "code", words=words, keys=keys(words), **at)
    for column in looked:
        value = row.get(column)
        if not value or column == resource.title_field:
            continue
        kind = "duty" if column in duty else "address"
        field = duty.get(column) or resource.field_named(column)
        yield Entry(kind=kind, words=(str(value),), keys=keys((str(value),)), field=field, **at)


def _box(row: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    sides = [float(row[c]) for c in BOX if row.get(c) is not None]
    return (sides[0], sides[1], sides[2], sides[3]) if len(sides) == 4 else None


def _degrees(box: tuple[float, float, float, float]) -> list[float]:
    lon, lat = from_mercator([box[0], box[2]], [box[1], box[3]])
    return [round(float(v), 7) for v in (lon[0], lat[0], lon[1], lat[1])]
