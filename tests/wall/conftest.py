"""One service for all tests of the wall."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wall.standing import QUICK, Wall
from twin.accounts import passwords


@pytest.fixture(scope="package")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    before, passwords._HASHER = passwords._HASHER, QUICK
    passwords._KEPT.clear()
    built = Wall(tmp_path_factory.mktemp("wall") / "town")
    with built.client:
        yield built
    passwords._HASHER = before
    passwords._KEPT.clear()
