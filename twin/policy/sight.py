"""Who sees a thing and what a person sees, asked of the policy question by question; the grants are never read here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from twin.errors import NotFound
from twin.model import Text
from twin.policy.classified import class_of, columns_of
from twin.policy.rules import unknown
from twin.policy.subject import Subject

if TYPE_CHECKING:
    from twin.model import Layer, OneMap, Resource
    from twin.policy.judging import Permit
    from twin.policy.rules import Policy

Shown = Literal["clear", "masked", "hidden"]
UNCLASSIFIED = "unclassified"
CLASSES = ("public", "internal", "personal", "sensitive", UNCLASSIFIED)
FIRST_GRID = "001"
AREAL = frozenset({"grid_worker", "official", "department_owner", "planner"})
"""Roles that are given out for an area."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """How one column is read: as it is now, and once a purpose is named (the same where that changes nothing)."""

    now: Shown
    purposed: Shown


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one subject sees of one table: `rows` "all", "some" (of `areas`), "sums" (numbers only) or "none"."""

    title: Text
    what: str
    rows: Literal["all", "some", "sums", "none"]
    columns: Mapping[str, Access] = field(default_factory=dict)
    areas: tuple[str, ...] = ()
    precision_m: float = 0.0
    smallest_count: int = 0
    max_rows: int = 0
    max_km2: float = 0.0
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sight:
    """Who sees a layer (`draws`: its tables) or a table (`columns`: class → what a person calls the columns)."""

    what: str
    title: Text
    lines: tuple[Line, ...]
    columns: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    draws: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one subject sees: each layer with yes or no, each table with a line; `classes`: column → class by table."""

    layers: tuple[tuple[str, Text, bool], ...]
    lines: tuple[Line, ...]
    classes: Mapping[str, Mapping[str, str]]


def who_sees(onemap: OneMap, policy: Policy, what: str) -> Sight:
    """Give who sees the layer or table `what`, role by role; raises NotFound."""
    layer, resource = onemap.layer(what), onemap.resource(what)
    if layer is not None:
        return _layer(onemap, policy, layer)
    if resource is None:
        raise unknown(what)
    lines = [line(policy, who, resource, title) for title, who in _askers(onemap, policy, resource.department)]
    columns = {c: {n: _called(resource, n) for n in named} for c, named in by_class(resource).items()}
    return Sight(what=what, title=resource.title, lines=tuple(lines), columns=columns)


def what_sees(onemap: OneMap, policy: Policy, subject: Subject) -> Seen:
    """Give what `subject` sees of every layer and table."""
    layers = tuple((x.id, x.title, policy.sees(subject, x.id)) for x in onemap.layers)
    lines = tuple(line(policy, subject, r, r.title) for r in onemap.resources)
    classes = {r.id: {n: c for c, names in by_class(r).items() for n in names} for r in onemap.resources}
    return Seen(layers=layers, lines=lines, classes=classes)


def of_role(onemap: OneMap, role: str, department: str = "") -> Subject:
    """Give somebody of a role who holds in this village: in its first grid, in `department`, by a full key."""
    code = onemap.village.code
    scopes = (*(f"layer:{x.id}:read" for x in onemap.layers), f"area:{code}") if role == "system" else ()
    return Subject(
        id=role,
        role=role,
        prefix=code if role in AREAL else "",
        grid=code + FIRST_GRID if role == "grid_worker" else "",
        department=department if role == "department_owner" else "",
        scopes=scopes,
    )


def by_class(resource: Resource) -> dict[str, tuple[str, ...]]:
    """Give the declared columns of each class, in the order of CLASSES; the engine's own are left out."""
    declared = [n for n in columns_of(resource) if resource.field_named(n) is not None]
    classed = {n: class_of(resource, n) or UNCLASSIFIED for n in declared}
    return {c: found for c in CLASSES if (found := tuple(n for n in declared if classed[n] == c))}


def line(policy: Policy, subject: Subject, resource: Resource, title: Text) -> Line:
    """Give what `subject` sees of one table."""
    now = _permit(policy, subject, resource.id)
    later = dict(_purposed(policy, subject, resource.id))
    best = now or next(iter(later.values()), None)
    if best is None:
        return _sums(policy, subject, resource, title)
    return Line(
        title=title,
        what=resource.id,
        rows="some" if best.rows else "all",
        columns={n: _access(n, now, later.values()) for names in by_class(resource).values() for n in names},
        areas=best.areas,
        precision_m=best.precision_m,
        smallest_count=best.smallest_count,
        max_rows=best.max_rows,
        max_km2=best.max_km2,
        purposes=tuple(later),
    )


def _sums(policy: Policy, subject: Subject, resource: Resource, title: Text) -> Line:
    permit = _permit(policy, subject, resource.id, "count")
    if permit is None:
        return Line(title=title, what=resource.id, rows="none")
    return Line(
        title=title, what=resource.id, rows="sums", areas=permit.areas, smallest_count=permit.smallest_count,
        max_rows=permit.max_rows, max_km2=permit.max_km2,
    )  # fmt: skip


def _access(column: str, now: Permit | None, later: Iterable[Permit]) -> Access:
    before: Shown = now.columns.get(column, "hidden") if now else "hidden"
    after: list[Shown] = [before, *(p.columns.get(column, "hidden") for p in later)]
    best: Shown = min(after, key=("clear", "masked", "hidden").index)
    return Access(now=before, purposed=best)


def _purposed(policy: Policy, subject: Subject, table: str) -> Iterator[tuple[str, Permit]]:
    """Give the permit under each purpose that changes something."""
    if not policy.may(subject, "purposes.name"):
        return
    now = _permit(policy, subject, table)
    for purpose in policy.grants.purposes:
        permit = _permit(policy, replace(subject, purpose=purpose.id), table)
        if permit is not None and (now is None or permit.columns != now.columns):
            yield purpose.id, permit


def _permit(
    policy: Policy, subject: Subject, table: str, action: Literal["select", "count"] = "select"
) -> Permit | None:
    try:
        return policy.decide(subject, action, table)
    except NotFound:
        return None


def _called(resource: Resource, column: str) -> Text:
    found = resource.field_named(column)
    return found.title if found else Text(column, column)


def _layer(onemap: OneMap, policy: Policy, layer: Layer) -> Sight:
    lines = [
        Line(title=title, what=layer.id, rows="all" if policy.sees(who, layer.id) else "none")
        for title, who in _askers(onemap, policy, layer.department)
    ]
    tables = dict.fromkeys(d.table for d in layer.draws)
    draws = tuple((t, found.title) for t in tables if (found := onemap.resource(t)) is not None)
    return Sight(what=layer.id, title=layer.title, lines=tuple(lines), draws=draws)


def _askers(onemap: OneMap, policy: Policy, department: str) -> Iterator[tuple[Text, Subject]]:
    """Give somebody of every role; of those who own a department's data, one of this department and one of another."""
    for role in policy.grants.roles:
        if role.id != "department_owner":
            yield role.title, of_role(onemap, role.id)
            continue
        yield _of(role.title, "本部门", "of this department"), of_role(onemap, role.id, department)
        yield _of(role.title, "其他部门", "of another department"), of_role(onemap, role.id, "-")


def _of(title: Text, zh: str, en: str) -> Text:
    return Text(f"{title.zh}（{zh}）", f"{title.en}, {en}")
