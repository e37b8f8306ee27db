"""The bar at the bottom: the years that exist, and the tools for comparing, measuring, drawing and sharing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.pages.markup import el, icon
from twin.pages.parts import button, words

if TYPE_CHECKING:
    from collections.abc import Sequence

TOOLS = (
    ("distance", "ruler"),
    ("area", "area"),
    ("box", "box"),
    ("polygon", "polygon"),
)
"""The tools that work on the map, and their icons."""


def foot(years: Sequence[int]) -> list[Any]:
    """Draw the bar; `years` are those in which some resource has an edition, ascending."""
    return [_time(years), _tools(years)]


def _time(years: Sequence[int]) -> Any:
    first, last = (years[0], years[-1]) if years else (0, 0)
    span = max(1, last - first)

    def tick(year: int) -> Any:
        return el(
            "button",
            el("i", class_="dot", aria_hidden="true"),
            el("span", str(year), class_="num"),
            type="button",
            class_="tick",
            data_act="year",
            data_year=year,
            aria_pressed="false",
            style={"left": f"{(year - first) / span * 100:.2f}%"},
            title=words("page.time.tick", year=year),
        )

    def bare(year: int) -> Any:
        return el("i", class_="bare", style={"left": f"{(year - first) / span * 100:.2f}%"}, aria_hidden="true")

    track = [bare(y) for y in range(first + 1, last) if y not in years]
    return el(
        "div",
        el("span", icon("clock"), el("span", words("page.time.word")), class_="muted time-word"),
        button("earlier", words("page.time.earlier"), "left", class_="framed"),
        el("span", str(last), class_="num year", id="year", aria_live="polite"),
        button("later", words("page.time.later"), "right", class_="framed"),
        el("div", el("div", track, [tick(y) for y in years], class_="track"), class_="track-box"),
        class_="time",
        role="group",
        aria_label=words("page.time.label"),
    )


def _tools(years: Sequence[int]) -> Any:
    def tool(act: str, word: str, drawn: str, **more: Any) -> Any:
        label, why = words(f"page.tool.{word}"), words(f"page.tool.{word}_why")
        return button(act, label, drawn, text=True, class_="tool", title=why, **more)

    compare = tool("compare", "compare", "compare", aria_pressed="false") if len(years) > 1 else None
    return el(
        "div",
        compare,
        tool("three", "three", "cube", aria_pressed="false"),
        [tool("tool", kind, drawn, data_tool=kind, aria_pressed="false") for kind, drawn in TOOLS],
        tool("share", "share", "share"),
        class_="tools",
        role="toolbar",
        aria_label=words("page.tool.label"),
    )


def phone_tabs() -> list[Any]:
    """Draw the tabs at the foot of a phone: each fills the sheet with one part of the page."""
    tabs = (
        ("map", "map"),
        ("layers", "layers"),
        ("feature", "info"),
        ("charts", "chart"),
        ("list", "list"),
        ("tools", "tools"),
    )

    def tab(name: str, drawn: str) -> Any:
        return el(
            "button",
            icon(drawn),
            el("span", words(f"page.phone.{name}")),
            type="button",
            class_="phone-tab",
            data_act="sheet",
            data_sheet=name,
            aria_pressed="false",
        )

    grip = button("grip", words("page.phone.grip"), "minus", class_="grip", id="grip")
    return [
        grip,
        el("div", [tab(*x) for x in tabs], class_="phone-row", role="group", aria_label=words("page.phone.label")),
    ]
