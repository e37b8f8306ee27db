"""What is forbidden is answered as what is missing: the same bytes, the same headers, and about the same time."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.matrix import village
from tests.wall.standing import Wall
from twin.policy import ROUTES

OFFICES = sorted(
    {k.split(" ")[1] for k, row in ROUTES.items() if k.startswith("GET ") and (row.may or "local" not in row.roles)}
)
MOVING = ("x-request-id", "date")


def bare(answer: Any, *names: str) -> tuple[Any, ...]:
    """Give what an answer tells beside the name it was asked for."""
    body = answer.content
    for name in names:
        body = body.replace(name.encode(), b"")
    return answer.status_code, body, sorted((k, v) for k, v in answer.headers.items() if k not in MOVING)


@pytest.mark.parametrize("path", OFFICES)
@pytest.mark.parametrize("who", ["anonymous", "planner", "official", "system"])
def test_an_office_that_is_not_ones_own_is_not_there(wall: Wall, path: str, who: str) -> None:
    needed = ROUTES[f"GET {path}"].may
    if needed and wall.policy.grants.may(who, needed):
        return
    there, nothing = wall.get(who, path), wall.get(who, "/api/v1/" + "x" * (len(path) - len("/api/v1/")))
    if who == "anonymous" and there.status_code == 303:
        assert there.headers["location"].startswith("/signin")
        return
    assert there.status_code == 404
    assert bare(there) == bare(nothing)


TWINS: dict[str, tuple[str, str, str]] = {
    "a layer": ("anonymous", "/tiles/M3/15/27304/13463.mvt", "/tiles/M9/15/27304/13463.mvt"),
    "a drawn layer": ("anonymous", "/tiles/drawn/M3/15/27304/13463.png", "/tiles/drawn/M9/15/27304/13463.png"),
    "a table": ("planner", "/api/v1/features/closed/X", "/api/v1/features/nosuch/X"),
    "an entity": ("planner", "/api/v1/entities/closed:X", "/api/v1/entities/nosuch:X"),
    "a layer to point at": ("anonymous", *(f"/api/v1/identify?lon=119.97&lat=30.53&layers=M{n}" for n in (3, 9))),
    "a scene": ("planner", "/tiles/scene/closed/tileset.json", "/tiles/scene/nosuch/tileset.json"),
    "a foreign row": (
        "official",
        f"/api/v1/features/thing/{village.canary('home', 'foreign', 'id')}",
        "/api/v1/features/thing/NEVER-home-foreign-id",
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_the_hidden_and_the_unknown_get_the_same_bytes_and_headers(wall: Wall, name: str) -> None:
    who, hidden, unknown = TWINS[name]
    first, second = wall.get(who, hidden), wall.get(who, unknown)
    names = [re.split(r"[/:=?.]", x) for x in (hidden, unknown)]
    differ = [(a, b) for a, b in zip(*names, strict=True) if a != b]
    assert first.status_code == second.status_code >= 400
    assert bare(first, *(a for a, _ in differ))[:2] == bare(second, *(b for _, b in differ))[:2]
    lengths = [k for k, _ in bare(first)[2]], [k for k, _ in bare(second)[2]]
    assert lengths[0] == lengths[1]


def _medians(asks: tuple[Callable[[], Any], ...], rounds: int) -> list[float]:
    """Give the median time of each, asked in turn so that whatever slows the machine slows all alike."""
    times: list[list[float]] = [[] for _ in asks]
    for n in range(rounds + 5):
        for ask, kept in zip(asks, times, strict=True):
            began = time.perf_counter()
            ask()
            if n >= 5:
                kept.append(time.perf_counter() - began)
    return [statistics.median(kept) for kept in times]


@pytest.mark.soak
@pytest.mark.parametrize("name", TWINS)
def test_the_hidden_and_the_unknown_take_about_the_same_time(wall: Wall, name: str) -> None:
    who, hidden, unknown = TWINS[name]
    first, second = _medians((lambda: wall.get(who, hidden), lambda: wall.get(who, unknown)), rounds=300)
    print(f"\n{name}: hidden / unknown = {first / second:.2f}")
    assert 0.6 < first / second < 1.67
