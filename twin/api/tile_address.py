"""A tile's address read: what kind of tile, of which layer or table, where, for which year, theme and version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from twin.api import moments
from twin.errors import BadRequest
from twin.policy import unknown
from twin.style import THEMES
from twin.tiles import MAXZOOM, Address

TEMPLATES = (
    "GET /tiles/{layer}/{z}/{x}/{y}.mvt",
    "GET /tiles/{layer}/{z}/{x}/{y}.png",
    "GET /tiles/drawn/{layer}/{z}/{x}/{y}.png",
    "GET /tiles/terrain/{z}/{x}/{y}.png",
    "GET /tiles/scene/{table}/{path}",
    "GET /tiles/tianditu/{set}/{z}/{x}/{y}",
)
"""What this server answers; the policy has a row for each."""
NUMBER = re.compile(r"[0-9]{1,8}")
YEAR = re.compile(r"[0-9]{4}")
NOWHERE = Address(z=0, x=0, y=0)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A parsed tile request: what kind, of which layer (or table), where, theme, and the version the client names.

    `as_of` is the moment it is asked as of, as it is written; "" is the present.
    """

    kind: str
    name: str
    at: Address = NOWHERE
    path: str = ""
    version: str = ""
    theme: str = "light"
    as_of: str = ""


def parse(path: str, query: bytes) -> Wanted:
    """Read a tile's address; raises BadRequest for numbers out of range, NotFound for no such address."""
    parts = path.split("/")[2:]
    asked = dict(parse_qsl(query.decode("latin-1")))
    version = asked.get("v", "")
    year = asked.get("year", "")
    if year and not YEAR.fullmatch(year):
        raise BadRequest("年份应为四位数字", "The year must be four digits", year=year[:20])
    if parts[0] == "scene" and len(parts) >= 3:
        path = "/".join(parts[2:])
        return Wanted(kind="scene", name=parts[1], path=path, version=version, as_of=asked.get(moments.NAME, ""))
    if len(parts) == 5 and parts[0] in ("drawn", "tianditu"):
        kind, name, *rest = parts
    elif len(parts) == 4:
        kind, name, rest = ("terrain" if parts[0] == "terrain" else ""), parts[0], parts[1:]
    else:
        raise unknown(path)
    last, dot, ending = rest[2].partition(".")
    if (kind != "tianditu" and (not dot or ending not in ("mvt", "png"))) or (kind and ending == "mvt"):
        raise unknown(path)
    at = _address(rest[0], rest[1], last, int(year) if year else None)
    more = {"theme": _theme(asked), "as_of": asked.get(moments.NAME, "")}
    return Wanted(kind=kind or ending, name=name, at=at, version=version, **more)


def _theme(asked: dict[str, str]) -> str:
    theme = asked.get("theme", "light")
    if theme not in THEMES:
        raise BadRequest("主题应为 light 或 dark", "The theme must be light or dark", theme=theme[:20])
    return theme


def _address(z: str, x: str, y: str, year: int | None) -> Address:
    if not (NUMBER.fullmatch(z) and NUMBER.fullmatch(x) and NUMBER.fullmatch(y)):
        raise BadRequest("瓦片编号应为数字", "Tile numbers must be digits")
    if int(z) > MAXZOOM or int(x) >= 2 ** int(z) or int(y) >= 2 ** int(z):
        raise BadRequest(f"没有这个瓦片(级别 0–{MAXZOOM})", f"There is no such tile (zooms 0-{MAXZOOM})")
    return Address(z=int(z), x=int(x), y=int(y), year=year)
