"""The land form: a valley with its river, side valleys, gullies and ridges, as a 10 m and a 2 m grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates
from scipy.spatial import KDTree

from etl.demo.frame import SIZE_M, X0, Y0, chance

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CELL_M = 10.0
DEM_CELL_M = 2.0
RESERVOIR_LEVEL_M = 86.4
DAM_CREST_M = 88.2
SUMMIT_M = 236.2
_AXIS = (
    (-400, -100, 200, 520, 900, 1300, 1700, 2060, 2420, 2780, 3100, 3400),
    (1690, 1650, 1590, 1490, 1380, 1345, 1415, 1520, 1555, 1500, 1420, 1350),
)
# name, mouth (metres along the axis), head u, head v, half width of the bottom
_SIDES = (
    ("", 200, 170, 2480, 12),
    ("上塘溪", 1010, 560, 2760, 24),
    ("", 1560, 1500, 2640, 14),
    ("石坞溪", 2190, 2060, 2800, 18),
    ("", 2760, 2740, 2580, 12),
    ("", 470, 330, 400, 14),
    ("前山溪", 1230, 1060, 250, 18),
    ("", 1850, 1880, 330, 14),
    ("南坞溪", 2500, 2520, 380, 18),
    ("", 2960, 2930, 760, 10),
)
REACH_M = 600.0
DAMMED = "上塘溪"
_DAM_AT_M = 640.0


@dataclass(frozen=True, kw_only=True)
class Valley:
    """The smooth axis of the main valley; places on the floor are (s metres along it, d metres left of it)."""

    s: np.ndarray
    xy: np.ndarray
    normal: np.ndarray

    def at(self, s: ArrayLike, d: ArrayLike) -> np.ndarray:
        """Return world coordinates (…, 2) of valley coordinates."""
        s, d = np.broadcast_arrays(np.asarray(s, float), np.asarray(d, float))
        columns = [
            np.interp(s, self.s, a[:, k]) + d * np.interp(s, self.s, self.normal[:, k])
            for a in (self.xy,)
            for k in (0, 1)
        ]
        return np.stack(columns, axis=-1)

    def river(self, s: ArrayLike) -> np.ndarray:
        """Return the offset of the meandering river from the axis, metres."""
        s = np.asarray(s, float)
        return 17 * np.sin(2 * np.pi * s / 455 + 0.6) + 7 * np.sin(2 * np.pi * s / 205 + 2.0)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A stream from its mouth up to its head: points, bed heights and the half width of its valley bottom."""

    name: str
    order: int
    xy: np.ndarray
    z: np.ndarray
    bottom_m: float


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """The land form on 10 m nodes (row 0 south, column 0 west) with everything land use asks of it."""

    valley: Valley
    streams: tuple[Stream, ...]
    z: np.ndarray
    s: np.ndarray
    d: np.ndarray
    rise: np.ndarray
    slope: np.ndarray
    catchment: np.ndarray
    dam: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Return how many nodes there are from south to north and from west to east."""
        return len(self.z), len(self.z[0])

    def sample(self, field: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Interpolate a 10 m field at world points (n, 2)."""
        return _sampled(field, xy)


def river_level(s: ArrayLike) -> np.ndarray:
    """Return the river's water level, metres (1985 height datum), falling eastwards."""
    return 43.0 - 0.0042 * np.asarray(s, float)


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> np.ndarray:
    """Return smooth noise of unit variance; `sigma` in cells."""
    field = gaussian_filter(rng.standard_normal(shape), sigma, mode="reflect")
    return field / field.std()


def make_valley() -> Valley:
    """Lay the valley axis through its fixed points, 4 m apart, with s = 0 at the west edge of the window."""
    u = np.arange(-390, 3390, 2.0)
    v = CubicSpline(*_AXIS)(u)
    v = gaussian_filter1d(v, 30, mode="nearest")
    xy = np.column_stack([u + X0, v + Y0])
    s = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    tangent = np.gradient(xy, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1)[:, None]
    return Valley(s=s - np.interp(0, u, s), xy=xy, normal=np.column_stack([-tangent[:, 1], tangent[:, 0]]))


def _polyline(start: np.ndarray, end: np.ndarray, wiggle: float, rng: np.random.Generator) -> np.ndarray:
    t = np.linspace(0, 1, 90)[:, None]
    along = end - start
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    swing = np.sin(2 * np.pi * (t * rng.uniform(1.2, 1.9) + rng.random())) + 0.5 * np.sin(
        2 * np.pi * (t * 3.7 + rng.random())
    )
    swing -= swing[0] * (1 - t) + swing[-1] * t
    return start + along * t + across * swing * wiggle


def _length(xy: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])


def _bed(name: str, base: float, length: np.ndarray) -> np.ndarray:
    if name == DAMMED:
        knots = (0, 330, _DAM_AT_M - 40, _DAM_AT_M + 330, 1300, 1700)
        return np.interp(length, knots, (base, base + 4, 70, 78.5, 165, 225))
    far = np.clip(length - 330, 0, None)
    return base + 0.012 * np.minimum(length, 330) + 0.055 * far + 0.000095 * far**2


def _gullies(side: Stream, rng: np.random.Generator) -> list[Stream]:
    found, turn = [], rng.choice([-1, 1])
    for f in np.arange(0.42, 0.97, 0.135) + rng.uniform(-0.03, 0.03):
        k = int(f * (len(side.xy) - 4))
        up = side.xy[k + 4] - side.xy[k]
        turn = -turn
        a = np.arctan2(up[1], up[0]) + turn * rng.uniform(0.75, 1.2)
        reach = rng.uniform(150, 330) * (1.2 - 0.5 * f)
        xy = _polyline(side.xy[k], side.xy[k] + reach * np.array([np.cos(a), np.sin(a)]), 14, rng)
        far = _length(xy)
        found.append(Stream(name="", order=2, xy=xy, z=side.z[k] + 1 + 0.10 * far + 0.0005 * far**2, bottom_m=2))
    return found


def _hollows(valley: Valley, rng: np.random.Generator) -> list[Stream]:
    """Return short dry hollows that bite into the foot of the slopes between the side valleys."""
    found = []
    for side in (-1, 1):
        for s in np.arange(60, 3050, 165) + rng.uniform(-45, 45, 19):
            start = valley.at(s, side * rng.uniform(365, 420))
            end = start + np.array([rng.uniform(-90, 90), side * rng.uniform(200, 420)])
            xy = _polyline(start, end, 16, rng)
            far = _length(xy)
            base = float(river_level(s)) + 9
            found.append(Stream(name="", order=2, xy=xy, z=base + 0.14 * far + 0.00055 * far**2, bottom_m=3))
    return found


def _beyond() -> list[Stream]:
    """Return the neighbours' valleys behind the ridges, so that the ridges are ridges."""
    u = np.linspace(-300, 3300, 90)
    bends = {3330: 85 + 25 * np.sin(u / 500), -330: 80 + 25 * np.sin(u / 430 + 1)}
    return [
        Stream(name="", order=3, xy=np.column_stack([u + X0, v + 90 * np.sin(u / 310) + Y0]), z=z, bottom_m=10)
        for v, z in bends.items()
    ]


def make_streams(valley: Valley, rng: np.random.Generator) -> tuple[Stream, ...]:
    """Draw the side streams from the river to their heads, and the gullies that feed them."""
    streams: list[Stream] = []
    for name, mouth, head_u, head_v, bottom in _SIDES:
        start = valley.at(mouth, valley.river(mouth))
        xy = _polyline(start, np.array([X0 + head_u, Y0 + head_v]), 30, rng)
        side = Stream(name=name, order=1, xy=xy, z=_bed(name, float(river_level(mouth)), _length(xy)), bottom_m=bottom)
        streams += [side, *_gullies(side, rng)]
    return (*streams, *_hollows(valley, rng), *_beyond())


def _nodes() -> np.ndarray:
    axis = np.arange(0, SIZE_M + 1, CELL_M)
    x, y = np.meshgrid(axis + X0, axis + Y0)
    return np.column_stack([x.ravel(), y.ravel()])


def _flank(stream: Stream, nodes: np.ndarray, steepness: np.ndarray) -> np.ndarray:
    """Return the lowest of the cones that stand on the stream's points: continuous wherever the stream ends.

    `nodes` is (n, n, 2), `steepness` (n, n); a cone is followed for REACH_M, beyond which others are always lower.
    """
    n, reach = len(nodes), int(REACH_M / CELL_M)
    lowest = np.full((n, n), np.inf)
    for (x, y), bed in zip(stream.xy, stream.z, strict=True):
        row, column = int((y - Y0) / CELL_M), int((x - X0) / CELL_M)
        near = np.s_[max(row - reach, 0) : max(row + reach, 0), max(column - reach, 0) : max(column + reach, 0)]
        distance = np.hypot(nodes[near][..., 0] - x, nodes[near][..., 1] - y)
        away = np.clip(distance - stream.bottom_m, 0, None) * steepness[near]
        cone = bed + away + 0.01 * np.minimum(distance, stream.bottom_m)
        np.minimum(lowest[near], cone, out=lowest[near])
    return lowest


def _valley_floor(s: np.ndarray, d: np.ndarray, rough: np.ndarray) -> np.ndarray:
    north = 365 + 45 * np.sin(s / 270 + 0.4) + 22 * np.sin(s / 120)
    south = 345 + 50 * np.sin(s / 310 + 2.2) + 22 * np.sin(s / 135 + 1)
    away = np.abs(d) - np.where(d > 0, north, south) - 28 * rough
    up = 26 * np.logaddexp(0, away / 26)
    return river_level(s) + 1.2 + 0.012 * np.abs(d) + 0.30 * up + 0.0006 * up**2


def _soft_minimum(fields: np.ndarray, softness: float) -> np.ndarray:
    low = fields.min(axis=0)
    return low - softness * np.log(np.exp(-(fields - low) / softness).sum(axis=0))


def _summit(rise: np.ndarray) -> np.ndarray:
    """Round the tops off without touching the valley floor."""
    top = 330.0
    return np.where(rise > 0, top * np.tanh(rise / top), rise)


def _scaled(z: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Stretch the upper slopes so that the highest point well inside the window is SUMMIT_M."""
    inside = (np.abs(nodes - (X0 + 1500, Y0 + 1500)) < 1250).all(axis=1).reshape(z.shape)
    base = 90.0
    return np.where(z > base, base + (z - base) * (SUMMIT_M - base) / (z[inside].max() - base), z)


def make_terrain(seed: int) -> Terrain:
    """Make the land form from its drainage: every point lies above its nearest streams by distance and steepness."""
    rng, valley, nodes = chance(seed, "terrain"), make_valley(), _nodes()
    n = int(SIZE_M / CELL_M) + 1
    streams = make_streams(valley, rng)
    rough, fine, broad = noise(rng, (n, n), 11).ravel(), noise(rng, (n, n), 3.2).ravel(), noise(rng, (n, n), 26).ravel()
    k = KDTree(valley.xy).query(nodes)[1]
    s, offset = valley.s[k], nodes - valley.xy[k]
    d = (offset * valley.normal[k]).sum(axis=1)
    steepness = 0.43 * (1 + 0.18 * rough + 0.08 * fine)
    square, steep = nodes.reshape(n, n, 2), steepness.reshape(n, n)
    fields = np.stack([_valley_floor(s, d, rough), *(_flank(stream, square, steep).ravel() for stream in streams)])
    z = _soft_minimum(fields, 5.0)
    floor = river_level(s)
    rise = _summit(z - floor)
    rise += np.clip((rise - 9) / 40, 0, 1) * (3.2 * rough + 1.1 * fine) + np.clip((rise - 60) / 90, 0, 1) * 16 * broad
    z = _scaled(gaussian_filter((floor + rise).reshape(n, n), 0.9), nodes)
    slope = np.linalg.norm(np.gradient(gaussian_filter(z, 1.2), CELL_M), axis=0)
    return Terrain(
        valley=valley,
        streams=streams,
        z=z,
        s=s.reshape(n, n),
        d=d.reshape(n, n),
        slope=slope,
        rise=z - floor.reshape(n, n),
        catchment=fields.argmin(axis=0).reshape(n, n),
        dam=_dam(next(stream for stream in streams if stream.name == DAMMED), z),
    )


def _dam(stream: Stream, z: np.ndarray) -> np.ndarray:
    """Return the two abutments of the dam: the first place up the stream where both flanks reach the crest."""
    for at in np.arange(_DAM_AT_M, _DAM_AT_M + 260, 15.0):
        k = int(np.searchsorted(_length(stream.xy), at))
        along = stream.xy[k + 2] - stream.xy[k - 2]
        across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
        lines = [stream.xy[k] + sign * np.arange(0, 190, 2.0)[:, None] * across for sign in (-1, 1)]
        above = [_sampled(z, line) > DAM_CREST_M for line in lines]
        if all(high.any() and not high[0] for high in above):
            break
    return np.array([line[int(np.argmax(high))] for line, high in zip(lines, above, strict=True)])


def _sampled(field: np.ndarray, xy: np.ndarray) -> np.ndarray:
    return map_coordinates(field, [(xy[:, 1] - Y0) / CELL_M, (xy[:, 0] - X0) / CELL_M], order=1, mode="nearest")


def fine_grid(terrain: Terrain) -> np.ndarray:
    """Return the 2 m heights (row 0 north) before water, dam, terraces and roads are cut into them."""
    nodes = np.arange(terrain.z.shape[0]) * CELL_M
    centres = np.arange(DEM_CELL_M / 2, SIZE_M, DEM_CELL_M)
    return RectBivariateSpline(nodes, nodes, terrain.z, kx=2, ky=2)(centres, centres)[::-1].astype(np.float32)
