"""People find layers, places, codes, addresses and people on duty as they type: characters, pinyin, initials."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests import serving_fixture as village
from twin.api import rooms
from twin.policy import ANONYMOUS_LOCAL
from twin.search import keys, normal

if TYPE_CHECKING:
    from pathlib import Path

    from twin.api.rooms import Rooms

LOCAL = ANONYMOUS_LOCAL


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    return rooms(*village.build(tmp_path_factory.mktemp("search"), with_rasters=False))


@pytest.mark.parametrize(
    ("query", "kind", "title"),
    [
        ("土地现状", "layer", "土地现状"),
        ("tudi", "layer", "土地现状"),
        ("tdxz", "layer", "土地现状"),
        ("Land cov", "layer", "土地现状"),
        ("地类图斑", "layer", "土地现状"),
        ("L06", "layer", "土地现状"),
        ("祠堂", "place", "祠堂"),
        ("citang", "place", "祠堂"),
        ("ct", "place", "祠堂"),
        ("王建国", "duty", "王建国"),
        ("wjg", "duty", "王建国"),
        ("WANG jian", "duty", "王建国"),
        ("测试村1号", "address", "测试村1号"),
        ("cscun1", "address", ""),
        ("P5", "code", "P5"),
        ("Ｐ５", "code", "P5"),
        ("330521199999001", "code", "330521199999001"),
    ],
)
def test_the_first_hit_is_what_was_meant(built: Rooms, query: str, kind: str, title: str) -> None:
    found = built.search.find(LOCAL, query)
    if not title:
        assert found == []
        return
    assert (found[0]["kind"], found[0]["title"]) == (kind, title)


def test_a_hit_leads_to_its_place(built: Rooms) -> None:
    hit = built.search.find(LOCAL, "祠堂")[0]
    assert hit["entity"] == "house:H1"
    assert hit["layer"] == "L16"
    assert hit["point"] == pytest.approx([119.9715, 30.5315], abs=1e-6)


def test_an_edition_is_listed_once(built: Rooms) -> None:
    assert [h["id"] for h in built.search.find(LOCAL, "P5")] == ["P5"]


@pytest.mark.parametrize("query", ["", "   ", "CANARY", "canary-personal", "S1", "13900000103", "%", "'", "\n"])
def test_nothing_private_and_nothing_empty_is_found(built: Rooms, query: str) -> None:
    assert built.search.find(LOCAL, query) == []


def test_a_publish_changes_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.search.FRESH_SECONDS", 0.0)
    onemap, store, settings = village.build(tmp_path, with_rasters=False)
    there = rooms(onemap, store, settings)
    assert there.search.find(LOCAL, "新桥") == []
    row = {**village.TABLES["house"][0], "id": "H3", "house_id": "H3", "name": "新桥"}
    village.publish(store, "house", [*village.TABLES["house"], row], kind="point", run="r2")
    assert there.search.find(LOCAL, "xq")[0]["id"] == "H3"


def test_whole_codes_of_large_tables_are_found_without_an_index(built: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.search.MANY", 5)
    there = type(built.search)(built.onemap, built.serving, built.policy)
    found = there.find(LOCAL, "P5")
    assert [h["entity"] for h in found] == ["parcel:P5"]
    assert found[0]["table"] == "cover"
    assert found[0]["point"] is not None
    assert "P1" not in [h["title"] for h in there.find(LOCAL, "P")]


def test_keys_hold_text_pinyin_and_initials() -> None:
    assert keys(("祠堂 A",)) == "\n祠堂a\ncitanga\ncta"
    assert normal("Ｐ ５") == "p5"


def test_fifty_thousand_names_are_searched_in_a_tenth_of_a_second(built: Rooms) -> None:
    from twin.search import Entry

    entries = [Entry(kind="place", words=(f"第{i}号",), keys=keys((f"第{i}号",))) for i in range(50_000)]
    there = type(built.search)(built.onemap, built.serving, built.policy)
    versions = tuple(there._version(r.id) for r in built.policy.tables(LOCAL))
    there._built[there.granted(LOCAL)] = (versions, (entries, []))
    started = time.process_time()
    assert there.find(LOCAL, "d49999h")[0]["title"] == "第49999号"
    assert time.process_time() - started < 0.1
