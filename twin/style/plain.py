"""The plain layer of a resource that nobody has drawn by hand: by its declared geometry, in its theme, one colour."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from twin.model import Draw, Layer, Text

if TYPE_CHECKING:
    from twin.model import Resource

COLOURS = ("#0B5CAD", "#8A4B00", "#692558", "#0B6B50", "#A3151A", "#4D5B9E")
"""Told apart by people who see few colours; which one a resource has follows from its id, and stays."""
SHARES: Mapping[str, Literal["open", "conditional"]] = {"unconditional": "open", "conditional": "conditional"}
MOST_SHOWN = 12
_PLAIN = re.compile(r"L[1-9]\d{2,3}")
_TYPES: Mapping[str, Literal["fill", "line", "circle"]] = {"polygon": "fill", "line": "line", "point": "circle"}


def layers(resources: Iterable[Resource], drawn: set[str]) -> tuple[Layer, ...]:
    """Give the layers that resources name (L101 and on) and `drawn` does not have, in the order of their ids."""
    found = {
        name: layer_of(resource, name)
        for resource in resources
        for name in resource.layers
        if name not in drawn and _PLAIN.fullmatch(name) and resource.kind in _TYPES
    }
    return tuple(found[name] for name in sorted(found, key=lambda n: int(n[1:])))


def layer_of(resource: Resource, name: str) -> Layer:
    """Give the layer `name` of one resource: its shapes, a card of every classified field, its name as a label."""
    public = {f.name for f in resource.fields if f.sensitivity == "public"}
    titled = resource.title_field if resource.title_field in public else ""
    colour = COLOURS[zlib.crc32(resource.id.encode()) % len(COLOURS)]
    kind = _TYPES[resource.kind]
    shape = Draw(
        id="shape",
        table=resource.id,
        type=kind,
        title=resource.title,
        paint=_paint(kind, colour),
        columns=(titled,) if titled else (),
        popup=tuple(f.name for f in resource.fields if f.sensitivity)[:MOST_SHOWN],
        minzoom=11,
    )
    return Layer(
        id=name,
        slug=resource.id,
        theme=resource.theme,
        title=resource.title,
        abstract=resource.abstract,
        department=resource.department,
        share=_share(resource),
        draws=(shape, *([_label(resource, titled, colour)] if titled and kind == "circle" else [])),
        code_system=resource.code_system,
        default_on=True,
    )


def _share(resource: Resource) -> Literal["open", "conditional", "masked", "sensitive"]:
    classes = {f.sensitivity for f in resource.fields}
    if "sensitive" in classes:
        return "sensitive"
    return "masked" if "personal" in classes else SHARES.get(resource.share_type, "conditional")


def _paint(kind: str, colour: str) -> Mapping[str, Any]:
    if kind == "fill":
        return {"fill-color": colour, "fill-opacity": 0.45}
    if kind == "line":
        return {"line-color": colour, "line-width": 2.5}
    return {"circle-color": colour, "circle-radius": 7, "circle-stroke-color": "#FFFFFF", "circle-stroke-width": 2}


def _label(resource: Resource, titled: str, colour: str) -> Draw:
    return Draw(
        id="label",
        table=resource.id,
        type="symbol",
        title=Text(f"{resource.title.zh}(名称)", f"{resource.title.en}, names"),
        layout={"text-field": ("get", titled), "text-size": 13, "text-offset": (0, 1.3), "text-anchor": "top"},
        paint={"text-color": colour, "text-halo-color": "#FFFFFF", "text-halo-width": 1.6},
        minzoom=15,
        interactive=False,
        in_legend=False,
    )
