"""Rows drawn as charts in the village's one template; the only plotly."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import plotly.io as pio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FONT = (
    '"PingFang SC","HarmonyOS Sans SC","MiSans","Microsoft YaHei UI","Microsoft YaHei","Noto Sans CJK SC",'
    '"Source Han Sans SC","WenQuanYi Micro Hei",system-ui,sans-serif'
)
LIGHT = ("#0B5CAD", "#E37100", "#403923", "#4F99E3", "#692558", "#5D693A")
DARK = ("#7CC4FF", "#CF0000", "#E3E322", "#006D91", "#F78888", "#7D7DE3")
"""Colour ways whose every colour has 3:1 on its ground, and whose pairs stay apart for colour-blind readers."""
INK: Mapping[bool, Mapping[str, str]] = {
    False: {"text": "#1B2A2F", "muted": "#4F5B62", "grid": "#DDE3E1", "past": "#8A9896", "ground": "#FFFFFF"},
    True: {"text": "#EAF2F0", "muted": "#A9BBB8", "grid": "#2B3F46", "past": "#6F8688", "ground": "#0E1A1F"},
}
ROW_PX = 34
"""The height of one bar with its gap."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: its label, its value, and the value as it is told beside it; `code` is the class it stands for."""

    label: str
    value: float
    told: str
    code: str = ""


def template(*, dark: bool = False) -> go.layout.Template:
    """Give the template `village`: our type, our colours, no decoration, nothing that moves."""
    ink = INK[dark]
    axis = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
        "fixedrange": True,
    }
    layout: dict[str, Any] = {
        "font": {"family": FONT, "size": 14, "color": ink["text"]},
        "colorway": list(DARK if dark else LIGHT),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "separators": ".,",
        "hoverlabel": {"font": {"size": 14, "family": FONT}},
        "showlegend": False,
        "transition": {"duration": 0},
        "uirevision": "village",
        "dragmode": False,
        "hovermode": "y",
        "xaxis": axis,
        "yaxis": axis,
    }
    return go.layout.Template(layout=layout)


def register() -> None:
    """Make the template known to plotly as `village` and `village-dark`."""
    pio.templates["village"] = template()
    pio.templates["village-dark"] = template(dark=True)


def bars(rows: Sequence[Bar], *, dark: bool = False, over_time: bool = False) -> go.Figure:
    """Draw horizontal bars from zero, the first on top, each with its value beside it.

    `over_time` rows are years: all but the last are grey, the last is "now". The numbers are told as given: the
    reader sees the words of the table, not plotly's own format.
    """
    ink = INK[dark]
    now = (DARK if dark else LIGHT)[0]
    colours = [ink["past"]] * (len(rows) - 1) + [now] if over_time else [now] * len(rows)
    most = max((r.value for r in rows), default=0) or 1
    figure = go.Figure(
        go.Bar(
            x=[r.value for r in rows],
            y=[_as_text(r.label) for r in rows],
            text=[_as_text(r.told) for r in rows],
            customdata=[r.code for r in rows],
            orientation="h",
            marker={"color": colours},
            textposition="outside",
            textfont={"color": ink["text"], "size": 14},
            hoverinfo="none",
            cliponaxis=False,
        )
    )
    figure.update_layout(
        template=template(dark=dark),
        height=ROW_PX * len(rows) + 16,
        margin={"l": 4, "r": 8, "t": 4, "b": 4, "pad": 6},
        bargap=0.36,
    )
    figure.update_xaxes(range=[0, most * 1.3], visible=False)
    figure.update_yaxes(autorange="reversed", type="category", tickfont={"color": ink["text"], "size": 14})
    return figure


def _as_text(words: str) -> str:
    """Write words so that plotly draws them as they are: it would read tags in them, and make links of some."""
    return escape(words, quote=False)
