"""A card gathers all that is known of one thing, both editions of it, and where each value comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests import serving_fixture as village
from twin import durable
from twin.api import rooms
from twin.entities import Asked, local
from twin.errors import NotFound
from twin.policy import ANONYMOUS_LOCAL

if TYPE_CHECKING:
    from pathlib import Path

    from twin.api.rooms import Rooms

LOCAL = ANONYMOUS_LOCAL
EN = Asked(language="en")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    return rooms(*village.build(tmp_path_factory.mktemp("entities"), with_rasters=False))


def test_one_record_gathers_every_table_that_shares_entity_and_key(built: Rooms) -> None:
    card = built.entities.entity(LOCAL, "parcel:P5", EN)
    assert [s["table"] for s in card["sections"]] == ["cover", "survey"]
    assert card["title"] == "P5"
    assert card["years"] == [2020, 2025]
    assert card["bbox"] == pytest.approx([119.971, 30.531, 119.972, 30.532], abs=1e-6)
    assert card["sections"][1]["fields"][1]["value"] == "C"


def test_the_newest_edition_is_shown_and_the_change_is_told(built: Rooms) -> None:
    section = built.entities.entity(LOCAL, "parcel:P5", EN)["sections"][0]
    assert section["year"] == 2025
    assert [h["year"] for h in section["history"]] == [2025, 2020]
    changes = {c["name"]: c for c in section["changes"]}
    assert set(changes) == {"land_class"}
    assert (changes["land_class"]["before_meaning"], changes["land_class"]["after_meaning"]) == ("Dry land", "Paddy")
    assert (changes["land_class"]["from_year"], changes["land_class"]["to_year"]) == (2020, 2025)


def test_a_past_year_shows_its_edition(built: Rooms) -> None:
    section = built.entities.entity(LOCAL, "parcel:P5", Asked(year=2022))["sections"][0]
    assert section["year"] == 2020
    assert next(f for f in section["fields"] if f["name"] == "land_class")["meaning"] == "旱地"


def test_every_value_has_words_unit_and_provenance(built: Rooms) -> None:
    section = built.entities.feature(LOCAL, "cover", "P5", EN)
    area = next(f for f in section["fields"] if f["name"] == "area_m2")
    assert (area["title"], area["unit"]) == ("Computed area", "m²")
    assert area["value"] == pytest.approx(10639.2, abs=0.5)
    stated = next(f for f in section["fields"] if f["name"] == "stated_area_m2")
    assert stated["value"] == 10004.0
    assert section["provenance"] == {
        "resource": "cover", "run": "r1", "source": "01_land/cover.gpkg", "source_sha256": "ab12", "row": "14",
    }  # fmt: skip
    assert section["department"]["title"] == "Land Bureau"


def test_personal_values_are_masked_and_said_to_be(built: Rooms) -> None:
    fields = {f["name"]: f for f in built.entities.feature(LOCAL, "cover", "P5", EN)["fields"]}
    assert fields["owner_phone"]["value"] == "139****0103"
    assert fields["owner_phone"]["masked"] is True
    assert {"id_card", "note"}.isdisjoint(fields)


def test_things_that_name_each_other_are_linked_both_ways(built: Rooms) -> None:
    house = built.entities.entity(LOCAL, "house:H1", EN)
    assert house["links"] == [{"entity": "parcel:P5", "field": "parcel_id"}]
    parcel = built.entities.entity(LOCAL, "parcel:P5", EN)
    assert [(r["entity"], r["title"]) for r in parcel["related"]] == [("house:H1", "祠堂")]


def test_people_on_duty_are_named_and_owners_are_not(built: Rooms) -> None:
    grid = built.entities.entity(LOCAL, "grid:330521199999001", EN)
    assert grid["duty"] == [{"role": "worker_name", "name": "王建国", "phone": "13900000001"}]
    assert built.entities.entity(LOCAL, "parcel:P5", EN)["duty"] == []


@pytest.mark.parametrize(
    "name", ["parcel:P99", "nothing:P5", "parcel:", "parcel", "", "secret:S1", "parcel:P5' OR '1'='1"]
)
def test_what_is_not_there_is_not_found(built: Rooms, name: str) -> None:
    with pytest.raises(NotFound):
        built.entities.entity(LOCAL, name)


def test_freshness_comes_from_the_ledger(tmp_path: Path) -> None:
    onemap, store, settings = village.build(tmp_path, with_rasters=False)
    ledger = settings.data / "run" / "ledger.jsonl"
    durable.make_directory(ledger.parent)
    durable.append_line(
        ledger,
        '{"resource": "cover", "run": "r1", "status": "published", "finished_at": "2025-07-01T00:00:00+00:00", "as_of": "2025-06-30"}',
    )
    there = rooms(onemap, store, settings)
    section = there.entities.feature(LOCAL, "cover", "P5", EN)
    assert section["freshness"]["state"] == "fresh"
    assert section["freshness"]["as_of"] == "2025-06-30"
    assert there.entities.feature(LOCAL, "house", "H1", EN)["freshness"]["state"] == "never"


@pytest.mark.parametrize("at", [datetime(2025, 11, 18, 1), datetime(2025, 11, 18, 1, tzinfo=UTC)])
def test_a_stored_time_is_told_on_the_villages_clock(at: datetime) -> None:
    assert local(at, "Asia/Shanghai").isoformat() == "2025-11-18T09:00:00+08:00"


def test_a_card_goes_by_its_address_where_that_is_declared_as_its_title(tmp_path: Path) -> None:
    onemap, store, settings = village.build(tmp_path, with_rasters=False)
    named = replace(village.HOUSE, title_field="address")
    resources = tuple(named if r.id == "house" else r for r in onemap.resources)
    onemap = replace(onemap, departments=(replace(onemap.departments[0], resources=resources),))
    card = rooms(onemap, store, settings).entities.entity(LOCAL, "house:H1", EN)
    assert (card["title"], card["key"]) == ("测试村1号", "H1")
