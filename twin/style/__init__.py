"""The layers as a MapLibre style and as legends, from the same values; the only writer of style expressions.

`sheet` what a style is for · `colour` colours as numbers · `dark` what they become at night · `signs` classes as drawn
· `sources`, `drawn`, `whole` the style · `legends` what it means.
"""

from twin.style.dark import paint as painted
from twin.style.dark import recoloured
from twin.style.legends import legend
from twin.style.sheet import COLOUR_OF, NO_COLOUR, SELECTION, THEMES, Sheet, Theme, ThemeName
from twin.style.signs import colour_expression, image
from twin.style.whole import check, style

__all__ = [
    "COLOUR_OF",
    "NO_COLOUR",
    "SELECTION",
    "THEMES",
    "Sheet",
    "Theme",
    "ThemeName",
    "check",
    "colour_expression",
    "image",
    "legend",
    "painted",
    "recoloured",
    "style",
]
