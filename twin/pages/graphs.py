"""The charts of a theme: each indicator as a sentence with its number, a drawing, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import dcc, html

from twin import charts
from twin.errors import BadRequest, NotFound, Refused
from twin.model import Text
from twin.pages.markup import Markup, drawn, el, icon
from twin.pages.parts import empty, words
from twin.text import MU_M2, day, number

if TYPE_CHECKING:
    from twin.model import Resource
    from twin.pages.desk import Desk

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
    table = desk.onemap.resource(indicator["list"]["table"])
    if indicator["state"] != "ok" or indicator["value"] is None:
        tree = [el("h3", indicator["title"]), _without_number(indicator)]
        return Markup(tag="section", className="chart", tree=tree)
    indicator = {**indicator, "listed": _is_listed(desk, indicator["list"])}
    measure = Measure.of(indicator["unit"], desk.asked(question).language)
    bars = _bars(indicator, measure)
    origin = el("p", _origin(desk, table), class_="muted")
    parts: list[Any] = [Markup(tree=[el("h3", indicator["title"]), _number(indicator, measure), origin])]
    if bars:
        figure = charts.bars(bars, dark=bool(question.get("dark")), over_time=_over_time(indicator))
        config: Any = {**CONFIG, "locale": measure.language}
        graph = dcc.Graph(figure=figure, config=config, className="graph")
        parts.append(html.Div(graph, **_pressed(indicator)))
        parts.append(Markup(tree=_data(indicator, bars, measure)))
    return html.Section(parts, className="chart")


def _without_number(indicator: Json) -> Any:
    """Say why there is no number: too few people, a broken table, or one that was never delivered."""
    if indicator["state"] == "small":
        return empty(words("page.charts.small"), words("page.charts.small_next"))
    broken = indicator["state"] == "broken"
    why = Text(indicator["zh"], indicator["en"]) if broken else words("page.charts.never")
    return empty(why, words("page.charts.never_next"))


def _is_listed(desk: Desk, behind: Json) -> bool:
    """Say whether whoever asks may see the rows behind a number, and not the number only."""
    policy, subject = desk.rooms.policy, desk.subject
    try:
        policy.columns(subject, behind["table"], [c for c, _, _ in behind["where"]], "filter")
    except (NotFound, BadRequest, Refused):
        return False
    return policy.sees(subject, behind["table"], "select")


def _pressed(indicator: Json) -> dict[str, Any]:
    """Say what a press on a bar does: it shows its year, or the list behind its class where there is one."""
    if not (indicator["listed"] or _over_time(indicator)):
        return {}
    return {"data-bars": "year" if _over_time(indicator) else "class", "data-indicator": indicator["id"]}


def _over_time(indicator: Json) -> bool:
    return not indicator["groups"] and len(indicator["years"]) > 1


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How an indicator's numbers are told: areas in 亩, lengths in km, the rest in their own unit."""

    unit: Any
    scale: float
    language: str

    @classmethod
    def of(cls, unit: str, language: str) -> Measure:
        """Give the measure for an indicator counted in `unit`."""
        if unit == AREA:
            return cls(unit=words("page.overlay.mu"), scale=1 / MU_M2, language=language)
        return cls(unit="km" if unit == LENGTH else unit, scale=1e-3 if unit == LENGTH else 1.0, language=language)

    def tell(self, value: float) -> str:
        """Write a value as it is counted by the indicator."""
        scaled = value * self.scale
        return number(scaled, self.language, 0 if abs(scaled) >= 100 else 1)

    def bar(self, label: str, value: float, code: str = "") -> charts.Bar:
        """Give the bar of a value."""
        return charts.Bar(label=label, value=value * self.scale, told=self.tell(value), code=code)


def _number(indicator: Json, measure: Measure) -> Any:
    change = None
    years = indicator["years"]
    if len(years) > 1 and years[0]["value"]:
        by = (years[-1]["value"] - years[0]["value"]) / years[0]["value"]
        change = el("span", words("page.charts.change", year=years[0]["year"], by=f"{by:+.1%}"), class_="muted")
    told = (el("b", measure.tell(indicator["value"]), class_="num"), el("span", measure.unit))
    if not indicator["listed"]:
        return el("p", el("span", *told, class_="big"), change, class_="number-line")
    more = el(
        "button",
        *told,
        icon("right"),
        type="button",
        class_="big",
        data_act="indicator",
        data_indicator=indicator["id"],
        title=words("page.charts.more", name=indicator["title"]),
    )
    return el("p", more, change, class_="number-line")


def _origin(desk: Desk, resource: Resource | None) -> Any:
    if resource is None:
        return None
    department = desk.onemap.department(resource.department)
    as_of = desk.manifest(resource.id).get("as_of")
    name = department.title if department else resource.department
    return words("page.charts.as_of", department=name, date=day(as_of))


def _bars(indicator: Json, measure: Measure) -> list[charts.Bar]:
    """Give a bar per year, or per class: the largest ones, the rest together."""
    if _over_time(indicator):
        return [measure.bar(str(y["year"]), y["value"], str(y["year"])) for y in indicator["years"]]
    groups = list(indicator["groups"])
    if len(groups) < 2:
        return []
    bars = [measure.bar(g["title"], g["amount"], g["value"]) for g in groups[:MOST_BARS]]
    if len(groups) > MOST_BARS:
        rest = sum(g["amount"] for g in groups[MOST_BARS:])
        bars.append(measure.bar(words("page.charts.other").in_(measure.language), rest))
    return bars


def _data(indicator: Json, bars: Sequence[charts.Bar], measure: Measure) -> Any:
    first = words("page.charts.year") if _over_time(indicator) else words("page.charts.class")
    unit = (" (", measure.unit, ")") if measure.unit else ()
    value = el("th", words("page.charts.value"), *unit, scope="col", class_="number")
    rows = [el("tr", el("th", _link(indicator, b), scope="row"), el("td", b.told, class_="num number")) for b in bars]
    table = el("table", el("thead", el("tr", el("th", first, scope="col"), value)), el("tbody", rows), class_="grid")
    head = el("summary", icon("table"), el("span", words("page.charts.data")), icon("right", class_="turn"))
    return el("details", head, table)


def _link(indicator: Json, bar: charts.Bar) -> Any:
    """Give a bar's label: pressed it does what its bar does; the rest of many classes has nothing behind it."""
    if not bar.code or not (indicator["listed"] or _over_time(indicator)):
        return bar.label
    if _over_time(indicator):
        return el("button", bar.label, type="button", data_act="year", data_year=bar.code)
    more = words("page.charts.more", name=bar.label)
    about = {"data_indicator": indicator["id"], "data_of": bar.code}
    return el("button", bar.label, type="button", data_act="bar", title=more, **about)
