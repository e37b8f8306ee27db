"""Every table that knows a thing, asked and joined: a section a table, the place, people on duty, what is related."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twin import freshness
from twin.entities import values
from twin.errors import NotFound, StoreBroken
from twin.model import OneMap, Resource
from twin.policy import Policy, Subject, noted, unknown

if TYPE_CHECKING:
    from pathlib import Path

    from twin.store import Serving

Json = dict[str, Any]
Row = Mapping[str, Any]

RELATED_LIMIT = 20


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a card is wanted: language, and the year shown (None: the newest each table has)."""

    language: str = "zh-CN"
    year: int | None = None


class Entities:
    """Cards over a village's served tables; every value passes the policy."""

    def __init__(
        self,
        onemap: OneMap,
        serving: Serving,
        policy: Policy,
        ledger: Path | None = None,
        *,
        as_of: datetime | None = None,
    ) -> None:
        self._onemap = onemap
        self._serving = serving
        self._policy = policy
        self._ledger = ledger
        self._as_of = as_of
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
        shown = values.shown(rows, asked.year)
        visible = {y: self._policy.reveal(subject, resource.id, [r])[0] for y, r in rows.items()}
        permit = self._policy.decide(subject, "select", resource.id)
        box = values.box_of(rows[shown])
        noted.place(permit, [box])
        told = values.Telling(
            onemap=self._onemap,
            resource=resource,
            language=asked.language,
            masked=frozenset(c for c, access in permit.columns.items() if access == "masked"),
        )
        return {
            **self._head(resource, asked),
            "year": shown,
            "row_title": resource.title_of(visible[shown], asked.language),
            "named": bool(resource.title_field),
            "bbox": box,
            "fields": told.fields(visible[shown]),
            "history": [told.edition(y, r) for y, r in visible.items()],
            "changes": told.changes(visible),
            "provenance": values.provenance(visible[shown]),
            "duty": values.duty(resource, visible[shown], asked.language),
            "links": self._links(subject, resource, visible[shown]),
            "broken": None,
        }

    def _rows(self, subject: Subject, resource: Resource, key: str) -> dict[int | None, Row]:
        """Give the row of each edition, newest first, with the box of its geometry."""
        stored = self._serving.columns(resource.id)
        columns = [c for c in self._policy.columns(subject, resource.id) if c in stored]
        columns += [c for c in values.BOX if c in stored]
        permit = self._policy.decide(subject, "select", resource.id)
        rows = self._serving.select(resource.id, columns, [("id", "=", key)], limit=50, permit=permit)
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
        last = freshness.read(self._ledger, until=self._as_of).get(resource.id) if self._ledger else None
        now = self._onemap.village.clock or self._as_of or datetime.now(UTC)
        judged = freshness.status(last, resource.cadence_seconds, now)
        return {
            "state": judged.state,
            "shape": judged.shape,
            "as_of": judged.as_of.isoformat() if judged.as_of else None,
            "age_seconds": judged.age_seconds,
            "reason": judged.reason_en if language.startswith("en") else judged.reason_zh,
            "version": last.version if last else "",
        }

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
        if column not in self._policy.columns(subject, resource.id, None, "filter"):
            return []
        permit = self._policy.decide(subject, "select", resource.id)
        try:
            stored = self._serving.columns(resource.id)
            columns = [c for c in self._policy.columns(subject, resource.id) if c in stored]
            few = min(RELATED_LIMIT, permit.max_rows)
            rows = self._serving.select(resource.id, columns, [(column, "=", key)], limit=few, permit=permit)
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
