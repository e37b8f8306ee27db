"""What a session needs personal data for: one form on one's own account, recorded before it holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.accounts import purposes
from twin.api.answers import gate
from twin.api.forms import form, go, inside, who_of
from twin.api.lapsed import lead_back
from twin.api.offices import noted
from twin.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.accounts import Known
    from twin.policy import Capability, Policy, Subject
    from twin.policy.grants import Purpose

router = APIRouter(dependencies=[Depends(gate)])
OFFICES: Mapping[str, Capability] = {
    "data": "data.see",
    "persons": "persons.answer",
    "erasures": "persons.approve",
    "record": "audit.read",
    "grants": "grants.change",
    "uploads": "files.send",
}
"""The pages of an office that an account leads to, by what one must be able to do there."""
Form = Annotated[Any, Depends(form)]


def open_to(policy: Policy, subject: Subject) -> tuple[Purpose, ...]:
    """Give the purposes `subject` may name: those that any grant of the role counts, in the order they are declared."""
    if not policy.may(subject, "purposes.name"):
        return ()
    counted = {p for grant in policy.grants.of(subject.role) for p in grant.purposes}
    return tuple(p for p in policy.grants.purposes if p.id in counted)


def own_office(request: Request, known: Known) -> dict[str, Any]:
    """Give what the account's page tells of purposes and further pages."""
    policy, now = request.app.state.rooms.policy, who_of(request).accounts.now()
    return {
        "purposes": open_to(policy, known.subject),
        "purpose": known.session.purpose_at(now),
        "until": known.session.purpose_until,
        "offices": tuple(page for page, needed in OFFICES.items() if policy.may(known.subject, needed)),
    }


@router.post("/account/purpose")
async def name_purpose(request: Request, given: Form) -> Response:
    """Name the purpose of one's session for half an hour, or take it back ("")."""
    who, lang = who_of(request), "en" if given.get("lang") == "en" else ""
    known = await asyncio.to_thread(who.known, request.scope)
    if known is None:
        await lead_back(request, lambda _: True)
        return go("/signin", next="/account", lang=lang)
    wanted = given.get("purpose", "")
    if wanted not in ("", *(p.id for p in open_to(request.app.state.rooms.policy, known.subject))):
        raise NotFound("没有这个用途", "There is no such purpose")
    action, held = ("purpose.named", wanted) if wanted else ("purpose.ended", known.subject.purpose)
    await noted(request, action, purpose=held)
    await asyncio.to_thread(purposes.name, who.accounts, known.session, wanted)
    onward = inside(given.get("next", "")) if given.get("next") else "/account"
    return go(onward, lang=lang, done="" if onward != "/account" else "purpose" if wanted else "purpose_end")
