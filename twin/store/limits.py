"""The rows, columns and places of a table that one permit leaves: the one relation every room reads through."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Protocol

from twin import duck
from twin.errors import Refused

Rows = tuple[tuple[str, str, tuple[str, ...]], ...]


class Permitted(Protocol):
    """What this room has to know of a permit: conditions on rows, columns only some rows show, the grid of places."""

    @property
    def rows(self) -> Rows: ...  # noqa: D102
    @property
    def only(self) -> Mapping[str, Rows]: ...  # noqa: D102
    @property
    def precision_m(self) -> float: ...  # noqa: D102


_CODES = re.compile(r"(?:\d{3}){2,5}", re.ASCII)
NEVER = "false"
LEFT = "(SELECT * {replaced} FROM {features}{where})"
COARSE = """(SELECT * REPLACE ({shape} AS geom, {x0} AS xmin, {y0} AS ymin, {x1} AS xmax, {y1} AS ymax) FROM (
  SELECT * REPLACE (floor((xmin + xmax) / 2 / {side}) * {side} AS xmin,
                    floor((ymin + ymax) / 2 / {side}) * {side} AS ymin)
  FROM {features}
))"""
SHAPES = {
    "polygon": "ST_MakeEnvelope(xmin, ymin, xmin + {side}, ymin + {side})",
    "line": "ST_MakeLine(ST_Point(xmin, ymin + {half}), ST_Point(xmin + {side}, ymin + {half}))",
    "point": "ST_Point(xmin + {half}, ymin + {half})",
}
"""What stands for a thing of each kind: its cell, a stroke across its cell, its cell's middle."""


def relation(features: str, stored: Collection[str], permit: Permitted | None, *, kind: str, lat: float) -> str:
    """Write what `permit` leaves of `features` as a relation of the same columns; None leaves everything.

    Codes are digits, proved so here, and stand as literals: a relation has no parameters, and zone maps prune by them.
    `lat` is a latitude of the table's, by which metres are stretched in EPSG:3857. Raises Refused for a code that is
    none.
    """
    if permit is None or not (permit.rows or permit.only or permit.precision_m):
        return features
    found = features
    if permit.rows or permit.only:
        emptied = [
            f"CASE WHEN {condition(rows, stored)} THEN {duck.quote(c)} END AS {duck.quote(c)}"
            for c, rows in permit.only.items()
            if c in stored
        ]
        found = LEFT.format(
            replaced=f"REPLACE ({', '.join(emptied)})" if emptied else "",
            features=features,
            where=f" WHERE {condition(permit.rows, stored)}" if permit.rows else "",
        )
    return coarse(found, permit.precision_m, kind, lat) if permit.precision_m and "geom" in stored else found


def condition(rows: Rows, stored: Collection[str]) -> str:
    """Write the condition of `rows`, all of which hold; a column that is not stored holds for no row."""
    return " AND ".join(_holds(column, operator, codes, stored) for column, operator, codes in rows) or "true"


def _holds(column: str, operator: str, codes: tuple[str, ...], stored: Collection[str]) -> str:
    if operator != "prefix" or not all(_CODES.fullmatch(code) for code in codes):
        raise Refused("区域编码有误,不予查询", "An area code is wrong: nothing is asked with it")
    if column not in stored or not codes:
        return NEVER
    name = f"{duck.quote(column)}::VARCHAR"
    return "(" + " OR ".join(f"coalesce(starts_with({name}, {duck.literal(code)}), false)" for code in codes) + ")"


def coarse(features: str, precision_m: float, kind: str, lat: float) -> str:
    """Write `features` with every shape replaced by its cell of a grid of `precision_m` metres or a little more."""
    side = side_of(precision_m, lat)
    return COARSE.format(
        features=features,
        side=side,
        shape=SHAPES.get(kind, SHAPES["point"]).format(side=side, half=side / 2),
        x0="xmin" if kind != "point" else f"xmin + {side / 2}",
        y0="ymin" if kind == "polygon" else f"ymin + {side / 2}",
        x1=f"xmin + {side}" if kind != "point" else f"xmin + {side / 2}",
        y1=f"ymin + {side}" if kind == "polygon" else f"ymin + {side / 2}",
    )


def side_of(precision_m: float, lat: float) -> float:
    """Give the side of a cell in metres of EPSG:3857, at the next whole degree away from the equator."""
    return precision_m / math.cos(math.radians(min(84.0, math.ceil(abs(lat)))))
