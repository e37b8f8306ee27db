"""What sound grants satisfy beyond their form; it is asked before any grant holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.policy.subject import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.declared import Document
    from twin.policy.grants import Denial, Grant, Grants
    from twin.toml_lines import Path as KeyPath

CLASSES = ("public", "internal", "personal", "sensitive")
STATE_SECRET = "state-secret"  # noqa: S105 - the name of a class
PRECISIONS = ("persons", "conditional", "unconditional")
SMALLEST = 10
"""No statistic tells of fewer people to whoever may not read them by name."""

MANAGES = frozenset({"grants.change", "accounts.manage", "keys.manage"})
READS_THE_RECORD = frozenset({"audit.read", "audit.export"})
"""Duties that no role has beside each other or beside a sight of data (GB/T 22239-2019, 8.1.4.2)."""


def prove(document: Document, grants: Grants) -> None:
    """Note in `document` every fault of `grants`."""
    if grants.version < 1:
        document.fault(("version",), ("版本从 1 起", "Versions begin at 1"), ("每改一次加 1", "Raise it by 1 a change"))
    _roles(document, grants)
    _duties(document, grants)
    names = [p.id for p in grants.purposes]
    for index, grant in enumerate(grants.grants):
        _grant(document, ("grant", index), grant, names)
        if any(g.departments == "all" for g in grants.grants[:index] if g.role == grant.role):
            words = (f"{grant.role} 的这条授权永远轮不到", f"This grant of {grant.role} is never reached")
            document.fault(("grant", index), words, ("移到前面或删去", "Move it up or remove it"))
    for index, denial in enumerate(grants.denials):
        _denial(document, ("deny", index), denial)


def _roles(document: Document, grants: Grants) -> None:
    known = [r.id for r in grants.roles]
    for role in ROLES:
        if known.count(role) != 1:
            words = (f"角色 {role} 应恰好申报一次", f"The role {role} must be declared exactly once")
            document.fault(("role",), words, ("补上或删去 [[role]]", "Add or remove a [[role]]"))
    for index, name in enumerate(known):
        if name not in ROLES:
            _role(document, ("role", index, "id"), name)


def _duties(document: Document, grants: Grants) -> None:
    """Note who would manage rights, read the record and see data, any two of them together."""
    for index, role in enumerate(grants.roles):
        if MANAGES & set(role.may) and READS_THE_RECORD & set(role.may):
            words = (f"{role.id} 不能既管权限又看记录", f"{role.id} may not both manage rights and read the record")
            document.fault(("role", index, "may"), words, ("分给两个角色", "Give them to two roles"))
    apart = {r.id for r in grants.roles if (MANAGES | READS_THE_RECORD) & set(r.may)}
    for index, grant in enumerate(grants.grants):
        if grant.role in apart:
            words = ("管权限或看记录的角色不看数据", "Who manages rights or reads the record sees no data")
            remedy = ("删去本条,或把职责交给另一个角色", "Remove the grant, or give the duty to another role")
            document.fault(("grant", index, "role"), words, remedy)


def _role(document: Document, path: KeyPath, name: str) -> None:
    listed = " / ".join(ROLES)
    words = (f"没有角色 {name}", f"There is no role {name}")
    document.fault(path, words, (f"用其中之一:{listed}", f"Use one of: {listed}"))


def _grant(document: Document, path: KeyPath, grant: Grant, purposes: list[str]) -> None:
    if grant.role not in ROLES:
        _role(document, (*path, "role"), grant.role)
    for key, table in (("columns", grant.columns), ("with_purpose", grant.with_purpose), ("area", grant.area)):
        _classes(document, (*path, key), table)
    _levels(document, path, grant)
    _purposes(document, path, grant, purposes)
    if set(grant.precision_m) != set(PRECISIONS) or min(grant.precision_m.values()) < 0:
        listed = ", ".join(PRECISIONS)
        words = ("精度须逐项写明,单位米", "Every precision must be stated, in metres")
        document.fault((*path, "precision_m"), words, (f"写明 {listed};0 为精确", f"State {listed}; 0 is exact"))
    if grant.role != "local" and not grant.clears_people() and grant.smallest_count < SMALLEST:
        words = (f"人数统计不得小于 {SMALLEST}", f"No count of fewer than {SMALLEST} people may be told")
        document.fault((*path, "smallest_count"), words, (f"写 {SMALLEST} 或更大", f"Write {SMALLEST} or more"))
    if grant.max_rows < 1 or grant.max_km2 <= 0:
        words = ("上限须为正", "Limits must be positive")
        document.fault((*path, "max_rows"), words, ("不授权就删去本条", "To grant nothing, remove the grant"))


def _classes(document: Document, path: KeyPath, table: Mapping[str, object]) -> None:
    for name in table:
        if name == STATE_SECRET:
            words = ("国家秘密不在本系统授权范围", "State secrets cannot be granted here")
            document.fault((*path, name), words, ("删去此项", "Remove this key"))
        elif name not in CLASSES:
            listed = " / ".join(CLASSES)
            words = (f"没有分级 {name}", f"There is no class {name}")
            document.fault((*path, name), words, (f"用其中之一:{listed}", f"Use one of: {listed}"))


def _levels(document: Document, path: KeyPath, grant: Grant) -> None:
    if grant.columns.get("public", "clear") != "clear":
        words = ("公开字段无须脱敏", "A public column is not masked")
        document.fault((*path, "columns", "public"), words, ("写 clear 或删去", "Write clear or remove it"))
    if grant.columns.get("personal") == "clear":
        words = ("个人信息须有用途才能明文", "A personal value is clear for a purpose only")
        document.fault((*path, "columns", "personal"), words, ("移到 with_purpose", "Move it to with_purpose"))
    if "sensitive" in grant.columns:
        words = ("敏感个人信息须有用途", "A sensitive value is read for a purpose only")
        document.fault((*path, "columns", "sensitive"), words, ("移到 with_purpose", "Move it to with_purpose"))
    if grant.with_purpose.get("sensitive") == "clear":
        words = ("敏感个人信息不得明文", "A sensitive value is never clear")
        document.fault((*path, "with_purpose", "sensitive"), words, ("写 masked", "Write masked"))


def _purposes(document: Document, path: KeyPath, grant: Grant, known: list[str]) -> None:
    if bool(grant.with_purpose) != bool(grant.purposes):
        words = ("with_purpose 与 purposes 须同时写", "with_purpose and purposes go together")
        document.fault((*path, "purposes"), words, ("补上缺的一项", "Add the one that is missing"))
    for index, name in enumerate(grant.purposes):
        if name not in known:
            listed = " / ".join(known)
            words = (f"没有用途 {name}", f"There is no purpose {name}")
            document.fault((*path, "purposes", index), words, (f"用其中之一:{listed}", f"Use one of: {listed}"))


def _denial(document: Document, path: KeyPath, denial: Denial) -> None:
    if denial.role != "*" and denial.role not in ROLES:
        _role(document, (*path, "role"), denial.role)
    _classes(document, (*path, "classes"), dict.fromkeys(denial.classes))
    if not (denial.layers or denial.tables or denial.columns or denial.classes):
        words = ("没有写明禁止什么", "It does not say what is denied")
        remedy = ("写 layers、tables、columns 或 classes", "Name layers, tables, columns or classes")
        document.fault(path, words, remedy)
