"""`make mutate`: give the policy every small fault, one at a time, and say which its tests did not notice."""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from pathlib import Path

import pytest

import tests.serving_fixture
from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
ROOM = ROOT / "twin" / "policy"
QUICK = ["tests/matrix/test_decide.py", "tests/test_policy_areas.py", "tests/test_policy_grants.py", "tests/test_policy.py",
         "tests/test_policy_masks.py"]  # fmt: skip
ASKED = {
    "areas": ["tests/test_policy_areas.py", "tests/matrix/test_decide.py", "tests/test_policy_grants.py"],
    "classified": ["tests/test_policy.py", "tests/matrix/test_decide.py", "tests/test_policy_grants.py"],
    "delivered": ["tests/test_policy_delivered.py"],
    "grants": ["tests/test_policy_grants.py", "tests/matrix/test_decide.py"],
    "judging": QUICK,
    "masks": ["tests/test_policy_masks.py", "tests/test_policy.py", "tests/test_policy_grants.py"],
    "rules": [*QUICK[1:], QUICK[0]],
    "small_numbers": ["tests/test_policy_disclosure.py"],
    "soundness": ["tests/test_policy_grants.py"],
    "subject": QUICK,
}
"""Which tests are asked about a module, the likeliest to notice first."""
PATIENCE_S = 180
AT_ONCE = 2
GOAL = 0.95


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Give the mutant wherever its module is asked for."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == self.name else None

    def exec_module(self, module: object) -> None:
        exec(compile(self.tree, f"<mutant of {self.name}>", "exec"), vars(module))


def noticed(module: str, mutant: Mutant) -> int:
    """Start a child whose tests see the mutant; give its process id. It ends with 0 where nobody notices."""
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    signal.alarm(PATIENCE_S)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    for name in [n for n in sys.modules if n.startswith(("twin.policy", "tests.matrix", "tests.test_policy"))]:
        del sys.modules[name]
    sys.meta_path.insert(0, Changed(f"twin.policy.{module}", mutant.tree))
    tests = [str(ROOT / t) for t in ASKED[module]]
    os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-W", "ignore", *tests])))


def main(wanted: list[str], every: int) -> int:
    """Try the mutants of the `wanted` modules (none: all), each `every`-th; give 0 where enough are noticed."""
    for heavy in ("scipy.optimize", "hypothesis.strategies", "hypothesis.internal.conjecture.engine", "tests.conftest"):
        importlib.import_module(heavy)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    names = wanted or sorted(ASKED)
    todo = [(name, m) for name in names for m in mutants((ROOM / f"{name}.py").read_text(encoding="utf-8"))][::every]
    running: dict[int, tuple[str, Mutant]] = {}
    alive, done, began = [], 0, time.monotonic()
    while todo or running:
        while todo and len(running) < AT_ONCE:
            name, mutant = todo.pop(0)
            running[noticed(name, mutant)] = (name, mutant)
        child, status = os.wait()
        name, mutant = running.pop(child)
        done += 1
        if status == 0:
            alive.append(f"{name}.py:{mutant.line} {mutant.what}")
            print("not noticed:", alive[-1], flush=True)
        if done % 20 == 0:
            print(f"{done} done, {len(alive)} not noticed", flush=True)
    rate = 1 - len(alive) / max(1, done)
    print(
        f"{done} mutants of {', '.join(names)}; {done - len(alive)} noticed: {rate:.1%} in {time.monotonic() - began:.0f} s"
    )
    return 0 if rate >= GOAL else 1


if __name__ == "__main__":
    given = [a for a in sys.argv[1:] if not a.isdigit()]
    steps = [int(a) for a in sys.argv[1:] if a.isdigit()]
    assert tests.serving_fixture
    sys.exit(main(given, steps[0] if steps else 1))
