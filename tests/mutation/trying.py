"""A fault put into the policy and its tests run, in a process of its own; the only one that forks.

A fault in a function's body is put into the living function, after the tests were collected once for all of them; any
other is put into the module as it is imported, which takes a run of its own.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import inspect
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from tests.mutation.learning import Learned, Learning, Ordered, learned
from tests.mutation.mutants import Mutant

QUIET = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:unraisableexception", "-W", "ignore")
CPU_S, PATIENCE_S = 90, 600
AT_ONCE = 2
UNTRIED = 99
NOTICED = (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR)
"""A test failed, a test's module or the tests' own set-up could not be imported."""


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Give the mutant wherever its module is asked for."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == self.name else None

    def exec_module(self, module: object) -> None:
        exec(compile(self.tree, f"<mutant of {self.name}>", "exec"), vars(module))


def child(work: Callable[[], int], *, patience_s: int = PATIENCE_S) -> int:
    """Fork a silent, limited child that ends with what `work` gives; give its process id."""
    number = os.fork()
    if number:
        return number
    signal.alarm(patience_s)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os._exit(work())


def at_once(jobs: Sequence[Callable[[], int]]) -> Iterator[tuple[int, int]]:
    """Run each job in a child, some at a time; give (its number, its exit code, negative for a signal)."""
    running: dict[int, int] = {}
    for number, job in enumerate(jobs):
        if len(running) == AT_ONCE:
            yield _ended(running)
        running[child(job)] = number
    while running:
        yield _ended(running)


def _ended(running: dict[int, int]) -> tuple[int, int]:
    process, status = os.wait()
    return running.pop(process), os.waitstatus_to_exitcode(status)


def _forget_ours() -> None:
    for name in [n for n in sys.modules if n.split(".")[0] in ("twin", "tests") and not n.startswith("tests.mutation")]:
        del sys.modules[name]


# faults in functions


class Trying:
    """Try mutants of functions once all tests are collected; a plugin of pytest that writes a line on each."""

    def __init__(self, room: Path, todo: Sequence[Mutant], told: int) -> None:
        self._room, self._todo, self._told = room, todo, told

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        learning = Learning(self._room)
        session.config.pluginmanager.register(learning)
        _run(session)
        session.config.pluginmanager.unregister(learning)
        if session.testsfailed:
            return True
        self._say(calls=learning.calls)
        known = learned(learning.calls)
        for number, code in at_once([_job(session, known, m) for m in self._todo]):
            self._say(number=number, noticed=None if code == UNTRIED else code != 0)
        return True

    def _say(self, **told: Any) -> None:
        os.write(self._told, json.dumps(told).encode() + b"\n")


def _run(session: pytest.Session) -> int:
    for i, item in enumerate(session.items):
        following = session.items[i + 1] if i + 1 < len(session.items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            return 1
    return 0


def _job(session: pytest.Session, known: Learned, mutant: Mutant) -> Callable[[], int]:
    def job() -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        if not known.tests(mutant.module, mutant.inside) or not put(mutant):
            return UNTRIED  # also what is called as its module is imported: it has been by now
        Ordered(known, mutant.module, mutant.inside).pytest_collection_modifyitems(session.items)
        return _run(session)

    return job


def put(mutant: Mutant) -> bool:
    """Put a mutant's code into the living function it is of; False where that is no plain function."""
    found: Any = sys.modules[f"twin.policy.{mutant.module}"]
    for name in mutant.inside.split("."):
        found = inspect.getattr_static(found, name)
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    code = _code(compile(mutant.tree, "<mutant>", "exec"), mutant.inside)
    if not isinstance(found, FunctionType) or code is None:
        return False
    found.__code__ = code
    return True


def _code(code: CodeType, name: str) -> CodeType | None:
    if code.co_qualname == name:
        return code
    within = (_code(c, name) for c in code.co_consts if isinstance(c, CodeType))
    return next((c for c in within if c is not None), None)


def in_functions(tests: Sequence[str], room: Path, todo: Sequence[Mutant]) -> Iterator[str]:
    """Try mutants of functions; give a JSON line on what the tests call, and then one on each mutant.

    Ends where a test fails without any fault.
    """
    reads, writes = os.pipe()

    def work() -> int:
        os.close(reads)
        _forget_ours()
        return int(pytest.main([*QUIET, *tests], plugins=[Trying(room, todo, writes)]))

    process = child(work, patience_s=0)
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as lines:
        yield from lines
    if os.waitpid(process, 0)[1]:
        sys.exit("The tests fail without any fault; mend that first.")


# other faults


def one_by_one(tests: Sequence[str], known: Learned, todo: Sequence[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """Try mutants as their modules are imported; give each and whether the tests notice it."""

    def job(mutant: Mutant) -> Callable[[], int]:
        def work() -> int:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
            _forget_ours()
            sys.meta_path.insert(0, Changed(f"twin.policy.{mutant.module}", mutant.tree))
            first = [t for f in known.files(mutant.module, mutant.inside) for t in tests if t.endswith(f"/{f}")]
            rest = [t for t in tests if t not in first]
            order = Ordered(known, mutant.module, mutant.inside)
            code = int(pytest.main([*QUIET, *first], plugins=[order])) if first else 0
            return code or (int(pytest.main([*QUIET, *rest])) if rest else 0)

        return work

    for number, code in at_once([job(m) for m in todo]):
        if code > 0 and code not in NOTICED:
            sys.exit(f"{todo[number].named}: pytest ended with {code}")
        yield todo[number], code != 0
