"""Sources that somebody brings: asked for on the page, looked at, tried and published by the receiving side, in steps.

Whoever brings a source cannot let it in alone: another person approves the publish.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from twin import ops
from twin.errors import BadRequest, NotFound
from twin.model import Text
from twin.ops.newcomer_tables import newcomer as _n

State = Literal[
    "looking", "looked", "previewing", "previewed", "waiting", "publishing", "published", "refused", "dropped"
]
ASKED = ("looking", "previewing", "publishing")
"""What the receiving side has to do."""
FOLDER = "incoming"
"""Where the files lie that people brought, below the data folder, each in a folder of its source's number."""
LEASE = timedelta(minutes=5)
MOST_OPEN = 20
"""Sources one person may have on their way at a time."""
LONGEST_WHY = 400


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """One source on its way: who brought it, what it is, what was found, answered, tried and decided."""

    id: str
    at: datetime
    changed_at: datetime
    account_id: str
    name: str
    origin: Mapping[str, Any]
    state: State
    department: str
    resource: str
    found: Mapping[str, Any]
    answers: Mapping[str, Any]
    preview: Mapping[str, Any]
    reason: Text
    decided_by: str
    why: str

    @property
    def is_asked(self) -> bool:
        """Say whether the receiving side has something to do."""
        return self.state in ASKED


def new_id() -> str:
    """Give a name for a source that nobody can guess."""
    return secrets.token_hex(16)


def start(
    connection: ops.Connection, name: str, origin: Mapping[str, Any], *, by: str, at: datetime, number: str = ""
) -> str:
    """Ask that a source be looked at; gives its number. Raises BadRequest where one has too many on their way."""
    mine = ops.select(ops.func.count()).where(_n.c.account_id == by, _n.c.state.not_in(("published", "dropped")))
    if (connection.execute(mine).scalar() or 0) >= MOST_OPEN:
        raise BadRequest(
            "未完成的数据源太多,请先完成或放弃一些", "Too many sources are on their way; finish or drop some"
        )
    chosen = number or new_id()
    values = {
        "id": chosen, "at": at, "changed_at": at, "account_id": by, "name": name[:200], "origin": dict(origin),
        "state": "looking", "found": {}, "answers": {}, "preview": {},
    }  # fmt: skip
    connection.execute(ops.insert(_n).values(values))
    return chosen


def one(connection: ops.Connection, number: str) -> Newcomer:
    """Give a source on its way; raises NotFound."""
    row = connection.execute(ops.select(_n).where(_n.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("没有这个数据源", "There is no such source")
    return _of(row)


def listed(connection: ops.Connection, *, most: int = 30) -> list[Newcomer]:
    """Give the sources that were not dropped, the newest first."""
    query = ops.select(_n).where(_n.c.state != "dropped").order_by(_n.c.at.desc()).limit(most)
    return [_of(row) for row in connection.execute(query).all()]


def look_again(connection: ops.Connection, number: str, origin: Mapping[str, Any], at: datetime) -> None:
    """Ask for another look, at another part or with other rows as heading."""
    _turn(connection, number, ("looked", "previewed", "refused"), at, state="looking", origin=dict(origin))


def answer(connection: ops.Connection, number: str, answers: Mapping[str, Any], at: datetime, *, ready: bool) -> None:
    """Keep what was answered; `ready` asks for a preview of what would be published."""
    more: dict[str, Any] = {"state": "previewing", "preview": {}} if ready else {"state": "looked"}
    department = str(answers.get("department", ""))[:80]
    _turn(
        connection, number, ("looked", "previewed", "refused"), at, answers=dict(answers), department=department, **more
    )


def offer(connection: ops.Connection, number: str, at: datetime) -> None:
    """Ask that what was previewed be published, once another person approves."""
    if one(connection, number).preview.get("faults"):
        raise BadRequest("还有未答或不成立的项", "Something is still open or does not hold")
    _turn(connection, number, ("previewed",), at, state="waiting")


def approve(connection: ops.Connection, number: str, *, by: str, why: str, at: datetime) -> None:
    """Let a source in; raises BadRequest for one's own, and where nothing waits."""
    waiting = one(connection, number)
    if waiting.account_id == by:
        raise BadRequest(
            "不能批准自己提交的数据源,请另一位有权的人批准", "Another person must approve what you brought"
        )
    values = {"decided_by": by, "decided_at": at, "why": _why(why)}
    _turn(connection, number, ("waiting",), at, state="publishing", **values)


def send_back(connection: ops.Connection, number: str, *, by: str, why: str, at: datetime) -> None:
    """Send a source back to whoever brought it, with the reason."""
    told = _why(why)
    values = {"decided_by": by, "decided_at": at, "why": told}
    reason = {"reason_zh": f"已退回:{told}", "reason_en": f"Sent back: {told}"}
    _turn(connection, number, ("waiting",), at, state="previewed", **values, **reason)


def drop(connection: ops.Connection, number: str, at: datetime) -> None:
    """Give a source up; what was found of it is forgotten."""
    states = ("looking", "looked", "previewing", "previewed", "waiting", "refused")
    _turn(connection, number, states, at, state="dropped", found={}, answers={}, preview={})


def claim(connection: ops.Connection, owner: str, at: datetime) -> Newcomer | None:
    """Take the oldest thing there is to do, for a while; None where there is nothing."""
    free = ops.or_(_n.c.lease_until.is_(None), _n.c.lease_until < at)
    query = ops.select(_n.c.id).where(_n.c.state.in_(ASKED), free).order_by(_n.c.changed_at).limit(1)
    number = connection.execute(query).scalar()
    if number is None:
        return None
    taken = ops.update(_n).where(_n.c.id == number, _n.c.state.in_(ASKED), free)
    values = {"lease_owner": owner, "lease_until": at + LEASE}
    return one(connection, number) if connection.execute(taken, values).rowcount else None


def waits(connection: ops.Connection, at: datetime) -> bool:
    """Say whether the receiving side has something to do: one look into an index."""
    free = ops.or_(_n.c.lease_until.is_(None), _n.c.lease_until < at)
    return connection.execute(ops.select(_n.c.id).where(_n.c.state.in_(ASKED), free).limit(1)).first() is not None


def done(connection: ops.Connection, number: str, owner: str, state: State, at: datetime, **told: Any) -> bool:
    """Say how what was taken ended; gives False where somebody else has it by now, or it was dropped."""
    mine = ops.update(_n).where(_n.c.id == number, _n.c.lease_owner == owner, _n.c.state.in_(ASKED))
    reason = told.pop("reason", ("", ""))
    values = {"state": state, "changed_at": at, "lease_owner": "", "lease_until": None, **told}
    values |= {"reason_zh": reason[0], "reason_en": reason[1]}
    return connection.execute(mine, values).rowcount == 1


def _turn(connection: ops.Connection, number: str, states: tuple[str, ...], at: datetime, **values: Any) -> None:
    kept = {"reason_zh": "", "reason_en": "", "changed_at": at, "lease_owner": "", "lease_until": None, **values}
    where = ops.update(_n).where(_n.c.id == number, _n.c.state.in_(states))
    if not connection.execute(where, kept).rowcount:
        one(connection, number)
        raise BadRequest("这一步已经做过,请刷新", "This step was taken already; reload the page")


def _why(text: str) -> str:
    why = " ".join(text.split())[:LONGEST_WHY]
    if len(why) < 2:
        raise BadRequest("请写明理由", "Say why", field="why")
    return why


def _of(row: Any) -> Newcomer:
    plain = {k: getattr(row, k) for k in Newcomer.__dataclass_fields__ if k != "reason"}
    return Newcomer(**plain, reason=Text(row.reason_zh, row.reason_en))
