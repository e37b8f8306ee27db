"""What the official catalogue demands of a declaration: codes of classes, resources, providers; what is not shared."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etl.proofs import Facts, Place
    from twin.model import Department, Resource

CLASSES: Mapping[str, str] = {"基础": "1", "主题": "2", "部门": "3"}
"""The three classes (类) of the government's catalogue, each with its digit."""
DERIVED = "derived"
"""Tables worked out here are in no official catalogue."""
LEVELS = 4
"""类, 项, 目 and 细目."""
_CODE = re.compile(r"^(\d)(\d{2})(\d{3})/(\d{2})(\d{4})$")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The digits of a unified social credit code: no I, O, S, V, Z (GB 32100-2015)."""
_CREDIT = re.compile(rf"^[{_ALPHABET}]{{18}}$")
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def is_credit_code(code: str) -> bool:
    """Say whether `code` is a unified social credit code whose two check digits are right.

    Position 18 by GB 32100-2015 (weights 3^i mod 31); positions 9-17 are an organisation code by GB 11714-1997.
    """
    if not _CREDIT.match(code):
        return False
    total = sum(_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return code[17] == _ALPHABET[-total % 31] and code[16] == _organisation_digit(code[8:16])


def _organisation_digit(body: str) -> str:
    rest = 11 - sum(int(c, 36) * w for c, w in zip(body, _BODY_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def prove(facts: Facts) -> None:
    """Prove every department's code, and the codes of its resources against each other."""
    numbers: dict[tuple[str, ...], tuple[str, ...]] = {}
    seen: dict[str, str] = {}
    for department in facts.departments:
        if any(_official(r) for r in department.resources):
            _provider(facts.places.get(f"department:{department.id}"), department)
        for resource in department.resources:
            place = facts.places.get(f"resource:{resource.id}")
            if place is None:
                continue
            _shared(place, resource)
            if _official(resource):
                _unique(place, resource, seen)
                _coded(place, resource, numbers)


def _official(resource: Resource) -> bool:
    return bool(resource.class_path) and resource.class_path[0] in CLASSES and resource.reader != DERIVED


def _provider(place: Place | None, department: Department) -> None:
    if place is not None and not is_credit_code(department.provider_code):
        words = (
            f"统一社会信用代码 {department.provider_code} 的校验码不对",
            f"The check digit of the credit code {department.provider_code} is wrong",
        )
        place.document.fault(("department", "provider_code"), words, ("对照登记证抄录 18 位", "Copy all 18 digits"))


def _shared(place: Place, resource: Resource) -> None:
    if resource.share_type == "none" and resource.sources:
        words = ("不予共享的资源只编目,不得有来源", "What is not shared is listed only: it has no source")
        remedy = ("删去 [[resource.source]],或改 share_type", "Remove [[resource.source]], or change share_type")
        place.fault(("source",), words, remedy)


def _unique(place: Place, resource: Resource, seen: dict[str, str]) -> None:
    other = seen.setdefault(resource.code, resource.id)
    if other != resource.id:
        words = (f"资源代码 {resource.code} 与 {other} 相同", f"{other} has the code {resource.code} too")
        place.fault(("code",), words, ("换一个顺序号", "Use another serial number"))


def _coded(place: Place, resource: Resource, numbers: dict[tuple[str, ...], tuple[str, ...]]) -> None:
    found = _CODE.match(resource.code)
    path = resource.class_path
    if found is None:
        remedy = ("如 103001/010001", "Such as 103001/010001")
        words = (
            "资源代码应为 类1项2目3/部门2顺序号4 位数字",
            "The code must be class 1, item 2, kind 3 / department 2, serial 4",
        )
        place.fault(("code",), words, remedy)
        return
    if len(path) != LEVELS:
        words = (
            f"分类应有类、项、目、细目四级,现有 {len(path)} 级",
            f"The class path has {len(path)} levels, not four",
        )
        place.fault(("class_path",), words, ("补全四级", "Write all four"))
        return
    for fault in _contradictions(found.groups(), path, numbers):
        place.fault(("code",), fault, ("与目录中同类资源一致", "Agree with the other resources of that class"))
    stem = PurePosixPath(place.document.file).stem[:2]
    if stem.isdigit() and stem != found.group(4):
        words = (
            f"代码中的部门号 {found.group(4)} 不是本文件的 {stem}",
            f"The code says department {found.group(4)}, not {stem}",
        )
        place.fault(("code",), words, ("改为本部门序号", "Use this department's number"))


def _contradictions(
    digits: Sequence[str], path: Sequence[str], numbers: dict[tuple[str, ...], tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    """Give where class, item or kind (目) has another number, or the number another name, than met before."""
    if CLASSES[path[0]] != digits[0]:
        yield (
            f"{path[0]}类的代码应以 {CLASSES[path[0]]} 开头",
            f"Codes of the class {path[0]} begin with {CLASSES[path[0]]}",
        )
    for level in (2, 3):
        name, number = ("名", *path[:level]), ("号", *digits[:level])
        if numbers.setdefault(name, number) != number or numbers.setdefault(number, name) != name:
            shown = "/".join(path[:level])
            yield (
                f"分类“{shown}”与代码 {''.join(digits[:level])} 不对应",
                f"“{shown}” and {''.join(digits[:level])} do not match",
            )
