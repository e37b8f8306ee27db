"""The two forms a published raster has, photographs and heights: what a pixel is, and how it is packed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

NODATA = -32768.0
"""The nodata value of published heights."""


def _on_top(below: np.ndarray, above: np.ndarray) -> None:
    opaque = above[3] >= 128
    np.copyto(below, above, where=opaque)
    np.copyto(below[3], np.uint8(255), where=opaque)


def _known(below: np.ndarray, above: np.ndarray) -> None:
    np.copyto(below, above, where=np.isfinite(above) & (above != NODATA))


@dataclass(frozen=True, kw_only=True)
class Form:
    """The bands and type of a pixel, the bands a delivery may have, and the options of the published COG.

    `merge` lays pixels (bands, rows, columns) over others in place; `empty` is the value where there are none.
    """

    name: str
    bands: int
    dtype: str
    delivered: frozenset[int]
    empty: float
    merge: Callable[[np.ndarray, np.ndarray], None]
    profile: Mapping[str, object] = field(default_factory=dict)
    packing: Mapping[str, str] = field(default_factory=dict)


IMAGERY = Form(
    name="imagery",
    bands=4,
    dtype="uint8",
    delivered=frozenset({3, 4}),
    empty=0,
    merge=_on_top,
    profile={"photometric": "RGB", "alpha": "YES"},
    packing={"COMPRESS": "WEBP", "QUALITY": "82", "OVERVIEW_QUALITY": "82", "OVERVIEW_RESAMPLING": "AVERAGE"},
)
TERRAIN = Form(
    name="terrain",
    bands=1,
    dtype="float32",
    delivered=frozenset({1}),
    empty=NODATA,
    merge=_known,
    profile={"nodata": NODATA},
    packing={"COMPRESS": "DEFLATE", "PREDICTOR": "3", "OVERVIEW_RESAMPLING": "AVERAGE"},
)
FORMS: Mapping[str, Form] = MappingProxyType({f.name: f for f in (IMAGERY, TERRAIN)})
