"""The answer of the search box: hits grouped by what they are, each an option that the keyboard can choose."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from twin.pages.markup import drawn, el, icon
from twin.pages.parts import empty, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.pages.desk import Desk

ICONS = {"layer": "layers", "duty": "person", "place": "place", "address": "building", "code": "code"}
MOST = 24
TEXT_MAX = 60


def found(desk: Desk, question: Mapping[str, Any]) -> list[Any]:
    """Answer what was typed; raises TwinError."""
    text = str(question.get("text", ""))[:TEXT_MAX]
    hits = desk.rooms.search.find(desk.subject, text, language=desk.asked(question).language, limit=MOST)
    if not hits:
        return drawn(
            el("div", empty(words("page.search.none", text=text), words("page.search.none_next")), role="status")
        )
    order = list(dict.fromkeys(h["kind"] for h in hits))
    hits.sort(key=lambda h: order.index(h["kind"]))
    numbered = list(enumerate(hits))
    groups = [_group(kind, list(of)) for kind, of in groupby(numbered, key=lambda n: n[1]["kind"])]
    label = words("page.search.results")
    return drawn(el("div", groups, role="listbox", id="found-list", aria_label=label))


def _group(kind: str, hits: list[tuple[int, Mapping[str, Any]]]) -> Any:
    head = el("div", words(f"page.search.kind_{kind}"), class_="group", id=f"found-{kind}", role="presentation")
    return el("div", head, [_option(n, h) for n, h in hits], role="group", aria_labelledby=f"found-{kind}")


def _option(number: int, hit: Mapping[str, Any]) -> Any:
    return el(
        "div",
        icon(ICONS[hit["kind"]]),
        el("span", hit["title"], class_="hit"),
        el("span", hit["subtitle"], f" {hit['id']}" if hit["id"] != hit["title"] else None, class_="why"),
        role="option",
        id=f"option-{number}",
        aria_selected="false",
        data_act="go",
        data_kind=hit["kind"],
        data_layer=hit["layer"],
        data_table=hit["table"],
        data_id=hit["id"],
        data_bbox=json.dumps(hit["bbox"]) if hit["bbox"] else None,
    )
