"""`python -m etl report`: one form filled from the published tables for the data team, as xlsx and as PDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etl import catalog, ledger
from etl.words import Language, say
from twin import durable, policy, reports
from twin.indicators import Indicators
from twin.policy import sight
from twin.store import Serving, Store

if TYPE_CHECKING:
    import argparse

    from twin.model import OneMap
    from twin.settings import Settings

FOLDER = "reports"
"""Where forms lie below the village's folder."""


def report(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Fill the named report, or every one, and write it as xlsx and PDF into the folder asked for.

    It is filled for a role (the data engineer): what that role may not see is not in it.
    """
    onemap = catalog.join(catalog.read(settings.village), (), ())
    forms = reports.read_all(settings.village / FOLDER, onemap)
    chosen = [reports.find(forms, options.name)] if options.name else list(forms)
    filler = filler_of(onemap, settings)
    subject = sight.of_role(onemap, options.role, options.department)
    out = Path(options.out)
    durable.make_directory(out)
    for form in chosen:
        filled = filler.fill(form, subject, options.period)
        for suffix, data in ((".xlsx", reports.xlsx(filled)), (".pdf", reports.pdf(filled, settings.report_font))):
            path = out / f"{form.id}-{filled.period.first:%Y-%m-%d}{suffix}"
            durable.write(path, data)
            print(
                say("report.written", language, title=form.title.zh if language == "zh" else form.title.en, path=path)
            )
        owed = sorted({v.origin.department for v in filled.cells.values() if v.origin.state == "owed"})
        if owed:
            print(say("report.owed", language, departments="、".join(owed)))
    return 0


def filler_of(onemap: OneMap, settings: Settings) -> reports.Filler:
    """Give what fills forms from the tables published below the data folder, by what the village grants."""
    path = settings.village / "grants.toml"
    judge = policy.Policy(onemap, policy.grants.read(path) if path.exists() else policy.LOCAL_ONLY)
    serving = Serving(Store(settings.store), memory=settings.memory)
    return reports.Filler(
        onemap=onemap,
        serving=serving,
        policy=judge,
        indicators=Indicators(onemap, serving, judge),
        ledger=ledger.path(settings.data),
    )
