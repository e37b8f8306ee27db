"""The bar at the top: whose map it is, one search box, the numbers that need somebody, how fresh the data are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.model import Text
from twin.pages.markup import el, icon
from twin.pages.parts import STATES, status, words
from twin.text import both, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.model import Village


@dataclass(frozen=True, kw_only=True)
class Who:
    """Whoever looks at the page: what their role is called, and whether they have an account to look after."""

    title: Text
    has_account: bool


def bar(
    village: Village, kpis: Sequence[Mapping[str, Any]], counts: Mapping[str, int], updated: str, who: Who
) -> list[Any]:
    """Draw the bar; `kpis` are {indicator, title, value, tone}, `counts` resources by state, `updated` "10:32"."""
    return [
        el("div", _brand(village), _search(), class_="bar-start"),
        el(
            "div",
            el("div", [_kpi(k) for k in kpis], class_="kpis", role="group", aria_label=words("page.bar.kpis")),
            _fresh(counts, updated),
            _switches(who),
            class_="bar-end",
        ),
    ]


def skip_links() -> list[Any]:
    """Draw the links that a first Tab shows: to the map, to the layers, to search."""
    targets = (("map-region", "map"), ("filter", "layers"), ("search", "search"), ("side", "side"))
    return [el("a", words(f"page.skip.{word}"), href=f"#{target}", data_act="skip") for target, word in targets]


def _brand(village: Village) -> Any:
    demo = el("span", words("page.bar.demo"), class_="tag", title=words("page.bar.demo_why")) if village.demo else None
    return el(
        "div",
        icon("layers", class_="brand-icon"),
        el("h1", village.name),
        el(
            "nav",
            el("a", words("page.bar.here"), href="/", aria_current="page"),
            aria_label=words("page.bar.nav"),
            class_="nav",
        ),
        demo,
        class_="brand",
    )


def _search() -> Any:
    box = el(
        "input",
        id="search",
        type="search",
        role="combobox",
        placeholder=words("page.search.hint"),
        aria_label=words("page.search.label"),
        aria_expanded="false",
        aria_controls="found",
        aria_autocomplete="list",
        autocomplete="off",
        spellcheck="false",
        enterkeyhint="search",
        data_act="search",
    )
    return el("div", icon("search"), box, class_="field search", id="search-field", role="search")


def _kpi(kpi: Mapping[str, Any]) -> Any:
    tone = kpi["tone"] if kpi["value"] else "plain"
    shape = {"danger": icon("overdue", class_="shape"), "warn": icon("stale", class_="shape")}.get(tone)
    return el(
        "button",
        shape,
        el("span", kpi["title"], class_="kpi-word"),
        el("b", both(lambda language: number(kpi["value"], language, 0)), class_="num"),
        type="button",
        class_=f"kpi {tone}",
        data_act="kpi",
        data_indicator=kpi["indicator"],
        aria_pressed="false",
        title=words("page.bar.kpi_more", name=kpi["title"]),
    )


def _fresh(counts: Mapping[str, int], updated: str) -> Any:
    told = [
        el("span", status(state), el("b", str(counts[state]), class_="num"), class_="told")
        for state in STATES
        if counts.get(state)
    ]
    return el(
        "button",
        told,
        el("span", el("span", words("page.bar.updated"), " "), el("b", updated, class_="num"), class_="updated"),
        type="button",
        class_="freshness",
        data_act="open",
        data_open="health",
        aria_haspopup="dialog",
        title=words("page.bar.fresh_more"),
    )


def _switches(who: Who) -> Any:
    def switch(act: str, label: Any, *inside: Any, **more: Any) -> Any:
        return el("button", *inside, type="button", class_="switch", data_act=act, title=label, **more)

    return el(
        "div",
        switch(
            "find", words("page.search.label"), icon("search"), aria_label=words("page.search.label"), id="find-button"
        ),
        switch(
            "elder",
            words("page.bar.elder_why"),
            icon("text"),
            el("span", words("page.bar.elder")),
            aria_pressed="false",
        ),
        switch(
            "lang", words("page.bar.lang_why"), el("span", words("page.bar.lang")), lang=words("page.bar.lang_code")
        ),
        switch(
            "dark",
            words("page.bar.dark"),
            icon("moon", class_="to-dark"),
            icon("sun", class_="to-light"),
            aria_label=words("page.bar.dark"),
            aria_pressed="false",
        ),
        el(
            "a",
            icon("person"),
            el("span", who.title),
            href="/account" if who.has_account else "/signin",
            class_="switch who",
            title=words("page.bar.who", who=who.title),
        ),
        class_="switches",
    )
