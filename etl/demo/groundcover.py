"""What each land class looks like from above in early summer 2020 and in autumn 2025, before shadows and roofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo import palette
from etl.demo.frame import chance
from etl.demo.textures import PIXEL_M, WIDE, Textures

WATER = ("1101", "1103", "1104", "1107")
WOODS = ("0301", "0302", "0305", "0307")


@dataclass(frozen=True, kw_only=True)
class Cover:
    """Per-parcel values, index 0 for nothing: class, colour, row direction, a random number and a state."""

    codes: np.ndarray
    colour: np.ndarray
    along: np.ndarray
    across: np.ndarray
    luck: np.ndarray


def make_cover(parcels: list[dict], year: int, seed: int) -> Cover:
    """Choose each parcel's colour, luck and the direction of its rows (its long side)."""
    rng = chance(seed, f"cover{year}")
    colours_of = palette.SEASONAL[year] | palette.ALWAYS
    keys = np.array([np.random.default_rng(int(row["geometry"].area * 1000) % 2**32).random(4) for row in parcels])
    colours = np.array([palette.KINDS.get(row["zone"], colours_of[row["sandiao"]]) for row in parcels], np.float32)
    mix = keys[:, :3] ** 2 + 0.02
    mix /= mix.sum(axis=1, keepdims=True)
    colour = (colours * mix[:, :, None]).sum(axis=1) * (1 + 0.05 * rng.standard_normal((len(parcels), 1)))
    turn = np.array([_direction(row["geometry"]) for row in parcels])
    first = np.zeros(1, np.float32)
    return Cover(
        codes=np.array(["", *(row["sandiao"] for row in parcels)]),
        colour=np.vstack([np.full(3, 70), colour]).astype(np.float32),
        along=np.append(first, np.cos(turn)).astype(np.float32),
        across=np.append(first, np.sin(turn)).astype(np.float32),
        luck=np.append(first, keys[:, 3]).astype(np.float32),
    )


def _direction(polygon: shapely.Polygon) -> float:
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon))
    sides = np.diff(box[:3], axis=0)
    longest = sides[np.linalg.norm(sides, axis=1).argmax()]
    return float(np.arctan2(longest[1], longest[0]))


@dataclass(kw_only=True)
class Band:
    """Some rows of the picture while they are painted: parcels, colours and the textures over them."""

    pid: np.ndarray
    rgb: np.ndarray
    first: int
    cover: Cover
    textures: Textures
    mottle: np.ndarray
    year: int

    def where(self, *codes: str) -> np.ndarray:
        """Return the flat indices of the pixels of these classes."""
        wanted = np.isin(self.cover.codes, codes)
        return np.flatnonzero(wanted[self.pid.ravel()])

    def tile(self, name: str, at: np.ndarray, shift: int = 0) -> np.ndarray:
        """Return a texture's values at pixels."""
        rows = (at // WIDE + self.first + shift) & 1023
        return getattr(self.textures, name).ravel()[rows * 1024 + ((at % WIDE + shift) & 1023)]

    def rows_of(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return metres along and across each pixel's own parcel rows."""
        x, y = (at % WIDE) * np.float32(PIXEL_M), -(at // WIDE + self.first) * np.float32(PIXEL_M)
        pid = self.pid.ravel()[at]
        a, b = self.cover.along[pid], self.cover.across[pid]
        return x * a + y * b, y * a - x * b

    def luck(self, at: np.ndarray) -> np.ndarray:
        """Return the random number of each pixel's parcel."""
        return self.cover.luck[self.pid.ravel()[at]]

    def scale(self, at: np.ndarray, factor: np.ndarray) -> None:
        """Brighten or darken pixels."""
        self.rgb.reshape(-1, 3)[at] *= factor[:, None].astype(np.float32)

    def blend(self, at: np.ndarray, colour: tuple[float, float, float], share: np.ndarray) -> None:
        """Mix a colour into pixels by shares of 0…1."""
        pixels = self.rgb.reshape(-1, 3)
        share = share[:, None].astype(np.float32)
        pixels[at] = pixels[at] * (1 - share) + np.array(colour, np.float32) * share


def paint_band(band: Band) -> None:
    """Paint all classes of a band in place."""
    band.rgb[:] = band.cover.colour[band.pid]
    for paint in (
        _woods,
        _scrub,
        _bamboo,
        _orchard,
        _tea,
        _paddy,
        _beds,
        _houses,
        _yards,
        _roads,
        _water,
        _shore,
        _greenhouses,
    ):
        paint(band)


def _woods(band: Band) -> None:
    at = band.where("0301", "0307")
    if not len(at):
        return
    band.scale(at, band.tile("crown", at) * (1.0 + 0.07 * band.mottle.ravel()[at]))
    tint = band.tile("crown_tint", at)
    autumn = np.clip((tint - (0.86 if band.year == 2025 else 0.97)) * 4, 0, 0.34)
    band.blend(at, (142, 112, 62) if band.year == 2025 else (118, 130, 74), autumn)
    band.scale(at, 0.86 + 0.28 * tint)


def _scrub(band: Band) -> None:
    at = band.where("0305")
    if len(at):
        open_ground = np.clip(band.mottle.ravel()[at] - 0.5, 0, 0.8)
        band.scale(at, band.tile("culm", at, 400) * (0.86 + 0.26 * band.tile("culm_tint", at, 400)))
        band.blend(at, (134, 128, 88) if band.year == 2025 else (120, 130, 80), open_ground * 0.6)


def _bamboo(band: Band) -> None:
    at = band.where("0302")
    if len(at):
        band.scale(
            at,
            (0.30 + 0.72 * band.tile("culm", at))
            * (1.0 + 0.06 * band.mottle.ravel()[at])
            * (0.92 + 0.16 * band.tile("culm_tint", at)),
        )
        band.scale(at, 1 + 0.05 * band.tile("soft", at, 77))


def _orchard(band: Band) -> None:
    at = band.where("0201")
    if not len(at):
        return
    u, v = band.rows_of(at)
    du, dv = u % 4.2 - 2.1, v % 4.6 - 2.3
    away = np.hypot(du, dv) + 0.18 * band.tile("soft", at)
    crown = np.clip((1.75 - away) / 0.5, 0, 1)
    band.scale(at, 1.06 + 0.07 * band.tile("soft", at, 31))
    band.blend(at, (70, 92, 48) if band.year == 2020 else (74, 88, 46), crown * 0.86)
    band.scale(
        at, np.where(crown > 0.4, 0.92 + 0.24 * (-du * 0.5 - dv * 0.2), np.where((away < 3.0) & (du > 0.3), 0.78, 1.0))
    )


def _tea(band: Band) -> None:
    at = band.where("0202")
    if len(at):
        _, v = band.rows_of(at)
        bend = v + 0.8 * band.mottle.ravel()[at]
        ridge = np.sin(2 * np.pi * bend / 1.9)
        band.scale(at, 1.0 + 0.22 * ridge + 0.05 * band.tile("soft", at))


def _paddy(band: Band) -> None:
    at = band.where("0101")
    if not len(at):
        return
    _, v = band.rows_of(at)
    luck, mottle, soft = band.luck(at), band.mottle.ravel()[at], band.tile("soft", at)
    band.scale(at, 1 + 0.05 * np.sin(2 * np.pi * v / 2.4) + 0.035 * soft + 0.045 * mottle)
    if band.year == 2020:
        flooded = (luck < 0.34) * np.clip(0.45 + 0.22 * mottle + 0.1 * soft, 0, 0.75)
        band.blend(at, (112, 122, 112), flooded)
        band.blend(at, (98, 138, 62), ((luck > 0.8) * 0.45))
    else:
        cut = luck < 0.38
        band.blend(at, (172, 156, 116), cut * 0.7)
        band.scale(at, np.where(cut, 1 + 0.10 * np.sign(np.sin(2 * np.pi * v / 5.0)) + 0.05 * soft, 1.0))
        band.blend(at, (136, 144, 80), (luck > 0.86) * 0.6)


def _beds(band: Band) -> None:
    at = band.where("0102", "0103", "0404")
    if not len(at):
        return
    u, v = band.rows_of(at)
    bed = np.floor(v / 6.0) + 7 * np.floor(u / 26.0)
    kind = np.abs(np.sin(bed * 12.9898 + band.luck(at) * 78.2)) % 1
    grass = band.cover.codes[band.pid.ravel()[at]] == "0404"
    band.blend(at, (84, 112, 58), np.where(grass, 0, (kind < 0.34) * 0.55))
    band.blend(at, (158, 136, 104), np.where(grass, 0, (kind > 0.72) * 0.55))
    band.scale(
        at,
        1
        + np.where(grass, 0.03, 0.11) * np.sin(2 * np.pi * v / 1.5)
        + 0.07 * band.tile("soft", at)
        + 0.05 * band.mottle.ravel()[at],
    )


def _houses(band: Band) -> None:
    at = band.where("0702")
    if not len(at):
        return
    patch = band.mottle.ravel()[at] + 0.9 * band.tile("soft", at, 211)
    band.blend(at, (88, 106, 62), np.clip((patch - 0.15) * 1.3, 0, 0.85))
    band.blend(at, (150, 134, 110), np.clip((-patch - 0.6) * 1.2, 0, 0.6))
    band.scale(at, 1 + 0.05 * band.tile("grain", at))


def _yards(band: Band) -> None:
    at = band.where("05H1", "08H1", "08H2", "0810", "0601", "0809", "1109")
    if len(at):
        u, v = band.rows_of(at)
        joint = ((u % 5 < 0.5) | (v % 5 < 0.5)) * 0.06
        band.scale(at, 1 - joint + 0.03 * band.tile("grain", at) + 0.03 * band.mottle.ravel()[at])


def _roads(band: Band) -> None:
    at = band.where("1003", "1006")
    if len(at):
        band.scale(at, 1 + 0.035 * band.tile("grain", at) + 0.03 * band.tile("soft", at, 5))


def _water(band: Band) -> None:
    at = band.where("1101", "1103", "1104", "1107")
    if not len(at):
        return
    mottle, soft = band.mottle.ravel()[at], band.tile("soft", at, 300)
    band.scale(at, 1 + 0.035 * mottle + 0.02 * soft)
    band.blend(at, (150, 170, 176), np.clip(0.10 + 0.035 * mottle, 0, 0.3))
    pond = band.cover.codes[band.pid.ravel()[at]] == "1104"
    band.blend(at, (102, 122, 84), pond * (band.luck(at) > 0.6) * 0.5)


def _shore(band: Band) -> None:
    at = band.where("1106")
    if len(at):
        patch = band.mottle.ravel()[at] + 0.7 * band.tile("soft", at, 90)
        band.blend(at, (178, 168, 146), np.clip(patch - 0.3, 0, 0.9))
        band.blend(at, (78, 100, 56), np.clip(-patch, 0, 0.8))


def _greenhouses(band: Band) -> None:
    at = band.where("1202")
    if len(at):
        _, v = band.rows_of(at)
        arch = v % 8.6
        band.scale(at, 0.82 + 0.22 * np.sin(np.pi * np.clip(arch / 7.6, 0, 1)) + 0.02 * band.tile("grain", at))
        band.blend(at, (112, 116, 84), (arch > 7.6) * 0.8)


def edges(pid: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of field bunds (between fields) and of firm edges (walls and kerbs) in a block of rows."""
    below, right = np.zeros(pid.shape, bool), np.zeros(pid.shape, bool)
    below[:-1], right[:, :-1] = pid[:-1] != pid[1:], pid[:, :-1] != pid[:, 1:]
    border = below | right
    soft = np.isin(codes, ["0101", "0102", "0103", "0201", "0202", "0404", "1104", "1202"])[pid]
    return border & soft, border & np.isin(codes, ["0601", "08H1", "08H2", "05H1"])[pid]
