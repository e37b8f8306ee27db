"""How an act of the quarantine desk is done: planned, then written down, recorded, the run asked for; all or none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response

from twin import ops
from twin.api import data_view, forms, refused_view
from twin.api.data_desk import HEADERS
from twin.api.forms import go, page, who_of
from twin.api.offices import event
from twin.api.who import subject
from twin.errors import BadRequest, TwinError
from twin.quarantine import acts
from twin.runs import asking

if TYPE_CHECKING:
    from fastapi import Request

    from twin.api.refused_view import Desk
    from twin.model import Text
    from twin.quarantine.acts import Act, Kind, Named

PAGE = "/data/quarantine"
VALUE = "value-"
"""How a form names the fields of a row: by the place of their heading."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What is to be written down: acts on rows, an act to take back, the resources concerned, what the record tells."""

    resources: tuple[str, ...]
    why: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    writes: tuple[tuple[Named, Kind, Mapping[str, str]], ...] = ()
    withdraws: int = 0
    book: str = ""


Plan = Callable[["Desk", Sequence["Act"]], Deed]


class Unfit(BadRequest):
    """Corrected values that their declarations do not allow: what is wrong by heading, and what was typed."""

    def __init__(self, wrong: Mapping[str, Text], typed: Mapping[str, str]) -> None:
        super().__init__("更正未保存:有的值不合申报的要求", "Not saved: some values are not as declared")
        self.wrong, self.typed = wrong, typed


class Faulty(BadRequest):
    """A returned workbook that is not taken, and everything that is wrong with it."""

    faults: tuple[Text, ...] = ()

    @classmethod
    def of(cls, faults: Sequence[Text]) -> Faulty:
        """Make the refusal that tells `faults`."""
        n = len(faults)
        made = cls(
            f"工作簿未接收,有 {n} 处问题,改正后重新上传",
            f"The workbook was not taken, it has faults ({n}): mend them and send it again",
        )
        made.faults = tuple(faults)
        return made


def do(request: Request, act: str, plan: Plan, *, now: bool) -> Deed:
    """Do what `plan` says, on the rows as they lie; with `now` the run is asked for. Raises what `plan` raises."""
    here, who = refused_view.desk(request), who_of(request)
    data_view.brought_up(request)
    with who.accounts.ops.read() as connection:
        held = acts.of(connection, here.resources, holding=True)
    deed = plan(here, held)
    detail = {k: v for k, v in {"why": deed.why, **deed.detail, "book": deed.book}.items() if v}
    resource = deed.resources[0] if len(deed.resources) == 1 else "data"
    entry = event(request, f"quarantine.{act}", resource=resource, detail=detail)
    by, at = subject(request).id, ops.now()
    with who.audit.doing(entry) as connection:
        for named, kind, changes in deed.writes:
            acts.record(connection, named, kind, by=by, why=deed.why, at=at, changes=changes, book=deed.book)
        if deed.withdraws:
            acts.withdraw(connection, deed.withdraws, by=by, why=deed.why, at=at)
        for name in deed.resources if now else ():
            asking.rerun(connection, name, by=by, why=deed.why, at=at)
    return deed


async def answered(request: Request, given: Mapping[str, str], act: str, plan: Plan, *, now: bool = False) -> Response:
    """Do an act and lead back to the page, or show on it why the act is refused."""
    kept = back(given)
    lang = {"lang": "en"} if given.get("lang") == "en" else {}
    try:
        await asyncio.to_thread(do, request, act, plan, now=now or bool(given.get("now")))
    except Faulty as wrong:
        return await shown(request, {**kept, **lang}, error=wrong, faults=wrong.faults)
    except Unfit as wrong:
        return await shown(request, {**kept, **lang}, error=wrong, wrong=wrong.wrong, typed_in=wrong.typed)
    except TwinError as error:
        return await shown(request, {**kept, **lang}, error=error)
    return go(f"{PAGE}?" + urlencode({**kept, **lang, "done": act}))


def back(given: Mapping[str, str]) -> dict[str, str]:
    """Give what the desk was asked when a form was sent."""
    return forms.back(given, refused_view.KEPT)


async def shown(request: Request, given: Any, **more: Any) -> Response:
    """Draw the page as `given` asks."""
    view = await asyncio.to_thread(refused_view.view, request, given, **more)
    return page(request, view, **HEADERS)
