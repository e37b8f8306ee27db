"""The answer to a drawn area: how much of each class lies inside in 亩, which control lines it touches, whom to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twin.pages.card import person
from twin.pages.markup import drawn, el, icon
from twin.pages.parts import words
from twin.text import mu, number, square_metres

if TYPE_CHECKING:
    from twin.pages.desk import Desk

Json = Mapping[str, Any]
MOST_PEOPLE = 12


def overlay(desk: Desk, question: Mapping[str, Any]) -> list[Any]:
    """Answer for a drawn polygon; raises TwinError (BadRequest for what is none)."""
    asked = desk.asked(question)
    answer = desk.rooms.analysis.overlay(
        desk.subject, question["geometry"], question.get("layers") or (), year=asked.year, language=asked.language
    )
    language = asked.language
    areas = [t for t in answer["tables"] if t["kind"] == "polygon" and t["classes"]]
    things = [t for t in answer["tables"] if t not in areas]
    return drawn(
        el(
            "article",
            el("div", el("div", el("h2", words("page.overlay.title"), id="card-title")), class_="card-head"),
            _controls(answer["controls"]),
            _total(answer, language),
            _people(answer["duty"]),
            [_classes(t, language) for t in areas],
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


def _controls(controls: Sequence[Json]) -> Any:
    if not controls:
        none = el("p", icon("ok", class_="shape"), el("span", words("page.overlay.no_lines")), class_="alert")
        return el("section", none, class_="alerts")
    lines = [
        el(
            "p",
            icon("failed", class_="shape"),
            el("span", el("b", c["title"]), " ", c.get("forbidden") or "", " ", c.get("contact") or ""),
            class_="alert danger",
        )
        for c in controls
    ]
    return el("section", lines, class_="alerts", aria_label=words("page.overlay.lines"))


def _people(people: Sequence[Json]) -> Any:
    if not people:
        return el("section", el("p", words("page.overlay.nobody"), class_="muted"))
    told = [person(d["name"], f"{d['title']} · {d['role']}", d["phone"]) for d in people[:MOST_PEOPLE]]
    return el("section", told, aria_label=words("page.overlay.people"))


def _classes(table: Json, language: str) -> Any:
    heads = [el("th", words(f"page.overlay.{h}"), scope="col", class_=c) for h, c in HEADS]
    rows = [_class(c, language) for c in table["classes"]]
    grid = el("table", el("thead", el("tr", heads)), el("tbody", rows), class_="grid")
    return el("section", el("h3", table["title"]), grid)


HEADS = (("class", None), ("mu", "number"), ("m2", "number"), ("pieces", "number"))


def _class(item: Json, language: str) -> Any:
    swatch = el("i", class_="sign box", style={"--sign": item["colour"]}, aria_hidden="true")
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
