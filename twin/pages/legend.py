"""The legend that lies on the map: what the colours of the visible layers mean, with how much of each is in view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from twin import style
from twin.map import symbol_svg
from twin.model import Layer, OneMap, Text
from twin.pages.markup import el, icon
from twin.pages.parts import button, words

Group = Mapping[str, Any]


def dock(onemap: OneMap) -> list[Any]:
    """Draw the legend of every layer; the browser shows those of visible layers and the classes in view."""
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
    layers = [_layer(onemap, x) for x in reversed(onemap.layers)]
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
    pairs = zip(style.legend(onemap, layer, "zh-CN"), style.legend(onemap, layer, "en"), strict=True)
    listed = list(pairs)
    many = sum(len(zh["items"]) > 1 for zh, _ in listed) > 1
    groups = [_group(layer, zh, en, titled=many and len(zh["items"]) > 1) for zh, en in listed]
    return el("section", el("h3", layer.title), groups, class_="legend-layer", data_legend=layer.id, hidden=True)


def _group(layer: Layer, zh: Group, en: Group, *, titled: bool) -> Any:
    head = el("p", Text(zh["title"], en["title"]), class_="legend-group") if titled else None
    items = [_item(layer, zh, a, b) for a, b in zip(zh["items"], en["items"], strict=True)]
    return el("div", head, el("ul", items), data_draw=zh["draw"])


def _item(layer: Layer, group: Group, zh: Mapping[str, Any], en: Mapping[str, Any]) -> Any:
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
        _sign(group["type"], zh),
        el("span", title, code, class_="class-name"),
        el("span", class_="num amount"),
        eye,
        data_class=zh["value"],
        data_of=layer.id,
    )


def _sign(kind: str, item: Mapping[str, Any]) -> Any:
    """Draw the sign as the map does: a filled box, a line, a symbol."""
    drawn = item["icon"] or item["pattern"]
    if drawn:
        picture = el("img", src=f"data:image/svg+xml,{quote(symbol_svg(drawn))}", alt="")
        return el("i", picture, class_="sign drawn", aria_hidden="true")
    form = {"line": "line", "circle": "point", "symbol": "word"}.get(kind, "box")
    return el("i", class_=f"sign {form}", style={"--sign": item["colour"] or "#9AA3A8"}, aria_hidden="true")
