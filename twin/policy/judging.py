"""One question of policy answered from the grants: which permit, or none; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

from twin.policy import areas, delivered
from twin.policy.classified import IN_TILES, ROWLESS, class_of, columns_of

if TYPE_CHECKING:
    from twin.model import Layer, OneMap, Resource
    from twin.policy.areas import Reach, Rows
    from twin.policy.grants import Access, Grant, Grants
    from twin.policy.subject import Subject

Action = Literal["see", "select", "filter", "sort", "group", "count", "tile", "unmask"]
ACTIONS: frozenset[str] = frozenset(get_args(Action))
USES: frozenset[str] = frozenset({"filter", "sort", "group", "count"})
"""Actions whose answer depends on a column's true values; a masked column would be guessed through them."""
COUNTING: frozenset[str] = frozenset({"count", "group"})
"""Actions that tell numbers of rows and no row."""
PERSONAL = ("personal", "sensitive")
EVERY_COLUMN = "*"
OPEN = "开放"
"""The catalogue's word for what a department gives to everybody, beyond the house."""


@dataclass(frozen=True, kw_only=True)
class Permit:
    """The answer yes: columns that may be shown and how (absent = hidden), and the rows it is limited to.

    `rows` are conditions every row meets: (column, "prefix", codes). `only` holds columns that fewer rows show, and
    which. `precision_m` is the grid positions are told on (0: exact). `areas` are the codes the personal part is held
    in. `smallest_count` is the least number of people a sum may tell of, 0 where rows are things or may be counted
    singly. `max_rows` is the most rows one answer may tell of, `max_km2` the most ground in a year, where `counts`
    says that ground told by this permit counts. `purposes` are those for which `for_purpose` columns would come too;
    `wants` is not empty where nothing is shown before one is named. `audit` says what stands in the record. `digest`
    names this very answer, for caches.
    """

    resource: str
    columns: Mapping[str, Access] = field(default_factory=dict)
    rows: Rows = ()
    only: Mapping[str, Rows] = field(default_factory=dict)
    precision_m: float = 0.0
    areas: tuple[str, ...] = ()
    smallest_count: int = 0
    masks: Literal["part", "token"] = "part"
    max_rows: int = 0
    max_km2: float = 0.0
    counts: bool = False
    audit: Literal["none", "read", "unmask"] = "none"
    purposes: tuple[str, ...] = ()
    for_purpose: frozenset[str] = frozenset()
    wants: tuple[str, ...] = ()
    digest: str = ""

    @property
    def limited(self) -> bool:
        """Say whether the bytes of a table differ from what everybody is sent: fewer rows, or coarser places."""
        return bool(self.rows or self.only or self.precision_m)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """The grants over one village's declarations, asked one question at a time."""

    onemap: OneMap
    grants: Grants

    def judge(self, subject: Subject, action: Action, name: str, purpose: str) -> Permit | None:
        """Give the permit of `subject` for `action` on the layer or table `name`, or None."""
        if action not in ACTIONS:
            return None
        layer = self.onemap.layer(name)
        if layer is not None and self._sees_layer(subject, layer):
            return Permit(resource=name, digest=_digest(subject.role, action, name))
        resource = self.onemap.resource(name)
        grant = self._granting(subject, resource) if resource else None
        if resource is None or grant is None:
            return None
        return Question(
            judge=self, subject=subject, action=action, resource=resource, grant=grant, purpose=purpose
        ).permit()

    def _sees_layer(self, subject: Subject, layer: Layer) -> bool:
        if any(d.hides(subject.role, layer.id) for d in self.grants.denials):
            return False
        grant = next((g for g in self.grants.of(subject.role) if _of_department(g, subject, layer.department)), None)
        if grant is None or layer.share not in grant.layers:
            return False
        return not grant.scoped or _scoped(subject, layer.id) is not None

    def _granting(self, subject: Subject, resource: Resource) -> Grant | None:
        """Give the first grant of the role that is about this resource, None where it grants nothing of it."""
        if any(d.hides(subject.role, resource.id) for d in self.grants.denials):
            return None
        grants = self.grants.of(subject.role)
        grant = next((g for g in grants if _of_department(g, subject, resource.department)), None)
        if grant is None or resource.share_type not in grant.resources:
            return None
        return None if grant.open_attr and resource.open_attr not in grant.open_attr else grant

    def scoped_columns(self, subject: Subject, table: str) -> frozenset[str] | None:
        """Give the columns a key's scopes name of a table's layers; empty is none at all, None is every column."""
        named: set[str] = set()
        for layer in self.onemap.layers:
            if any(d.table == table for d in layer.draws) and (columns := _scoped(subject, layer.id)) is not None:
                if EVERY_COLUMN in columns:
                    return None
                named |= {"id", *columns}
        return frozenset(named)


def _of_department(grant: Grant, subject: Subject, department: str) -> bool:
    return grant.departments == "all" or department == subject.department


def _scoped(subject: Subject, layer: str) -> frozenset[str] | None:
    """Give the columns that scopes `layer:<id>:read[:a,b]` name, "*" for all of them, None without such a scope."""
    head = f"layer:{layer}:read"
    found = [s.removeprefix(head) for s in subject.scopes if s == head or s.startswith(head + ":")]
    if not found:
        return None
    return frozenset(c for s in found for c in (s.removeprefix(":").split(",") if s else (EVERY_COLUMN,)))


@dataclass(frozen=True, kw_only=True)
class Question:
    """One resource asked for under the grant that is about it."""

    judge: Judge
    subject: Subject
    action: Action
    resource: Resource
    grant: Grant
    purpose: str

    @property
    def purposeful(self) -> bool:
        """Say whether the purpose named is one of those that count."""
        return self.purpose in self.grant.purposes

    def permit(self) -> Permit | None:
        """Give the permit, or None where nothing of the resource is to be had."""
        if self.action == "unmask" and not self.grant.with_purpose:
            return None
        people = self._people_rows()
        if people is None and self.action not in COUNTING:
            return None
        reached = dict(self._reached({**self.grant.columns, **self._raised()}))
        if ("id" not in reached and self.resource.kind not in ROWLESS) or not self._stands():
            return None
        key = reached["id"][1] if "id" in reached else ()
        rows: Rows = tuple(dict.fromkeys((*key, *(people or ()))))
        columns: dict[str, Access] = {c: access for c, (access, _) in reached.items()}
        only = {c: where for c, (_, where) in reached.items() if not set(where) <= set(rows)}
        return self._built(columns, rows, only)

    def _raised(self) -> Mapping[str, Access]:
        return self.grant.with_purpose if self.purposeful else {}

    def _people_rows(self) -> Rows | None:
        """Give the rows of people that may be seen one by one: () for things, None where there are none."""
        if not self.resource.about_persons:
            return ()
        if "personal" not in {**self.grant.columns, **self.grant.with_purpose}:
            return None
        return self._where("personal")

    def _stands(self) -> bool:
        """Say whether files without rows are granted: to a key that names their layer, where they lie."""
        if self.resource.kind not in ROWLESS:
            return True
        named = not self.grant.scoped or self.judge.scoped_columns(self.subject, self.resource.id) != frozenset()
        return named and "public" in self.grant.columns and self._where("public") == ()

    def _where(self, sensitivity: str) -> Rows | None:
        reach: Reach = self.grant.area.get(sensitivity, "scopes" if self.grant.scoped else "store")
        return areas.rows(areas.held(self.subject, reach), self.resource, self.judge.onemap.village.code)

    def _reached(self, accesses: Mapping[str, Access]) -> Iterator[tuple[str, tuple[Access, Rows]]]:
        """Give every column that may be touched: how, and of which rows."""
        named = self.judge.scoped_columns(self.subject, self.resource.id) if self.grant.scoped else None
        for column in columns_of(self.resource):
            sensitivity = class_of(self.resource, column)
            if sensitivity is None or (named is not None and column not in named) or self._denied(column, sensitivity):
                continue
            access = self._access(column, sensitivity, accesses)
            where = self._where(sensitivity)
            if access is not None and where is not None:
                yield column, (access, where)

    def _denied(self, column: str, sensitivity: str) -> bool:
        names = (column, self.resource.key) if column == "id" else (column,)
        table, role = self.resource.id, self.subject.role
        return any(d.takes(role, table, n, sensitivity) for d in self.judge.grants.denials for n in names)

    def _access(self, column: str, sensitivity: str, accesses: Mapping[str, Access]) -> Access | None:
        if self.action == "tile" and column != "id" and sensitivity not in IN_TILES:
            return None
        access = accesses.get(sensitivity)
        sheer = self.action in USES or column == "id"
        return None if access == "masked" and sheer else access

    def _built(self, columns: Mapping[str, Access], rows: Rows, only: Mapping[str, Rows]) -> Permit:
        grant, resource = self.grant, self.resource
        more = dict(self._reached({**grant.columns, **grant.with_purpose})) if not self.purposeful else {}
        raised = {c for c, (access, _) in more.items() if columns.get(c) != access}
        kept = {c: class_of(resource, c) for c in columns}
        codes = dict.fromkeys(code for _, _, some in (*rows, *(r for w in only.values() for r in w)) for code in some)
        precision = grant.precision_m["persons" if resource.about_persons else resource.share_type]
        permit = Permit(
            resource=resource.id,
            columns=columns,
            rows=rows,
            only=only,
            precision_m=precision,
            areas=tuple(codes),
            smallest_count=grant.smallest_count if resource.about_persons else 0,
            masks=grant.masks,
            max_rows=grant.max_rows,
            max_km2=grant.max_km2,
            counts=self._counts(precision),
            audit=_audit(columns, kept, told=resource.about_persons and self.action not in COUNTING),
            purposes=grant.purposes if raised else (),
            for_purpose=frozenset(raised - set(columns)),
            wants=grant.purposes if self.action == "unmask" and not self.purposeful else (),
        )
        return _named(permit, self.subject.role, self.action)

    def _counts(self, precision_m: float) -> bool:
        """Say whether ground told on a grid of `precision_m` counts: as exactly as a survey, and not open to all.

        The visitor at a demo's own machine is nobody, and is given nothing that leaves it.
        """
        open_to_all = self.resource.share_type == "unconditional" and self.resource.open_attr == OPEN
        counted = self.judge.grants.counts_open or not open_to_all
        return counted and precision_m < delivered.DETAIL_M and self.subject.role != "local"


def _audit(
    columns: Mapping[str, Access], classes: Mapping[str, str | None], *, told: bool
) -> Literal["none", "read", "unmask"]:
    """Say what the record holds of a read: nothing, that personal data was read, that it was read unmasked."""
    personal = {c: access for c, access in columns.items() if classes[c] in PERSONAL}
    if any(access == "clear" or classes[c] == "sensitive" for c, access in personal.items()):
        return "unmask"
    return "read" if personal or told else "none"


def _named(permit: Permit, role: str, action: str) -> Permit:
    return replace(permit, digest=_digest(role, action, repr(permit)))


def _digest(*parts: str) -> str:
    return hashlib.blake2b("|".join(parts).encode(), digest_size=8).hexdigest()
