"""Where a dataset comes from and where it goes: a list that can be read out, and the same as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.model import Text
from twin.pages.data_parts import address
from twin.pages.markup import el
from twin.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.api.data_views import DataSheet, DataView
    from twin.pages.markup import Node

Step = tuple[str, list[tuple[Text, str]]]
"""What a step is called, and what stands there: its words, and where it leads ("" for nowhere)."""
COLUMN, LINE, WIDE, HIGH = 150, 40, 126, 30
MOST = 6
"""Boxes of one step in the picture; the list has all."""


def lineage(view: DataView, one: DataSheet) -> list[Node]:
    """Show the way from the delivered file to the pages, as it is declared."""
    steps = [(name, found) for name, found in _steps(view, one) if found]
    listed = [
        el(
            "li",
            el("h3", words(f"page.data.way_{name}")),
            el("ul", [el("li", el("a", said, href=to) if to else said) for said, to in found]),
        )
        for name, found in steps
    ]
    transform = one.declared.transform
    told = el("p", words("page.data.way_transform"), " ", el("code", transform)) if transform else None
    return [
        el(
            "div",
            _picture(steps),
            class_="way-picture",
            tabindex="0",
            role="group",
            aria_label=words("page.data.way_picture"),
        ),
        told,
        el("ol", listed, class_="way-of"),
    ]


def _steps(view: DataView, one: DataSheet) -> list[Step]:
    r = one.declared
    sources = [f"{s.location or s.connection}{' · ' + s.part if s.part else ''}" for s in r.sources]
    opened = [(x.title, f"/?l={x.id}&lang={view.language}" if x in one.visible else "") for x in one.layers]
    pages = [(words("page.data.way_map"), f"/?l={one.visible[0].id}&lang={view.language}")] if one.visible else []
    pages += [(title, f"/reports?name={name}&lang={view.language}") for name, title in one.reports]
    return [
        ("from", [(one.stands.department_title, address(view, r="", tab="", department=r.department))]),
        ("files", [(Text(s, s), "") for s in sources]),
        ("made_of", [(x.title, address(view, r=x.id, tab="lineage")) for x in one.made_of]),
        ("table", [(one.stands.title, address(view, tab="versions"))]),
        ("made_into", [(x.title, address(view, r=x.id, tab="lineage")) for x in one.made_into]),
        ("layers", opened),
        ("pages", pages),
    ]


def _picture(steps: Sequence[Step]) -> Node:
    """Draw the steps as columns of boxes with lines between each two that follow."""
    rows = max(min(len(found), MOST) for _, found in steps)
    high, wide = 24 + rows * LINE, len(steps) * COLUMN
    boxes: list[Node] = []
    lines: list[Node] = []
    before: list[float] = []
    for column, (name, found) in enumerate(steps):
        shown = found[:MOST]
        top = 24 + (rows - len(shown)) * LINE / 2
        middles = [top + i * LINE + HIGH / 2 for i in range(len(shown))]
        x = column * COLUMN
        boxes.append(el("text", words(f"page.data.way_{name}"), x=str(x + 2), y="14", class_="head"))
        for (said, _), middle in zip(shown, middles, strict=True):
            called = Text(said.zh.rpartition("/")[2], said.en.rpartition("/")[2]) if name == "files" else said
            boxes += _box(called, x, middle - HIGH / 2, name)
        lines += [
            el("path", d=f"M{x - COLUMN + WIDE} {a:.0f}C{x - 8} {a:.0f} {x - COLUMN + WIDE + 8} {b:.0f} {x} {b:.0f}")
            for a in before
            for b in middles
        ]
        before = middles
    size = {"viewBox": f"0 0 {wide} {high}", "width": str(wide), "height": str(high)}
    return el("svg", lines, boxes, class_="way-drawn", role="img", aria_label=words("page.data.way_picture"), **size)


def _box(said: Text, x: float, y: float, kind: str) -> list[Node]:
    short = Text(_short(said.zh, 9), _short(said.en, 17))
    return [
        el(
            "rect",
            el("title", said),
            x=f"{x:.0f}",
            y=f"{y:.0f}",
            width=str(WIDE),
            height=str(HIGH),
            rx="4",
            class_=kind,
        ),
        el("text", short, x=f"{x + 6:.0f}", y=f"{y + 20:.0f}"),
    ]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
