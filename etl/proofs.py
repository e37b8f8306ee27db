"""What a sound catalogue satisfies beyond its form: references, code systems, coordinate systems, sensitivities."""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from twin.toml_lines import Path as KeyPath
from twin.toml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.declared import Document
    from twin.model import CodeSystem, Department, Field, Resource, Source, Village

DERIVED = "derived"
"""The reader of a table that is read nowhere: it is worked out from published ones."""
READERS = ("vector", "table", "database", "raster", "scene", DERIVED)
OBFUSCATED = ("gcj02", "bd09")
NO_CRS_INSIDE = ("CSV", "XLSX", "XLS", "DXF", "TXT")
"""Formats that carry no coordinate system: it has to be declared."""
LAND_FIELDS = ("land_class", "plan_class", "land_use_class", "planned_use_class")
"""Columns that hold a land-use code; 1001 is a railway in one generation of codes and industry in another."""
COMPUTED = ("id", "year", "area_m2", "length_m", "area_disagrees")
PROVENANCE = ("_resource", "_run", "_source", "_source_sha256", "_row")
_ID = re.compile(r"^[a-z][a-z0-9_]*$")
_SYSTEM = re.compile(r"^[a-z0-9_]+@[A-Za-z0-9_.-]+$")
_EPSG = re.compile(r"^EPSG:\d{4,6}$")
_COLOUR = re.compile(r"^(#[0-9A-Fa-f]{6})?$")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a thing is declared."""

    document: Document
    path: KeyPath

    def where(self) -> str:
        """Give "file:line"."""
        return f"{self.document.file}:{line_of(dict(self.document.lines), self.path)}"

    def fault(self, key: KeyPath, words: tuple[str, str], remedy: tuple[str, str]) -> None:
        """Note a fault at `key` under this place."""
        self.document.fault((*self.path, *key), words, remedy)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What one proof may look at."""

    village: Village | None
    departments: Sequence[Department]
    code_systems: Sequence[CodeSystem]
    places: Mapping[str, Place]

    def tables(self) -> dict[str, Resource]:
        """Give every resource by its id."""
        return {r.id: r for d in self.departments for r in d.resources}

    def systems(self) -> set[str]:
        """Give the ids of the code systems."""
        return {s.id for s in self.code_systems}


def village(facts: Facts) -> None:
    """Prove that the boxes are boxes, one inside the other, and that the coordinate systems are named."""
    value, place = facts.village, facts.places["village"]
    if value is None:
        if not place.document.faults:
            place.fault((), ("缺少 [village]", "[village] is missing"), ("写出村庄的申报", "Declare the village"))
        return
    for key, box in (("bbox", value.bbox), ("plausible_bbox", value.plausible_bbox)):
        if not (box[0] < box[2] and box[1] < box[3]):
            order = ("次序为 西、南、东、北(度)", "The order is west, south, east, north (degrees)")
            place.fault((key,), (f"{key} 不是一个范围", f"{key} is not a box"), order)
    inner, outer = value.bbox, value.plausible_bbox
    if inner[0] < outer[0] or inner[1] < outer[1] or inner[2] > outer[2] or inner[3] > outer[3]:
        words = ("村庄范围超出可信范围", "The village's box reaches out of the plausible box")
        place.fault(("plausible_bbox",), words, ("扩大 plausible_bbox", "Widen plausible_bbox"))
    for key in ("metric_crs", "storage_crs"):
        if not _EPSG.match(getattr(value, key)):
            place.fault(
                (key,), (f"{key} 应为 EPSG:编号", f"{key} must be EPSG:n"), ("例:EPSG:4549", "Such as EPSG:4549")
            )


def code_system(facts: Facts, system: CodeSystem) -> None:
    """Prove that a code list is versioned, its codes are unique and its colours are colours."""
    place = facts.places.get(f"codes:{system.id}")
    if place is None:
        return
    if not _SYSTEM.match(system.id):
        words = (f"代码表 {system.id} 没有版本", f"Code system {system.id} has no version")
        place.fault(("id",), words, ("写成 名称@版本,如 sandiao@2019", "Write name@version, such as sandiao@2019"))
    seen: set[str] = set()
    for index, code in enumerate(system.codes):
        if code.code in seen:
            words = (f"代码 {code.code} 重复", f"Code {code.code} stands twice")
            place.fault(("code", index, "code"), words, ("删去其一", "Remove one"))
        seen.add(code.code)
        if not _COLOUR.match(code.colour):
            words = (f"{code.colour} 不是颜色", f"{code.colour} is not a colour")
            place.fault(("code", index, "colour"), words, ("写成 #RRGGBB", "Write #RRGGBB"))


def resource(facts: Facts, value: Resource, layer_ids: Sequence[str]) -> None:
    """Prove one resource: its id, its references, its fields, its sources and its transform."""
    place = facts.places.get(f"resource:{value.id}")
    if place is None:
        return
    if not _ID.match(value.id):
        words = (f"标识 {value.id} 不能作表名", f"{value.id} cannot name a table")
        place.fault(("id",), words, ("用小写字母、数字、下划线", "Use lower-case letters, digits and _"))
    if value.reader not in READERS:
        listed = " / ".join(READERS)
        words = (f"没有读取器 {value.reader}", f"There is no reader {value.reader}")
        place.fault(("reader",), words, (f"用其中之一:{listed}", f"Use one of: {listed}"))
    if value.cadence_seconds < 0:
        words = ("更新周期不能为负", "The cadence cannot be negative")
        place.fault(("cadence_seconds",), words, ("写秒数;0 为只交一次", "Write seconds; 0 means delivered once"))
    for index, layer in enumerate(value.layers):
        if layer_ids and layer not in layer_ids:
            words = (f"没有图层 {layer}", f"There is no layer {layer}")
            place.fault(("layers", index), words, ("见 layers/__init__.py", "See layers/__init__.py"))
    _references(place, value)
    _fields(facts, place, value)
    for index, source in enumerate(value.sources):
        _source(facts, place, value, index, source)
    _transform(place, value)


def _references(place: Place, value: Resource) -> None:
    names = [f.name for f in value.fields]
    required = () if value.kind in ("raster", "scene") else (("key", value.key),)
    for key, name in (
        *required,
        ("title_field", value.title_field),
        ("stated_area", value.stated_area),
        ("area_field", value.area_field),
    ):
        if (name or key == "key") and name not in names:
            words = (f"{key} = {name!r} 不在信息项中", f"{key} = {name!r} is not among the fields")
            place.fault((key,), words, ("改为:" + " / ".join(names), "Use one of: " + " / ".join(names)))
    if value.stated_area and value.kind != "polygon":
        words = ("只有面要素有申报面积", "Only polygons have a stated area")
        place.fault(("stated_area",), words, ("删去此项", "Remove this key"))


def _fields(facts: Facts, place: Place, value: Resource) -> None:
    seen: set[str] = set()
    for index, item in enumerate(value.fields):
        path: KeyPath = ("field", index)
        if item.name in seen:
            words = (f"信息项 {item.name} 重复", f"Field {item.name} stands twice")
            place.fault((*path, "name"), words, ("改名或删去", "Rename or remove it"))
        seen.add(item.name)
        _field(facts, place, path, item, [f.name for f in value.fields if f.type == item.type])
    lands = [f for f in value.fields if f.name in LAND_FIELDS]
    if value.code_system and value.code_system not in facts.systems():
        _unknown_system(facts, place, ("code_system",), value.code_system)
    if lands and not value.code_system:
        words = ("有地类代码而未申报 code_system@版本", "It has land codes but no code_system with its version")
        place.fault(("code_system",), words, ("补上,如 sandiao@2019", "Add one, such as sandiao@2019"))


def _field(facts: Facts, place: Place, path: KeyPath, item: Field, names: Sequence[str]) -> None:
    if not _ID.match(item.name) or (item.name in COMPUTED and item.name != "year"):
        words = (f"列名 {item.name} 不可用", f"{item.name} cannot name a column")
        remedy = (
            "用小写字母、数字、下划线,避开系统列",
            "Use lower-case letters, digits, _; not a computed column's name",
        )
        place.fault((*path, "name"), words, remedy)
    if item.sensitivity is None:
        words = (f"{item.name} 未分级", f"{item.name} is unclassified")
        remedy = ("写明 sensitivity = public / internal / personal / sensitive", "State its sensitivity")
        place.fault((*path, "sensitivity"), words, remedy)
    if item.code_system and item.code_system not in facts.systems():
        _unknown_system(facts, place, (*path, "code_system"), item.code_system)
    if item.name in LAND_FIELDS and not item.code_system:
        words = (f"地类列 {item.name} 未申报代码表", f"Land column {item.name} names no code system")
        place.fault((*path, "code_system"), words, ("补上 code_system", "Add code_system"))
    if item.pattern and not item.pattern.startswith("@"):
        try:
            re.compile(item.pattern)
        except re.error as error:
            place.fault((*path, "pattern"), (f"正则式有误:{error}", f"Bad pattern: {error}"), ("改正", "Mend it"))
    if item.minimum is not None and item.maximum is not None and item.minimum > item.maximum:
        place.fault((*path, "minimum"), ("最小值大于最大值", "minimum exceeds maximum"), ("对调", "Exchange them"))
    if item.not_before and item.not_before not in names:
        words = (
            f"not_before = {item.not_before} 不在信息项中",
            f"not_before = {item.not_before} is not among the fields",
        )
        place.fault((*path, "not_before"), words, ("改为:" + " / ".join(names), "Use one of: " + " / ".join(names)))
    if item.scale <= 0:
        words = ("换算系数须为正", "The scale must be positive")
        place.fault((*path, "scale"), words, ("亩→m² 为 666.6667", "666.6667 for mu to m²"))


def _unknown_system(facts: Facts, place: Place, path: KeyPath, system: str) -> None:
    listed = " / ".join(sorted(facts.systems()))
    words = (f"没有代码表 {system}", f"There is no code system {system}")
    place.fault(path, words, (f"用其中之一:{listed}", f"Use one of: {listed}"))


def _source(facts: Facts, place: Place, value: Resource, index: int, source: Source) -> None:
    path: KeyPath = ("source", index)
    spatial = value.kind != "none"
    location = PurePosixPath(source.location)
    if location.is_absolute() or ".." in location.parts or not source.location:
        words = ("路径须在 raw/ 之内", "The location must lie inside raw/")
        place.fault((*path, "location"), words, ("写相对路径", "Write a relative path"))
    if spatial and not source.crs and value.format.upper() in NO_CRS_INSIDE:
        words = (f"{value.format} 不带坐标系", f"{value.format} carries no coordinate system")
        remedy = ("向提供单位问明后写 crs", "Ask the provider and declare crs")
        place.fault((*path, "crs"), words, remedy)
    if source.crs and source.crs not in OBFUSCATED:
        _source_crs(facts, place, (*path, "crs"), source.crs)
    if spatial and value.reader == "table" and not (source.x and source.y):
        words = ("表格要素缺少坐标列 x、y", "A table of places needs its x and y columns")
        place.fault(path, words, ("写明 x = 列名, y = 列名", "Name them: x = …, y = …"))


def _source_crs(facts: Facts, place: Place, path: KeyPath, crs: str) -> None:
    if not _EPSG.match(crs):
        words = (f"{crs} 不是坐标系", f"{crs} is not a coordinate system")
        place.fault(path, words, ("写 EPSG:编号、gcj02 或 bd09", "Write EPSG:n, gcj02 or bd09"))
    elif facts.village and crs not in facts.village.accepted_crs:
        words = (f"{crs} 不在村庄认可的坐标系中", f"{crs} is not among the village's accepted systems")
        remedy = ("经数据主管认可精度后写入 accepted_crs", "Once its accuracy is accepted, add it to accepted_crs")
        place.fault(path, words, remedy)


def _transform(place: Place, value: Resource) -> None:
    if not value.transform:
        return
    module, _, name = value.transform.partition(":")
    try:
        found = callable(getattr(importlib.import_module(f"etl.transforms.{module}"), name, None))
    except ImportError:
        found = False
    if not found:
        words = (f"找不到变换 {value.transform}", f"There is no transform {value.transform}")
        place.fault(("transform",), words, ("写 模块:函数", "Write module:function, in etl/transforms"))
