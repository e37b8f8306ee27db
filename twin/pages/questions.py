"""What the page's script asks the server: each question's values and their kinds; anything else is refused unread."""

from __future__ import annotations

from collections.abc import Mapping

from twin.api.callbacks import Question, any_object, flag, place, record, several, text, whole

WORD, ID, NAME = text(80), text(400), text(120)
LAYERS = several(WORD, 200)
COMMON = {"language": WORD, "year": whole(1900, 2200), "dark": flag}
"""What comes with every question."""
OTHER = record(layer=WORD, draw=WORD, table=WORD, id=ID, title=text(5000))
"""One of the things that lie under a click beside the first."""
FEATURE = {
    "layer": WORD,
    "table": WORD,
    "id": ID,
    "entity": ID,
    "point": place,
    "at": place,
    "layers": LAYERS,
    "others": several(OTHER, 200),
}
LIST = {"kind": WORD, "id": ID, "of": ID, "table": WORD, "page": whole(0, 10**9), "sort": NAME}

QUESTIONS: Mapping[str, Question] = {
    "ask-feature": Question(kinds={**COMMON, **FEATURE}, needs=(("entity",), ("table", "id"), ("point",))),
    "ask-overlay": Question(kinds={**COMMON, "geometry": any_object, "shown": LAYERS}, needs=(("geometry",),)),
    "ask-list": Question(kinds={**COMMON, **LIST}, needs=(("kind", "id"),)),
    "ask-search": Question(kinds={**COMMON, "text": text(1000)}, needs=(("text",),)),
    "ask-deck": Question(kinds={**COMMON, "base": WORD, "theme": WORD}),
    "ask-charts": Question(kinds={**COMMON, "theme": WORD}),
}
"""By the id of the callback's input."""
