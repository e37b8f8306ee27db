"""village.toml, catalog/*.toml, derived/*.toml and codes/*.toml → frozen values; it refuses what it cannot prove."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from etl import answering, connecting, drawn, official, proofs
from etl.derived import proving
from twin import declared
from twin.declared import Document, Fault
from twin.errors import DeclarationError
from twin.model import (
    Code,
    CodeSystem,
    Department,
    Field,
    Layer,
    OneMap,
    Resource,
    ResponsibilityItem,
    Source,
    Theme,
    Village,
)
from twin.style import plain

__all__ = ["Catalog", "Fault", "check", "join", "read"]

FILES = ("raster", "scene")
"""Kinds that are files rather than rows: they have no fields."""
ADDED = "added"
"""The folder of catalog/ in which each file declares one resource more of a department."""
DRAFT = ".draft.toml"
"""Ends the name of such a file while questions in it are open: it is proved, and not read."""
_FILE = re.compile(r"^(\d{2})_(.+)$")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Catalog:
    """A village as it is received: itself, its departments with their resources, its code lists.

    `derived` are the tables worked out from those resources; each is answered for by one of the departments.
    """

    village: Village
    departments: tuple[Department, ...]
    code_systems: tuple[CodeSystem, ...]
    derived: tuple[Resource, ...] = ()
    responsibilities: tuple[ResponsibilityItem, ...] = ()

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Give every resource of every department, in catalogue order."""
        return tuple(r for d in self.departments for r in d.resources)

    @property
    def tables(self) -> dict[str, Resource]:
        """Give every resource and every derived table by its id."""
        return {r.id: r for r in (*self.resources, *self.derived)}

    def resource(self, table: str) -> Resource | None:
        """Give the resource or the derived table whose id is `table`, or None."""
        return next((r for r in (*self.resources, *self.derived) if r.id == table), None)

    @property
    def whole(self) -> tuple[Department, ...]:
        """Give the departments with the derived tables they answer for after what they deliver."""
        return _with_derived(self.departments, self.derived)

    def code_system(self, system_id: str) -> CodeSystem | None:
        """Give the code system "name@version", or None."""
        return next((c for c in self.code_systems if c.id == system_id), None)


@dataclasses.dataclass(frozen=True)
class _Parsed:
    """What the folder holds, each value beside the document and key path it was declared at."""

    village: Village | None
    departments: tuple[Department, ...]
    code_systems: tuple[CodeSystem, ...]
    places: Mapping[str, proofs.Place]
    documents: tuple[Document, ...]
    derived: tuple[Resource, ...]
    responsibilities: tuple[ResponsibilityItem, ...]
    answering: Document | None


def read(folder: Path) -> Catalog:
    """Read the declarations under `folder`; raises DeclarationError naming every fault where there is one."""
    parsed = _parse(folder)
    found = _faults(parsed, (), ())
    if found or parsed.village is None:
        raise DeclarationError(
            "申报目录有误:\n" + "\n".join(f"{f.file}:{f.line} {f.field} {f.zh};{f.remedy_zh}" for f in found),
            "The declarations are wrong:\n" + "\n".join(f"{f.file}:{f.line} {f.field} {f.en}" for f in found),
            folder=folder,
        )
    return Catalog(
        village=parsed.village,
        departments=parsed.departments,
        code_systems=parsed.code_systems,
        derived=parsed.derived,
        responsibilities=parsed.responsibilities,
    )


def check(
    folder: Path, layers: Sequence[Layer] = (), themes: Sequence[Theme] = (), *, drafts: bool = False
) -> list[Fault]:
    """Prove the declarations under `folder`, and `layers` and `themes` against them; give every fault found.

    With `drafts` also those that nobody reads yet, for something in them is still to be answered.
    """
    parsed = _parse(folder, drafts=drafts)
    facts = proofs.Facts(village=None, departments=parsed.departments, code_systems=(), places=parsed.places)
    return connecting.faults(facts, folder) + _faults(parsed, layers, themes)


def join(catalog: Catalog, themes: Sequence[Theme], layers: Sequence[Layer]) -> OneMap:
    """Join what is received with what is drawn; a resource that names a layer nobody drew gets a plain one."""
    layers = (*layers, *plain.layers(catalog.resources, {layer.id for layer in layers}))
    return OneMap(
        village=catalog.village,
        departments=catalog.whole,
        code_systems=catalog.code_systems,
        themes=tuple(themes),
        layers=tuple(layers),
        responsibilities=catalog.responsibilities,
    )


def _parse(folder: Path, *, drafts: bool = False) -> _Parsed:
    places: dict[str, proofs.Place] = {}
    home = declared.load(folder / "village.toml")
    village = declared.value_of(home, Village, ("village",), home.table["village"]) if "village" in home.table else None
    places["village"] = proofs.Place(home, ("village",))
    lists = [declared.load(path) for path in sorted((folder / "codes").glob("*.toml"))]
    offices = [declared.load(path) for path in sorted((folder / "catalog").glob("*.toml"))]
    systems = tuple(s for s in (_code_system(d, places) for d in lists) if s)
    departments = tuple(x for x in (_department(d, places) for d in offices) if x)
    made = [declared.load(path) for path in sorted((folder / "derived").glob("*.toml"))]
    derived = tuple(r for d in made for r in _derived(d, places))
    files = sorted((folder / "catalog" / ADDED).glob("*.toml"))
    more = [declared.load(path) for path in files if drafts or not path.name.endswith(DRAFT)]
    departments = _with_added(departments, more, places)
    items, duties = answering.read(folder)
    documents = (home, *lists, *offices, *more, *made, *([duties] if duties else []))
    return _Parsed(village, departments, systems, places, documents, derived, items, duties)


def _faults(parsed: _Parsed, layers: Sequence[Layer], themes: Sequence[Theme]) -> list[Fault]:
    facts = proofs.Facts(
        village=parsed.village,
        departments=_with_derived(parsed.departments, parsed.derived),
        code_systems=parsed.code_systems,
        places=parsed.places,
    )
    proofs.village(facts)
    for system in parsed.code_systems:
        proofs.code_system(facts, system)
    for department in facts.departments:
        for resource in department.resources:
            proofs.resource(facts, resource, [layer.id for layer in layers])
    official.prove(facts)
    answering.prove(facts, parsed.responsibilities, parsed.answering, layers)
    proving.derived(facts, parsed.derived)
    found = [fault for document in parsed.documents for fault in document.faults]
    return found + drawn.layers(facts, layers) + drawn.themes(facts, themes)


def _code_system(document: Document, places: dict[str, proofs.Place]) -> CodeSystem | None:
    if not document.table:
        return None
    codes = _many(document, Code, ("code",), document.table.get("code"))
    rest = {k: v for k, v in document.table.items() if k != "code"}
    system = declared.value_of(document, CodeSystem, (), rest, given={"codes": codes})
    if system:
        _unique(document, places, f"codes:{system.id}", ())
    return system


def _department(document: Document, places: dict[str, proofs.Place]) -> Department | None:
    for key in document.table:
        if key not in ("department", "resource"):
            remedy = ("此处只有 [department] 与 [[resource]]", "Only [department] and [[resource]] stand here")
            document.fault((key,), (f"不认识的表 {key}", f"Unknown table {key}"), remedy)
    if not document.table:
        return None
    head = cast("Mapping[str, object] | None", document.table.get("department"))
    name = str(head.get("id", "")) if isinstance(head, Mapping) else ""
    resources = tuple(_resources(document, name, places))
    department = declared.value_of(document, Department, ("department",), head, given={"resources": resources})
    if department:
        _file_name(document, department)
        _unique(document, places, f"department:{department.id}", ("department", "id"))
    return department


def _resources(document: Document, department: str, places: dict[str, proofs.Place]) -> list[Resource]:
    found: list[Resource] = []
    tables = document.table.get("resource", [])
    if not isinstance(tables, list):
        document.fault(
            ("resource",), ("应写成 [[resource]]", "Write [[resource]]"), ("用双方括号", "Use double brackets")
        )
        return found
    for index, table in enumerate(cast("list[object]", tables)):
        path = ("resource", index)
        if not isinstance(table, Mapping):
            continue
        rows = cast("Mapping[str, object]", table)
        _no_state_secrets(document, path, rows.get("field"))
        given = {
            "department": department,
            "sources": _many(
                document,
                Source,
                (*path, "source"),
                rows.get("source"),
                some=rows.get("reader") != proofs.DERIVED and rows.get("share_type") != "none",
            ),
            "fields": _many(document, Field, (*path, "field"), rows.get("field"), some=rows.get("kind") not in FILES),
        }
        rest = {k: v for k, v in rows.items() if k not in ("source", "field")}
        resource = declared.value_of(document, Resource, path, rest, given=given)
        if resource:
            _unique(document, places, f"resource:{resource.id}", path)
            found.append(resource)
    return found


def _derived(document: Document, places: dict[str, proofs.Place]) -> list[Resource]:
    """Give the derived tables of one file: `department` answers for them, [[resource]] declares each."""
    for key in document.table:
        if key not in ("department", "resource"):
            remedy = ("此处只有 department 与 [[resource]]", "Only department and [[resource]] stand here")
            document.fault((key,), (f"不认识的项 {key}", f"Unknown key {key}"), remedy)
    return _resources(document, str(document.table.get("department", "")), places)


def _with_added(
    departments: Sequence[Department], documents: Sequence[Document], places: dict[str, proofs.Place]
) -> tuple[Department, ...]:
    """Give the departments with what was declared of them in files of their own after what their file declares."""
    found: list[Resource] = []
    known = {d.id for d in departments}
    for document in documents:
        found += _derived(document, places)
        name = str(document.table.get("department", ""))
        if document.table and name not in known:
            words = (f"没有部门 {name or '(未写)'}", f"There is no department {name or '(none is named)'}")
            document.fault(("department",), words, ("写明由哪个部门提供", "Name the department that provides it"))
    return _with_derived(departments, found)


def _with_derived(departments: Sequence[Department], derived: Sequence[Resource]) -> tuple[Department, ...]:
    return tuple(
        dataclasses.replace(d, resources=(*d.resources, *(r for r in derived if r.department == d.id)))
        for d in departments
    )


def _no_state_secrets(document: Document, path: proofs.KeyPath, fields: object) -> None:
    """Refuse what is classified by law: no class, role or mask of this system makes it lawful here."""
    items = cast("list[object]", fields) if isinstance(fields, list) else []
    for index, item in enumerate(items):
        if isinstance(item, Mapping) and cast("Mapping[str, object]", item).get("sensitivity") == "state-secret":
            words = ("国家秘密不得进入本系统", "State secrets never enter this system")
            remedy = (
                "从交付文件中删去此列后重新申报",
                "Take this column out of the delivered file, then declare again",
            )
            document.fault((*path, "field", index, "sensitivity"), words, remedy)


def _many(
    document: Document, cls: type[declared.T], path: proofs.KeyPath, tables: object, *, some: bool = True
) -> tuple[declared.T, ...]:
    items = cast("list[object]", tables) if isinstance(tables, list) else []
    if not items and some:
        word = str(path[-1])
        document.fault(path[:-1], (f"至少要有一个 {word}", f"At least one {word} is needed"), _add(word))
    values = (declared.value_of(document, cls, (*path, i), item) for i, item in enumerate(items))
    return tuple(v for v in values if v is not None)


def _add(word: str) -> tuple[str, str]:
    return (f"补上 [[…{word}]]", f"Add [[…{word}]]")


def _unique(document: Document, places: dict[str, proofs.Place], name: str, path: proofs.KeyPath) -> None:
    kind, _, value = name.partition(":")
    if name in places:
        other = places[name]
        words = (f"{kind} 标识 {value} 重复,另一处在 {other.where()}", f"{kind} id {value} is also at {other.where()}")
        document.fault((*path, "id"), words, ("改用不同的标识", "Use another id"))
    else:
        places[name] = proofs.Place(document, path)


def _file_name(document: Document, department: Department) -> None:
    found = _FILE.match(Path(document.file).stem)
    if found is None or found.group(2) != department.id:
        words = (
            f"文件名应为 <两位序号>_{department.id}.toml",
            f"The file must be called <2 digits>_{department.id}.toml",
        )
        document.fault(("department", "id"), words, ("改文件名或改 id", "Rename the file or change the id"))
