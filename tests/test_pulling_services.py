"""Pulling over WFS 2.0, ArcGIS FeatureServer, files over HTTP and a bucket: what each fault comes to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.demo.servers import Town, poles, serving
from tests.pulling import Place, numbers

SOURCES = {
    "wfs": ("/wfs", 'part = "t:stand"\noptions = { size = "50" }'),
    "arcgis": ("/arcgis", 'part = "FeatureServer/0"\ncrs = "EPSG:4490"\noptions = { size = "50" }'),
}
PASSING = ("none", "500", "error_body", "cut", "html", "short_length", "empty")


@pytest.fixture
def town() -> Iterator[tuple[Town, str]]:
    made = Town(rows=poles(230))
    with serving(made) as address:
        yield made, address


def place(tmp_path: Path, address: str, kind: str, **more: object) -> Place:
    path, source = SOURCES[kind]
    return Place(tmp_path / kind, {"kind": kind, "address": address + path, **more}, source)


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_every_feature_is_published_where_it_stands(tmp_path: Path, town: tuple[Town, str], kind: str) -> None:
    here = place(tmp_path, town[1], kind)
    report = here.receive()
    assert report.status == "published", report.reason_en
    assert here.ids() == numbers(town[0])
    seventh = next(r for r in here.rows() if r["id"] == "7")
    assert (seventh["pole_name"], seventh["power_w"]) == ("路灯7", 30.0)
    assert abs(seventh["bbox"]["xmin"] - 119.9571) < 1e-6
    assert here.receive().status == "unchanged"


@pytest.mark.parametrize("kind", sorted(SOURCES))
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_loses_nothing(tmp_path: Path, town: tuple[Town, str], kind: str, fault: str) -> None:
    here = place(tmp_path, town[1], kind)
    town[0].misbehave(fault, at=3, times=1)
    assert sorted(here.pulled()) == sorted(numbers(town[0]))


@pytest.mark.parametrize("kind", sorted(SOURCES))
@pytest.mark.parametrize("fault", ["error_body", "exception", "500", "html", "redirect", "bomb"])
def test_a_fault_that_stays_is_said(tmp_path: Path, town: tuple[Town, str], kind: str, fault: str) -> None:
    here = place(tmp_path, town[1], kind, most_bytes=20_000_000, attempts=2)
    town[0].misbehave(fault, at=2)
    assert "could not be had" in here.refusal()
    assert here.kept() == []


@pytest.mark.parametrize("change", ["insert", "delete", "churn"])
def test_wfs_pages_that_shift_are_read_again_or_refused(tmp_path: Path, town: tuple[Town, str], change: str) -> None:
    here = place(tmp_path, town[1], "wfs")
    town[0].next_row = lambda n: {**town[0].rows[-1], "id": f"N{n}", "number": n}
    town[0].misbehave(change, at=3, times=1)
    assert sorted(here.pulled()) == sorted(numbers(town[0]))
    town[0].misbehave(change)
    assert "did not come out even" in here.refusal(whole=True)


def test_an_object_the_server_lists_and_does_not_give_is_named(tmp_path: Path, town: tuple[Town, str]) -> None:
    here = place(tmp_path, town[1], "arcgis", attempts=2)
    town[0].misbehave("lost")
    assert "missing 1" in here.refusal()


def test_more_ids_than_the_server_takes_at_once_are_halved(tmp_path: Path, town: tuple[Town, str]) -> None:
    here = place(tmp_path, town[1], "arcgis", attempts=1)
    town[0].most = 20
    assert sorted(here.pulled()) == sorted(numbers(town[0]))


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_exchanged_axes_are_never_published(tmp_path: Path, town: tuple[Town, str], kind: str) -> None:
    here = place(tmp_path, town[1], kind)
    town[0].misbehave("axes")
    report = here.receive()
    assert report.status == "refused"
    assert "exchanged" in report.reason_en


def geojson(rows: list[dict[str, object]]) -> bytes:
    features = [
        {"type": "Feature", "properties": r, "geometry": {"type": "Point", "coordinates": [r["lon"], r["lat"]]}}
        for r in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def file_place(tmp_path: Path, address: str, **more: object) -> Place:
    source = 'part = "power/pole.geojson"\ncrs = "EPSG:4490"\noptions = { sha256 = "yes" }'
    return Place(tmp_path / "web", {"kind": "web", "address": f"{address}/files", **more}, source)


def test_a_file_over_http_comes_whole_and_only_when_it_changed(tmp_path: Path, town: tuple[Town, str]) -> None:
    body = geojson(town[0].rows)
    town[0].files = {"power/pole.geojson": body, "power/pole.geojson.sha256": hashlib.sha256(body).hexdigest().encode()}
    here = file_place(tmp_path, town[1])
    report = here.receive()
    assert report.status == "published", report.reason_en
    assert here.ids() == numbers(town[0])
    asked = len(town[0].asked)
    assert here.receive().status == "unchanged"
    assert len(town[0].asked) == asked + 1
    changed = geojson(town[0].rows[:-1])
    town[0].files["power/pole.geojson"] = changed
    report = here.receive()
    assert report.status == "refused"
    assert ".sha256" in report.reason_en
    town[0].misbehave("html")
    assert "login" in here.refusal(whole=True)
    assert here.ids() == numbers(town[0])


def bucket_place(tmp_path: Path, address: str) -> Place:
    connection = {"kind": "s3", "address": f"{address}/s3/power", "user_env": "H_KEY", "password_env": "H_SECRET"}
    return Place(tmp_path / "s3", connection, 'part = "day/pole.geojson"\ncrs = "EPSG:4490"')


def test_a_bucket_gives_its_object_to_who_signs_and_no_other(
    tmp_path: Path, town: tuple[Town, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town[0].access_key, town[0].secret_key = "AK1", "CANARY-secret/key+"
    town[0].files = {"day/pole.geojson": geojson(town[0].rows)}
    monkeypatch.setenv("H_KEY", "AK1")
    monkeypatch.setenv("H_SECRET", town[0].secret_key)
    here = bucket_place(tmp_path, town[1])
    report = here.receive()
    assert report.status == "published", report.reason_en
    assert here.receive().status == "unchanged"
    monkeypatch.setenv("H_SECRET", "CANARY-wrong")
    assert "H_SECRET" in here.refusal(whole=True)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"CANARY" in p.read_bytes()]


def test_all_objects_of_a_bucket_folder_come_as_its_pages_of_keys_say(
    tmp_path: Path, town: tuple[Town, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town[0].access_key, town[0].secret_key, town[0].most = "AK1", "s", 3
    town[0].files = {f"day/部分{n}.json": b"%d" % n for n in range(8)}
    monkeypatch.setenv("H_KEY", "AK1")
    monkeypatch.setenv("H_SECRET", "s")
    here = bucket_place(tmp_path, town[1])
    here.declare('part = "day/"')
    here.files()
    (kept,) = [p for p in (here.settings.raw / "_pulled" / "pole" / "0").iterdir() if p.is_dir()]
    assert {p.name: p.read_bytes() for p in kept.iterdir() if p.name != "pull.json"} == {
        f"部分{n}.json": b"%d" % n for n in range(8)
    }
