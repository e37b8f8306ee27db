"""Colours as numbers: written forms, lightness, chroma and hue in Oklab, and how well one is seen on another.

Oklab: Björn Ottosson, "A perceptual color space for image processing", 2020. Contrast: WCAG 2.2, relative luminance.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from PIL import ImageColor

FUNCTION = re.compile(r"(rgb|hsl)a?\((.+)\)", re.IGNORECASE)
STEP = 0.01
"""Lightness is raised, and chroma taken back, by this much at a time."""
Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Colour:
    """One colour: Oklab lightness (0–1), chroma (0–about 0.32), hue (radians), and opacity (0–1)."""

    lightness: float
    chroma: float
    hue: float
    opacity: float = 1.0


@lru_cache(maxsize=4096)
def read(text: str) -> Colour | None:
    """Give the colour of a text written as in CSS: "#" with 3, 4, 6 or 8 digits, rgb(), hsl(), a name; else None."""
    text, opacity = _opacity(text.strip().lower())
    try:
        red, green, blue, *more = ImageColor.getrgb(text)
    except ValueError:
        return None
    lightness, a, b = _oklab((red / 255, green / 255, blue / 255))
    return Colour(
        lightness=lightness,
        chroma=math.hypot(a, b),
        hue=math.atan2(b, a),
        opacity=more[0] / 255 if more else opacity,
    )


def write(colour: Colour) -> str:
    """Give "#RRGGBB", or "#RRGGBBAA" where it is not opaque; chroma that no screen shows is taken back."""
    channels = [round(255 * min(1.0, max(0.0, c))) for c in _rgb(shown(colour))]
    if colour.opacity < 1:
        channels.append(round(255 * colour.opacity))
    return "#" + "".join(f"{c:02X}" for c in channels)


def shown(colour: Colour) -> Colour:
    """Give the colour with as much of its chroma as a screen (sRGB) can show at its lightness and hue."""
    while colour.chroma > 0 and not all(-0.002 <= c <= 1.002 for c in _rgb(colour)):
        colour = replace(colour, chroma=max(0.0, colour.chroma - STEP / 4))
    return colour


def contrast(one: Colour, other: Colour) -> float:
    """Give the contrast of two opaque colours, 1–21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Colour) -> float:
    """Give the relative luminance, 0–1 (WCAG 2.2)."""
    red, green, blue = (_linear(min(1.0, max(0.0, c))) for c in _rgb(shown(colour)))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def distance(one: Colour, other: Colour) -> float:
    """Give how different two colours look: the way between them in Oklab, where 0.02 is just seen."""
    a, b = shown(one), shown(other)
    along = a.chroma * math.cos(a.hue) - b.chroma * math.cos(b.hue)
    across = a.chroma * math.sin(a.hue) - b.chroma * math.sin(b.hue)
    return math.hypot(a.lightness - b.lightness, along, across)


def raised(colour: Colour, ground: Colour, least: float) -> Colour:
    """Give the colour made lighter until its contrast with a dark `ground` is at least `least`."""
    while colour.lightness < 1 and contrast(colour, ground) < least:
        colour = replace(colour, lightness=min(1.0, colour.lightness + STEP))
    return shown(colour)


def _opacity(text: str) -> tuple[str, float]:
    """Part the fourth argument of a colour function from its three, which are left as commas have them."""
    found = FUNCTION.fullmatch(text)
    if found is None:
        return text, 1.0
    parts = [p for p in re.split(r"[\s,/]+", found[2].strip()) if p]
    opacity = 1.0
    if len(parts) == 4:
        last = parts.pop()
        try:
            opacity = float(last.rstrip("%")) / (100 if last.endswith("%") else 1)
        except ValueError:
            return text, 1.0
    return f"{found[1]}({','.join(parts)})", min(1.0, max(0.0, opacity))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _encoded(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055


def _oklab(rgb: Triple) -> Triple:
    red, green, blue = (_linear(c) for c in rgb)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _rgb(colour: Colour) -> Triple:
    """Give the sRGB channels, below 0 or above 1 where no screen shows the colour."""
    a, b = colour.chroma * math.cos(colour.hue), colour.chroma * math.sin(colour.hue)
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _encoded(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
        _encoded(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
        _encoded(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short),
    )
