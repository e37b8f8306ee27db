"""The legend that lies on the map: what the colours of the visible layers mean, with how much of each is in view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from twin import style
from twin.map import symbol_svg
from twin.model import Layer, OneMap, Text
from twin.pages.markup import el, icon
from twin.pages.parts import button, sign, words

Group = Mapping[str, Any]
Item = Mapping[str, Any]
"""A group and an item as `style.legend` gives them; in English once by day and once by night."""


def dock(onemap: OneMap) -> list[Any]:
    """Draw the legend of every layer; the browser shows those of visible layers and the classes in view.

    The layers of a national classification come first: they colour the ground everything else stands on.
    """
    head = el(
        "button",
        el("span", words("page.legend.title"), class_="legend-title"),
        el("span", words("page.legend.in_view"), class_="muted"),
        icon("chevron", class_="turn"),
        type="button",
        class_="legend-head",
        id="legend-head",
        data_act="legend",
        aria_expanded="true",
        aria_controls="legend-body",
    )
    top_first = onemap.layers[::-1]
    land_first = (*(x for x in top_first if x.code_system), *(x for x in top_first if not x.code_system))
    layers = [_layer(onemap, x) for x in land_first]
    none = el("p", words("page.legend.none"), class_="state-next", id="legend-none", hidden=True)
    body = el(
        "div",
        layers,
        none,
        id="legend-body",
        class_="legend-body",
        tabindex=0,
        role="group",
        aria_label=words("page.legend.title"),
    )
    return [el("h2", head), body]


def _layer(onemap: OneMap, layer: Layer) -> Any:
    asked = (("zh-CN", "light"), ("en", "light"), ("en", "dark"))
    listed = list(zip(*(style.legend(onemap, layer, language, theme) for language, theme in asked), strict=True))
    many = sum(len(zh["items"]) > 1 for zh, *_ in listed) > 1
    groups = [_group(layer, *told, titled=many and len(told[0]["items"]) > 1) for told in listed]
    return el("section", el("h3", layer.title), groups, class_="legend-layer", data_legend=layer.id, hidden=True)


def _group(layer: Layer, zh: Group, en: Group, dark: Group, *, titled: bool) -> Any:
    head = el("p", Text(zh["title"], en["title"]), class_="legend-group") if titled else None
    items = [_item(layer, zh, *told) for told in zip(zh["items"], en["items"], dark["items"], strict=True)]
    return el("div", head, el("ul", items), data_draw=zh["draw"])


def _item(layer: Layer, group: Group, zh: Item, en: Item, dark: Item) -> Any:
    title = Text(zh["title"], en["title"])
    eye = (
        button(
            "class",
            words("page.legend.eye", name=title),
            "eye",
            data_layer=layer.id,
            data_value=zh["value"],
            aria_pressed="true",
            class_="eye",
        )
        if zh["value"]
        else None
    )
    code = el("span", zh["value"], class_="num code") if zh["value"].isdigit() else None
    return el(
        "li",
        _sign(group["type"], zh, dark),
        el("span", title, code, class_="class-name"),
        el("span", class_="num amount"),
        eye,
        data_class=zh["value"],
        data_of=layer.id,
    )


def _sign(kind: str, light: Item, dark: Item) -> Any:
    """Draw the sign as the map does, by day and by night: a filled box, a line, a symbol."""
    if light["icon"] or light["pattern"]:
        pictures = [_picture(item, when) for item, when in ((light, "by-day"), (dark, "by-night"))]
        return el("i", pictures, class_="sign drawn", aria_hidden="true")
    form = {"line": "line", "circle": "point", "symbol": "word"}.get(kind, "box")
    return sign(form, light["colour"] or style.NO_COLOUR, dark["colour"] or style.NO_COLOUR)


def _picture(item: Item, when: str) -> Any:
    name = item["icon"] or item["pattern"]
    return el("img", src=f"data:image/svg+xml,{quote(symbol_svg(name))}", alt="", class_=when)
