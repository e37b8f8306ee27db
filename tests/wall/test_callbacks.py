"""Row 58: a callback that is not what the page asks is refused in both languages, and the service goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.matrix import http
from tests.wall import places
from tests.wall.refusals import BODIES, JSON, POLYGONS, refused
from tests.wall.standing import Wall
from twin.api.callbacks import LONG
from twin.api.guard import CALLBACKS as PATH

pytestmark = pytest.mark.usefixtures("goes_on")


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
