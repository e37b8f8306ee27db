"""`make mutate`: give the policy every small fault, one at a time, and say which its tests did not notice."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.mutation import trying
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.learning import learned
from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
ROOM = ROOT / "twin" / "policy"
MODULES = tuple(sorted(p.stem for p in ROOM.glob("*.py") if p.stem != "__init__"))
TESTS = tuple(
    f"{ROOT}/tests/{name}.py"
    for name in (
        "matrix/test_decide", "test_policy", "test_policy_areas", "test_policy_delivered", "test_policy_disclosure",
        "test_policy_grants", "test_policy_judging", "test_policy_masks", "test_policy_people",
        "test_policy_routes", "test_policy_rules", "test_policy_shown", "test_policy_sight",
    )
)  # fmt: skip
"""Which tests are asked: those that need no service."""
GOAL = 0.95


def wanted(names: list[str], every: int) -> tuple[list[Mutant], int]:
    """Give the mutants to try, each `every`-th, and how many are left out as equivalent; ends on a stale reason."""
    known = {(module, line, what) for module, line, what, _ in EQUIVALENT if module in names}
    found = [m for name in names for m in mutants(name, (ROOM / f"{name}.py").read_text(encoding="utf-8"))]
    stale = known - {m.named for m in found}
    if stale:
        sys.exit("\n".join(["No mutant is any more:", *(" | ".join(s) for s in sorted(stale))]))
    left = [m for m in found if m.named not in known]
    return left[::every], len(found) - len(left)


def tried(todo: list[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """Try the mutants of functions in one run of the tests, then the others in a run each; give what was noticed."""
    calls: dict = {}
    left = [m for m in todo if not m.inside]
    for line in trying.in_functions(TESTS, ROOM, [m for m in todo if m.inside]):
        told = json.loads(line)
        calls.update(told.get("calls", {}))
        if "number" in told:
            mutant = [m for m in todo if m.inside][told["number"]]
            if told["noticed"] is None:
                left.append(mutant)
            else:
                yield mutant, told["noticed"]
    yield from trying.one_by_one(TESTS, learned(calls), left)


def main(names: list[str], every: int) -> int:
    """Try the mutants of the modules `names`, each `every`-th; give 0 where enough are noticed."""
    todo, equivalent = wanted(names, every)
    began = time.monotonic()
    tally = {name: [0, 0] for name in names}
    for done, (mutant, noticed) in enumerate(tried(todo), 1):
        tally[mutant.module][0] += 1
        tally[mutant.module][1] += noticed
        if not noticed:
            print(f"not noticed: {mutant.module}.py:{mutant.line} {mutant.what} | {mutant.text}", flush=True)
        if done % 100 == 0:
            print(f"{done} of {len(todo)} done, {time.monotonic() - began:.0f} s", flush=True)
    for name, (tries, noticed) in tally.items():
        print(f"{name:>14}  {noticed:4} of {tries:4}  {noticed / max(1, tries):.1%}")
    tries, noticed = (sum(row[i] for row in tally.values()) for i in (0, 1))
    rate = noticed / max(1, tries)
    spent = time.monotonic() - began
    print(f"{tries} mutants, {noticed} noticed: {rate:.1%}; {equivalent} more change nothing; {spent:.0f} s")
    return 0 if rate >= GOAL else 1


if __name__ == "__main__":
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for heavy in ("scipy.optimize", "hypothesis.strategies", "hypothesis.internal.conjecture.engine", "tests.conftest"):
        importlib.import_module(heavy)
    for test in TESTS:
        importlib.import_module(str(Path(test).relative_to(ROOT).with_suffix("")).replace("/", "."))
    gc.freeze()  # what is loaded by now is shared with every child
    given = [a for a in sys.argv[1:] if not a.isdigit()]
    steps = [int(a) for a in sys.argv[1:] if a.isdigit()]
    sys.exit(main(given or list(MODULES), steps[0] if steps else 1))
