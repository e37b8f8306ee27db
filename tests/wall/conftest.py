"""One service for all tests of the wall."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.matrix import http
from tests.wall import places
from tests.wall.refusals import JSON
from tests.wall.standing import QUICK, Wall
from twin.accounts import passwords
from twin.api.guard import CALLBACKS


@pytest.fixture(scope="package")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    before, passwords._HASHER = passwords._HASHER, QUICK
    passwords._KEPT.clear()
    built = Wall(tmp_path_factory.mktemp("wall") / "town")
    with built.client:
        yield built
    passwords._HASHER = before
    passwords._KEPT.clear()


@pytest.fixture
def goes_on(wall: Wall) -> Iterator[None]:
    """Prove, after whatever was sent, that others are answered."""
    yield
    assert wall.get("official", "/health").json() == {"status": "ok"}
    question = http.callback(wall.callbacks["ask-search"], "ask-search", places.QUESTIONS["ask-search"])
    assert wall.send("POST", CALLBACKS, {**JSON, **wall.headers["official"]}, question.body).status_code == 200
