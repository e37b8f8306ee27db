"""Map and legend are drawn from the same values, and a land layer without its code system is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests import serving_fixture as village
from twin import classes as classing
from twin import style
from twin.api.expressions import evaluate
from twin.errors import DeclarationError
from twin.model import Classes, ClassItem, OneMap, Text


@pytest.fixture(scope="module")
def onemap() -> OneMap:
    return village.onemap()


@pytest.fixture(scope="module")
def made(onemap: OneMap) -> dict[str, Any]:
    return style.style(onemap, "zh-CN")


def _pattern(made: dict[str, Any], name: str, properties: dict[str, Any]) -> str:
    above = [x for x in made["layers"] if x["id"] == f"{name}~hatch"]
    return evaluate(above[0]["paint"]["fill-pattern"], properties, 14) if above else ""


def layer(made: dict[str, Any], name: str) -> dict[str, Any]:
    return next(x for x in made["layers"] if x["id"] == name)


def test_sources_are_one_per_layer_with_a_year_the_map_fills_in(made: dict[str, Any]) -> None:
    source = made["sources"]["L06"]
    assert source["type"] == "vector"
    assert source["tiles"] == ["/tiles/L06/{z}/{x}/{y}.mvt?year={year}"]
    assert source["promoteId"] == "id"
    assert source["minzoom"] == 8
    assert source["maxzoom"] == 16
    assert made["sources"]["L02-photo"]["type"] == "raster"
    assert made["sources"]["terrain"]["encoding"] == "mapbox"


def test_layers_stand_in_the_written_order_with_what_the_map_needs_to_know(made: dict[str, Any]) -> None:
    ids = [x["id"] for x in made["layers"]]
    assert ids == [
        "ground", "L02.photo", "L03.shade", "L06.cover", "L06.label", "L06.road", "L05.line", "L05.line~hatch",
        "L16.grid", "L16.house", "L16.house~icon",
    ]  # fmt: skip
    cover = layer(made, "L06.cover")
    assert cover["source-layer"] == "cover"
    assert cover["metadata"]["onemap:layer"] == "L06"
    assert cover["metadata"]["onemap:class"] == {"column": "land_class", "digits": 4}
    assert layer(made, "L06.label")["metadata"]["onemap:interactive"] is False
    assert cover["layout"]["visibility"] == "visible"
    assert layer(made, "L05.line")["layout"]["visibility"] == "none"


def test_no_glyphs_no_sprite_and_no_address_but_our_own(made: dict[str, Any]) -> None:
    assert "glyphs" not in made
    assert "sprite" not in made
    assert "://" not in str(made)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_legend_item_has_the_colour_the_map_draws(onemap: OneMap, theme: style.ThemeName) -> None:
    made = style.style(onemap, sheet=style.Sheet(theme=theme))
    for one in onemap.layers:
        for group in style.legend(onemap, one, "en", theme):
            if not group["column"]:
                continue
            drawn = layer(made, f"{one.id}.{group['draw']}")
            colour = drawn["paint"][style.COLOUR_OF[drawn["type"]]]
            for item in group["items"]:
                assert evaluate(colour, {group["column"]: item["value"]}, 14) == item["colour"], item
                assert item["title"]
                assert item["pattern"] == _pattern(made, drawn["id"], {group["column"]: item["value"]})
            draw = next(d for d in one.draws if d.id == group["draw"])
            other = style.recoloured(theme, draw, "#9AA3A8")
            assert evaluate(colour, {group["column"]: "no such class"}, 14) == other


def test_codes_take_the_colour_above_them_and_abolished_ones_are_gone(onemap: OneMap) -> None:
    items = classing.items(onemap, Classes(column="c", system="sandiao@2019", digits=4))
    assert [(i.value, i.colour) for i in items] == [("0101", "#F8D072"), ("0103", "#F8D072"), ("0810", "#00FF00")]
    whole = classing.items(onemap, Classes(column="c", system="sandiao@2019"))
    assert [i.value for i in whole] == ["01", "0101", "0103", "0810A"]


def test_values_are_cut_as_the_map_cuts_them() -> None:
    classes = Classes(column="c", system="s@1", digits=2)
    assert classing.value_of(classes, "0810A") == "08"
    assert classing.value_of(classes, None) == ""
    assert classing.value_of(Classes(column="c"), True) == "true"
    assert classing.value_of(Classes(column="c"), 3) == "3"


def test_hatches_and_icons_are_named_so_that_the_map_can_draw_them(made: dict[str, Any]) -> None:
    hatch = layer(made, "L05.line~hatch")
    assert evaluate(hatch["paint"]["fill-pattern"], {"control_type": "永久基本农田"}, 14) == "hatch-diagonal-c99700"
    icon = layer(made, "L16.house~icon")
    assert evaluate(icon["layout"]["icon-image"], {"name": "祠堂"}, 14) == "icon-house-c8102e"
    assert icon["filter"] == ["in", ["to-string", ["get", "name"]], ["literal", ["祠堂"]]]


def test_both_themes_and_languages_differ_only_where_they_should(onemap: OneMap) -> None:
    dark = style.style(onemap, sheet=style.Sheet(theme="dark", language="en"))
    light = style.style(onemap, sheet=style.Sheet(theme="light", language="en"))
    assert layer(dark, "ground")["paint"] != layer(light, "ground")["paint"]
    assert layer(dark, "L06.label")["paint"]["text-color"] == "#EAF2F0"
    for made, twin in zip(dark["layers"], light["layers"], strict=True):
        assert {k: v for k, v in made.items() if k not in ("paint", "layout")} == {
            k: v for k, v in twin.items() if k not in ("paint", "layout")
        }
        assert {k for k, v in made["paint"].items() if v != twin["paint"].get(k)} <= {
            k for k in made["paint"] if k.endswith(("-color", "-pattern")) or k.startswith("raster-")
        }
    assert dark["name"] == "Test Village"


def test_a_fixed_year_and_a_version_enter_the_url(onemap: OneMap) -> None:
    made = style.style(onemap, sheet=style.Sheet(base="http://127.0.0.1:8050", year=2020, versions={"L06": "abc"}))
    assert made["sources"]["L06"]["tiles"] == ["http://127.0.0.1:8050/tiles/L06/{z}/{x}/{y}.mvt?year=2020&v=abc"]
    assert made["sources"]["L16"]["tiles"] == ["http://127.0.0.1:8050/tiles/L16/{z}/{x}/{y}.mvt?year=2020"]


def test_a_land_layer_without_its_code_system_is_refused(onemap: OneMap) -> None:
    land = replace(onemap.layer("L06"), code_system="")
    with pytest.raises(DeclarationError, match="L06"):
        style.style(replace(onemap, layers=(land,)))


def test_a_land_layer_without_a_version_is_refused(onemap: OneMap) -> None:
    system = replace(onemap.code_systems[0], id="sandiao")
    cover = replace(village.layers()[2].draws[0], classes=Classes(column="land_class", system="sandiao", digits=4))
    land = replace(onemap.layer("L06"), draws=(cover,))
    with pytest.raises(DeclarationError):
        style.style(replace(onemap, layers=(land,), code_systems=(system,)))


def test_a_class_system_that_is_not_there_is_refused(onemap: OneMap) -> None:
    with pytest.raises(DeclarationError, match="sandiao@2019"):
        style.style(replace(onemap, code_systems=()))


def test_tianditu_is_offered_only_where_there_is_a_key(onemap: OneMap, made: dict[str, Any]) -> None:
    keyed = style.style(onemap, sheet=style.Sheet(tianditu=True))
    assert not [s for s in made["sources"] if s.startswith("tianditu")]
    assert keyed["sources"]["tianditu-vec"]["tiles"] == ["/tiles/tianditu/vec/{z}/{x}/{y}"]
    assert layer(keyed, "tianditu-img")["metadata"]["onemap:base"] == "tianditu-imagery"


def test_listed_classes_that_share_a_colour_share_a_branch(onemap: OneMap) -> None:
    items = tuple(ClassItem(value=v, title=Text(v, v), colour=c) for v, c in (("a", "#1"), ("b", "#1"), ("c", "#2")))
    draw = replace(village.layers()[2].draws[0], classes=Classes(column="k", items=items, other="#0"))
    expression = style.colour_expression(onemap, draw)
    assert expression == ["match", ["to-string", ["get", "k"]], ["a", "b"], "#1", ["c"], "#2", "#0"]
