"""The charts of a theme: each indicator as a sentence with its number, a drawing, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from twin import charts
from twin.model import Text
from twin.pages.desk import Desk
from twin.pages.markup import Markup, drawn, el, icon
from twin.pages.parts import empty, words
from twin.text import day, mu, number, short

Json = Mapping[str, Any]
AREA, LENGTH = "m²", "m"
MOST_BARS = 8
CONFIG = {"displayModeBar": False, "responsive": True, "displaylogo": False, "scrollZoom": False}


def graphs(desk: Desk, question: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """Answer for the charts of `question["theme"]`, all themes where it is "": heading and charts; raises TwinError."""
    asked = desk.asked(question)
    theme = str(question.get("theme") or "")
    found = desk.rooms.indicators.theme(desk.subject, theme, asked.language, year=asked.year)
    return drawn(_head(desk, theme)), [_chart(desk, i, question) for i in found] or [_none()]


def _head(desk: Desk, theme: str) -> Any:
    title = next((t.title for t in desk.onemap.themes if t.id == theme), None)
    told = words("page.charts.title", name=title) if title else words("page.charts.all")
    return el("div", el("h2", told), class_="list-head")


def _none() -> Any:
    return Markup(tree=empty(words("page.charts.none"), words("page.charts.none_next")))


def _chart(desk: Desk, indicator: Json, question: Mapping[str, Any]) -> Any:
    language = desk.asked(question).language
    table = desk.onemap.resource(indicator["list"]["table"])
    if indicator["state"] != "ok" or indicator["value"] is None:
        why = Text(indicator["zh"], indicator["en"]) if indicator["state"] == "broken" else words("page.charts.never")
        tree = [el("h3", indicator["title"]), empty(why, words("page.charts.never_next"))]
        return Markup(tag="section", className="chart", tree=tree)
    unit, scale = _unit(indicator["unit"])
    title = Text(indicator["title"], indicator["title"])
    top = [el("h3", title), _number(indicator, unit, scale, language)]
    top.append(el("p", _origin(desk, table), class_="muted"))
    bars = _bars(indicator, scale, language)
    parts: list[Any] = [Markup(tree=top)]
    if bars:
        figure = charts.bars(bars, dark=bool(question.get("dark")), over_time=_over_time(indicator))
        parts.append(dcc.Graph(figure=figure, config={**CONFIG, "locale": language}, className="graph"))
        parts.append(Markup(tree=_data(indicator, bars, unit, language)))
    return html.Section(parts, className="chart")


def _over_time(indicator: Json) -> bool:
    return not indicator["groups"] and len(indicator["years"]) > 1


def _unit(unit: str) -> tuple[Any, float]:
    """Give the unit a person reads and what to multiply by: areas in 亩, lengths in km."""
    if unit == AREA:
        return words("page.overlay.mu"), 1.0
    return (("km", 1 / 1000) if unit == LENGTH else (unit, 1.0))


def _amount(value: float, indicator: Json, scale: float, language: str) -> str:
    if indicator["unit"] == AREA:
        return mu(value, language)
    return number(value * scale, language, 1)


def _number(indicator: Json, unit: Any, scale: float, language: str) -> Any:
    change = None
    if len(indicator["years"]) > 1 and indicator["years"][0]["value"]:
        first, last = indicator["years"][0], indicator["years"][-1]
        by = (last["value"] - first["value"]) / first["value"]
        change = el("span", words("page.charts.change", year=first["year"], by=f"{by:+.1%}"), class_="muted")
    return el(
        "p",
        el(
            "button",
            el("b", _amount(indicator["value"], indicator, scale, language), class_="num"),
            el("span", unit),
            icon("right"),
            type="button",
            class_="big",
            data_act="indicator",
            data_indicator=indicator["id"],
            aria_label=words("page.charts.more", name=indicator["title"]),
        ),
        change,
        class_="number-line",
    )


def _origin(desk: Desk, resource: Any) -> Any:
    if resource is None:
        return None
    department = desk.onemap.department(resource.department)
    as_of = desk.manifest(resource.id).get("as_of")
    name = department.title if department else resource.department
    return words("page.charts.as_of", department=name, date=day(as_of))


def _bars(indicator: Json, scale: float, language: str) -> list[charts.Bar]:
    if _over_time(indicator):
        return [_bar(str(y["year"]), y["value"], "", indicator, scale, language) for y in indicator["years"]]
    groups = list(indicator["groups"])
    if len(groups) < 2:
        return []
    shown, others = groups[:MOST_BARS], groups[MOST_BARS:]
    bars = [_bar(g["title"], g["amount"], g["value"], indicator, scale, language) for g in shown]
    if others:
        rest = sum(g["amount"] for g in others)
        other = words("page.charts.other").in_(language)
        bars.append(_bar(other, rest, "", indicator, scale, language))
    return bars


def _bar(label: str, value: float, code: str, indicator: Json, scale: float, language: str) -> charts.Bar:
    told = _amount(value, indicator, scale, language)
    large = abs(value * scale) >= 10_000 and indicator["unit"] != AREA
    return charts.Bar(label=label, value=value * scale, told=short(value * scale, language) if large else told, code=code)


def _data(indicator: Json, bars: Sequence[charts.Bar], unit: Any, language: str) -> Any:
    del language
    first = words("page.charts.year") if _over_time(indicator) else words("page.charts.class")
    heads = [el("th", first, scope="col"), el("th", words("page.charts.value"), " (", unit, ")", scope="col", class_="number")]
    rows = [el("tr", el("th", b.label, scope="row"), el("td", b.told, class_="num number")) for b in bars]
    table = el("table", el("thead", el("tr", heads)), el("tbody", rows), class_="grid")
    head = el("summary", icon("table"), el("span", words("page.charts.data")), icon("right", class_="turn"))
    return el("details", head, table)
