"""A number is what its rows add up to; behind it stands the condition of its list; hidden columns are never counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests import serving_fixture as village
from twin.api import rooms
from twin.errors import BadRequest
from twin.model import Indicator
from twin.policy import ANONYMOUS_LOCAL

if TYPE_CHECKING:
    from pathlib import Path

    from twin.api.rooms import Rooms

LOCAL = ANONYMOUS_LOCAL


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    return rooms(*village.build(tmp_path_factory.mktemp("indicators"), with_rasters=False))


def ask(built: Rooms, **changed: object) -> dict:
    base = {"id": "i", "theme": "planning", "title": village.text("数", "Number"), "table": "cover"}
    return built.indicators.one(LOCAL, Indicator(**{**base, **changed}), "en")


def test_a_count_is_of_the_newest_edition_with_its_groups_and_years(built: Rooms) -> None:
    found = ask(built, by="land_class", by_year=True)
    assert (found["value"], found["year"]) == (9, 2025)
    assert [(g["title"], g["amount"]) for g in found["groups"]] == [("Paddy", 5), ("Dry land", 4)]
    assert found["years"] == [{"year": 2020, "value": 9}, {"year": 2025, "value": 9}]


def test_a_sum_adds_the_column_and_a_condition_narrows_both(built: Rooms) -> None:
    everything = ask(built, measure="sum", column="stated_area_m2")
    paddy = ask(built, measure="sum", column="stated_area_m2", where=(("land_class", "=", "0101"),))
    assert everything["value"] == pytest.approx(9 * 10_000 + 36)
    assert paddy["value"] == pytest.approx(10_000 * 5 + 0 + 2 + 4 + 6 + 8)
    assert paddy["list"] == {"table": "cover", "where": [["land_class", "=", "0101"]]}


def test_a_past_year_is_its_own_edition(built: Rooms) -> None:
    asked = Indicator(
        id="i", theme="planning", title=village.text("数"), table="cover", where=(("land_class", "=", "0101"),)
    )
    assert built.indicators.one(LOCAL, asked, year=2020)["value"] == 4
    assert built.indicators.one(LOCAL, asked, year=2025)["value"] == 5
    assert built.indicators.one(LOCAL, asked, year=2010)["value"] is None


@pytest.mark.parametrize("column", ["owner_name", "id_card", "note", "nothing"])
@pytest.mark.parametrize("use", ["by", "column", "where"])
def test_hidden_masked_and_unknown_columns_are_refused(built: Rooms, column: str, use: str) -> None:
    value = ((column, "=", "x"),) if use == "where" else column
    with pytest.raises(BadRequest):
        ask(built, **{use: value})


def test_a_table_not_delivered_is_said_to_be_so(built: Rooms) -> None:
    absent = village.resource("absent", "none", "k", [village.field("k")])
    department = replace(built.onemap.departments[0], resources=(*village.RESOURCES, absent))
    onemap = replace(built.onemap, departments=(department,))
    there = rooms(onemap, type(built.store)(built.settings.store), built.settings)
    asked = Indicator(id="i", theme="planning", title=village.text("数"), table="absent")
    assert there.indicators.one(LOCAL, asked)["state"] == "never"


def test_a_theme_gives_its_own_and_nothing_gives_all(built: Rooms) -> None:
    assert [i["id"] for i in built.indicators.theme(LOCAL, "planning")] == ["parcels", "area"]
    assert built.indicators.theme(LOCAL, "governance") == []
    assert len(built.indicators.theme(LOCAL, "")) == 2


def test_a_number_is_counted_once_for_a_version_and_anew_for_the_next_and_for_another_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = rooms(*village.build(tmp_path, with_rasters=False))
    counted: list[str] = []
    count = built.serving.count
    monkeypatch.setattr(
        built.serving, "count", lambda table, *a, **more: counted.append(table) or count(table, *a, **more)
    )
    assert [ask(built)["value"] for _ in range(3)] == [9, 9, 9]
    assert len(counted) == 1
    assert ask(built, where=(("land_class", "=", "0101"),))["value"] == 5  # the same name, another condition
    assert ask(built)["value"] == 9
    village.publish(built.base, "cover", village.cover_rows()[:1], kind="polygon", run="r2")
    assert ask(built)["value"] == 1
