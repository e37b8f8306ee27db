"""What changed, as one may know it: over HTTP, as list, on the map and as files, with nothing betrayed by a difference."""

from __future__ import annotations

import csv
import io
import json
import warnings
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from tests import serving_fixture as village
from tests.backdating import dated, day
from twin import api
from twin.analysis.changes import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "http://127.0.0.1:8471"


def _changed() -> list[dict[str, Any]]:
    """P1 gets another class and a place of its own, P2 another owner and nothing else, P9 goes, P10 comes."""
    rows = []
    for row in village.cover_rows():  # made anew each time
        if row["id"] == "P9":
            continue
        if row["id"] == "P1":
            row |= {"land_class": "0810A", "wkt": village.square(-2, 0)}
        if row["id"] == "P2":
            row |= {"owner_name": "=cmd|'/c calc'!A1", "id_card": "other", "note": "other"}
        rows.append(row)
    return [*rows, {**rows[0], "id": "P10", "parcel_id": "=1+1"}]


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> api.Front:
    onemap, store, settings = village.build(tmp_path_factory.mktemp("changes"), with_rasters=False)
    village.publish(store, "cover", _changed(), kind="polygon", run="r2")
    dated(store, "cover", day(1), day(10))
    return api.create(onemap, store, settings)


@pytest.fixture(scope="module")
def client(front: api.Front) -> Iterator[TestClient]:
    with TestClient(front, base_url=BASE, raise_server_exceptions=False) as found:
        yield found


def got(client: TestClient, address: str, status: int = 200) -> Any:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    return answer


def test_the_change_of_each_row_is_told_by_field_with_both_values(client: TestClient) -> None:
    told = got(client, "/api/v1/tables/cover/diff").json()
    rows = {(r["id"], r["year"]): r for r in told["rows"]}
    moved = rows["P1", 2025]
    assert moved["change"] == "changed"
    assert {(f["name"], f["before"], f["after"]) for f in moved["fields"] if f["name"] == "land_class"} == {
        ("land_class", "0101", "0810A")
    }
    assert moved["moved_m2"] > 10_000
    assert {k: r["change"] for k, r in rows.items() if k[0] in ("P9", "P10")} == {
        ("P9", 2020): "removed", ("P9", 2025): "removed", ("P10", 2020): "added",
    }  # fmt: skip
    assert told["counts"] == {"added": 1, "removed": 2, "changed": len(rows) - 3}
    assert (told["from"]["version"], told["to"]["version"]) != ("", "")
    assert told["pages"] == 1
    assert len(rows) <= PAGE


def test_a_column_that_is_hidden_or_masked_is_neither_shown_nor_betrayed_by_changed(client: TestClient) -> None:
    told = got(client, "/api/v1/tables/cover/diff")
    assert "P2" not in {r["id"] for r in told.json()["rows"]}, "only its owner, card and note differ"
    assert not {f["name"] for f in told.json()["fields"]} & {"owner_name", "owner_phone", "id_card", "note"}
    assert "calc" not in told.text
    for column in ("owner_name", "id_card", "note"):
        assert f'"{column}"' not in told.text
    assert not {c for k, c in village.CANARY.items() if k != "internal"} & set(told.text.split('"'))


def test_one_may_ask_for_two_days_and_for_one_kind_of_change(client: TestClient) -> None:
    named = got(client, "/api/v1/tables/cover/diff?from=2026-10-05&to=2026-10-20&change=removed").json()
    assert {r["change"] for r in named["rows"]} == {"removed"}
    back = got(client, f"/api/v1/tables/cover/diff?from={named['to']['version']}&to={named['from']['version']}").json()
    assert back["counts"]["removed"] == 1
    got(client, "/api/v1/tables/cover/diff?from=2026-09-01", 404)
    got(client, "/api/v1/tables/cover/diff?from=nothing", 404)
    got(client, "/api/v1/tables/secret/diff", 404)
    got(client, "/api/v1/tables/road/diff", 404)
    got(client, "/api/v1/tables/cover/diff?change=all", 400)


def test_the_map_is_given_what_changed_where_it_is_or_was(client: TestClient) -> None:
    told = got(client, "/api/v1/tables/cover/diff.geojson").json()
    where = {(f["id"], f["properties"]["year"]): f for f in told["features"]}
    assert told["type"] == "FeatureCollection"
    lon = min(x for x, _ in where["P1", 2025]["geometry"]["coordinates"][0])
    assert lon == pytest.approx(village.LON - 2 * village.STEP, abs=1e-6)
    assert where["P9", 2025]["properties"]["change"] == "removed"
    assert all(f["geometry"] for f in told["features"])
    assert "CANARY-PERSONAL" not in json.dumps(told)


def test_exports_hold_every_change_and_no_formula(client: TestClient) -> None:
    text = got(client, "/api/v1/tables/cover/diff.csv?language=en")
    lines = list(csv.reader(io.StringIO(text.text.lstrip("\ufeff"))))
    assert lines[0][:4] == ["Change", "Id", "Year", "Field"]
    assert "'=1+1" in {line[6] for line in lines}
    book = openpyxl.load_workbook(io.BytesIO(got(client, "/api/v1/tables/cover/diff.xlsx").content))
    cells = [c for row in book.active.iter_rows() for c in row]
    assert "'=1+1" in {c.value for c in cells}
    assert "f" not in {c.data_type for c in cells}
    assert len(lines) == book.active.max_row


def test_versions_are_listed_with_what_became_of_them(client: TestClient) -> None:
    told = got(client, "/api/v1/tables/cover/versions").json()["versions"]
    assert [v["state"] for v in told] == ["current", "kept"]
    assert told[0]["published_at"] == day(10).isoformat()
    got(client, "/api/v1/tables/secret/versions", 404)
