"""Reports over HTTP: which there are, and one filled for whoever asks, as xlsx or PDF; every one taken is recorded."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from twin import reports
from twin.api.answers import CACHING, answer, gate
from twin.api.recording import record
from twin.api.rooms import Rooms
from twin.api.routes import as_of
from twin.audit import Event
from twin.reports import Filled, Form
from twin.spreadsheet import XLSX

router = APIRouter(dependencies=[Depends(gate), Depends(as_of)])

FOLDER = "reports"
PDF = "application/pdf"
Period = Annotated[str, Query(max_length=10, description="2025, 2025-10 or 2025-11-21; empty is the present")]


@router.get("/api/v1/reports")
def listed(request: Request) -> Response:
    """List the reports there are, and the time each tells of."""
    found = [
        {"id": f.id, "title": {"zh": f.title.zh, "en": f.title.en}, "span": f.span, "cells": len(f.cells)}
        for f in forms_of(request.state.rooms)
    ]
    return answer(request, {"reports": found})


@router.get("/api/v1/reports/{name}.xlsx")
def workbook(request: Request, name: str, period: Period = "") -> Response:
    """Give a report filled from what whoever asks may see, as a workbook without formulas, links or macros."""
    filled = _filled(request, name, period)
    return _sent(request, filled, reports.xlsx(filled), "xlsx", XLSX)


@router.get("/api/v1/reports/{name}.pdf")
def paper(request: Request, name: str, period: Period = "") -> Response:
    """Give a report filled from what whoever asks may see, as PDF."""
    filled = _filled(request, name, period)
    font = request.state.rooms.settings.report_font
    return _sent(request, filled, reports.pdf(filled, font), "pdf", PDF)


def forms_of(rooms: Rooms) -> tuple[Form, ...]:
    """Give the reports that are declared."""
    return reports.read_all(rooms.settings.village / FOLDER, rooms.onemap)


def _filled(request: Request, name: str, period: str) -> Filled:
    rooms: Rooms = request.state.rooms
    return filler_of(rooms).fill(reports.find(forms_of(rooms), name), request.scope["state"]["subject"], period)


def filler_of(rooms: Rooms) -> reports.Filler:
    """Give what fills reports from these rooms."""
    return reports.Filler(
        onemap=rooms.onemap,
        serving=rooms.serving,
        policy=rooms.policy,
        indicators=rooms.indicators,
        ledger=rooms.settings.data / "run" / "ledger.jsonl",
        as_of=rooms.as_of,
    )


def _sent(request: Request, filled: Filled, data: bytes, suffix: str, kind: str) -> Response:
    """Send the file once it is written down who takes it; raises AuditDown where that cannot be."""
    record(request.scope)
    who, subject = request.app.state.who, request.scope["state"]["subject"]
    who.audit.write(
        Event(
            action="report",
            subject=subject.id,
            role=subject.role,
            via=subject.via,
            resource=filled.form.id,
            purpose=subject.purpose,
            outcome="permitted",
            address=who.address(request.scope),
            detail={"period": filled.period.zh, "form": suffix, "bytes": len(data)},
        )
    )
    name = f"{filled.form.title.zh}-{filled.period.first:%Y%m%d}.{suffix}"
    headers = {
        "content-disposition": f"attachment; filename=\"{filled.form.id}.{suffix}\"; filename*=UTF-8''{quote(name)}",
        "cache-control": CACHING[gate(request).keep],
    }
    return Response(data, headers=headers, media_type=kind)
