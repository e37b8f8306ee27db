"""docs/security.md claims nothing that no test shows: every test it names exists, and what is not met is said."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
CLAIMED, _, LACKING = TEXT.partition("## 还没有做到的 · Not met yet")
NAMED_L3 = {
    "3.4.7", "4.1.5", "5.2.4", "5.2.5", "5.2.6", "5.3.3", "8.3.2", "8.3.3", "14.2.7", "14.2.8", "15.2.5", "16.3.2",
}  # fmt: skip
ROW = re.compile(r"^\| ([\d.–]+) \|(?: (\d) \|)? .+? \| (`[^|]+`) \|$", re.MULTILINE)
TEST = re.compile(r"`((?:\w+/)?test_\w+)::(test_\w+)`")


def path_of(name: str) -> Path:
    beside = ROOT / "tests" / f"{name}.py"
    return beside if beside.is_file() else ROOT / "tests" / "browser" / f"{name}.py"


@pytest.mark.parametrize("name", sorted({name for name, _ in TEST.findall(CLAIMED)}))
def test_every_test_that_is_named_exists(name: str) -> None:
    tree = ast.parse(path_of(name).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    wanted = {test for file, test in TEST.findall(CLAIMED) if file == name}
    assert wanted <= there, wanted - there


def test_every_row_of_a_claim_names_a_test_and_nothing_else_stands_in_its_place() -> None:
    rows = [line for line in CLAIMED.splitlines() if re.match(r"^\| \d", line)]
    read = list(ROW.finditer(CLAIMED))
    assert len(read) == len(rows), sorted(set(rows) - {m.group(0) for m in read})
    for row in read:
        assert TEST.sub("", row[3]).strip() == "", row[0]


def test_a_requirement_stands_in_one_row() -> None:
    for part in CLAIMED.split("\n## "):
        numbers = [m[1] for m in ROW.finditer(part)]
        assert len(numbers) == len(set(numbers)), [n for n in numbers if numbers.count(n) > 1]


def test_each_named_requirement_of_level_3_is_either_shown_or_said_to_be_lacking() -> None:
    shown = {m[1] for m in ROW.finditer(CLAIMED)}
    lacking = set(re.findall(r"^\| ASVS ([\d.]+) \|", LACKING, re.MULTILINE))
    assert shown | lacking >= NAMED_L3
    assert not shown & lacking
