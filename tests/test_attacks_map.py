"""docs/attacks.md rests on tests that exist, and every line of it says what came of the attempt and what keeps it so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?!tried|---)(.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`((?:\w+/)?test_\w+)::(test_\w+)`")
ASKED = (
    "Anonymous", "Resident", "Grid worker", "Village official", "planner", "Department's data owner", "data engineer",
    "Security administrator", "Auditor", "Key of a connected system", "Insider with the disk",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted({name for name, _ in TEST.findall(TEXT)}))
def test_every_test_that_is_named_exists(name: str) -> None:
    tree = ast.parse((ROOT / "tests" / f"{name}.py").read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    wanted = {test for file, test in TEST.findall(TEXT) if file == name}
    assert wanted <= there, wanted - there


def test_every_attempt_has_an_outcome_and_says_what_keeps_it_so() -> None:
    rows = ROW.findall(TEXT)
    assert len(rows) == len(re.findall(r"^\| (?!tried)", TEXT, re.MULTILINE))
    assert [kept for _, _, kept in rows if kept != "by hand" and TEST.sub("", kept).strip()] == []


def test_every_role_has_its_table() -> None:
    heads = " ".join(re.findall(r"^## (.+)$", TEXT, re.MULTILINE))
    assert [who for who in ASKED if who not in heads] == []
