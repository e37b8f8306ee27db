"""The dark map is mixed from the light one: legible on its ground, its classes still apart, its warnings still themselves."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import layers
from etl import catalog
from tests import serving_fixture as village
from tests.test_drawn import pixel
from tests.test_tiles import at
from twin import classes as classing
from twin import style
from twin.api import drawn, rooms, tile_address
from twin.errors import BadRequest, DeclarationError
from twin.map.symbols import ink_on
from twin.model import Classes, ClassItem, Draw, Layer, OneMap, Text
from twin.policy import ANONYMOUS_LOCAL
from twin.style import colour as colours
from twin.style import dark
from twin.style.signs import signs

ROOT = Path(__file__).resolve().parents[1]
NIGHT = style.THEMES["dark"]
SEEN = 0.02
"""The way in Oklab from which two colours beside each other are told apart."""
APART = 0.045
"""Classes this far apart by day must still be told apart by night."""


@pytest.fixture(scope="module")
def onemap() -> OneMap:
    declared = catalog.read(ROOT / "data")
    return OneMap(
        village=declared.village,
        departments=declared.departments,
        code_systems=declared.code_systems,
        themes=layers.THEMES,
        layers=layers.LAYERS,
    )


@pytest.fixture(scope="module")
def made(onemap: OneMap) -> dict[str, Any]:
    return style.style(onemap, sheet=style.Sheet(theme="dark"))


def parsed(text: str) -> colours.Colour:
    found = colours.read(text)
    assert found is not None, text
    return found


GROUND = parsed(NIGHT.ground)


def texts(value: Any) -> Iterator[str]:
    """Give every colour that stands in a value, wherever."""
    if isinstance(value, str) and value.startswith("#"):
        yield value
    if isinstance(value, list):
        for part in value:
            yield from texts(part)


def found(made: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    for layer in made["layers"]:
        for text in texts(layer["paint"].get(name)):
            yield layer["id"], text


def a_draw(**changed: Any) -> Draw:
    return Draw(**{"id": "d", "table": "t", "type": "fill", "title": Text("图", "Draw"), **changed})


# ---- legible


@pytest.mark.parametrize(("name", "least"), [("line-color", 3), ("circle-color", 3), ("text-color", 4.5)])
def test_lines_points_and_words_of_the_village_can_be_seen_on_the_dark_ground(
    made: dict[str, Any], name: str, least: float
) -> None:
    listed = [(layer, text) for layer, text in found(made, name) if text != NIGHT.halo]
    assert len(listed) > 10
    faint = [(x, t) for x, t in listed if colours.contrast(parsed(t), GROUND) < least]
    assert faint == []


def test_areas_are_darker_than_by_day_and_words_can_be_read_on_each(onemap: OneMap, made: dict[str, Any]) -> None:
    light = style.style(onemap)
    for name in ("fill-color", "fill-extrusion-color"):
        pairs = list(zip(found(light, name), found(made, name), strict=False))
        assert pairs
        for layer in {x for (x, _), _ in pairs}:
            by_day = max(parsed(t).lightness for x, t in found(light, name) if x == layer)
            by_night = max(parsed(t).lightness for x, t in found(made, name) if x == layer)
            assert by_night < by_day - 0.1, layer
    for layer, text in found(made, "fill-color"):
        assert colours.contrast(parsed(text), parsed(NIGHT.text)) >= 3, layer


def test_every_halo_is_the_ground_s_and_no_day_colour_is_left(onemap: OneMap, made: dict[str, Any]) -> None:
    assert {t for _, t in found(made, "text-halo-color")} == {NIGHT.halo}
    for day, night in zip(style.style(onemap)["layers"], made["layers"], strict=True):
        for name, value in day["paint"].items():
            left = set(texts(value)) & set(texts(night["paint"][name]))
            assert not left, (day["id"], name)


def test_what_lies_under_the_signs_steps_back_and_casings_take_the_colour_of_the_ground() -> None:
    legible = a_draw(paint={"fill-color": "#F4F3E2"})
    under = replace(legible, in_legend=False, interactive=False)
    shown, backdrop = (parsed(style.painted("dark", d)["fill-color"]) for d in (legible, under))
    assert backdrop.lightness < shown.lightness - 0.1
    road = a_draw(type="line", paint={"line-color": "#FFFFFF"})
    casing = replace(road, in_legend=False, interactive=False)
    assert style.painted("dark", casing) == {"line-color": NIGHT.halo}
    assert style.painted("dark", road) != {"line-color": NIGHT.halo}


def test_grey_words_and_rims_become_the_theme_s_own() -> None:
    words = a_draw(type="symbol", paint={"text-color": "#1B2A2F", "text-halo-color": "#FFFFFF"})
    assert style.painted("dark", words) == {"text-color": NIGHT.text, "text-halo-color": NIGHT.halo}
    dot = a_draw(type="circle", paint={"circle-stroke-color": "#FFFFFF"})
    assert style.painted("dark", dot) == {"circle-stroke-color": NIGHT.halo}
    ring = a_draw(type="circle", paint={"circle-stroke-color": "#1B2A2F"})
    assert style.painted("dark", ring) == {"circle-stroke-color": NIGHT.text}


def test_each_icon_of_the_village_is_drawn_in_an_ink_that_is_seen_on_its_plate(onemap: OneMap) -> None:
    listed = {s.icon for x in onemap.layers for d in x.draws for s in signs(onemap, d, "dark") if s.icon}
    assert len(listed) > 20
    for name in listed:
        plate = f"#{name[-6:]}"
        assert colours.contrast(parsed(plate), parsed(ink_on(plate))) >= 3, name
        assert colours.contrast(parsed(plate), GROUND) >= 3, name


# ---- apart, and themselves


def test_classes_that_are_told_apart_by_day_are_told_apart_by_night(onemap: OneMap) -> None:
    merged = []
    for draw in (d for x in onemap.layers for d in x.draws if d.classes):
        day, night = ([parsed(s.colour) for s in signs(onemap, draw, t)] for t in ("light", "dark"))
        for a, b in itertools.combinations(range(len(day)), 2):
            by_day, by_night = colours.distance(day[a], day[b]), colours.distance(night[a], night[b])
            if by_day >= APART and by_night < SEEN:
                merged.append((draw.table, colours.write(day[a]), colours.write(day[b]), by_day, by_night))
    assert merged == []


@pytest.mark.parametrize("kind", ["fill", "line", "circle", "fill-extrusion"])
@pytest.mark.parametrize(
    "text", ["#C8102E", "#F28C00", "#F7D417", "#1F6FEB", "#A3151A", "#E37100", "#F0B400", "#B3261E"]
)
def test_a_warning_keeps_its_hue_whatever_draws_it(kind: str, text: str) -> None:
    draw = a_draw(type=kind)
    day, night = parsed(text), parsed(style.recoloured("dark", draw, text))
    turned = abs(math.remainder(night.hue - day.hue, math.tau))
    assert math.degrees(turned) < 8
    assert night.chroma > 0.08


def test_the_four_warning_colours_stay_four(onemap: OneMap) -> None:
    names = {"#C8102E", "#F28C00", "#F7D417", "#1F6FEB"}
    for kind in ("fill", "line", "circle"):
        night = [parsed(style.recoloured("dark", a_draw(type=kind), t)) for t in names]
        assert min(colours.distance(a, b) for a, b in itertools.combinations(night, 2)) > 0.05


def test_map_and_legend_are_one_in_the_dark(onemap: OneMap, made: dict[str, Any]) -> None:
    drawn_ = {x["id"]: x for x in made["layers"]}
    seen = 0
    for layer in onemap.layers:
        for group in style.legend(onemap, layer, "zh-CN", "dark"):
            shown = drawn_.get(f"{layer.id}.{group['draw']}")
            if shown is None:
                continue
            in_map = set(texts(shown["paint"].get(style.COLOUR_OF.get(shown["type"], ""))))
            in_legend = {i["colour"] for i in group["items"] if i["colour"]}
            assert in_legend <= in_map, (layer.id, group["draw"])
            images = str([x for name, x in drawn_.items() if name.startswith(f"{shown['id']}~")])
            assert all(i[name] in images for i in group["items"] for name in ("pattern", "icon") if i[name])
            seen += len(in_legend)
    assert seen > 100


# ---- what is changed in a paint, and what is not


def test_only_what_an_expression_can_come_to_is_changed() -> None:
    case = ("case", ("==", ("get", "#FFFFFF"), "#FFFFFF"), "#B3261E", "#8A6410")
    draw = a_draw(type="line", paint={"line-color": case, "line-width": ("get", "#FFFFFF")})
    made = style.painted("dark", draw)
    assert made["line-color"][:2] == ["case", ["==", ["get", "#FFFFFF"], "#FFFFFF"]]
    assert made["line-color"][2:] == [style.recoloured("dark", draw, t) for t in ("#B3261E", "#8A6410")]
    assert made["line-width"] == ("get", "#FFFFFF")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (("match", ("get", "k"), "red", "A", ("tan", "B"), "B", "C"), ["match", ("get", "k"), "red", "a", ("tan", "B"), "b", "c"]),
        (("step", ("zoom",), "A", 5, "B"), ["step", ("zoom",), "a", 5, "b"]),
        (("interpolate", ("linear",), ("zoom",), 5, "A", 9, "B"), ["interpolate", ("linear",), ("zoom",), 5, "a", 9, "b"]),
        (("interpolate-lab", ("linear",), ("zoom",), 5, "A"), ["interpolate-lab", ("linear",), ("zoom",), 5, "a"]),
        (("coalesce", ("get", "A"), "B"), ["coalesce", ("get", "A"), "b"]),
        (("let", "A", "B", ("var", "A")), ["let", "A", "b", ("var", "A")]),
        (("case", ("has", "A"), ("step", ("zoom",), "A", 5, "B"), "C"), ["case", ("has", "A"), ["step", ("zoom",), "a", 5, "b"], "c"]),
        (("get", "A"), ("get", "A")),
        ({"stops": ((5, "A"),), "base": 2}, {"stops": [[5, "a"]], "base": 2}),
        (7, 7),
    ],
)  # fmt: skip
def test_the_outputs_of_an_expression_are_found(expression: Any, expected: Any) -> None:
    assert dark.outputs(expression, str.lower) == expected


def test_colours_are_read_however_css_writes_them_and_keep_their_opacity() -> None:
    draw = a_draw(type="line")
    for text in ("#B3261E", "#b3261e", "rgb(179, 38, 30)", "rgb(179 38 30)", "rgba(179,38,30,1)"):
        assert style.recoloured("dark", draw, text) == style.recoloured("dark", draw, "#B3261E"), text
    half = style.recoloured("dark", draw, "rgba(179, 38, 30, 0.5)")
    assert half == style.recoloured("dark", draw, "#B3261E") + "80"
    assert style.recoloured("dark", draw, "rgb(179 38 30 / 50%)") == half
    assert style.recoloured("dark", draw, "rgba(0,0,0,0)") == "rgba(0,0,0,0)"
    assert style.recoloured("dark", draw, "white") == style.recoloured("dark", draw, "#FFF")
    assert style.painted("dark", a_draw(paint={"fill-color": ("rgb", 179, 38, 30)})) == style.painted(
        "dark", a_draw(paint={"fill-color": "#B3261E"})
    )


def test_hatches_written_into_a_paint_become_those_of_the_legend() -> None:
    hatch = ("match", ("get", "k"), "a", "hatch-diagonal-c99700", "hatch-dots-8a4b00")
    items = (ClassItem(value="a", title=Text("甲", "A"), colour="#C99700", pattern="diagonal"),)
    draw = a_draw(paint={"fill-pattern": hatch}, classes=Classes(column="k", items=items))
    pattern = style.painted("dark", draw)["fill-pattern"]
    shown = signs(village.onemap(), draw, "dark")[0].hatch
    assert pattern[3] == shown
    assert shown.startswith("hatch-diagonal-")
    assert shown != "hatch-diagonal-c99700"


def test_photographs_and_relief_are_dimmed() -> None:
    photo = style.painted("dark", a_draw(type="raster", paint={"raster-resampling": "linear"}))
    assert photo["raster-brightness-max"] < 0.7
    assert photo["raster-resampling"] == "linear"
    brighter = style.painted("dark", a_draw(type="raster", paint={"raster-brightness-max": 0.4}))
    assert brighter["raster-brightness-max"] == 0.4
    relief = style.painted("dark", a_draw(type="hillshade"))
    sunlit, shade = (parsed(relief[f"hillshade-{x}-color"]) for x in ("highlight", "shadow"))
    assert shade.lightness < GROUND.lightness < sunlit.lightness < 0.6


def test_by_day_nothing_is_touched(onemap: OneMap) -> None:
    for draw in (d for x in onemap.layers for d in x.draws):
        assert style.painted("light", draw) is draw.paint
        assert [s.colour for s in signs(onemap, draw)] == [
            i.colour for i in (classing.items(onemap, draw.classes) if draw.classes else ())
        ]


def test_a_colour_that_is_none_is_refused_before_anybody_asks_for_the_dark() -> None:
    tiny = village.onemap()
    layer: Layer = tiny.layers[2]
    for paint in ({"fill-color": "#12"}, {"fill-color": ("case", ("has", "x"), "reddish", "#FFFFFF")}):
        wrong = replace(layer, draws=(replace(layer.draws[0], classes=None, paint=paint),))
        (fault,) = style.check(replace(tiny, layers=(wrong,)))
        assert fault.where == {"draw": "cover", "layer": "L06"}
        with pytest.raises(DeclarationError, match="L06"):
            style.style(replace(tiny, layers=(wrong,)))


# ---- without WebGL


def test_what_the_server_draws_has_the_same_dark_colours(tmp_path: Path) -> None:
    built = rooms(*village.build(tmp_path, with_rasters=False))
    layer, where = built.onemap.layer("L06"), at(119.9705, 30.5305, 17)
    assert layer is not None
    tile = built.tiles.vector(ANONYMOUS_LOCAL, layer, where)
    image = Image.open(io.BytesIO(drawn.png(built.onemap, layer, tile, where, "dark"))).convert("RGBA")
    wanted = {s.value: s.colour for s in signs(built.onemap, layer.draws[0], "dark")}["0101"]
    shown = image.getpixel(pixel(where, 119.9703, 30.5303))
    assert isinstance(shown, tuple)
    assert "#" + "".join(f"{c:02X}" for c in shown[:3]) == wanted


def test_a_hole_shows_the_shape_that_lies_in_it() -> None:
    image = Image.new("RGBA", (40, 40))
    outer = [(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0), (0.0, 0.0)]
    inner = [(10.0, 10.0), (30.0, 10.0), (30.0, 30.0), (10.0, 30.0), (10.0, 10.0)]
    drawn.PENS["fill"](image, [inner], {"fill-color": "#FF0000"})
    drawn.PENS["fill"](image, [outer, inner[::-1]], {"fill-color": "#0000FF"})
    assert image.getpixel((20, 20)) == (255, 0, 0, 255)
    assert image.getpixel((5, 5)) == (0, 0, 255, 255)


def test_a_drawn_tile_is_asked_in_one_of_the_themes() -> None:
    assert tile_address.parse("/tiles/drawn/L06/1/0/0.png", b"theme=dark").theme == "dark"
    assert tile_address.parse("/tiles/drawn/L06/1/0/0.png", b"").theme == "light"
    with pytest.raises(BadRequest):
        tile_address.parse("/tiles/drawn/L06/1/0/0.png", b"theme=pink")


# ---- colours as numbers


@given(st.integers(0, 0xFFFFFF))
def test_a_colour_read_and_written_is_the_same(number: int) -> None:
    text = f"#{number:06X}"
    assert colours.write(parsed(text)) == text


@given(st.integers(0, 0xFFFFFF), st.sampled_from([dark.LINE, dark.QUIET, dark.POINT, dark.WORDS]))
def test_whatever_is_declared_a_sign_reaches_its_contrast(number: int, tone: dark.Tone) -> None:
    made = parsed(colours.write(dark.toned(tone, parsed(f"#{number:06X}"))))
    assert colours.contrast(made, GROUND) >= tone.least - 0.1


def test_contrast_and_oklab_agree_with_their_sources() -> None:
    black, white, grey = (parsed(x) for x in ("#000000", "#FFFFFF", "#777777"))
    assert colours.contrast(black, white) == pytest.approx(21, abs=0.01)
    assert colours.contrast(grey, white) == pytest.approx(4.48, abs=0.01)
    red = parsed("#FF0000")
    assert (red.lightness, red.chroma) == pytest.approx((0.62796, 0.25768), abs=1e-4)
    assert math.degrees(red.hue) == pytest.approx(29.23, abs=0.02)
