"""The page of reports: which there are, how full one is for a period and who owes the rest, to print or take away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from twin import reports
from twin.api.arriving import common
from twin.api.data_desk import HEADERS
from twin.api.data_views import ReportsView
from twin.api.forms import page, who_of
from twin.api.offices import office
from twin.api.recording import record
from twin.api.reporting import filler_of, forms_of
from twin.api.who import subject
from twin.errors import TwinError

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(dependencies=[Depends(office)])


@router.get("/reports")
async def reports_page(request: Request) -> Response:
    """Show the reports, and one of them filled from what whoever asks may see."""
    return page(request, await asyncio.to_thread(_view, request, request.query_params), **HEADERS)


def _view(request: Request, given: Mapping[str, str]) -> ReportsView:
    rooms = request.app.state.rooms
    forms = forms_of(rooms)
    name, period = given.get("name", "")[:60], given.get("period", "").strip()[:10]
    filled, error = None, None
    if name:
        try:
            filled = filler_of(rooms).fill(reports.find(forms, name), subject(request), period)
            record(request.scope)
        except TwinError as wrong:
            error = wrong
    return ReportsView(
        **common(request, given, who_of(request).known(request.scope)),
        forms=forms,
        form=name,
        period=period,
        filled=filled,
        departments={d.title.zh: d.id for d in rooms.onemap.departments},
        error=error,
    )
