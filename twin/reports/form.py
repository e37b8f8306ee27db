"""A form as it is declared: which catalogued field fills which cell; data/reports/<name>.toml beside its template."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from twin import declared
from twin.errors import DeclarationError, NotFound
from twin.model import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.model import OneMap

Measure = Literal["count", "sum", "value"]
Span = Literal["day", "month", "year"]
QUALITY = "quality"
"""The one list that is not of a table: what the run ledger says of each department's deliveries."""
QUALITY_COLUMNS = (
    "department", "resources", "on_time", "late", "failed", "never", "read", "published", "quarantined", "passed_ratio",
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number or word: `column` of `table` by `measure`, of the rows that meet `where`, divided by `per`.

    A cell without a table is owed by the department `owed_by`: nobody delivers it yet.
    """

    id: str
    title: Text
    table: str = ""
    measure: Measure = "count"
    column: str = ""
    where: tuple[tuple[str, str, Any], ...] = ()
    per: float = 1.0
    decimals: int = 0
    unit: str = ""
    owed_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A list: one line of the form for each row of `table` (or of the ledger, `quality`), in the order of `order`."""

    id: str
    title: Text
    table: str = ""
    columns: tuple[str, ...] = ()
    where: tuple[tuple[str, str, Any], ...] = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Form:
    """One report: its words, the time it tells of, and what fills it; `template` is an xlsx beside the declaration."""

    id: str
    title: Text
    template: str
    span: Span
    landscape: bool = False
    cells: tuple[Cell, ...] = ()
    lists: tuple[Rows, ...] = ()
    folder: Path


def read_all(folder: Path, onemap: OneMap) -> tuple[Form, ...]:
    """Read every form below `folder`, by name; raises DeclarationError naming each fault with file, line and remedy."""
    found: list[Form] = []
    faults: list[declared.Fault] = []
    for path in sorted(folder.glob("*.toml")):
        document = declared.load(path)
        form = _form(document, path.parent)
        if form is not None:
            _prove(document, form, onemap)
            found.append(form)
        faults += document.faults
    if faults:
        raise DeclarationError(
            "报表申报有误:\n" + "\n".join(f"{f.file}:{f.line} {f.field} {f.zh};{f.remedy_zh}" for f in faults),
            "Reports are declared wrongly:\n" + "\n".join(f"{f.file}:{f.line} {f.field} {f.en}" for f in faults),
        )
    return tuple(found)


def find(forms: Sequence[Form], name: str) -> Form:
    """Give the form `name`; raises NotFound."""
    form = next((f for f in forms if f.id == name), None)
    if form is None:
        listed = "、".join(f.id for f in forms)
        raise NotFound(f"没有报表“{name[:60]}”;共有:{listed}", f"There is no report {name[:60]!r}: {listed}")
    return form


def _form(document: declared.Document, folder: Path) -> Form | None:
    def many(key: str, cls: type[declared.T]) -> tuple[declared.T, ...]:
        items = document.table.get(key, [])
        values = [declared.value_of(document, cls, (key, i), item) for i, item in enumerate(items)]
        return tuple(v for v in values if v is not None)

    given = {"cells": many("cell", Cell), "lists": many("list", Rows), "folder": folder}
    rest = {k: v for k, v in document.table.items() if k not in ("cell", "list")}
    return declared.value_of(document, Form, (), rest, given=given) if document.table else None


def _prove(document: declared.Document, form: Form, onemap: OneMap) -> None:
    if not _NAME.fullmatch(form.id) or not (form.folder / form.template).is_file():
        words = (f"没有模板 {form.template}", f"There is no template {form.template}")
        document.fault(("template",), words, ("放在申报文件旁边", "Put it beside the declaration"))
    departments = {d.id for d in onemap.departments}
    counted: set[str] = set()
    for index, cell in enumerate(form.cells):
        path = ("cell", index)
        if not cell.table and cell.owed_by not in departments:
            words = (f"{cell.id} 没有表,也没有 owed_by", f"{cell.id} has neither table nor owed_by")
            document.fault((*path, "owed_by"), words, ("写应提供的部门", "Name the department that owes it"))
        if cell.table:
            _known(document, onemap, (*path, "table"), cell.table, (cell.column, *(w[0] for w in cell.where)))
            _alone(document, onemap, path, cell, counted)
    for index, rows in enumerate(form.lists):
        if rows.table:
            named = (*rows.columns, *(w[0] for w in rows.where), *(o.removeprefix("-") for o in rows.order))
            _known(document, onemap, ("list", index, "table"), rows.table, named)
        elif rows.id != QUALITY:
            words = (f"清单 {rows.id} 没有表", f"The list {rows.id} has no table")
            document.fault(("list", index, "table"), words, ("写 table", "Write its table"))


def _known(document: declared.Document, onemap: OneMap, path: Any, table: str, columns: Sequence[str]) -> None:
    resource = onemap.resource(table)
    if resource is None:
        words = (f"没有资源 {table}", f"There is no resource {table}")
        document.fault(path, words, ("写已编目的资源;无人提供时写 owed_by", "Name a resource, or write owed_by"))
        return
    known = {"id", "year", "area_m2", "length_m", "area_disagrees", *(f.name for f in resource.fields)}
    for column in columns:
        if column and column not in known:
            words = (f"{table} 没有字段 {column}", f"{table} has no field {column}")
            document.fault(path, words, ("写已编目的字段", "Name a catalogued field"))


def _alone(document: declared.Document, onemap: OneMap, path: Any, cell: Cell, counted: set[str]) -> None:
    """Refuse a second number of people of one table: by the difference of two, a few people could be told."""
    resource = onemap.resource(cell.table)
    if resource is None or not resource.about_persons or cell.measure == "value":
        return
    if cell.table in counted:
        words = (f"{cell.table} 按人记,一张报表只能取一个数", f"{cell.table} is of people: one number a report")
        document.fault((*path, "table"), words, ("留一个", "Keep one"))
    counted.add(cell.table)


def placeholders(form: Form) -> frozenset[str]:
    """Give what the template of `form` may name between double braces."""
    named = {c.id for c in form.cells}
    for rows in form.lists:
        columns = rows.columns or QUALITY_COLUMNS
        named |= {f"{rows.id}.{c}" for c in ("no", *columns)}
    return frozenset(named | {"village", "county", "period", "made_at", "as_of", "title"})
