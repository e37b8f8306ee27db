"""What an answer tells of people stands in the record before it is sent; where it cannot, the answer is not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.audit import Event
from twin.policy import noted

if TYPE_CHECKING:
    from starlette.types import Scope


def record(scope: Scope) -> None:
    """Write down which personal rows the answer to this request has taken up; raises AuditDown, OpsDown.

    Blocks until the entries are durable: call it in a worker thread, after the answer is made and before it is sent.
    """
    taken = noted.drain()
    if not taken:
        return
    who, subject = scope["app"].state.who, scope["state"]["subject"]
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
