"""Requests and callbacks that are not what they should be: each a refusal in both languages, and the service goes on."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import pytest

from tests.office_town import BASE
from tests.wall import places
from tests.wall.refusals import BODIES, JSON, RING, refused
from tests.wall.standing import Wall
from twin.api.guard import CALLBACKS as PATH

OWN = places.OWN
OVERLAY = "/api/v1/analysis/overlay"


pytestmark = pytest.mark.usefixtures("goes_on")


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
