"""Numbers of people at room level: ten or more, in fixed areas only; and tiles that are never taken from the common stock."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import mapbox_vector_tile
import pytest

from tests.matrix import asking, village
from tests.serving_fixture import field, point, publish, resource, text
from twin.api import Rooms, rooms
from twin.model import Department, Draw, Indicator, Layer, OneMap, Theme
from twin.policy import ANONYMOUS_LOCAL, Policy, Subject, grants
from twin.settings import Settings
from twin.store import Store, pyramid
from twin.tiles import Address

ROOT = Path(__file__).resolve().parents[1]
PEOPLE = resource(
    "people", "point", "row_id",
    [field("row_id"), field("kind"), field("stated_area_m2", type="number"), field("keeper_name", "personal"), field("area_code")],
    department="civil", open_attr="开放", share_type="unconditional", about="persons", area_field="area_code", layers=("P",),
)  # fmt: skip
COUNTS = {"working": 15, "old": 12, "alone": 3, None: 0}


def onemap() -> OneMap:
    layer = Layer(
        id="P", slug="p", theme="t", title=text("人"), abstract=text("人"), department="land", share="open",
        draws=(Draw(id="p", table="people", type="circle", title=text("人"), columns=("kind",)),),
    )  # fmt: skip
    numbers = (
        Indicator(id="all", theme="t", title=text("人"), table="people"),
        Indicator(id="kinds", theme="t", title=text("人"), table="people", by="kind"),
        Indicator(
            id="ages", theme="t", title=text("岁"), table="people", by="kind", measure="sum", column="stated_area_m2"
        ),
        Indicator(id="few", theme="t", title=text("少"), table="people", where=(("kind", "=", "alone"),)),
        Indicator(id="years", theme="t", title=text("年"), table="people", by_year=True, where=(("kind", "=", "old"),)),
    )
    base = village.onemap()
    office = Department(id="civil", title=text("民政"), provider_code="x", resources=(PEOPLE,))
    return replace(
        base, departments=(office,), layers=(layer,), themes=(Theme(id="t", title=text("t"), indicators=numbers),)
    )


def rows() -> list[dict]:
    found = []
    for kind, n in COUNTS.items():
        for i in range(n):
            key = f"{kind}-{i}"
            found.append({"id": key, "year": 2025, "row_id": key, "kind": kind, "stated_area_m2": 10.0, "keeper_name": "张三",
                          "area_code": f"{village.CODES['own']}007", "wkt": point(i / 10, 1)})  # fmt: skip
    early = [{**r, "id": f"{r['id']}-e", "row_id": f"{r['id']}-e", "year": 2020} for r in found if r["kind"] == "old"]
    return found + early[:9]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    settings = replace(Settings(), data=tmp_path_factory.mktemp("people"), tile_cache_mb=8)
    store = Store(settings.store)
    publish(store, "people", rows(), kind="point")
    found = rooms(onemap(), store, settings)
    found.policy.adopt(grants.read(ROOT / "data" / "grants.toml"))
    return found


def numbers(built: Rooms, who: str) -> dict[str, dict]:
    return {n["id"]: n for n in built.indicators.theme(village.subject(who), "t")}


@pytest.mark.parametrize("who", ["anonymous", "resident", "planner", "grid_worker"])
def test_groups_of_few_people_are_withheld_with_what_would_give_them_away(built: Rooms, who: str) -> None:
    told = numbers(built, who)
    assert told["all"]["value"] == 30
    assert [(g["value"], g["amount"]) for g in told["kinds"]["groups"]] == [("working", 15)]
    assert (told["kinds"]["value"], told["kinds"]["withheld"], told["kinds"]["state"]) == (30, 2, "ok")
    assert [(g["value"], g["amount"]) for g in told["ages"]["groups"]] == [("working", 150.0)]
    assert (told["few"]["value"], told["few"]["state"]) == (None, "small")


@pytest.mark.parametrize("who", ["anonymous", "planner"])
def test_an_edition_of_few_people_is_withheld_too(built: Rooms, who: str) -> None:
    assert numbers(built, who)["years"]["years"] == [{"year": 2020, "value": None}, {"year": 2025, "value": 12}]
    assert numbers(built, "official")["years"]["years"] == [{"year": 2020, "value": 9}, {"year": 2025, "value": 12}]


@pytest.mark.parametrize("who", ["official", "local"])
def test_whoever_may_read_people_by_name_is_told_every_number(built: Rooms, who: str) -> None:
    told = numbers(built, who)
    assert {g["value"]: g["amount"] for g in told["kinds"]["groups"]} == {"working": 15, "old": 12, "alone": 3}
    assert "withheld" not in told["kinds"]
    assert told["few"]["value"] == 3


@pytest.mark.parametrize(
    ("who", "counts"), [("grid_worker", False), ("data_engineer", False), ("official", True), ("local", True)]
)
def test_an_outline_of_ones_own_counts_people_only_for_whoever_may_read_them(
    built: Rooms, who: str, counts: bool
) -> None:
    found = built.analysis.overlay(village.subject(who), asking._ring((119.969, 30.529, 119.975, 30.535)))
    assert bool(found["tables"]) is counts


@pytest.mark.parametrize(("who", "exact"), [("official", True), ("data_engineer", False)])
def test_a_tile_holds_places_on_the_grid_granted(built: Rooms, who: str, exact: bool) -> None:
    at = asking.at("thing", "own", 13)
    layer = built.onemap.layers[0]
    body = built.tiles.vector(village.subject(who), layer, at)
    features = mapbox_vector_tile.decode(body)["people"]["features"]
    places = {tuple(f["geometry"]["coordinates"]) for f in features}
    assert len(features) >= 19
    assert (len(places) > 10) is exact
    assert set(features[0]["properties"]) == {"id", "kind"}


def test_tiles_cut_at_publish_are_never_sent_to_whoever_is_limited(
    built: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramid, "packed", lambda *_, **__: b"CUT FOR EVERYBODY")
    layer, at = built.onemap.layers[0], Address(z=14, x=1, y=1)
    assert built.tiles.packed(village.subject("local"), layer, at) == b"CUT FOR EVERYBODY"
    for who in ("official", "grid_worker", "data_engineer"):
        assert built.tiles.packed(village.subject(who), layer, at) is None
        assert built.tiles.vector(village.subject(who), layer, at) == b""


def test_versions_of_a_layer_differ_wherever_what_is_sent_differs(built: Rooms) -> None:
    layer = built.onemap.layers[0]
    told = {
        who: built.tiles.versions(village.subject(who), layer)
        for who in ("local", "official", "grid_worker", "data_engineer")
    }
    assert len(set(told.values())) == 4


def test_an_answer_of_the_policy_is_kept_and_costs_microseconds() -> None:
    policy = Policy(village.onemap(), grants.read(ROOT / "data" / "grants.toml"))
    people = [Subject(id=str(n), role="official", prefix=village.CODES["own"]) for n in range(300)]
    assert len({id(policy.decide(p, "tile", "thing")) for p in people}) == 1
    began = time.process_time()
    for _ in range(20):
        for person in people:
            policy.decide(person, "tile", "thing")
    assert (time.process_time() - began) / 6000 < 50e-6


def test_the_local_visitor_is_answered_as_ever(built: Rooms) -> None:
    bare, declared = Policy(built.onemap), Policy(built.onemap, grants.read(ROOT / "data" / "grants.toml"))
    for action in ("see", "select", "filter", "sort", "group", "count", "tile"):
        assert bare.decide(ANONYMOUS_LOCAL, action, "people") == declared.decide(ANONYMOUS_LOCAL, action, "people")
        assert not declared.decide(ANONYMOUS_LOCAL, action, "people").limited
