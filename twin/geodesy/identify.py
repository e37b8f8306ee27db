"""What a file's own statement of its system means, and what the numbers themselves say: zones and axis order."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np
import pyproj
from pyproj.exceptions import CRSError as ProjError

from twin.errors import CrsError
from twin.geodesy import systems
from twin.geodesy.systems import GaussKruger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from twin.model import Bbox

_NAMED = re.compile(r"(?:EPSG:|urn:ogc:def:crs:EPSG:[\d.]*:)(\d{4,6})", re.IGNORECASE)
_ZONE = re.compile(r"zone[ _]*(\d{2})", re.IGNORECASE)
_MERIDIAN = re.compile(r"(?:CM|meridian)[ _]*(\d{2,3})(?:[ _]*E)?", re.IGNORECASE)
_PREFIX = 10_000_000.0
_LONGEST = 65536
_TOLERANCE = 1e-6


def identify(stated: str, *, accepted: Mapping[str, float] | None = None) -> str:
    """Give the "EPSG:n" of what a file states of itself: "EPSG:n", WKT (a .prj) or PROJJSON.

    Name and parameters must both agree: a .prj with the right name and a wrong false easting is refused. Raises
    CrsError when nothing is stated, when the statement contradicts itself, or when `transformer` does not allow it.
    """
    text = stated.strip()
    if not text:
        raise systems.absent()
    if named := _NAMED.fullmatch(text):
        code = int(named[1])
    elif text.upper() in ("OGC:CRS84", "CRS84"):
        code = 4326
    else:
        code = _from_definition(text, accepted or {})
    kind = systems.family(code)
    if kind in ("cgcs2000", "wgs84", "mercator") or f"EPSG:{code}" in (accepted or {}):
        return f"EPSG:{code}"
    raise systems.refusal(text if len(text) < 40 else f"EPSG:{code}", kind)


def detect_gauss_kruger(x: ArrayLike, y: ArrayLike) -> GaussKruger:
    """Give the zone that zone-prefixed (8-digit) eastings state: zones 25-45 are 3°, 13-23 are 6°.

    x and y are metres, in either order (`swapped` says that y held the eastings); non-finite values are ignored. Raises
    CrsError where eastings have six digits (the central meridian must then be declared), or name more than one zone.
    """
    first, second = _finite(x, y)
    if first.size == 0:
        raise systems.absent()
    swapped = bool(np.median(np.abs(second)) >= _PREFIX > np.median(np.abs(first)))
    eastings = second if swapped else first
    if np.median(eastings) < _PREFIX:
        raise _no_prefix(float(np.median(eastings)))
    zones = {int(z) for z in np.unique(eastings // 1_000_000)}
    if len(zones) > 1:
        raise _many_zones(zones)
    zone = zones.pop()
    if 25 <= zone <= 45:
        return GaussKruger(width=3, zone=zone, central_meridian=3 * zone, swapped=swapped)
    if 13 <= zone <= 23:
        return GaussKruger(width=6, zone=zone, central_meridian=6 * zone - 3, swapped=swapped)
    raise _many_zones({zone})


def axis_swapped(lon: ArrayLike, lat: ArrayLike, plausible: Bbox) -> NDArray[np.bool_]:
    """Flag each row that lies outside the plausible box as given, but inside it with lon and lat exchanged."""
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    return ~within(x, y, plausible) & within(y, x, plausible)


def within(lon: ArrayLike, lat: ArrayLike, box: Bbox) -> NDArray[np.bool_]:
    """Flag each row inside `box` (degrees; NaN is outside)."""
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    west, south, east, north = box
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def _finite(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel()
    good = np.isfinite(first) & np.isfinite(second)
    return first[good], second[good]


def _from_definition(text: str, accepted: Mapping[str, float]) -> int:
    if len(text) > _LONGEST or systems.names_a_file(text):
        raise systems.unknown(text)
    try:
        crs = pyproj.CRS.from_json(text) if text.startswith("{") else pyproj.CRS.from_wkt(text)
    except (ProjError, ValueError) as wrong:
        raise systems.unknown(text) from wrong
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if crs.is_projected:
        return _projected(crs, accepted)
    return _geographic(crs, accepted)


def _geographic(crs: pyproj.CRS, accepted: Mapping[str, float]) -> int:
    for code in (4490, 4326):
        if _same_datum(crs, pyproj.CRS.from_epsg(code)) and _flattening_fits(crs, code):
            return code
    return _matched(crs, accepted)


def _projected(crs: pyproj.CRS, accepted: Mapping[str, float]) -> int:
    values = _values(crs)
    if crs.geodetic_crs is not None and _same_datum(crs.geodetic_crs, pyproj.CRS.from_epsg(4490)):
        return systems.code_of(_zone_of(crs.name, values).crs)
    return _matched(crs, accepted)


def _matched(crs: pyproj.CRS, accepted: Mapping[str, float]) -> int:
    """Give the code PROJ names, provided every parameter agrees with it, else raise what a clerk can act on."""
    code = crs.to_epsg(min_confidence=25)
    if code is None:
        raise systems.unknown(crs.name)
    if systems.family(code) != "mercator" and f"EPSG:{code}" not in accepted:
        raise systems.refusal(f"EPSG:{code}", systems.family(code))
    known = _values(pyproj.CRS.from_epsg(code))
    given = _values(crs)
    wrong = {k for k in known if not math.isclose(known[k], given.get(k, math.nan), rel_tol=1e-9, abs_tol=_TOLERANCE)}
    if wrong:
        raise _contradiction(crs.name, ", ".join(sorted(wrong)), f"EPSG:{code}")
    return code


def _zone_of(name: str, values: Mapping[str, float]) -> GaussKruger:
    """Give the CGCS2000 zone its parameters describe; raises CrsError where the name says another."""
    meridian, easting = values.get("longitude", math.nan), values.get("easting", math.nan)
    fixed = {"latitude": 0.0, "scale": 1.0, "northing": 0.0}
    wrong = [k for k, v in fixed.items() if not math.isclose(values.get(k, math.nan), v, abs_tol=1e-9)]
    zones = [z for z in _all_zones() if z.central_meridian == meridian and z.false_easting_m == easting]
    if wrong or not zones:
        raise _contradiction(name, "false easting / central meridian" if not wrong else ", ".join(wrong), "CGCS2000 GK")
    six = "6_degree" in name.lower().replace("-", "_").replace(" ", "_")
    zone = next((z for z in zones if (z.width == 6) == six), zones[0])
    stated_zone, stated_meridian = _ZONE.search(name), _MERIDIAN.search(name)
    if stated_zone and (int(stated_zone[1]) != zone.zone or not zone.prefixed):
        raise _contradiction(name, f"zone {stated_zone[1]}", zone.crs)
    if stated_meridian and (int(stated_meridian[1]) != zone.central_meridian or zone.prefixed):
        raise _contradiction(name, f"CM {stated_meridian[1]}", zone.crs)
    return zone


def _all_zones() -> list[GaussKruger]:
    codes = (*systems.GK3_ZONE, *systems.GK3_CM, *systems.GK6_ZONE, *systems.GK6_CM)
    return [z for z in map(systems.gauss_kruger, codes) if z is not None]


_PARAMETERS = {"8801": "latitude", "8802": "longitude", "8805": "scale", "8806": "easting", "8807": "northing"}


def _values(crs: pyproj.CRS) -> dict[str, float]:
    """Give the numbers that define a system, by short names; angles in degrees, lengths in metres."""
    values: dict[str, float] = {}
    if crs.coordinate_operation is not None and crs.is_projected:
        for parameter in crs.coordinate_operation.params:
            if isinstance(parameter.value, str):  # a file of shifts: nothing that a delivery names is opened
                raise systems.unknown(crs.name)
            values[_PARAMETERS.get(parameter.code, parameter.name)] = float(parameter.value) * (
                parameter.unit_conversion_factor if "metre" in parameter.unit_name else 1.0
            )
    if crs.ellipsoid is not None:
        values["semi-major axis"] = crs.ellipsoid.semi_major_metre
        values["inverse flattening"] = round(crs.ellipsoid.inverse_flattening, 6)
    if crs.axis_info:
        values["unit"] = crs.axis_info[0].unit_conversion_factor
    return values


def _same_datum(crs: pyproj.CRS, known: pyproj.CRS) -> bool:
    if crs.datum is None or known.datum is None:
        return False
    names = {_plain(crs.datum.name), _plain(crs.name)} & {
        _plain(known.datum.name),
        _plain(known.name),
        *_ALIASES.get(known.name, ()),
    }
    return bool(names)


_ALIASES = {
    "China Geodetic Coordinate System 2000": (
        "dchina2000",
        "chinageodeticcoordinatesystem2000",
        "cgcs2000",
        "gcschinageodeticcoordinatesystem2000",
        "gcscgcs2000",
        "dcgcs2000",
    ),
    "WGS 84": ("wgs1984", "dwgs1984", "gcswgs1984", "worldgeodeticsystem1984"),
}


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())


def _flattening_fits(crs: pyproj.CRS, code: int) -> bool:
    known = _values(pyproj.CRS.from_epsg(code))
    return all(math.isclose(known[k], v, rel_tol=1e-9) for k, v in _values(crs).items() if k in known)


def _contradiction(name: str, what: str, code: str) -> CrsError:
    return CrsError(
        f"坐标系定义自相矛盾：名称“{name}”与参数不符({what}，应对照 {code})。"
        "请报送单位核对 .prj 的带号、中央经线和东偏移后重报。",
        f"The coordinate system contradicts itself: the name “{name}” and "
        f"its parameters disagree ({what}; compare {code}). "
        "Ask the sender to check zone, central meridian and false easting in the .prj and to deliver again.",
        crs=name,
    )


def _no_prefix(easting: float) -> CrsError:
    return CrsError(
        f"东坐标(如 {easting:.0f})没有带号前缀，无法判断属于哪个投影带，系统不猜。请报送单位提供中央经线(如 120°E)，"
        '并在目录该来源下写明 crs，例如 120°E 写 "EPSG:4549"。',
        f"Eastings such as {easting:.0f} carry no zone number, so the zone "
        "cannot be told and is not guessed. Ask the sender "
        'for the central meridian and declare crs, e.g. "EPSG:4549" for 120°E.',
    )


def _many_zones(zones: set[int]) -> CrsError:
    shown = ", ".join(str(z) for z in sorted(zones)[:6])
    return CrsError(
        f"东坐标的带号为 {shown}，不是同一个有效的高斯-克吕格带(3度带 "
        "25–45，6度带 13–23)。请报送单位统一到一个带后重报。",
        f"Eastings name zone {shown}, which is not one valid Gauss-Kruger zone (25-45 for 3°, 13-23 for 6°). "
        "Ask the sender to deliver in a single zone.",
    )
