"""The dark map: what each declared colour becomes at night; the one place where map, legend and drawn tiles get it.

Areas are mixed with the dark ground, signs and words are lifted off it. All of it happens in Oklab with the hue kept,
so that a red stays red and neighbours stay apart; a layer declares its light colours and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twin.errors import DeclarationError
from twin.style.colour import Colour, raised, read, write
from twin.style.sheet import COLOUR_OF, THEMES

if TYPE_CHECKING:
    from twin.model import Draw

IMAGE = re.compile(r"((?:hatch|icon)-[a-z]+-)([0-9a-f]{6})", re.IGNORECASE)
DAY, NIGHT = THEMES["light"], THEMES["dark"]
NEUTRAL = 0.03
"""Below this chroma a colour is a grey: as a rim it is the theme's own, as a line it is quiet."""
INK = 0.05
"""Below this chroma words have no colour to keep: theirs is the theme's own."""
CASING = 0.65
"""A grey line in no legend, lighter than this, only parts another line from its ground: it takes the halo's colour."""
PHOTO: Mapping[str, float] = {"raster-brightness-max": 0.62, "raster-saturation": -0.12}
"""A photograph is dimmed: it has no colours of ours to mix."""
RELIEF: Mapping[str, str] = {
    "hillshade-shadow-color": "#000000",
    "hillshade-highlight-color": "#FFFFFF",
    "hillshade-accent-color": "#000000",
}
"""MapLibre's own colours of relief, where a layer leaves them out."""


@dataclass(frozen=True, kw_only=True)
class Tone:
    """How a kind of sign leaves the light: its lightness goes `share` of the way `towards` another.

    Chroma is multiplied; `calm` takes more from strong colours than from pale ones. `least` is the contrast with the
    dark ground, up to which the lightness is raised.
    """

    towards: float
    share: float
    chroma: float = 1.0
    calm: float = 0.0
    least: float = 1.0


def _ground() -> Colour:
    found = read(NIGHT.ground)
    assert found is not None  # noqa: S101 - our own constant
    return found


GROUND = _ground()
AREA = Tone(towards=GROUND.lightness, share=0.5, calm=1.5)
BACKDROP = Tone(towards=GROUND.lightness, share=0.8, chroma=1.3, calm=2)
SOLID = Tone(towards=GROUND.lightness, share=0.35, calm=1.5)
LINE = Tone(towards=0.7, share=0.5, least=3)
QUIET = Tone(towards=0.56, share=0.7, least=3)
POINT = Tone(towards=0.8, share=0.68, least=6)
WORDS = Tone(towards=0.92, share=0.8, chroma=0.8, least=7)
SHADE = Tone(towards=0.05, share=0.8)
SUNLIT = Tone(towards=0.42, share=0.85)
TONES: Mapping[str, Tone] = {
    "fill-color": AREA,
    "fill-outline-color": LINE,
    "fill-extrusion-color": SOLID,
    "heatmap-color": AREA,
    "line-color": LINE,
    "line-gradient": LINE,
    "circle-color": POINT,
    "circle-stroke-color": POINT,
    "icon-color": POINT,
    "text-color": WORDS,
    "hillshade-shadow-color": SHADE,
    "hillshade-accent-color": SHADE,
    "hillshade-highlight-color": SUNLIT,
}
"""The tone of each colour property. A halo has none: it is the theme's."""
TONES_OF_IMAGES: Mapping[str, Tone] = {"hatch": LINE, "icon": POINT}


@lru_cache(maxsize=4096)
def toned(tone: Tone, colour: Colour) -> Colour:
    """Give the colour as this tone has it on the dark ground."""
    lightness = colour.lightness + (tone.towards - colour.lightness) * tone.share
    chroma = colour.chroma * tone.chroma / (1 + tone.calm * colour.chroma)
    return raised(replace(colour, lightness=lightness, chroma=chroma), GROUND, tone.least)


def recoloured(theme: str, draw: Draw, text: str, name: str = "") -> str:
    """Give what a colour of `draw` becomes in `theme`, for its paint property `name` (by default its classes' one).

    Raises DeclarationError for a text that is no colour.
    """
    if theme == "light":
        return text
    name = name or COLOUR_OF.get(draw.type, "")
    colour = read(text)
    if colour is None:
        raise DeclarationError(
            f"图示 {draw.id} 的 {name} 不是颜色:{text}", f"{name} of draw {draw.id} is no colour: {text}", draw=draw.id
        )
    if colour.opacity == 0:
        return text
    return write(_at_night(draw, name, colour))


def image(theme: str, name: str) -> str:
    """Give the name of a drawn image ("hatch-diagonal-b3261e") with its colour as it is in `theme`."""
    found = IMAGE.fullmatch(name)
    if theme == "light" or found is None:
        return name
    colour = read(f"#{found[2]}")
    tone = TONES_OF_IMAGES[found[1].partition("-")[0]]
    return found[1] + write(toned(tone, colour))[1:7].lower() if colour else name


def paint(theme: str, draw: Draw) -> Mapping[str, Any]:
    """Give the paint that `draw` declares as it is in `theme`; raises DeclarationError for a text that is no colour."""
    if theme == "light":
        return draw.paint
    start = PHOTO if draw.type == "raster" else RELIEF if draw.type == "hillshade" else {}
    return {name: _property(theme, draw, name, value) for name, value in {**start, **draw.paint}.items()}


def layout(theme: str, draw: Draw) -> Mapping[str, Any]:
    """Give the layout that `draw` declares, its drawn images as they are in `theme`."""
    if "icon-image" not in draw.layout:
        return draw.layout
    return {**draw.layout, "icon-image": outputs(draw.layout["icon-image"], lambda text: image(theme, text))}


def outputs(value: Any, change: Callable[[str], str]) -> Any:
    """Give a property's value, plain or an expression, with every text that it can come to changed.

    What an expression asks (conditions, classes, names of columns) stays, and so does what rows say by themselves.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {k: [[at, outputs(v, change)] for at, v in x] if k == "stops" else x for k, x in value.items()}
    if not isinstance(value, (list, tuple)) or not value:
        return value
    where = OUTPUTS.get(str(value[0]).removesuffix("-hcl").removesuffix("-lab"))
    if where is None:
        return value
    at = set(range(*where(len(value))))
    last = {len(value) - 1} if value[0] in ("match", "case", "let") else set[int]()
    return [outputs(v, change) if k in at | last else v for k, v in enumerate(value)]


OUTPUTS: Mapping[str, Callable[[int], tuple[int, int, int]]] = {
    "match": lambda n: (3, n, 2),
    "case": lambda n: (2, n, 2),
    "step": lambda n: (2, n, 2),
    "interpolate": lambda n: (4, n, 2),
    "let": lambda n: (2, n, 2),
    "coalesce": lambda n: (1, n, 1),
    "to-color": lambda n: (1, n, 1),
    "image": lambda n: (1, n, 1),
}
"""Where an expression holds what it can come to: first, end and step of its places."""


def _property(theme: str, draw: Draw, name: str, value: Any) -> Any:
    if name.endswith("-halo-color"):
        return NIGHT.halo
    if name in TONES:
        return outputs(_mixed(value), lambda text: recoloured(theme, draw, text, name))
    if name.endswith("-pattern"):
        return outputs(value, lambda text: image(theme, text))
    if name == "raster-brightness-max" and isinstance(value, (int, float)):
        return min(value, PHOTO[name])
    return value


def _mixed(value: Any) -> Any:
    """Give ["rgb", 1, 2, 3], wherever it stands, as the text it means."""
    if not isinstance(value, (list, tuple)) or not value:
        return value
    if value[0] in ("rgb", "rgba") and all(isinstance(v, (int, float)) for v in value[1:]):
        return f"{value[0]}({','.join(map(str, value[1:]))})"
    return [_mixed(v) for v in value]


def _at_night(draw: Draw, name: str, colour: Colour) -> Colour:
    """Give the colour by what it is there for: the day's ink and halo have their own at night."""
    swapped = _swapped(draw, name, colour)
    if swapped is not None:
        return replace(swapped, opacity=colour.opacity)
    return toned(_tone(draw, name, colour), colour)


def _swapped(draw: Draw, name: str, colour: Colour) -> Colour | None:
    is_grey = colour.chroma < NEUTRAL
    if name == "text-color" and colour.chroma < INK:
        return read(NIGHT.text)
    if name == "circle-stroke-color" and is_grey:
        return read(NIGHT.halo if colour.lightness > CASING else NIGHT.text)
    unread = not draw.in_legend and not draw.interactive
    if name == "line-color" and is_grey and unread and colour.lightness > CASING:
        return read(NIGHT.halo)
    return None


def _tone(draw: Draw, name: str, colour: Colour) -> Tone:
    if name == "fill-color" and not draw.in_legend and not draw.interactive:
        return BACKDROP
    if name == "line-color" and colour.chroma < NEUTRAL:
        return QUIET
    return TONES.get(name, AREA)
