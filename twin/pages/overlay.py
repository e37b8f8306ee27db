"""The answer to a drawn area: how much of each class lies inside in 亩, which control lines it touches, whom to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twin import style
from twin.model import Text
from twin.pages.card import person
from twin.pages.markup import drawn, el, icon
from twin.pages.parts import sign, words
from twin.text import mu, number, square_metres

if TYPE_CHECKING:
    from twin.model import Draw, OneMap
    from twin.pages.desk import Desk

Json = Mapping[str, Any]
MOST_PEOPLE = 12


def overlay(desk: Desk, question: Mapping[str, Any]) -> list[Any]:
    """Answer for a drawn polygon; raises TwinError (BadRequest for what is none)."""
    asked = desk.asked(question)
    answer = desk.rooms.analysis.overlay(desk.subject, question["geometry"], year=asked.year, language=asked.language)
    language = asked.language
    areas = [t for t in answer["tables"] if t["kind"] == "polygon" and t["classes"]]
    things = [t for t in answer["tables"] if t not in areas]
    shown = question.get("shown") or [t["layer"] for t in areas]
    areas.sort(key=lambda t: shown.index(t["layer"]) if t["layer"] in shown else len(shown))
    return drawn(
        el(
            "article",
            el("div", el("div", el("h2", words("page.overlay.title"), id="card-title")), class_="card-head"),
            _controls(answer["controls"], language),
            [_limited(x) for x in answer["limited"]],
            _total(answer, language),
            [_classes(desk.onemap, t, language, is_open=t["layer"] in shown) for t in areas],
            _people(answer["duty"]),
            _things(things, language),
            class_="card",
            aria_labelledby="card-title",
        )
    )


def _total(answer: Json, language: str) -> Any:
    area = answer["area_m2"]
    value = el("span", mu(area, language), el("span", words("page.overlay.mu"), class_="unit"), class_="value num")
    also = el("span", square_metres(area, language), " m²", class_="also")
    return el("dl", el("div", el("dt", words("page.overlay.total")), el("dd", value), el("dd", also)), class_="numbers")


def _limited(refusal: Json) -> Any:
    """Say of one table that more of its rows lie inside than one answer may tell of."""
    why = el("span", Text(refusal["zh"], refusal["en"]))
    return el("section", el("p", icon("stale", class_="shape"), why, class_="alert"), class_="alerts")


def _controls(controls: Sequence[Json], language: str) -> Any:
    if not controls:
        none = el("p", icon("ok", class_="shape"), el("span", words("page.overlay.no_lines")), class_="alert")
        return el("section", none, class_="alerts")
    return el(
        "section",
        [_control(c, language) for c in _kinds(controls)],
        class_="alerts",
        aria_label=words("page.overlay.lines"),
    )


def _kinds(controls: Sequence[Json]) -> list[dict[str, Any]]:
    """Gather the lines that say the same: their pieces counted, their areas added up."""
    kinds: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in controls:
        said = (line["title"], line.get("forbidden"), line.get("contact"))
        kind = kinds.setdefault(said, {**line, "pieces": 0, "area_m2": 0.0})
        kind["pieces"] += 1
        kind["area_m2"] += line.get("area_m2") or 0.0
    return list(kinds.values())


def _control(kind: Json, language: str) -> Any:
    amount = [mu(kind["area_m2"], language), " ", words("page.overlay.mu")] if kind["area_m2"] else None
    text = [el("b", kind["title"]), " ", amount, " · ", kind.get("forbidden") or "", " · ", kind.get("contact") or ""]
    return el("p", icon("failed", class_="shape"), el("span", text), class_="alert danger")


def _people(people: Sequence[Json]) -> Any:
    if not people:
        return el("section", el("p", words("page.overlay.nobody"), class_="muted"))
    told = [person(d["name"], f"{d['title']} · {d['role']}", d["phone"]) for d in people[:MOST_PEOPLE]]
    return el("section", told, aria_label=words("page.overlay.people"))


def _classes(onemap: OneMap, table: Json, language: str, *, is_open: bool) -> Any:
    """Draw the classes of one table; those of layers that are not on the map are folded."""
    heads = [el("th", words(f"page.overlay.{h}"), scope="col", class_=c) for h, c in HEADS]
    layer = next(x for x in onemap.layers if x.id == table["layer"])
    draw = next(d for d in layer.draws if d.table == table["table"] and d.classes)
    rows = [_class(draw, c, language) for c in table["classes"]]
    grid = el("table", el("thead", el("tr", heads)), el("tbody", rows), class_="grid")
    if is_open:
        return el("section", el("h3", table["title"]), grid)
    return el("details", el("summary", el("span", table["title"]), icon("right", class_="turn")), grid)


HEADS = (("class", None), ("mu", "number"), ("m2", "number"), ("pieces", "number"))


def _class(draw: Draw, item: Json, language: str) -> Any:
    swatch = sign("box", item["colour"], style.recoloured("dark", draw, item["colour"]))
    return el(
        "tr",
        el("th", el("span", swatch, item["title"], class_="signed"), scope="row"),
        el("td", mu(item.get("area_m2"), language), class_="num number"),
        el("td", square_metres(item.get("area_m2"), language), class_="num number"),
        el("td", number(item["count"], language, 0), class_="num number"),
    )


def _things(tables: Sequence[Json], language: str) -> Any:
    if not tables:
        return None
    rows = [_counted(t, language) for t in tables]
    return el("section", el("h3", words("page.overlay.things")), el("dl", rows, class_="facts"))


def _counted(table: Json, language: str) -> Any:
    links = [
        el("button", x["title"], type="button", class_="choice", data_act="entity", data_entity=x["entity"])
        for x in table["listed"][:6]
    ]
    count = words("page.overlay.count", n=number(table["count"], language, 0))
    return el("div", el("dt", table["title"]), el("dd", el("b", count), el("div", links, class_="choices")))
