"""What there is, listed: themes, layers, catalogue, health; every entry has passed the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin import style
from twin.errors import NotFound, NotYetKnown, StoreBroken, VersionGone
from twin.policy import ANONYMOUS_LOCAL, Subject, columns_of

if TYPE_CHECKING:
    from twin.api.rooms import Rooms
    from twin.model import Field, Layer, Resource

Json = dict[str, Any]


def health(rooms: Rooms, subject: Subject) -> Json:
    """Give {status}, and to those who look after the data {tables, declared, broken, degraded, bound, demo} too.

    No version is told to anybody.
    """
    broken: list[Json] = []
    degraded: list[Json] = []
    tables = rooms.store.tables()
    for table in tables:
        try:
            snapshot = rooms.store.current(table)
        except StoreBroken as error:
            broken.append({"table": table, "zh": error.zh, "en": error.en})
        else:
            degraded += [{"table": table, "reason": snapshot.degraded}] if snapshot.degraded else []
    found: Json = {"status": "broken" if broken else "degraded" if degraded else "ok"}
    if subject.role != ANONYMOUS_LOCAL.role and not rooms.policy.may(subject, "runs.start"):
        return found
    return {
        **found,
        "tables": len(tables),
        "declared": len(rooms.onemap.resources),
        "broken": broken,
        "degraded": degraded,
        "bound": rooms.settings.host,
        "demo": rooms.settings.demo,
    }


def warm(rooms: Rooms) -> None:
    """Do now what the first requests would wait for: check the published bytes, attach them, index what is searched."""
    health(rooms, ANONYMOUS_LOCAL)
    rooms.search.find(ANONYMOUS_LOCAL, "0")


def themes(rooms: Rooms, subject: Subject, language: str) -> Json:
    """Give the village and its themes, each with the ids of its layers."""
    village = rooms.onemap.village
    visible = rooms.policy.layers(subject)
    return {
        "village": {
            "id": village.id,
            "name": village.name.in_(language),
            "code": village.code,
            "county": village.county.in_(language),
            "bbox": list(village.bbox),
            "center": list(village.center),
            "zoom": village.zoom,
            "area_unit": village.area_unit,
            "attribution": village.attribution.in_(language),
            "demo": village.demo,
        },
        "themes": [
            {"id": t.id, "title": t.title.in_(language), "layers": [x.id for x in visible if x.theme == t.id]}
            for t in rooms.onemap.themes
        ],
    }


def layers(rooms: Rooms, subject: Subject, language: str) -> list[Json]:
    """Give every visible layer as the page lists it, in drawing order."""
    tokens = versions(rooms, subject)
    return [_layer(rooms, subject, x, language, tokens.get(x.id, "")) for x in rooms.policy.layers(subject)]


def _layer(rooms: Rooms, subject: Subject, layer: Layer, language: str, token: str) -> Json:
    tables = [t for t in dict.fromkeys(d.table for d in layer.draws) if rooms.policy.sees(subject, t)]
    department = rooms.onemap.department(layer.department)
    return {
        "id": layer.id,
        "slug": layer.slug,
        "theme": layer.theme,
        "title": layer.title.in_(language),
        "abstract": layer.abstract.in_(language),
        "department": {"id": layer.department, "title": department.title.in_(language) if department else ""},
        "share": layer.share,
        "code_system": layer.code_system,
        "default_on": layer.default_on,
        "opacity": layer.opacity,
        "keywords": list(layer.keywords),
        "legend": style.legend(rooms.onemap, layer, language),
        "version": token,
        "tables": [_table(rooms, t, language) for t in tables],
    }


def _table(rooms: Rooms, table: str, language: str) -> Json:
    resource = rooms.onemap.resource(table)
    found: Json = {"table": table, "title": resource.title.in_(language) if resource else table}
    if resource is not None:
        found["freshness"] = rooms.entities.freshness(resource, language)
    try:
        manifest = rooms.store.current(table).manifest
    except (NotYetKnown, VersionGone) as why:
        nothing = {"rows": None, "years": [], "as_of": None}
        return {**found, "state": why.code, **nothing, "zh": why.zh, "en": why.en}
    except NotFound:
        return {**found, "state": "never", "rows": None, "years": [], "as_of": None}
    except StoreBroken as error:
        return {**found, "state": "broken", "rows": None, "years": [], "as_of": None, "zh": error.zh, "en": error.en}
    return {
        **found,
        "state": "served",
        "rows": manifest.get("rows"),
        "years": manifest.get("years") or [],
        "as_of": manifest.get("as_of"),
        "bbox": manifest.get("bbox"),
    }


def versions(rooms: Rooms, subject: Subject) -> dict[str, str]:
    """Give the version token of each layer that can be served now."""
    found: dict[str, str] = {}
    for layer in rooms.policy.layers(subject):
        try:
            found[layer.id] = rooms.tiles.versions(subject, layer)
        except StoreBroken:
            continue
    return found


def catalog(rooms: Rooms, subject: Subject, language: str) -> Json:
    """Give the departments and their resources in the official catalogue's fields."""
    return {
        "departments": [
            {
                "id": d.id,
                "title": d.title.in_(language),
                "provider_code": d.provider_code,
                "resources": [
                    _resource(rooms, subject, r, language) for r in d.resources if rooms.policy.sees(subject, r.id)
                ],
            }
            for d in rooms.onemap.departments
        ]
    }


TOLD = (
    "id",
    "code",
    "format",
    "kind",
    "share_type",
    "share_condition",
    "share_method",
    "open_attr",
    "update_cycle",
    "legal_basis",
    "retention",
    "contact_person",
    "contact_phone",
    "responsibility_item",
    "code_system",
    "theme",
)
"""What the catalogue tells of a resource as it is declared."""


def _resource(rooms: Rooms, subject: Subject, resource: Resource, language: str) -> Json:
    permit = rooms.policy.decide(subject, "select", resource.id)
    permitted = [f for f in resource.fields if f.name in columns_of(resource) and f.name in permit.columns]
    return {
        **{n: getattr(resource, n) for n in TOLD},
        "title": resource.title.in_(language),
        "abstract": resource.abstract.in_(language),
        "class_path": list(resource.class_path),
        "published": resource.published,
        "layers": list(resource.layers),
        "fields": [_field(f, permit.columns[f.name], language) for f in permitted],
        **_table(rooms, resource.id, language),
    }


def _field(field: Field, access: str, language: str) -> Json:
    return {
        "name": field.name,
        "title": field.title.in_(language),
        "type": field.type,
        "unit": field.unit,
        "class": field.sensitivity,
        "access": access,
    }
