"""What a style is made for: language, addresses, theme, year, versions; and the colours that no layer declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Expression = list[Any]
ThemeName = Literal["light", "dark"]

COLOUR_OF: Mapping[str, str] = {
    "fill": "fill-color",
    "line": "line-color",
    "circle": "circle-color",
    "symbol": "text-color",
    "fill-extrusion": "fill-extrusion-color",
}
"""The paint property that carries the class colour, by draw type."""
SELECTION = "#00E5FF"
NO_COLOUR = "#9AA3A8"
"""What a legend shows for a sign whose colour no value states."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours of one variant that no layer declares: ground, words and their halo."""

    ground: str
    text: str
    halo: str


THEMES: Mapping[str, Theme] = {
    "light": Theme(ground="#EEF1EC", text="#1B2A2F", halo="#FFFFFF"),
    "dark": Theme(ground="#0E1A1F", text="#EAF2F0", halo="#0E1A1F"),
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What one style is made for: language, where tiles are, variant, year ("{year}" is left to the map), versions.

    `versions` gives a token per layer id: a tile URL carries it as `v` and may then be kept for ever. `below` is what
    the paths of a past moment begin with.
    """

    language: str = "zh-CN"
    base: str = ""
    theme: ThemeName = "light"
    year: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    tianditu: bool = False
    below: str = ""

    def url(self, layer: str, ending: str) -> str:
        """Give the tile URL template of a layer."""
        version = f"&v={self.versions[layer]}" if layer in self.versions else ""
        return f"{self.base}{self.below}/tiles/{layer}/{{z}}/{{x}}/{{y}}.{ending}?year={self.year or '{year}'}{version}"


def listed(value: Any) -> Any:
    """Give tuples as the lists JSON has."""
    if isinstance(value, Mapping):
        return {k: listed(v) for k, v in value.items()}
    return [listed(v) for v in value] if isinstance(value, (list, tuple)) else value
