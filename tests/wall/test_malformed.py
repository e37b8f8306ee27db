"""Requests and callbacks that are not what they should be: each a refusal in both languages, and the service goes on."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.matrix import http
from tests.office_town import BASE
from tests.wall import places
from tests.wall.standing import Wall
from twin.api.callbacks import LONG, PATH

OWN = places.OWN
JSON = {**OWN, "content-type": "application/json"}
OVERLAY = "/api/v1/analysis/overlay"


@pytest.fixture(autouse=True)
def goes_on(wall: Wall) -> Iterator[None]:
    """After whatever was sent, others are answered."""
    yield
    assert wall.get("official", "/health").json() == {"status": "ok"}
    question = http.callback(wall.callbacks["ask-search"], "ask-search", places.QUESTIONS["ask-search"])
    assert wall.send("POST", PATH, {**JSON, **wall.headers["official"]}, question.body).status_code == 200


def refused(answer: Any, *status: int) -> dict[str, Any]:
    assert answer.status_code in (status or range(400, 500)), (answer.status_code, answer.text[:200])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    body = answer.json()
    assert any("一" <= c <= "鿿" for c in body["zh"])
    assert body["en"]
    assert not any("一" <= c <= "鿿" for c in body["en"])
    return body


# rows 55-57: queries, boxes, tiles


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/identify?lon=nan&lat=30",
        "/api/v1/identify?lon=1e999&lat=30",
        "/api/v1/identify?lon=119&lat=91",
        "/api/v1/identify?lon=119",
        "/api/v1/identify?lon=119.97&lat=30.53&radius_m=-1",
        "/api/v1/identify?lon=119.97&lat=30.53&radius_m=inf",
        "/api/v1/identify?lon=119.97&lat=30.53&layers=M1,NONE",
        "/api/v1/analysis/in-view?west=nan&south=30&east=120&north=31",
        "/api/v1/analysis/in-view?west=120&south=31&east=119&north=30",
        "/api/v1/analysis/in-view?west=119&south=30&east=120",
        "/api/v1/search?q=x&limit=-1",
        "/api/v1/search?q=x&limit=1000000000",
        "/api/v1/search?q=x&limit=1e3",
        "/api/v1/search?q=" + "x" * 101,
        "/api/v1/search",
        "/api/v1/layers?language=fr",
        "/api/v1/style.json?year=1e9",
        "/api/v1/style.json?theme=neon",
        "/api/v1/style.json?base=http://127.0.0.1.evil.example",
        "/api/v1/style.json?base=http://127.0.0.1@evil.example",
        "/api/v1/style.json?base=//evil.example",
        "/api/v1/indicators?year=٢٠٢٤",
        "/api/v1/indicators?theme=" + "x" * 41,
        "/api/v1/features/thing/nothing?year=-1",
        "/api/v1/entities/no-colon",
        "/api/v1/entities/:",
        "/api/v1/entities/thing:",
        "/tiles/M1/30/1/1.mvt",
        "/tiles/M1/15/99999999/1.mvt",
        "/tiles/M1/15/-1/1.mvt",
        "/tiles/M1/15/27304/13463.mvt?year=99999",
        "/tiles/M1/15/27304/13463.mvt?year=２０２４",
        "/tiles/M1/15/27304/13463.mvt?theme=neon",
        "/tiles/M1/%31%35/%00/1.mvt",
        "/tiles/%2e%2e/%2e%2e/1/1.mvt",
        "/tiles/M1/١/1/1.mvt",
        "/tiles/M1/1/1/1.mvt.gz",
        "/tiles/M1/1/1/1",
        "/tiles//1/1/1.mvt",
        "/tiles/scene/thing/../../../etc/passwd",
        "/tiles/scene/thing/%2e%2e/%2e%2e/manifest.json",
        "/tiles/tianditu/../3/1/1",
        "/tiles/M1/1/1/1.mvt/extra",
    ],
)
def test_a_query_or_tile_that_is_none_is_refused(wall: Wall, address: str) -> None:
    refused(wall.get("official", address), 400, 404)


RING = places.RING
POLYGONS: Mapping[str, Any] = {
    "nothing": None,
    "a number": 7,
    "a text": "Polygon",
    "a list": [RING],
    "no type": {"coordinates": RING["coordinates"]},
    "a point": {"type": "Point", "coordinates": [1, 2]},
    "no coordinates": {"type": "Polygon"},
    "an open ring of two": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]},
    "texts": {"type": "Polygon", "coordinates": [[["a", "b"], ["c", "d"], ["e", "f"], ["a", "b"]]]},
    "objects": {"type": "Polygon", "coordinates": [[{}, {}, {}, {}]]},
    "nulls": {"type": "Polygon", "coordinates": [[[None, None]] * 4]},
    "empty": {"type": "Polygon", "coordinates": []},
    "far away": {"type": "Polygon", "coordinates": [[[1e308, 0], [0, 1e308], [-1e308, 0], [1e308, 0]]]},
    "infinite": {"type": "Polygon", "coordinates": [[[1e999, 0], [0, 1], [1, 1], [1e999, 0]]]},
    "the whole world": {"type": "Polygon", "coordinates": [[[-180, -85], [180, -85], [180, 85], [-180, -85]]]},
    "a bow tie": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
    "too many vertices": {"type": "Polygon", "coordinates": [[[119.97 + n / 1e7, 30.53] for n in range(9_000)]]},
    "a feature of nothing": {"type": "Feature", "geometry": None},
    "a feature of a feature": {"type": "Feature", "geometry": {"type": "Feature", "geometry": RING}},
    "a collection": {"type": "GeometryCollection", "geometries": [RING]},
    "a prototype": {"__proto__": RING, "constructor": {"prototype": {}}},
    "an operator": {"$ne": None, "$where": "1"},
}
BODIES: Mapping[str, bytes] = {
    **{name: json.dumps(value).encode() for name, value in POLYGONS.items()},
    "no JSON": b"{",
    "JSON5": b"{type:'Polygon',}",
    "a comma too many": b'{"type":"Polygon",}',
    "not UTF-8": b'{"type":"\xff\xfe"}',
    "gzip": gzip.compress(json.dumps(RING).encode()),
    "half a character": b'{"type":"\\ud800"}',
    "a number of 5000 digits": b'{"type":' + b"9" * 5_000 + b"}",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and whole": b'{"type":"Polygon","coordinates":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}",
    "empty": b"",
    "NUL": b"\x00" * 100,
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_polygon_is_refused(wall: Wall, name: str) -> None:
    refused(wall.send("POST", OVERLAY, {**JSON, **wall.headers["official"]}, BODIES[name]), 400)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "text/xml", "multipart/form-data; boundary=a", "application/x-yaml"]
)
def test_a_body_said_to_be_something_else_is_refused(wall: Wall, kind: str) -> None:
    body = json.dumps(RING).encode()
    shown = {**OWN, **wall.headers["official"], "content-type": kind}
    refused(wall.send("POST", OVERLAY, shown, body), 400, 415)
    refused(wall.send("POST", PATH, shown, body), 415)


# row 58: callbacks


def question(wall: Wall, asked: str = "ask-feature", **changed: Any) -> dict[str, Any]:
    good = json.loads(http.callback(wall.callbacks[asked], asked, places.QUESTIONS[asked]).body)
    return {**good, **changed}


def call(wall: Wall, body: Any, who: str = "official", **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return wall.send("POST", PATH, {**JSON, **wall.headers.get(who, {}), **headers}, sent)


@pytest.mark.parametrize(
    "changed",
    [
        {"output": "nothing.data"},
        {"output": "__proto__.tree"},
        {"output": "constructor"},
        {"output": ["a"]},
        {"output": {"id": "feature"}},
        {"output": None},
        {"output": 7},
        {"output": ""},
        {"output": "A" * 100_000},
        {"inputs": None},
        {"inputs": []},
        {"inputs": {}},
        {"inputs": "x"},
        {"inputs": [None]},
        {"inputs": [[]]},
        {"inputs": [{"id": "ask-list", "property": "data", "value": {}}]},
        {"inputs": [{"id": {"type": "ask-feature"}, "property": "data", "value": {}}]},
        {"inputs": [{"id": "ask-feature", "property": "children", "value": {}}]},
        {"inputs": [{"id": "ask-feature", "property": "data"}] * 2},
        {"inputs": [{"id": "ask-feature", "property": "data", "value": None}]},
        {"inputs": [{"id": "ask-feature", "property": "data", "value": []}]},
        {"inputs": [{"id": "ask-feature", "property": "data", "value": "thing"}]},
        {"inputs": [{"id": "ask-feature", "property": "data", "value": {}}]},
        {"inputs": [{"id": "ask-feature", "property": "data", "value": {"__proto__": {"table": "thing", "id": "x"}}}]},
    ],
    ids=lambda changed: str(changed)[:60],
)
def test_a_callback_that_the_page_does_not_make_is_refused(wall: Wall, changed: Mapping[str, Any]) -> None:
    refused(call(wall, question(wall, **changed)), 400)


@pytest.mark.parametrize("name", [n for n in BODIES if n not in POLYGONS])
def test_a_callback_that_is_no_json_is_refused(wall: Wall, name: str) -> None:
    refused(call(wall, BODIES[name]), 400)


WRONG: Mapping[str, tuple[Any, ...]] = {
    "layer": ([], {}, 7.5),
    "of": ([], {}, "x" * 401),
    "table": (7.5, True, [], {}, "\ud800", "x" * 81),
    "id": ([], {"$ne": 1}, "x" * 401),
    "entity": ([], {}),
    "point": (
        "119,30",
        [1],
        [1, 2, 3],
        [None, None],
        ["a", "b"],
        [999, 0],
        [0, 86],
        {"lng": 1, "lat": 2},
        [True, False],
    ),
    "layers": ("M1", [[]], [7.5], ["x"] * 500, {"a": 1}),
    "others": ({}, ["x"], [{"id": []}], [{"title": {}}], [{}] * 500),
    "year": ("2024", 1e300, 2024.5, True, [], -5, 99999),
    "language": (7.5, [], {}, "x" * 81),
    "kind": ([], 7.5),
    "page": ("1", -1, 1e18, 0.5, True, []),
    "sort": ([], {}, "x" * 121),
    "text": ([], {}, 7.5, "x" * 1001, "\udfff"),
    "geometry": ("Polygon", [], 7, {"type": "\ud800"}),
    "shown": ("M1", [{}]),
    "theme": ([], {}),
    "base": ([], {}),
    "dark": ("yes", 1, []),
}


@pytest.mark.parametrize("asked", places.QUESTIONS)
def test_a_question_whose_values_are_of_no_such_kind_is_refused(wall: Wall, asked: str) -> None:
    known = places.QUESTIONS[asked]
    for key in known:
        for value in WRONG[key]:
            inputs = [{"id": asked, "property": "data", "value": {**known, key: value}}]
            body = refused(call(wall, question(wall, asked, inputs=inputs)), 400)
            assert body["where"] == {"value": key}


def test_every_question_of_the_page_is_declared_and_every_declared_one_asked(wall: Wall) -> None:
    assert set(wall.dash.questions) == set(wall.callbacks) == set(places.QUESTIONS)


@pytest.mark.parametrize(
    "forged",
    [
        {"outputs": {"id": "page", "property": "children"}},
        {"outputs": [{"id": "x", "property": "y"}] * 50},
        {"outputs": None},
        {"changedPropIds": 7},
        {"changedPropIds": [{"a": 1}]},
        {"state": "x"},
        {"state": [{"id": "a", "property": "b", "value": 1}]},
        {"background": True, "job": "1"},
        {"user": {"role": "auditor"}, "subject": "local"},
    ],
    ids=str,
)
def test_what_a_callback_is_answered_depends_on_its_question_alone(wall: Wall, forged: Mapping[str, Any]) -> None:
    plain = call(wall, question(wall))
    assert plain.status_code == 200
    assert call(wall, question(wall, **forged)).content == plain.content


def test_no_job_of_this_machine_is_ended_by_a_callbacks_address(wall: Wall) -> None:
    body = json.dumps(question(wall)).encode()
    for address in ("?cancelJob=1&job=1", "?job=1&cacheKey=x", "?oldJob=1&cancelJob=1"):
        answer = wall.send("POST", PATH + address, {**JSON, **wall.headers["official"]}, body)
        assert answer.content == call(wall, question(wall)).content


def test_a_huge_store_is_refused_and_a_long_one_read_beside_others(wall: Wall) -> None:
    refused(call(wall, b'{"output":"' + b"x" * 2_000_001), 413)
    long = question(wall, "ask-search", padding="x" * (2 * LONG))
    assert call(wall, long).content == call(wall, question(wall, "ask-search")).content


def test_a_callback_of_a_session_without_its_token_is_refused(wall: Wall) -> None:
    shown = {"cookie": wall.headers["official"]["cookie"]}
    body = json.dumps(question(wall)).encode()
    refused(wall.send("POST", PATH, {**JSON, **shown}, body), 403)
    refused(wall.send("POST", PATH, {**JSON, **shown, "x-csrf-token": "A" * 43}, body), 403)
    refused(
        wall.send("POST", PATH, {**JSON, **shown, "x-csrf-token": wall.headers["auditor"]["x-csrf-token"]}, body), 403
    )


# row 59: hosts, proxies, verbs, parameters given twice


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil@127.0.0.1", "127.0.0.1:8300@evil", "", "::"]
)
@pytest.mark.parametrize(
    "path", ["/", "/signin", "/api/v1/layers", "/tiles/M1/15/27304/13463.mvt", "/assets/markup.js"]
)
def test_another_hosts_name_is_refused(wall: Wall, host: str, path: str) -> None:
    refused(wall.send("GET", path, {"host": host}), 421)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-host": "evil.example"},
        {"x-forwarded-for": "10.0.0.1, 127.0.0.1"},
        {"x-forwarded-proto": "gopher", "x-forwarded-port": "22", "x-forwarded-prefix": "/record"},
        {"forwarded": "for=10.0.0.1;host=evil.example;proto=http"},
        {"x-original-url": "/record", "x-rewrite-url": "/record"},
        {"x-http-method-override": "DELETE", "x-method-override": "POST"},
        {"x-real-ip": "10.0.0.1", "true-client-ip": "10.0.0.1", "x-client-ip": "10.0.0.1"},
        {"x-remote-user": "auditor", "remote-user": "auditor", "x-webauth-user": "auditor"},
    ],
    ids=lambda headers: next(iter(headers)),
)
@pytest.mark.parametrize("path", ["/signin", "/api/v1/layers", "/record", "/signout"])
def test_what_a_proxy_might_say_is_believed_of_nobody(wall: Wall, headers: Mapping[str, str], path: str) -> None:
    plain, told = wall.send("GET", path, {}), wall.send("GET", path, headers)
    assert told.status_code == plain.status_code
    assert told.content == plain.content
    assert "evil.example" not in str(told.headers) + told.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "OPTIONS", "WALL"])
@pytest.mark.parametrize(
    "path", ["/", "/signin", "/api/v1/layers", "/tiles/M1/15/27304/13463.mvt", PATH, "/assets/markup.js"]
)
def test_other_verbs_do_nothing(wall: Wall, method: str, path: str) -> None:
    answer = wall.send(method, path, {**JSON, **wall.headers["official"]}, b"{}")
    refused(answer, 404, 405, 413, 415)
    assert "access-control-allow-origin" not in answer.headers


def test_a_parameter_given_twice_widens_nothing(wall: Wall) -> None:
    known = wall.get("official", "/api/v1/search?q=own").content
    for address in ("?q=own&q=own", "?q=zzqx&q=own", "?q=own&q[]=x&q.x=y&Q=z"):
        assert wall.get("official", "/api/v1/search" + address).content == known
    refused(wall.get("official", "/api/v1/search?q=x&limit=5&limit=1000"), 400)
    tile = "/tiles/M1/15/27304/13463.mvt?year=2024"
    refused(wall.get("official", tile + "&year=99999"), 400)
    csrf = wall.headers["planner"]["x-csrf-token"]
    shown = {**OWN, "cookie": wall.headers["planner"]["cookie"], "content-type": "application/x-www-form-urlencoded"}
    answer = wall.send("POST", "/account/sessions/end", shown, f"csrf={csrf}&csrf=x&session=others".encode())
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"&" * 4_000,
        b"a=1&" * 200,
        b"%",
        b"=",
        b"\xff=\xfe",
        b"name=%ff%fe%00",
        b"name[]=a&name[x]=b",
        b"{}",
        b"\x00" * 50,
    ],
)
@pytest.mark.parametrize("path", places.FORMS)
def test_a_form_that_is_none_is_refused_in_a_page_or_a_problem(wall: Wall, path: str, body: bytes) -> None:
    shown = {k: v for k, v in wall.headers["security_admin"].items() if k == "cookie"}
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = wall.send("POST", path, {**OWN, **kind, **shown}, body)
    assert 400 <= answer.status_code < 500 or answer.status_code == 303
    assert "Traceback" not in answer.text
    for other in ("multipart/form-data; boundary=x", "text/plain", "application/json", ""):
        again = wall.send("POST", path, {**OWN, **shown, "content-type": other}, body)
        assert 400 <= again.status_code < 500


# rows 81-90: what is written into the log


def test_nothing_that_is_written_makes_a_line_of_the_log(wall: Wall, caplog: pytest.LogCaptureFixture) -> None:
    value = "x\n2026-01-01 00:00:00 onemap.api ERROR forged"
    with caplog.at_level(logging.DEBUG, logger="onemap"):
        for place in places.every(wall.callbacks):
            if place.name.startswith(("GET /api", "POST /signin", "ask-")):
                wall.write(place, value)
    assert not any("forged" in record.getMessage() for record in caplog.records)


# row 60: no address is taken from anybody


def test_no_route_takes_an_address_to_call(wall: Wall) -> None:
    described = wall.client.get("/api/v1/openapi.json").json()["paths"]
    named = {p["name"] for path in described.values() for one in path.values() for p in one.get("parameters", [])}
    fields = {name for _, values in places.FORMS.values() for name in values}
    assert (named | fields) & {
        "url",
        "uri",
        "callback",
        "webhook",
        "target",
        "source",
        "href",
        "link",
        "endpoint",
    } == set()
    assert BASE.startswith("https://127.0.0.1")
