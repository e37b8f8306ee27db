"""Who may see which layer, table, column, row and place; every surface asks here, and nothing is masked elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from twin.errors import BadRequest, NeedsPurpose, NotFound, RowLimit
from twin.policy import judging, noted
from twin.policy.classified import DEEPEST, VECTOR_TYPES, drawn_columns
from twin.policy.grants import LOCAL_ONLY
from twin.policy.masks import mask, token

if TYPE_CHECKING:
    from twin.model import Layer, OneMap, Resource
    from twin.policy.grants import Capability, Grants
    from twin.policy.judging import Action, Permit
    from twin.policy.subject import Subject

Row = dict[str, Any]
Thing = TypeVar("Thing")
MOST_ANSWERS = 50_000
"""Answers kept at a time; they are few per role and area, and cheap to make again."""


class Policy:
    """The grants over one village's declarations."""

    def __init__(self, onemap: OneMap, grants: Grants = LOCAL_ONLY) -> None:
        self._onemap = onemap
        self._resources = {r.id: r for r in onemap.resources}
        self._layers = {x.id: x for x in onemap.layers}
        self.edition = 0
        self.adopt(grants)

    def adopt(self, grants: Grants) -> None:
        """Let `grants` hold from the next question on."""
        self._judge = judging.Judge(onemap=self._onemap, grants=grants)
        self._permits: dict[tuple[object, ...], Permit | None] = {}
        self.grants = grants
        self.edition += 1

    def decide(self, subject: Subject, action: Action, resource: str, purpose: str = "") -> Permit:
        """Permit `action` on a layer id or a table for `purpose` (none: the session's).

        Raises NotFound, the same for hidden and unknown, and NeedsPurpose where "unmask" names no purpose that counts.
        """
        key = (subject.held, action, resource, purpose)
        permits = self._permits
        if key not in permits:
            if len(permits) >= MOST_ANSWERS:
                permits.clear()
            permits[key] = self._judge.judge(subject, action, resource, purpose or subject.purpose)
        permit = permits.get(key)
        if permit is None:
            raise unknown(resource)
        if permit.wants:
            raise self._needs(permit.wants)
        return permit

    def _needs(self, purposes: Iterable[str]) -> NeedsPurpose:
        named = set(purposes)
        known = [p for p in self.grants.purposes if p.id in named]
        return NeedsPurpose(
            "查看个人信息须选择用途:" + "、".join(p.title.zh for p in known),
            "Personal data is shown for a purpose: " + ", ".join(f"{p.title.en} ({p.id})" for p in known),
            purposes=" ".join(p.id for p in known),
        )

    def may(self, subject: Subject, capability: Capability) -> bool:
        """Say whether `subject` may do something beside reading data."""
        return self.grants.may(subject.role, capability)

    def columns(
        self, subject: Subject, table: str, wanted: Iterable[str] | None = None, action: Action = "select"
    ) -> tuple[str, ...]:
        """Give the `wanted` columns (None: all there are) that `action` may touch.

        Raises BadRequest for the first that may not, in the words used for a column that does not exist, and
        NeedsPurpose for one that `subject` may touch once a purpose is named.
        """
        permit = self.decide(subject, action, table)
        if wanted is None:
            return tuple(permit.columns)
        named = tuple(wanted)
        for column in named:
            if column in permit.columns:
                continue
            if column in permit.for_purpose:
                raise self._needs(permit.purposes)
            raise no_column(column)
        return named

    def reveal(self, subject: Subject, table: str, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
        """Give the rows as `subject` may read them, noted for the record: hidden columns gone, masked ones masked.

        A column that is shown of some rows only has been emptied in the others by then, and goes from those.
        Raises RowLimit where these are more rows than one answer may tell of.
        """
        permit = self.decide(subject, "select", table)
        rows = self.within(permit, rows)
        resource = self._resources[table]
        hide = token if permit.masks == "token" else None
        masked = {c: _masking(resource, c, hide) for c, access in permit.columns.items() if access == "masked"}
        shown = [
            {
                c: masked[c](v) if c in masked else v
                for c, v in row.items()
                if c in permit.columns and not (v is None and c in permit.only)
            }
            for row in rows
        ]
        noted.take(subject, permit, len(shown))
        return shown

    def within(self, permit: Permit, rows: Iterable[Thing]) -> list[Thing]:
        """Give rows that one answer may tell of together; raises RowLimit where they are too many, says whom to ask."""
        kept = list(rows)
        if len(kept) > permit.max_rows:
            raise too_many(self._onemap, self._resources[permit.resource], permit.max_rows)
        return kept

    def layers(self, subject: Subject) -> tuple[Layer, ...]:
        """Give the layers `subject` may see, in drawing order."""
        return tuple(x for x in self._onemap.layers if self.sees(subject, x.id))

    def tables(self, subject: Subject) -> tuple[Resource, ...]:
        """Give the resources `subject` may see, in catalogue order."""
        return tuple(r for r in self._onemap.resources if self.sees(subject, r.id))

    def sees(self, subject: Subject, name: str, action: Action = "see") -> bool:
        """Say whether `subject` may see the layer or table `name` (or do `action` on it)."""
        try:
            self.decide(subject, action, name)
        except NotFound:
            return False
        return True

    def layer(self, subject: Subject, layer_id: str) -> Layer:
        """Give a layer `subject` may see; raises NotFound."""
        found = self._layers.get(layer_id)
        if found is None:
            raise unknown(layer_id)
        self.decide(subject, "see", layer_id)
        return found

    def resource(self, subject: Subject, table: str) -> Resource:
        """Give a resource `subject` may see; raises NotFound."""
        found = self._resources.get(table)
        if found is None:
            raise unknown(table)
        self.decide(subject, "see", table)
        return found

    def tile_columns(self, subject: Subject, layer: Layer, zoom: int = DEEPEST) -> dict[str, tuple[str, ...]]:
        """Give, for each table a layer draws as vectors at `zoom` and `subject` may see, the columns of its tiles."""
        found: dict[str, tuple[str, ...]] = {}
        for draw in layer.draws:
            drawn = draw.type in VECTOR_TYPES and min(draw.minzoom, DEEPEST) <= zoom
            if not drawn or not self.sees(subject, draw.table):
                continue
            permit = self.decide(subject, "tile", draw.table)
            wanted = (*found.get(draw.table, ()), *drawn_columns(draw))
            found[draw.table] = tuple(dict.fromkeys(c for c in wanted if c in permit.columns))
        return found

    def digest(self, subject: Subject, names: Iterable[str], action: Action = "tile") -> str:
        """Name what `subject` is permitted on `names` together, for cache keys."""
        parts = [self.decide(subject, action, n).digest for n in names if self.sees(subject, n, action)]
        return hashlib.blake2b("|".join(parts).encode(), digest_size=8).hexdigest()


def _masking(resource: Resource, column: str, hide: Any) -> Any:
    field = resource.field_named(column)
    meaning = field.meaning if field else ""
    return hide or (lambda value: mask(column, value, meaning))


def too_many(onemap: OneMap, resource: Resource, most: int) -> RowLimit:
    """Give the refusal of more rows of a table than one answer may tell of."""
    department = onemap.department(resource.department)
    zh, en = (department.title.zh, department.title.en) if department else ("数据部门", "its department")
    return RowLimit(
        f"“{resource.title.zh}”一次最多提供 {most} 行;请缩小范围或条件,如需更多请联系{zh}或安全管理员",
        f"At most {most} rows of {resource.title.en!r} are told at once: ask for a smaller part, or ask {en} or the "
        "security administrator for more",
        table=resource.id,
        max_rows=most,
    )


def unknown(name: str) -> NotFound:
    """Give the one refusal for what is not there and for what may not be seen."""
    return NotFound(f"没有“{name[:80]}”", f"There is no {name[:80]!r}")


def no_column(column: str) -> BadRequest:
    """Give the one refusal for a column that is not there and for one that may not be used."""
    return BadRequest(f"没有可用的字段“{column[:80]}”", f"There is no column {column[:80]!r} to use")
