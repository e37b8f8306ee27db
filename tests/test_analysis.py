"""What lies inside a drawn polygon, against a result worked out by hand in the village's metric system."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from tests import serving_fixture as village
from tests.serving_fixture import LAT, LON, STEP
from twin.api import rooms
from twin.errors import BadRequest, NotFound
from twin.policy import ANONYMOUS_LOCAL

if TYPE_CHECKING:
    from twin.api.rooms import Rooms

LOCAL = ANONYMOUS_LOCAL


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    return rooms(*village.build(tmp_path_factory.mktemp("analysis"), with_rasters=False))


def polygon(*corners: tuple[float, float]) -> dict:
    ring = [[LON + i * STEP, LAT + j * STEP] for i, j in (*corners, corners[0])]
    return {"type": "Polygon", "coordinates": [ring]}


def by_hand(geojson: dict) -> dict[str, list[float]]:
    """Intersect the 2025 parcels with the polygon in EPSG:4549 by shapely alone."""
    to = Transformer.from_crs(4326, 4549, always_xy=True)

    def metric(shape: shapely.Geometry) -> shapely.Geometry:
        xy = shapely.get_coordinates(shape)
        return shapely.set_coordinates(shape, np.column_stack(to.transform(xy[:, 0], xy[:, 1])))

    area = metric(shapely.geometry.shape(geojson))
    sums: dict[str, list[float]] = {}
    for row in village.cover_rows():
        if row["year"] != 2025:
            continue
        part = metric(shapely.from_wkt(row["wkt"])).intersection(area).area
        if part > 0.01:
            found = sums.setdefault(row["land_class"], [0, 0.0])
            found[0] += 1
            found[1] += part
    return {**sums, "": [1, area.area]}


@pytest.mark.parametrize(
    "drawn",
    [
        polygon((0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5)),
        polygon((0.2, 0.3), (2.9, 1.1), (1.4, 2.8)),
        polygon((-1, -1), (4, -1), (4, 4), (-1, 4)),
        polygon((1.1, 1.1), (1.9, 1.1), (1.9, 1.9)),
    ],
)
def test_areas_and_counts_by_class_are_those_of_the_metric_system(built: Rooms, drawn: dict) -> None:
    answer = built.analysis.overlay(LOCAL, drawn)
    hand = by_hand(drawn)
    cover = next(t for t in answer["tables"] if t["table"] == "cover")
    assert answer["area_m2"] == pytest.approx(hand[""][1], rel=1e-6)
    assert answer["area_mu"] == pytest.approx(answer["area_m2"] / 666.6667, abs=1e-4)
    assert {c["value"]: c["count"] for c in cover["classes"]} == {k: v[0] for k, v in hand.items() if k}
    for found in cover["classes"]:
        assert found["area_m2"] == pytest.approx(hand[found["value"]][1], abs=0.05)
        assert found["area_mu"] == pytest.approx(found["area_m2"] / (2000 / 3), abs=1e-4)
    assert cover["area_m2"] == pytest.approx(sum(v[1] for k, v in hand.items() if k), abs=0.1)


def test_control_lines_and_people_on_duty_are_told(built: Rooms) -> None:
    answer = built.analysis.overlay(LOCAL, polygon((0.2, 0.2), (0.8, 0.2), (0.8, 0.8)), language="en")
    assert [(c["title"], c["forbidden"], c["contact"]) for c in answer["controls"]] == [
        ("永久基本农田", "建房、挖塘", "0572-8000000")
    ]
    assert [(d["name"], d["phone"]) for d in answer["duty"]] == [("王建国", "13900000001")]


def test_a_neighbour_along_the_boundary_is_not_inside(built: Rooms) -> None:
    answer = built.analysis.overlay(LOCAL, polygon((1, 1), (2, 1), (2, 2), (1, 2)))
    cover = next(t for t in answer["tables"] if t["table"] == "cover")
    assert [r["id"] for r in cover["listed"]] == ["P5"]


def test_lines_are_measured_and_points_counted(built: Rooms) -> None:
    answer = built.analysis.overlay(LOCAL, polygon((1, 1), (2, 1), (2, 2), (1, 2)))
    tables = {t["table"]: t for t in answer["tables"]}
    assert tables["road"]["length_m"] == pytest.approx(95.9, abs=0.5)
    assert tables["house"]["count"] == 1
    assert "area_m2" not in tables["house"]


def test_the_year_chooses_the_edition(built: Rooms) -> None:
    drawn = polygon((1.1, 1.1), (1.9, 1.1), (1.9, 1.9))
    old = built.analysis.overlay(LOCAL, drawn, year=2020)["tables"][0]["classes"]
    new = built.analysis.overlay(LOCAL, drawn, year=2025)["tables"][0]["classes"]
    assert (old[0]["value"], new[0]["value"]) == ("0103", "0101")


def test_layers_can_be_chosen_and_unknown_ones_are_refused(built: Rooms) -> None:
    drawn = polygon((0, 0), (2, 0), (2, 2))
    assert {t["layer"] for t in built.analysis.overlay(LOCAL, drawn, ["L16"])["tables"]} == {"L16"}
    with pytest.raises(NotFound):
        built.analysis.overlay(LOCAL, drawn, ["L99"])


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"type": "Point", "coordinates": [119.97, 30.53]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": "everything"},
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "Polygon", "coordinates": [[[1e9, 1e9], [1e9, 2e9], [2e9, 2e9], [1e9, 1e9]]]},
        {"type": "Polygon", "coordinates": [[[None, None]] * 4]},
        {"type": "Feature", "geometry": None},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
        {
            "type": "Polygon",
            "coordinates": [[[119.9, 30.4], [120.4, 30.4], [120.4, 30.9], [119.9, 30.9], [119.9, 30.4]]],
        },
        {"type": "Polygon", "coordinates": [[[119.97 + i * 1e-7, 30.53 + (i % 2) * 1e-7] for i in range(6000)]]},
        {"type": "Polygon", "coordinates": [[[float("nan"), 1], [1, 2], [2, 2], [float("nan"), 1]]]},
    ],
)
def test_what_is_no_reasonable_polygon_is_refused_with_a_sentence(built: Rooms, wrong: dict) -> None:
    with pytest.raises(BadRequest) as refused:
        built.analysis.overlay(LOCAL, wrong)
    assert refused.value.zh
    assert refused.value.en


def test_a_feature_of_a_polygon_is_taken_too(built: Rooms) -> None:
    drawn = polygon((0, 0), (1, 0), (1, 1))
    feature = {"type": "Feature", "properties": {}, "geometry": drawn}
    assert built.analysis.overlay(LOCAL, feature) == built.analysis.overlay(LOCAL, drawn)


def test_identify_gives_the_top_layer_first_and_each_thing_once(built: Rooms) -> None:
    found = built.analysis.identify(LOCAL, (119.9715, 30.5315), language="en")
    assert [f["table"] for f in found] == ["house", "grid", "red_line", "road", "cover"]
    assert found[0]["title"] == "祠堂"
    assert built.analysis.identify(LOCAL, (119.9, 30.4)) == []
    near = built.analysis.identify(LOCAL, (119.9716, 30.5315), ["L16"], radius_m=20)
    assert near[0]["id"] == "H1"
    assert near[0]["distance_m"] == pytest.approx(9.6, abs=0.2)


def test_no_private_value_leaves_by_an_analysis(built: Rooms) -> None:
    text = repr(built.analysis.overlay(LOCAL, polygon((-1, -1), (4, -1), (4, 4), (-1, 4))))
    text += repr(built.analysis.identify(LOCAL, (119.9715, 30.5315)))
    for name in ("personal", "sensitive", "unclassified"):
        assert village.CANARY[name] not in text


def test_tables_not_drawn_by_a_visible_layer_are_not_searched(built: Rooms) -> None:
    hidden = replace(built.onemap.layer("L17"))
    assert hidden.draws[0].table == "secret"
    found = built.analysis.identify(LOCAL, (LON + STEP, LAT + STEP), radius_m=5)
    assert "secret" not in {f["table"] for f in found}
