"""Whatever is written into any field of any route is a value: answered like a harmless one, or refused in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

import pytest

from tests.matrix.oracle import GRANTS
from tests.matrix.test_rooms import CANARIES, may_stand
from tests.wall import payloads, places
from tests.wall.standing import Wall
from twin.policy import DASH, ROUTES

KNOWN = [c for c in set(CANARIES.values()) if c != places.ID.encode()]


def kind(place: places.Place) -> str:
    return " ".join(place.name.split(" ")[:2]) if "ask-" not in place.name else place.name.split(" ")[0]


NAMES = sorted({kind(p) for p in places.every(dict.fromkeys(places.QUESTIONS, "a.b"))})


def tried(wall: Wall, place: places.Place, values: tuple[str, ...], allowed: Iterable[bytes] = ()) -> list[str]:
    """Give what is wrong with the answers to `values` written at one place; rows that `allowed` names may be found."""
    usual = wall.write(place, payloads.HARMLESS)
    allowed = {c for c in KNOWN if c in usual.content or c in allowed}
    wrong = []
    for value in values:
        answer = wall.write(place, value)
        found = _faults(wall, answer, value, allowed)
        wrong += [f"{place.name} <- {value[:40]!r}: {answer.status_code} {fault}" for fault in found]
    return wrong


def _faults(wall: Wall, answer: Any, value: str, allowed: Iterable[bytes]) -> Iterator[str]:
    if answer.status_code >= 500:
        yield answer.text[:200]
    if answer.status_code >= 400 and answer.headers["content-type"] not in REFUSALS:
        yield f"a refusal of kind {answer.headers['content-type']}"
    if answer.status_code == 400 and answer.headers["content-type"] == REFUSALS[0]:
        body = answer.json()
        if not (re.search("[一-鿿]", body["zh"]) and body["en"]):
            yield "a refusal without words"
    told = unescape(_unechoed(answer.text, value))
    yield from (f"tells {word}" for word in (*payloads.SAYS, wall.folder) if word in told)
    yield from (f"canary {c!r}" for c in KNOWN if c in answer.content and c not in allowed)
    yield from (f"header {k}" for k in answer.headers if k in ("x-wall", "server", "x-powered-by"))
    if "set-cookie" in answer.headers and "a=b" in answer.headers["set-cookie"]:
        yield "a cookie of the stranger's"


REFUSALS = ("application/problem+json", "text/html; charset=utf-8")


def _unechoed(text: str, value: str) -> str:
    """Leave out what an answer repeats of the question, as JSON or HTML writes it."""
    for written in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        text = text.replace(written, "") if written else text
    return text


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_anywhere_is_a_value_and_is_answered_in_words(wall: Wall, name: str) -> None:
    listed = [p for p in places.every(wall.callbacks) if kind(p) == name]
    assert listed
    assert [w for p in listed for w in tried(wall, p, payloads.FEW)] == []


def granted(who: str) -> set[bytes]:
    """Give what the grants let an asker find: some of the many values are words, and find what is called so."""
    known = GRANTS if who in GRANTS else {}
    return {c for cell, c in CANARIES.items() if known and any(may_stand(who, f, cell) for f in FUNCTIONS)}


FUNCTIONS = ("feature", "indicators")


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_anywhere_is_a_value_whatever_it_is(wall: Wall, name: str) -> None:
    listed = [p for p in places.every(wall.callbacks) if kind(p) == name]
    assert [w for p in listed for w in tried(wall, p, payloads.ALL, granted(p.who))] == []


UNTRUE = (
    ("' AND 1=1 --", "' AND 1=2 --"),
    ("' OR 1=1 --", "' OR 1=2 --"),
    ("%%%", "zzqx-7262"),
    ("___%", "zzqx-7262"),
    ("' || '", "zzqx-7262"),
)


@pytest.mark.parametrize(
    "name",
    ["GET /api/v1/features/thing/{}", "GET /api/v1/entities/thing:{}", f"GET /api/v1/features/{{}}/{places.ID}",
     "GET /api/v1/search ?q", "ask-list id", "ask-list sort", "ask-list of", "ask-search text", "ask-feature id",
     "GET /record ?subject", "GET /record ?action", "GET /grants ?what"],
)  # fmt: skip
def test_what_would_be_true_in_a_query_and_what_would_be_false_are_answered_alike(wall: Wall, name: str) -> None:
    place = next(p for p in places.every(wall.callbacks) if p.name == name)
    for yes, no in UNTRUE:
        first, second = (wall.write(place, v) for v in (yes, no))
        assert first.status_code == second.status_code, (yes, no)
        if not name.startswith(("GET /record", "GET /grants")):
            assert _bare(first.text, yes) == _bare(second.text, no), (yes, no)


def _bare(text: str, value: str) -> str:
    """Leave out the value and how it is quoted: Python writes one with an apostrophe in other marks."""
    return re.sub(r"[\\s\"'\\\\]+", "", _unechoed(unescape(text), value))


def test_every_route_is_written_to() -> None:
    written = {p.name.split(" ")[1].split("?")[0] for p in places.every(dict.fromkeys(places.QUESTIONS, "a.b"))}
    starts = {w.partition("{")[0].partition(places.ID)[0].partition("thing")[0] for w in written}
    routes = [*ROUTES, *DASH]
    missing = [r for r in routes if not any(_reaches(s, r.split(" ")[1]) for s in starts if s != "/")]
    assert [m for m in missing if m not in ("GET /", "POST /_dash-update-component")] == []
    assert set(places.FORMS) == {
        k.split(" ")[1] for k in ROUTES if k.startswith("POST ") and not k.startswith("POST /api/")
    }


def _reaches(start: str, template: str) -> bool:
    fixed = re.split(r"[{<]", template)[0]
    return start.startswith(fixed) or fixed.startswith(start)


def test_a_place_where_mischief_does_something_is_noticed(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    from twin.errors import BadRequest

    def careless(_: object, text: str, **__: object) -> list[Any]:
        raise BadRequest("查询有误", f'Parser Error: syntax error in SELECT 1 FROM thing__1 at "{text[:4]}"')

    monkeypatch.setattr(wall.front.state.rooms.search, "find", careless)
    place = next(p for p in places.every(wall.callbacks) if p.name == "GET /api/v1/search ?q")
    assert tried(wall, place, ("'",))
    monkeypatch.setattr(wall.front.state.rooms.search, "find", lambda *_, **__: 1 / 0)
    assert tried(wall, place, ("'",))
