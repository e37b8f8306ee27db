"""What `python -m etl catalog` does and prints: the matrix, the workbook out, the workbook in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etl import catalog
from etl.cataloguing import book, taking
from etl.progress import table
from etl.words import say
from twin.errors import BadRequest
from twin.model import count

if TYPE_CHECKING:
    import argparse

    from etl.words import Language
    from twin.settings import Settings

GOOD = 0
THEMES = ("base", "planning", "business", "environment", "service", "governance")


def catalogue(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Print the matrix of departments and themes, or write the catalogue to a workbook, or take one in."""
    if options.what == "matrix":
        print(_matrix(settings, language))
        return GOOD
    if not options.file:
        raise BadRequest(say("catalog.file", "zh"), say("catalog.file", "en"))
    path = Path(options.file)
    if options.what == "export":
        known = catalog.read(settings.village)
        book.write(known.departments, path)
        counts = {"departments": len(known.departments), "resources": len(known.resources)}
        print(say("catalog.exported", language, path=path, **counts))
        return GOOD
    return _import(path, options, settings, language)


def _import(path: Path, options: argparse.Namespace, settings: Settings, language: Language) -> int:
    wanted = book.read(path)
    now = catalog.read(settings.village).departments
    changes = taking.take(settings.village, now, wanted, replace=options.replace)
    for change in changes:
        counts = {k: len(getattr(change, k)) for k in ("added", "changed", "removed")}
        print(say("catalog.change", language, department=change.department, **counts))
    print(say("catalog.imported" if changes else "catalog.same", language, count=len(changes)))
    return GOOD


def _matrix(settings: Settings, language: Language) -> str:
    departments = catalog.read(settings.village).departments
    counted = count(departments, THEMES)
    head = [say("head.department", language), *(_theme(t, language) for t in counted.themes), say("total", language)]
    rows = [
        [
            d.title.in_("en" if language == "en" else "zh-CN"),
            *(str(counted.counts[d.id].get(t, 0) or "") for t in counted.themes),
            str(counted.departments[d.id]),
        ]
        for d in departments
    ]
    rows.append([say("total", language), *(str(counted.totals[t]) for t in counted.themes), str(counted.whole)])
    led = "  ".join(f"{_theme(t, language)} {n}" for t, n in counted.leads.items())
    return table(head, rows, right=range(1, len(head))) + "\n\n" + say("catalog.leads", language, led=led)


def _theme(theme: str, language: Language) -> str:
    return say(f"theme.{theme}", language) if theme in THEMES else theme
