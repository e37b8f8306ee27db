"""What MapLibre cannot draw, as pydeck's own JSON for the map's `threeD.deck`; the only user of pydeck.

Pydeck takes a plain string for an expression and a root-relative address for a file to open: words are wrapped in
`pydeck.types.String`, and addresses are put in after the JSON is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydeck as pdk
from pydeck.types import String

from twin.errors import BadRequest

POINT_LIMIT = 50_000
"""More points than this and a machine without a GPU no longer answers."""
HEX_DIGITS = 7


@dataclass(frozen=True, kw_only=True)
class DeckLayer:
    """One layer of deck.gl: its pydeck layer, and the address of its data ("" where the data is inside)."""

    layer: pdk.Layer
    url: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def colour(text: str, opacity: float = 1.0) -> list[int]:
    """Give "#RRGGBB" as deck's [r, g, b, a] of 0–255; raises BadRequest for another form."""
    digits = text.removeprefix("#")
    if len(text) != HEX_DIGITS or len(digits) != HEX_DIGITS - 1:
        raise BadRequest(f"颜色 {text} 不是 #RRGGBB", f"Colour {text} is not #RRGGBB", colour=text)
    try:
        return [*bytes.fromhex(digits), round(opacity * 255)]
    except ValueError:
        raise BadRequest(f"颜色 {text} 不是 #RRGGBB", f"Colour {text} is not #RRGGBB", colour=text) from None


def tileset(layer_id: str, url: str, *, opacity: float = 1.0, point_size: float = 2.0) -> DeckLayer:
    """Give a 3D Tiles layer whose `tileset.json` lies at `url` (root-relative is right); picking tells the place."""
    made = pdk.Layer("Tile3DLayer", id=layer_id, data=[], pickable=True, opacity=opacity, point_size=point_size)
    options = {
        # No worker: deck would fetch it from a public host; the main thread parses a village's tiles in milliseconds.
        "loadOptions": {"core": {"worker": False}, "tileset": {"maximumScreenSpaceError": 16}},
        # A point's colour was photographed: what light there is, is in it.
        "_subLayerProps": {"pointcloud": {"material": {"unlit": True}}},
    }
    return DeckLayer(layer=made, url=url, options=options)


def columns(
    layer_id: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    value: str,
    metres_per_unit: float = 1.0,
    radius_m: float = 20.0,
    fill: str = "#0B5CAD",
    opacity: float = 0.9,
) -> DeckLayer:
    """Give upright columns, one a row, as high as its `value` × `metres_per_unit`.

    A row has `lon`, `lat` (degrees, EPSG:4326) and the column `value`; `table`, `id` and `title`, where it has them,
    make a picked column a feature of the map. A row without a value is left out, never drawn as nought.
    Raises BadRequest beyond POINT_LIMIT rows.
    """
    data = [_column(row, value, metres_per_unit) for row in rows if row.get(value) is not None]
    _check_number(layer_id, data)
    made = pdk.Layer(
        "ColumnLayer",
        id=layer_id,
        data=data,
        get_position="position",
        get_elevation="height_m",
        get_fill_color=colour(fill),
        radius=radius_m,
        extruded=True,
        pickable=True,
        opacity=opacity,
        auto_highlight=True,
        elevation_scale=1,
        radius_units=String("meters"),
    )
    return DeckLayer(layer=made)


def spec(*layers: DeckLayer) -> str:
    """Give the layers as the JSON text that the map's `threeD.deck` takes; the camera stays the map's."""
    made = json.loads(pdk.Deck(layers=[x.layer for x in layers]).to_json())
    drawn = [_completed(raw, x) for raw, x in zip(made["layers"], layers, strict=True)]
    return json.dumps({"layers": drawn}, ensure_ascii=False, separators=(",", ":"))


def _column(row: Mapping[str, Any], value: str, metres_per_unit: float) -> dict[str, Any]:
    named = {name: row[name] for name in ("layer", "table", "id", "title") if name in row}
    return {
        **named,
        "position": [row["lon"], row["lat"]],
        "value": row[value],
        "height_m": row[value] * metres_per_unit,
    }


def _check_number(layer_id: str, data: Sequence[Any]) -> None:
    if len(data) > POINT_LIMIT:
        raise BadRequest(
            f"三维图层 {layer_id} 有 {len(data)} 个点,超过 {POINT_LIMIT},请先汇总",
            f"3D layer {layer_id} has {len(data)} points, over {POINT_LIMIT}: aggregate them first",
            layer=layer_id,
        )


def _completed(raw: Mapping[str, Any], layer: DeckLayer) -> dict[str, Any]:
    kept = {key: value for key, value in raw.items() if value is not None}
    return {**kept, **layer.options, **({"data": layer.url} if layer.url else {})}
