"""What a village shows, as frozen values: legends, draws, layers, indicators, themes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from twin.model.text import UNSAID, Text


@dataclass(frozen=True, kw_only=True)
class ClassItem:
    """One class of a legend: the value drawn, its words, its colour; `pattern` and `icon` name drawn symbols."""

    value: str
    title: Text
    colour: str
    pattern: str = ""
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class Classes:
    """How a draw is coloured by a column: by a code system cut to `digits`, or by listed items.

    Exactly one of `system` ("ydyh@2023") and `items` is given; `other` colours what no class names.
    """

    column: str
    system: str = ""
    digits: int = 0
    items: tuple[ClassItem, ...] = ()
    other: str = "#9AA3A8"


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One MapLibre layer of a one-map layer: what table it reads and how it is painted.

    `type`, `paint`, `layout` and `filter` are MapLibre's style language; where `classes` is given the engine puts
    the class colours into the type's colour property and into the legend, from the same values.
    `columns` are the public columns the tile carries beside `id` and the class column; `popup` the card's columns.
    """

    id: str
    table: str
    type: Literal["fill", "line", "circle", "symbol", "fill-extrusion", "raster", "hillshade", "heatmap", "scene"]
    title: Text
    paint: Mapping[str, Any] = field(default_factory=dict[str, Any])
    layout: Mapping[str, Any] = field(default_factory=dict[str, Any])
    filter: tuple[Any, ...] = ()
    classes: Classes | None = None
    columns: tuple[str, ...] = ()
    popup: tuple[str, ...] = ()
    minzoom: int = 10
    maxzoom: int = 24
    interactive: bool = True
    in_legend: bool = True


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One of the village's layers; `id` ("L06") is permanent, links and bookmarks hold it."""

    id: str
    slug: str
    theme: str
    title: Text
    abstract: Text
    department: str
    share: Literal["open", "conditional", "masked", "sensitive"]
    draws: tuple[Draw, ...]
    code_system: str = ""
    default_on: bool = False
    opacity: float = 1.0
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One number of a theme, computed from a table, behind which its list stands.

    `measure` is "count" or "sum"; `where` holds (column, operator, value) with operators = != > < >= <= in;
    `by` names the column whose groups the chart shows.
    """

    id: str
    theme: str
    title: Text
    table: str
    measure: Literal["count", "sum"] = "count"
    column: str = ""
    unit: Text = UNSAID
    where: tuple[tuple[str, str, Any], ...] = ()
    by: str = ""
    by_year: bool = False
    tone: Literal["plain", "warn", "danger"] = "plain"


@dataclass(frozen=True, kw_only=True)
class Theme:
    """One theme of the page; its id is stable, its words are the village's."""

    id: str
    title: Text
    indicators: tuple[Indicator, ...] = ()
