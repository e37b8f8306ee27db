"""What one row of a table says: its values with words and units, what changed between editions, whence it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from twin.geodesy import from_mercator
from twin.model import Field, OneMap, Resource, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]
Row = Mapping[str, Any]

BOX = ("xmin", "ymin", "xmax", "ymax")
COMPUTED: Mapping[str, tuple[Text, str]] = {
    "area_m2": (Text("图上面积", "Computed area"), "m²"),
    "length_m": (Text("图上长度", "Computed length"), "m"),
    "area_disagrees": (Text("填报与图上面积不符", "Stated area disagrees"), ""),
}
"""Words and units of the columns the engine computes."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How rows of one resource are told: whose words, in which language, and which columns arrive masked."""

    onemap: OneMap
    resource: Resource
    language: str
    masked: frozenset[str] = frozenset()

    def fields(self, row: Row) -> list[Json]:
        """Give {name, title, unit, value, meaning, code_system, masked, main, rank} of each column, computed last.

        Times are told as ISO 8601 with the village's offset; the store keeps them in UTC.
        """
        drawn = (d for x in self.onemap.layers for d in x.draws if d.table == self.resource.id)
        main = list(dict.fromkeys(c for d in drawn for c in d.popup))
        declared = [self._field(f, row, main) for f in self.resource.fields if f.name in row]
        computed = [
            {**_plain(name, title.in_(self.language), unit, row[name]), **_rank(name, main)}
            for name, (title, unit) in COMPUTED.items()
            if row.get(name) is not None
        ]
        return declared + computed

    def _field(self, field: Field, row: Row, main: Sequence[str]) -> Json:
        value = row[field.name]
        system = self.onemap.code_system(field.code_system) if field.code_system else None
        code = system.find(str(value)) if system and value is not None else None
        shown = local(value, self.onemap.village.time_zone) if isinstance(value, datetime) else value
        return {
            **_plain(field.name, field.title.in_(self.language), field.unit, shown),
            "meaning": code.title.in_(self.language) if code else "",
            "code_system": field.code_system,
            "masked": field.name in self.masked and value is not None,
            **_rank(field.name, main),
        }

    def edition(self, year: int | None, row: Row) -> Json:
        """Give one edition of a row: year, fields, provenance."""
        return {"year": year, "fields": self.fields(row), "provenance": provenance(row)}

    def changes(self, rows: Mapping[int | None, Row]) -> list[Json]:
        """Give each column that differs between the oldest and the newest of `rows`, which are newest first."""
        if len(rows) < 2:
            return []
        (newest, after), *_, (oldest, before) = rows.items()
        new = {f["name"]: f for f in self.fields(after)}
        old = {f["name"]: f for f in self.fields(before)}
        return [
            {**new[n], "from_year": oldest, "to_year": newest, "before": old[n]["value"], "after": new[n]["value"]}
            | {"before_meaning": old[n].get("meaning", ""), "after_meaning": new[n].get("meaning", "")}
            for n in new
            if n in old and old[n]["value"] != new[n]["value"]
        ]


def _rank(name: str, main: Sequence[str]) -> Json:
    """Say whether a layer's card names the column, and where; all are main where no card names any."""
    return {"main": name in main or not main, "rank": main.index(name) if name in main else len(main)}


def _plain(name: str, title: str, unit: str, value: Any) -> Json:
    shown = value.isoformat() if hasattr(value, "isoformat") else value
    plain: Json = {"name": name, "title": title, "unit": unit, "value": shown}
    return {**plain, "meaning": "", "code_system": "", "masked": False}


def local(at: datetime, zone: str) -> datetime:
    """Give a stored time (UTC where it names no zone) on the village's clock."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone))


def duty(resource: Resource, row: Row, language: str) -> list[Json]:
    """Give the people on duty a row names: a `<role>_name` beside a `<role>_phone`."""
    found = []
    for field in resource.fields:
        role = field.name.removesuffix("_name")
        phone = f"{role}_phone"
        private = field.sensitivity not in ("public", "internal")
        if field.name.endswith("_name") and not private and resource.field_named(phone) and row.get(field.name):
            found.append({"role": field.title.in_(language), "name": row[field.name], "phone": row.get(phone)})
    return found


def shown(years: Iterable[int | None], year: int | None) -> int | None:
    """Give the edition that `year` shows of `years`: the newest not after it, else the oldest."""
    known = [y for y in years if y is not None]
    if not known:
        return None
    return max((y for y in known if year is None or y <= year), default=min(known))


def box_of(row: Row) -> list[float] | None:
    """Give (west, south, east, north) in degrees of a served row, None where it has no geometry."""
    if any(row.get(c) is None for c in BOX):
        return None
    lon, lat = from_mercator([row["xmin"], row["xmax"]], [row["ymin"], row["ymax"]])
    return [round(float(v), 7) for v in (lon[0], lat[0], lon[1], lat[1])]


def provenance(row: Row) -> Json:
    """Give where a row comes from: resource, run, source file and its SHA-256, and the row as the clerk sees it."""
    return {c.lstrip("_"): row.get(c) for c in ("_resource", "_run", "_source", "_source_sha256", "_row")}
