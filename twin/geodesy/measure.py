"""Areas and lengths in the one metric system of a village, and the display projection of the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from twin.errors import CrsError
from twin.geodesy.transform import Xy, is_geographic, transform_geometry, transformer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

MU_M2 = 2000.0 / 3.0
"""Square metres in one 亩 (15 亩 = 1 ha)."""


def area_m2(
    geometries: ArrayLike, crs: str, *, metric_crs: str = "", accepted: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """Give planar areas in m² of geometries (shapely or WKB) that are in `crs`, measured in `metric_crs`.

    `metric_crs` "" means `crs` itself, which must then be projected. Nulls give NaN. Raises CrsError
    for degrees or 3857.
    """
    return np.asarray(shapely.area(_metric(geometries, crs, metric_crs, accepted)), np.float64)


def length_m(
    geometries: ArrayLike, crs: str, *, metric_crs: str = "", accepted: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """Give planar lengths in m (perimeters of polygons) of geometries in `crs`, measured as `area_m2` measures."""
    return np.asarray(shapely.length(_metric(geometries, crs, metric_crs, accepted)), np.float64)


def to_mercator(lon: ArrayLike, lat: ArrayLike) -> Xy:
    """Project degrees lon, lat (EPSG:4326 or 4490) to EPSG:3857 metres x, y."""
    return transformer("EPSG:4326", "EPSG:3857").transform(lon, lat)


def from_mercator(x: ArrayLike, y: ArrayLike) -> Xy:
    """Give degrees lon, lat of EPSG:3857 metres x, y."""
    return transformer("EPSG:3857", "EPSG:4326").transform(x, y)


def _metric(
    geometries: ArrayLike, crs: str, metric_crs: str, accepted: Mapping[str, float] | None
) -> NDArray[np.object_]:
    target = metric_crs or crs
    if is_geographic(target) or target.upper() == "EPSG:3857":
        raise CrsError(
            f"不能在 {target} 中量算面积或长度(度，或被墨卡托放大)。"
            "请用本县的高斯-克吕格带(village.toml 的 metric_crs)。",
            f"Areas and lengths are not measured in {target} (degrees, or inflated by Mercator). "
            "Use the county's Gauss-Kruger zone (metric_crs in village.toml).",
            crs=target,
        )
    shapes = transform_geometry(geometries, crs, target, accepted=accepted)
    _refuse_degrees(shapes, target)
    return shapes


def _refuse_degrees(shapes: NDArray[np.object_], crs: str) -> None:
    box = shapely.total_bounds(shapes)
    if np.isfinite(box).all() and np.abs(box).max() <= 180.0 and shapes.size and not shapely.is_empty(shapes).all():
        raise CrsError(
            f"坐标看起来是经纬度，却按 {crs}(米)量算。请写明图形所在的坐标系。",
            f"The coordinates look like degrees but {crs} is in metres. Name the system the geometries are in.",
            crs=crs,
        )
