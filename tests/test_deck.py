"""The deck specs are what deck.gl's converter takes: data as data, words as words, addresses untouched."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from twin import deck
from twin.errors import BadRequest

ROWS = [
    {
        "lon": 119.97,
        "lat": 30.53,
        "elders": 12,
        "layer": "L15",
        "table": "care_grid",
        "id": "001",
        "title": "第 01 网格",
    },
    {"lon": 119.98, "lat": 30.54, "elders": None, "table": "care_grid", "id": "002"},
]


def layers(*specs: deck.DeckLayer) -> list[dict[str, Any]]:
    return json.loads(deck.spec(*specs))["layers"]


def test_a_tileset_keeps_its_root_relative_address() -> None:
    [found] = layers(deck.tileset("scene:building", "/tiles/scene/building/tileset.json"))
    assert found["@@type"] == "Tile3DLayer"
    assert found["data"] == "/tiles/scene/building/tileset.json"
    assert found["pickable"] is True
    assert found["loadOptions"]["core"]["worker"] is False


def test_columns_carry_height_place_and_what_they_stand_for() -> None:
    [found] = layers(deck.columns("elders", ROWS, value="elders", metres_per_unit=5))
    assert found["@@type"] == "ColumnLayer"
    assert found["data"] == [
        {
            "layer": "L15",
            "table": "care_grid",
            "id": "001",
            "title": "第 01 网格",
            "position": [119.97, 30.53],
            "value": 12,
            "height_m": 60,
        }
    ]
    assert found["getPosition"] == "@@=position"
    assert found["getElevation"] == "@@=height_m"
    assert found["radiusUnits"] == "meters"
    assert found["getFillColor"] == [11, 92, 173, 255]


def test_a_row_without_a_value_is_left_out_and_nought_is_kept() -> None:
    [found] = layers(deck.columns("x", [{**ROWS[0], "elders": 0}, ROWS[1]], value="elders"))
    assert [row["height_m"] for row in found["data"]] == [0]


def test_layers_keep_their_order_and_no_camera_goes_along() -> None:
    made = json.loads(deck.spec(deck.columns("b", ROWS, value="elders"), deck.tileset("a", "/t.json")))
    assert [x["id"] for x in made["layers"]] == ["b", "a"]
    assert set(made) == {"layers"}


def test_too_many_points_are_refused_in_words() -> None:
    rows = [{"lon": 119.9, "lat": 30.5, "n": 1}] * (deck.POINT_LIMIT + 1)
    with pytest.raises(BadRequest, match=re.escape("50001")):
        deck.columns("x", rows, value="n")


@pytest.mark.parametrize("text", ["0B5CAD", "#0B5CA", "#GGGGGG", "red", "#0B5CADFF"])
def test_a_colour_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        deck.colour(text)


def test_no_address_of_anybody_else_is_in_a_spec() -> None:
    assert "://" not in deck.spec(deck.columns("b", ROWS, value="elders"), deck.tileset("a", "/t.json"))
