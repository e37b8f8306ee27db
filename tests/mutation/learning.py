"""Which test calls which function of the policy and how long it takes, so that a fault meets its likeliest finder first."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Calls = dict[str, tuple[float, list[str]]]
"""Test → (seconds, the functions it calls as "module:qualified name")."""


class Learning:
    """Note what every test calls in the modules of one folder; a plugin of pytest."""

    def __init__(self, room: Path) -> None:
        self._room = f"{room}/"
        self.calls: Calls = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        called: set[str] = set()

        def trace(frame: Any, _event: str, _arg: object) -> None:
            if frame.f_code.co_filename.startswith(self._room):
                called.add(f"{Path(frame.f_code.co_filename).stem}:{frame.f_code.co_qualname}")

        began = time.monotonic()
        sys.settrace(trace)
        threading.settrace(trace)
        yield
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]  None ends it, as for sys.settrace
        self.calls[item.nodeid] = (time.monotonic() - began, sorted(called))


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What the tests call: test → seconds, and function → tests."""

    seconds: Mapping[str, float]
    callers: Mapping[str, frozenset[str]]

    def tests(self, module: str, inside: str) -> frozenset[str]:
        """Give the tests that call a function; for what lies in none, those that call any of its module."""
        if inside:
            return self.callers.get(f"{module}:{inside}", frozenset())
        return frozenset(t for f, tests in self.callers.items() if f.startswith(f"{module}:") for t in tests)

    def files(self, module: str, inside: str) -> tuple[str, ...]:
        """Give the files those tests stand in (as pytest names them), the one that needs least time first."""
        spent: dict[str, float] = {}
        for test in self.tests(module, inside):
            file = test.split("::", 1)[0]
            spent[file] = spent.get(file, 0) + self.seconds[test]
        return tuple(sorted(spent, key=spent.__getitem__))


def learned(calls: Calls) -> Learned:
    """Turn what was noted test by test about."""
    callers: dict[str, set[str]] = {}
    for test, (_, functions) in calls.items():
        for function in functions:
            callers.setdefault(function, set()).add(test)
    return Learned(
        seconds={test: seconds for test, (seconds, _) in calls.items()},
        callers={function: frozenset(tests) for function, tests in callers.items()},
    )


class Ordered:
    """Run the tests that call a function first, the quickest of them first, and no file of which none calls it."""

    def __init__(self, known: Learned, module: str, inside: str) -> None:
        self._first = known.tests(module, inside)
        self._files = known.files(module, inside)
        self._seconds = known.seconds

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (i for i in items if i.nodeid.split("::", 1)[0] in self._files),
            key=lambda i: (i.nodeid not in self._first, self._seconds.get(i.nodeid, 0)),
        )
