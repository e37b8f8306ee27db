"""Which versions of a table are gone, since when and why; the only reader and writer of removed.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from twin import durable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from twin.store.pointer import Version

Why = Literal["retention", "erasure", "rollback", "collected"]
NAME = "removed.json"
MOST = 5000
"""How many are remembered; the oldest are forgotten."""
WORDS: dict[str, tuple[str, str]] = {
    "retention": ("按保存期限", "because its time was over"),
    "erasure": ("因删除个人信息", "because a person's data was erased"),
    "rollback": ("被退回", "by a rollback"),
    "collected": ("按版本保留规则", "because fewer versions are kept the older they are"),
}


@dataclass(frozen=True, kw_only=True)
class Removed:
    """One version that is no longer there: when it was published, when it went, and why.

    `by` and `reason` are those of a rollback; they are typed freely and told to those who look after the data only.
    """

    version: str
    created_at: str
    removed_at: str
    why: Why
    by: str = ""
    reason: str = ""

    @property
    def zh(self) -> str:
        """Say it in Chinese."""
        return f"版本 {self.version} 已于 {self.removed_at[:10]} {WORDS[self.why][0]}删除"

    @property
    def en(self) -> str:
        """Say it in English."""
        return f"Version {self.version} was removed on {self.removed_at[:10]} {WORDS[self.why][1]}"


def gone(version: Version, why: Why, *, by: str = "", reason: str = "") -> Removed:
    """Say of a version that it is going now."""
    at = datetime.now(UTC).isoformat()
    return Removed(version=version.version, created_at=version.created_at, removed_at=at, why=why, by=by, reason=reason)


def read(folder: Path) -> tuple[Removed, ...]:
    """Give what was removed of the table in `folder`, the last first; nothing where the list is away or damaged."""
    try:
        return tuple(Removed(**each) for each in json.loads((folder / NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return ()


def add(folder: Path, gone: Iterable[Removed]) -> None:
    """Remember what is about to be removed; durable on return."""
    known = {each.version: each for each in (*gone, *read(folder))}
    listed = sorted(known.values(), key=lambda r: r.removed_at, reverse=True)[:MOST]
    durable.swap(folder / NAME, json.dumps([asdict(r) for r in listed], indent=1).encode())
