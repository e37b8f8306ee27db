"""What was decided about refused rows: written down, withdrawn, and read again; the only one to know its table.

One act is on one row: its corrected values, or the reasons it is accepted in spite of, or that it was sent back.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from twin import ops
from twin.errors import BadRequest, NotFound
from twin.ops.quarantine_tables import quarantine_act

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from twin.settings import Settings

Kind = Literal["correct", "accept", "send"]
DOING: tuple[Kind, ...] = ("correct", "accept")
"""Acts that a run does to the data."""
SHORTEST_WHY, LONGEST_WHY = 2, 400
ERASED = "已按本人请求删除 · erased at the person's request"
_A = quarantine_act
_TABLE = "quarantine_act"


@dataclass(frozen=True, kw_only=True)
class Named:
    """Which refused row is meant: where it came from, what identifies it, and what was delivered."""

    resource: str
    department: str
    name: str
    source: str
    key: str
    row: str
    fingerprint: str
    rules: tuple[str, ...]
    """Why it was refused, each "rule|column"."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act as it was written down; `changes` is heading → text, `on.rules` what an accepted row is accepted for."""

    id: int
    at: datetime
    on: Named
    kind: Kind
    changes: Mapping[str, str]
    why: str
    account_id: str
    book: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_why: str = ""

    @property
    def holds(self) -> bool:
        """Say whether it was not withdrawn."""
        return self.withdrawn_at is None


def reason(text: str) -> str:
    """Give the reason of an act as it is kept; raises BadRequest where there is none."""
    why = " ".join(text.split())
    if not SHORTEST_WHY <= len(why) <= LONGEST_WHY:
        raise BadRequest(f"请写明理由(2 至 {LONGEST_WHY} 字)", f"Say why, in 2 to {LONGEST_WHY} characters")
    return why


def accepted(on: Named, rules: tuple[str, ...]) -> Named:
    """Give the row of an act that accepts it in spite of `rules` alone."""
    return replace(on, rules=rules)


def record(
    connection: ops.Connection, on: Named, kind: Kind, *, by: str, why: str, at: datetime,
    changes: Mapping[str, str] | None = None, book: str = "",
) -> int:  # fmt: skip
    """Write one act down, and give its number; a later correction of a row stands beside the one before it."""
    values = {
        "at": at, "resource": on.resource, "department": on.department, "name": on.name, "source": on.source,
        "key": on.key, "row": on.row, "fingerprint": on.fingerprint, "rules": list(on.rules), "kind": kind,
        "changes": dict(changes or {}), "why": why, "account_id": by, "book": book,
    }  # fmt: skip
    return int(connection.execute(ops.insert(_A).values(values).returning(_A.c.id)).scalar_one())


def withdraw(connection: ops.Connection, act: int, *, by: str, why: str, at: datetime) -> Act:
    """Take an act back: from the next run on its row stands as delivered. Raises NotFound, BadRequest (is already)."""
    found = one(connection, act)
    if not found.holds:
        raise BadRequest("这一处理已经撤回", "This was withdrawn already")
    values = {"withdrawn_at": at, "withdrawn_by": by, "withdrawn_why": why}
    connection.execute(ops.update(_A).where(_A.c.id == act), values)
    return found


def empty(connection: ops.Connection, which: Iterable[int], at: datetime) -> None:
    """Take the values out of acts on the rows of an erased person; they hold no longer, and that they were stays."""
    values = {"changes": {}, "key": "", "why": "", "withdrawn_at": at, "withdrawn_why": ERASED}
    connection.execute(ops.update(_A).where(_A.c.id.in_(list(which))), values)


def one(connection: ops.Connection, act: int) -> Act:
    """Give one act; raises NotFound."""
    row = connection.execute(ops.select(_A).where(_A.c.id == act)).one_or_none()
    if row is None:
        raise NotFound("没有这一处理", "There is no such act")
    return _act(row)


def of(connection: ops.Connection, resources: Iterable[str] | None = None, *, holding: bool = False) -> list[Act]:
    """Give the acts on rows of `resources` (None: of all), the last first; with `holding` those not withdrawn."""
    wanted = ops.select(_A).order_by(_A.c.id.desc())
    if resources is not None:
        wanted = wanted.where(_A.c.resource.in_(sorted(set(resources))))
    if holding:
        wanted = wanted.where(_A.c.withdrawn_at.is_(None))
    return [_act(row) for row in connection.execute(wanted).all()]


def standing(settings: Settings, resource: str) -> list[Act]:
    """Give the acts a run of `resource` does, in their order, without making a store where there is none.

    Raises OpsDown: a run that cannot know what was decided must not publish.
    """
    path = settings.data / "run" / ops.FILE
    if not settings.ops_url and not path.is_file():
        return []
    with contextlib.closing(ops.Ops(settings.ops_url or f"sqlite:///{path.resolve()}")) as store, store.read() as c:
        if not ops.has_table(c, _TABLE):
            return []
        wanted = ops.select(_A).where(_A.c.resource == resource, _A.c.withdrawn_at.is_(None), _A.c.kind.in_(DOING))
        return [_act(row) for row in c.execute(wanted.order_by(_A.c.id)).all()]


def digest(acts: Sequence[Act]) -> str:
    """Name what `acts` together do, for whoever asks whether anything has changed; "" where there is none."""
    if not acts:
        return ""
    told = [(a.on.name, a.kind, sorted(a.changes.items()), a.on.rules) for a in acts]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def _act(row: Any) -> Act:
    on = Named(
        resource=row.resource, department=row.department, name=row.name, source=row.source, key=row.key, row=row.row,
        fingerprint=row.fingerprint, rules=tuple(row.rules),
    )  # fmt: skip
    return Act(
        id=row.id, at=row.at, on=on, kind=row.kind, changes=dict(row.changes), why=row.why, account_id=row.account_id,
        book=row.book, withdrawn_at=row.withdrawn_at, withdrawn_by=row.withdrawn_by, withdrawn_why=row.withdrawn_why,
    )  # fmt: skip
