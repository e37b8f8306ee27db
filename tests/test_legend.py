"""The legend on the map carries the map's colours by day and by night, so that a change of theme asks for nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests import serving_fixture as village
from twin import style
from twin.map import symbol_svg
from twin.map.symbols import ink_on
from twin.model import OneMap
from twin.pages import legend, menu

ASSETS = Path(legend.__file__).resolve().parents[1] / "assets"


@pytest.fixture(scope="module")
def onemap() -> OneMap:
    return village.onemap()


def said(parts: Any) -> str:
    """Give what the browser is told, as one text."""
    return unquote(json.dumps(parts, default=lambda x: x.to_plotly_json(), ensure_ascii=False))


def items(onemap: OneMap, theme: style.ThemeName) -> list[dict[str, Any]]:
    return [i for x in onemap.layers for g in style.legend(onemap, x, theme=theme) for i in g["items"]]


def test_each_plain_sign_has_both_colours_side_by_side(onemap: OneMap) -> None:
    told = said(legend.dock(onemap))
    plain = 0
    for day, night in zip(items(onemap, "light"), items(onemap, "dark"), strict=True):
        if day["colour"] and not day["icon"] and not day["pattern"]:
            assert f'"--light": "{day["colour"]}", "--dark": "{night["colour"]}"' in told
            assert day["colour"] != night["colour"]
            plain += 1
    assert plain > 3


def test_each_drawn_sign_has_both_pictures(onemap: OneMap) -> None:
    told = said(legend.dock(onemap)).replace('\\"', '"')
    for theme in ("light", "dark"):
        for item in items(onemap, theme):
            if name := item["icon"] or item["pattern"]:
                assert symbol_svg(name) in told


def test_a_swatch_has_both_colours() -> None:
    told = said(menu.swatch({"colours": [("#FF0000", "#990000")]}))
    assert '"--light": "linear-gradient(135deg, #FF0000 50%, #9AA3A8 50%)"' in told
    assert '"--dark": "linear-gradient(135deg, #990000 50%, #9AA3A8 50%)"' in told


def test_the_stylesheet_chooses_between_them_and_filters_no_map() -> None:
    css = (ASSETS / "onemap.css").read_text("utf-8")
    assert re.search(r'\[data-theme="dark"\] \.sign, \[data-theme="dark"\] \.swatch \{ --sign: var\(--dark\); \}', css)
    assert not [rule for rule in css.split("}") if "filter: brightness" in rule and "dark" in rule]


@pytest.mark.parametrize("plate", ["#0B5CAD", "#1B6E3C", "#E37100", "#C8102E"])
def test_strong_plates_have_white_strokes(plate: str) -> None:
    assert ink_on(plate) == "#FFFFFF"
    assert symbol_svg(f"icon-tree-{plate[1:]}").count('stroke="#FFFFFF"') == 3


def test_light_plates_have_dark_strokes() -> None:
    assert ink_on("#F7D417") == "#0E1A1F"
    assert "#FFFFFF" not in symbol_svg("icon-tree-f7d417")


def test_the_map_s_ground_is_the_same_where_there_is_no_webgl() -> None:
    css = (ASSETS.parent / "map" / "onemap.css").read_text("utf-8")
    grounds = re.findall(r"--om-ground: (#[0-9a-f]{6});", css)
    assert grounds == [style.THEMES[t].ground.lower() for t in ("light", "dark")]
