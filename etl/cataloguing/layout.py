"""The official layout of a catalogue: two sheets, their headings, and how a value is said in a cell."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from datetime import date
from typing import Any

from twin.errors import BadRequest
from twin.model import Department, Field, Resource, Source, Text

CATALOGUE, ITEMS = "目录", "信息项"
LEVELS = ("类", "项", "目", "细目")
"""The four columns of a class path."""
DEPARTMENT: Mapping[str, str] = {
    "id": "提供方标识", "title": "提供方名称", "provider_code": "提供方代码(统一社会信用代码)",
    "theme": "提供方主导专题",
}  # fmt: skip
RESOURCE: Mapping[str, str] = {
    "code": "信息资源代码", "title": "信息资源名称", "class_path": "分类", "abstract": "信息资源摘要",
    "format": "信息资源格式",
    "share_type": "共享类型", "share_condition": "共享条件", "share_method": "共享方式", "open_attr": "开放属性",
    "update_cycle": "更新周期", "published": "发布日期", "id": "资源标识", "kind": "几何类型", "key": "主键列",
    "theme": "所属专题", "layers": "图层", "cadence_seconds": "更新周期(秒)", "legal_basis": "法律依据",
    "retention": "保存期限", "contact_person": "联系人", "contact_phone": "联系电话",
    "responsibility_item": "责任事项", "reader": "读取方式", "code_system": "代码表及版本",
}  # fmt: skip
FIELD: Mapping[str, str] = {
    "title": "信息项名称", "name": "列名", "type": "数据类型", "length": "数据长度", "unit": "计量单位",
    "code_system": "代码表", "sensitivity": "敏感级别", "required": "必填", "pattern": "取值规则",
    "minimum": "最小值", "maximum": "最大值", "above": "大于", "source": "交付列名",
}  # fmt: skip
"""Attribute → heading, in the order of the columns; attributes that are not named here follow under their own name."""
WORDS: Mapping[str, Mapping[str, str]] = {
    "share_type": {"unconditional": "无条件共享", "conditional": "有条件共享", "none": "不予共享"},
    "type": {
        "string": "字符型", "integer": "整数型", "number": "数值型", "boolean": "布尔型", "date": "日期型",
        "datetime": "日期时间型",
    },
    "sensitivity": {"public": "公开", "internal": "内部", "personal": "个人信息", "sensitive": "敏感个人信息"},
    "kind": {"point": "点", "line": "线", "polygon": "面", "none": "无", "raster": "栅格", "scene": "三维"},
}  # fmt: skip
"""What a choice is called in a cell."""
YES, NO = "是", "否"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """One attribute of one dataclass in a sheet: its headings (two for words in two languages, four for a class)."""

    name: str
    headings: tuple[str, ...]
    hint: Any
    sole: bool = True


def columns(cls: type[Any], known: Mapping[str, str], skipped: tuple[str, ...]) -> tuple[Column, ...]:
    """Give the columns of a dataclass: those with an official heading first, every other attribute after them."""
    hints = typing.get_type_hints(cls)
    names = [f.name for f in dataclasses.fields(cls) if f.name not in skipped]
    order = [*(n for n in known if n in names), *(n for n in names if n not in known)]
    return tuple(Column(name=n, headings=_headings(n, known.get(n, n), hints[n]), hint=hints[n]) for n in order)


def _headings(name: str, heading: str, hint: Any) -> tuple[str, ...]:
    if name == "class_path":
        return LEVELS
    return (heading, f"{heading}(英文)") if hint is Text else (heading,)


OFFICE = columns(Department, DEPARTMENT, ("resources",))
CATALOGUED = columns(Resource, RESOURCE, ("department", "fields"))
ITEM = columns(Field, FIELD, ())


def cells(column: Column, value: Any) -> list[str]:
    """Say one attribute in the cells of its column; raises BadRequest for a class path of more than four levels."""
    if column.name == "class_path":
        if len(value) > len(LEVELS) or "" in value:
            zh, en = f"分类最多四级:{'/'.join(value)}", f"A class has four levels at most: {'/'.join(value)}"
            raise BadRequest(zh, en)
        return [*value, *[""] * (len(LEVELS) - len(value))]
    if isinstance(value, Text):
        return [value.zh, value.en]
    return [_cell(column, value)]


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, str):
        return WORDS.get(column.name, {}).get(value, value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | Mapping):
        return json.dumps(_plain(value), ensure_ascii=False) if value else ""
    return repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Source):
        held = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {k: _plain(v) for k, v in held.items() if v not in ("", None, {})}
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value


def said(column: Column, texts: list[str]) -> Any:
    """Read the cells of a column back as TOML would hold them; None where they are empty.

    Raises ValueError with what was expected (zh, en).
    """
    if column.name == "class_path":
        return [t for t in texts if t]
    if column.hint is Text:
        return {"zh": texts[0], "en": texts[1]}
    text, kind = texts[0], _kind(column.hint)
    if text == "" and kind is not column.hint:
        return None
    if kind is str or typing.get_origin(kind) is typing.Literal:
        back = {v: k for k, v in WORDS.get(column.name, {}).items()}
        return back.get(text, text)
    if text == "":
        return [] if typing.get_origin(kind) is tuple else None
    value = _read(kind, text)
    return [_dated(v) for v in value] if column.name == "sources" and isinstance(value, list) else value


def _dated(source: Any) -> Any:
    """Read the dates of a source again: JSON has none."""
    if isinstance(source, dict) and isinstance(source.get("as_of"), str):
        return {**source, "as_of": _read(date, source["as_of"])}
    return source


def _kind(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(a for a in typing.get_args(hint) if a is not type(None))
    return hint


def _read(kind: Any, text: str) -> Any:
    try:
        if kind is bool:
            return {YES: True, NO: False}[text]
        if kind in (int, float):
            return kind(text)
        return date.fromisoformat(text) if kind is date else json.loads(text)
    except (ValueError, KeyError) as wrong:
        raise ValueError(*EXPECTED.get(kind, ("JSON 写法", "JSON"))) from wrong


EXPECTED: Mapping[Any, tuple[str, str]] = {
    bool: ("“是”或“否”", "是 or 否"),
    int: ("整数", "an integer"),
    float: ("数字", "a number"),
    date: ("日期,如 2025-11-21", "a date such as 2025-11-21"),
}
