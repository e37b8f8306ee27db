"""Publishing what a gate held, once somebody has looked and says why: that very delivery, and no other."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from etl import catalog, ledger
from etl import run as one
from etl.tasks import Errand
from etl.words import Language, say
from twin import freshness
from twin.errors import BadRequest

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from twin.settings import Settings

GOOD, FAILED = 0, 1
LEAST_REASON = 2


def approve(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Publish the delivery of a resource that is held; its source is not asked again. Raises BadRequest: none is."""
    why = options.reason.strip()
    known = catalog.read(settings.village)
    resource = known.resource(options.resource)
    held = waiting(settings.data, options.resource)
    if resource is None or not held or len(why) < LEAST_REASON:
        word = "approve.why" if held else "approve.none"
        raise BadRequest(say(word, "zh", id=options.resource), say(word, "en", id=options.resource))
    errand = Errand(approved=held, why=f"{options.by or getpass.getuser()}: {why}")
    report = one.run(resource, known, settings, errand=errand)
    status = say(f"status.{report.status}", language)
    print(say("approve.done", language, id=resource.id, status=status, version=report.version))
    print(report.reason_zh if language == "zh" else report.reason_en)
    return GOOD if report.status == "published" else FAILED


def waiting(data: Path, resource: str) -> str:
    """Give the delivery of `resource` that is held now, "" where none is."""
    delivery = ""
    for line in freshness.lines(ledger.path(data)):
        if line["resource"] == resource:
            delivery = line.get("delivery", "") if line["status"] == "held" else ""
    return delivery
