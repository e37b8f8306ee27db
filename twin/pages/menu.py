"""The panel on the left: find a layer, switch it, order it, and see how old it is and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin import style
from twin.model import Layer, OneMap, Text, Theme
from twin.pages.markup import el, icon
from twin.pages.parts import STATES, button, by_day_and_night, status, words

Told = Mapping[str, Any]
"""What `boot.told` says of one layer."""
BASE = "base"
"""The theme whose layers are base maps: one of them at a time."""


def menu(
    onemap: OneMap, told: Mapping[str, Told], counts: Mapping[str, int], foreign: Sequence[tuple[str, Text]] = ()
) -> list[Any]:
    """Draw the panel; `told` maps a layer id to what is known of it, `counts` tells resources by state.

    `foreign` are base maps that are no layers of the village, (id, words).
    """
    bases = [*((x.id, x.title) for x in onemap.layers if x.theme == BASE), *foreign]
    over = [x for x in onemap.layers if x.theme != BASE]
    themes = [t for t in onemap.themes if any(x.theme == t.id for x in over)]
    if not onemap.layers:
        return [_nothing()]
    return [
        _filter(),
        _bases(bases),
        _chips(themes),
        el(
            "div",
            _active(over, told),
            _tree(onemap, themes, told),
            el("p", words("page.menu.none"), id="none-found", class_="state-why", hidden=True),
            class_="scroll",
            tabindex=-1,
        ),
        _summary(counts),
    ]


def _nothing() -> Any:
    """Say to one who may see no layer that this is how it should be, and where their own work lies."""
    return el(
        "div",
        el("p", words("page.menu.nothing"), class_="state-why"),
        el("a", words("page.menu.nothing_go"), href="/account", class_="button"),
        id="nothing",
        class_="state empty",
        role="status",
    )


def _filter() -> Any:
    box = el(
        "input",
        id="filter",
        type="search",
        placeholder=words("page.menu.filter"),
        aria_label=words("page.menu.filter_label"),
        autocomplete="off",
        spellcheck="false",
        data_act="filter",
    )
    return el(
        "div",
        el("div", icon("search"), box, class_="field"),
        button("only-stars", words("page.menu.stars"), "star", class_="framed", aria_pressed="false"),
        button("reset", words("page.menu.reset"), "reset", class_="framed"),
        class_="filter-row",
    )


def _bases(bases: Sequence[tuple[str, Text]]) -> Any:
    def one(base: str, title: Text) -> Any:
        radio = el("input", type="radio", name="base", value=base, data_act="base", data_layer=base)
        return el("label", radio, el("span", title))

    return el(
        "fieldset",
        el("legend", words("page.menu.base")),
        el("div", [one(*x) for x in bases], class_="segments"),
        class_="bases",
    )


def _chips(themes: Sequence[Theme]) -> Any:
    def chip(theme: Theme) -> Any:
        return el(
            "button",
            Text(theme.title.zh.removeprefix("乡村"), theme.title.en),
            type="button",
            class_="chip",
            data_act="theme",
            data_theme=theme.id,
            aria_pressed="false",
            title=words("page.menu.theme_why", name=theme.title),
        )

    label = words("page.menu.themes")
    return el("div", [chip(t) for t in themes], class_="chips", role="group", aria_label=label)


def _active(layers: Sequence[Layer], told: Mapping[str, Told]) -> Any:
    head = el(
        "div",
        el("h2", words("page.menu.active"), " ", el("span", "0", class_="num", id="active-count")),
        el("button", words("page.menu.clear"), type="button", class_="text-button", data_act="clear"),
        class_="section-head",
    )
    rows = el("ul", [_active_row(x, told[x.id]) for x in layers], class_="active-rows", id="active")
    none = el("p", words("page.menu.active_none"), class_="state-next", id="active-none", hidden=True)
    return el("section", head, rows, none, class_="section")


def _active_row(layer: Layer, known: Told) -> Any:
    return el(
        "li",
        _row_top(layer, known),
        _row_low(layer, known),
        el("p", known["department"], " · ", words(f"page.share_short.{layer.share}"), class_="row-who"),
        el("p", class_="note", data_note=layer.id, hidden=True),
        _about(layer, known),
        class_="active-row",
        data_row=layer.id,
        hidden=True,
    )


def _row_top(layer: Layer, known: Told) -> Any:
    """Draw a shown layer's name between its eye and what moves, explains and removes it."""

    def act(verb: str, drawn: str, **more: Any) -> Any:
        return button(verb, words(f"page.menu.{verb}", name=layer.title), drawn, data_layer=layer.id, **more)

    return el(
        "div",
        act("eye", "eye", aria_pressed="true", class_="eye"),
        swatch(known),
        el("span", layer.title, class_="name"),
        act("raise", "up"),
        act("lower", "down"),
        act("about", "info", aria_expanded="false"),
        act("remove", "close"),
        class_="row-top",
    )


def _row_low(layer: Layer, known: Told) -> Any:
    """Draw how opaque a shown layer is, and how old."""
    percent = round(layer.opacity * 100)
    about = {"data_act": "opacity", "data_layer": layer.id}
    label = words("page.menu.opacity", name=layer.title)
    return el(
        "div",
        el("input", type="range", min=0, max=100, step=5, value=percent, aria_label=label, **about),
        el("output", f"{percent}%", class_="num percent"),
        el("span", status(known["state"]), el("span", known["as_of"], class_="num"), class_="when"),
        class_="row-low",
    )


def _about(layer: Layer, known: Told) -> Any:
    facts = (
        (words("page.about.share"), words(f"page.share.{layer.share}")),
        (words("page.about.as_of"), known["as_of"]),
        (words("page.about.age"), known["age"]),
        (words("page.about.rows"), known["rows"]),
        (words("page.about.reason"), known["reason"]),
    )
    return el(
        "dl",
        el("div", el("dd", layer.abstract), class_="wide"),
        [el("div", el("dt", k), el("dd", v)) for k, v in facts if v],
        class_="about",
        data_about=layer.id,
        hidden=True,
    )


def swatch(known: Told) -> Any:
    """Draw a layer's small sign: two of its colours."""
    first, second = (*known["colours"], (style.NO_COLOUR,) * 2, (style.NO_COLOUR,) * 2)[:2]
    light, dark = (f"linear-gradient(135deg, {a} 50%, {b} 50%)" for a, b in zip(first, second, strict=True))
    return el("i", class_="swatch", style=by_day_and_night(light, dark), aria_hidden="true")


def _tree(onemap: OneMap, themes: Sequence[Theme], told: Mapping[str, Told]) -> Any:
    layers = {t.id: [x for x in onemap.layers if x.theme == t.id] for t in themes}
    total = sum(len(v) for v in layers.values())
    head = el(
        "div",
        el("h2", words("page.menu.all"), " ", el("span", str(total), class_="num", id="all-count")),
        el("span", words("page.menu.resources", n=len(onemap.resources)), class_="muted"),
        class_="section-head",
    )
    announce = el("p", class_="unseen", role="status", id="filter-said")
    return el("section", head, announce, [_theme(t, layers[t.id], told) for t in themes], class_="section")


def _theme(theme: Theme, layers: Sequence[Layer], told: Mapping[str, Told]) -> Any:
    worst = [told[x.id]["state"] for x in layers]
    alarms = [(s, worst.count(s)) for s in ("failed", "held", "stale") if s in worst]
    head = el(
        "button",
        icon("right", class_="turn"),
        el("span", theme.title, class_="theme-name"),
        el("span", class_="muted shown", data_shown=theme.id),
        [el("span", status(s), str(n), class_="told") for s, n in alarms],
        el("span", words("page.menu.count", n=len(layers)), class_="muted count"),
        type="button",
        class_="theme-head",
        data_act="fold",
        data_theme=theme.id,
        aria_expanded="false",
        aria_controls=f"theme-{theme.id}",
    )
    rows = el("ul", [_layer(x, told[x.id]) for x in layers], id=f"theme-{theme.id}", class_="theme-rows", hidden=True)
    return el("div", el("h3", head), rows, class_="theme", data_group=theme.id)


def _layer(layer: Layer, known: Told) -> Any:
    box = el("input", type="checkbox", data_act="layer", data_layer=layer.id, id=f"layer-{layer.id}")
    label = el("label", box, el("span", layer.title, class_="name"), for_=f"layer-{layer.id}")
    plain = known["state"] == "fresh"
    return el(
        "li",
        label,
        el("span", status(known["state"], word=not plain), el("span", known["as_of"][:7], class_="num"), class_="when"),
        button("star", words("page.menu.star", name=layer.title), "star", data_layer=layer.id, aria_pressed="false"),
        class_="layer-row",
        data_layer_row=layer.id,
    )


def _summary(counts: Mapping[str, int]) -> Any:
    told = [
        el("span", status(s), el("b", str(counts[s]), class_="num"), class_="told") for s in STATES if counts.get(s)
    ]
    return el(
        "button",
        icon("data"),
        told,
        icon("right", class_="end"),
        type="button",
        class_="menu-foot",
        data_act="open",
        data_open="health",
        aria_haspopup="dialog",
        title=words("page.bar.fresh_more"),
    )
