"""The quarantine desk: refused rows seen, corrected, accepted, taken back; each act is recorded with who and why.

An act is written down here and done by the receiving side's next run, which is asked for in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin.api.forms import read, who_of
from twin.api.offices import office
from twin.api.refused_doing import VALUE, Deed, Unfit, answered, shown
from twin.errors import BadRequest, NotFound
from twin.quarantine import acts, proving, rules
from twin.quarantine.naming import EXCHANGED, GEOMETRY

if TYPE_CHECKING:
    from twin.api.refused_view import Desk, Told
    from twin.quarantine.acts import Act

router = APIRouter(dependencies=[Depends(office)])
FIELDS = 120
"""As many as the widest row has columns, and some."""


async def wide(request: Request) -> Mapping[str, str]:
    """Read a form of our own page that carries a whole row."""
    return await read(request, FIELDS)


Form = Annotated[Any, Depends(wide)]


@router.get("/data/quarantine")
async def desk_page(request: Request, done: str = "") -> Response:
    """Show the refused rows as asked, and one row's sheet where the address names one."""
    return await shown(request, request.query_params, done=done[:20])


@router.post("/data/quarantine/correct")
async def correct(request: Request, given: Form) -> Response:
    """Take corrected values of one row, each proved against its declaration."""
    return await answered(request, given, "correct", lambda here, held: correction(here, held, given))


def correction(here: Desk, held: Sequence[Act], given: Mapping[str, str]) -> Deed:
    """Plan a correction of one row; raises NotFound, BadRequest (nothing changed, no reason), Unfit."""
    one = here.one(given.get("row", ""), here.stands(held))
    changes = _changes(one, given)
    wrong = proving.prove(one.resource, changes, here.systems)
    if wrong:
        typed = {c.heading: given[f"{VALUE}{n}"] for n, c in enumerate(one.cells) if f"{VALUE}{n}" in given}
        raise Unfit(wrong, {**typed, "": given.get("why", "")[:400]})
    named = {c.heading: c.column or c.heading for c in one.cells}
    columns = " ".join(named.get(h, h) for h in changes)
    row = one.stands.row.named
    return Deed(
        resources=(one.resource.id,),
        why=acts.reason(given.get("why", "")),
        detail={"row": row.name, "columns": columns},
        writes=((row, "correct", changes),),
    )


def _changes(one: Told, given: Mapping[str, str]) -> dict[str, str]:
    """Give what a form changes of a row: fields that hold something else than was shown."""
    if not one.whole.row.kept:
        raise BadRequest(
            "原行已按期限清除,只能请部门重报", "The row itself is no longer kept: it must be delivered anew"
        )
    changes: dict[str, str] = {}
    for number, cell in enumerate(one.cells):
        typed = given.get(f"{VALUE}{number}")
        before = "" if cell.covered else (cell.shown or "")
        if typed is not None and cell.mendable and typed.strip() != before.strip():
            changes[cell.heading] = typed.strip()
    if given.get("exchange") and any(rules.rule_of(r) == rules.EXCHANGED for r in one.stands.row.named.rules):
        changes[GEOMETRY] = EXCHANGED
    if not changes:
        raise BadRequest("没有改动任何值", "No value was changed")
    return changes


@router.post("/data/quarantine/accept")
async def accept(request: Request, given: Form) -> Response:
    """Take one row in spite of the reasons that may be overruled."""
    return await answered(request, given, "accept", lambda here, held: acceptance(here, held, given))


def acceptance(here: Desk, held: Sequence[Act], given: Mapping[str, str]) -> Deed:
    """Plan that one row is accepted; raises NotFound, BadRequest where none of its reasons may be overruled."""
    one = here.one(given.get("row", ""), here.stands(held))
    if not one.accepts:
        raise BadRequest(
            "这种问题不能接受,只能更正或退回部门", "This kind of fault cannot be accepted: correct it, or send it back"
        )
    row = one.stands.row.named
    return Deed(
        resources=(one.resource.id,),
        why=acts.reason(given.get("why", "")),
        detail={"row": row.name, "rules": " ".join(one.accepts)},
        writes=((acts.accepted(row, one.accepts), "accept", {}),),
    )


@router.post("/data/quarantine/withdraw")
async def withdraw(request: Request, given: Form) -> Response:
    """Take an act back: from the next run on its row stands as it was delivered."""

    def plan(here: Desk, _: Sequence[Act]) -> Deed:
        number = given.get("act", "")
        wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
        with who_of(request).accounts.ops.read() as connection:
            found = acts.one(connection, wanted)
        if found.on.resource not in here.resources:
            raise NotFound("没有这一处理", "There is no such act")
        return Deed(
            resources=(found.on.resource,),
            why=acts.reason(given.get("why", "")),
            detail={"row": found.on.name, "act": found.id, "kind": found.kind},
            withdraws=found.id,
        )

    return await answered(request, given, "withdraw", plan)


@router.post("/data/quarantine/rerun")
async def rerun(request: Request, given: Form) -> Response:
    """Ask that a resource be received again, with what was decided about its rows."""

    def plan(here: Desk, _: Sequence[Act]) -> Deed:
        name = given.get("resource", "")
        if name not in here.resources:
            raise NotFound("没有这个数据集", "There is no such dataset")
        return Deed(resources=(name,), why="按隔离区的处理重新入库")

    return await answered(request, given, "rerun", plan, now=True)
