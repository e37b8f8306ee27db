"""The whole dashboard as it was known at a moment: one resolver, the same answer at every surface, nothing made up."""

from __future__ import annotations

import json
import re
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import mapbox_vector_tile
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from tests import serving_fixture as village
from tests.backdating import dated, day
from tests.matrix.http import OWN, callback
from twin import api, pages
from twin.api import moments
from twin.errors import BadRequest, NotYetKnown, VersionGone
from twin.store import Past, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "http://127.0.0.1:8470"
TILE = "/tiles/L06/15/27304/13463.mvt"
THEN, NOW = "2026-10-06", ""
NOON = datetime(2026, 11, 1, 4, tzinfo=UTC)


def _rows(note: str) -> list[dict[str, Any]]:
    return [{**r, "land_class": note} for r in village.cover_rows()]


def _built(folder: Any) -> tuple[Any, Store, Any]:
    """Publish the village on day 1, the cover again on day 10 with another class, the houses first on day 10."""
    onemap, store, settings = village.build(folder)
    village.publish(store, "cover", _rows("0101"), kind="polygon", run="r2")
    for table in store.tables():
        times = (day(1), day(10)) if table == "cover" else (day(10),) if table == "house" else (day(1),)
        dated(store, table, *times)
    (settings.data / "run").mkdir(parents=True, exist_ok=True)
    ledger = [
        {"resource": "cover", "run": f"r{n}", "status": "published", "finished_at": day(d).isoformat(), "as_of": said}
        for n, d, said in ((1, 1, "2025-06-30"), (2, 10, "2025-11-20"))
    ]
    (settings.data / "run" / "ledger.jsonl").write_text("\n".join(map(json.dumps, ledger)) + "\n")
    return onemap, store, settings


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> api.Front:
    onemap, store, settings = _built(tmp_path_factory.mktemp("past"))
    app = api.create(onemap, store, settings)
    app.state.dash = pages.create(onemap, store, settings)
    return api.mount(app, app.state.dash, pages.draw)


@pytest.fixture(scope="module")
def client(front: api.Front) -> Iterator[TestClient]:
    with TestClient(front, base_url=BASE, raise_server_exceptions=False) as found:
        yield found


def got(client: TestClient, address: str, as_of: str, **more: Any) -> Any:
    mark = "&" if "?" in address else "?"
    answer = client.get(f"{address}{mark}as_of={as_of}" if as_of else address, **more)
    assert answer.status_code == 200, answer.text
    return answer


def classes(tile: bytes) -> set[str]:
    return {f["properties"]["land_class"] for f in mapbox_vector_tile.decode(tile)["cover"]["features"]}


# the moment


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-10-06", "2026-10-06T15:59:59+00:00"),
        ("2026-10-06T08:00", "2026-10-06T00:00:00+00:00"),
        ("2026-10-06T08:00Z", "2026-10-06T08:00:00+00:00"),
        ("2026-10-06T08:00:30Z", "2026-10-06T08:00:30+00:00"),
        ("20261006T080030Z", "2026-10-06T08:00:30+00:00"),
        ("2026-11-01", "2026-11-01T15:59:59+00:00"),
        ("20261101T155959Z", "2026-11-01T15:59:59+00:00"),
    ],
)
def test_a_day_is_meant_to_its_end_and_a_time_by_the_villages_clock(text: str, meant: str) -> None:
    assert moments.read(text, "Asia/Shanghai", NOON) == datetime.fromisoformat(meant)


@pytest.mark.parametrize(
    "text",
    [
        "2026",
        "2026-13-01",
        "gestern",
        "2026-10-06T25:00",
        "2026-11-03",
        "2026-11-01T13:00",
        "9999-12-31T23:59Z",
        "٢٠٢٦-10-06",
        "2026-10-06'--",
    ],
)
def test_what_is_no_moment_or_has_yet_to_come_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        moments.read(text, "Asia/Shanghai", NOON)


# the store


def test_a_store_at_a_moment_holds_what_was_current_then_and_names_what_was_not_yet_known(tmp_path: Any) -> None:
    _, store, _ = _built(tmp_path)
    then = Past(store, day(6))
    assert then.current("cover").version == store.versions("cover")[1].version
    assert Past(store, day(11)).current("cover").version == store.versions("cover")[0].version
    assert set(store.tables()) - set(then.tables()) == {"house"}
    with pytest.raises(NotYetKnown, match="first published 2026-10-10"):
        then.current("house")


def test_a_version_that_is_not_kept_is_said_to_be_gone_and_the_nearest_kept_is_named(tmp_path: Any) -> None:
    _, store, _ = _built(tmp_path)
    old, kept = reversed(store.versions("cover"))
    store.change("cover", {old.version: None}, "retention")
    with pytest.raises(VersionGone) as told:
        store.as_of("cover", day(6))
    assert told.value.where["nearest"] == kept.version
    assert "2026-10-10" in told.value.en
    assert store.as_of("cover", day(11)).version == kept.version


def test_what_was_shown_before_a_rollback_is_not_passed_off_as_what_came_after(tmp_path: Any) -> None:
    _, store, _ = _built(tmp_path)
    first = store.versions("cover")[1].version
    before = datetime.now(UTC)
    store.rollback("cover", by="officer", reason="wrong year")
    assert store.current("cover").version == first
    assert store.as_of("cover", day(6)).version == first
    with pytest.raises(VersionGone, match="rollback"):
        store.as_of("cover", before - timedelta(seconds=1))
    assert store.as_of("cover", datetime.now(UTC)).version == first
    [gone] = store.removed("cover")
    assert (gone.by, gone.reason) == ("officer", "wrong year")
    assert "wrong year" not in gone.en, "a reason is typed freely and told to nobody but those who look after the data"


# every surface


def test_tiles_of_a_moment_hold_what_was_known_then(client: TestClient) -> None:
    assert classes(got(client, TILE, NOW).content) == {"0101"}
    assert classes(got(client, TILE, THEN).content) == {"0101", "0103"}
    assert classes(client.get(f"/at/20261006T120000Z{TILE}").content) == {"0101", "0103"}


def test_tiles_of_two_moments_have_tags_of_their_own_and_the_same_data_share_one(client: TestClient) -> None:
    tags = {as_of: got(client, TILE, as_of).headers["etag"] for as_of in (NOW, THEN, "2026-10-05", "2026-10-12")}
    assert tags[THEN] != tags[NOW]
    assert tags[THEN] == tags["2026-10-05"], "the same versions are the same bytes"
    assert tags["2026-10-12"] == tags[NOW]
    again = client.get(f"{TILE}?as_of={THEN}", headers={"if-none-match": tags[THEN]})
    assert again.status_code == 304


def test_the_style_of_a_moment_leads_to_the_tiles_of_that_moment(client: TestClient) -> None:
    style = got(client, "/api/v1/style.json", THEN).json()
    listed = [t for s in style["sources"].values() for t in s.get("tiles", ())]
    assert listed
    assert all(t.startswith("/at/20261006T155959Z/tiles/") for t in listed)
    plain = got(client, "/api/v1/style.json", NOW)
    assert "/at/" not in plain.text
    assert "onemap-as-of" not in plain.headers


def test_rows_numbers_sums_and_search_answer_as_of_the_moment_and_say_so(client: TestClient) -> None:
    card = got(client, "/api/v1/features/cover/P2", THEN)
    assert card.headers["onemap-as-of"] == "2026-10-06T15:59:59+00:00"
    assert [f["value"] for f in card.json()["fields"] if f["name"] == "land_class"] == ["0103"]
    assert card.json()["freshness"]["as_of"] == "2025-06-30"
    numbers = {n["id"]: n for n in got(client, "/api/v1/indicators?theme=planning", THEN).json()["indicators"]}
    assert {g["value"] for g in numbers["parcels"]["groups"]} == {"0101", "0103"}
    lon, lat = village.LON + 1.5 * village.STEP, village.LAT + 1.5 * village.STEP
    here = {t: got(client, f"/api/v1/identify?lon={lon}&lat={lat}", t).json()["features"] for t in (THEN, NOW)}
    assert [{f["id"] for f in here[t]} & {"H1", "P5"} for t in (THEN, NOW)] == [{"P5"}, {"P5", "H1"}]
    found = {h["id"] for h in got(client, "/api/v1/search?q=祠堂", NOW).json()["results"]}
    assert found == {"H1"}
    assert got(client, "/api/v1/search?q=祠堂", THEN).json()["results"] == []


def test_an_overlay_sums_what_was_known_then(client: TestClient) -> None:
    x, y, s = village.LON, village.LAT, 3 * village.STEP
    ring = [[x, y], [x + s, y], [x + s, y + s], [x, y + s], [x, y]]
    asked = {"geometry": {"type": "Polygon", "coordinates": [ring]}}
    told = [
        client.post(f"/api/v1/analysis/overlay?as_of={t}", json=asked["geometry"], headers=OWN | {"origin": BASE})
        for t in (THEN, NOW)
    ]
    assert [t.status_code for t in told] == [200, 200]
    assert "0103" in told[0].text
    assert "0103" not in told[1].text


def test_a_table_that_was_not_known_is_said_to_be_so_and_not_shown_empty(client: TestClient) -> None:
    answer = client.get(f"/api/v1/features/house/H1?as_of={THEN}")
    assert answer.status_code == 404
    layers = got(client, "/api/v1/layers", THEN).json()["layers"]
    house = next(t for x in layers for t in x["tables"] if t["table"] == "house")
    assert house["state"] == "not_yet_known"
    assert "2026-10-10" in house["en"]


@pytest.mark.parametrize("address", ["/api/v1/layers", "/api/v1/search?q=1", TILE, "/api/v1/style.json", "/health"])
def test_a_moment_that_is_none_is_refused_in_both_languages(client: TestClient, address: str) -> None:
    mark = "&" if "?" in address else "?"
    answer = client.get(f"{address}{mark}as_of=gestern")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


# who may see is decided now


def test_the_policy_of_today_decides_what_is_shown_of_the_past(client: TestClient, front: api.Front) -> None:
    now, then = front.state.rooms, front.state.rooms.at(THEN)
    assert then.policy is now.policy
    assert then is now.at(THEN)
    card = got(client, "/api/v1/features/cover/P1", THEN).text
    assert not [c for c in village.CANARY.values() if c in card] or card.count("CANARY-INTERNAL")


# where it comes from


def test_lineage_leads_from_the_file_to_the_page_as_of_the_moment_and_hides_what_is_hidden(client: TestClient) -> None:
    told = got(client, "/api/v1/lineage?of=table:cover", THEN).json()
    nodes = {n["id"]: n for n in told["nodes"]}
    assert {"source:01_land/cover.gpkg", "resource:cover", "table:cover", "layer:L06", "page:/"} <= nodes.keys()
    assert "table:house" not in nodes
    assert nodes["table:cover"]["row"] == "/api/v1/features/cover/{id}"
    edges = {(e["from"], e["to"]) for e in told["edges"]}
    assert {
        ("source:01_land/cover.gpkg", "resource:cover"),
        ("resource:cover", "table:cover"),
        ("layer:L06", "page:/"),
    } <= edges
    whole = {n["id"]: n for n in got(client, "/api/v1/lineage", THEN).json()["nodes"]}
    assert whole["table:house"]["state"] == "not_yet_known"
    assert not [n for n in whole if "secret" in n or n == "layer:L17"]
    for hidden in ("table:secret", "table:nothing"):
        assert client.get(f"/api/v1/lineage?of={hidden}").status_code == 404


# the page


def test_the_page_of_a_past_day_says_so_before_any_script_and_asks_for_everything_below_that_day(
    client: TestClient,
) -> None:
    page = got(client, "/", THEN).text
    band = page[page.index('id="past"') : page.index('id="early"')]
    for words in ("历史视图", "The past", "2026-10-06 23:59", "回到今天", "Back to today", "1 项当时尚无数据"):
        assert words in band
    assert "#i-history" in band
    assert (
        '"requests_pathname_prefix": "/at/20261006T155959Z/"' in page
        or '"requests_pathname_prefix":"\\u002fat\\u002f20261006T155959Z\\u002f"' in page
    )
    assert "/at/20261006T155959Z/api/v1/style.json" in page


def test_a_page_of_today_is_answered_below_the_end_of_today(client: TestClient) -> None:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    page = got(client, "/", f"{today}").text
    below = re.search(r"/at/\d{8}T155959Z", page)
    assert below
    assert classes(got(client, below[0] + TILE, NOW).content) == {"0101"}


def test_the_page_of_the_present_knows_nothing_of_a_past(client: TestClient) -> None:
    page = got(client, "/", NOW).text
    assert 'id="past"' not in page
    assert "/at/" not in page
    assert "below" not in page[page.index('id="first"') : page.index('id="first"') + 400]


def test_layout_and_callbacks_below_a_moment_answer_as_of_it(client: TestClient, front: api.Front) -> None:
    below = "/at/20261006T155959Z"
    then, now = (client.get(f"{b}/_dash-layout").text for b in (below, ""))
    assert "2025-06-30" in then
    assert "2025-11-20" not in then
    assert "2025-11-20" in now
    key = next(
        k for k, c in front.state.dash.callback_map.items() if c["inputs"][0]["id"] == "ask-feature" and "callback" in c
    )
    asked = callback(key, "ask-feature", {"table": "cover", "id": "P2", "language": "zh-CN"})
    told = [client.post(b + asked.address, content=asked.body, headers=OWN | {"origin": BASE}) for b in (below, "")]
    assert ["旱地" in json.dumps(t.json(), ensure_ascii=False) for t in told] == [True, False]
    asked = callback(key, "ask-feature", {"table": "house", "id": "H1", "language": "zh-CN"})
    assert client.post(below + asked.address, content=asked.body, headers=OWN | {"origin": BASE}).status_code == 200


def test_a_page_of_a_day_that_is_none_is_refused_and_not_shown_as_today(client: TestClient) -> None:
    answer = client.get("/?as_of=gestern")
    assert answer.status_code == 400
    assert "as_of" in answer.text


def test_only_so_many_moments_are_kept_ready(front: api.Front) -> None:
    rooms = front.state.rooms
    for hour in range(moments.MOST + 3):
        rooms.at(f"2026-10-07T{hour:02d}:00Z").serving.count("cover")
    assert len(rooms.past._kept) == moments.MOST
