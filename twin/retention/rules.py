"""retention.toml → how many days what is kept, by class; the one place where it is declared, proved before it holds."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from twin import declared
from twin.errors import DeclarationError

Class = Literal["public", "internal", "personal", "sensitive"]
CLASSES: tuple[Class, ...] = ("public", "internal", "personal", "sensitive")
FILE = "retention.toml"
SHORTEST_RECORD = 184
"""Six months (Cybersecurity Law of China, article 23)."""
LONGEST = 36_600
LEAST = {"backups": 1, "sessions": 1, "attempts": 1, "archives": 0, "ground": 366, "uploads": 1}
"""What is kept shorter would break what stands on it: the limit of ground counts 365 days."""


VERSIONS = {"all_days": 30, "daily_days": 90, "months": 60, "least": 5}
"""All versions of the last `all_days`, the last of each day for `daily_days`, of each month for `months`, `least`."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How many days each thing is kept, 0 for ever; `ground` is the ledger of ground delivered, which counts a year."""

    version: int = 1
    backups: int = 30
    sessions: int = 30
    attempts: int = 30
    record: int = 366
    archives: int = 1830
    ground: int = 400
    uploads: int = 365
    superseded: Mapping[str, int] = field(default_factory=lambda: {"internal": 730, "personal": 90, "sensitive": 30})
    quarantined: Mapping[str, int] = field(default_factory=lambda: {"internal": 365, "personal": 60, "sensitive": 30})
    deliveries: Mapping[str, int] = field(default_factory=lambda: {"personal": 180, "sensitive": 180})
    versions: Mapping[str, int] = field(default_factory=lambda: dict(VERSIONS))
    zone: str = "Asia/Shanghai"

    def days(self, what: Literal["superseded", "quarantined", "deliveries"], kind: str) -> timedelta | None:
        """Give how long a class is kept, None for ever."""
        days = getattr(self, what).get(kind, 0)
        return timedelta(days=days) if days else None


def read(village: Path) -> Rules:
    """Read the rules of a village's declarations, those of this program where it declares none.

    Raises DeclarationError naming every fault with file, line and remedy.
    """
    path = village / FILE
    if not path.is_file():
        return Rules()
    document = declared.load(path)
    rules = declared.value_of(document, Rules, (), document.table) if not document.faults else None
    if rules is not None:
        _prove(document, rules)
    if document.faults or rules is None:
        found = document.faults
        raise DeclarationError(
            "保存期限申报有误:\n" + "\n".join(f"{f.file}:{f.line} {f.field} {f.zh};{f.remedy_zh}" for f in found),
            "What is kept how long is declared wrongly:\n"
            + "\n".join(f"{f.file}:{f.line} {f.field} {f.en}; {f.remedy_en}" for f in found),
            file=path,
        )
    return rules


def _prove(document: declared.Document, rules: Rules) -> None:
    if rules.record < SHORTEST_RECORD:
        words = (f"审计记录不得少于 {SHORTEST_RECORD} 天", f"The record is kept {SHORTEST_RECORD} days or more")
        document.fault(("record",), words, ("写 184 或更大", "Write 184 or more"))
    for name, least in LEAST.items():
        if not least <= getattr(rules, name) <= LONGEST:
            words = (f"{name} 应在 {least} 到 {LONGEST} 之间", f"{name} is {least} to {LONGEST}")
            document.fault((name,), words, ("改正", "Mend it"))
    if rules.archives and rules.archives < rules.record:
        words = ("签名文件不得比记录先删", "Archives are not removed before entries would come into them")
        document.fault(("archives",), words, ("写得比 record 大", "Write more than record"))
    _prove_versions(document, rules)
    for name in ("superseded", "quarantined", "deliveries"):
        for kind, days in getattr(rules, name).items():
            if kind not in CLASSES or not 0 <= days <= LONGEST:
                words = (f"{name}.{kind} = {days} 不成立", f"{name}.{kind} = {days} does not hold")
                document.fault((name, kind), words, ("用四个分级,天数不为负", "One of four classes, days not negative"))
        given = getattr(rules, name)
        if given.get("personal", 0) == 0 or given.get("sensitive", 0) == 0:
            words = (f"{name} 须给个人信息设期限", f"{name} must limit personal data")
            document.fault(
                (name,), words, ("写明 personal 与 sensitive 的天数", "State the days of personal, sensitive")
            )


def _prove_versions(document: declared.Document, rules: Rules) -> None:
    for name, count in rules.versions.items():
        if name not in VERSIONS or not 0 <= count <= LONGEST or (name == "least" and count < 1):
            words = (f"versions.{name} = {count} 不成立", f"versions.{name} = {count} does not hold")
            document.fault(
                ("versions", name), words, (f"{' / '.join(VERSIONS)},least 至少 1", "Counts, least 1 or more")
            )
    if rules.versions and rules.versions.keys() != VERSIONS.keys():
        words = ("versions 须写全四项", "versions needs all four counts")
        document.fault(("versions",), words, (" / ".join(VERSIONS), " / ".join(VERSIONS)))
    if rules.zone not in zoneinfo.available_timezones():
        words = (f"没有时区 {rules.zone}", f"There is no time zone {rules.zone}")
        document.fault(("zone",), words, ("写 Asia/Shanghai", "Write Asia/Shanghai"))
