"""What `python -m etl new` does and prints: look at a source, say what was found and why, write its declaration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl import catalog
from etl.looking import asking, declaring, landing, look
from etl.looking.values import SHAPES
from etl.progress import table
from etl.words import say
from twin.errors import NotFound

if TYPE_CHECKING:
    import argparse

    from etl.looking.values import Look
    from etl.words import Language
    from twin.settings import Settings

GOOD = 0
ANSWERS = ("department", "id", "title_zh", "title_en", "theme", "share_type", "open_attr", "update_cycle", "key", "crs")


def new(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    """Look at a file, a table or a service, and print or write the declaration; what is open is asked in it."""
    known = catalog.read(settings.village)
    connection, _, part = options.source.partition(":")
    path = Path(options.source)
    if asking.is_connection(settings, connection) and part and not path.exists():
        found = asking.at(connection, part, known, settings, key=options.key or "")
    elif path.exists():
        found = look.at(path.resolve(), known, part=options.part, store=settings.store)
    else:
        raise NotFound(f"没有 {options.source}", f"There is no {options.source}", path=options.source)
    answers: dict[str, Any] = {k: getattr(options, k) for k in ANSWERS if getattr(options, k, "")}
    made, asked = declaring.table(found, answers, known)
    inside = path.exists() and path.resolve().is_relative_to(settings.raw.resolve())
    if inside:
        place = path.resolve().relative_to(settings.raw.resolve()).as_posix()
    else:
        place = landing.location(settings.village, options.department or "new", made["id"], found)
    made, asked = declaring.table(found, landing.answered(found, place, {**answers, "id": made["id"]}), known)
    text = declaring.text(found, made, asked, options.department or "")
    print(told(found, language))
    if not options.write:
        print("\n" + text)
        return GOOD
    if path.exists() and not inside:
        landing.land(path.resolve(), settings.raw, place, found)
    written = landing.declare(settings.village, made["id"], text, is_open=bool(asked))
    print(say("new.written", language, path=written, count=len(asked)))
    return GOOD


def told(found: Look, language: Language) -> str:
    """Give what was found as two tables: facts about the whole, then the columns, each with its evidence."""
    at = 0 if language == "zh" else 1
    head = [say(f"new.{k}", language) for k in ("what", "value", "sure", "why")]
    facts = [[f.what, f.value or "?", SHAPES[f.sure], f.why[at]] for f in found.facts]
    named = [say(f"new.{k}", language) for k in ("column", "name", "type", "class", "why")]
    columns = [
        [
            c.source,
            c.name,
            " ".join(filter(None, (SHAPES[c.sure], c.type, c.unit, c.code_system))),
            " ".join(filter(None, (c.sensitivity, c.meaning))) or "?",
            "; ".join(w[at] for w in c.why),
        ]
        for c in found.columns
    ]
    return "\n".join([table(head, facts), "", table(named, columns)])
