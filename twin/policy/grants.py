"""grants.toml → which role is granted what, proved; what is not written there is denied, and a denial beats a grant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from twin import declared
from twin.declared import Document, Fault
from twin.errors import DeclarationError
from twin.model import Text
from twin.policy import soundness
from twin.policy.areas import Reach

Access = Literal["clear", "masked"]
Capability = Literal[
    "grants.change", "accounts.manage", "keys.manage", "audit.read", "audit.export", "data.see", "runs.start",
    "schedules.change", "quarantine.read", "quarantine.decide", "publishes.approve", "purposes.name", "persons.answer",
    "persons.approve", "files.send", "files.read",
]  # fmt: skip
"""What a role may do beside reading data."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """One role: its words, and what it may do beside reading data."""

    id: str
    title: Text
    may: tuple[Capability, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """One purpose that personal data may be read for, as it is chosen and recorded."""

    id: str
    title: Text


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one role is granted on the layers and resources it matches; the first of a role that matches decides alone.

    `columns` is how each class is read, `with_purpose` how once one of `purposes` is named. `area` is how far a class
    is granted (a class not named: the whole store). `precision_m` is the grid positions are told on, by how a resource
    is shared, "persons" first. `smallest_count` is the least number of people that is told. `open_attr` () is any.
    """

    role: str
    layers: tuple[Literal["open", "conditional", "masked", "sensitive"], ...]
    resources: tuple[Literal["unconditional", "conditional"], ...]
    columns: Mapping[str, Access]
    precision_m: Mapping[str, float]
    smallest_count: int
    max_rows: int
    max_km2: float
    departments: Literal["all", "own"] = "all"
    scoped: bool = False
    open_attr: tuple[str, ...] = ()
    with_purpose: Mapping[str, Access] = field(default_factory=dict[str, Access])
    purposes: tuple[str, ...] = ()
    area: Mapping[str, Reach] = field(default_factory=dict[str, Reach])
    masks: Literal["part", "token"] = "part"

    def clears_people(self) -> bool:
        """Say whether this grant ever shows a personal value as it is."""
        return "clear" in (self.columns.get("personal"), self.with_purpose.get("personal"))


@dataclass(frozen=True, kw_only=True)
class Denial:
    """What is taken from a role ("*": from all) whatever grants it; columns and classes of `tables` (none: of all)."""

    role: str
    because: Text
    layers: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def hides(self, role: str, name: str) -> bool:
        """Say whether the layer or table `name` as a whole is taken from `role`."""
        whole = not (self.columns or self.classes)
        return self.role in ("*", role) and (name in self.layers or (whole and name in self.tables))

    def takes(self, role: str, table: str, column: str, sensitivity: str) -> bool:
        """Say whether one column is taken from `role`."""
        meant = self.role in ("*", role) and (table in self.tables or not self.tables)
        return meant and (column in self.columns or sensitivity in self.classes)


@dataclass(frozen=True, kw_only=True)
class Grants:
    """All that is granted and denied, under one version; `counts_open`: open resources count to max_km2 too."""

    version: int
    roles: tuple[Role, ...]
    counts_open: bool = False
    purposes: tuple[Purpose, ...] = ()
    grants: tuple[Grant, ...] = ()
    denials: tuple[Denial, ...] = ()

    @property
    def digest(self) -> str:
        """Name this very content."""
        return hashlib.blake2b(repr(self).encode(), digest_size=8).hexdigest()

    def of(self, role: str) -> Iterator[Grant]:
        """Give the grants of `role`, in the order they are tried."""
        return (g for g in self.grants if g.role == role)

    def role(self, role_id: str) -> Role | None:
        """Give the role with this id, or None."""
        return next((r for r in self.roles if r.id == role_id), None)

    def purpose(self, purpose_id: str) -> Purpose | None:
        """Give the purpose with this id, or None."""
        return next((p for p in self.purposes if p.id == purpose_id), None)

    def may(self, role: str, capability: Capability) -> bool:
        """Say whether `role` may do `capability`."""
        return any(capability in r.may for r in self.roles if r.id == role)


LOCAL_ONLY = Grants(
    version=0,
    roles=(Role(id="local", title=Text("本机访客", "Visitor at this machine")),),
    grants=(
        Grant(
            role="local",
            layers=("open", "conditional", "masked", "sensitive"),
            resources=("unconditional", "conditional"),
            columns={"public": "clear", "internal": "clear", "personal": "masked"},
            precision_m={"unconditional": 0.0, "conditional": 0.0, "persons": 0.0},
            smallest_count=0,
            max_rows=100_000,
            max_km2=25.0,
        ),
    ),
)
"""What holds where no grants are declared: the demo's visitor, and nobody else."""


def read(path: Path) -> Grants:
    """Read the grants at `path`; raises DeclarationError naming every fault with file, line, field and remedy."""
    grants, found = check(path)
    if found or grants is None:
        raise DeclarationError(
            "授权申报有误:\n" + "\n".join(f"{f.file}:{f.line} {f.field} {f.zh};{f.remedy_zh}" for f in found),
            "The grants are wrong:\n" + "\n".join(f"{f.file}:{f.line} {f.field} {f.en}; {f.remedy_en}" for f in found),
            file=path,
        )
    return grants


def check(path: Path) -> tuple[Grants | None, list[Fault]]:
    """Read and prove the grants at `path`; give them (None where they cannot be built) and every fault."""
    return _proved(declared.load(path))


def check_text(text: str, file: str) -> tuple[Grants | None, list[Fault]]:
    """Read and prove grants that stand in `text`, called `file` in the faults; gives what `check` gives."""
    return _proved(declared.parse(text, file))


def _proved(document: Document) -> tuple[Grants | None, list[Fault]]:
    if document.faults:
        return None, document.faults
    given: dict[str, Any] = {
        "roles": _many(document, Role, "role"),
        "purposes": _many(document, Purpose, "purpose"),
        "grants": _many(document, Grant, "grant"),
        "denials": _many(document, Denial, "deny"),
    }
    rest = {k: v for k, v in document.table.items() if k not in ("role", "purpose", "grant", "deny")}
    grants = declared.value_of(document, Grants, (), rest, given=given)
    if grants is not None and not document.faults:
        soundness.prove(document, grants)
    return grants, document.faults


def _many(document: Document, cls: type[declared.T], word: str) -> tuple[declared.T, ...]:
    tables = document.table.get(word, [])
    if not isinstance(tables, list):
        document.fault((word,), (f"应写成 [[{word}]]", f"Write [[{word}]]"), ("用双方括号", "Use double brackets"))
        return ()
    values = (declared.value_of(document, cls, (word, i), t) for i, t in enumerate(tables))
    return tuple(v for v in values if v is not None)
