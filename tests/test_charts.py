"""The one chart template: readable colours, bars from zero, the told number beside each bar, nothing that moves."""

from __future__ import annotations

import itertools

import pytest

from twin import charts
from twin.charts import Bar

ROWS = [
    Bar(label="示范路口以西的长名字", value=12.5, told="12.5", code="a"),
    Bar(label="示溪", value=3, told="3"),
    Bar(label="其他", value=0, told="0"),
]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_of_the_template_can_be_seen_on_its_ground(dark):
    ink = charts.INK[dark]
    for colour in charts.DARK if dark else charts.LIGHT:
        assert contrast(colour, ink["ground"]) >= 2.95
    assert contrast(ink["text"], ink["ground"]) >= 4.5
    assert contrast(ink["past"], ink["ground"]) >= 3 - 0.05


@pytest.mark.parametrize("dark", [False, True])
def test_text_in_a_chart_is_at_least_14_pixels_and_nothing_moves(dark):
    layout = charts.template(dark=dark).layout
    assert layout.font.size >= 14
    assert layout.transition.duration == 0
    assert layout.dragmode is False


def test_bars_start_at_zero_and_say_the_number_they_were_given():
    figure = charts.bars(ROWS)
    assert figure.layout.xaxis.range[0] == 0
    assert figure.layout.xaxis.range[1] > 12.5
    assert list(figure.data[0].text) == ["12.5", "3", "0"]
    assert list(figure.data[0].y) == [r.label for r in ROWS]
    assert figure.layout.yaxis.autorange == "reversed"


def test_of_years_only_the_last_is_now():
    past, now = (
        charts.bars([Bar(label="2020", value=1, told="1"), Bar(label="2025", value=2, told="2")], over_time=True)
        .data[0]
        .marker.color
    )
    assert past == charts.INK[False]["past"]
    assert now == charts.LIGHT[0]


@pytest.mark.parametrize(
    ("rows", "dark", "over_time"), list(itertools.product([ROWS, ROWS[:1], []], [True, False], [True, False]))
)
def test_any_rows_give_a_figure(rows, dark, over_time):
    figure = charts.bars(rows, dark=dark, over_time=over_time)
    assert figure.layout.height == charts.ROW_PX * len(rows) + 16


def test_there_is_one_template_registered_under_our_name():
    import plotly.io as pio

    charts.register()
    assert pio.templates["village"].layout.font.family == charts.FONT
    assert "village-dark" in pio.templates


def test_words_that_look_like_markup_are_drawn_as_they_are() -> None:
    label = '<a href="https://evil.example">水田</a>'
    figure = charts.bars([charts.Bar(label=label, value=1.0, told="<b>1</b>", code="1")])
    assert figure.data[0].y == ('&lt;a href="https://evil.example"&gt;水田&lt;/a&gt;',)
    assert figure.data[0].text == ("&lt;b&gt;1&lt;/b&gt;",)
