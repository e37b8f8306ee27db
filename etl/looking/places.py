"""Where a sample's rows lie: coordinate columns, system, axis order, web-map offset; what cannot be told is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely

from etl import coordinates
from etl.looking import lexicon
from etl.looking.values import Fact
from twin import geodesy
from twin.errors import CrsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from twin.model import Village

INSIDE = 0.9
CLEARER = 0.1
IN_VILLAGE = ("落在本村的比例", "share in the village")
ON_BUILDINGS = ("落在已发布房屋上的比例", "share on published buildings")
SOME = 0.2
"""The share that must lie on buildings before anything is told from them."""
"""How much larger the share of one hypothesis must be before it is preferred."""
OBFUSCATED = ("gcj02", "bd09")
_X = re.compile(r"经度|东经|^lon(gitude)?$|^lng$|^x$|x坐标|横坐标|^jd$|point_x|东坐标", re.IGNORECASE)
_Y = re.compile(r"纬度|北纬|^lat(itude)?$|^y$|y坐标|纵坐标|^wd$|point_y|北坐标", re.IGNORECASE)
_WEB = (
    ("gcj02", re.compile(r"高德|腾讯|火星|gcj", re.IGNORECASE)),
    ("bd09", re.compile(r"百度|bd-?09|baidu", re.IGNORECASE)),
)
Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What places are held against: the village, and an STRtree of its published buildings, or None."""

    village: Village
    buildings: Any = None


def axes(names: Sequence[str]) -> tuple[str, str]:
    """Give the headings of the coordinate columns (east, north), ("", "") where there are none.

    "X" alone is north in a Chinese survey's sheet and east elsewhere: values decide that, later.
    """
    east = next((n for n in names if _X.search(lexicon.tail(n))), "")
    north = next((n for n in names if _Y.search(lexicon.tail(n)) and n != east), "")
    return (east, north) if east and north else ("", "")


def from_columns(table: pa.Table, x: str, y: str, ground: Ground) -> tuple[list[Fact], str, str]:
    """Tell the system of two coordinate columns; gives the facts and the columns as (east, north)."""
    texts = [
        pa.array([None if v is None else str(v) for v in table.column(n).to_pylist()], pa.string()) for n in (x, y)
    ]
    shapes, _ = coordinates.points(texts[0], texts[1], [""] * len(texts[0]))
    points = shapely.from_wkb(np.array(shapes.to_pylist(), object))
    px, py = _xy(points)
    swapped = _are_swapped(px, py, ground.village)
    if swapped:
        px, py, x, y = py, px, y, x
    facts = system(px, py, ground, f"{x} {y}")
    dms = sum(1 for t in texts[0].to_pylist() if t and re.search(r"[°º′]", t))
    found = [
        Fact(what="x", value=x, sure="likely", why=(f"表头“{x}”,{len(px)} 行有坐标", f"heading “{x}”, {len(px)} rows"))
    ]
    found.append(Fact(what="y", value=y, sure="likely", why=(f"表头“{y}”", f"heading “{y}”")))
    if swapped:
        why = ("按表头读则都不在本县,对调后都在", "as headed nothing lies in the county, exchanged all does")
        found.append(Fact(what="axis_order", value="swapped", sure="sure", why=why))
    if dms:
        why = (f"{dms} 行写成度分秒", f"{dms} rows are written in degrees, minutes, seconds")
        found.append(Fact(what="angle", value="dms", sure="sure", why=why))
    return [*found, *facts], x, y


def from_shapes(column: Any, stated: str, ground: Ground, *, name: str = "", kind: str = "point") -> list[Fact]:
    """Tell the system of delivered shapes, `stated` being what their file says of itself ("" for nothing)."""
    shapes = shapely.from_wkb(np.array([g for g in column.to_pylist()[:5_000] if g is not None], object))
    px, py = _xy(shapely.centroid(shapes)) if len(shapes) else (np.empty(0), np.empty(0))
    if kind != "point":
        ground = replace(ground, buildings=None)
    if not stated:
        return system(px, py, ground, name)
    try:
        crs = geodesy.identify(stated, accepted=ground.village.accepted_crs)
    except CrsError as refused:
        others = tuple(ground.village.accepted_crs)
        return [Fact(what="crs", value="", sure="unknown", why=(refused.zh, refused.en), others=others)]
    said = (f"文件写明 {crs}", f"the file states {crs}")
    if geodesy.is_geographic(crs):
        return _offset(px, py, crs, said, ground=ground, words=name)
    share = _share(px, py, crs, ground.village.plausible_bbox, ground.village)
    held = (f",{share:.0%} 落在本县", f", {share:.0%} lie in the county")
    sure = "sure" if share >= INSIDE else "guess"
    return [Fact(what="crs", value=crs, sure=sure, why=(said[0] + held[0], said[1] + held[1]))]


def system(px: NDArray[Any], py: NDArray[Any], ground: Ground, words: str = "") -> list[Fact]:
    """Tell the system of bare numbers."""
    village = ground.village
    if not len(px):
        why = ("没有可读的坐标", "no coordinate can be read")
        return [Fact(what="crs", value="", sure="unknown", why=why, others=tuple(village.accepted_crs))]
    if np.median(np.abs(px)) <= 180 and np.median(np.abs(py)) <= 90:
        share = _share(px, py, "EPSG:4490", village.plausible_bbox, village)
        if share < 0.5:
            why = (f"像经纬度,但只有 {share:.0%} 落在本县", f"like degrees, but only {share:.0%} lie in the county")
            return [Fact(what="crs", value="", sure="unknown", why=why, others=("EPSG:4490", "gcj02", "bd09"))]
        return _offset(px, py, "EPSG:4490", ("数值是经纬度", "the numbers are degrees"), ground=ground, words=words)
    return _planar(px, py, village)


def _planar(px: NDArray[Any], py: NDArray[Any], village: Village) -> list[Fact]:
    """Tell a Gauss-Krüger zone: by the prefix of the eastings, else by where each accepted system would put them."""
    try:
        zone = geodesy.detect_gauss_kruger(px, py)
        why = (f"东坐标带带号 {zone.zone}({zone.width} 度带)", f"eastings begin with zone {zone.zone} ({zone.width}°)")
        return [Fact(what="crs", value=zone.crs, sure="sure", why=why)]
    except CrsError as refused:
        reason = (refused.zh, refused.en)
    shares = {}
    for crs in village.accepted_crs:
        if not geodesy.is_geographic(crs):
            shares[crs] = _share(px, py, crs, village.plausible_bbox, village)
    best = max(shares, key=lambda c: shares[c], default="")
    if not best or shares[best] < INSIDE:
        return [Fact(what="crs", value="", sure="unknown", why=reason, others=tuple(village.accepted_crs))]
    zh = f"东坐标没有带号;按 {best} 算 {shares[best]:.0%} 落在本县,按本村认可的其他投影不是。请向提供单位核实中央经线"
    en = f"eastings without a zone; by {best} {shares[best]:.0%} lie in the county. Ask for the central meridian"
    return [Fact(what="crs", value=best, sure="likely", why=(zh, en))]


def _offset(
    px: NDArray[Any], py: NDArray[Any], stated: str, said: tuple[str, str], *, ground: Ground, words: str
) -> list[Fact]:
    """Say whether degrees are a web map's: by words, by how many lie in the village, and on buildings, either way."""
    for crs, spoken in _WEB:
        if spoken.search(words):
            why = (f"{said[0]};名称或表头提到网络地图", f"{said[1]}; a name or heading speaks of a web map")
            return [Fact(what="crs", value=crs, sure="likely", why=why, others=(stated,))]
    tried = (stated, *OBFUSCATED)
    on = {c: _on_buildings(px, py, c, ground) for c in tried} if ground.buildings is not None else {}
    inside = {c: _share(px, py, c, ground.village.bbox, ground.village) for c in tried}
    near = on if max(on.values(), default=0.0) >= SOME else inside
    best = max(tried, key=lambda c: (round(near[c], 2), c == stated))
    best = best if near[best] - near[stated] >= CLEARER else stated
    margin = near[best] - max(v for c, v in near.items() if c != best)
    counted = " · ".join(f"{c} {near[c]:.0%}" for c in tried)
    what = IN_VILLAGE if near is inside else ON_BUILDINGS
    why = (f"{said[0]};{what[0]}:{counted}", f"{said[1]}; {what[1]}: {counted}")
    if best == stated and (margin < CLEARER or near is not on):
        zh = f"{why[0]}。看不出偏移,但网络地图偏移只有几百米,请确认"
        return [
            Fact(
                what="crs",
                value=stated,
                sure="guess",
                why=(zh, f"{why[1]}. No offset shows; confirm"),
                others=OBFUSCATED,
            )
        ]
    clear = near is on and margin >= 0.3 and near[best] >= 0.5
    others = tuple(c for c in tried if c != best)
    return [Fact(what="crs", value=best, sure="likely" if clear else "guess", why=why, others=others)]


def _share(px: NDArray[Any], py: NDArray[Any], crs: str, box: Box, village: Village) -> float:
    if not len(px):
        return 0.0
    lon, lat = _degrees(px, py, crs, village)
    return float(np.mean(geodesy.within(lon, lat, box)))


def _degrees(px: NDArray[Any], py: NDArray[Any], crs: str, village: Village) -> tuple[NDArray[Any], NDArray[Any]]:
    moved = shapely.get_coordinates(
        geodesy.transform_geometry(
            np.asarray(shapely.points(px, py), object), crs, village.storage_crs, accepted=village.accepted_crs
        )
    )
    return moved[:, 0], moved[:, 1]


def _on_buildings(px: NDArray[Any], py: NDArray[Any], crs: str, ground: Ground) -> float:
    lon, lat = _degrees(px, py, crs, ground.village)
    hit = ground.buildings.query(shapely.points(lon, lat), predicate="intersects")
    return len(np.unique(hit[0])) / max(1, len(px))


def _xy(points: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    px, py = shapely.get_x(points), shapely.get_y(points)
    good = np.isfinite(px) & np.isfinite(py)
    return px[good], py[good]


def _are_swapped(px: NDArray[Any], py: NDArray[Any], village: Village) -> bool:
    """Say whether most rows lie in the county only with the two columns exchanged."""
    if not len(px):
        return False
    if np.median(np.abs(px)) <= 180 and np.median(np.abs(py)) <= 180:
        return bool(np.mean(geodesy.axis_swapped(px, py, village.plausible_bbox)) > 0.5)
    try:
        return geodesy.detect_gauss_kruger(px, py).swapped
    except CrsError:
        pass
    planar = [c for c in village.accepted_crs if not geodesy.is_geographic(c)]
    as_is = max((_share(px, py, c, village.plausible_bbox, village) for c in planar), default=0.0)
    turned = max((_share(py, px, c, village.plausible_bbox, village) for c in planar), default=0.0)
    return turned > as_is
