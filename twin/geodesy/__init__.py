"""Coordinate systems, zones, obfuscated coordinates, areas; the only package that imports pyproj."""

from __future__ import annotations

from twin.geodesy.identify import axis_swapped, detect_gauss_kruger, identify, within
from twin.geodesy.measure import MU_M2, area_m2, from_mercator, length_m, to_mercator
from twin.geodesy.obfuscated import (
    CHINA_BOX,
    bd09_to_gcj02,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    in_china_box,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from twin.geodesy.systems import GaussKruger, gauss_kruger, names_a_file
from twin.geodesy.transform import Transformer, is_geographic, projjson, same, transform_geometry, transformer

__all__ = [
    "CHINA_BOX",
    "MU_M2",
    "GaussKruger",
    "Transformer",
    "area_m2",
    "axis_swapped",
    "bd09_to_gcj02",
    "bd09_to_wgs84",
    "detect_gauss_kruger",
    "from_mercator",
    "gauss_kruger",
    "gcj02_to_bd09",
    "gcj02_to_wgs84",
    "identify",
    "in_china_box",
    "is_geographic",
    "length_m",
    "names_a_file",
    "projjson",
    "same",
    "to_mercator",
    "transform_geometry",
    "transformer",
    "wgs84_to_bd09",
    "wgs84_to_gcj02",
    "within",
]
