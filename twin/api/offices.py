"""What the pages of an office share: whoever lacks its capability finds no such page, and every use is recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import Request

from twin.accounts import people
from twin.api.answers import gate
from twin.api.forms import who_of
from twin.api.lapsed import lead_back
from twin.api.who import subject
from twin.audit import Event
from twin.errors import NotFound

if TYPE_CHECKING:
    from twin.policy import Capability, Policy


def policy_of(request: Request) -> Policy:
    """Give the policy that holds now."""
    return request.app.state.rooms.policy


async def office(request: Request) -> None:
    """Raise NotFound for everyone without the capability of this route: to them there is no such page."""
    needed = gate(request).may
    if needed is None or not policy_of(request).may(subject(request), needed):
        demo = who_of(request).settings.demo
        await lead_back(
            request, lambda a: needed is not None and policy_of(request).may(people.subject(a, demo=demo), needed)
        )
        raise NotFound("没有找到", "Not found")


def may(request: Request, capability: Capability) -> bool:
    """Say whether whoever asks has a capability."""
    return policy_of(request).may(subject(request), capability)


def event(request: Request, action: str, outcome: str = "ok", **more: Any) -> Event:
    """Give what the record will say of this request; `more` are `resource`, `purpose` and `detail`."""
    who = subject(request)
    address = who_of(request).address(request.scope)
    return Event(action=action, outcome=outcome, subject=who.id, role=who.role, via=who.via, address=address, **more)


async def noted(request: Request, action: str, outcome: str = "ok", **more: Any) -> None:
    """Write down what is being done, before it is answered; raises AuditDown, BadRequest for personal data in it."""
    entry = event(request, action, outcome, **more)
    await asyncio.to_thread(lambda: who_of(request).audit.write(entry))
