"""What a village receives, as frozen values: code lists, information items, catalogued resources, departments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from twin.model.text import Text

Kind = Literal["polygon", "line", "point", "none", "raster", "scene"]
Sensitivity = Literal["public", "internal", "personal", "sensitive"]
ShareType = Literal["unconditional", "conditional", "none"]
Meaning = Literal["", "id_card", "phone", "name", "bank_card", "plate", "address", "coordinate", "other"]
FieldType = Literal["string", "integer", "number", "boolean", "date", "datetime"]


@dataclass(frozen=True, kw_only=True)
class Code:
    """One entry of a code list, with the colour the standard gives it ("" where it gives none)."""

    code: str
    title: Text
    colour: str = ""
    abolished: bool = False


@dataclass(frozen=True, kw_only=True)
class CodeSystem:
    """A versioned code list; `id` is "name@version", e.g. "sandiao@2019"."""

    id: str
    title: Text
    source: str
    codes: tuple[Code, ...]

    def find(self, code: str) -> Code | None:
        """Give the entry of `code`, or None where the list does not have it."""
        return next((c for c in self.codes if c.code == code), None)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One information item (信息项) of a resource.

    `name` is the column in the store (`quantity_unit`); `source` is its heading in the delivered file.
    `sensitivity` None means unclassified: such a column cannot be selected by anybody.
    `scale` is what one source unit is in store units (亩 → m²: 666.6667); `as_code` names a code system.
    `meaning` says what kind of personal value it holds, hence how it is masked; "" leaves that to its name.
    `minimum` and `maximum` of a date are years; `not_before` names the field of the same row it may not precede.
    """

    name: str
    title: Text
    type: FieldType
    source: str
    sensitivity: Sensitivity | None = None
    unit: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    pattern: str = ""
    code_system: str = ""
    length: int | None = None
    scale: float = 1.0
    meaning: Meaning = ""
    not_before: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One delivered file (or folder) of a resource, and what cannot be read from the file itself.

    `location` is relative to the raw folder. `crs` is "EPSG:n", or "gcj02" / "bd09" for obfuscated coordinates;
    "" means the file must state it. `encoding` "" means decide by strict decoding and refuse when undecidable.
    `part` is the sheet, or the layer in a container. `x` and `y` name coordinate columns of a table.
    `connection` names an entry of connections.toml: where the environment arms it, `part` (table, collection, path) is
    asked of it, and `location` is not looked at. `watermark` names the column that grows with every change.
    """

    location: str
    year: int | None = None
    as_of: date | None = None
    part: str = ""
    crs: str = ""
    encoding: str = ""
    x: str = ""
    y: str = ""
    connection: str = ""
    watermark: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One catalogued data set (信息资源) of a department; its `id` is also the name of its table in the store.

    `key` names the field that identifies a row within a year; `entity` is the kind of thing that key names
    ("parcel", "building"): tables that share `entity` and key describe the same thing.
    `stated_area` names the field holding the area the department states; it is kept beside the computed one.
    `transform` names a pure function `etl.transforms.<module>:<function>`, "" for none. A table that is worked out
    from published ones names those as `inputs`, has no sources, and each field's `source` is the input columns it is
    made of ("building.storeys house_survey.danger_grade").
    `area_field` names the field holding a row's administrative (6, 9, 12 digits) or grid code (15); "" means that
    every row belongs to the village. `about` says whether a row stands for a person or household; "" means yes where
    any field is personal or sensitive. `cadence` says when it is looked for (`twin.runs.cadence`); "" derives that from
    the promise, which is `update_cycle` in words and `cadence_seconds` in numbers.
    """

    id: str
    code: str
    title: Text
    department: str
    class_path: tuple[str, ...]
    abstract: Text
    format: str
    reader: str
    kind: Kind
    sources: tuple[Source, ...]
    key: str
    fields: tuple[Field, ...]
    share_type: ShareType
    share_condition: str
    share_method: str
    open_attr: str
    update_cycle: str
    cadence_seconds: int
    published: date
    theme: str
    layers: tuple[str, ...]
    entity: str = ""
    title_field: str = ""
    code_system: str = ""
    stated_area: str = ""
    area_tolerance_ratio: float = 0.05
    within_village: bool = True
    transform: str = ""
    legal_basis: str = ""
    retention: str = ""
    contact_person: str = ""
    contact_phone: str = ""
    responsibility_item: str = ""
    area_field: str = ""
    inputs: tuple[str, ...] = ()
    about: Literal["", "persons", "things"] = ""
    cadence: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    def field_named(self, name: str) -> Field | None:
        """Give the field called `name`, or None."""
        return next((f for f in self.fields if f.name == name), None)

    @property
    def about_persons(self) -> bool:
        """Say whether a row stands for a person or household, so that to count rows is to count people."""
        return self.about == "persons" or (
            not self.about and any(f.sensitivity in ("personal", "sensitive") for f in self.fields)
        )

    @property
    def thing(self) -> str:
        """Give the kind of thing a row describes: its entity, or the table itself."""
        return self.entity or self.id

    def entity_id(self, key: str) -> str:
        """Give the id under which all tables that know the same thing meet, e.g. "building:B0231"."""
        return f"{self.thing}:{key}"

    def title_of(self, row: Mapping[str, Any], language: str) -> str:
        """Give the words a row goes by: its title field, else the resource's title and the row's id."""
        named = row.get(self.title_field) if self.title_field else None
        return str(named) if named not in (None, "") else f"{self.title.in_(language)} {row.get('id', '')}".strip()


@dataclass(frozen=True, kw_only=True)
class Department:
    """One provider (提供方) and its catalogued resources; `theme` is the one it leads, "" where it leads none."""

    id: str
    title: Text
    provider_code: str
    resources: tuple[Resource, ...]
    theme: str = ""
