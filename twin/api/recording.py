"""What an answer tells of people and of exact ground is written down before it is sent; else it is not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.audit import Event
from twin.policy import noted

if TYPE_CHECKING:
    from starlette.types import Scope


def record(scope: Scope) -> None:
    """Count the ground the answer to this request tells, write down which personal rows it has taken up.

    Raises AreaLimit where that is too much ground, AuditDown, OpsDown.

    Blocks until the entries are durable: call it in a worker thread, after the answer is made and before it is sent.
    """
    app = scope["app"]
    app.state.delivering.count(scope, scope["state"]["subject"], noted.places())
    taken = noted.drain()
    if not taken:
        return
    who, subject = app.state.who, scope["state"]["subject"]
    events = [
        Event(
            action=each.seen,
            subject=subject.id,
            role=subject.role,
            via=subject.via,
            resource=each.table,
            purpose=each.purpose,
            outcome="permitted",
            address=who.address(scope),
            detail={"rows": each.rows},
        )
        for each in taken
    ]
    who.audit.write(*events)
