"""From one coordinate system to another by the allow-list alone: no operation that PROJ calls "ballpark" is ever used.

Axis order is always x (east, lon), y (north, lat), whatever the authority says.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import pyproj.network
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj.exceptions import CRSError as ProjError
from pyproj.transformer import TransformerGroup

from twin.errors import CrsError
from twin.geodesy import obfuscated, systems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pyproj.network.set_network_enabled(active=False)  # pyright: ignore[reportPrivateImportUsage]

Xy = tuple[NDArray[np.float64], NDArray[np.float64]]
_HUB = 4326
_OBFUSCATED: Mapping[str, Callable[[ArrayLike, ArrayLike], Xy]] = {
    "gcj02": obfuscated.gcj02_to_wgs84,
    "bd09": obfuscated.bd09_to_wgs84,
}


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """A proved way from one system to another; `accuracy_m` is what PROJ or the data owner states of it.

    Calling it, or `.transform`, takes x, y arrays (or numbers) and gives x, y float arrays of the same shape; points
    that cannot be transformed become inf. It is safe to share between threads.
    """

    crs_from: str
    crs_to: str
    accuracy_m: float
    steps: tuple[Callable[[ArrayLike, ArrayLike], Xy], ...]

    def transform(self, x: ArrayLike, y: ArrayLike) -> Xy:
        """Transform x, y (east, north) of `crs_from` into x, y of `crs_to`."""
        px, py = np.asarray(x, np.float64), np.asarray(y, np.float64)
        for step in self.steps:
            px, py = step(px, py)
        return px, py

    __call__ = transform


def transformer(crs_from: str, crs_to: str, *, accepted: Mapping[str, float] | None = None) -> Transformer:
    """Give the transformer between two systems.

    `crs_from` is "EPSG:n", "gcj02" or "bd09"; `crs_to` is "EPSG:n". Allowed: EPSG:4490, 4480, 4326 (taken as identical,
    sub-metre), the CGCS2000 Gauss-Kruger zones 4491-4554, EPSG:3857, and what `accepted` ("EPSG:n" → accuracy, m)
    names provided PROJ has a non-ballpark operation at least that good. Raises CrsError for everything else.
    """
    return _transformer(crs_from.strip(), crs_to.strip(), frozenset((accepted or {}).items()))


def transform_geometry(
    geometries: ArrayLike, crs_from: str, crs_to: str, *, accepted: Mapping[str, float] | None = None
) -> NDArray[np.object_]:
    """Transform an array of shapely geometries, or of WKB, into shapely geometries of `crs_to` (x, y order, z dropped).

    Nulls stay null; coordinates that cannot be transformed become inf. Raises CrsError as `transformer` does.
    """
    shapes = np.asarray(geometries, dtype=object)
    if shapes.size and any(isinstance(g, bytes) for g in shapes.flat):
        shapes = shapely.from_wkb(shapes)
    way = transformer(crs_from, crs_to, accepted=accepted)
    flat = shapely.force_2d(shapes)
    if not way.steps:
        return np.asarray(flat, dtype=object)
    xy = shapely.get_coordinates(flat)
    x, y = way.transform(xy[:, 0], xy[:, 1])
    return np.asarray(shapely.set_coordinates(np.array(flat, dtype=object), np.column_stack([x, y])), dtype=object)


def projjson(crs: str) -> dict[str, Any]:
    """Give the PROJJSON of "EPSG:n" for a GeoParquet `geo` key; raises CrsError for an unknown code."""
    return _crs(systems.code_of(crs)).to_json_dict()


def is_geographic(crs: str) -> bool:
    """Tell whether "EPSG:n" is in degrees; raises CrsError for an unknown code."""
    return bool(_crs(systems.code_of(crs)).is_geographic)


@lru_cache(maxsize=256)
def _transformer(crs_from: str, crs_to: str, accepted: frozenset[tuple[str, float]]) -> Transformer:
    owned = {systems.code_of(k): v for k, v in accepted}
    steps: list[Callable[[ArrayLike, ArrayLike], Xy]] = []
    source, target, accuracy = _HUB, systems.code_of(crs_to), 0.0
    if crs_from.lower() in _OBFUSCATED:
        steps.append(_OBFUSCATED[crs_from.lower()])
    else:
        source = systems.code_of(crs_from)
    for code, name in ((source, crs_from), (target, crs_to)):
        accuracy = max(accuracy, _permit(code, name, owned))
    steps += _legs(source, target, owned)
    return Transformer(crs_from=crs_from, crs_to=crs_to, accuracy_m=accuracy, steps=tuple(steps))


def _permit(code: int, name: str, owned: Mapping[int, float]) -> float:
    """Give the accuracy in metres a system is permitted with, or raise its refusal."""
    kind = systems.family(code)
    if kind in ("cgcs2000", "wgs84", "mercator"):
        return 0.0 if code not in systems.HUB else 0.5
    if code in owned:
        return owned[code]
    raise systems.refusal(name, kind)


def _legs(source: int, target: int, owned: Mapping[int, float]) -> list[Callable[[ArrayLike, ArrayLike], Xy]]:
    if source == target or (source in systems.HUB and target in systems.HUB):
        return []
    if _base(source) == _base(target) and source not in systems.HUB and target not in systems.HUB:
        inverse, forward = _step(source, _base(source), owned), _step(_base(target), target, owned)
        return [inverse, forward]
    legs = [] if source in systems.HUB else [_step(source, _hub_of(source), owned)]
    return legs + ([] if target in systems.HUB else [_step(_hub_of(target), target, owned)])


def _hub_of(code: int) -> int:
    return 4490 if systems.gauss_kruger(code) else _HUB


def _base(code: int) -> int:
    return _hub_of(code) if systems.family(code) != "other" else code


def _step(source: int, target: int, owned: Mapping[int, float]) -> Callable[[ArrayLike, ArrayLike], Xy]:
    way = _best(source, target)
    limit = max(owned.get(source, 0.0), owned.get(target, 0.0))
    if not 0.0 <= way.accuracy <= limit:
        raise CrsError(
            f"EPSG:{source} → EPSG:{target} 在本机可用的最好换算精度为 {way.accuracy} 米，达不到登记的 {limit} 米。"
            "请数据负责人核实 village.toml 的 accepted_crs，或由报送单位换算后重报。",
            f"EPSG:{source} → EPSG:{target}: the best operation available is "
            f"accurate to {way.accuracy} m, not the registered "
            f"{limit} m. The data owner checks accepted_crs in village.toml, or the sender delivers transformed data.",
        )
    return way.transform


@lru_cache(maxsize=256)
def _best(source: int, target: int) -> pyproj.Transformer:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # a better grid may exist elsewhere; the accuracy is checked by the caller
        group = TransformerGroup(_crs(source), _crs(target), always_xy=True, allow_ballpark=False)
    known = [t for t in group.transformers if t.accuracy is not None and t.accuracy >= 0]
    if not known:
        raise systems.unknown(f"EPSG:{source}")
    return min(known, key=lambda t: float(t.accuracy))


@lru_cache(maxsize=256)
def _crs(code: int) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_epsg(code)
    except ProjError as wrong:
        raise systems.unknown(f"EPSG:{code}") from wrong


def same(one: str, other: str) -> bool:
    """Tell whether two "EPSG:n" mean the same numbers (4490 and 4326 do; so do zones of one meridian)."""
    a, b = systems.code_of(one), systems.code_of(other)
    if a == b or (a in systems.HUB and b in systems.HUB):
        return True
    first, second = systems.gauss_kruger(a), systems.gauss_kruger(b)
    if first is None or second is None:
        return False
    return (first.central_meridian, first.false_easting_m) == (second.central_meridian, second.false_easting_m)
