"""One thing of the village with all that any table knows of it; the only maker of cards, for pages and API alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twin import freshness
from twin.errors import NotFound, StoreBroken
from twin.geodesy import from_mercator
from twin.model import Field, OneMap, Resource, Text
from twin.policy import Policy, Subject, unknown

if TYPE_CHECKING:
    from pathlib import Path

    from twin.store import Serving

Json = dict[str, Any]
Row = Mapping[str, Any]

BOX = ("xmin", "ymin", "xmax", "ymax")
RELATED_LIMIT = 20
COMPUTED: Mapping[str, tuple[Text, str]] = {
    "area_m2": (Text("图上面积", "Computed area"), "m²"),
    "length_m": (Text("图上长度", "Computed length"), "m"),
    "area_disagrees": (Text("填报与图上面积不符", "Stated area disagrees"), ""),
}
"""Words and units of the columns the engine computes."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a card is wanted: language, and the year shown (None: the newest each table has)."""

    language: str = "zh-CN"
    year: int | None = None


class Entities:
    """Cards over a village's served tables; every value passes the policy."""

    def __init__(self, onemap: OneMap, serving: Serving, policy: Policy, ledger: Path | None = None) -> None:
        self._onemap = onemap
        self._serving = serving
        self._policy = policy
        self._ledger = ledger
        self._tables: dict[str, list[Resource]] = {}
        for resource in onemap.resources:
            self._tables.setdefault(resource.thing, []).append(resource)

    def entity(self, subject: Subject, entity_id: str, asked: Asked = Asked()) -> Json:
        """Give one record of `<entity>:<key>`: a section per table that knows it, place, duty, links.

        Raises NotFound, in the same words, for what is unknown and for what may not be seen.
        """
        kind, _, key = entity_id.partition(":")
        known = [r for r in self._tables.get(kind, ()) if key and self._policy.sees(subject, r.id)]
        sections = [s for r in known if (s := self._section(subject, r, key, asked)) is not None]
        if not any(s["fields"] for s in sections):
            _raise_broken(sections)
            raise unknown(entity_id)
        box = next((s["bbox"] for s in sections if s["bbox"]), None)
        return {
            "id": entity_id,
            "entity": kind,
            "key": key,
            "title": _best_title(sections, key),
            "bbox": box,
            "point": [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] if box else None,
            "years": sorted({h["year"] for s in sections for h in s["history"] if h["year"] is not None}),
            "sections": sections,
            "duty": _distinct(d for s in sections for d in s["duty"]),
            "links": _distinct(link for s in sections for link in s["links"]),
            "related": self._related(subject, kind, key, asked),
        }

    def feature(self, subject: Subject, table: str, feature_id: str, asked: Asked = Asked()) -> Json:
        """Give one row of one table with its provenance; raises NotFound."""
        resource = self._policy.resource(subject, table)
        section = self._section(subject, resource, feature_id, asked)
        if section is None:
            raise unknown(f"{table}/{feature_id}")
        _raise_broken([section])
        return {
            **section,
            "id": feature_id,
            "entity": resource.entity_id(feature_id),
            "title": section["row_title"],
        }

    def _section(self, subject: Subject, resource: Resource, key: str, asked: Asked) -> Json | None:
        try:
            rows = self._rows(subject, resource, key)
        except NotFound:
            return None
        except StoreBroken as broken:
            return {**self._head(resource, asked), **EMPTY, "broken": {"zh": broken.zh, "en": broken.en}}
        if not rows:
            return None
        shown = _shown(rows, asked.year)
        visible = {y: self._policy.reveal(subject, resource.id, [r])[0] for y, r in rows.items()}
        return {
            **self._head(resource, asked),
            "year": shown,
            "row_title": resource.title_of(visible[shown], asked.language),
            "named": bool(resource.title_field),
            "bbox": box_of(rows[shown]),
            "fields": self._fields(resource, visible[shown], asked.language),
            "history": [self._edition(resource, y, r, asked.language) for y, r in visible.items()],
            "changes": self._changes(resource, visible, asked.language),
            "provenance": provenance(visible[shown]),
            "duty": _duty(resource, visible[shown], asked.language),
            "links": self._links(subject, resource, visible[shown]),
            "broken": None,
        }

    def _rows(self, subject: Subject, resource: Resource, key: str) -> dict[int | None, Row]:
        """Give the row of each edition, newest first, with the box of its geometry."""
        stored = self._serving.columns(resource.id)
        columns = [c for c in self._policy.columns(subject, resource.id) if c in stored]
        columns += [c for c in BOX if c in stored]
        rows = self._serving.select(resource.id, columns, [("id", "=", key)], limit=50)
        return {r.get("year"): r for r in sorted(rows, key=lambda r: r.get("year") or 0, reverse=True)}

    def _head(self, resource: Resource, asked: Asked) -> Json:
        department = self._onemap.department(resource.department)
        language = asked.language
        return {
            "table": resource.id,
            "title": resource.title.in_(language),
            "layers": [x.id for x in self._onemap.layers if any(d.table == resource.id for d in x.draws)],
            "department": {
                "id": resource.department,
                "title": department.title.in_(language) if department else resource.department,
                "contact_person": resource.contact_person,
                "contact_phone": resource.contact_phone,
                "duty": resource.responsibility_item,
            },
            "share": resource.share_type,
            "update_cycle": resource.update_cycle,
            "freshness": self.freshness(resource, language),
        }

    def freshness(self, resource: Resource, language: str = "zh-CN") -> Json:
        """Give how fresh a resource is: {state, shape, as_of, age_seconds, reason, version}."""
        last = freshness.read(self._ledger).get(resource.id) if self._ledger else None
        now = self._onemap.village.clock or datetime.now(UTC)
        judged = freshness.status(last, resource.cadence_seconds, now)
        return {
            "state": judged.state,
            "shape": judged.shape,
            "as_of": judged.as_of.isoformat() if judged.as_of else None,
            "age_seconds": judged.age_seconds,
            "reason": judged.reason_en if language.startswith("en") else judged.reason_zh,
            "version": last.version if last else "",
        }

    def _fields(self, resource: Resource, row: Row, language: str) -> list[Json]:
        main = {c for x in self._onemap.layers for d in x.draws if d.table == resource.id for c in d.popup}
        declared = [self._field(f, row, language, main) for f in resource.fields if f.name in row]
        computed = [
            {**_plain(name, title.in_(language), unit, row[name]), "main": name in main or not main}
            for name, (title, unit) in COMPUTED.items()
            if row.get(name) is not None
        ]
        return declared + computed

    def _field(self, field: Field, row: Row, language: str, main: set[str]) -> Json:
        value = row[field.name]
        system = self._onemap.code_system(field.code_system) if field.code_system else None
        code = system.find(str(value)) if system and value is not None else None
        return {
            **_plain(field.name, field.title.in_(language), field.unit, value),
            "meaning": code.title.in_(language) if code else "",
            "code_system": field.code_system,
            "masked": field.sensitivity == "personal" and value is not None,
            "main": field.name in main or not main,
        }

    def _edition(self, resource: Resource, year: int | None, row: Row, language: str) -> Json:
        fields = self._fields(resource, row, language)
        return {"year": year, "fields": fields, "provenance": provenance(row)}

    def _changes(self, resource: Resource, rows: Mapping[int | None, Row], language: str) -> list[Json]:
        """Give each column that differs between the oldest and the newest edition."""
        if len(rows) < 2:
            return []
        (newest, after), *_, (oldest, before) = rows.items()
        new = {f["name"]: f for f in self._fields(resource, after, language)}
        old = {f["name"]: f for f in self._fields(resource, before, language)}
        return [
            {**new[n], "from_year": oldest, "to_year": newest, "before": old[n]["value"], "after": new[n]["value"]}
            | {"before_meaning": old[n].get("meaning", ""), "after_meaning": new[n].get("meaning", "")}
            for n in new
            if n in old and old[n]["value"] != new[n]["value"]
        ]

    def _links(self, subject: Subject, resource: Resource, row: Row) -> list[Json]:
        """Give the other things a row names: a field `building_id` names `building:<value>`."""
        found = []
        for field in resource.fields:
            kind = self._names(field.name, resource)
            value = row.get(field.name)
            visible = kind and any(self._policy.sees(subject, r.id) for r in self._tables[kind])
            if value is not None and visible and field.sensitivity in ("public", "internal"):
                found.append({"entity": f"{kind}:{value}", "field": field.name})
        return found

    def _names(self, column: str, resource: Resource) -> str:
        """Give the kind of thing a column of `resource` names, "" where it names none or itself."""
        if column == resource.key:
            return ""
        kind = column.removesuffix("_id")
        if column.endswith("_id") and kind in self._tables:
            return kind
        keyed = (r.entity for r in self._onemap.resources if r.entity and r.key == column and r.id != resource.id)
        return next(keyed, "")

    def _related(self, subject: Subject, kind: str, key: str, asked: Asked) -> list[Json]:
        """Give rows of other tables that name this thing, a few of each."""
        found: list[Json] = []
        for resource in self._policy.tables(subject):
            column = next((f.name for f in resource.fields if self._names(f.name, resource) == kind), "")
            if not column or (resource.thing) == kind:
                continue
            found += self._naming(subject, resource, column, key, asked)
        return found

    def _naming(self, subject: Subject, resource: Resource, column: str, key: str, asked: Asked) -> list[Json]:
        try:
            self._policy.columns(subject, resource.id, [column], "filter")
            stored = self._serving.columns(resource.id)
            columns = [c for c in self._policy.columns(subject, resource.id) if c in stored]
            rows = self._serving.select(resource.id, columns, [(column, "=", key)], limit=RELATED_LIMIT)
        except (NotFound, StoreBroken):
            return []
        newest = max((r.get("year") or 0 for r in rows), default=0)
        return [
            {
                "entity": resource.entity_id(row["id"]),
                "table": resource.id,
                "table_title": resource.title.in_(asked.language),
                "title": resource.title_of(row, asked.language),
            }
            for row in self._policy.reveal(subject, resource.id, rows)
            if (row.get("year") or 0) == newest
        ]


EMPTY: Json = {
    "year": None,
    "row_title": "",
    "named": False,
    "bbox": None,
    "fields": [],
    "history": [],
    "changes": [],
    "provenance": {},
    "duty": [],
    "links": [],
}


def box_of(row: Row) -> list[float] | None:
    """Give (west, south, east, north) in degrees of a served row, None where it has no geometry."""
    if any(row.get(c) is None for c in BOX):
        return None
    lon, lat = from_mercator([row["xmin"], row["xmax"]], [row["ymin"], row["ymax"]])
    return [round(float(v), 7) for v in (lon[0], lat[0], lon[1], lat[1])]


def provenance(row: Row) -> Json:
    """Give where a row comes from: resource, run, source file and its SHA-256, and the row as the clerk sees it."""
    return {c.lstrip("_"): row.get(c) for c in ("_resource", "_run", "_source", "_source_sha256", "_row")}


def _plain(name: str, title: str, unit: str, value: Any) -> Json:
    shown = value.isoformat() if hasattr(value, "isoformat") else value
    plain: Json = {"name": name, "title": title, "unit": unit, "value": shown}
    return {**plain, "meaning": "", "code_system": "", "masked": False}


def _shown(rows: Mapping[int | None, Row], year: int | None) -> int | None:
    known = [y for y in rows if y is not None]
    if not known:
        return None
    return max((y for y in known if year is None or y <= year), default=min(known))


def _duty(resource: Resource, row: Row, language: str) -> list[Json]:
    """Give the people on duty a row names: a `<role>_name` beside a `<role>_phone`."""
    found = []
    for field in resource.fields:
        role = field.name.removesuffix("_name")
        phone = f"{role}_phone"
        private = field.sensitivity not in ("public", "internal")
        if field.name.endswith("_name") and not private and resource.field_named(phone) and row.get(field.name):
            found.append({"role": field.title.in_(language), "name": row[field.name], "phone": row.get(phone)})
    return found


def _best_title(sections: Sequence[Json], key: str) -> str:
    """Give the name a table has for the thing, rather than its code."""
    named = [s["row_title"] for s in sections if s["named"]]
    return next((n for n in named if n != key), next(iter(named), key))


def _raise_broken(sections: Iterable[Json]) -> None:
    for section in sections:
        if section["broken"]:
            raise StoreBroken(**section["broken"])


def _distinct(items: Iterable[Json]) -> list[Json]:
    seen: dict[str, Json] = {}
    for item in items:
        seen.setdefault(repr(sorted(item.items())), item)
    return list(seen.values())
